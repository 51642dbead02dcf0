/*
 * Between the files of sets: making them.
 */
#pragma once

#include "lib/schema/fields.h"

int scalar_compare(const struct scalar *a, const struct scalar *b) PURE;
int step_compare(const struct field_step *a, const struct field_step *b) PURE;

static inline struct field_step step_of_field(str name)
{
	return (struct field_step){.kind = STEP_FIELD, .name = name};
}

/* Adds at the end, in any order, unless there is nothing in it; set_sort ends the adding. */
void set_add(struct fields *w, struct field_set *s, const struct field_node *n);
void set_sort(struct field_set *s);

/* NULL if there is none. */
const struct field_node *set_find(const struct field_set *s, const struct field_step *step) PURE;

/* In the arena, where it needs room. */
struct scalar scalar_of_json(struct fields *w, const struct json_item *item);

void step_put_text(struct buf *b, const struct field_step *s); /* .name, [key="x"] */
