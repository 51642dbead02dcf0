#include "lib/base/test.h"
#include "lib/http/client.h"
#include "lib/http/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Our client against our server, in one loop, over each kind of connection. */

struct kind {
	const char *name;
	bool http2, tls;
};

static const struct kind kinds[] = {
	{"HTTP/1.1", false, false},
	{"HTTP/2", true, false},
	{"HTTP/1.1 with TLS", false, true},
	{"HTTP/2 with TLS", true, true},
};

enum {
	MANY_FIELDS = 300,
	DAY_S = 86400,
	TURNS_MAX = 200000,
	BODY_LIMIT_BYTES = 8 << 20,
	HANG_S = 60
};

struct world {
	struct http_handler handler;
	struct loop loop;
	struct http_server *server;
	struct http_client *client;
	struct tls_context *server_tls, *client_tls;
	struct cert_roots *roots;
	struct net_address at;
	struct loop_task client_closed, drained;
	struct http_exchange *held; /* by the handler of /hold */
	int listener, closed_posts, drains, told_gone;
};

/* What a call has come to. */
struct outcome {
	struct buf body;
	struct err error;
	int status, heads, ends, closes;
	size_t fields; /* X-Many among those of the head */
	size_t sent;
	bool streams, cancels;
	str echo_trailer;
	struct http_exchange *x;
};

static void keep_body(struct http_exchange *x, str part)
{
	http_write(x, part);
	http_body_taken(x, part.len);
}

static void end_echo(struct http_exchange *x, UNUSED const struct err *e)
{
	http_end(x, x->upgraded ? NULL : HTTP_HEADERS({STR("X-Echo"), STR("done")}));
}

static void peer_gone(struct http_exchange *x, UNUSED const struct err *e)
{
	struct world *w = x->owner;

	w->told_gone++;
	if (w->held != x)
		http_abort(x);
}

static const struct http_events echo_events = {
	.body = keep_body, .body_end = end_echo, .closed = peer_gone};

static void respond_with_many_fields(struct http_exchange *x)
{
	struct http_headers many = {0};
	struct err e;

	for (int i = 0; i < MANY_FIELDS; i++)
		if (http_header_add(&many, &x->arena, STR("X-Many"), STR("1"), &e) < 0)
			break;
	http_respond(x, 200, &many, STR(""));
}

static void serve(struct http_handler *h, struct http_exchange *x)
{
	struct world *w = CONTAINER_OF(h, struct world, handler);
	struct err e;

	x->owner = w;
	x->events = &echo_events;
	if (str_eq(x->request.path, STR("/echo"))) {
		http_start(x, 200, NULL);
		http_stream_body(x);
	} else if (str_eq(x->request.path, STR("/hold"))) {
		w->held = x;
	} else if (str_eq(x->request.path, STR("/half"))) {
		http_start(x, 200, NULL);
		http_write(x, STR("half"));
		w->held = x;
	} else if (str_eq(x->request.path, STR("/many"))) {
		respond_with_many_fields(x);
	} else if (str_eq(x->request.path, STR("/upgrade"))) {
		if (http_upgrade(x, HTTP_HEADERS({STR("Upgrade"), STR("echo")}), &e) < 0)
			http_respond(x, 400, NULL, str_of(e.text));
	} else {
		http_respond(
			x, 200, HTTP_HEADERS({STR("X-Path"), x->request.path}), x->request.method);
	}
}

static void note_closed(struct loop_task *t)
{
	CONTAINER_OF(t, struct world, client_closed)->closed_posts++;
}

static void note_drained(struct loop_task *t)
{
	CONTAINER_OF(t, struct world, drained)->drains++;
}

static str certify(struct test *t, const struct key *k, str ca_pem, unsigned usages)
{
	static const str dns[] = {STR_INIT("localhost")};
	int64_t now_s = clock_system.wall_ns(&clock_system) / NS_PER_S;
	struct cert_order o = {
		.subject = {.common_name = ca_pem.at ? STR("server") : STR("ca"), .dns = {dns, 1}},
		.key = k,
		.ca_key = k,
		.ca_pem = ca_pem,
		.is_ca = !ca_pem.at,
		.usages = usages,
		.not_before_s = now_s - DAY_S,
		.not_after_s = now_s + DAY_S};
	struct err e;
	str pem;

	REQUIRE_OK(cert_make(&t->arena, &o, &pem, &e), &e);
	return pem;
}

