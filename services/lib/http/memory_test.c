#include "lib/base/test.h"
#include "lib/http/client.h"
#include "lib/http/media.h"
#include "lib/http/server.h"
#include "lib/http/url.h"
#include "lib/http/wire1.h"

#include <unistd.h>

/* Every bound on memory, from nothing up to enough: refused or done, and nothing in between. */

enum { TURNS_MAX = 2000, HANG_S = 60, LIMIT_MAX = 1 << 20, BODY_LIMIT_BYTES = 64 << 10 };

static int read_query(struct arena *a, struct err *e)
{
	struct url_query q;

	return url_query_parse(a, STR("a=b%20c&d=e+f&g&h=i&j=k&l=%2f"), &q, e);
}

static int read_accept(struct arena *a, struct err *e)
{
	struct media_type *list;
	size_t len;

	return media_accept(a, STR("a/b;c=\"d\\\"e\";f=g, */*;q=0.1"), &list, &len, e);
}

static int read_request(struct arena *a, struct err *e)
{
	struct http_request r = {.query = {NULL, 0}};
	struct http1_head h;
	int result = http1_read_request(a,
		STR("GET /a%20b?c HTTP/1.1\r\nHost: a\r\nB: c\r\nD: e\r\nF: g\r\nH: i\r\n\r\n"), 10,
		&r, &h, e);

	return result < 0 && h.refusal != 431 ? err_set(e, ERR_INTERNAL, "%d", h.refusal) : result;
}

static int read_response(struct arena *a, struct err *e)
{
	struct http_response r;
	struct http1_head h;

	return http1_read_response(a,
		STR("HTTP/1.1 200 OK\r\nA: b\r\nB: c\r\nD: e\r\nF: g\r\nH: i\r\n\r\n"), 10, false,
		&r, &h, e);
}

TEST(http_readers_are_refused_memory_cleanly)
{
	static int (*const readers[])(struct arena * a, struct err * e) = {
		read_query, read_accept, read_request, read_response};

	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		bool done = false;

		for (size_t limit = 0; !done && limit < LIMIT_MAX; limit += 16) {
			struct arena a;
			struct err e;

			arena_init(&a, limit);
			test_note(t, "reader %zu, limit %zu", i, limit);
			done = readers[i](&a, &e) == 0;
			if (!done)
				CHECK_INT(e.kind, ERR_LIMIT);
			arena_free(&a);
		}
		CHECK(done);
	}
}

TEST(http1_trailers_are_refused_memory_cleanly)
{
	const str text = STR("1\r\nx\r\n0\r\nA: b\r\n\r\n");

	for (size_t limit = 0; limit < text.len; limit++) {
		struct http1_chunks c;
		struct err e;
		str in = text, part;
		int result = 0;

		test_note(t, "limit %zu", limit);
		http1_chunks_begin(&c);
		c.trailers.limit_bytes = limit;
		for (int i = 0; i < 2 && result == 0; i++)
			result = http1_chunks_read(&c, &in, &part, &e);
		if (result < 0)
			CHECK_INT(e.kind, ERR_LIMIT);
		else
			CHECK_INT(c.state, HTTP1_CHUNK_DONE);
		http1_chunks_end(&c);
	}
}

/* One exchange between our client and our server, in one loop. */
struct world {
	struct http_handler handler;
	struct loop loop;
	struct loop_task choose;
	struct http_server *server;
	struct http_client *client;
	struct http_exchange *served; /* whose handler has not chosen yet */
	struct buf body;
	struct err error;
	int status, listener;
	bool over, saw_trailer;
};

static const char sent[] = "a body of two hundred bytes or so, which is sent in two parts, so that "
			   "it goes by chunks or frames that come one by one, with a trailer at "
			   "its end, and that is echoed by a server which thinks for a while";

static void echo_part(struct http_exchange *x, str part)
{
	if (!x->head_sent)
		http_start(x, 200, NULL);
	http_write(x, part);
	http_body_taken(x, part.len);
}

static void echo_end(struct http_exchange *x, const struct err *e)
{
	str seen = http_header(&x->trailers, STR("x-sent"));

	if (e && !x->head_sent)
		http_respond(x, 413, NULL, STR(""));
	else if (e)
		http_abort(x);
	else
		http_end(x, HTTP_HEADERS({STR("X-Echo"), seen}));
}

