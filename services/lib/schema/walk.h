/*
 * For the engine's own files: fields in memory, whatever their C type.
 */
#pragma once

#include "lib/schema/object.h"
#include "lib/schema/path.h"

/* Any LIST, and any pointer; reading one through these is exempt from strict aliasing. */
struct any_list {
	void *at;
	size_t len;
} __attribute__((may_alias));

struct any_pointer {
	void *at;
} __attribute__((may_alias));

/* A map's entries: the key, then the value at a fixed distance. */
enum { ENTRY_VALUE = sizeof(str) };

/* Where the `at` of an empty list points that is not nil. */
extern const char object_empty[16];

static inline struct any_list empty_list(void)
{
	return (struct any_list){(void *)(uintptr_t)object_empty, 0};
}

extern const uint8_t kind_bytes[KIND_COUNT]; /* 0 for KIND_STRUCT */

static inline const struct type *row_type(const struct type *owner, const struct field *f)
{
	return &owner->schema->types[f->type];
}

static inline size_t value_bytes(const struct type *owner, const struct field *f)
{
	return f->kind == KIND_STRUCT ? row_type(owner, f)->size_bytes : kind_bytes[f->kind];
}

static inline size_t entry_bytes(const struct type *owner, const struct field *f)
{
	return ENTRY_VALUE + ((value_bytes(owner, f) + 7) & ~(size_t)7);
}

/* From one element of a list or map to the next. */
static inline size_t stride(const struct type *owner, const struct field *f)
{
	return f->shape == SHAPE_MAP ? entry_bytes(owner, f) : value_bytes(owner, f);
}

/* An object knows its type, in lists too. */
static inline void begin_struct(const struct type *t, void *o)
{
	if (t->flags & TYPE_OBJECT)
		((struct object *)o)->type = t;
}

/* Sorts a map's entries by key; of equal keys the last one stays. */
NODISCARD int map_settle(struct arena *a, struct any_list *map, size_t entry, struct err *e);

/* Go's zero value; of a pointer, list or map: nil. */
bool field_is_zero(const struct type *owner, const struct field *f, const void *at) PURE;

/* What JSON has no key for: empty with omitempty, zero with omitzero. */
bool field_is_left_out(const struct type *owner, const struct field *f, const void *at);

NODISCARD int json_decode_struct(
	struct arena *a, const struct type *t, str in, void *o, struct notes *n, struct err *e);
NODISCARD int pb_decode_struct(
	struct arena *a, const struct type *t, str in, void *o, struct err *e);
void json_encode_struct(const struct type *t, const void *o, struct buf *to);
void json_encode_place(const struct place *p, struct buf *to);
void pb_encode_struct(const struct type *t, const void *o, struct buf *to);
void pb_encode_wrapped(
	const struct type *t, const void *o, str api_version, str kind, struct buf *to);

/* The defaults below a field of KIND_STRUCT, whatever its shape. */
void field_default(struct arena *a, const struct type *t, const struct field *f, void *at);

/* A field's value from a JSON text of the program's own, such as a default. */
NODISCARD int json_decode_field(struct arena *a, const struct type *t, const struct field *f,
	str in, void *o, struct err *e);
