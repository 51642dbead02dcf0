/*
 * How a document of OpenAPI v3 is written, for openapi*.c: JSON texts of a group-version's schemas
 * and paths, straight from the tables.
 */
#pragma once

#include "api/kinds.h"
#include "lib/api/resource.h"
#include "lib/codec/json.h"

/* Up to its paths; and from behind its last schema. */
void openapi_put_head(struct buf *to);
void openapi_put_tail(struct buf *to);

/* Which definitions a document needs: those that were referred to, and what those refer to. */
struct definitions {
	struct arena *arena;
	bool *wanted;             /* by row of api_schema.types */
	bool scalars[KIND_COUNT]; /* kinds with a definition of their own */
};

void definitions_init(struct definitions *d, struct arena *a);

/* Marks a type, and all that it is made of. */
void definitions_add(struct definitions *d, const struct type *t);

/* "io.k8s.api.core.v1.Pod": {...}, ... */
void definitions_put(const struct definitions *d, struct buf *to);

/* {"$ref":"#/components/schemas/io.k8s.api.core.v1.Pod"} */
void definition_put_ref(const struct type *t, struct buf *to);

/* Those of a custom resource, too, whose definitions others write. */
void openapi_put_resource(
	struct definitions *d, const struct resource *r, size_t *count, struct buf *to);

/* "io.example.v1.Boat": of a custom resource's kind, or of its list. */
void openapi_put_custom_name(const struct type *t, str kind, struct buf *to);

/* The paths of one group-version; types that they speak of are added. */
void openapi_put_paths(struct definitions *d, str group, str version, struct buf *to);

/* {"group":"apps","kind":"Deployment","version":"v1"} */
void openapi_put_kind(const struct type *t, struct buf *to);