static void make_tls(struct test *t, struct world *w, const struct kind *kind)
{
	struct key *k;
	struct err e;

	REQUIRE_OK(key_make(&k, &e), &e);
	str ca = certify(t, k, (str){NULL, 0}, CERT_SIGN),
	    leaf = certify(t, k, ca, CERT_SERVER_AUTH);
	struct tls_options o = {.cert_pem = leaf,
		.key_pem = key_private_pem(k, &t->arena),
		.protocols = TLS_HTTP1 | TLS_HTTP2};

	REQUIRE_OK(tls_server_context(&o, &w->server_tls, &e), &e);
	REQUIRE_OK(cert_roots_read(ca, &w->roots, &e), &e);
	o = (struct tls_options){
		.roots = w->roots, .protocols = kind->http2 ? TLS_HTTP2 : TLS_HTTP1};
	REQUIRE_OK(tls_client_context(&o, &w->client_tls, &e), &e);
	key_drop(k);
}

static void connect_client(struct test *t, struct world *w, const struct kind *kind)
{
	struct http_client_options o = http_client_defaults();
	struct err e;

	o.loop = &w->loop;
	o.address = w->at;
	o.tls = w->client_tls;
	o.peer_name = STR("localhost");
	o.http2 = kind->http2;
	o.closed = &w->client_closed;
	REQUIRE_OK(http_client_open(&o, &w->client, &e), &e);
}

static void begin(struct test *t, struct world *w, const struct kind *kind)
{
	struct http_server_options o = http_server_defaults();
	struct err e;

	test_note(t, "%s", kind->name);
	alarm(HANG_S);
	*w = (struct world){.handler.request = serve,
		.client_closed.run = note_closed,
		.drained.run = note_drained};
	REQUIRE_OK(loop_init(&w->loop, &clock_system, &e), &e);
	REQUIRE_OK(net_address_parse(STR("127.0.0.1"), 0, &w->at, &e), &e);
	REQUIRE_OK(net_listen(&w->at, &w->listener, &e), &e);
	REQUIRE_OK(net_local_address(w->listener, &w->at, &e), &e);
	if (kind->tls)
		make_tls(t, w, kind);
	o.loop = &w->loop;
	o.listener = w->listener;
	o.tls = w->server_tls;
	o.handler = &w->handler;
	REQUIRE_OK(http_server_start(&o, &w->server, &e), &e);
	connect_client(t, w, kind);
}

static void end(struct world *w)
{
	if (w->client)
		http_client_free(w->client);
	http_server_free(w->server);
	close(w->listener);
	tls_context_drop(w->server_tls);
	tls_context_drop(w->client_tls);
	cert_roots_drop(w->roots);
	loop_free(&w->loop);
}

static void got_head(struct http_exchange *x)
{
	struct outcome *o = x->owner;

	o->heads++;
	o->status = x->response.status;
	for (size_t i = 0; i < x->response.headers.len; i++)
		o->fields += str_eq_ignoring_case(x->response.headers.at[i].name, STR("x-many"));
	http_stream_body(x);
	if (o->cancels) {
		o->x = NULL;
		http_abort(x);
	}
}

static void got_body(struct http_exchange *x, str part)
{
	struct outcome *o = x->owner;

	buf_add_str(&o->body, part);
	http_body_taken(x, part.len);
}

static void got_end(struct http_exchange *x, UNUSED const struct err *e)
{
	struct outcome *o = x->owner;
	str trailer = http_header(&x->trailers, STR("x-echo"));

	o->ends++;
	o->echo_trailer = str_eq(trailer, STR("done")) ? STR("done") : STR("");
	if (o->streams)
		http_end(x, NULL);
}

static void got_closed(struct http_exchange *x, const struct err *e)
{
	struct outcome *o = x->owner;

	o->closes++;
	o->x = NULL;
	if (e)
		o->error = *e;
}

static const struct http_events call_events = {
	.head = got_head, .body = got_body, .body_end = got_end, .closed = got_closed};

