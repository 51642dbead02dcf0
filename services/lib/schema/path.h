/*
 * Ways into an object: "spec.containers[0].name", "metadata.labels[example.com/a]", or a
 * JSON pointer (RFC 6901), "/spec/containers/0/name". Names are JSON's; an inline
 * struct's members are its owner's.
 *
 * Errors: ERR_NOT_FOUND if the object has nothing there, ERR_INVALID if its type cannot.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/schema/type.h"

/* A value in an object: `at` points to what `field` describes, the whole list or map if that has
 * one, or with `in_element` to one element of it. */
struct place {
	const struct type *owner;
	const struct field *field;
	void *at;
	bool in_element;
};

/* An empty path is no place: it would be the object itself. */
NODISCARD int path_find(
	const struct type *t, const void *o, str path, struct place *to, struct err *e);
NODISCARD int path_find_pointer(
	const struct type *t, const void *o, str pointer, struct place *to, struct err *e);

/* The value as text, as field selectors compare it and messages show it: strings bare, the rest as
 * JSON. Nothing for a pointer that is nil. */
void path_put_text(struct buf *b, const struct place *p);
