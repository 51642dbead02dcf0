#include "lib/base/test.h"
#include "lib/etcd/etcd.h"
#include "lib/http/server.h"

#include <stdio.h>
#include <unistd.h>

/* The client against members that we play ourselves: which fail, lose their leader, vanish. */

enum { HANG_S = 60, TURNS_MAX = 200000, BODY_BYTES_MAX = 1 << 20, MEMBERS = 2 };

struct member {
	struct http_handler handler;
	struct loop *loop;
	struct http_server *server;
	struct net_address at;
	int listener;
	char url[64];
	bool leaderless;            /* reads fail */
	bool silent;                /* writes get no answer */
	const char *status, *error; /* of writes; NULL: they succeed */
	int ranges, txns, watches;
	struct http_exchange *watch;
	int64_t watch_start;
};

struct world {
	struct loop loop;
	struct member members[MEMBERS];
	str urls[MEMBERS];
	struct etcd *etcd;
	int ups, downs;
};

/* --- the members */

static void answer(struct http_exchange *x, const char *status, const char *error, str message)
{
	const uint32_t len = (uint32_t)message.len;
	const char prefix[] = {
		0, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};

	http_start(x, 200, NULL);
	if (!error) {
		http_write(x, str_span(prefix, sizeof(prefix)));
		http_write(x, message);
	}
	http_end(x,
		HTTP_HEADERS({STR("grpc-status"), str_of(status)},
			{STR("grpc-message"), str_of(error ? error : "")}));
}

static void put_header(struct pb_writer *w, int64_t revision)
{
	size_t mark = pb_mark(w);

	pb_put_u64(w, 3, (uint64_t)revision);
	pb_put_length(w, 1, mark);
}

static void answer_revision(struct http_exchange *x, int64_t revision, bool succeeded)
{
	struct pb_writer w;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	pb_write_start(&w, &b);
	pb_put_u64(&w, 2, succeeded);
	put_header(&w, revision);
	pb_write_end(&w);
	answer(x, "0", NULL, buf_str(&b));
	buf_free(&b);
}

/* What the watch was created with: field 3 of field 1. */
static int64_t start_of(str message)
{
	struct pb_reader r = pb_read(str_slice(message, GRPC_PREFIX_BYTES, SIZE_MAX));
	struct pb_field f;
	struct err e;

	if (!pb_more(&r) || pb_next(&r, &f, &e) < 0)
		return -1;
	r = pb_read(f.bytes);
	while (pb_more(&r) && pb_next(&r, &f, &e) == 0)
		if (f.number == 3)
			return (int64_t)f.value;
	return 0;
}

static void got_part(struct http_exchange *x, str part)
{
	struct member *m = x->owner;

	if (m->watch_start < 0)
		m->watch_start = start_of(part);
	http_body_taken(x, part.len);
}

static void got_request(struct http_exchange *x, const struct err *e)
{
	struct member *m = x->owner;

	if (e || x == m->watch)
		return;
	if (str_ends(x->request.path, STR("/Range"))) {
		m->ranges++;
		if (m->leaderless)
			answer(x, "14", "etcdserver: no leader", STR(""));
		else
			answer_revision(x, 42, false);
		return;
	}
	m->txns++;
	if (m->silent)
		return;
	if (m->error)
		answer(x, m->status, m->error, STR(""));
	else
		answer_revision(x, 43, true);
}

static void client_gone(struct http_exchange *x, UNUSED const struct err *e)
{
	struct member *m = x->owner;

	if (m->watch == x)
		m->watch = NULL;
	http_abort(x);
}

static const struct http_events server_events = {
	.body = got_part, .body_end = got_request, .closed = client_gone};

static void serve(struct http_handler *h, struct http_exchange *x)
{
	struct member *m = CONTAINER_OF(h, struct member, handler);
	struct err e;

	x->owner = m;
	x->events = &server_events;
	if (str_ends(x->request.path, STR("/Watch"))) {
		m->watches++;
		m->watch = x;
		m->watch_start = -1;
		http_start(x, 200, NULL);
		http_stream_body(x);
	} else if (http_collect_body(x, BODY_BYTES_MAX, &e) < 0) {
		http_abort(x);
	}
}

static void start_member(struct test *t, struct member *m)
{
	struct http_server_options o = http_server_defaults();
	struct err e;

	REQUIRE_OK(net_listen(&m->at, &m->listener, &e), &e);
	REQUIRE_OK(net_local_address(m->listener, &m->at, &e), &e);
	m->handler.request = serve;
	o.loop = m->loop;
	o.listener = m->listener;
	o.handler = &m->handler;
	REQUIRE_OK(http_server_start(&o, &m->server, &e), &e);
}

