#include "lib/structural/structure_parts.h"
#include "lib/structural/value.h"

/* Whether a reader who drops what he does not know finds the default as it was written. */
static bool is_pruned(struct causes *c, const struct crd_json_schema_props *s)
{
	const struct structural_kind kind = {STR("validation"), STR("v1"), STR("Validation")};
	struct crd_json_schema_props_entry *member = arena_get(c->arena, sizeof(*member));
	struct crd_json_schema_props root;
	const struct type *t;
	struct notes notes;
	struct err e;
	void *o;

	memset(&root, 0, sizeof(root));
	root.type = STR("object");
	member->key = STR("value");
	member->value = *s;
	member->value.default_ = NULL;
	root.properties.at = member;
	root.properties.len = 1;
	notes_init(&notes, c->arena);
	if (structural_rows(c->arena, &kind, &root, false, &t, &e) < 0 ||
		object_decode(c->arena, t, FORMAT_JSON,
			arena_fmt(c->arena, "{\"value\":%.*s}", STR_ARG(*s->default_)), &o, &notes,
			&e) < 0)
		return true; /* values that are wrong are told as such */
	return notes.texts.len == 0;
}

static void check_default(struct causes *c, struct structural *x,
	const struct crd_json_schema_props *s, const struct field_path *p)
{
	if (!is_pruned(c, s))
		causes_invalid(c, p, cause_json(*s->default_), "must not have unknown fields");
	structural_validate_json(x, s, *s->default_, p, c);
}

static void check_below(struct causes *c, struct structural *x,
	const struct crd_json_schema_props *s, const struct field_path *p)
{
	if (s->default_ && !str_eq(*s->default_, STR("null")))
		check_default(c, x, s, FIELD(p, "default"));
	for (size_t i = 0; i < s->properties.len; i++)
		check_below(c, x, &s->properties.at[i].value,
			FIELD_KEY(FIELD(p, "properties"), s->properties.at[i].key));
	if (s->items && s->items->schema)
		check_below(c, x, s->items->schema, FIELD(p, "items"));
	if (s->additional_properties && s->additional_properties->schema)
		check_below(
			c, x, s->additional_properties->schema, FIELD(p, "additionalProperties"));
}

void check_defaults(
	struct causes *c, const struct crd_json_schema_props *root, const struct field_path *p)
{
	struct structural x = {.schema = root};

	structural_compile(&x);
	check_below(c, &x, root, p);
	structural_free(&x);
}
