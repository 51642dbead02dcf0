/*
 * Between the files that check schemas: structure.c the form, openapi_rules.c what OpenAPI and
 * Kubernetes' extensions allow, default_rules.c defaults.
 */
#pragma once

#include "api/kinds.h"
#include "lib/api/causes.h"

/* With the status subresource only some fields are allowed at the root. */
void check_root_members(
	struct causes *c, const struct crd_json_schema_props *s, const struct field_path *p);
void check_openapi(
	struct causes *c, const struct crd_json_schema_props *root, const struct field_path *p);
void check_defaults(
	struct causes *c, const struct crd_json_schema_props *root, const struct field_path *p);
