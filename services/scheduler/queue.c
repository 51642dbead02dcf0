#include "scheduler/queue.h"

#include <stdlib.h>

static bool more_urgent(const struct pod_info *a, const struct pod_info *b);
static bool earlier(const struct pod_info *a, const struct pod_info *b);
static void heap_push(struct pod_heap *h, struct pod_info *p);
static void heap_remove(struct pod_heap *h, struct pod_info *p);
static void sift_up(struct pod_heap *h, size_t at);
static void sift_down(struct pod_heap *h, size_t at);
static void activate(struct sched_queue *q, struct pod_info *p, int64_t now_ns);
static int64_t backoff_ns(const struct sched_queue *q, const struct pod_info *p);
static bool gated(const struct pod_info *p);

void queue_init(struct sched_queue *q)
{
	*q = (struct sched_queue){
		.active.before = more_urgent,
		.backoff.before = earlier,
		.backoff_first_ns = NS_PER_S,
		.backoff_most_ns = 10 * NS_PER_S,
		.parked_most_ns = 300 * NS_PER_S,
	};
	map_init(&q->parked);
}

void queue_free(struct sched_queue *q)
{
	free(q->active.at);
	free(q->backoff.at);
	map_free(&q->parked);
}

void queue_push(struct sched_queue *q, struct pod_info *p, int64_t now_ns)
{
	queue_drop(q, p);
	if (!p->since_ns)
		p->since_ns = now_ns;
	if (gated(p)) {
		p->place = POD_UNSCHEDULABLE;
		p->parked_ns = INT64_MAX / 2;
		p->blamed = 0;
		map_put(&q->parked, p->uid, p);
		return;
	}
	p->place = POD_ACTIVE;
	heap_push(&q->active, p);
}

struct pod_info *queue_pop(struct sched_queue *q, int64_t now_ns)
{
	while (q->backoff.len && q->backoff.at[1]->backoff_until_ns <= now_ns) {
		struct pod_info *p = q->backoff.at[1];

		heap_remove(&q->backoff, p);
		p->place = POD_ACTIVE;
		heap_push(&q->active, p);
	}
	if (!q->active.len)
		return NULL;
	struct pod_info *p = q->active.at[1];
	heap_remove(&q->active, p);
	p->place = POD_IN_FLIGHT;
	p->moved = false;
	p->blamed = 0;
	p->attempts++;
	return p;
}

void queue_park(struct sched_queue *q, struct pod_info *p, int64_t now_ns)
{
	if (p->moved) {
		queue_retry(q, p, now_ns);
		return;
	}
	p->place = POD_UNSCHEDULABLE;
	p->parked_ns = now_ns;
	p->backoff_until_ns = now_ns + backoff_ns(q, p);
	map_put(&q->parked, p->uid, p);
}

void queue_retry(struct sched_queue *q, struct pod_info *p, int64_t now_ns)
{
	p->place = POD_BACKOFF;
	p->backoff_until_ns = now_ns + backoff_ns(q, p);
	heap_push(&q->backoff, p);
}

void queue_drop(struct sched_queue *q, struct pod_info *p)
{
	if (p->place == POD_ACTIVE)
		heap_remove(&q->active, p);
	else if (p->place == POD_BACKOFF)
		heap_remove(&q->backoff, p);
	else if (p->place == POD_UNSCHEDULABLE)
		map_remove(&q->parked, p->uid);
	p->place = POD_NOWHERE;
}

void queue_event(struct sched_queue *q, unsigned event, int64_t now_ns)
{
	unsigned waiting = 0;
	size_t count = 0;

	for (size_t i = 0; i < plugin_count; i++)
		if (plugins[i].events & event)
			waiting |= 1u << i;
	struct pod_info **moved = malloc((q->parked.len + 1) * sizeof(struct pod_info *));
	if (!moved)
		abort();
	map_each (&q->parked, e) {
		struct pod_info *p = e->value;

		if (p->blamed & waiting)
			moved[count++] = p;
	}
	for (size_t i = 0; i < count; i++)
		activate(q, moved[i], now_ns);
	free(moved);
}

int64_t queue_next_ns(const struct sched_queue *q)
{
	if (q->active.len)
		return 0;
	return q->backoff.len ? q->backoff.at[1]->backoff_until_ns : INT64_MAX;
}

static void activate(struct sched_queue *q, struct pod_info *p, int64_t now_ns)
{
	map_remove(&q->parked, p->uid);
	if (p->backoff_until_ns > now_ns) {
		p->place = POD_BACKOFF;
		heap_push(&q->backoff, p);
	} else {
		p->place = POD_ACTIVE;
		heap_push(&q->active, p);
	}
}

static int64_t backoff_ns(const struct sched_queue *q, const struct pod_info *p)
{
	int64_t wait = q->backoff_first_ns;

	for (int i = 1; i < p->attempts && wait < q->backoff_most_ns; i++)
		wait *= 2;
	return wait < q->backoff_most_ns ? wait : q->backoff_most_ns;
}

static bool gated(const struct pod_info *p)
{
	return p->pod->spec.scheduling_gates.len > 0;
}

static bool more_urgent(const struct pod_info *a, const struct pod_info *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->since_ns < b->since_ns;
}

static bool earlier(const struct pod_info *a, const struct pod_info *b)
{
	return a->backoff_until_ns < b->backoff_until_ns;
}

static void heap_push(struct pod_heap *h, struct pod_info *p)
{
	if (h->len + 1 >= h->cap) {
		h->cap = h->cap ? 2 * h->cap : 64;
		h->at = realloc(h->at, h->cap * sizeof(struct pod_info *));
		if (!h->at)
			abort();
	}
	h->at[++h->len] = p;
	p->slot = h->len;
	sift_up(h, h->len);
}

static void heap_remove(struct pod_heap *h, struct pod_info *p)
{
	size_t at = p->slot;

	h->at[at] = h->at[h->len--];
	p->slot = 0;
	if (at > h->len)
		return;
	h->at[at]->slot = at;
	sift_up(h, at);
	sift_down(h, h->at[at]->slot == at ? at : h->at[at]->slot);
}

static void swap(struct pod_heap *h, size_t a, size_t b)
{
	struct pod_info *p = h->at[a];

	h->at[a] = h->at[b];
	h->at[b] = p;
	h->at[a]->slot = a;
	h->at[b]->slot = b;
}

static void sift_up(struct pod_heap *h, size_t at)
{
	for (; at > 1 && h->before(h->at[at], h->at[at / 2]); at /= 2)
		swap(h, at, at / 2);
}

static void sift_down(struct pod_heap *h, size_t at)
{
	for (;;) {
		size_t first = at;

		for (size_t child = 2 * at; child <= 2 * at + 1 && child <= h->len; child++)
			if (h->before(h->at[child], h->at[first]))
				first = child;
		if (first == at)
			return;
		swap(h, at, first);
		at = first;
	}
}
