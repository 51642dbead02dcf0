#include "lib/http/url.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443, PORT_DIGITS = 5 };

static bool is_host(str host);

static int split_scheme(str text, struct url *to, str *rest, struct err *e)
{
	static const struct {
		str prefix, scheme;
		uint16_t port;
	} schemes[] = {
		{STR_INIT("https://"), STR_INIT("https"), HTTPS_PORT},
		{STR_INIT("http://"), STR_INIT("http"), HTTP_PORT},
	};

	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (!str_eq_ignoring_case(
			    str_slice(text, 0, schemes[i].prefix.len), schemes[i].prefix))
			continue;
		to->scheme = schemes[i].scheme;
		to->port = schemes[i].port;
		*rest = str_slice(text, schemes[i].prefix.len, text.len);
		return 0;
	}
	return err_set(e, ERR_INVALID, "a URL begins with http:// or https://");
}

int url_parse(str text, struct url *to, struct err *e)
{
	struct url url = {.query = {NULL, 0}};
	size_t end = 0;
	str rest;

	TRY(split_scheme(text, &url, &rest, e));
	for (size_t i = 0; i < rest.len; i++) {
		unsigned char c = (unsigned char)rest.at[i];

		if (c <= ' ' || c >= 0x7f || c == '#')
			return err_set(e, ERR_INVALID,
				"a URL with a blank, control character or fragment");
	}
	while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
		end++;
	TRY(url_split_authority(str_slice(rest, 0, end), url.port, &url.host, &url.port, e));

	str query = str_slice(rest, end, rest.len), path = str_cut(&query, '?');

	url.path = path.len ? path : STR("/");
	url.query = query;
	*to = url;
	return 0;
}

static int parse_port(str text, uint16_t *to, struct err *e)
{
	uint64_t port;

	if (text.len > PORT_DIGITS || !str_to_u64(text, &port) || text.at[0] == '+' || port == 0 ||
		port > UINT16_MAX)
		return err_set(e, ERR_INVALID, "a port that is not a number from 1 to 65535");
	*to = (uint16_t)port;
	return 0;
}

int url_split_authority(
	str authority, uint16_t default_port, str *host, uint16_t *port, struct err *e)
{
	bool bracketed = authority.len > 0 && authority.at[0] == '[';
	ptrdiff_t end = str_find_char(authority, bracketed ? ']' : ':');
	uint16_t found_port = default_port;
	str name, rest;

	if (bracketed && end < 0)
		return err_set(e, ERR_INVALID, "an address without its closing bracket");
	if (end < 0)
		end = (ptrdiff_t)authority.len;
	name = str_slice(authority, bracketed, (size_t)end - bracketed);
	rest = str_slice(authority, (size_t)end + bracketed, authority.len);
	if (rest.len > 0 && rest.at[0] != ':')
		return err_set(e, ERR_INVALID, "something else than a port behind an address");
	if (rest.len > 0)
		TRY(parse_port(str_slice(rest, 1, rest.len), &found_port, e));
	if (!is_host(name))
		return err_set(e, ERR_INVALID, "not a host name");
	*host = name;
	*port = found_port;
	return 0;
}

int url_decode(struct arena *a, str in, bool plus_is_space, str *to, struct err *e)
{
	bool encoded = str_find_char(in, '%') >= 0 ||
		(plus_is_space && str_find_char(in, '+') >= 0);

	if (!encoded) {
		*to = in;
		return 0;
	}
	char *out = arena_try(a, in.len + 1);
	size_t len = 0;

	if (!out)
		return arena_full(a, e);
	for (size_t i = 0; i < in.len; i++) {
		char c = in.at[i];

		if (c == '%') {
			int high = i + 2 < in.len ? str_hex_digit(in.at[i + 1]) : -1;
			int low = high >= 0 ? str_hex_digit(in.at[i + 2]) : -1;

			if (low < 0)
				return err_set(e, ERR_INVALID, "invalid URL escape");
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		out[len++] = c;
	}
	*to = str_span(out, len);
	return 0;
}

void url_add_encoded(struct buf *to, str text, enum url_part part)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *others = part == URL_PATH_SEGMENT ? "-_.~$&+=:@" : "-_.~";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		bool alphanumeric = str_is_alphanumeric(text.at[i]);

		if (alphanumeric || (c && strchr(others, c))) {
			buf_add_char(to, (char)c);
		} else {
			buf_add_char(to, '%');
			buf_add_char(to, hex[c >> 4]);
			buf_add_char(to, hex[c & 15]);
		}
	}
}

int url_query_parse(struct arena *a, str query, struct url_query *to, struct err *e)
{
	void *params = NULL;
	size_t len = 0, cap = 0;

	for (str rest = query; rest.at;) {
		str value = str_cut(&rest, '&');

		if (str_find_char(value, ';') >= 0)
			return err_set(e, ERR_INVALID, "invalid semicolon separator in query");
		if (value.len == 0)
			continue;
		str name = str_cut(&value, '=');

		if (!value.at)
			value = STR("");
		if (arena_grow(a, &params, len, &cap, sizeof(struct url_param)) < 0)
			return arena_full(a, e);
		struct url_param *p = (struct url_param *)params + len++;

		TRY(url_decode(a, name, true, &p->name, e));
		TRY(url_decode(a, value, true, &p->value, e));
	}
	*to = (struct url_query){params, len};
	return 0;
}

str url_query_get(const struct url_query *q, str name)
{
	for (size_t i = 0; i < q->len; i++)
		if (str_eq(q->params[i].name, name))
			return q->params[i].value;
	return (str){NULL, 0};
}

static bool is_host(str host)
{
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.at[i];
		bool alphanumeric = str_is_alphanumeric(host.at[i]);

		if (!alphanumeric && (!c || !strchr("-._~:", c)))
			return false;
	}
	return host.len > 0;
}