static void stop_member(struct member *m)
{
	if (!m->server)
		return;
	http_server_free(m->server);
	m->server = NULL;
	close(m->listener);
}

/* --- the client */

static void changed(struct etcd *c, void *owner)
{
	struct world *w = owner;

	*(etcd_is_up(c) ? &w->ups : &w->downs) += 1;
}

static void begin(struct test *t, struct world *w)
{
	struct err e;

	alarm(HANG_S);
	*w = (struct world){0};
	REQUIRE_OK(loop_init(&w->loop, &clock_system, &e), &e);
	for (size_t i = 0; i < MEMBERS; i++) {
		struct member *m = &w->members[i];

		m->loop = &w->loop;
		REQUIRE_OK(net_address_parse(STR("127.0.0.1"), 0, &m->at, &e), &e);
		start_member(t, m);
		snprintf(m->url, sizeof(m->url), "http://127.0.0.1:%u",
			(unsigned)net_address_port(&m->at));
		w->urls[i] = str_of(m->url);
	}
}

static void connect_to(struct test *t, struct world *w, size_t members, int64_t timeout_ns)
{
	struct etcd_options o = {.loop = &w->loop,
		.endpoints = {w->urls, members},
		.call_timeout_ns = timeout_ns,
		.changed = changed,
		.owner = w};
	struct err e;

	REQUIRE_OK(etcd_open(&o, &w->etcd, &e), &e);
}

static void end(struct world *w)
{
	if (w->etcd)
		etcd_close(w->etcd);
	for (size_t i = 0; i < MEMBERS; i++)
		stop_member(&w->members[i]);
	loop_turn(&w->loop, false);
	loop_free(&w->loop);
}

struct outcome {
	struct etcd_call call;
	int ends;
	int64_t revision;
	struct err error;
};

static void done(struct etcd_call *c, str text, const struct err *e)
{
	struct outcome *o = CONTAINER_OF(c, struct outcome, call);
	struct err bad;

	o->ends++;
	if (e)
		o->error = *e;
	else if (etcd_read_revision(text, &o->revision, &bad) < 0)
		o->error = bad;
}

static void start(struct world *w, struct outcome *o, enum etcd_method method)
{
	const struct etcd_range range = {.key = STR("/registry/a")};
	const struct etcd_txn txn = {.key = STR("/registry/a")};
	struct buf request;

	*o = (struct outcome){.call.done = done};
	buf_init(&request, BUF_NO_LIMIT);
	if (method == ETCD_RANGE)
		etcd_put_range(&request, &range);
	else
		etcd_put_txn(&request, &txn);
	etcd_start(w->etcd, &o->call, method, &request);
}

static void turn_until(struct test *t, struct world *w, const int *number, int value)
{
	for (int i = 0; i < TURNS_MAX && *number < value; i++)
		loop_turn(&w->loop, true);
	REQUIRE(*number >= value);
}

TEST(etcd_calls_wait_for_the_connection)
{
	struct outcome range, txn;
	struct world w;

	begin(t, &w);
	connect_to(t, &w, 1, 0);
	start(&w, &range, ETCD_RANGE);
	start(&w, &txn, ETCD_TXN);
	CHECK(!etcd_is_up(w.etcd));
	turn_until(t, &w, &range.ends, 1);
	turn_until(t, &w, &txn.ends, 1);
	CHECK_INT(range.revision, 42);
	CHECK_INT(txn.revision, 43);
	CHECK(etcd_is_up(w.etcd));
	CHECK_INT(w.ups, 1);
	end(&w);
}

TEST(etcd_the_next_endpoint_is_tried)
{
	for (int leaderless = 0; leaderless < 2; leaderless++) {
		struct outcome txn;
		struct world w;

		test_note(t, leaderless ? "no leader" : "refused");
		begin(t, &w);
		if (leaderless)
			w.members[0].leaderless = true;
		else
			stop_member(&w.members[0]);
		connect_to(t, &w, 2, 0);
		start(&w, &txn, ETCD_TXN);
		turn_until(t, &w, &txn.ends, 1);
		CHECK_INT(txn.revision, 43);
		CHECK_INT(w.members[0].txns, 0);
		CHECK_INT(w.members[1].txns, 1);
		end(&w);
	}
}

