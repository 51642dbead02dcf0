#include "lib/http/grpc.h"

#include <stdio.h>

static int start(struct http_client *to, struct grpc_call *c, const struct grpc_options *o,
	str body, struct err *e);
static void put_message(struct buf *to, str message);
static size_t declared_bytes(const char *prefix);
static int take_partial(struct grpc_reader *r, str *part, size_t want, struct err *e);
static int check_prefix(const struct grpc_reader *r, const char *prefix, struct err *e);
static void decode_message(str in, char *to, size_t cap);
static enum grpc_code code_of_http(int status);
static void got_head(struct http_exchange *x);
static void got_body(struct http_exchange *x, str part);
static void got_body_end(struct http_exchange *x, const struct err *e);
static void got_closed(struct http_exchange *x, const struct err *e);
static void deadline_passed(struct loop_timer *t);
static void give_up(struct grpc_call *c, enum grpc_code code, const struct err *e);
static void release(struct grpc_call *c);

static const struct http_events exchange_events = {
	.head = got_head, .body = got_body, .body_end = got_body_end, .closed = got_closed};

static const enum err_kind kind_of_code[GRPC_CODE_COUNT] = {
	[GRPC_OK] = ERR_NONE,
	[GRPC_CANCELLED] = ERR_CLOSED,
	[GRPC_UNKNOWN] = ERR_INTERNAL,
	[GRPC_INVALID_ARGUMENT] = ERR_INVALID,
	[GRPC_DEADLINE_EXCEEDED] = ERR_TIMEOUT,
	[GRPC_NOT_FOUND] = ERR_NOT_FOUND,
	[GRPC_ALREADY_EXISTS] = ERR_EXISTS,
	[GRPC_PERMISSION_DENIED] = ERR_FORBIDDEN,
	[GRPC_RESOURCE_EXHAUSTED] = ERR_LIMIT,
	[GRPC_FAILED_PRECONDITION] = ERR_CONFLICT,
	[GRPC_ABORTED] = ERR_CONFLICT,
	[GRPC_OUT_OF_RANGE] = ERR_GONE,
	[GRPC_UNIMPLEMENTED] = ERR_UNSUPPORTED,
	[GRPC_INTERNAL] = ERR_INTERNAL,
	[GRPC_UNAVAILABLE] = ERR_UNAVAILABLE,
	[GRPC_DATA_LOSS] = ERR_INTERNAL,
	[GRPC_UNAUTHENTICATED] = ERR_UNAUTHORIZED,
};

void grpc_reader_init(struct grpc_reader *r, size_t message_bytes_max)
{
	r->message_bytes_max = message_bytes_max;
	buf_init(&r->partial, message_bytes_max + GRPC_PREFIX_BYTES);
}

void grpc_reader_free(struct grpc_reader *r)
{
	buf_free(&r->partial);
}

int grpc_read(struct grpc_reader *r, str *part, str *message, struct err *e)
{
	*message = (str){NULL, 0};
	/* Whole messages are passed on where they lie. */
	if (r->partial.len == 0 && part->len >= GRPC_PREFIX_BYTES) {
		size_t bytes = declared_bytes(part->at);

		TRY(check_prefix(r, part->at, e));
		if (part->len - GRPC_PREFIX_BYTES >= bytes) {
			*message = str_span(part->at + GRPC_PREFIX_BYTES, bytes);
			*part = str_slice(*part, GRPC_PREFIX_BYTES + bytes, SIZE_MAX);
			return 0;
		}
	}
	TRY(take_partial(r, part, GRPC_PREFIX_BYTES, e));
	if (r->partial.len < GRPC_PREFIX_BYTES)
		return 0;
	TRY(check_prefix(r, r->partial.at, e));

	size_t whole = GRPC_PREFIX_BYTES + declared_bytes(r->partial.at);

	TRY(take_partial(r, part, whole, e));
	if (r->partial.len < whole)
		return 0;
	*message = str_slice(buf_str(&r->partial), GRPC_PREFIX_BYTES, SIZE_MAX);
	buf_reset(&r->partial);
	return 0;
}

