/*
 * Between the files that walk objects for their fields: a value and what the rows say of it, be it
 * in a struct or in a tree of JSON. Mirrors schema.Atom and value.Value of structured-merge-diff.
 */
#pragma once

#include "lib/schema/fields_set.h"
#include "lib/schema/walk.h"

enum atom {
	ATOM_SCALAR,
	ATOM_STRUCT,
	ATOM_MAP,
	ATOM_LIST,
	ATOM_DEDUCED, /* any JSON: maps are walked, lists are one unit */
	ATOM_UNTYPED, /* any JSON: one unit */
};

/* What the schema says of a value. */
struct fields_kind {
	enum atom atom;
	bool whole; /* a list, map or struct that is one unit */
	bool keyed, set;
	const struct type *type;   /* ATOM_STRUCT: its type; else the row's owner */
	const struct field *field; /* the row; NULL for structs and any JSON */
};

/* What the value is. */
enum view_form { VIEW_ABSENT, VIEW_NULL, VIEW_SCALAR, VIEW_LIST, VIEW_MAP };

struct view {
	struct fields_kind kind;
	enum view_form form;
	const void *at; /* in a struct: the value, the whole list or map */
	const struct tree *tree;
};

struct fields_kind kind_of_type(const struct type *t);
struct fields_kind kind_of_field(const struct type *owner, const struct field *f);
struct fields_kind kind_of_element(const struct fields_kind *k); /* of a list or map */

/* What a member of that name would be; false: the type has none. */
bool kind_of_member(const struct fields_kind *k, str name, struct fields_kind *to, bool *declared);

struct view view_of(struct fields *w, const struct fielded *o);
struct view view_of_tree(struct fields_kind k, const struct tree *t); /* NULL: absent */

/* What a struct holds: one value, not the list or map around it; a field, absent where JSON has no
 * key for it. */
struct view view_of_value(struct fields *w, struct fields_kind k, const void *at);
struct view view_of_field(
	struct fields *w, const struct type *t, const struct field *f, const void *o);

static inline bool view_is_there(const struct view *v)
{
	return v->form != VIEW_ABSENT;
}

/* Elements of a list, members of a map or struct; of anything else none. */
size_t view_count(const struct view *v);
struct view view_element(struct fields *w, const struct view *list, size_t i);
struct scalar view_scalar(struct fields *w, const struct view *v);
bool view_same(struct fields *w, const struct view *a, const struct view *b);

/* Members of two maps or structs side by side; either may be absent or null. */
struct zip {
	const struct view *sides[2];
	const struct field *next; /* row of a struct */
	size_t at[2];
	int side;          /* whose entries come now */
	bool changes_only; /* members that are the same may be left out */
};

struct member {
	str name;
	bool declared; /* by a row */
	struct view sides[2];
};

struct zip zip_begin(const struct view *a, const struct view *b);
bool zip_next(struct fields *w, struct zip *z, struct member *m);

/*
 * Elements of two lists that are sets or have keys, those of one step together. `ids` tells each
 * element's group. Faults where an element has no step; `duplicates` where the second list has one
 * step twice.
 */
struct group {
	struct field_step step;
	uint32_t count[2], first[2];
};

struct groups {
	struct group *at;
	uint32_t len;
	uint32_t *ids[2], lens[2];
};

struct groups groups_of(struct fields *w, const struct view *a, const struct view *b);

/* The step to a list's element; false and a message in `why` where it has none. */
bool step_of_element(struct fields *w, const struct fields_kind *list, const struct view *element,
	struct field_step *to, struct err *why);
