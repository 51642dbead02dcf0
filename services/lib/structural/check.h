/*
 * Between the files that check values: value.c walks, limits.c looks at one value, list_type.c at
 * lists whose items are told apart, format.c knows formats.
 */
#pragma once

#include "lib/codec/json.h"
#include "lib/structural/value.h"

/* A value being looked at, and what is held against it. */
struct check {
	const struct structural *structural;
	const struct field_path *base; /* in front of every path; NULL: none */
	struct arena *arena;
	struct causes *causes;
	size_t matched; /* by how much alternatives that fail come close */
};

/* "spec.x in body" + what; the value as messages show it. */
void check_fail(struct check *k, enum cause_kind kind, str path, struct cause_value value,
	const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The path of a cause: behind the base. */
const struct field_path *check_path(struct check *k, str path);
struct cause_value check_show(struct check *k, const struct json_item *v);

/* limits.c: false if the value is of a wrong type. */
bool check_type(struct check *k, const struct crd_json_schema_props *s, const struct json_item *v,
	str path);
void check_limits(struct check *k, const struct crd_json_schema_props *s, const struct json_item *v,
	str path);
void check_enum(struct check *k, const struct crd_json_schema_props *s, const struct json_item *v,
	str path);

/* Members in any order. */
bool item_equal(struct arena *a, const struct json_item *x, const struct json_item *y);

/* list_type.c */
void check_list_types(struct causes *c, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct field_path *p);

/* format.c: 1 the text has the format, 0 it has not, -1 nobody knows the format. */
int format_check(str format, str text);
