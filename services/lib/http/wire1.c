#include "lib/http/wire1.h"

#include "lib/http/url.h"

enum {
	BAD_REQUEST = 400,
	EXPECTATION_FAILED = 417,
	TOO_LARGE = 431,
	NOT_IMPLEMENTED = 501,
	VERSION_NOT_SUPPORTED = 505,
};

static int refuse(struct http1_head *h, int status, struct err *e, const char *why);
static str cut_line(str *rest);
static int read_request_line(
	str line, struct http_request *to, struct http1_head *h, struct err *e);
static int frame_request(const struct http_request *r, struct http1_head *h, struct err *e);
static int read_length(const struct http_headers *h, struct http1_head *to, struct err *e);
static size_t count_fields(const struct http_headers *h, str name);

int http1_find_end(str in, size_t *scanned, size_t *len, struct err *e)
{
	for (size_t at = *scanned; at < in.len;) {
		const char *lf = memchr(in.at + at, '\n', in.len - at);

		if (!lf)
			break;
		size_t end = (size_t)(lf - in.at) + 1;

		if (end < 2 || lf[-1] != '\r')
			return err_set(e, ERR_INVALID, "a line that does not end in CR LF");
		if (end == 2 || (end >= 4 && lf[-2] == '\n')) {
			*len = end;
			return 0;
		}
		*scanned = at = end;
	}
	*len = 0;
	return 0;
}

int http1_read_request(struct arena *a, str head, size_t fields_max, struct http_request *to,
	struct http1_head *h, struct err *e)
{
	str rest;

	*h = (struct http1_head){.refusal = TOO_LARGE};
	TRY(arena_str_try(a, head, &rest, e));
	TRY(read_request_line(cut_line(&rest), to, h, e));
	h->refusal = BAD_REQUEST;
	if (http1_read_fields(a, rest, fields_max, &to->headers, e) < 0) {
		h->refusal = e->kind == ERR_LIMIT ? TOO_LARGE : BAD_REQUEST;
		return -1;
	}
	TRY(frame_request(to, h, e));
	to->authority = http_header(&to->headers, STR("host"));
	int result = http_read_target(a, to, e);

	if (result < 0 && e->kind == ERR_LIMIT)
		h->refusal = TOO_LARGE;
	return result;
}

static int read_status_line(str line, struct http_response *to, struct http1_head *h, struct err *e)
{
	bool is_http11 = str_starts(line, STR("HTTP/1.1 "));
	str rest = str_slice(line, sizeof("HTTP/1.1 ") - 1, line.len), reason = rest;
	str status = str_cut(&reason, ' ');
	uint64_t number;

	h->is_http10 = str_starts(line, STR("HTTP/1.0 "));
	if ((!is_http11 && !h->is_http10) || status.len != 3 || !str_to_u64(status, &number) ||
		number < 100 || status.at[0] == '+' || !http_is_field_value(reason))
		return err_set(e, ERR_INVALID, "not a status line of HTTP/1.1");
	to->status = (int)number;
	return 0;
}

int http1_read_response(struct arena *a, str head, size_t fields_max, bool answers_head,
	struct http_response *to, struct http1_head *h, struct err *e)
{
	struct http_response r = {0};
	str rest;

	*h = (struct http1_head){0};
	TRY(arena_str_try(a, head, &rest, e));
	TRY(read_status_line(cut_line(&rest), &r, h, e));
	TRY(http1_read_fields(a, rest, fields_max, &r.headers, e));
	h->keep_alive = !h->is_http10 &&
		!http_header_has_token(&r.headers, STR("connection"), STR("close"));

	str coding = http_header(&r.headers, STR("transfer-encoding"));

	if (answers_head || r.status < 200 || r.status == 204 || r.status == 304) {
		h->framing = HTTP1_NO_BODY;
	} else if (coding.at) {
		if (!str_eq_ignoring_case(coding, STR("chunked")) || h->is_http10 ||
			count_fields(&r.headers, STR("transfer-encoding")) > 1 ||
			count_fields(&r.headers, STR("content-length")) > 0)
			return err_set(e, ERR_INVALID, "an ambiguous or unknown transfer coding");
		h->framing = HTTP1_CHUNKED;
	} else if (count_fields(&r.headers, STR("content-length")) > 0) {
		TRY(read_length(&r.headers, h, e));
	} else {
		h->framing = HTTP1_UNTIL_CLOSE;
		h->keep_alive = false;
	}
	*to = r;
	return 0;
}

