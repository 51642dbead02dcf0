/*
 * tree: a JSON value that can be changed, for what has no struct: patches, and the parts of
 * custom resources that no schema describes. Objects with a struct never take this way round.
 *
 * Ownership: everything lives in one arena; what is removed stays there until the arena goes.
 * Members keep the order in which they came; a name stands once, its last value counting, as in Go.
 * Threading: one thread at a time. Errors: ERR_INVALID from the text, ERR_LIMIT from the arena.
 */
#pragma once

#include "lib/base/hash.h"
#include "lib/codec/json.h"

struct tree_member {
	str key; /* absent: this one was removed */
	struct tree *value;
};

struct tree {
	enum json_kind kind;
	bool truth; /* of a bool */
	str text;   /* of a string or number */

	/* An array's items, or an object's members with removed ones: see tree_next. */
	size_t len, cap;
	union {
		struct tree **items;
		struct tree_member *members;
	};
	uint32_t *slots; /* of an object too large to search: member by hash of its key */
	struct hash_key hash_key;
};

NODISCARD int tree_read(struct arena *a, str json, struct tree **to, struct err *e);
void tree_put(struct buf *b, const struct tree *t);

/* The same as a text in the arena, of at most so many bytes. */
NODISCARD int tree_text(
	struct arena *a, const struct tree *t, size_t limit_bytes, str *to, struct err *e);

/* NULL if there is none. */
struct tree *tree_get(const struct tree *object, str key);

/* Replaces or adds; the key's bytes must live as long as the arena. */
NODISCARD int tree_set(
	struct arena *a, struct tree *object, str key, struct tree *value, struct err *e);
bool tree_remove(struct tree *object, str key);

/* The members that are there: for (size_t i = 0; (m = tree_next(object, &i));). Removing while
 * walking is allowed. */
struct tree_member *tree_next(const struct tree *object, size_t *at);

/* `at` may be the length. */
NODISCARD int tree_insert(
	struct arena *a, struct tree *array, size_t at, struct tree *value, struct err *e);
void tree_take_out(struct tree *array, size_t at);

/* A value of that kind, empty: null, false, "", [], {}. NULL past the limit. */
NODISCARD struct tree *tree_new(struct arena *a, enum json_kind kind);
NODISCARD int tree_copy(struct arena *a, const struct tree *t, struct tree **to, struct err *e);

/* Members that are null go, at every depth; items of arrays stay. */
void tree_drop_nulls(struct tree *t);

/* Members by key at every depth, as Go marshals a map. */
void tree_sort(struct tree *t);

/* Members in any order; numbers by their text. */
bool tree_equal(const struct tree *a, const struct tree *b);
