#include "lib/http/connection.h"
#include "lib/http/server.h"

#include <sys/socket.h>
#include <unistd.h>

/*
 * What a peer may send over a connection, HTTP/2 with its preface in front or
 * HTTP/1.1 without, through a whole server: the parsers, the exchanges, the handlers'
 * calls, the end of the connection.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct http_handler handler;
	struct clock_fake clock;
	struct loop loop;
};

static void echo_part(struct http_exchange *x, str part)
{
	http_write(x, part);
	http_body_taken(x, part.len);
}

static void echo_end(struct http_exchange *x, UNUSED const struct err *e)
{
	http_end(x, HTTP_HEADERS({STR("x-end"), STR("1")}));
}

static void collected(struct http_exchange *x, const struct err *e)
{
	http_respond(x, e ? 413 : 200, NULL, buf_str(&x->body));
}

static void gone(struct http_exchange *x, UNUSED const struct err *e)
{
	http_abort(x);
}

static const struct http_events echo = {.body = echo_part, .body_end = echo_end, .closed = gone};
static const struct http_events collect = {
	.body = echo_part, .body_end = collected, .closed = gone};

/* The way to answer is the method's matter, so that the input chooses. */
static void serve(UNUSED struct http_handler *h, struct http_exchange *x)
{
	struct err e;

	x->events = &echo;
	if (str_eq(x->request.method, STR("POST"))) {
		http_start(x, 200, NULL);
		http_stream_body(x);
	} else if (str_eq(x->request.method, STR("PUT"))) {
		x->events = &collect;
		if (http_collect_body(x, 1000, &e) < 0)
			http_abort(x);
	} else if (str_eq(x->request.method, STR("DELETE"))) {
		http_abort(x);
	} else if (str_eq(x->request.method, STR("PATCH"))) {
		if (http_upgrade(x, HTTP_HEADERS({STR("upgrade"), STR("x")}), &e) < 0)
			http_respond(x, 400, NULL, STR(""));
	} else {
		http_respond(x, 200, NULL, x->request.path);
	}
}

static struct http_connection *add_peer(struct world *w, struct http_keeper *k, int *peer)
{
	struct net_address nobody = {.v4.sin_family = AF_INET};
	struct http_connection *c;
	int fds[2];
	struct err e;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return NULL;
	*peer = fds[1];
	if (http_connection_open(
		    k, &w->loop, fds[0], &nobody, NULL, (str){NULL, 0}, true, false, &c, &e) < 0)
		return NULL;
	return c;
}

static void drain_peer(int fd)
{
	char bytes[65536];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		continue;
}

struct bare_keeper {
	struct http_keeper keeper;
	struct http_handler *handler;
	bool gone;
};

static void hand_over(struct http_keeper *k, struct http_exchange *x)
{
	struct bare_keeper *b = CONTAINER_OF(k, struct bare_keeper, keeper);

	b->handler->request(b->handler, x);
}

static void note_gone(struct http_keeper *k, UNUSED struct http_connection *c)
{
	CONTAINER_OF(k, struct bare_keeper, keeper)->gone = true;
}

static str no_date(UNUSED struct http_keeper *k)
{
	return STR("Thu, 01 Jan 1970 00:00:00 GMT");
}

static void keep(UNUSED struct counted *c)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct http_limits limits = {.head_bytes_max = 8192,
		.head_fields_max = 50,
		.memory = http_memory_for(8192),
		.streams_max = 20,
		.head_timeout_ns = NS_PER_S,
		.idle_timeout_ns = NS_PER_S,
		.stall_timeout_ns = NS_PER_S};
	struct world w = {.handler.request = serve};
	struct bare_keeper b = {.handler = &w.handler,
		.keeper = {.exchanges_max = 50,
			.limits = &limits,
			.request = hand_over,
			.gone = note_gone,
			.date = no_date}};
	struct http_connection *c;
	struct err e;
	int peer;

	counted_init(&b.keeper.counted, keep);
	clock_fake_init(&w.clock, 0);
	if (loop_init(&w.loop, &w.clock.clock, &e) < 0)
		return 0;
	c = add_peer(&w, &b.keeper, &peer);
	for (size_t at = 0, step = size % 61 + 1; c && at < size && !b.gone;
		at += step, step += 97) {
		size_t left = size - at;

		if (write(peer, data + at, left < step ? left : step) < 0)
			break;
		loop_turn(&w.loop, false);
		drain_peer(peer);
	}
	for (int i = 0; i < 4 && !b.gone; i++) {
		clock_fake_advance(&w.clock, NS_PER_S);
		loop_turn(&w.loop, false);
		drain_peer(peer);
	}
	if (c && !b.gone)
		http_connection_destroy(c);
	if (b.keeper.exchanges > 0)
		__builtin_trap();
	close(peer);
	loop_free(&w.loop);
	return 0;
}
