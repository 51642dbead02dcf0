#include "lib/client/client.h"

struct reason_row {
	str reason;
	enum err_kind kind;
};

/* apimachinery/pkg/apis/meta/v1: StatusReason. */
static const struct reason_row reasons[] = {
	{STR_INIT("NotFound"), ERR_NOT_FOUND},
	{STR_INIT("AlreadyExists"), ERR_EXISTS},
	{STR_INIT("Conflict"), ERR_CONFLICT},
	{STR_INIT("Gone"), ERR_GONE},
	{STR_INIT("Expired"), ERR_GONE},
	{STR_INIT("Invalid"), ERR_INVALID},
	{STR_INIT("BadRequest"), ERR_INVALID},
	{STR_INIT("Unauthorized"), ERR_UNAUTHORIZED},
	{STR_INIT("Forbidden"), ERR_FORBIDDEN},
	{STR_INIT("Timeout"), ERR_TIMEOUT},
	{STR_INIT("ServerTimeout"), ERR_UNAVAILABLE},
	{STR_INIT("TooManyRequests"), ERR_UNAVAILABLE},
	{STR_INIT("ServiceUnavailable"), ERR_UNAVAILABLE},
	{STR_INIT("MethodNotAllowed"), ERR_UNSUPPORTED},
	{STR_INIT("NotAcceptable"), ERR_UNSUPPORTED},
	{STR_INIT("UnsupportedMediaType"), ERR_UNSUPPORTED},
	{STR_INIT("RequestEntityTooLarge"), ERR_LIMIT},
	{STR_INIT("InternalError"), ERR_INTERNAL},
};

struct code_row {
	int code;
	enum err_kind kind;
};

/* Where no Status says more, such as from a proxy in between. */
static const struct code_row codes[] = {
	{400, ERR_INVALID},
	{401, ERR_UNAUTHORIZED},
	{403, ERR_FORBIDDEN},
	{404, ERR_NOT_FOUND},
	{405, ERR_UNSUPPORTED},
	{406, ERR_UNSUPPORTED},
	{409, ERR_CONFLICT},
	{410, ERR_GONE},
	{413, ERR_LIMIT},
	{415, ERR_UNSUPPORTED},
	{422, ERR_INVALID},
	{429, ERR_UNAVAILABLE},
	{503, ERR_UNAVAILABLE},
	{504, ERR_TIMEOUT},
};

static enum err_kind kind_of(int code, str reason)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (str_eq(reasons[i].reason, reason))
			return reasons[i].kind;
	}
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		if (codes[i].code == code)
			return codes[i].kind;
	}
	return ERR_INTERNAL;
}

void client_status_error(struct arena *a, int code, str body, struct err *e)
{
	const struct type *t = api_type(API_STATUS);
	enum format format = str_starts(body, str_span("k8s\0", 4)) ? FORMAT_PROTOBUF : FORMAT_JSON;
	struct err ignored;
	void *found;

	if (object_decode(a, t, format, body, &found, NULL, &ignored) < 0) {
		err_write(e, kind_of(code, STR("")),
			"the server answered with status %d: %.*s", code, STR_ARG(str_trim(body)));
		e->detail = NULL;
		return;
	}
	const struct status *s = found;

	err_write(e, kind_of(s->code ? s->code : code, s->reason), "%.*s", STR_ARG(s->message));
	e->detail = s;
}

bool client_has_cause(const struct err *e, str reason)
{
	const struct status *s = e->detail;

	if (!s || !s->details)
		return false;
	for (size_t i = 0; i < s->details->causes.len; i++) {
		if (str_eq(s->details->causes.at[i].reason, reason))
			return true;
	}
	return false;
}
