/*
 * Whether a schema is one that custom resources may have: structural, in OpenAPI's limits, with
 * defaults that are valid by it (apiextensions-apiserver/pkg/apiserver/schema and .../defaulting,
 * pkg/apis/apiextensions/validation). Messages and paths are upstream's.
 *
 * Rules in CEL are not built: a schema that has any is forbidden where they stand.
 */
#pragma once

#include "api/kinds.h"
#include "lib/api/causes.h"

/* `p` is the path of the schema itself. */
void structure_check(struct causes *c, const struct crd_json_schema_props *root,
	const struct field_path *p, bool status_subresource);

/* Structure alone: what the condition NonStructuralSchema tells. */
void structure_check_form(
	struct causes *c, const struct crd_json_schema_props *root, const struct field_path *p);
