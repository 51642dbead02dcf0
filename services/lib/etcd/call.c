#include "lib/etcd/client.h"

/* `repeats`: doing it twice does no harm, so it is tried again when the connection breaks. */
static const struct {
	const char *path;
	bool repeats;
} methods[ETCD_METHOD_COUNT] = {
	[ETCD_RANGE] = {"/etcdserverpb.KV/Range", true},
	[ETCD_PUT] = {"/etcdserverpb.KV/Put", false},
	[ETCD_DELETE] = {"/etcdserverpb.KV/DeleteRange", false},
	[ETCD_TXN] = {"/etcdserverpb.KV/Txn", false},
	[ETCD_COMPACT] = {"/etcdserverpb.KV/Compact", false},
	[ETCD_GRANT] = {"/etcdserverpb.Lease/LeaseGrant", true},
	[ETCD_REVOKE] = {"/etcdserverpb.Lease/LeaseRevoke", true},
	[ETCD_STATUS] = {"/etcdserverpb.Maintenance/Status", true},
};

static void send_call(struct etcd *c, struct etcd_call *call);
static void wait_for_connection(struct etcd *c, struct etcd_call *call);
static void finish(struct etcd_call *call, const struct err *e);
static void join(struct etcd_call_list *l, struct etcd_call *call);
static void leave(struct etcd_call_list *l, struct etcd_call *call);
static void expire(struct loop_timer *t);
static void got_message(struct grpc_call *g, str message);
static void got_done(struct grpc_call *g, enum grpc_code code, const struct err *e);

static const struct grpc_events call_events = {.message = got_message, .done = got_done};

/* What etcd says, whatever its status code. */
static const struct {
	const char *text;
	enum err_kind kind;
} etcd_texts[] = {
	{"required revision has been compacted", ERR_GONE},
	{"required revision is a future revision", ERR_TIMEOUT},
	{"database space exceeded", ERR_UNAVAILABLE},
	{"too many requests", ERR_UNAVAILABLE},
	{"leader changed", ERR_UNAVAILABLE},
	{"no leader", ERR_UNAVAILABLE},
	{"not leader", ERR_UNAVAILABLE},
	{"request timed out", ERR_UNAVAILABLE},
	{"server stopped", ERR_UNAVAILABLE},
	{"request is too large", ERR_LIMIT},
	{"message larger than max", ERR_LIMIT},
	{"requested lease not found", ERR_NOT_FOUND},
};

void etcd_error_kind(enum grpc_code code, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(etcd_texts); i++)
		if (str_find(str_of(e->text), str_of(etcd_texts[i].text)) >= 0) {
			e->kind = etcd_texts[i].kind;
			return;
		}
	if (code == GRPC_UNAVAILABLE || code == GRPC_DEADLINE_EXCEEDED || code == GRPC_CANCELLED)
		e->kind = ERR_UNAVAILABLE;
}

void etcd_start(
	struct etcd *c, struct etcd_call *call, enum etcd_method method, struct buf *request)
{
	call->client = c;
	call->method = method;
	call->request = *request;
	buf_init(request, BUF_NO_LIMIT);
	buf_init(&call->answer, ETCD_MESSAGE_BYTES_MAX);
	call->answered = false;
	call->deadline_ns = c->loop->now_ns + c->options.call_timeout_ns;
	if (c->phase == ETCD_UP)
		send_call(c, call);
	else
		wait_for_connection(c, call);
}

void etcd_calls_begin(struct etcd *c)
{
	struct etcd_call *call;

	while (c->phase == ETCD_UP && (call = c->waiting.first)) {
		leave(&c->waiting, call);
		send_call(c, call);
	}
}

void etcd_calls_close(struct etcd *c, const struct err *e)
{
	while (c->under_way.first) {
		struct etcd_call *call = c->under_way.first;

		grpc_cancel(&call->grpc);
		leave(&c->under_way, call);
		finish(call, e);
	}
	while (c->waiting.first) {
		struct etcd_call *call = c->waiting.first;

		leave(&c->waiting, call);
		finish(call, e);
	}
	loop_timer_clear(c->loop, &c->expiry);
}

static void send_call(struct etcd *c, struct etcd_call *call)
{
	struct grpc_options o = etcd_grpc(c, methods[call->method].path);
	struct err e;

	o.timeout_ns = call->deadline_ns - c->loop->now_ns;
	if (o.timeout_ns <= 0)
		o.timeout_ns = 1;
	call->grpc.events = &call_events;
	if (grpc_call(c->http, &call->grpc, &o, buf_str(&call->request), &e) < 0) {
		wait_for_connection(c, call);
		etcd_lost(c, &e);
		return;
	}
	join(&c->under_way, call);
}

static void wait_for_connection(struct etcd *c, struct etcd_call *call)
{
	int64_t last_ns = c->loop->now_ns + c->options.wait_timeout_ns;

	call->expires_ns = last_ns < call->deadline_ns ? last_ns : call->deadline_ns;
	c->expiry.due = expire;
	if (!c->waiting.first || call->expires_ns < c->waiting.first->expires_ns)
		loop_timer_set(c->loop, &c->expiry, call->expires_ns);
	join(&c->waiting, call);
}

static void finish(struct etcd_call *call, const struct err *e)
{
	struct buf answer = call->answer;

	buf_free(&call->request);
	buf_init(&call->answer, 0);
	call->done(call, e ? (str){NULL, 0} : str_span(answer.at ? answer.at : "", answer.len), e);
	buf_free(&answer);
}

static void expire(struct loop_timer *t)
{
	struct etcd *c = CONTAINER_OF(t, struct etcd, expiry);
	int64_t next_ns = INT64_MAX;
	struct err e;

	err_write(&e, ERR_UNAVAILABLE, "etcd cannot be reached: %s", c->why.text);
	for (struct etcd_call *call = c->waiting.first, *next; call; call = next) {
		next = call->next;
		if (call->expires_ns > c->loop->now_ns) {
			next_ns = call->expires_ns < next_ns ? call->expires_ns : next_ns;
			continue;
		}
		leave(&c->waiting, call);
		finish(call, &e);
	}
	if (next_ns < INT64_MAX)
		loop_timer_set(c->loop, t, next_ns);
}

static void got_message(struct grpc_call *g, str message)
{
	struct etcd_call *call = CONTAINER_OF(g, struct etcd_call, grpc);

	call->answered = true;
	buf_add_str(&call->answer, message);
}

static void got_done(struct grpc_call *g, enum grpc_code code, const struct err *e)
{
	struct etcd_call *call = CONTAINER_OF(g, struct etcd_call, grpc);
	struct etcd *c = call->client;
	struct err why;

	leave(&c->under_way, call);
	if (!e && call->answered && buf_ok(&call->answer, "etcd's answer", &why) == 0) {
		finish(call, NULL);
		return;
	}
	if (e)
		why = *e;
	else if (!call->answered)
		err_write(&why, ERR_INTERNAL, "etcd answered without a message");
	if (why.kind == ERR_CLOSED && methods[call->method].repeats) {
		buf_reset(&call->answer);
		wait_for_connection(c, call);
		return;
	}
	etcd_error_kind(code, &why);
	finish(call, &why);
}

static void join(struct etcd_call_list *l, struct etcd_call *call)
{
	call->next = NULL;
	call->previous = l->last;
	*(l->last ? &l->last->next : &l->first) = call;
	l->last = call;
}

static void leave(struct etcd_call_list *l, struct etcd_call *call)
{
	*(call->previous ? &call->previous->next : &l->first) = call->next;
	*(call->next ? &call->next->previous : &l->last) = call->previous;
}
