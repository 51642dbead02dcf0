/*
 * Work: queues of keys, and one crew of threads that serves them all.
 *
 * A key that waits is there once, however often it is added; a key that is being worked on and is
 * added again comes again afterwards, never twice at a time. A queue works on at most `workers`
 * keys at once; threads of the crew go where there is work, queues in turn.
 *
 * Ownership: keys are copied. Threading: any; work functions run on the crew's threads and may
 * block.
 * Source: client-go/util/workqueue.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

struct crew;
struct queue;

struct queue_options {
	const char *name;
	int workers;
	void (*work)(void *owner, str key); /* the key lives until it returns */
	void *owner;
	int64_t retry_base_ns, retry_max_ns; /* 0: 5 ms, 1000 s */
};

/* No thread is started yet. */
NODISCARD int crew_new(const struct clock *c, struct crew **to, struct err *e);

/* Before crew_start. The queue is the crew's. */
struct queue *crew_queue(struct crew *w, const struct queue_options *o);
NODISCARD int crew_start(struct crew *w, int threads, struct err *e);

/* Waits for what is being worked on; what waits is forgotten. */
void crew_stop(struct crew *w);
void crew_free(struct crew *w);

void queue_add(struct queue *q, str key);
void queue_add_after(struct queue *q, str key, int64_t wait_ns);

/* After a time that doubles with every failure of this key, until queue_forget. */
void queue_add_limited(struct queue *q, str key);
void queue_forget(struct queue *q, str key);
unsigned queue_failures(struct queue *q, str key);

/* Keys that wait to be worked on, the delayed ones not counted. */
size_t queue_depth(struct queue *q);

/* Without threads, for tests: works on one key that is due now; false if there is none. */
bool crew_step(struct crew *w);
