#include "lib/loop/pool.h"

#include <stdlib.h>

enum { STACK_BYTES = 1 << 20 };

static void *work(void *worker);
static int start_threads(struct pool *p, size_t wanted);

int pool_init(struct pool *p, size_t threads, size_t waiting_max, struct err *e)
{
	*p = (struct pool){
		.waiting_max = waiting_max,
		.workers = calloc(threads, sizeof(*p->workers)),
	};
	if (!p->workers)
		return err_set(e, ERR_SYSTEM, "no memory for %zu threads", threads);
	p->end = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	int why = start_threads(p, threads);

	if (why) {
		pool_free(p);
		return err_set_errno(e, why, "starting a thread");
	}
	return 0;
}

void pool_free(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	for (struct pool_worker *w = p->idle; w; w = w->next)
		sem_post(&w->wake);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->worker_count; i++) {
		pthread_join(p->workers[i].thread, NULL);
		sem_destroy(&p->workers[i].wake);
	}
	pthread_mutex_destroy(&p->lock);
	free(p->workers);
}

/* Who has idled least is given the job by hand: warm memory, and nobody runs for the lock. */
int pool_give(struct pool *p, struct pool_job *j, struct err *e)
{
	pthread_mutex_lock(&p->lock);
	struct pool_worker *w = p->idle;
	bool full = !w && p->waiting >= p->waiting_max;

	if (w) {
		p->idle = w->next;
		w->job = j;
	} else if (!full) {
		j->next = NULL;
		*p->end = j;
		p->end = &j->next;
		p->waiting++;
	}
	pthread_mutex_unlock(&p->lock);
	if (w)
		sem_post(&w->wake);
	return full ? err_set(e, ERR_UNAVAILABLE, "%zu jobs wait already", p->waiting_max) : 0;
}

/* NULL: closing, and nothing waits any more. */
static struct pool_job *next_job(struct pool_worker *w)
{
	struct pool *p = w->pool;

	pthread_mutex_lock(&p->lock);
	struct pool_job *j = p->first;
	bool sleeps = !j && !p->closing;

	if (j) {
		p->first = j->next;
		if (!p->first)
			p->end = &p->first;
		p->waiting--;
	} else if (sleeps) {
		w->job = NULL;
		w->next = p->idle;
		p->idle = w;
	}
	pthread_mutex_unlock(&p->lock);
	if (!sleeps)
		return j;
	while (sem_wait(&w->wake) < 0)
		;
	return w->job;
}

static void *work(void *worker)
{
	for (struct pool_job *j; (j = next_job(worker));)
		j->run(j);
	return NULL;
}

static int start_threads(struct pool *p, size_t wanted)
{
	pthread_attr_t attributes;
	int why = pthread_attr_init(&attributes);

	if (why)
		return why;
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	while (p->worker_count < wanted && !why) {
		struct pool_worker *w = &p->workers[p->worker_count];

		w->pool = p;
		sem_init(&w->wake, 0, 0);
		why = pthread_create(&w->thread, &attributes, work, w);
		p->worker_count += !why;
	}
	pthread_attr_destroy(&attributes);
	return why;
}
