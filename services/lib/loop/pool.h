/*
 * A bounded number of threads for work that blocks, fed by a bounded queue. Results go back to an
 * event loop by loop_post.
 *
 * Ownership: a job is embedded in its owner's struct, which lives until the job has run.
 * Threading: pool_give from any thread; jobs start in the order given.
 */
#pragma once

#include "lib/base/err.h"

#include <pthread.h>
#include <stdbool.h>

struct pool_job {
	void (*run)(struct pool_job *j); /* on a thread of the pool */
	struct pool_job *next;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct pool_job *first, **end;
	size_t waiting, waiting_max;
	bool closing;
	pthread_t *threads;
	size_t thread_count;
};

NODISCARD int pool_init(struct pool *p, size_t threads, size_t waiting_max, struct err *e);

/* Runs what still waits, then ends the threads. */
void pool_free(struct pool *p);

/* ERR_UNAVAILABLE when the queue is full: the caller tells its peer to come back later. */
NODISCARD int pool_give(struct pool *p, struct pool_job *j, struct err *e);
