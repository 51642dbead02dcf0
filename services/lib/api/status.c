#include "lib/api/status.h"

#include "api/kinds.h"
#include "lib/api/causes.h"
#include "lib/value/quote.h"

#include <stdarg.h>

struct reason_row {
	str name;
	int32_t code;
	enum err_kind kind;
};

static const struct reason_row reasons[STATUS_REASON_COUNT] = {
	[STATUS_BAD_REQUEST] = {STR_INIT("BadRequest"), 400, ERR_INVALID},
	[STATUS_UNAUTHORIZED] = {STR_INIT("Unauthorized"), 401, ERR_UNAUTHORIZED},
	[STATUS_FORBIDDEN] = {STR_INIT("Forbidden"), 403, ERR_FORBIDDEN},
	[STATUS_NOT_FOUND] = {STR_INIT("NotFound"), 404, ERR_NOT_FOUND},
	[STATUS_ALREADY_EXISTS] = {STR_INIT("AlreadyExists"), 409, ERR_EXISTS},
	[STATUS_CONFLICT] = {STR_INIT("Conflict"), 409, ERR_CONFLICT},
	[STATUS_INVALID] = {STR_INIT("Invalid"), 422, ERR_INVALID},
	[STATUS_METHOD_NOT_ALLOWED] = {STR_INIT("MethodNotAllowed"), 405, ERR_UNSUPPORTED},
	[STATUS_NOT_ACCEPTABLE] = {STR_INIT("NotAcceptable"), 406, ERR_UNSUPPORTED},
	[STATUS_UNSUPPORTED_MEDIA_TYPE] = {STR_INIT("UnsupportedMediaType"), 415, ERR_UNSUPPORTED},
	[STATUS_REQUEST_ENTITY_TOO_LARGE] = {STR_INIT("RequestEntityTooLarge"), 413, ERR_LIMIT},
	[STATUS_EXPIRED] = {STR_INIT("Expired"), 410, ERR_GONE},
	[STATUS_TOO_MANY_REQUESTS] = {STR_INIT("TooManyRequests"), 429, ERR_UNAVAILABLE},
	[STATUS_INTERNAL_ERROR] = {STR_INIT("InternalError"), 500, ERR_INTERNAL},
	[STATUS_UNKNOWN] = {STR_INIT(""), 500, ERR_INTERNAL},
	[STATUS_SERVER_TIMEOUT] = {STR_INIT("ServerTimeout"), 500, ERR_UNAVAILABLE},
	[STATUS_SERVICE_UNAVAILABLE] = {STR_INIT("ServiceUnavailable"), 503, ERR_UNAVAILABLE},
	[STATUS_TIMEOUT] = {STR_INIT("Timeout"), 504, ERR_TIMEOUT},
};

static int fail(struct arena *a, struct err *e, enum status_reason reason, str message,
	const struct status_subject *s);
static str subject_text(struct arena *a, const struct status_subject *s);
static struct status *from_kind(struct arena *a, const struct err *e);
static struct status *status_new(struct arena *a);

int status_fail(struct arena *a, struct err *e, enum status_reason reason, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str message = arena_vfmt(a, fmt, args);
	va_end(args);
	return fail(a, e, reason, message, NULL);
}

int status_generic(struct arena *a, struct err *e, enum status_reason reason, const char *fmt, ...)
{
	const struct status_subject nothing = {.name = STR("")};
	va_list args;

	va_start(args, fmt);
	str message = arena_vfmt(a, fmt, args);
	va_end(args);
	return fail(a, e, reason, message, &nothing);
}

int status_not_found(struct arena *a, struct err *e, struct status_subject s)
{
	str what = subject_text(a, &s);

	return fail(a, e, STATUS_NOT_FOUND, arena_fmt(a, "%.*s not found", STR_ARG(what)), &s);
}

int status_already_exists(struct arena *a, struct err *e, struct status_subject s)
{
	str what = subject_text(a, &s);

	return fail(a, e, STATUS_ALREADY_EXISTS, arena_fmt(a, "%.*s already exists", STR_ARG(what)),
		&s);
}

int status_forbidden(struct arena *a, struct err *e, struct status_subject s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str why = arena_vfmt(a, fmt, args);
	va_end(args);
	if (!s.resource.len)
		return fail(
			a, e, STATUS_FORBIDDEN, arena_fmt(a, "forbidden: %.*s", STR_ARG(why)), &s);
	if (!s.name.len)
		s.name = (str){NULL, 0};
	str what = subject_text(a, &s);
	return fail(a, e, STATUS_FORBIDDEN,
		arena_fmt(a, "%.*s is forbidden: %.*s", STR_ARG(what), STR_ARG(why)), &s);
}

int status_conflict(struct arena *a, struct err *e, struct status_subject s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str why = arena_vfmt(a, fmt, args);
	va_end(args);
	str what = subject_text(a, &s);
	return fail(a, e, STATUS_CONFLICT,
		arena_fmt(a, "Operation cannot be fulfilled on %.*s: %.*s", STR_ARG(what),
			STR_ARG(why)),
		&s);
}

int status_method_not_supported(struct arena *a, struct err *e, struct status_subject s, str action)
{
	s.name = (str){NULL, 0};
	str what = subject_text(a, &s);

	return fail(a, e, STATUS_METHOD_NOT_ALLOWED,
		arena_fmt(a, "%.*s is not supported on resources of kind \"%.*s\"", STR_ARG(action),
			STR_ARG(what)),
		&s);
}

