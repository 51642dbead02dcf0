/*
 * Rows of custom resources: a type that the engine of lib/schema walks, made of the structural
 * schema of one version of a CustomResourceDefinition.
 *
 * Each place of a schema is one form in memory. Objects with properties are open structs, those
 * with additionalProperties maps, arrays lists. integer is an int64; number, int-or-string and what
 * the schema leaves open stay JSON text. apiVersion, kind and metadata are those of any object, at
 * the root and in embedded resources.
 *
 * Ownership: the type lives in the arena, and so must all objects of it. Threading: immutable.
 */
#pragma once

#include "api/kinds.h"
#include "lib/base/arena.h"

struct structural_kind {
	str group, version, kind;
};

/* `schema` NULL, or `keeps`: nothing is pruned at the root. */
NODISCARD int structural_rows(struct arena *a, const struct structural_kind *kind,
	const struct crd_json_schema_props *schema, bool keeps, const struct type **to,
	struct err *e);

/* Whether a schema says that unknown members stay. */
static inline bool structural_keeps(const struct crd_json_schema_props *s)
{
	return s->x_kubernetes_preserve_unknown_fields && *s->x_kubernetes_preserve_unknown_fields;
}