static int read_field(str line, struct http_field *to, struct err *e)
{
	str value = line, name = str_cut(&value, ':');

	if (!value.at || !http_is_token(name))
		return err_set(e, ERR_INVALID, "not a header field");
	if (!http_is_field_value(value))
		return err_set(e, ERR_INVALID, "a control character in a header field");
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] >= 'A' && name.at[i] <= 'Z')
			((char *)name.at)[i] |= 32;
	*to = (struct http_field){name, str_trim(value)};
	return 0;
}

/* `lines` is the arena's own copy: names are turned to lower case in place. */
int http1_read_fields(
	struct arena *a, str lines, size_t fields_max, struct http_headers *to, struct err *e)
{
	struct http_headers read = {0};

	for (str rest = lines; rest.len > 0;) {
		str line = cut_line(&rest);
		struct http_field field;

		if (line.len == 0)
			break;
		if (read.len == fields_max)
			return err_set(e, ERR_LIMIT, "more than %zu header fields", fields_max);
		TRY(read_field(line, &field, e));
		TRY(http_header_add(&read, a, field.name, field.value, e));
	}
	*to = read;
	return 0;
}

static str origin_of_absolute(str target, str *authority)
{
	ptrdiff_t colon = str_find(target, STR("://"));
	str rest = str_slice(target, (size_t)colon + 3, target.len);
	size_t end = 0;

	while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
		end++;
	*authority = str_slice(rest, 0, end);
	return str_slice(rest, end, rest.len);
}

int http_read_target(struct arena *a, struct http_request *r, struct err *e)
{
	str rest = r->target;

	for (size_t i = 0; i < rest.len; i++)
		if (rest.at[i] <= ' ' || rest.at[i] >= 0x7f || rest.at[i] == '#')
			return err_set(
				e, ERR_INVALID, "a character in the target that must be encoded");
	if (str_eq(rest, STR("*")) && str_eq(r->method, STR("OPTIONS"))) {
		r->path = rest;
		return 0;
	}
	if (str_starts(rest, STR("http://")) || str_starts(rest, STR("https://"))) {
		rest = origin_of_absolute(rest, &r->authority);
		if (rest.len == 0 || rest.at[0] == '?')
			return err_set(e, ERR_INVALID, "a target without a path");
	}
	if (rest.len == 0 || rest.at[0] != '/')
		return err_set(e, ERR_INVALID, "the target is not a path");
	r->query = rest;
	return url_decode(a, str_cut(&r->query, '?'), false, &r->path, e);
}

void http1_add_field(struct buf *to, str name, str value)
{
	char *at = buf_reserve(to, name.len + value.len + 4);

	if (!at)
		return;
	buf_add_str(to, name);
	buf_add_str(to, STR(": "));
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.at[i];

		buf_add_char(to, (c < 0x20 && c != '\t') || c == 0x7f ? ' ' : (char)c);
	}
	buf_add_str(to, STR("\r\n"));
}

