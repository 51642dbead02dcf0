#include "lib/loop/pool.h"

#include <stdlib.h>

enum { STACK_BYTES = 1 << 20 };

static void *work(void *pool);
static int start_threads(struct pool *p, size_t wanted);

int pool_init(struct pool *p, size_t threads, size_t waiting_max, struct err *e)
{
	*p = (struct pool){
		.waiting_max = waiting_max,
		.threads = calloc(threads, sizeof(*p->threads)),
	};
	if (!p->threads)
		return err_set(e, ERR_SYSTEM, "no memory for %zu threads", threads);
	p->end = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
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
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->thread_count; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p->threads);
}

int pool_give(struct pool *p, struct pool_job *j, struct err *e)
{
	pthread_mutex_lock(&p->lock);
	bool full = p->waiting >= p->waiting_max;

	if (!full) {
		j->next = NULL;
		*p->end = j;
		p->end = &j->next;
		p->waiting++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	return full ? err_set(e, ERR_UNAVAILABLE, "%zu jobs wait already", p->waiting_max) : 0;
}

/* NULL: closing, and nothing waits any more. */
static struct pool_job *next_job(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->closing)
		pthread_cond_wait(&p->more, &p->lock);
	struct pool_job *j = p->first;

	if (j) {
		p->first = j->next;
		if (!p->first)
			p->end = &p->first;
		p->waiting--;
	}
	pthread_mutex_unlock(&p->lock);
	return j;
}

static void *work(void *pool)
{
	for (struct pool_job *j; (j = next_job(pool));)
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
	while (p->thread_count < wanted && !why) {
		why = pthread_create(&p->threads[p->thread_count], &attributes, work, p);
		p->thread_count += !why;
	}
	pthread_attr_destroy(&attributes);
	return why;
}
