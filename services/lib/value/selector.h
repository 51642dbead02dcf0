/*
 * Label selectors (apimachinery/pkg/labels) and field selectors (apimachinery/pkg/fields).
 *
 * Ownership: requirements live in the arena, their texts in the arena or in what was parsed.
 * Threading: immutable after parsing. Errors: ERR_INVALID in upstream's words.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/value/text_map.h"

enum { SELECTOR_TEXT_MAX = 1 << 20 };

enum selector_op {
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EQUALS,
	SELECTOR_DOUBLE_EQUALS,
	SELECTOR_NOT_EQUALS,
	SELECTOR_GREATER,
	SELECTOR_LESS,
	SELECTOR_EXISTS,
	SELECTOR_NOT_EXISTS,
};

struct selector_requirement {
	str key;
	struct str_list values; /* sorted, each once */
	enum selector_op op;
};

/* All requirements hold; none: everything matches. Sorted by key. */
struct selector {
	struct selector_requirement *at;
	size_t len;
};

/* "x in (a,b),!y,z=1". The path stands in front of messages about a key or value, as upstream's
 * option WithPath has it; absent for none. */
NODISCARD int selector_parse(
	struct arena *a, str text, str path, struct selector *to, struct err *e);

/* One requirement from parts, as LabelSelector's matchExpressions give them. Checks all of
 * upstream's rules; `values` is taken over and sorted in place. */
NODISCARD int selector_require(str key, enum selector_op op, struct str_list values, str path,
	struct selector_requirement *to, struct err *e);

/* Sorts values, drops those that are there twice. */
void selector_sort(struct str_list *values);

void selector_put(struct buf *b, const struct selector *s);
bool selector_matches(const struct selector *s, const struct str_map *labels);

/* The only value that `key` can have by this selector; false if it names none. */
bool selector_exact(const struct selector *s, str key, str *value);

/* "a.b=c,d!=e" with \\ \, \= in values. Requirements have EQUALS or NOT_EQUALS and one value. */
NODISCARD int selector_parse_fields(struct arena *a, str text, struct selector *to, struct err *e);
void selector_put_fields(struct buf *b, const struct selector *s);

/* A field that is not there counts as empty. */
bool selector_matches_fields(const struct selector *s, const struct str_map *fields);

/* The value that the field must equal; false if the selector names none. */
bool selector_exact_field(const struct selector *s, str key, str *value);