static void call(struct test *t, struct world *w, struct outcome *o, const char *method,
	const char *path, str body, bool streams)
{
	struct http_call c = {.method = str_of(method),
		.target = str_of(path),
		.authority = STR("localhost"),
		.events = &call_events,
		.owner = o,
		.body = body,
		.streams = streams};
	struct err e;

	*o = (struct outcome){.streams = streams};
	buf_init(&o->body, BODY_LIMIT_BYTES);
	REQUIRE_OK(http_call(w->client, &c, &o->x, &e), &e);
}

/* Turns the loop until the number has come, or nothing ever will. */
static void turn_until(struct test *t, struct world *w, const int *number, int value)
{
	for (int i = 0; i < TURNS_MAX && *number < value; i++)
		loop_turn(&w->loop, true);
	REQUIRE(*number == value);
}

TEST(client_calls_made_before_the_connection_is_up_are_answered)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome calls[20];
		struct world w;

		begin(t, &w, &kinds[i]);
		for (size_t n = 0; n < COUNT_OF(calls); n++)
			call(t, &w, &calls[n], n % 2 ? "GET" : "DELETE", "/a%20b?c", (str){NULL, 0},
				false);
		for (size_t n = 0; n < COUNT_OF(calls); n++) {
			turn_until(t, &w, &calls[n].closes, 1);
			CHECK_INT(calls[n].status, 200);
			CHECK_STR(buf_str(&calls[n].body), n % 2 ? "GET" : "DELETE");
			CHECK_INT(calls[n].heads + calls[n].ends, 2);
			CHECK_INT(calls[n].error.kind, ERR_NONE);
			buf_free(&calls[n].body);
		}
		CHECK(http_client_usable(w.client));
		end(&w);
	}
}

TEST(client_head_call_has_no_body)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome head, get;
		struct world w;

		begin(t, &w, &kinds[i]);
		call(t, &w, &head, "HEAD", "/x", (str){NULL, 0}, false);
		call(t, &w, &get, "GET", "/x", (str){NULL, 0}, false);
		turn_until(t, &w, &get.closes, 1);
		CHECK_INT(head.closes, 1);
		CHECK_INT(head.body.len, 0);
		CHECK_STR(buf_str(&get.body), "GET");
		buf_free(&get.body);
		end(&w);
	}
}

TEST(client_hears_every_field_of_a_head)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome o;
		struct world w;

		begin(t, &w, &kinds[i]);
		test_note(t, "%s", kinds[i].name);
		call(t, &w, &o, "GET", "/many", (str){NULL, 0}, false);
		turn_until(t, &w, &o.closes, 1);
		CHECK_INT(o.fields, MANY_FIELDS);
		buf_free(&o.body);
		end(&w);
	}
}

TEST(client_large_bodies_come_back_whole)
{
	enum { BYTES = 3 << 20 };
	char *big = arena_get(&t->arena, BYTES);

	for (size_t i = 0; i < BYTES; i++)
		big[i] = (char)(i * 2654435761u >> 11);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome o;
		struct world w;

		begin(t, &w, &kinds[i]);
		call(t, &w, &o, "POST", "/echo", str_span(big, BYTES), false);
		turn_until(t, &w, &o.closes, 1);
		CHECK(o.body.len == BYTES && memcmp(o.body.at, big, BYTES) == 0);
		CHECK_STR(o.echo_trailer, "done");
		CHECK_INT(o.error.kind, ERR_NONE);
		buf_free(&o.body);
		end(&w);
	}
}

TEST(client_streams_both_ways_at_once)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome o;
		struct world w;

		begin(t, &w, &kinds[i]);
		call(t, &w, &o, "POST", "/echo", (str){NULL, 0}, true);
		for (int n = 0; n < 50; n++) {
			size_t before = o.body.len;

			http_write(o.x, STR("word "));
			for (int turn = 0; turn < TURNS_MAX && o.body.len == before; turn++)
				loop_turn(&w.loop, true);
			REQUIRE(o.body.len == before + 5);
		}
		http_end(o.x, NULL);
		turn_until(t, &w, &o.closes, 1);
		CHECK_INT(o.body.len, 250);
		CHECK_INT(o.error.kind, ERR_NONE);
		CHECK_STR(o.echo_trailer, "done");
		buf_free(&o.body);
		end(&w);
	}
}

