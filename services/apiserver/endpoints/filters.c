/*
 * The way of a request to its handler: what every one passes, in upstream's order
 * (apiserver/pkg/server/config.go, DefaultBuildHandlerChain).
 */
#include "apiserver/endpoints/filters.h"

#include "apiserver/endpoints/impersonate.h"
#include "apiserver/endpoints/request_metrics.h"
#include "lib/value/duration.h"
#include "lib/value/quote.h"
#include "lib/value/uuid.h"

static int read_request(struct request *r, struct err *e);
static int read_deadline(struct request *r, struct err *e);
static int authenticate(struct request *r, struct err *e);
static int limit_in_flight(struct request *r, struct err *e);
static int authorize_request(struct request *r, struct err *e);

/* Each lets the request pass or says why not. */
static int (*const filters[])(struct request *r, struct err *e) = {
	read_request,
	authenticate,
	impersonate,
	limit_in_flight,
	authorize_request,
};

static void ignore_body(UNUSED struct http_exchange *x, UNUSED str part)
{
}

static void ignore_end(UNUSED struct http_exchange *x, UNUSED const struct err *e)
{
}

static const struct http_events plain_events = {
	.body = ignore_body, .body_end = ignore_end, .closed = ignore_end};

void filters_run(struct http_handler *h, struct http_exchange *x)
{
	struct endpoints_io *io = CONTAINER_OF(h, struct endpoints_io, handler);
	struct request *r = arena_get(&x->arena, sizeof(*r));
	struct err e;

	r->endpoints = io->endpoints;
	r->io = io;
	r->x = x;
	r->begun_ns = io->loop->clock->monotonic_ns(io->loop->clock);
	arena_init(&r->arena, REQUEST_MEMORY_MAX);
	buf_init(&r->answer.body, BUF_NO_LIMIT);
	r->warnings.arena = &r->arena;
	x->owner = r;
	x->events = &plain_events;
	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		if (filters[i](r, &e) == 0)
			continue;
		r->form = negotiate_error(&r->arena, &x->request.headers, &r->query);
		if (filters[i] == limit_in_flight)
			request_refuse(r);
		else
			request_fail(r, &e);
		return;
	}
	dispatch(r);
}

bool audit_id_usable(str id)
{
	enum { AUDIT_ID_MAX = 64 };

	return id.len && id.len <= AUDIT_ID_MAX && http_is_field_value(id);
}

static int read_request(struct request *r, struct err *e)
{
	const struct http_request *q = &r->x->request;
	str audit_id = http_header(&q->headers, STR("audit-id"));
	struct err why;

	if (audit_id_usable(audit_id)) {
		r->audit_id = audit_id;
	} else {
		r->audit_id = uuid_new(r->endpoints->o.random, &r->x->arena);
	}
	if (q->query.len && url_query_parse(&r->arena, q->query, &r->query, &why) < 0)
		return status_fail(&r->arena, e, STATUS_BAD_REQUEST, "%s", why.text);
	if (request_info_read(&r->arena, q->method, q->path, &r->query, &r->info, &why) < 0)
		return status_fail(&r->arena, e, STATUS_BAD_REQUEST, "%s", why.text);
	return read_deadline(r, e);
}

/* What the client asks for only shortens it; a watch has an end of its own. */
static int read_deadline(struct request *r, struct err *e)
{
	str text = url_query_get(&r->query, STR("timeout"));
	int64_t longest_ns = r->endpoints->o.request_timeout_ns;
	struct duration wanted = {0};
	struct err why;

	if (text.len && !str_eq(r->info.verb, STR("watch")) &&
		duration_parse(text, &wanted, &why) < 0)
		return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
			"invalid timeout specified in the request URL - %s", why.text);
	r->deadline_ns = r->begun_ns +
		(wanted.ns > 0 && wanted.ns < longest_ns ? wanted.ns : longest_ns);
	return 0;
}

