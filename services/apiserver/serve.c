#include "apiserver/serve.h"

#include <pthread.h>
#include <stdlib.h>

enum {
	CONNECTIONS_MAX = 16384, /* of a thread */
	STREAMS_MAX = 250,
};

struct io_thread {
	struct io_threads *all;
	struct loop loop;
	struct endpoints_io *endpoints;
	struct http_server *server;
	pthread_t thread;
	bool running;
	struct tls_context *_Atomic offered; /* NULL: it has been taken */
	struct loop_task take, drain, drained;
};

struct io_threads {
	size_t count, made;
	atomic_size_t draining;
	struct loop *tell;
	struct loop_task *done;
	struct io_thread threads[];
};

static void *run(void *thread);
static void take_tls(struct loop_task *t);
static void drain(struct loop_task *t);
static void drained(struct loop_task *t);

int io_threads_make(struct endpoints_server *p, size_t count, struct io_threads **to, struct err *e)
{
	struct io_threads *t = calloc(1, sizeof(*t) + count * sizeof(t->threads[0]));

	if (!t)
		return err_set(e, ERR_SYSTEM, "no memory for I/O threads");
	t->count = count;
	for (size_t i = 0; i < count; i++) {
		struct io_thread *one = &t->threads[i];

		one->all = t;
		one->take.run = take_tls;
		one->drain.run = drain;
		one->drained.run = drained;
		if (loop_init(&one->loop, &clock_system, e) < 0 ||
			endpoints_io_open(p, &one->loop, &one->endpoints, e) < 0) {
			io_threads_free(t);
			return -1;
		}
		t->made++;
	}
	*to = t;
	return 0;
}

struct loop *io_threads_loop(struct io_threads *t)
{
	return &t->threads[0].loop;
}

struct storage_io *io_threads_storage(struct io_threads *t)
{
	return endpoints_storage_io(t->threads[0].endpoints);
}

static int start_one(struct io_thread *one, int listener, struct tls_context *tls, struct err *e)
{
	struct http_server_options o = http_server_defaults();
	int failed;

	o.loop = &one->loop;
	o.listener = listener;
	o.tls = tls;
	o.handler = endpoints_handler(one->endpoints);
	o.connections_max = CONNECTIONS_MAX;
	o.streams_max = STREAMS_MAX;
	TRY(http_server_start(&o, &one->server, e));
	failed = pthread_create(&one->thread, NULL, run, one);
	if (failed)
		return err_set_errno(e, failed, "starting an I/O thread");
	one->running = true;
	return 0;
}

int io_threads_start(struct io_threads *t, int listener, struct tls_context *tls, struct err *e)
{
	for (size_t i = 0; i < t->count; i++)
		TRY(start_one(&t->threads[i], listener, tls, e));
	return 0;
}

void io_threads_set_tls(struct io_threads *t, struct tls_context *tls)
{
	for (size_t i = 0; i < t->count; i++) {
		struct io_thread *one = &t->threads[i];

		tls_context_take(tls);
		struct tls_context *before = atomic_exchange(&one->offered, tls);

		if (before) /* its task is still to run */
			tls_context_drop(before);
		else
			loop_post(&one->loop, &one->take);
	}
}

void io_threads_drain(struct io_threads *t, struct loop *l, struct loop_task *done)
{
	t->tell = l;
	t->done = done;
	atomic_store(&t->draining, t->count);
	for (size_t i = 0; i < t->count; i++)
		loop_post(&t->threads[i].loop, &t->threads[i].drain);
}

void io_threads_free(struct io_threads *t)
{
	for (size_t i = 0; i < t->made; i++) {
		struct io_thread *one = &t->threads[i];

		if (one->running) {
			loop_stop(&one->loop);
			pthread_join(one->thread, NULL);
		}
		if (one->server)
			http_server_free(one->server);
		endpoints_io_close(one->endpoints);
		/* What its storage has posted is freed by a last turn. */
		loop_turn(&one->loop, false);
		loop_free(&one->loop);
		if (one->offered)
			tls_context_drop(one->offered);
	}
	free(t);
}

static void *run(void *thread)
{
	struct io_thread *one = thread;

	loop_run(&one->loop);
	return NULL;
}

static void take_tls(struct loop_task *t)
{
	struct io_thread *one = CONTAINER_OF(t, struct io_thread, take);
	struct tls_context *tls = atomic_exchange(&one->offered, NULL);

	http_server_set_tls(one->server, tls);
	tls_context_drop(tls);
}

static void drain(struct loop_task *t)
{
	struct io_thread *one = CONTAINER_OF(t, struct io_thread, drain);

	endpoints_end_watches(one->endpoints);
	http_server_drain(one->server, &one->drained);
}

static void drained(struct loop_task *t)
{
	struct io_thread *one = CONTAINER_OF(t, struct io_thread, drained);

	if (atomic_fetch_sub(&one->all->draining, 1) == 1)
		loop_post(one->all->tell, one->all->done);
}
