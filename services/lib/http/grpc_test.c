#include "lib/base/test.h"
#include "lib/http/grpc.h"
#include "lib/http/server.h"

#include <stdio.h>
#include <unistd.h>

/* gRPC calls against our own server, which answers by the method's name. */

enum { HANG_S = 60, TURNS_MAX = 100000, MESSAGE_BYTES_MAX = 1 << 20, BODY_BYTES_MAX = 4 << 20 };

struct world {
	struct http_handler handler;
	struct loop loop;
	struct http_server *server;
	struct http_client *client;
	struct net_address at;
	struct http_exchange *held;
	int listener;
	char timeout[32]; /* the header that came */
};

struct outcome {
	struct grpc_call call;
	struct buf messages; /* one behind the other, a bar behind each */
	enum grpc_code code;
	struct err error;
	int ends;
	bool cancels;
};

/* --- the server */

static void echo_body(struct http_exchange *x, str part)
{
	http_write(x, part);
	http_body_taken(x, part.len);
}

static void echo_end(struct http_exchange *x, UNUSED const struct err *e)
{
	http_end(x, HTTP_HEADERS({STR("grpc-status"), STR("0")}));
}

static void peer_gone(struct http_exchange *x, UNUSED const struct err *e)
{
	struct world *w = x->owner;

	if (w->held == x)
		w->held = NULL;
	http_abort(x);
}

static const struct http_events server_events = {
	.body = echo_body, .body_end = echo_end, .closed = peer_gone};

static void serve(struct http_handler *h, struct http_exchange *x)
{
	struct world *w = CONTAINER_OF(h, struct world, handler);
	str timeout = http_header(&x->request.headers, STR("grpc-timeout"));

	x->owner = w;
	x->events = &server_events;
	snprintf(w->timeout, sizeof(w->timeout), "%.*s", STR_ARG(timeout));
	if (str_eq(x->request.path, STR("/echo"))) {
		http_start(x, 200, HTTP_HEADERS({STR("content-type"), STR("application/grpc")}));
		http_stream_body(x);
	} else if (str_eq(x->request.path, STR("/refuse"))) {
		http_respond(x, 200,
			HTTP_HEADERS({STR("grpc-status"), STR("11")},
				{STR("grpc-message"), STR("etcdserver%3A no%20%c3%a4nderung%2")}),
			STR(""));
	} else if (str_eq(x->request.path, STR("/refuse-late"))) {
		http_start(x, 200, NULL);
		http_write(x, str_span("\0\0\0\0\1a", 6));
		http_end(x,
			HTTP_HEADERS({STR("grpc-status"), STR("8")},
				{STR("grpc-message"), STR("full")}));
	} else if (str_eq(x->request.path, STR("/proxy"))) {
		http_respond(x, 503, NULL, STR("<html>"));
	} else if (str_eq(x->request.path, STR("/strange"))) {
		http_respond(x, 200, HTTP_HEADERS({STR("grpc-status"), STR("99")}), STR(""));
	} else if (str_eq(x->request.path, STR("/compressed"))) {
		http_start(x, 200, NULL);
		http_write(x, str_span("\1\0\0\0\1a", 6));
		w->held = x;
	} else {
		w->held = x;
	}
}

/* --- the client */

static void got_message(struct grpc_call *c, str message)
{
	struct outcome *o = CONTAINER_OF(c, struct outcome, call);

	buf_add_str(&o->messages, message);
	buf_add_char(&o->messages, '|');
	if (o->cancels) {
		grpc_cancel(c);
		o->ends++;
	}
}

static void got_done(struct grpc_call *c, enum grpc_code code, const struct err *e)
{
	struct outcome *o = CONTAINER_OF(c, struct outcome, call);

	o->ends++;
	o->code = code;
	if (e)
		o->error = *e;
}

static const struct grpc_events events = {.message = got_message, .done = got_done};

static struct grpc_options to_method(const char *method)
{
	return (struct grpc_options){.method = str_of(method),
		.authority = STR("localhost"),
		.message_bytes_max = MESSAGE_BYTES_MAX};
}

static void begin(struct test *t, struct world *w)
{
	struct http_server_options o = http_server_defaults();
	struct http_client_options c = http_client_defaults();
	struct err e;

	alarm(HANG_S);
	*w = (struct world){.handler.request = serve};
	REQUIRE_OK(loop_init(&w->loop, &clock_system, &e), &e);
	REQUIRE_OK(net_address_parse(STR("127.0.0.1"), 0, &w->at, &e), &e);
	REQUIRE_OK(net_listen(&w->at, &w->listener, &e), &e);
	REQUIRE_OK(net_local_address(w->listener, &w->at, &e), &e);
	o.loop = c.loop = &w->loop;
	o.listener = w->listener;
	o.handler = &w->handler;
	c.address = w->at;
	REQUIRE_OK(http_server_start(&o, &w->server, &e), &e);
	REQUIRE_OK(http_client_open(&c, &w->client, &e), &e);
}

static void end(struct world *w)
{
	if (w->client)
		http_client_free(w->client);
	http_server_free(w->server);
	close(w->listener);
	loop_free(&w->loop);
}

static void init(struct outcome *o)
{
	*o = (struct outcome){.call.events = &events};
	buf_init(&o->messages, BODY_BYTES_MAX);
}

static void turn_until_ended(struct test *t, struct world *w, const struct outcome *o)
{
	for (int i = 0; i < TURNS_MAX && o->ends == 0; i++)
		loop_turn(&w->loop, true);
	REQUIRE(o->ends == 1);
}

static void call_with(struct test *t, struct world *w, struct outcome *o,
	const struct grpc_options *to, str message)
{
	struct err e;

	init(o);
	REQUIRE_OK(grpc_call(w->client, &o->call, to, message, &e), &e);
	turn_until_ended(t, w, o);
}

