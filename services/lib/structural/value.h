/*
 * Whether an object of a custom resource is what its schema says, in the words of kube-openapi's
 * validator and of the API server around it. An update is forgiven what was wrong before and has
 * not changed (CRDValidationRatcheting).
 *
 * Causes beyond VALUE_CAUSES_MAX are not told. Objects are JSON here: what their rows could not
 * hold is to be seen too.
 */
#pragma once

#include "lib/api/causes.h"
#include "lib/structural/structural.h"

enum { VALUE_CAUSES_MAX = 256 };

/* `before` NULL: create. Of the subresource "status" only the status is looked at. */
void structural_validate(const struct structural *s, str subresource, const void *now,
	const void *before, struct causes *c);

/* A JSON text by a schema, for the defaults in one. Patterns are those of `s`. */
void structural_validate_json(const struct structural *s,
	const struct crd_json_schema_props *schema, str json, const struct field_path *base,
	struct causes *c);
