/*
 * Validation: what an object must hold beyond its schema, in upstream's order, words and field
 * paths: pkg/apis/<group>/validation. A table names the functions of each kind; declarative markers
 * (KEP-5073) in the schema are checked by one engine, where upstream does it declaratively too.
 *
 * Objects are of the stored version, defaulted. Nothing here reads the cluster's state.
 */
#pragma once

#include "lib/api/causes.h"

/* A new object, or one that is to replace `before`, of the same type. Metadata included. */
void object_validate(const void *now, struct causes *c);
void object_validate_update(const void *now, const void *before, struct causes *c);

/* Metadata alone, for resources that have their own schema. `before` NULL: create. */
void metadata_validate(
	const struct object_meta *now, const struct object_meta *before, struct causes *c);

/* PUT or PATCH of a subresource: "status", "ephemeralcontainers", "resize", "approval". */
void object_validate_subresource(
	str subresource, const void *now, const void *before, struct causes *c);
