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

/* Any kind but KIND_STRUCT. */
NODISCARD int json_decode_scalar(
	struct json_decoder *d, const struct place *p, const struct json_item *item);

/* Go's message for a value of the wrong kind; `what` as in "number 1.5". Returns -1. */
NODISCARD int json_mismatch(struct json_decoder *d, const struct place *p, str what) COLD;

/* "spec.containers[0].name" for notes; ".key" of `last` behind it unless absent. */
NODISCARD int json_note(struct json_decoder *d, const char *what, str last) COLD;
