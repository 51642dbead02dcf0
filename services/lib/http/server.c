#include "lib/http/server.h"

#include "lib/http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
	CONNECTIONS_MAX = 10000,
	STREAMS_MAX = 100,
	EXCHANGES_MAX = 100000,
	HEAD_BYTES_MAX = 64 << 10,
	HEAD_FIELDS_MAX = 200,
	HEAD_TIMEOUT_S = 32,
	IDLE_TIMEOUT_S = 90,
	STALL_TIMEOUT_S = 60,
	ACCEPTS_PER_TURN = 64,
	ACCEPT_PAUSE_MS = 100,
	DATE_BYTES = 32,
};

struct http_server {
	struct http_keeper keeper;
	struct http_server_options o;
	struct http_limits limits;
	struct loop_watch watch;
	struct loop_timer pause;
	struct http_connection *first;
	size_t connections;
	struct loop_task *drained;
	bool accepting, draining;
	int64_t date_s;
	char date[DATE_BYTES];
};

static void accept_waiting(struct loop_watch *w, uint32_t events);
static void accept_again(struct loop_timer *t);
static void accept_later(struct http_server *s);
static void stop_accepting(struct http_server *s);
static void hand_over(struct http_keeper *k, struct http_exchange *x);
static void forget(struct http_keeper *k, struct http_connection *c);
static str date_now(struct http_keeper *k);

struct http_server_options http_server_defaults(void)
{
	return (struct http_server_options){
		.listener = -1,
		.connections_max = CONNECTIONS_MAX,
		.streams_max = STREAMS_MAX,
		.head_bytes_max = HEAD_BYTES_MAX,
		.head_fields_max = HEAD_FIELDS_MAX,
		.memory = http_memory_for(HEAD_BYTES_MAX),
		.head_timeout_ns = HEAD_TIMEOUT_S * NS_PER_S,
		.idle_timeout_ns = IDLE_TIMEOUT_S * NS_PER_S,
		.stall_timeout_ns = STALL_TIMEOUT_S * NS_PER_S,
	};
}

static void destroy(struct counted *c)
{
	free(CONTAINER_OF(c, struct http_server, keeper.counted));
}

int http_server_start(const struct http_server_options *o, struct http_server **to, struct err *e)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ERR_SYSTEM, "no memory for a server");
	s->o = *o;
	s->limits = (struct http_limits){
		.head_bytes_max = o->head_bytes_max,
		.head_fields_max = o->head_fields_max,
		.memory = o->memory,
		.streams_max = o->streams_max,
		.head_timeout_ns = o->head_timeout_ns,
		.idle_timeout_ns = o->idle_timeout_ns,
		.stall_timeout_ns = o->stall_timeout_ns,
	};
	s->keeper = (struct http_keeper){
		.exchanges_max = EXCHANGES_MAX,
		.limits = &s->limits,
		.request = hand_over,
		.gone = forget,
		.date = date_now,
	};
	counted_init(&s->keeper.counted, destroy);
	s->watch = (struct loop_watch){.ready = accept_waiting, .fd = o->listener};
	s->pause.due = accept_again;
	if (loop_watch(o->loop, &s->watch, EPOLLIN | EPOLLEXCLUSIVE, e) < 0) {
		free(s);
		return -1;
	}
	s->accepting = true;
	if (o->tls)
		tls_context_take(o->tls);
	*to = s;
	return 0;
}

void http_server_set_tls(struct http_server *s, struct tls_context *tls)
{
	tls_context_take(tls);
	tls_context_drop(s->o.tls);
	s->o.tls = tls;
}

void http_server_drain(struct http_server *s, struct loop_task *drained)
{
	s->draining = true;
	s->drained = drained;
	stop_accepting(s);
	for (struct http_connection *c = s->first, *next; c; c = next) {
		next = c->next;
		if (c->phase == HTTP_OPEN)
			c->protocol->drain(c);
		else if (c->phase < HTTP_OPEN)
			http_connection_kill(c, NULL);
	}
	if (s->connections == 0)
		loop_defer(s->o.loop, drained);
}

void http_server_free(struct http_server *s)
{
	s->drained = NULL;
	stop_accepting(s);
	while (s->first)
		http_connection_destroy(s->first);
	tls_context_drop(s->o.tls);
	counted_drop(&s->keeper.counted);
}

size_t http_server_connections(const struct http_server *s)
{
	return s->connections;
}

static int admit(struct http_server *s, int fd, const struct net_address *peer, struct err *e)
{
	struct http_connection *c;

	TRY(http_connection_open(
		&s->keeper, s->o.loop, fd, peer, s->o.tls, (str){NULL, 0}, true, false, &c, e));
	c->next = s->first;
	if (s->first)
		s->first->previous = c;
	s->first = c;
	s->connections++;
	return 0;
}

/* At the limit the rest waits in the kernel until somebody goes. */
static void accept_waiting(struct loop_watch *w, UNUSED uint32_t events)
{
	struct http_server *s = CONTAINER_OF(w, struct http_server, watch);

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct net_address peer;
		struct err e;
		int fd;

		if (s->connections >= s->o.connections_max) {
			stop_accepting(s);
			return;
		}
		if (net_accept(s->o.listener, &fd, &peer, &e) < 0) {
			/* Out of descriptors or memory: the listener stays readable. */
			stop_accepting(s);
			accept_later(s);
			return;
		}
		if (fd < 0)
			return;
		(void)!admit(s, fd, &peer, &e);
	}
}

static void accept_again(struct loop_timer *t)
{
	struct http_server *s = CONTAINER_OF(t, struct http_server, pause);
	struct err e;

	if (s->accepting || s->draining)
		return;
	s->accepting = loop_watch(s->o.loop, &s->watch, EPOLLIN | EPOLLEXCLUSIVE, &e) == 0;
	if (!s->accepting)
		accept_later(s);
}

static void accept_later(struct http_server *s)
{
	loop_timer_set(s->o.loop, &s->pause, s->o.loop->now_ns + ACCEPT_PAUSE_MS * NS_PER_MS);
}

static void stop_accepting(struct http_server *s)
{
	if (s->accepting)
		loop_unwatch(s->o.loop, &s->watch);
	s->accepting = false;
	loop_timer_clear(s->o.loop, &s->pause);
}

static void hand_over(struct http_keeper *k, struct http_exchange *x)
{
	struct http_server *s = CONTAINER_OF(k, struct http_server, keeper);

	s->o.handler->request(s->o.handler, x);
}

static void forget(struct http_keeper *k, struct http_connection *c)
{
	struct http_server *s = CONTAINER_OF(k, struct http_server, keeper);

	*(c->previous ? &c->previous->next : &s->first) = c->next;
	if (c->next)
		c->next->previous = c->previous;
	s->connections--;
	if (s->draining && s->connections == 0 && s->drained)
		loop_defer(s->o.loop, s->drained);
	else if (!s->draining && !s->accepting)
		accept_again(&s->pause);
}

/* IMF-fixdate (RFC 9110, 5.6.7), made once a second. */
static str date_now(struct http_keeper *k)
{
	struct http_server *s = CONTAINER_OF(k, struct http_server, keeper);
	const struct clock *clock = s->o.loop->clock;
	time_t now_s = (time_t)(clock->wall_ns(clock) / NS_PER_S);
	struct tm tm;

	if (now_s != s->date_s || !s->date[0]) {
		gmtime_r(&now_s, &tm);
		strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_s = now_s;
	}
	return str_of(s->date);
}
