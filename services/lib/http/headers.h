/*
 * Header fields: a list in the order received. Names of received fields are in lower case,
 * whichever version of HTTP they came by; names to be sent may be in any case. Threading: one
 * thread at a time.
 *
 * Ownership: the array and the text belong to an arena.
 */
#pragma once

#include "lib/base/arena.h"

struct http_field {
	str name, value;
};

struct http_headers {
	struct http_field *at;
	size_t len, cap;
};

/* HTTP_HEADERS({STR("x"), STR("y")}, ...):
 * a list for a call, living as long as the enclosing block. */
#define HTTP_HEADERS(...) \
	(&(const struct http_headers){ \
		.at = (struct http_field[]){__VA_ARGS__}, \
		.len = sizeof((struct http_field[]){__VA_ARGS__}) / sizeof(struct http_field), \
	})

/* The first value; absent when there is none. */
str http_header(const struct http_headers *h, str name);

/* Whether the comma-separated lists of all fields of that name contain `token`, ignoring case. */
bool http_header_has_token(const struct http_headers *h, str name, str token);

/* Appends; borrows name and value. */
NODISCARD int http_header_add(
	struct http_headers *h, struct arena *a, str name, str value, struct err *e);

/* token (RFC 9110, 5.6.2): methods and field names. */
bool http_is_token(str s);

/* Visible characters, blanks inside and bytes from 0x80 on; no other control characters. */
bool http_is_field_value(str s);
