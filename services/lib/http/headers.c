#include "lib/http/headers.h"

str http_header(const struct http_headers *h, str name)
{
	for (size_t i = 0; i < h->len; i++)
		if (str_eq_ignoring_case(h->at[i].name, name))
			return h->at[i].value;
	return (str){NULL, 0};
}

bool http_header_has_token(const struct http_headers *h, str name, str token)
{
	for (size_t i = 0; i < h->len; i++) {
		if (!str_eq_ignoring_case(h->at[i].name, name))
			continue;
		for (str rest = h->at[i].value; rest.at;)
			if (str_eq_ignoring_case(str_trim(str_cut(&rest, ',')), token))
				return true;
	}
	return false;
}

int http_header_add(struct http_headers *h, struct arena *a, str name, str value, struct err *e)
{
	void *at = h->at;

	if (arena_grow(a, &at, h->len, &h->cap, sizeof(*h->at)) < 0)
		return arena_full(a, e);
	h->at = at;
	h->at[h->len++] = (struct http_field){name, value};
	return 0;
}

bool http_is_token(str s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		bool alphanumeric = str_is_alphanumeric(s.at[i]);

		if (!alphanumeric && !memchr(others, c, sizeof(others) - 1))
			return false;
	}
	return s.len > 0;
}

bool http_is_field_value(str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}