TEST(etcd_reads_are_repeated_and_writes_are_not)
{
	struct outcome range, txn;
	struct world w;

	begin(t, &w);
	w.members[0].silent = true;
	connect_to(t, &w, 2, 0);
	start(&w, &txn, ETCD_TXN);
	turn_until(t, &w, &w.members[0].txns, 1);
	start(&w, &range, ETCD_RANGE);
	stop_member(&w.members[0]);
	turn_until(t, &w, &txn.ends, 1);
	turn_until(t, &w, &range.ends, 1);
	CHECK_INT(txn.error.kind, ERR_UNAVAILABLE);
	CHECK_INT(w.members[1].txns, 0);
	CHECK_INT(range.revision, 42);
	CHECK_INT(w.downs, 1);
	CHECK_INT(w.ups, 2);
	end(&w);
}

TEST(etcd_calls_without_a_connection_end_in_time)
{
	struct outcome txn;
	struct world w;

	begin(t, &w);
	stop_member(&w.members[0]);
	connect_to(t, &w, 1, 100 * NS_PER_MS);
	start(&w, &txn, ETCD_TXN);
	turn_until(t, &w, &txn.ends, 1);
	CHECK_INT(txn.error.kind, ERR_UNAVAILABLE);
	CHECK(strstr(txn.error.text, "refused"));
	end(&w);
}

TEST(etcd_errors_have_the_kind_of_their_text)
{
	static const struct {
		const char *status, *text;
		enum err_kind kind;
	} cases[] = {
		{"11", "etcdserver: mvcc: required revision has been compacted", ERR_GONE},
		{"11", "etcdserver: mvcc: required revision is a future revision", ERR_TIMEOUT},
		{"8", "etcdserver: mvcc: database space exceeded", ERR_UNAVAILABLE},
		{"8", "etcdserver: too many requests", ERR_UNAVAILABLE},
		{"3", "etcdserver: request is too large", ERR_LIMIT},
		{"8", "grpc: received message larger than max (3 vs. 2)", ERR_LIMIT},
		{"14", "etcdserver: leader changed", ERR_UNAVAILABLE},
		{"14", "etcdserver: request timed out", ERR_UNAVAILABLE},
		{"5", "etcdserver: requested lease not found", ERR_NOT_FOUND},
		{"7", "etcdserver: permission denied", ERR_FORBIDDEN},
		{"2", "something else", ERR_INTERNAL},
	};
	struct world w;

	begin(t, &w);
	connect_to(t, &w, 1, 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct outcome o;

		test_note(t, "%s", cases[i].text);
		w.members[0].status = cases[i].status;
		w.members[0].error = cases[i].text;
		start(&w, &o, ETCD_TXN);
		turn_until(t, &w, &o.ends, 1);
		CHECK_INT(o.error.kind, cases[i].kind);
		CHECK_STR(str_of(o.error.text), cases[i].text);
	}
	end(&w);
}

TEST(etcd_closing_ends_what_is_under_way)
{
	struct outcome sent, waiting;
	struct world w;

	begin(t, &w);
	w.members[0].silent = true;
	connect_to(t, &w, 1, 0);
	start(&w, &sent, ETCD_TXN);
	turn_until(t, &w, &w.members[0].txns, 1);
	stop_member(&w.members[0]);
	turn_until(t, &w, &w.downs, 1);
	start(&w, &waiting, ETCD_TXN);
	etcd_close(w.etcd);
	w.etcd = NULL;
	CHECK_INT(sent.ends, 1);
	CHECK_INT(waiting.ends, 1);
	CHECK_INT(waiting.error.kind, ERR_CLOSED);
	end(&w);
}

/* --- watches */

struct watching {
	struct etcd_watch watch;
	struct buf log;
	int completes, agains, ends;
	struct err error;
};

static void watch_event(struct etcd_watch *w, const struct etcd_event *ev)
{
	struct watching *g = CONTAINER_OF(w, struct watching, watch);

	buf_add_fmt(&g->log, "%s%.*s@%lld ", ev->deleted ? "-" : "", STR_ARG(ev->kv.key),
		(long long)ev->kv.mod_revision);
}

static void watch_complete(struct etcd_watch *w, int64_t revision)
{
	struct watching *g = CONTAINER_OF(w, struct watching, watch);

	buf_add_fmt(&g->log, "<%lld ", (long long)revision);
	g->completes++;
}

static void watch_again(struct etcd_watch *w)
{
	struct watching *g = CONTAINER_OF(w, struct watching, watch);

	buf_add_fmt(&g->log, "again ");
	g->agains++;
}

static void watch_ended(struct etcd_watch *w, const struct err *e)
{
	struct watching *g = CONTAINER_OF(w, struct watching, watch);

	g->ends++;
	g->error = *e;
}