static int authenticate(struct request *r, struct err *e)
{
	struct err why;

	if (authenticate_request(r->endpoints->o.authenticator, r->x, &r->user, &why) == 0)
		return 0;
	return status_fail(&r->arena, e, STATUS_UNAUTHORIZED, "Unauthorized");
}

/* Watches and connections last; who administers gets through. */
static int limit_in_flight(struct request *r, struct err *e)
{
	struct endpoints_server *p = r->endpoints;
	str verb = r->info.verb;
	bool reads = str_eq(verb, STR("get")) || str_eq(verb, STR("list"));
	int max = reads ? p->o.max_requests : p->o.max_mutating;
	atomic_int *counter = reads ? &p->reading : &p->mutating;

	if (str_eq(verb, STR("watch")) || str_eq(verb, STR("proxy")))
		return 0;
	if (atomic_fetch_add(counter, 1) < max || max == 0 ||
		user_in_group(r->user, STR(GROUP_MASTERS))) {
		r->counted_in = counter;
		return 0;
	}
	atomic_fetch_sub(counter, 1);
	return err_set(e, ERR_LIMIT, "too many requests are under way");
}

int fail_forbidden(
	struct arena *a, const struct attributes *t, const struct buf *reason, struct err *e)
{
	char user[QUOTE_MAX], what[QUOTE_MAX], group[QUOTE_MAX], ns[QUOTE_MAX];
	str resource = t->resource, why;
	struct status_subject s = {t->group, t->resource, t->name};

	quote(user, t->user->name);
	if (t->subresource.len)
		resource = arena_fmt(a, "%.*s/%.*s", STR_ARG(t->resource), STR_ARG(t->subresource));
	if (!t->is_resource) {
		why = arena_fmt(a, "User %s cannot %.*s path %s", user, STR_ARG(t->verb),
			quote(what, t->path));
		s = (struct status_subject){STR(""), STR(""), STR("")};
	} else if (t->ns.len) {
		why = arena_fmt(a,
			"User %s cannot %.*s resource %s in API group %s in the namespace %s", user,
			STR_ARG(t->verb), quote(what, resource), quote(group, t->group),
			quote(ns, t->ns));
	} else {
		why = arena_fmt(a,
			"User %s cannot %.*s resource %s in API group %s at the cluster scope",
			user, STR_ARG(t->verb), quote(what, resource), quote(group, t->group));
	}
	if (reason->len)
		return status_forbidden(
			a, e, s, "%.*s: %.*s", STR_ARG(why), (int)reason->len, reason->at);
	return status_forbidden(a, e, s, "%.*s", STR_ARG(why));
}

int require(struct request *r, const struct attributes *t, struct err *e)
{
	struct buf reason;
	int result = 0;

	buf_init(&reason, BUF_NO_LIMIT);
	if (authorize(r->endpoints->authorizer, t, &reason) != DECISION_ALLOW)
		result = fail_forbidden(&r->arena, t, &reason, e);
	buf_free(&reason);
	return result;
}

struct attributes request_attributes(struct request *r)
{
	const struct request_info *i = &r->info;

	return (struct attributes){
		.user = r->user,
		.verb = i->verb,
		.is_resource = i->is_resource,
		.group = i->group,
		.version = i->version,
		.resource = i->resource,
		.subresource = i->subresource,
		.ns = i->ns,
		.name = i->name,
		.path = i->path,
	};
}

static int authorize_request(struct request *r, struct err *e)
{
	struct attributes t = request_attributes(r);
	struct selector labels, fields;
	struct err ignored;

	if (r->info.label_selector.len &&
		selector_parse(
			&r->arena, r->info.label_selector, (str){NULL, 0}, &labels, &ignored) == 0)
		t.labels = &labels;
	if (r->info.field_selector.len &&
		selector_parse_fields(&r->arena, r->info.field_selector, &fields, &ignored) == 0)
		t.fields = &fields;
	return require(r, &t, e);
}