enum grpc_code grpc_status(
	const struct http_response *r, const struct http_headers *trailers, struct err *e)
{
	str code = http_header(trailers, STR("grpc-status"));
	str text = http_header(trailers, STR("grpc-message"));
	int64_t number = GRPC_UNKNOWN;
	char message[sizeof(e->text)];

	if (!code.at) {
		code = http_header(&r->headers, STR("grpc-status"));
		text = http_header(&r->headers, STR("grpc-message"));
	}
	if (!code.at) {
		number = code_of_http(r->status);
		err_write(e, kind_of_code[number], "an answer without gRPC status: HTTP %d",
			r->status);
		return (enum grpc_code)number;
	}
	if (!str_to_i64(code, &number) || number < 0 || number >= GRPC_CODE_COUNT)
		number = GRPC_UNKNOWN;
	if (number != GRPC_OK) {
		decode_message(text, message, sizeof(message));
		err_write(e, kind_of_code[number], "%s", message);
	}
	return (enum grpc_code)number;
}

int grpc_call(struct http_client *to, struct grpc_call *c, const struct grpc_options *o,
	str message, struct err *e)
{
	struct buf body;
	int result;

	buf_init(&body, BUF_NO_LIMIT);
	put_message(&body, message);
	result = start(to, c, o, buf_str(&body), e);
	buf_free(&body);
	return result;
}

int grpc_open(
	struct http_client *to, struct grpc_call *c, const struct grpc_options *o, struct err *e)
{
	return start(to, c, o, (str){NULL, 0}, e);
}

void grpc_send(struct grpc_call *c, str message)
{
	struct buf framed;

	if (!c->exchange)
		return;
	buf_init(&framed, BUF_NO_LIMIT);
	put_message(&framed, message);
	http_write(c->exchange, buf_str(&framed));
	buf_free(&framed);
}

void grpc_cancel(struct grpc_call *c)
{
	struct http_exchange *x = c->exchange;

	if (!x)
		return;
	release(c);
	http_abort(x);
}

/* With a body the call is unary; absent: more follows. */
static int start(struct http_client *to, struct grpc_call *c, const struct grpc_options *o,
	str body, struct err *e)
{
	enum { OWN_FIELDS = 3, METADATA_MAX = 8, TIMEOUT_MS_MAX = 99999999 };
	struct http_field fields[OWN_FIELDS + METADATA_MAX] = {
		{STR("content-type"), STR("application/grpc")}, {STR("te"), STR("trailers")}};
	struct http_headers headers = {.at = fields, .len = OWN_FIELDS - 1};
	char timeout[16];
	struct http_call call = {.method = STR("POST"),
		.target = o->method,
		.authority = o->authority,
		.headers = &headers,
		.events = &exchange_events,
		.owner = c,
		.body = body,
		.streams = !body.at};

	if (o->timeout_ns > 0) {
		int64_t ms = o->timeout_ns / NS_PER_MS + 1;

		snprintf(timeout, sizeof(timeout), "%dm",
			(int)(ms < TIMEOUT_MS_MAX ? ms : TIMEOUT_MS_MAX));
		fields[headers.len++] = (struct http_field){STR("grpc-timeout"), str_of(timeout)};
	}
	for (size_t i = 0; o->metadata && i < o->metadata->len && i < METADATA_MAX; i++)
		fields[headers.len++] = o->metadata->at[i];
	c->ended = !call.streams;
	c->has_code = false;
	c->exchange = NULL;
	c->deadline = (struct loop_timer){.due = deadline_passed};
	TRY(http_call(to, &call, &c->exchange, e));
	grpc_reader_init(&c->reader, o->message_bytes_max);
	if (o->timeout_ns > 0)
		loop_timer_set(
			c->exchange->loop, &c->deadline, c->exchange->loop->now_ns + o->timeout_ns);
	return 0;
}

static void put_message(struct buf *to, str message)
{
	uint32_t len = (uint32_t)message.len;
	const char prefix[GRPC_PREFIX_BYTES] = {
		0, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};

	buf_add(to, prefix, sizeof(prefix));
	buf_add_str(to, message);
}