TEST(client_may_give_up_and_the_server_hears_of_it)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome o;
		struct world w;

		begin(t, &w, &kinds[i]);
		call(t, &w, &o, "GET", "/half", (str){NULL, 0}, false);
		o.cancels = true;
		turn_until(t, &w, &w.told_gone, 1);
		CHECK_INT(o.heads, 1);
		CHECK_INT(o.closes, 0);
		http_respond(w.held, 200, NULL, STR("goes nowhere"));
		CHECK_INT(http_client_usable(w.client), kinds[i].http2);
		buf_free(&o.body);
		end(&w);
	}
}

TEST(client_call_may_be_taken_back_before_the_connection_is_up)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome first, second;
		struct world w;

		begin(t, &w, &kinds[i]);
		call(t, &w, &first, "GET", "/hold", (str){NULL, 0}, false);
		call(t, &w, &second, "GET", "/x", (str){NULL, 0}, false);
		http_abort(first.x);
		turn_until(t, &w, &second.closes, 1);
		CHECK_STR(buf_str(&second.body), "GET");
		CHECK_INT(first.heads + first.ends, 0);
		CHECK(w.held == NULL);
		buf_free(&second.body);
		end(&w);
	}
}

TEST(client_hears_of_every_call_when_the_server_dies)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome half, waiting;
		struct world w;

		begin(t, &w, &kinds[i]);
		call(t, &w, &half, "GET", "/half", (str){NULL, 0}, false);
		turn_until(t, &w, &half.heads, 1);
		call(t, &w, &waiting, "GET", "/x", (str){NULL, 0}, false);
		if (kinds[i].http2)
			turn_until(t, &w, &waiting.closes, 1);
		http_server_free(w.server);
		turn_until(t, &w, &half.closes, 1);
		turn_until(t, &w, &waiting.closes, 1);
		CHECK_INT(half.error.kind == ERR_CLOSED || half.error.kind == ERR_SYSTEM, 1);
		CHECK_INT(waiting.error.kind == ERR_NONE, kinds[i].http2);
		turn_until(t, &w, &w.closed_posts, 1);
		CHECK(!http_client_usable(w.client));
		CHECK(http_client_error(w.client)->kind != ERR_NONE);
		CHECK_INT(w.told_gone, 1);
		http_abort(w.held);
		buf_free(&half.body);
		buf_free(&waiting.body);
		http_client_free(w.client);
		close(w.listener);
		tls_context_drop(w.server_tls);
		tls_context_drop(w.client_tls);
		cert_roots_drop(w.roots);
		loop_free(&w.loop);
	}
}

TEST(client_finishes_its_calls_when_the_server_drains)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct outcome o;
		struct world w;

		begin(t, &w, &kinds[i]);
		call(t, &w, &o, "GET", "/hold", (str){NULL, 0}, false);
		for (int n = 0; n < TURNS_MAX && !w.held; n++)
			loop_turn(&w.loop, true);
		http_server_drain(w.server, &w.drained);
		loop_turn(&w.loop, false);
		CHECK_INT(w.drains, 0);
		http_respond(w.held, 200, NULL, STR("last words"));
		turn_until(t, &w, &o.closes, 1);
		CHECK_INT(o.error.kind, ERR_NONE);
		CHECK_STR(buf_str(&o.body), "last words");
		turn_until(t, &w, &w.drains, 1);
		turn_until(t, &w, &w.closed_posts, 1);
		CHECK(!http_client_usable(w.client));
		buf_free(&o.body);
		end(&w);
	}
}

static void say_ping(struct http_exchange *x)
{
	got_head(x);
	http_write(x, STR("ping"));
}

static void end_with_pong(struct http_exchange *x, str part)
{
	got_body(x, part);
	http_end(x, NULL);
}

