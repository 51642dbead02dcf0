#include "apiserver/endpoints/proxy.h"

#include "apiserver/endpoints/proxy_link.h"
#include "lib/http/url.h"

enum { AHEAD_BYTES = 256 << 10 };

/* One request on its way; in the exchange's arena. */
struct proxied {
	struct request *r;
	struct http_exchange *x, *call; /* call NULL: not begun or over */
	struct proxy_link *link;
	struct aggregation *aggregation; /* a reference */
	const struct aggregated *to;
	size_t untaken_bytes; /* of the answer, while the client is slow */
	bool answering;
	struct loop_timer timer;
	struct proxied *next, **at;
};

static void body_end(struct http_exchange *x, const struct err *e);
static void nothing(struct http_exchange *x, str part);
static void client_gone(struct http_exchange *x, const struct err *e);
static void client_ready(struct http_exchange *x);
static void took_head(struct http_exchange *call);
static void took_part(struct http_exchange *call, str part);
static void took_end(struct http_exchange *call, const struct err *e);
static void call_over(struct http_exchange *call, const struct err *e);
static void too_late(struct loop_timer *t);

static const struct http_events client_events = {
	.body = nothing, .body_end = body_end, .writable = client_ready, .closed = client_gone};
static const struct http_events call_events = {
	.head = took_head, .body = took_part, .body_end = took_end, .closed = call_over};

/* --- which */

/* /apis/GROUP/VERSION and below, and the OpenAPI document of it. */
static const struct aggregated *find(const struct aggregation *n, str path)
{
	const struct aggregated *found;
	str group;

	if (str_starts(path, STR("/openapi/v3/apis/")))
		path = str_slice(path, sizeof("/openapi/v3") - 1, path.len);
	if (!str_starts(path, STR("/apis/")))
		return NULL;
	path = str_slice(path, sizeof("/apis/") - 1, path.len);
	group = str_cut(&path, '/');
	if (!path.len)
		return NULL;
	found = aggregation_find(n, group, str_cut(&path, '/'));
	return found && found->remote ? found : NULL;
}

static void forget(struct proxied *p)
{
	if (p->timer.slot)
		loop_timer_clear(p->r->io->loop, &p->timer);
	if (p->link)
		proxy_link_leave(p->link);
	p->link = NULL;
	if (p->at) {
		*p->at = p->next;
		if (p->next)
			p->next->at = p->at;
		p->at = NULL;
	}
	counted_drop(&p->aggregation->counted);
}

/* As Go's http.Error. */
static void refuse(struct proxied *p, int code, str text)
{
	struct request *r = p->r;
	str line = arena_fmt(&r->arena, "%.*s\n", STR_ARG(text));

	forget(p);
	request_add_header(r, "X-Content-Type-Options", STR("nosniff"));
	request_send_text(r, code, STR("text/plain; charset=utf-8"), line);
}

static void fail(struct proxied *p, const struct err *e)
{
	refuse(p, 503, arena_fmt(&p->r->arena, "error trying to reach service: %s", e->text));
}

bool proxy_handle(struct request *r)
{
	struct aggregation *n = aggregator_take(r->endpoints->aggregator);
	const struct aggregated *to = find(n, r->info.path);
	struct proxied *p;
	struct err e;

	if (!to) {
		counted_drop(&n->counted);
		return false;
	}
	p = arena_get(&r->x->arena, sizeof(*p));
	*p = (struct proxied){.r = r, .x = r->x, .aggregation = n, .to = to};
	p->timer.due = too_late;
	r->state = p;
	r->x->events = &client_events;
	if (!to->available || !to->tls)
		refuse(p, 503, STR("service unavailable"));
	else if (http_header(&r->x->request.headers, STR("upgrade")).at)
		refuse(p, 501, STR("upgrades are not forwarded to aggregated API servers"));
	else if (http_collect_body(r->x, REQUEST_BODY_MAX, &e) < 0)
		body_end(r->x, &e);
	return true;
}

/* --- there */

