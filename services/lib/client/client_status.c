#include "lib/api/status.h"
#include "lib/client/client.h"

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

static enum err_kind kind_of(int code)
{
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
		err_write(e, kind_of(code), "the server answered with status %d: %.*s", code,
			STR_ARG(str_trim(body)));
		e->detail = NULL;
		return;
	}
	(void)status_received(found, e);
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
