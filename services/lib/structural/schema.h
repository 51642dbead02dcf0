/*
 * Ways over a JSONSchemaProps.
 */
#pragma once

#include "api/kinds.h"

/* Whether `test` holds for a schema or any below it; those under not, allOf and so on included.
 * It stops at the first. */
bool schema_any(const struct crd_json_schema_props *s,
	bool (*test)(const struct crd_json_schema_props *s, void *owner), void *owner);