static bool names_connection(str name, const struct http_headers *h)
{
	static const char *const hops[] = {"connection", "proxy-connection", "keep-alive",
		"proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
		"upgrade", "content-length", "host"};

	for (size_t i = 0; i < COUNT_OF(hops); i++)
		if (str_eq_ignoring_case(name, str_of(hops[i])))
			return true;
	return http_header_has_token(h, STR("connection"), name);
}

/* Who asks is for us to say; his own credentials are for us alone. */
static bool is_ours_to_say(str name)
{
	static const char *const prefixes[] = {"x-remote-", "x-forwarded-", "impersonate-"};

	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (str_starts(name, str_of(prefixes[i])))
			return true;
	return str_eq(name, STR("authorization")) || str_eq(name, STR("audit-id"));
}

static int add(struct proxied *p, struct http_headers *h, str name, str value, struct err *e)
{
	return http_header_add(h, &p->r->x->arena, name, value, e);
}

/* A key may hold what a field's name may not. */
static str escape_key(struct arena *a, str key)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < key.len; i++) {
		if (key.at[i] != '%' && http_is_token(str_slice(key, i, i + 1)))
			buf_add_char(&b, key.at[i]);
		else
			buf_add_fmt(&b, "%%%02X", (unsigned char)key.at[i]);
	}
	str to = arena_str(a, buf_str(&b));

	buf_free(&b);
	return to;
}

static int add_user(struct proxied *p, struct http_headers *h, struct err *e)
{
	const struct user *u = p->r->user;
	struct arena *a = &p->r->x->arena;

	TRY(add(p, h, STR("X-Remote-User"), u->name, e));
	if (u->uid.len)
		TRY(add(p, h, STR("X-Remote-Uid"), u->uid, e));
	for (size_t i = 0; i < u->groups.len; i++)
		TRY(add(p, h, STR("X-Remote-Group"), u->groups.at[i], e));
	for (size_t i = 0; i < u->extra_count; i++) {
		str name = arena_fmt(
			a, "X-Remote-Extra-%.*s", STR_ARG(escape_key(a, u->extra[i].key)));

		for (size_t k = 0; k < u->extra[i].values.len; k++)
			TRY(add(p, h, name, u->extra[i].values.at[k], e));
	}
	return 0;
}

static int make_headers(struct proxied *p, struct http_headers *h, struct err *e)
{
	const struct http_request *q = &p->x->request;

	for (size_t i = 0; i < q->headers.len; i++) {
		const struct http_field *f = &q->headers.at[i];

		if (!names_connection(f->name, &q->headers) && !is_ours_to_say(f->name))
			TRY(add(p, h, f->name, f->value, e));
	}
	TRY(add(p, h, STR("X-Forwarded-Host"), q->authority, e));
	TRY(add(p, h, STR("X-Forwarded-Proto"), STR("https"), e));
	TRY(add(p, h, STR("X-Forwarded-Uri"), q->path, e));
	TRY(add(p, h, STR("Audit-Id"), p->r->audit_id, e));
	return add_user(p, h, e);
}

static int begin(struct proxied *p, struct err *e)
{
	struct http_headers headers = {.len = 0};
	struct request *r = p->r;
	str address, body = buf_str(&p->x->body);

	TRY(make_headers(p, &headers, e));
	TRY(aggregator_resolve(r->endpoints->aggregator, &r->arena, p->to, &address, e));
	TRY(proxy_link_enter(r->io, p->to, address, &p->link, e));
	const struct http_call call = {
		.method = p->x->request.method,
		.target = p->x->request.target,
		.authority = address,
		.headers = &headers,
		.events = &call_events,
		.owner = p,
		.body = body.len ? body : (str){NULL, 0},
	};

	return http_call(p->link->http, &call, &p->call, e);
}

