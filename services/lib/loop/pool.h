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
#include <semaphore.h>
#include <stdbool.h>

struct pool_job {
	void (*run)(struct pool_job *j); /* on a thread of the pool */
	struct pool_job *next;
};

/* One that has nothing to do sleeps on `wake` and finds its next job in `job`; NULL: the end. */
struct pool_worker {
	struct pool *pool;
	pthread_t thread;
	sem_t wake;
	struct pool_job *job;
	struct pool_worker *next; /* who has idled for longer */
};

struct pool {
	pthread_mutex_t lock;
	struct pool_job *first, **end; /* waits only while nobody is idle */
	size_t waiting, waiting_max;
	bool closing;
	struct pool_worker *workers, *idle;
	size_t worker_count;
};

NODISCARD int pool_init(struct pool *p, size_t threads, size_t waiting_max, struct err *e);

/* Runs what still waits, then ends the threads. */
void pool_free(struct pool *p);

/* ERR_UNAVAILABLE when the queue is full: the caller tells its peer to come back later. */
NODISCARD int pool_give(struct pool *p, struct pool_job *j, struct err *e);
