/*
 * Sets of fields: which parts of an object somebody owns, as managedFields tell it (FieldsV1), and
 * what server-side apply does with them. Mirrors sigs.k8s.io/structured-merge-diff: the set of an
 * object, what a change adds, modifies and removes, the merge of an applied object into a live one
 * by list types and keys, the removal of a set.
 *
 * A set is a tree of steps, sorted at every level; a node without members in or below it is not
 * there. An object is a struct or a tree of JSON; of both the rows (row.h) say what is one unit,
 * what is a list with keys, what is a map, so that custom resources need nothing of their own.
 *
 * Memory: everything lives in the arena, and results share nodes with what they were made of:
 * nothing here is changed once made. Functions do not check each allocation: what does not fit is
 * left out, the first fault stays in `struct fields`, and the caller asks fields_ok once at the
 * end; before that results mean nothing. Threading: one thread at a time.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/codec/tree.h"
#include "lib/schema/type.h"
#include "lib/value/text_map.h"

struct fields {
	struct arena *arena;
	bool failed;
	struct err why; /* of the first fault */
};

enum scalar_kind { /* in upstream's order */
	SCALAR_NUMBER,
	SCALAR_STRING,
	SCALAR_BOOL,
	SCALAR_OTHER, /* what no list of ours has as key: its JSON text */
	SCALAR_NULL,
};

struct scalar {
	uint8_t kind; /* enum scalar_kind */
	bool is_real;
	union {
		int64_t whole;
		double real;
		bool truth;
		str text;
	};
};

enum step_kind {    /* in upstream's order */
	STEP_FIELD, /* a member of a struct or map */
	STEP_KEYS,  /* the element with these keys */
	STEP_VALUE, /* the element that is this value */
	STEP_INDEX,
	STEP_ANY, /* any step: in patterns only */
};

struct step_key {
	str name;
	struct scalar value;
};

struct field_step {
	uint8_t kind; /* enum step_kind */
	uint32_t key_count;
	union {
		str name;
		struct scalar value;
		const struct step_key *keys; /* by name */
		int64_t index;
	};
};

struct field_set {
	struct field_node *at;
	uint32_t len, cap;
};

struct field_node {
	struct field_step step;
	bool member;            /* what the steps lead to is in the set */
	struct field_set below; /* so are these */
};

/* The first fault, if there was one: ERR_LIMIT for want of memory, ERR_INVALID of an object. */
NODISCARD int fields_ok(const struct fields *w, struct err *e);

/* Notes the first fault. */
void fields_fault(struct fields *w, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Zeroed; NULL past the limit, which is noted. */
void *fields_alloc(struct fields *w, size_t count, size_t size);

/* --- sets */

bool fields_equal(const struct field_set *a, const struct field_set *b) PURE;

struct field_set fields_union(
	struct fields *w, const struct field_set *a, const struct field_set *b);
struct field_set fields_intersection(
	struct fields *w, const struct field_set *a, const struct field_set *b);
struct field_set fields_difference(
	struct fields *w, const struct field_set *a, const struct field_set *b);

/* The difference that takes away as well what lies below a member of `b`. */
struct field_set fields_without(
	struct fields *w, const struct field_set *a, const struct field_set *b);

/* What a pattern's paths lead to or through. */
struct field_set fields_within(
	struct fields *w, const struct field_set *a, const struct field_set *pattern);

/* Of paths such as "metadata.labels"; "*" is any step. */
struct field_set fields_of_paths(struct fields *w, const str *paths, size_t count);

/* Its members as messages show them, .spec.containers[name="a"].image, in upstream's order. */
void fields_paths(struct fields *w, const struct field_set *s, struct str_list *to);

/* --- FieldsV1 */

/* What is of no known form is left out, as upstream does. */
struct field_set fields_read(struct fields *w, str json);
void fields_put(struct buf *to, const struct field_set *s);

/* --- objects */

/* An object of `type`: a struct, or with `tree` its JSON, which may have any part missing. */
struct fielded {
	const struct type *type;
	const void *object;
	const struct tree *tree;
};

/* What the object mentions. */
struct field_set fields_of(struct fields *w, const struct fielded *o);

struct field_change {
	struct field_set added, modified, removed;
};

/* Both are of one type. */
struct field_change fields_compare(
	struct fields *w, const struct fielded *before, const struct fielded *now);

bool fields_same(struct fields *w, const struct fielded *a, const struct fielded *b);

/* Faults unless the object fits its type and no list has two elements of the same keys. */
void fields_check(struct fields *w, const struct fielded *o);

/* `live` with what `applied` says in its place. */
const struct tree *fields_merge(
	struct fields *w, const struct fielded *live, const struct fielded *applied);

/* `o` without the list elements, map entries and fields of the set; NULL: nothing is left. */
const struct tree *fields_remove(
	struct fields *w, const struct fielded *o, const struct field_set *s);

/* The set with each named field that something below is a member of. */
struct field_set fields_named(struct fields *w, const struct type *t, const struct field_set *s);

/* The set as it is where lists, maps or structs have become one unit since it was written. */
struct field_set fields_settled(struct fields *w, const struct type *t, const struct field_set *s);