static void call(
	struct test *t, struct world *w, struct outcome *o, const char *method, str message)
{
	const struct grpc_options to = to_method(method);

	call_with(t, w, o, &to, message);
}

TEST(grpc_unary_call_is_answered)
{
	struct outcome o;
	struct world w;

	begin(t, &w);
	call(t, &w, &o, "/echo", STR("hello"));
	CHECK_INT(o.code, GRPC_OK);
	CHECK_STR(test_take(t, &o.messages), "hello|");
	call(t, &w, &o, "/echo", STR(""));
	CHECK_STR(test_take(t, &o.messages), "|");
	end(&w);
}

TEST(grpc_message_of_many_frames_arrives_whole)
{
	str large = str_span(arena_get(&t->arena, 900000), 900000);
	struct outcome o;
	struct world w;

	begin(t, &w);
	call(t, &w, &o, "/echo", large);
	CHECK_INT(o.code, GRPC_OK);
	CHECK_INT(o.messages.len, large.len + 1);
	buf_free(&o.messages);
	end(&w);
}

TEST(grpc_stream_takes_messages_both_ways)
{
	struct grpc_options to = to_method("/echo");
	struct outcome o;
	struct world w;
	struct err e;

	begin(t, &w);
	init(&o);
	REQUIRE_OK(grpc_open(w.client, &o.call, &to, &e), &e);
	grpc_send(&o.call, STR("one"));
	while (o.messages.len < 4)
		loop_turn(&w.loop, true);
	grpc_send(&o.call, STR("two"));
	grpc_send(&o.call, STR("three"));
	while (o.messages.len < 14)
		loop_turn(&w.loop, true);
	CHECK_STR(test_take(t, &o.messages), "one|two|three|");
	CHECK_INT(o.ends, 0);
	grpc_cancel(&o.call);
	grpc_cancel(&o.call);
	CHECK_INT(o.ends, 0);
	end(&w);
}

TEST(grpc_errors_keep_code_and_message)
{
	static const struct {
		const char *method;
		enum grpc_code code;
		enum err_kind kind;
		const char *text;
	} cases[] = {
		{"/refuse", GRPC_OUT_OF_RANGE, ERR_GONE, "etcdserver: no \xc3\xa4nderung%2"},
		{"/refuse-late", GRPC_RESOURCE_EXHAUSTED, ERR_LIMIT, "full"},
		{"/proxy", GRPC_UNAVAILABLE, ERR_UNAVAILABLE, "HTTP 503"},
		{"/strange", GRPC_UNKNOWN, ERR_INTERNAL, ""},
		{"/compressed", GRPC_INTERNAL, ERR_UNSUPPORTED, "compressed"},
	};
	struct world w;

	begin(t, &w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct outcome o;

		test_note(t, "%s", cases[i].method);
		call(t, &w, &o, cases[i].method, STR("x"));
		CHECK_INT(o.code, cases[i].code);
		CHECK_INT(o.error.kind, cases[i].kind);
		CHECK(strstr(o.error.text, cases[i].text));
		buf_free(&o.messages);
	}
	end(&w);
}

TEST(grpc_message_beyond_the_limit_ends_the_call)
{
	struct grpc_options to = to_method("/echo");
	struct outcome o;
	struct world w;

	to.message_bytes_max = 10;
	begin(t, &w);
	call_with(t, &w, &o, &to, STR("eleven byte"));
	CHECK_INT(o.code, GRPC_RESOURCE_EXHAUSTED);
	CHECK_INT(o.error.kind, ERR_LIMIT);
	CHECK_INT(o.messages.len, 0);
	end(&w);
}

TEST(grpc_call_ends_at_its_deadline)
{
	struct grpc_options to = to_method("/silent");
	struct outcome o;
	struct world w;

	to.timeout_ns = 20 * NS_PER_MS;
	begin(t, &w);
	call_with(t, &w, &o, &to, STR("x"));
	CHECK_INT(o.code, GRPC_DEADLINE_EXCEEDED);
	CHECK_INT(o.error.kind, ERR_TIMEOUT);
	CHECK_STR(str_of(w.timeout), "21m");
	end(&w);
}

TEST(grpc_broken_connection_ends_its_calls)
{
	struct grpc_options to = to_method("/silent");
	struct outcome o;
	struct world w;
	struct err e;

	begin(t, &w);
	init(&o);
	REQUIRE_OK(grpc_call(w.client, &o.call, &to, STR("x"), &e), &e);
	while (!w.held)
		loop_turn(&w.loop, true);
	http_client_free(w.client);
	w.client = NULL;
	CHECK_INT(o.ends, 1);
	CHECK_INT(o.code, GRPC_UNAVAILABLE);
	CHECK_INT(o.error.kind, ERR_CLOSED);
	end(&w);
}

TEST(grpc_cancelled_inside_a_message_says_no_more)
{
	struct grpc_options to = to_method("/echo");
	struct outcome o;
	struct world w;
	struct err e;

	begin(t, &w);
	init(&o);
	o.cancels = true;
	REQUIRE_OK(grpc_open(w.client, &o.call, &to, &e), &e);
	grpc_send(&o.call, STR("one"));
	grpc_send(&o.call, STR("two"));
	turn_until_ended(t, &w, &o);
	CHECK_STR(test_take(t, &o.messages), "one|");
	/* What the server still sends goes nowhere. */
	struct outcome after;

	call(t, &w, &after, "/echo", STR("x"));
	CHECK_STR(test_take(t, &after.messages), "x|");
	CHECK_INT(o.ends, 1);
	end(&w);
}