TEST(client_upgrades_to_a_stream_of_bytes)
{
	static const struct http_events events = {
		.head = say_ping, .body = end_with_pong, .body_end = got_end, .closed = got_closed};

	for (size_t i = 0; i < COUNT_OF(kinds); i += 2) {
		struct outcome o = {.status = 0};
		struct http_call c = {.method = STR("GET"),
			.target = STR("/upgrade"),
			.authority = STR("localhost"),
			.headers = HTTP_HEADERS(
				{STR("Connection"), STR("Upgrade")}, {STR("Upgrade"), STR("echo")}),
			.events = &events,
			.owner = &o};
		struct world w;
		struct err e;

		begin(t, &w, &kinds[i]);
		buf_init(&o.body, BODY_LIMIT_BYTES);
		REQUIRE_OK(http_call(w.client, &c, &o.x, &e), &e);
		turn_until(t, &w, &o.closes, 1);
		CHECK_INT(o.status, 101);
		CHECK_INT(o.error.kind, ERR_NONE);
		CHECK_STR(buf_str(&o.body), "ping");
		turn_until(t, &w, &w.closed_posts, 1);
		buf_free(&o.body);
		end(&w);
	}
}

TEST(client_connection_to_nobody_fails)
{
	struct outcome o;
	struct world w;

	begin(t, &w, &kinds[1]);
	http_client_free(w.client);
	http_server_free(w.server);
	close(w.listener);
	connect_client(t, &w, &kinds[1]);
	call(t, &w, &o, "GET", "/x", (str){NULL, 0}, false);
	turn_until(t, &w, &o.closes, 1);
	CHECK_INT(o.error.kind, ERR_SYSTEM);
	CHECK(strstr(o.error.text, "refused") != NULL);
	http_client_free(w.client);
	loop_free(&w.loop);
}

TEST(client_does_not_trust_a_server_of_another_name)
{
	struct http_client_options o = http_client_defaults();
	struct outcome out;
	struct world w;
	struct err e;

	begin(t, &w, &kinds[3]);
	http_client_free(w.client);
	o.loop = &w.loop;
	o.address = w.at;
	o.tls = w.client_tls;
	o.peer_name = STR("other.example");
	REQUIRE_OK(http_client_open(&o, &w.client, &e), &e);
	call(t, &w, &out, "GET", "/x", (str){NULL, 0}, false);
	turn_until(t, &w, &out.closes, 1);
	CHECK_INT(out.error.kind, ERR_UNAUTHORIZED);
	CHECK_INT(out.heads, 0);
	end(&w);
}

/* A peer that accepts and then never says a word, on a clock that the test moves. */
TEST(client_gives_a_silent_peer_up)
{
	struct clock_fake clock;
	struct http_client_options o = http_client_defaults();
	struct net_address from;
	struct outcome out;
	struct world w = {.client_closed.run = note_closed};
	struct err e;
	int peer;

	clock_fake_init(&clock, 0);
	REQUIRE_OK(loop_init(&w.loop, &clock.clock, &e), &e);
	REQUIRE_OK(net_address_parse(STR("127.0.0.1"), 0, &w.at, &e), &e);
	REQUIRE_OK(net_listen(&w.at, &w.listener, &e), &e);
	REQUIRE_OK(net_local_address(w.listener, &o.address, &e), &e);
	o.loop = &w.loop;
	o.closed = &w.client_closed;
	REQUIRE_OK(http_client_open(&o, &w.client, &e), &e);
	call(t, &w, &out, "GET", "/x", (str){NULL, 0}, false);

	struct pollfd waiting = {.fd = w.listener, .events = POLLIN};

	CHECK_INT(poll(&waiting, 1, 5000), 1);
	REQUIRE_OK(net_accept(w.listener, &peer, &from, &e), &e);
	for (int i = 0; i < 10; i++)
		loop_turn(&w.loop, false);
	clock_fake_advance(&clock, 29 * NS_PER_S);
	for (int i = 0; i < 10; i++)
		loop_turn(&w.loop, false);
	clock_fake_advance(&clock, 2 * NS_PER_S);
	for (int i = 0; i < 10; i++)
		loop_turn(&w.loop, false);
	CHECK_INT(out.closes, 0);
	clock_fake_advance(&clock, 16 * NS_PER_S);
	for (int i = 0; i < 10; i++)
		loop_turn(&w.loop, false);
	CHECK_INT(out.closes, 1);
	CHECK_INT(out.error.kind, ERR_TIMEOUT);
	CHECK_INT(w.closed_posts, 1);
	close(peer);
	http_client_free(w.client);
	close(w.listener);
	loop_free(&w.loop);
}
