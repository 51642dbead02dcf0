#include "lib/client/work.h"

#include "lib/base/map.h"
#include "lib/client/throttle.h"

#include <pthread.h>
#include <stdlib.h>

enum { STACK_BYTES = 512 << 10, THREADS_MAX = 64 };

/* A key that a queue knows of: it waits, is worked on, is delayed, or has failed before. */
struct item {
	struct queue *queue;
	struct item *next; /* among those that wait */
	bool waiting, working, again;
	unsigned failures;
	size_t slot; /* in the crew's heap of delays, from 1; 0: none */
	int64_t due_ns;
	str key;
	char text[];
};

struct queue {
	struct queue_options options;
	struct crew *crew;
	struct map items;
	struct item *first, **end;
	size_t depth;
	int working;
	struct queue *next;
};

struct crew {
	const struct clock *clock;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct queue *queues, *turn; /* whose turn it is */
	struct item **delayed;       /* heap by due_ns, from index 1 */
	size_t delayed_len, delayed_cap;
	bool stopping;
	pthread_t threads[THREADS_MAX];
	int thread_count;
};

static struct item *item_of(struct queue *q, str key);
static void settle(struct queue *q, struct item *i);
static void put_in_line(struct queue *q, struct item *i);
static void delay(struct crew *w, struct item *i, int64_t due_ns);
static void undelay(struct crew *w, struct item *i);
static int64_t release_due(struct crew *w);
static struct item *next_item(struct crew *w);
static void *serve(void *crew);

int crew_new(const struct clock *c, struct crew **to, struct err *e)
{
	struct crew *w = calloc(1, sizeof(*w));
	pthread_condattr_t monotonic;

	if (!w)
		return err_set(e, ERR_SYSTEM, "no memory for a crew");
	w->clock = c;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*to = w;
	return 0;
}

struct queue *crew_queue(struct crew *w, const struct queue_options *o)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		abort();
	q->options = *o;
	if (q->options.retry_base_ns == 0)
		q->options.retry_base_ns = THROTTLE_BASE_MS * NS_PER_MS;
	if (q->options.retry_max_ns == 0)
		q->options.retry_max_ns = THROTTLE_MAX_S * NS_PER_S;
	q->crew = w;
	q->end = &q->first;
	map_init(&q->items);
	q->next = w->queues;
	w->queues = q;
	return q;
}

int crew_start(struct crew *w, int threads, struct err *e)
{
	pthread_attr_t small;
	int error = 0;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK_BYTES);
	while (w->thread_count < threads && w->thread_count < THREADS_MAX && error == 0) {
		error = pthread_create(&w->threads[w->thread_count], &small, serve, w);
		w->thread_count += error == 0;
	}
	pthread_attr_destroy(&small);
	if (error == 0)
		return 0;
	crew_stop(w);
	return err_set_errno(e, error, "starting a worker thread");
}

void crew_stop(struct crew *w)
{
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (; w->thread_count > 0; w->thread_count--)
		pthread_join(w->threads[w->thread_count - 1], NULL);
}