static void echo_collected(struct http_exchange *x, const struct err *e)
{
	if (!e)
		echo_part(x, buf_str(&x->body));
	echo_end(x, e);
}

static void peer_gone(struct http_exchange *x, UNUSED const struct err *e)
{
	struct world *w = x->owner;

	if (w->served == x)
		w->served = NULL;
	http_abort(x);
}

static const struct http_events streaming = {
	.body = echo_part, .body_end = echo_end, .closed = peer_gone};
static const struct http_events collecting = {.body_end = echo_collected, .closed = peer_gone};

/* A turn later than the head, so that some of the body is there already. */
static void choose(struct loop_task *task)
{
	struct world *w = CONTAINER_OF(task, struct world, choose);
	struct http_exchange *x = w->served;
	struct err e;

	w->served = NULL;
	if (!x)
		return;
	if (str_eq(x->request.path, STR("/stream it"))) {
		x->events = &streaming;
		http_stream_body(x);
	} else if (http_collect_body(x, BODY_LIMIT_BYTES, &e) < 0) {
		http_respond(x, 413, NULL, STR(""));
	}
}

static void keep_waiting(UNUSED struct loop_task *task)
{
}

static void serve(struct http_handler *h, struct http_exchange *x)
{
	struct world *w = CONTAINER_OF(h, struct world, handler);

	x->owner = w;
	x->events = &collecting;
	w->served = x;
	loop_post(&w->loop, &w->choose);
}

static void got_head(struct http_exchange *x)
{
	((struct world *)x->owner)->status = x->response.status;
	http_stream_body(x);
}

static void got_body(struct http_exchange *x, str part)
{
	buf_add_str(&((struct world *)x->owner)->body, part);
	http_body_taken(x, part.len);
}

static void got_end(struct http_exchange *x, UNUSED const struct err *e)
{
	struct world *w = x->owner;

	w->saw_trailer = str_eq(http_header(&x->trailers, STR("x-echo")), STR("1"));
}

static void got_closed(struct http_exchange *x, const struct err *e)
{
	struct world *w = x->owner;

	w->over = true;
	if (e)
		w->error = *e;
}

static const struct http_events call_events = {
	.head = got_head, .body = got_body, .body_end = got_end, .closed = got_closed};

static void connect_both(struct test *t, struct world *w, const struct clock *clock, bool http2,
	const struct http_memory *server, const struct http_memory *client)
{
	struct http_server_options so = http_server_defaults();
	struct http_client_options co = http_client_defaults();
	struct err e;

	REQUIRE_OK(loop_init(&w->loop, clock, &e), &e);
	REQUIRE_OK(net_address_parse(STR("127.0.0.1"), 0, &co.address, &e), &e);
	REQUIRE_OK(net_listen(&co.address, &w->listener, &e), &e);
	REQUIRE_OK(net_local_address(w->listener, &co.address, &e), &e);
	so.loop = co.loop = &w->loop;
	so.listener = w->listener;
	so.handler = &w->handler;
	so.memory = *server;
	co.memory = *client;
	co.http2 = http2;
	REQUIRE_OK(http_server_start(&so, &w->server, &e), &e);
	REQUIRE_OK(http_client_open(&co, &w->client, &e), &e);
}

static void disconnect(struct world *w)
{
	http_client_free(w->client);
	http_server_free(w->server);
	close(w->listener);
	buf_free(&w->body);
	loop_free(&w->loop);
}

/* Whether the answer came whole; if not, it was clear to the client that it did not. */
static bool exchange(struct test *t, bool http2, const char *target,
	const struct http_memory *server, const struct http_memory *client)
{
	struct world w = {.handler.request = serve, .choose.run = choose};
	struct http_call c = {.method = STR("POST"),
		.target = str_of(target),
		.authority = STR("localhost"),
		.headers = HTTP_HEADERS({STR("A"), STR("b")}, {STR("C"), STR("d")}),
		.events = &call_events,
		.owner = &w,
		.streams = true};
	struct http_exchange *x;

	buf_init(&w.body, BODY_LIMIT_BYTES);
	connect_both(t, &w, &clock_system, http2, server, client);
	if (http_call(w.client, &c, &x, &w.error) == 0) {
		http_write(x, str_slice(str_of(sent), 0, 100));
		for (int i = 0; i < TURNS_MAX && !w.over && !x->head_sent; i++)
			loop_turn(&w.loop, true);
		if (!w.over) {
			http_write(x, str_slice(str_of(sent), 100, sizeof(sent)));
			http_end(x, HTTP_HEADERS({STR("X-Sent"), STR("1")}));
		}
		for (int i = 0; i < TURNS_MAX && !w.over; i++)
			loop_turn(&w.loop, true);
		CHECK(w.over);
	}
	bool refused = w.error.kind != ERR_NONE || w.status >= 400;
	bool whole = w.status == 200 && w.saw_trailer && str_eq(buf_str(&w.body), str_of(sent));

	CHECK(refused != whole);
	disconnect(&w);
	return whole;
}

