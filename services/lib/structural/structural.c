#include "lib/structural/structural.h"

#include "lib/regex/regex.h"
#include "lib/structural/schema.h"

static bool has_rules(const struct crd_json_schema_props *s, UNUSED void *owner)
{
	return s->x_kubernetes_validations.len;
}

static bool add_pattern(const struct crd_json_schema_props *s, void *owner)
{
	struct structural *x = owner;
	struct regex *r;
	struct err e;

	/* A pattern that does not compile is told at each value, as upstream does. */
	if (s->pattern.len && !map_get(&x->patterns, s->pattern) &&
		regex_compile(s->pattern, &r, &e) == 0)
		map_put(&x->patterns, s->pattern, r);
	return false;
}

int structural_init(struct structural *s, struct arena *a,
	const struct crd_custom_resource_definition *definition,
	const struct crd_custom_resource_definition_version *version, struct err *e)
{
	const struct crd_custom_resource_definition_names *names =
		&definition->status.accepted_names;
	const struct structural_kind kind = {definition->spec.group, version->name, names->kind};

	*s = (struct structural){.definition = definition,
		.version = version,
		.schema = version->schema ? version->schema->open_apiv3_schema : NULL};
	TRY(structural_rows(
		a, &kind, s->schema, definition->spec.preserve_unknown_fields, &s->type, e));
	structural_compile(s);
	/* Stored by a server that knows them: here they would not be enforced. */
	if (schema_any(s->schema, has_rules, NULL))
		return err_set(e, ERR_INVALID, "rules in CEL are not supported by this server yet");
	if (definition->spec.conversion &&
		!str_eq(definition->spec.conversion->strategy, STR("None")))
		return err_set(e, ERR_INVALID,
			"conversion by webhooks is not supported by this server yet");
	return 0;
}

void structural_compile(struct structural *s)
{
	map_init(&s->patterns);
	schema_any(s->schema, add_pattern, s);
}

void structural_free(struct structural *s)
{
	if (s->patterns.slots)
		map_each (&s->patterns, entry)
			regex_free(entry->value);
	map_free(&s->patterns);
}