static void body_end(struct http_exchange *x, const struct err *e)
{
	struct request *r = x->owner;
	struct proxied *p = r->state;
	struct err why;

	if (e) {
		refuse(p, e->kind == ERR_LIMIT ? 413 : 400, str_of(e->text));
		return;
	}
	if (begin(p, &why) < 0) {
		fail(p, &why);
		return;
	}
	p->next = r->io->proxied;
	p->at = &r->io->proxied;
	if (p->next)
		p->next->at = &p->next;
	r->io->proxied = p;
	if (!str_eq(r->info.verb, STR("watch")))
		loop_timer_set(r->io->loop, &p->timer, r->deadline_ns);
}

static void nothing(UNUSED struct http_exchange *x, UNUSED str part)
{
}

/* --- and back */

static void took_head(struct http_exchange *call)
{
	struct proxied *p = call->owner;
	const struct http_headers *from = &call->response.headers;
	struct http_headers to = {.len = 0};
	struct err e;

	if (call->response.status < 200)
		return;
	p->link->shared = http_version(call) == 2;
	for (size_t i = 0; i < from->len; i++) {
		struct http_field f = from->at[i];

		if (names_connection(f.name, from) || str_eq(f.name, STR("audit-id")) ||
			str_eq(f.name, STR("date")))
			continue;
		f.name = arena_str(&p->x->arena, f.name);
		f.value = arena_str(&p->x->arena, f.value);
		if (add(p, &to, f.name, f.value, &e) < 0)
			break;
	}
	if (add(p, &to, STR("Audit-Id"), p->r->audit_id, &e) < 0)
		to.len = 0;
	p->answering = true;
	p->r->answer.code = call->response.status;
	http_start(p->x, call->response.status, &to);
	http_stream_body(call);
}

/* The server may go on when the client has taken most of it. */
static void took_part(struct http_exchange *call, str part)
{
	struct proxied *p = call->owner;

	http_write(p->x, part);
	if (http_pending_bytes(p->x) < AHEAD_BYTES)
		http_body_taken(call, part.len);
	else
		p->untaken_bytes += part.len;
}

static void client_ready(struct http_exchange *x)
{
	struct request *r = x->owner;
	struct proxied *p = r->state;
	size_t len = p->untaken_bytes;

	p->untaken_bytes = 0;
	if (p->call && len)
		http_body_taken(p->call, len);
}

static void took_end(UNUSED struct http_exchange *call, UNUSED const struct err *e)
{
}

static void finish(struct proxied *p, bool complete)
{
	struct http_exchange *x = p->x;

	forget(p);
	request_release(p->r, p->r->answer.code);
	if (complete)
		http_end(x, NULL);
	else
		http_abort(x);
}

static void call_over(struct http_exchange *call, const struct err *e)
{
	struct proxied *p = call->owner;
	struct err why;

	p->call = NULL;
	if (p->answering) {
		finish(p, !e);
		return;
	}
	if (!e)
		err_write(&why, ERR_CLOSED, "EOF");
	fail(p, e ? e : &why);
}

static void client_gone(struct http_exchange *x, UNUSED const struct err *e)
{
	struct request *r = x->owner;
	struct proxied *p = r->state;

	if (p->call)
		http_abort(p->call);
	p->call = NULL;
	finish(p, false);
}

static void too_late(struct loop_timer *t)
{
	struct proxied *p = CONTAINER_OF(t, struct proxied, timer);
	struct request *r = p->r;
	struct err e;

	http_abort(p->call);
	p->call = NULL;
	if (p->answering) {
		finish(p, false);
		return;
	}
	forget(p);
	r->form = negotiate_error(&r->arena, &r->x->request.headers, &r->query);
	status_fail(&r->arena, &e, STATUS_TIMEOUT, "%s", REQUEST_TIMED_OUT);
	request_fail(r, &e);
}

void proxy_end_watches(struct endpoints_io *io)
{
	for (struct proxied *p = io->proxied, *next; p; p = next) {
		next = p->next;
		if (!str_eq(p->r->info.verb, STR("watch")))
			continue;
		http_abort(p->call);
		p->call = NULL;
		finish(p, p->answering);
	}
}

void proxy_close(struct endpoints_io *io)
{
	proxy_links_free(io);
}
