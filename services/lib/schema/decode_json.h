/*
 * Between decode_json.c, which walks, and decode_json_value.c, which reads one value.
 */
#pragma once

#include "lib/codec/json.h"
#include "lib/schema/path.h"
#include "lib/schema/walk.h"

/* The way from the root to where the decoder is, innermost first, on the C stack. */
struct step {
	const struct step *up;
	const struct type *owner; /* of a field; NULL for an element */
	const struct field *field;
	str key;      /* of a map's element */
	size_t index; /* of a list's element, if key.at is NULL */
};

struct json_decoder {
	struct arena *arena;
	struct notes *notes; /* NULL: nobody asks */
	const struct step *at;
	struct err *e;
};

/* decode_open.c: what an open struct keeps as text beside its fields. */
struct json_kept {
	struct str_map map;
	size_t cap;
};

/* Whether a member has no row here (`f` NULL) but stays, or does not fit its row. */
bool json_keeps(const struct type *t, const struct field *f, const struct json_item *member);
NODISCARD int json_keep(
	struct json_decoder *d, struct json_kept *kept, const struct json_item *member);

/* Makes a field nil again: of members of one name the last counts, none of the others. */
void json_forget(const struct field *f, void *o);

/* A whole number however it is written: 1.0 is an integer to JSON Schema. */
bool json_whole(const struct json_item *item, int64_t *to);

/* Behind the last member. */
NODISCARD int json_settle(
	struct json_decoder *d, const struct type *t, void *o, struct json_kept *kept);

/* The text of a value as Go would marshal it again: members sorted, numbers normal. Notes what
 * stands twice in it. */
NODISCARD int json_decode_sorted(struct json_decoder *d, str *to, const struct json_item *item);

/* Any kind but KIND_STRUCT. */
NODISCARD int json_decode_scalar(
	struct json_decoder *d, const struct place *p, const struct json_item *item);

/* Go's message for a value of the wrong kind; `what` as in "number 1.5". Returns -1. */
NODISCARD int json_mismatch(struct json_decoder *d, const struct place *p, str what) COLD;

/* "spec.containers[0].name" for notes; ".key" of `last` behind it unless absent. */
NODISCARD int json_note(struct json_decoder *d, const char *what, str last) COLD;