int status_invalid(struct arena *a, struct err *e, struct status_subject s, const struct causes *c)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	if (!s.name.at)
		s.name = STR("");
	str what = subject_text(a, &s);
	buf_add_fmt(&b, "%.*s is invalid", STR_ARG(what));
	causes_put(c, &b);
	str message = arena_str(a, buf_str(&b));
	buf_free(&b);

	int result = fail(a, e, STATUS_INVALID, message, &s);
	struct status_details *details = status_detail(e)->details;
	details->causes.at = c->at;
	details->causes.len = c->len;
	return result;
}

struct status *status_detail(const struct err *e)
{
	return (struct status *)e->detail;
}

void status_add_cause(struct arena *a, struct err *e, str reason, str message, str field)
{
	struct status *s = status_detail(e);

	if (!s->details)
		s->details = arena_get(a, sizeof(*s->details));
	struct status_cause *now = arena_get(
		a, (s->details->causes.len + 1) * sizeof(struct status_cause));
	if (s->details->causes.len)
		memcpy(now, s->details->causes.at, s->details->causes.len * sizeof(*now));
	now[s->details->causes.len++] = (struct status_cause){
		.reason = reason, .message = message, .field = field};
	s->details->causes.at = now;
}

void status_retry_after(struct arena *a, struct err *e, int32_t seconds)
{
	struct status *s = status_detail(e);

	if (!s->details)
		s->details = arena_get(a, sizeof(*s->details));
	s->details->retry_after_seconds = seconds;
}

const struct status *status_of(struct arena *a, const struct err *e)
{
	return e->detail ? e->detail : from_kind(a, e);
}

int status_received(const struct status *s, struct err *e)
{
	enum status_reason reason;
	enum err_kind kind = ERR_INTERNAL;

	if (status_reason_of(s->reason, &reason))
		kind = reasons[reason].kind;
	err_write(e, kind, "%.*s", STR_ARG(s->message));
	e->detail = s;
	return -1;
}

/* Status goes as v1, whatever group answers. */
static struct status *new_status(struct arena *a)
{
	struct status *s = status_new(a);

	s->object.api_version = STR("v1");
	return s;
}

struct status *status_success(struct arena *a, struct status_subject subject, str uid)
{
	struct status *s = new_status(a);

	s->status = STR("Success");
	s->details = arena_get(a, sizeof(*s->details));
	s->details->name = subject.name;
	s->details->group = subject.group;
	s->details->kind = subject.resource;
	s->details->uid = uid;
	return s;
}

str status_reason_name(enum status_reason reason)
{
	return reasons[reason].name;
}

bool status_reason_of(str name, enum status_reason *to)
{
	for (size_t i = 0; i < STATUS_REASON_COUNT; i++)
		if (str_eq(reasons[i].name, name)) {
			*to = (enum status_reason)i;
			return true;
		}
	return false;
}

bool status_is(const struct err *e, enum status_reason reason)
{
	return e->detail && str_eq(status_detail(e)->reason, reasons[reason].name);
}

static int fail(struct arena *a, struct err *e, enum status_reason reason, str message,
	const struct status_subject *subject)
{
	struct status *s = new_status(a);

	s->status = STR("Failure");
	s->reason = reasons[reason].name;
	s->code = reasons[reason].code;
	s->message = message;
	if (subject) {
		s->details = arena_get(a, sizeof(*s->details));
		s->details->group = subject->group;
		s->details->kind = subject->resource;
		s->details->name = subject->name;
	}
	err_write(e, reasons[reason].kind, "%.*s", STR_ARG(message));
	e->detail = s;
	return -1;
}

/* deployments.apps "x"; without a name the resource alone. */
static str subject_text(struct arena *a, const struct status_subject *s)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, s->resource);
	if (s->group.len) {
		buf_add_char(&b, '.');
		buf_add_str(&b, s->group);
	}
	if (s->name.at) {
		buf_add_char(&b, ' ');
		quote_put(&b, s->name);
	}
	str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

static struct status *from_kind(struct arena *a, const struct err *e)
{
	static const enum status_reason by_kind[] = {
		[ERR_INVALID] = STATUS_BAD_REQUEST,
		[ERR_LIMIT] = STATUS_REQUEST_ENTITY_TOO_LARGE,
		[ERR_NOT_FOUND] = STATUS_NOT_FOUND,
		[ERR_EXISTS] = STATUS_ALREADY_EXISTS,
		[ERR_CONFLICT] = STATUS_CONFLICT,
		[ERR_GONE] = STATUS_EXPIRED,
		[ERR_UNAUTHORIZED] = STATUS_UNAUTHORIZED,
		[ERR_FORBIDDEN] = STATUS_FORBIDDEN,
		[ERR_UNSUPPORTED] = STATUS_UNSUPPORTED_MEDIA_TYPE,
		[ERR_TIMEOUT] = STATUS_TIMEOUT,
		[ERR_UNAVAILABLE] = STATUS_SERVICE_UNAVAILABLE,
		[ERR_CLOSED] = STATUS_SERVICE_UNAVAILABLE,
		[ERR_SYSTEM] = STATUS_INTERNAL_ERROR,
		[ERR_INTERNAL] = STATUS_INTERNAL_ERROR,
	};
	enum status_reason reason = by_kind[e->kind];
	struct err made;

	if (reason == STATUS_INTERNAL_ERROR) {
		status_fail(a, &made, reason, "Internal error occurred: %s", e->text);
		status_add_cause(
			a, &made, (str){NULL, 0}, arena_str(a, str_of(e->text)), (str){NULL, 0});
	} else {
		status_fail(a, &made, reason, "%s", e->text);
	}
	if (e->kind == ERR_UNAVAILABLE || e->kind == ERR_CLOSED)
		status_retry_after(a, &made, 1);
	return status_detail(&made);
}

/* Under the core version, whatever the request's was. */
static struct status *status_new(struct arena *a)
{
	struct status *s = object_new(a, &api_schema.types[API_STATUS]);

	s->object.api_version = STR("v1");
	return s;
}