static size_t declared_bytes(const char *prefix)
{
	const unsigned char *p = (const unsigned char *)prefix;

	return (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
}

static int take_partial(struct grpc_reader *r, str *part, size_t want, struct err *e)
{
	size_t missing = want > r->partial.len ? want - r->partial.len : 0;
	str taken = str_slice(*part, 0, missing);

	buf_add_str(&r->partial, taken);
	*part = str_slice(*part, taken.len, SIZE_MAX);
	return buf_ok(&r->partial, "a gRPC message", e);
}

static int check_prefix(const struct grpc_reader *r, const char *prefix, struct err *e)
{
	if (prefix[0] != 0)
		return err_set(e, ERR_UNSUPPORTED, "a gRPC message is compressed");
	if (declared_bytes(prefix) > r->message_bytes_max)
		return err_set(e, ERR_LIMIT, "a gRPC message of %zu bytes is larger than %zu",
			declared_bytes(prefix), r->message_bytes_max);
	return 0;
}

/* Percent signs that start no pair of hexadecimal digits stay, as the specification asks. */
static void decode_message(str in, char *to, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < in.len && len + 1 < cap; i++) {
		int high = i + 2 < in.len ? str_hex_digit(in.at[i + 1]) : -1;
		int low = i + 2 < in.len ? str_hex_digit(in.at[i + 2]) : -1;
		bool coded = in.at[i] == '%' && high >= 0 && low >= 0;

		to[len++] = coded ? (char)(high << 4 | low) : in.at[i];
		i += coded ? 2 : 0;
	}
	to[len] = '\0';
}

static enum grpc_code code_of_http(int status)
{
	switch (status) {
	case 400: return GRPC_INTERNAL;
	case 401: return GRPC_UNAUTHENTICATED;
	case 403: return GRPC_PERMISSION_DENIED;
	case 404: return GRPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504: return GRPC_UNAVAILABLE;
	default: return GRPC_UNKNOWN;
	}
}

static void got_head(struct http_exchange *x)
{
	http_stream_body(x);
}

static void got_body(struct http_exchange *x, str part)
{
	struct grpc_call *c = x->owner;
	size_t len = part.len;
	str message;
	struct err e;

	while (part.len > 0 && x->response.status == 200) {
		if (grpc_read(&c->reader, &part, &message, &e) < 0) {
			give_up(c, e.kind == ERR_LIMIT ? GRPC_RESOURCE_EXHAUSTED : GRPC_INTERNAL,
				&e);
			return;
		}
		if (message.at)
			c->events->message(c, message);
		if (!c->exchange)
			return;
	}
	http_body_taken(x, len);
}

static void got_body_end(struct http_exchange *x, const struct err *e)
{
	struct grpc_call *c = x->owner;

	if (e) {
		c->code = GRPC_INTERNAL;
		c->error = *e;
	} else {
		c->code = grpc_status(&x->response, &x->trailers, &c->error);
	}
	c->has_code = true;
	if (!c->ended)
		http_end(x, NULL);
	c->ended = true;
}

static void got_closed(struct http_exchange *x, const struct err *e)
{
	struct grpc_call *c = x->owner;

	if (!c->has_code) {
		c->code = GRPC_UNAVAILABLE;
		err_write(&c->error, ERR_CLOSED, "the connection broke: %s",
			e ? e->text : "no answer");
	}
	release(c);
	c->events->done(c, c->code, c->code == GRPC_OK ? NULL : &c->error);
}

static void deadline_passed(struct loop_timer *t)
{
	struct grpc_call *c = CONTAINER_OF(t, struct grpc_call, deadline);
	struct err e;

	err_write(&e, ERR_TIMEOUT, "no answer in time");
	give_up(c, GRPC_DEADLINE_EXCEEDED, &e);
}

static void give_up(struct grpc_call *c, enum grpc_code code, const struct err *e)
{
	grpc_cancel(c);
	c->events->done(c, code, e);
}

static void release(struct grpc_call *c)
{
	loop_timer_clear(c->exchange->loop, &c->deadline);
	grpc_reader_free(&c->reader);
	c->exchange = NULL;
}
