#include "setup/cluster.h"

#include "lib/base/log.h"
#include "lib/supervise/service.h"

#define FOLLOWED STR("kube-apiserver")

enum { AGAIN_S = 10 };

static void on_status(struct loop_watch *w, uint32_t events);
static void on_child(struct loop_watch *w, uint32_t events);
static void on_again(struct loop_timer *t);
static void look(struct cluster *c);
static void start(struct cluster *c);

int cluster_follow(struct cluster *c, struct loop *l, struct err *e)
{
	c->loop = l;
	c->status.ready = on_status;
	c->child.ready = on_child;
	c->again.due = on_again;
	str names[] = {FOLLOWED};

	TRY(service_watch((struct str_list){names, COUNT_OF(names)}, &c->status.fd, e));
	TRY(loop_watch(l, &c->status, EPOLLIN, e));
	look(c);
	return 0;
}

static void on_status(struct loop_watch *w, uint32_t events)
{
	(void)events;
	service_drain(w->fd);
	look(CONTAINER_OF(w, struct cluster, status));
}

static void look(struct cluster *c)
{
	struct service_status s;

	service_status(FOLLOWED, &s);
	if (s.ready && !c->was_ready && !c->done)
		start(c);
	c->was_ready = s.ready;
}

static void start(struct cluster *c)
{
	const char *const argv[] = {"setup", "bootstrap", "--server", c->server, NULL};
	static const char *const env[] = {NULL};
	struct process_options o = {.path = "/usr/bin/setup",
		.argv = argv,
		.env = env,
		.in = -1,
		.out = STDERR_FILENO,
		.error = STDERR_FILENO};
	struct err e;

	if (c->running)
		return;
	loop_timer_clear(c->loop, &c->again);
	if (process_start(&o, &c->process, &e) < 0) {
		log_error("setup: %s", e.text);
		return;
	}
	c->child.fd = c->process.pidfd;
	c->running = true;
	if (loop_watch(c->loop, &c->child, EPOLLIN, &e) < 0)
		log_error("setup: %s", e.text);
}

static void on_child(struct loop_watch *w, uint32_t events)
{
	struct cluster *c = CONTAINER_OF(w, struct cluster, child);
	struct process_exit ended;
	struct err e;

	(void)events;
	loop_unwatch(c->loop, w);
	c->running = false;
	int waited = process_wait(&c->process, &ended, &e);

	close(c->process.pidfd);
	c->done = waited == 0 && !ended.signal && !ended.status;
	if (c->done)
		c->made(c);
	else
		loop_timer_set(c->loop, &c->again, c->loop->now_ns + AGAIN_S * NS_PER_S);
}

static void on_again(struct loop_timer *t)
{
	start(CONTAINER_OF(t, struct cluster, again));
}