static void sweep(struct test *t, const char *name, bool http2, struct http_memory *server,
	struct http_memory *client, size_t *limit, size_t step_bytes)
{
	static const char *const targets[] = {"/stream%20it", "/collect%20it"};
	const size_t enough = *limit;

	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		bool done = false;

		alarm(HANG_S);
		for (*limit = 0; !done && !t->failures && *limit < LIMIT_MAX;
			*limit += step_bytes) {
			test_note(t, "HTTP/%d, %s, %s, limit %zu", http2 ? 2 : 1, targets[i], name,
				*limit);
			done = exchange(t, http2, targets[i], server, client);
		}
		REQUIRE(done);
	}
	*limit = enough;
}

TEST(http_exchange_is_refused_memory_cleanly)
{
	struct http_memory server = http_server_defaults().memory;
	struct http_memory client = http_client_defaults().memory;
	const struct {
		const char *name;
		size_t *limit, step_bytes;
	} bounds[] = {
		{"the server's arena", &server.arena_bytes, 16},
		{"the server's body", &server.body_bytes, 8},
		{"the server's input", &server.in_bytes, 8},
		{"the server's output", &server.out_bytes, 8},
		{"the server's session", &server.session_bytes, 128},
		{"the client's arena", &client.arena_bytes, 16},
		{"the client's body", &client.body_bytes, 8},
		{"the client's input", &client.in_bytes, 8},
		{"the client's output", &client.out_bytes, 8},
		{"the client's session", &client.session_bytes, 128},
	};

	for (size_t i = 0; i < COUNT_OF(bounds); i++)
		for (int http2 = 0; http2 <= 1; http2++)
			sweep(t, bounds[i].name, http2, &server, &client, bounds[i].limit,
				bounds[i].step_bytes);
}

static void begin_call(struct test *t, struct world *w, size_t header_bytes)
{
	char *text = memset(arena_get(&t->arena, header_bytes), 'x', header_bytes);
	struct http_call c = {.method = STR("GET"),
		.target = STR("/hold"),
		.authority = STR("localhost"),
		.headers = HTTP_HEADERS({STR("a"), str_span(text, header_bytes)}),
		.events = &call_events,
		.owner = w};
	struct http_exchange *x;
	struct err e;

	w->over = false;
	REQUIRE_OK(http_call(w->client, &c, &x, &e), &e);
}

/* HTTP/2: the time allowed for a head must not run on once the head was refused. */
TEST(http_refused_stream_leaves_the_others_alone)
{
	struct http_memory server = http_server_defaults().memory;
	const struct http_memory client = http_client_defaults().memory;
	struct world w = {.handler.request = serve};
	struct clock_fake clock;

	alarm(HANG_S);
	clock_fake_init(&clock, 0);
	clock_fake_advance(&clock, NS_PER_S);
	server.arena_bytes = 2000;
	buf_init(&w.body, BODY_LIMIT_BYTES);
	w.choose.run = keep_waiting;
	connect_both(t, &w, &clock.clock, true, &server, &client);
	begin_call(t, &w, 100);
	for (int i = 0; i < TURNS_MAX && !w.served; i++)
		loop_turn(&w.loop, true);
	REQUIRE(w.served != NULL);
	begin_call(t, &w, 4000);
	for (int i = 0; i < TURNS_MAX && !w.over; i++)
		loop_turn(&w.loop, true);
	CHECK(w.over && w.error.kind == ERR_CLOSED);
	w.over = false;
	clock_fake_advance(&clock, 40 * NS_PER_S);
	for (int i = 0; i < 20; i++)
		loop_turn(&w.loop, false);
	CHECK(!w.over);
	disconnect(&w);
}