void crew_free(struct crew *w)
{
	while (w->queues) {
		struct queue *q = w->queues;

		w->queues = q->next;
		map_each (&q->items, entry)
			free(entry->value);
		map_free(&q->items);
		free(q);
	}
	free(w->delayed);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void queue_add(struct queue *q, str key)
{
	pthread_mutex_lock(&q->crew->lock);
	put_in_line(q, item_of(q, key));
	pthread_mutex_unlock(&q->crew->lock);
}

static void add_after(struct queue *q, struct item *i, int64_t wait_ns)
{
	int64_t due_ns = q->crew->clock->monotonic_ns(q->crew->clock) + wait_ns;

	if (wait_ns <= 0)
		put_in_line(q, i);
	else if (i->slot == 0 || due_ns < i->due_ns)
		delay(q->crew, i, due_ns);
}

void queue_add_after(struct queue *q, str key, int64_t wait_ns)
{
	pthread_mutex_lock(&q->crew->lock);
	add_after(q, item_of(q, key), wait_ns);
	pthread_mutex_unlock(&q->crew->lock);
}

void queue_add_limited(struct queue *q, str key)
{
	pthread_mutex_lock(&q->crew->lock);
	struct item *i = item_of(q, key);

	add_after(q, i,
		throttle_backoff_ns(
			q->options.retry_base_ns, q->options.retry_max_ns, i->failures));
	i->failures++;
	pthread_mutex_unlock(&q->crew->lock);
}

void queue_forget(struct queue *q, str key)
{
	pthread_mutex_lock(&q->crew->lock);
	struct item *i = map_get(&q->items, key);

	if (i) {
		i->failures = 0;
		settle(q, i);
	}
	pthread_mutex_unlock(&q->crew->lock);
}

unsigned queue_failures(struct queue *q, str key)
{
	pthread_mutex_lock(&q->crew->lock);
	const struct item *i = map_get(&q->items, key);
	unsigned failures = i ? i->failures : 0;

	pthread_mutex_unlock(&q->crew->lock);
	return failures;
}

size_t queue_depth(struct queue *q)
{
	pthread_mutex_lock(&q->crew->lock);
	size_t depth = q->depth;

	pthread_mutex_unlock(&q->crew->lock);
	return depth;
}

/* --- with the lock held */

static struct item *item_of(struct queue *q, str key)
{
	struct item *i = map_get(&q->items, key);

	if (i)
		return i;
	i = calloc(1, sizeof(*i) + key.len);
	if (!i)
		abort();
	i->queue = q;
	if (key.len > 0)
		memcpy(i->text, key.at, key.len);
	i->key = str_span(i->text, key.len);
	map_put(&q->items, i->key, i);
	return i;
}

/* Forgets a key of which there is nothing left to know. */
static void settle(struct queue *q, struct item *i)
{
	if (i->waiting || i->working || i->slot != 0 || i->failures > 0)
		return;
	map_remove(&q->items, i->key);
	free(i);
}

static void put_in_line(struct queue *q, struct item *i)
{
	if (i->working) {
		i->again = true;
		return;
	}
	if (i->waiting)
		return;
	i->waiting = true;
	i->next = NULL;
	*q->end = i;
	q->end = &i->next;
	q->depth++;
	pthread_cond_signal(&q->crew->more);
}

static void place(struct crew *w, size_t slot, struct item *i)
{
	w->delayed[slot] = i;
	i->slot = slot;
}

static void rise(struct crew *w, struct item *i)
{
	size_t slot = i->slot;

	for (; slot > 1 && i->due_ns < w->delayed[slot / 2]->due_ns; slot /= 2)
		place(w, slot, w->delayed[slot / 2]);
	place(w, slot, i);
}

static void sink(struct crew *w, struct item *i)
{
	size_t slot = i->slot;

	for (size_t child; (child = 2 * slot) <= w->delayed_len; slot = child) {
		if (child < w->delayed_len &&
			w->delayed[child + 1]->due_ns < w->delayed[child]->due_ns)
			child++;
		if (i->due_ns <= w->delayed[child]->due_ns)
			break;
		place(w, slot, w->delayed[child]);
	}
	place(w, slot, i);
}

static void delay(struct crew *w, struct item *i, int64_t due_ns)
{
	i->due_ns = due_ns;
	if (i->slot == 0) {
		if (w->delayed_len + 1 >= w->delayed_cap) {
			w->delayed_cap = w->delayed_cap ? 2 * w->delayed_cap : 16;
			w->delayed = realloc(w->delayed, w->delayed_cap * sizeof(*w->delayed));
			if (!w->delayed)
				abort();
		}
		i->slot = ++w->delayed_len;
	}
	rise(w, i);
	if (i->slot == 1)
		pthread_cond_signal(&w->more);
}

static void undelay(struct crew *w, struct item *i)
{
	struct item *last = w->delayed[w->delayed_len--];

	if (last != i) {
		last->slot = i->slot;
		rise(w, last);
		sink(w, last);
	}
	i->slot = 0;
}

/* Lines up what is due. When the next delay ends; 0: there is none. */
static int64_t release_due(struct crew *w)
{
	int64_t now_ns = w->clock->monotonic_ns(w->clock);

	while (w->delayed_len > 0 && w->delayed[1]->due_ns <= now_ns) {
		struct item *i = w->delayed[1];

		undelay(w, i);
		put_in_line(i->queue, i);
	}
	return w->delayed_len > 0 ? w->delayed[1]->due_ns : 0;
}

/* Queues in turn, so that a long one does not starve the others. */
static struct item *next_item(struct crew *w)
{
	struct queue *start = w->turn ? w->turn : w->queues, *q = start;

	if (!q)
		return NULL;
	do {
		struct item *i = q->first;

		w->turn = q->next;
		if (i && q->working < q->options.workers) {
			q->first = i->next;
			if (!q->first)
				q->end = &q->first;
			q->depth--;
			i->waiting = false;
			i->working = true;
			q->working++;
			return i;
		}
		q = q->next ? q->next : w->queues;
	} while (q != start);
	return NULL;
}

static void work_on(struct crew *w, struct item *i)
{
	struct queue *q = i->queue;

	pthread_mutex_unlock(&w->lock);
	q->options.work(q->options.owner, i->key);
	pthread_mutex_lock(&w->lock);
	i->working = false;
	if (q->working-- == q->options.workers && q->first)
		pthread_cond_signal(&w->more);
	if (i->again) {
		i->again = false;
		put_in_line(q, i);
	}
	settle(q, i);
}

bool crew_step(struct crew *w)
{
	pthread_mutex_lock(&w->lock);
	(void)release_due(w);
	struct item *i = next_item(w);

	if (i)
		work_on(w, i);
	pthread_mutex_unlock(&w->lock);
	return i != NULL;
}

static void *serve(void *crew)
{
	struct crew *w = crew;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		int64_t until_ns = release_due(w);
		struct item *i = next_item(w);

		if (i) {
			work_on(w, i);
		} else if (until_ns == 0) {
			pthread_cond_wait(&w->more, &w->lock);
		} else {
			struct timespec until = {until_ns / NS_PER_S, until_ns % NS_PER_S};

			(void)pthread_cond_timedwait(&w->more, &w->lock, &until);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}