void http1_add_status(struct buf *to, int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {{100, "Continue"}, {101, "Switching Protocols"}, {200, "OK"},
		{201, "Created"}, {202, "Accepted"}, {204, "No Content"},
		{301, "Moved Permanently"}, {302, "Found"}, {304, "Not Modified"},
		{307, "Temporary Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"},
		{403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
		{406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"},
		{413, "Request Entity Too Large"}, {415, "Unsupported Media Type"},
		{417, "Expectation Failed"}, {422, "Unprocessable Entity"},
		{429, "Too Many Requests"}, {431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
		{503, "Service Unavailable"}, {504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"}};
	const char *reason = "";

	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			reason = reasons[i].reason;
	buf_add_str(to, STR("HTTP/1.1 "));
	buf_add_u64(to, (uint64_t)status);
	buf_add_char(to, ' ');
	buf_add_str(to, str_of(reason));
	buf_add_str(to, STR("\r\n"));
}

static int refuse(struct http1_head *h, int status, struct err *e, const char *why)
{
	h->refusal = status;
	return err_set(e, ERR_INVALID, "%s", why);
}

/* Every line ends in CR LF: http1_find_end has seen to it. */
static str cut_line(str *rest)
{
	str line = str_cut(rest, '\n');

	return str_slice(line, 0, line.len - 1);
}

static int read_request_line(str line, struct http_request *to, struct http1_head *h, struct err *e)
{
	str version = line, method = str_cut(&version, ' '), target = str_cut(&version, ' ');

	if (!http_is_token(method) || target.len == 0 || !version.at ||
		!str_starts(version, STR("HTTP/")) || str_find_char(version, ' ') >= 0)
		return refuse(h, BAD_REQUEST, e, "not a request line");
	h->is_http10 = str_eq(version, STR("HTTP/1.0"));
	if (!h->is_http10 && !str_eq(version, STR("HTTP/1.1")))
		return refuse(h, VERSION_NOT_SUPPORTED, e, "neither HTTP/1.1 nor HTTP/1.0");
	if (str_eq(method, STR("CONNECT")))
		return refuse(h, NOT_IMPLEMENTED, e, "CONNECT is not for this server");
	to->method = method;
	to->target = target;
	return 0;
}

static bool is_host_value(str host)
{
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.at[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"#/<>?@\\^`{|},", c))
			return false;
	}
	return true;
}

static int frame_by_coding(str coding, struct http1_head *h, struct err *e)
{
	if (h->is_http10)
		return refuse(h, BAD_REQUEST, e, "Transfer-Encoding in HTTP/1.0");
	if (!str_eq_ignoring_case(coding, STR("chunked")))
		return refuse(h, NOT_IMPLEMENTED, e, "a transfer coding other than chunked");
	h->framing = HTTP1_CHUNKED;
	return 0;
}

static int frame_request(const struct http_request *r, struct http1_head *h, struct err *e)
{
	const struct http_headers *f = &r->headers;
	size_t hosts = count_fields(f, STR("host"));
	size_t codings = count_fields(f, STR("transfer-encoding"));
	size_t lengths = count_fields(f, STR("content-length"));
	str expect = http_header(f, STR("expect"));

	if (hosts > 1 || (hosts == 0 && !h->is_http10) ||
		!is_host_value(http_header(f, STR("host"))))
		return refuse(h, BAD_REQUEST, e, "not exactly one valid Host");
	if (codings + lengths > 1)
		return refuse(h, BAD_REQUEST, e, "the length of the body is ambiguous");
	if (codings)
		TRY(frame_by_coding(http_header(f, STR("transfer-encoding")), h, e));
	if (lengths)
		TRY(read_length(f, h, e));
	if (expect.at && !str_eq_ignoring_case(expect, STR("100-continue")))
		return refuse(h, EXPECTATION_FAILED, e, "an expectation other than 100-continue");
	h->expects_continue = expect.at && !h->is_http10 && h->framing != HTTP1_NO_BODY;
	h->keep_alive = !h->is_http10 && !http_header_has_token(f, STR("connection"), STR("close"));
	return 0;
}

static int read_length(const struct http_headers *h, struct http1_head *to, struct err *e)
{
	str text = http_header(h, STR("content-length"));
	uint64_t length;

	if (count_fields(h, STR("content-length")) > 1 || text.len == 0 || text.at[0] < '0' ||
		text.at[0] > '9' || !str_to_u64(text, &length) || length > INT64_MAX)
		return refuse(to, BAD_REQUEST, e, "Content-Length is not one number");
	to->length_bytes = length;
	to->framing = length ? HTTP1_LENGTH : HTTP1_NO_BODY;
	return 0;
}

static size_t count_fields(const struct http_headers *h, str name)
{
	size_t count = 0;

	for (size_t i = 0; i < h->len; i++)
		count += str_eq(h->at[i].name, name);
	return count;
}
