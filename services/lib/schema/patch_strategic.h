/*
 * What the two halves of strategic merge patch share:
 * maps in patch_strategic.c, lists in patch_list.c.
 */
#pragma once

#include "lib/schema/patch.h"

/* Where in the Go types a value stands: a struct, or what is none and cannot be looked into. */
struct smp_place {
	const struct type *type; /* NULL: not one of the schema's structs */
	const char *go_kind;     /* "struct", "map", "string", as Go's reflection calls it */
	const char *go_name;     /* of a struct without a type */
};

enum smp_strategy { SMP_NONE, SMP_MERGE, SMP_REPLACE };

struct smp_meta {
	enum smp_strategy strategy;
	str merge_key; /* "" if there is none */
};

NODISCARD int smp_merge_maps(struct arena *a, struct tree *original, struct tree *patch,
	const struct smp_place *place, struct tree **to, struct err *e);

/* A list under "$deleteFromPrimitiveList/" takes away what it holds. */
NODISCARD int smp_merge_lists(struct arena *a, struct tree *original, struct tree *patch,
	const struct smp_place *place, str merge_key, bool is_delete_list, struct tree **to,
	struct err *e);

/*
 * Puts the items of `merged` that `first` names in `first`'s order, between the others in the
 * order of `server`, as $setElementOrder asks.
 */
NODISCARD int smp_order(struct arena *a, struct tree *merged, const struct tree *first,
	const struct tree *server, str merge_key, bool of_maps, struct tree **to, struct err *e);

/* Whether all items are maps. Fails on several types and on lists. Either list may be NULL. */
NODISCARD int smp_element_type(
	const struct tree *one, const struct tree *other, bool *of_maps, struct err *e);

/* As Go's %v prints maps and slices. */
void smp_put_go(struct buf *b, const struct tree *t);

NODISCARD int smp_no_merge_key(const struct tree *object, str key, struct err *e) COLD;
NODISCARD int smp_bad_type(enum json_kind expected, const struct tree *have, struct err *e) COLD;
NODISCARD int smp_bad_directive(
	const struct tree *directive, const struct tree *object, struct err *e) COLD;

static inline bool smp_is(const struct tree *t, str text)
{
	return t->kind == JSON_STRING && str_eq(t->text, text);
}
