/*
 * DefaultPreemption: when a pod fits nowhere, less important ones may have to go.
 * Source: pkg/scheduler/framework/{preemption,plugins/defaultpreemption}.
 */
#include "scheduler/scheduler.h"

#include <stdlib.h>

enum { CANDIDATES_LEAST = 100, CANDIDATES_PERCENT = 10 };

/* A node, and who would have to go. */
struct candidate {
	struct node_info *node;
	struct pod_info **victims; /* the most important first */
	size_t count, violations;
};

static bool eligible(struct scheduler *s, const struct pod_info *p);
static bool try_node(
	struct scheduler *s, struct cycle *c, struct node_info *n, struct candidate *to);
static bool fits(struct cycle *c, struct node_info *n);
static void reprieve(struct scheduler *s, struct cycle *c, struct candidate *d, bool violating);
static bool violates(struct scheduler *s, struct arena *a, const struct pod_info *p);
static bool better(const struct candidate *a, const struct candidate *b);
static int more_important(const void *a, const void *b);
static int64_t sum_priorities(const struct candidate *d);

str preempt(struct scheduler *s, struct cycle *c, const bool *hopeless, str *nominated)
{
	size_t nodes = s->cache.len, tried = 0, most = nodes * CANDIDATES_PERCENT / 100;
	struct candidate best = {NULL, NULL, 0, 0};
	size_t helpful = 0;

	if (!eligible(s, c->p))
		return arena_fmt(
			c->arena, "preemption: not eligible due to preemptionPolicy=Never.");
	if (most < CANDIDATES_LEAST)
		most = CANDIDATES_LEAST;
	for (size_t i = 0; i < nodes && tried < most; i++) {
		struct candidate d;

		if (hopeless[i])
			continue;
		helpful++;
		if (!try_node(s, c, s->cache.list[i], &d))
			continue;
		tried++;
		if (!best.node || better(&d, &best))
			best = d;
	}
	if (!best.node) {
		size_t useless = nodes - helpful;
		str why = STR("");

		if (useless)
			why = arena_fmt(c->arena, "%zu Preemption is not helpful for scheduling%s",
				useless, helpful ? ", " : "");
		if (helpful)
			why = arena_fmt(c->arena,
				"%zu No preemption victims found for incoming pod%s%.*s", helpful,
				useless ? ", " : "",
				STR_ARG(useless ? arena_fmt(c->arena,
							  "%zu Preemption is not helpful for "
							  "scheduling",
							  useless)
						: STR("")));
		return arena_fmt(c->arena, "preemption: 0/%zu nodes are available: %.*s.", nodes,
			STR_ARG(why));
	}
	for (size_t i = 0; i < best.count; i++)
		call_evict(s, best.victims[i], c->p->pod);
	*nominated = best.node->name;
	return STR("");
}

/* Not while those who were preempted for it are still going. */
static bool eligible(struct scheduler *s, const struct pod_info *p)
{
	const str *policy = p->pod->spec.preemption_policy;

	(void)s;
	return !policy || !str_eq(*policy, STR("Never"));
}

/* Takes everybody less important off the node, and lets back who may stay. */
static bool try_node(
	struct scheduler *s, struct cycle *c, struct node_info *n, struct candidate *to)
{
	struct candidate d = {.node = n};
	size_t count = 0;

	for (const struct pod_info *o = n->pods; o; o = o->next)
		count += o->priority < c->p->priority;
	if (!count)
		return false;
	d.victims = arena_get(c->arena, count * sizeof(struct pod_info *));
	for (struct pod_info *o = n->pods, *next; o; o = next) {
		next = o->next;
		if (o->priority < c->p->priority)
			d.victims[d.count++] = o;
	}
	for (size_t i = 0; i < d.count; i++)
		cache_displace(&s->cache, d.victims[i]);
	qsort(d.victims, d.count, sizeof(struct pod_info *), more_important);
	bool possible = fits(c, n);
	size_t all = d.count;
	struct pod_info **everybody = arena_get(c->arena, all * sizeof(struct pod_info *));
	memcpy(everybody, d.victims, all * sizeof(struct pod_info *));
	if (possible) {
		reprieve(s, c, &d, true);
		reprieve(s, c, &d, false);
	}
	for (size_t i = 0; i < all; i++)
		if (!everybody[i]->node)
			cache_place(&s->cache, everybody[i], n->name);
	*to = d;
	return possible && d.count > 0;
}

/* With what the plugins know of the others computed anew. */
static bool fits(struct cycle *c, struct node_info *n)
{
	struct cycle again = {
		.arena = c->arena,
		.clock = c->clock,
		.cache = c->cache,
		.p = c->p,
		.namespaces = c->namespaces,
	};
	struct refusal why;
	unsigned blamed = 0;

	framework_pre_filter(&again);
	bool fit = framework_filter(&again, n, &why, &blamed);
	framework_end(&again);
	return fit;
}

/* The most important first: those whose budget would be broken, then the others. */
static void reprieve(struct scheduler *s, struct cycle *c, struct candidate *d, bool violating)
{
	size_t left = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct pod_info *p = d->victims[i];
		bool breaks = violates(s, c->arena, p);

		if (breaks == violating) {
			cache_place(&s->cache, p, d->node->name);
			if (fits(c, d->node))
				continue;
			cache_displace(&s->cache, p);
			d->violations += breaks;
		}
		d->victims[left++] = p;
	}
	d->count = left;
}

static bool violates(struct scheduler *s, struct arena *a, const struct pod_info *p)
{
	struct view *v = informer_view(s->budgets);
	struct view_walk w = view_all(v, p->pod->metadata.namespace);
	bool found = false;

	view_each(const struct pod_disruption_budget *, b, &w)
	{
		struct meta_selector selector;
		struct err e;

		if (!found && meta_selector(a, b->spec.selector, &selector, &e) == 0 &&
			meta_matches(&selector, &p->pod->metadata.labels))
			found = b->status.disruptions_allowed <= 0;
	}
	view_drop(v);
	return found;
}

/* Fewest broken budgets, least important of the most important, least in sum, fewest. */
static bool better(const struct candidate *a, const struct candidate *b)
{
	int64_t sum_a = sum_priorities(a), sum_b = sum_priorities(b);

	if (a->violations != b->violations)
		return a->violations < b->violations;
	if (a->victims[0]->priority != b->victims[0]->priority)
		return a->victims[0]->priority < b->victims[0]->priority;
	if (sum_a != sum_b)
		return sum_a < sum_b;
	return a->count < b->count;
}

static int more_important(const void *a, const void *b)
{
	const struct pod_info *x = *(struct pod_info *const *)a, *y = *(struct pod_info *const *)b;
	const struct time_value *s = x->pod->status.start_time, *t = y->pod->status.start_time;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	if (!s || !t)
		return !s - !t;
	return time_compare(s, t);
}

static int64_t sum_priorities(const struct candidate *d)
{
	int64_t sum = 0;

	for (size_t i = 0; i < d->count; i++)
		sum += (int64_t)d->victims[i]->priority + INT32_MAX + 1;
	return sum;
}
