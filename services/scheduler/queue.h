/*
 * The scheduling queue: pods that wait for a node (pkg/scheduler/backend/queue). The active ones
 * lie in a heap by priority and age; those that failed rest 1 s to 10 s, or until something happens
 * that a plugin which refused them waits for, five minutes at most.
 *
 * Threading: under the scheduler's lock. Times are monotonic.
 */
#pragma once

#include "scheduler/framework.h"

struct pod_heap {
	struct pod_info **at; /* from index 1 */
	size_t len, cap;
	bool (*before)(const struct pod_info *a, const struct pod_info *b);
};

struct sched_queue {
	struct pod_heap active, backoff;
	struct map parked; /* unschedulable, by uid */
	int64_t backoff_first_ns, backoff_most_ns, parked_most_ns;
};

void queue_init(struct sched_queue *q);
void queue_free(struct sched_queue *q);

/* A new pod, or one whose spec changed. Gated pods are parked until their gates have gone. */
void queue_push(struct sched_queue *q, struct pod_info *p, int64_t now_ns);

/* The next one to be scheduled, in flight from here on; NULL: none is due. */
struct pod_info *queue_pop(struct sched_queue *q, int64_t now_ns);

/* It found no node: `p->blamed` says who refused. */
void queue_park(struct sched_queue *q, struct pod_info *p, int64_t now_ns);

/* It failed for another reason (the server, a race): again after its backoff. */
void queue_retry(struct sched_queue *q, struct pod_info *p, int64_t now_ns);

/* It was deleted, or has a node. */
void queue_drop(struct sched_queue *q, struct pod_info *p);

/* Something happened: who waits for it may try again. In-flight pods are told by `moved`. */
void queue_event(struct sched_queue *q, unsigned event, int64_t now_ns);

/* When something is due next; INT64_MAX: nothing. */
int64_t queue_next_ns(const struct sched_queue *q);
