/*
 * Types: how fields lie in memory, and questions to the tables (row.h).
 *
 * A value is embedded, a pointer is a pointer, a list is LIST(T), a map a LIST of entries {str key;
 * T value;} sorted by key. nil and empty differ as in Go: nil has at == NULL.
 *
 * Lifetimes: tables outlive all objects of their types. Threading: immutable.
 */
#pragma once

#include "lib/schema/row.h"
#include "lib/value/duration.h"
#include "lib/value/int_or_string.h"
#include "lib/value/quantity.h"
#include "lib/value/text_map.h"
#include "lib/value/time.h"

#define LIST(T) \
	struct { \
		T *at; \
		size_t len; \
	}

/* Lists and maps of text have names, so that functions can take them:
 * text_map.h; here is one more. */
struct quantity_entry {
	str key;
	struct quantity value;
};

struct quantity_map {
	struct quantity_entry *at;
	size_t len;
};

struct time_entry {
	str key;
	struct time_value value;
};

/* NULL if there is none. */
const struct type *type_find(const struct schema *s, str group, str version, str kind);

/* The same by "apps/v1". */
const struct type *type_find_api_version(const struct schema *s, str api_version, str kind);

/* NULL for a struct that is no object of its own. */
const struct kind *type_kind(const struct type *t) PURE;

/* By JSON name, inline members included; NULL if there is none.
 * Offsets count from the head of `t`. */
const struct field *type_field(const struct type *t, str json_name) PURE;

/* The type of a struct field, of its elements if it is a list or map; else NULL. */
const struct type *field_type(const struct type *owner, const struct field *f) PURE;

/* Of the built-in kinds: the size of one value in memory, without the shape around it. */
size_t field_value_bytes(const struct type *owner, const struct field *f) PURE;

/* A type, and the same type among the rows of a schema made at run time. */
static inline bool type_same(const struct type *a, const struct type *b)
{
	return a && b && a->schema == b->schema && a->go_name == b->go_name &&
		a->module == b->module;
}

static inline str type_text(const struct type *t, struct text text)
{
	return str_span(t->schema->text + text.at, text.len);
}

/* Go's name: "v1.PodSpec", and without its package. */
static inline const char *type_go_name(const struct type *t)
{
	return t->schema->text + t->go_name;
}

static inline const char *type_name(const struct type *t)
{
	return strchr(type_go_name(t), '.') + 1;
}

static inline str field_name(const struct type *owner, const struct field *f)
{
	return str_span(owner->schema->text + f->name, f->name_len);
}

static inline const struct field_rules *field_rules(const struct type *owner, const struct field *f)
{
	return &owner->schema->rules[f->rules];
}

/* Fields in JSON's order: for (f = json_fields(t); f < json_fields_end(t); f++). */
static inline const struct field *json_fields(const struct type *t)
{
	return &t->schema->fields[t->json_fields];
}

static inline const struct field *json_fields_end(const struct type *t)
{
	return json_fields(t) + t->json_count;
}

/* Its own fields, an inline struct being one of them. */
static inline const struct field *own_fields(const struct type *t)
{
	return &t->schema->fields[t->fields];
}

static inline const struct field *own_fields_end(const struct type *t)
{
	return own_fields(t) + t->field_count;
}

static inline void *field_at(const void *o, const struct field *f)
{
	return (char *)o + f->offset;
}

/* The two bits of a field. */
static inline bool field_present(const void *o, const struct field *f)
{
	return ((const uint8_t *)o)[f->has >> 3] >> (f->has & 7) & 1;
}

static inline bool field_null(const void *o, const struct field *f)
{
	return ((const uint8_t *)o)[f->has >> 3] >> (f->has & 7) & 2;
}

static inline void field_set_present(void *o, const struct field *f, bool null)
{
	((uint8_t *)o)[f->has >> 3] |= (uint8_t)((null ? 3 : 1) << (f->has & 7));
}
