/*
 * What one version of a custom resource is: its type, its schema, and the patterns in it.
 *
 * Ownership: all of it lives as long as the definition that it is a part of, which the rows of its
 * resources own (struct resource.owner). Threading: immutable.
 */
#pragma once

#include "lib/base/map.h"
#include "lib/structural/rows.h"

#include <stdatomic.h>

struct structural {
	const struct type *type;
	const struct crd_custom_resource_definition *definition;
	const struct crd_custom_resource_definition_version *version;
	const struct crd_json_schema_props *schema; /* NULL: there is none */
	struct map patterns;                        /* compiled (struct regex), by their text */
	atomic_bool *terminating;                   /* the definition goes: nothing new is made */
};

/* Type and patterns of a version whose definition lives in the arena. */
NODISCARD int structural_init(struct structural *s, struct arena *a,
	const struct crd_custom_resource_definition *definition,
	const struct crd_custom_resource_definition_version *version, struct err *e);

/* The patterns of `s->schema` alone. */
void structural_compile(struct structural *s);

/* What the arena does not free. */
void structural_free(struct structural *s);