static const struct etcd_watch_events watch_events = {.event = watch_event,
	.complete = watch_complete,
	.again = watch_again,
	.ended = watch_ended};

struct sent {
	int64_t revision, compacted;
	bool created, canceled, fragment;
	const char *key; /* NULL: no event */
	bool deleted;
};

static void send_events(struct member *m, const struct sent *s)
{
	struct pb_writer w;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	pb_write_start(&w, &b);
	if (s->key) {
		size_t event = pb_mark(&w), kv = event;

		pb_put_u64(&w, 3, (uint64_t)s->revision);
		pb_put_bytes(&w, 1, str_of(s->key));
		pb_put_length(&w, 2, kv);
		pb_put_u64(&w, 1, s->deleted);
		pb_put_length(&w, 11, event);
	}
	pb_put_u64(&w, 7, s->fragment);
	pb_put_u64(&w, 5, (uint64_t)s->compacted);
	pb_put_u64(&w, 4, s->canceled);
	pb_put_u64(&w, 3, s->created);
	put_header(&w, s->revision);
	pb_write_end(&w);

	const char prefix[] = {0, 0, 0, (char)(b.len >> 8), (char)b.len};

	http_write(m->watch, str_span(prefix, sizeof(prefix)));
	http_write(m->watch, buf_str(&b));
	buf_free(&b);
}

static void watch(struct world *w, struct watching *g, int64_t revision)
{
	*g = (struct watching){.watch = {.events = &watch_events,
				       .key = STR("/registry/"),
				       .end = STR("/registry0"),
				       .next_revision = revision}};
	buf_init(&g->log, BUF_NO_LIMIT);
	etcd_watch_start(w->etcd, &g->watch);
}

static void turn_until_watched(struct test *t, struct world *w, struct member *m, int64_t from)
{
	for (int i = 0; i < TURNS_MAX && !(m->watch && m->watch_start >= 0); i++)
		loop_turn(&w->loop, true);
	REQUIRE(m->watch);
	CHECK_INT(m->watch_start, from);
}

TEST(etcd_watch_goes_on_behind_what_was_complete)
{
	struct watching g;
	struct world w;

	begin(t, &w);
	connect_to(t, &w, 2, 0);
	watch(&w, &g, 7);
	turn_until_watched(t, &w, &w.members[0], 7);
	send_events(&w.members[0], &(struct sent){.revision = 20, .created = true});
	send_events(&w.members[0], &(struct sent){.revision = 8, .key = "a"});
	send_events(&w.members[0], &(struct sent){.revision = 9, .key = "b", .deleted = true});
	send_events(&w.members[0], &(struct sent){.revision = 20});
	turn_until(t, &w, &g.completes, 3);
	send_events(&w.members[0], &(struct sent){.revision = 21, .key = "c", .fragment = true});
	while (g.log.len < sizeof("a@8 <8 -b@9 <9 <20 c@21 ") - 1)
		loop_turn(&w.loop, true);
	stop_member(&w.members[0]);
	turn_until_watched(t, &w, &w.members[1], 21);
	CHECK_INT(g.agains, 1);
	send_events(&w.members[1], &(struct sent){.revision = 21, .key = "c"});
	turn_until(t, &w, &g.completes, 4);
	CHECK_STR(test_take(t, &g.log), "a@8 <8 -b@9 <9 <20 c@21 again c@21 <21 ");
	end(&w);
	CHECK_INT(g.error.kind, ERR_CLOSED);
}

TEST(etcd_watch_of_what_is_compacted_ends)
{
	struct watching g;
	struct world w;

	begin(t, &w);
	connect_to(t, &w, 1, 0);
	watch(&w, &g, 7);
	turn_until_watched(t, &w, &w.members[0], 7);
	send_events(
		&w.members[0], &(struct sent){.revision = 90, .compacted = 80, .canceled = true});
	turn_until(t, &w, &g.ends, 1);
	CHECK_INT(g.error.kind, ERR_GONE);
	end(&w);
	CHECK_INT(g.ends, 1);
	buf_free(&g.log);
}

TEST(etcd_watch_without_leader_moves_to_the_next_member)
{
	struct watching g;
	struct world w;

	begin(t, &w);
	connect_to(t, &w, 2, 0);
	watch(&w, &g, 7);
	turn_until_watched(t, &w, &w.members[0], 7);
	http_end(w.members[0].watch,
		HTTP_HEADERS({STR("grpc-status"), STR("14")},
			{STR("grpc-message"), STR("etcdserver: no leader")}));
	w.members[0].watch = NULL;
	turn_until_watched(t, &w, &w.members[1], 7);
	end(&w);
	buf_free(&g.log);
}
