#include "lib/structural/schema.h"

typedef bool schema_test(const struct crd_json_schema_props *s, void *owner);

static bool any_of_list(
	const struct crd_json_schema_props *at, size_t len, schema_test *test, void *owner)
{
	for (size_t i = 0; i < len; i++)
		if (schema_any(&at[i], test, owner))
			return true;
	return false;
}

static bool any_of_map(
	const struct crd_json_schema_props_entry *at, size_t len, schema_test *test, void *owner)
{
	for (size_t i = 0; i < len; i++)
		if (schema_any(&at[i].value, test, owner))
			return true;
	return false;
}

bool schema_any(const struct crd_json_schema_props *s, schema_test *test, void *owner)
{
	if (!s)
		return false;
	if (test(s, owner))
		return true;
	if (s->items &&
		(schema_any(s->items->schema, test, owner) ||
			any_of_list(s->items->json_schemas.at, s->items->json_schemas.len, test,
				owner)))
		return true;
	if (any_of_list(s->all_of.at, s->all_of.len, test, owner) ||
		any_of_list(s->any_of.at, s->any_of.len, test, owner) ||
		any_of_list(s->one_of.at, s->one_of.len, test, owner) ||
		schema_any(s->not, test, owner))
		return true;
	if (any_of_map(s->properties.at, s->properties.len, test, owner) ||
		any_of_map(s->pattern_properties.at, s->pattern_properties.len, test, owner) ||
		any_of_map(s->definitions.at, s->definitions.len, test, owner))
		return true;
	if (s->additional_properties && schema_any(s->additional_properties->schema, test, owner))
		return true;
	return s->additional_items && schema_any(s->additional_items->schema, test, owner);
}
