#include "scheduler/scheduler.h"

#include <stdlib.h>

enum { NODES_LEAST = 100, PERCENT_MOST = 50, PERCENT_LEAST = 5 };

/* What a cycle found out about the nodes. */
struct look {
	struct node_info **feasible;
	size_t count;
	bool *hopeless;     /* by index of the node: no removal of pods would help */
	struct map reasons; /* text to int64_t */
};

static struct pod_info *next_pod(struct scheduler *s);
static void schedule(struct scheduler *s, struct arena *a, struct pod_info *p);
static void look_at_nodes(struct scheduler *s, struct cycle *c, struct look *l);
static void look_at(struct cycle *c, struct look *l, struct node_info *n);
static size_t enough(size_t nodes);
static void assume(struct scheduler *s, struct pod_info *p, struct node_info *n);
static void give_up(struct scheduler *s, struct cycle *c, struct look *l);
static str explain(struct cycle *c, struct look *l, str preemption);
static int compare_texts(const void *a, const void *b);

void *decide(void *scheduler)
{
	struct scheduler *s = scheduler;
	struct pod_info *p;
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	pthread_mutex_lock(&s->lock);
	while ((p = next_pod(s))) {
		schedule(s, &a, p);
		arena_reset(&a);
		/* Others wait for the lock as well. */
		pthread_mutex_unlock(&s->lock);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	arena_free(&a);
	return NULL;
}

/* Waits until one is due; NULL: the end. */
static struct pod_info *next_pod(struct scheduler *s)
{
	while (!s->stopping) {
		int64_t now_ns = clock_system.monotonic_ns(&clock_system);
		struct pod_info *p = queue_pop(&s->queue, now_ns);
		int64_t due_ns = queue_next_ns(&s->queue);

		if (p)
			return p;
		if (due_ns == INT64_MAX) {
			pthread_cond_wait(&s->more, &s->lock);
			continue;
		}
		struct timespec until = {
			.tv_sec = due_ns / NS_PER_S,
			.tv_nsec = due_ns % NS_PER_S,
		};
		pthread_cond_timedwait(&s->more, &s->lock, &until);
	}
	return NULL;
}

static void schedule(struct scheduler *s, struct arena *a, struct pod_info *p)
{
	struct cycle c = {
		.arena = a,
		.clock = &clock_system,
		.cache = &s->cache,
		.p = p,
	};
	struct look l = {.count = 0};
	struct view *namespaces = informer_view(s->namespaces);

	if (p->pod->metadata.deletion_timestamp) {
		p->place = POD_NOWHERE;
		view_drop(namespaces);
		return;
	}
	c.namespaces = namespaces;
	map_init(&l.reasons);
	framework_pre_filter(&c);
	look_at_nodes(s, &c, &l);
	if (l.count)
		assume(s, p, framework_best(&c, l.feasible, l.count, &s->d.random));
	else
		give_up(s, &c, &l);
	framework_end(&c);
	map_free(&l.reasons);
	view_drop(namespaces);
}

/* Begins where the last cycle ended, so that every node gets its turn in large clusters. */
static void look_at_nodes(struct scheduler *s, struct cycle *c, struct look *l)
{
	struct cache *cache = &s->cache;
	size_t wanted = enough(cache->len), looked = 0;

	l->feasible = arena_get(c->arena, cache->len * sizeof(struct node_info *) + 1);
	l->hopeless = arena_get(c->arena, cache->len + 1);
	while (looked < cache->len && l->count < wanted) {
		look_at(c, l, cache->list[(s->next_start + looked) % cache->len]);
		looked++;
	}
	if (cache->len)
		s->next_start = (s->next_start + looked) % cache->len;
}

static void look_at(struct cycle *c, struct look *l, struct node_info *n)
{
	struct refusal why;

	if (framework_filter(c, n, &why, &c->p->blamed)) {
		l->feasible[l->count++] = n;
		return;
	}
	l->hopeless[n->index] = why.for_good;
	for (size_t i = 0; i < why.count; i++) {
		int64_t *count = map_get(&l->reasons, why.reasons[i]);

		if (!count) {
			count = arena_i64(c->arena, 0);
			map_put(&l->reasons, why.reasons[i], count);
		}
		++*count;
	}
}

/* Of many nodes not all are looked at: half of a hundred, a twentieth of thousands. */
static size_t enough(size_t nodes)
{
	size_t percent = nodes / 125 < PERCENT_MOST - PERCENT_LEAST ? PERCENT_MOST - nodes / 125
								    : PERCENT_LEAST;
	size_t count = nodes * percent / 100;

	if (nodes < NODES_LEAST)
		return nodes;
	return count < NODES_LEAST ? NODES_LEAST : count;
}

static void assume(struct scheduler *s, struct pod_info *p, struct node_info *n)
{
	if (p->nominated.len) {
		s->cache.nominated--;
		p->nominated = (str){NULL, 0};
	}
	p->assumed = true;
	cache_place(&s->cache, p, n->name);
	call_bind(s, p, n->name);
}

static void give_up(struct scheduler *s, struct cycle *c, struct look *l)
{
	struct pod_info *p = c->p;
	str nominated = {NULL, 0};
	str preemption = preempt(s, c, l->hopeless, &nominated);
	str message = explain(c, l, preemption);

	if (p->nominated.len)
		s->cache.nominated--;
	p->nominated = nominated.len ? arena_str(&p->arena, nominated) : (str){NULL, 0};
	if (p->nominated.len)
		s->cache.nominated++;
	/* With no node at all, any node that comes may help. */
	if (!s->cache.len)
		p->blamed = ~0u;
	call_unschedulable(s, p, STR("Unschedulable"), message, p->nominated);
	queue_park(&s->queue, p, clock_system.monotonic_ns(&clock_system));
}

/* "0/5 nodes are available: 2 Insufficient cpu, 3 node(s) were unschedulable. preemption: ..." */
static str explain(struct cycle *c, struct look *l, str preemption)
{
	str *texts = arena_get(c->arena, l->reasons.len * sizeof(*texts) + 1);
	size_t count = 0;
	struct buf b;

	if (!c->cache->len)
		return STR("no nodes available to schedule pods");
	map_each (&l->reasons, e)
		texts[count++] = arena_fmt(c->arena, "%lld %.*s",
			(long long)*(const int64_t *)e->value, STR_ARG(e->key));
	qsort(texts, count, sizeof(*texts), compare_texts);
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_fmt(&b, "0/%zu nodes are available:", c->cache->len);
	for (size_t i = 0; i < count; i++)
		buf_add_fmt(&b, "%s %.*s", i ? "," : "", STR_ARG(texts[i]));
	buf_add_str(&b, STR("."));
	if (preemption.len)
		buf_add_fmt(&b, " %.*s", STR_ARG(preemption));
	str text = arena_str(c->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static int compare_texts(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}
