/*
 * Rows at run time: a struct schema put together type by type, as the generator does it for the
 * built-in ones. Types below come first, the root last.
 *
 * Ownership: everything lives in the layout's arena; texts given are copied. Threading: one thread
 * until it is finished, then immutable.
 * Errors: ERR_LIMIT where rows refer to each other by fewer bits than there are rows.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/schema/row.h"

struct layout_field {
	str name;
	enum field_kind kind;
	enum field_shape shape;
	uint16_t type;  /* of KIND_STRUCT: what layout_add or layout_import gave */
	unsigned flags; /* enum field_flags; FIELD_DEFAULT follows from the text */
	str default_json, list_keys;
};

struct layout {
	struct arena *arena;
	struct schema *schema;
	struct type *types;
	struct field *fields;
	struct field_go *go;
	struct field_rules *rules;
	uint16_t *lookup;
	const void **defaults;
	struct buf text;
	size_t type_cap, field_count, field_cap, go_cap, rules_count, rules_cap;
	size_t lookup_count, lookup_cap;
};

void layout_init(struct layout *l, struct arena *a);

/* What layout_finish did not take over. */
void layout_free(struct layout *l);

/* An open struct (`flags` beside TYPE_OPEN), its fields sorted by name; with `object` a
 * struct object at the head, of which `fields` has rows. */
NODISCARD int layout_struct(struct layout *l, const struct layout_field *fields, size_t count,
	unsigned flags, bool object, uint16_t *to, struct err *e);

/* A list or map as a type of its own, for lists of lists. */
NODISCARD int layout_list(
	struct layout *l, const struct layout_field *only, uint16_t *to, struct err *e);

/* A type of another schema, which outlives this one. */
NODISCARD int layout_import(struct layout *l, const struct type *t, uint16_t *to, struct err *e);

/* The last type added is the root, of this kind. Defaults that do not fit are left out. */
NODISCARD int layout_finish(struct layout *l, str group, str version, str kind,
	const struct type **root, struct err *e);
