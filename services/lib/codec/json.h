/*
 * JSON (RFC 8259) in Kubernetes' dialect: read through a cursor, written into a buf.
 *
 * Reading: json_parse checks the whole text and indexes it in the arena; items are then walked
 * once, in the order of the text, duplicate keys included, without building anything of our own.
 * What an item points to lives as long as the arena and the text.
 *
 * As in Go, bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD, and a message says
 * what Go's says, since clients see it.
 *
 * Limits: text of JSON_TEXT_MAX bytes, JSON_DEPTH_MAX levels; the arena bounds the number of items.
 * Errors: ERR_INVALID, ERR_LIMIT. Threading: items are immutable.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

enum {
	JSON_TEXT_MAX = 256 << 20,
	JSON_DEPTH_MAX = 1000,
};

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_item {
	str key;        /* inside an object: the member's name, unescaped; else absent */
	str text;       /* string: unescaped; number: as written; else absent */
	const void *at; /* the codec's own */
	size_t count;   /* array: items; object: members */
	enum json_kind kind;
	bool truth; /* of a bool */
};

NODISCARD int json_parse(struct arena *a, str text, struct json_item *root, struct err *e);

/* Walks the items of an array or the members of an object; nothing for other kinds. */
struct json_walk {
	const void *next;
	size_t left;
	bool in_object;
};

struct json_walk json_enter(const struct json_item *container);
bool json_next(struct json_walk *w, struct json_item *item);

/* The last member of that name, which is the one that counts in Go; false if there is none. */
bool json_member(const struct json_item *object, str key, struct json_item *member);

/* "object", "array", "string", "number", "bool", "null": as Go's messages call the kinds. */
str json_kind_name(enum json_kind kind);

/* Exactly an integer in range, no fraction, no exponent, as Go reads a number into an integer. */
NODISCARD bool json_to_i64(const struct json_item *number, int64_t *to);
NODISCARD bool json_to_f64(const struct json_item *number, double *to);

/* Compact text of an item and all below: numbers as written, members in order. */
void json_put_item(struct buf *b, const struct json_item *item);

/*
 * Writing, as Go's encoding/json does: strings escape <, >, &, U+2028, U+2029 and control
 * characters, invalid UTF-8 becomes U+FFFD; doubles in Go's shortest form.
 */
void json_put_str(struct buf *b, str s);
void json_put_f64(struct buf *b, double value);
