#include "lib/structural/structure.h"

#include "lib/regex/regex.h"
#include "lib/structural/rows.h"
#include "lib/structural/structure_parts.h"

enum level { LEVEL_ROOT, LEVEL_ITEM, LEVEL_FIELD };

static void check_form(struct causes *c, const struct crd_json_schema_props *s, enum level level,
	const struct field_path *p);
static void check_nested(struct causes *c, const struct crd_json_schema_props *s, bool skip_any_of,
	const struct field_path *p);
static void check_complete(struct causes *c, const struct crd_json_schema_props *nested,
	const struct crd_json_schema_props *s, const struct field_path *where,
	const struct field_path *p);

void structure_check_form(
	struct causes *c, const struct crd_json_schema_props *root, const struct field_path *p)
{
	check_form(c, root, LEVEL_ROOT, p);
}

static bool is_type(const struct crd_json_schema_props *s, const char *type)
{
	return str_eq(s->type, str_of(type));
}

/* [{type: integer}, {type: string}], which goes with x-kubernetes-int-or-string. */
static bool is_int_or_string(const struct crd_json_schema_props *s)
{
	struct crd_json_schema_props one, other;

	if (s->any_of.len != 2)
		return false;
	memset(&one, 0, sizeof(one));
	memset(&other, 0, sizeof(other));
	one.type = STR("integer");
	other.type = STR("string");
	return struct_equal(api_type(API_CRD_JSON_SCHEMA_PROPS), &s->any_of.at[0], &one) &&
		struct_equal(api_type(API_CRD_JSON_SCHEMA_PROPS), &s->any_of.at[1], &other);
}

static void check_pattern(
	struct causes *c, const struct crd_json_schema_props *s, const struct field_path *p)
{
	struct regex *r;
	struct err e;

	if (s->pattern.len == 0)
		return;
	if (regex_compile(s->pattern, &r, &e) < 0)
		causes_invalid(c, FIELD(p, "pattern"), cause_text(s->pattern),
			"must be a valid regular expression, but isn't: %s", e.text);
	else
		regex_free(r);
}

/* What stands under allOf and the like. */
static void check_alternatives(struct causes *c, const struct crd_json_schema_props *s,
	bool skip_any_of, bool skip_first, const struct field_path *p)
{
	for (size_t i = 0; i < s->any_of.len && !skip_any_of; i++)
		check_nested(c, &s->any_of.at[i], false, FIELD_INDEX(FIELD(p, "anyOf"), i));
	for (size_t i = 0; i < s->all_of.len; i++)
		check_nested(c, &s->all_of.at[i], skip_first && i == 0,
			FIELD_INDEX(FIELD(p, "allOf"), i));
	for (size_t i = 0; i < s->one_of.len; i++)
		check_nested(c, &s->one_of.at[i], false, FIELD_INDEX(FIELD(p, "oneOf"), i));
	if (s->not )
		check_nested(c, s->not, false, FIELD(p, "not"));
	check_pattern(c, s, p);
}

static void forbid(
	struct causes *c, bool is, const struct field_path *p, const char *name, const char *why)
{
	if (is)
		causes_forbidden(c, FIELD(p, name), "must be %s to be structural", why);
}

/* Only values are limited there; what things are is said outside. */
static void check_nested(struct causes *c, const struct crd_json_schema_props *s, bool skip_any_of,
	const struct field_path *p)
{
	check_alternatives(c, s, skip_any_of, false, p);
	if (s->items && s->items->schema)
		check_nested(c, s->items->schema, false, FIELD(p, "items"));
	for (size_t i = 0; i < s->properties.len; i++) {
		str name = s->properties.at[i].key;

		check_nested(c, &s->properties.at[i].value, false,
			FIELD_KEY(FIELD(p, "properties"), name));
		if (str_eq(name, STR("metadata")))
			causes_forbidden(c, FIELD_KEY(FIELD(p, "properties"), name),
				"must not be specified in a nested context");
	}
	forbid(c, s->type.len, p, "type", "empty");
	forbid(c, s->additional_properties, p, "additionalProperties", "undefined");
	forbid(c, s->default_, p, "default", "undefined");
	forbid(c, s->title.len, p, "title", "empty");
	forbid(c, s->description.len, p, "description", "empty");
	forbid(c, s->nullable, p, "nullable", "false");
	forbid(c, structural_keeps(s), p, "x-kubernetes-preserve-unknown-fields", "false");
	forbid(c, s->x_kubernetes_embedded_resource, p, "x-kubernetes-embedded-resource", "false");
	forbid(c, s->x_kubernetes_int_or_string, p, "x-kubernetes-int-or-string", "false");
	forbid(c, s->x_kubernetes_list_map_keys.len, p, "x-kubernetes-list-map-keys", "empty");
	forbid(c, s->x_kubernetes_list_type, p, "x-kubernetes-list-type", "undefined");
	forbid(c, s->x_kubernetes_map_type, p, "x-kubernetes-map-type", "undefined");
	forbid(c, s->x_kubernetes_validations.len, p, "x-kubernetes-validations", "empty");
}

static void check_type(struct causes *c, const struct crd_json_schema_props *s, enum level level,
	const struct field_path *p)
{
	static const char *const needed[] = {[LEVEL_ROOT] = "must not be empty at the root",
		[LEVEL_ITEM] = "must not be empty for specified array items",
		[LEVEL_FIELD] = "must not be empty for specified object fields"};
	const char *embedded = "must be object if x-kubernetes-embedded-resource is true";

	if (s->x_kubernetes_embedded_resource && !is_type(s, "object")) {
		if (s->type.len == 0)
			causes_required(c, FIELD(p, "type"), "%s", embedded);
		else
			causes_invalid(c, FIELD(p, "type"), cause_text(s->type), "%s", embedded);
	} else if (s->type.len == 0 && !s->x_kubernetes_int_or_string && !structural_keeps(s)) {
		causes_required(c, FIELD(p, "type"), "%s", needed[level]);
	}
	if (level == LEVEL_ROOT && s->type.len && !is_type(s, "object"))
		causes_invalid(
			c, FIELD(p, "type"), cause_text(s->type), "must be object at the root");
}

static const struct crd_json_schema_props *property(
	const struct crd_json_schema_props *s, const char *name)
{
	for (size_t i = 0; i < s->properties.len; i++)
		if (str_eq(s->properties.at[i].key, str_of(name)))
			return &s->properties.at[i].value;
	return NULL;
}

/* At the root metadata may narrow names and nothing else. */
static bool narrows_names(const struct crd_json_schema_props *metadata)
{
	struct crd_json_schema_props rest = *metadata, empty;

	for (size_t i = 0; i < metadata->properties.len; i++)
		if (!str_eq(metadata->properties.at[i].key, STR("name")) &&
			!str_eq(metadata->properties.at[i].key, STR("generateName")))
			return false;
	memset(&empty, 0, sizeof(empty));
	rest.properties.at = NULL;
	rest.properties.len = 0;
	rest.type = rest.description = (str){NULL, 0};
	rest.default_ = NULL;
	return struct_equal(api_type(API_CRD_JSON_SCHEMA_PROPS), &rest, &empty);
}

static void check_head(struct causes *c, const struct crd_json_schema_props *s, enum level level,
	const struct field_path *p)
{
	static const char *const texts[] = {"kind", "apiVersion"};
	const struct crd_json_schema_props *metadata = property(s, "metadata");
	const struct field_path *properties = FIELD(p, "properties");
	bool object = level == LEVEL_ROOT || s->x_kubernetes_embedded_resource;

	for (size_t i = 0; i < COUNT_OF(texts) && object; i++) {
		const struct crd_json_schema_props *text = property(s, texts[i]);

		if (text && !is_type(text, "string"))
			causes_invalid(c, FIELD(FIELD_KEY(properties, str_of(texts[i])), "type"),
				cause_text(text->type), "must be string");
	}
	if (metadata && object && !is_type(metadata, "object"))
		causes_invalid(c, FIELD(FIELD_KEY(properties, STR("metadata")), "type"),
			cause_text(metadata->type), "must be object");
	if (metadata && level == LEVEL_ROOT && !narrows_names(metadata))
		causes_forbidden(c, FIELD_KEY(properties, STR("metadata")),
			"must not specify anything other than name and generateName, but metadata "
			"is "
			"implicitly specified");
	if (s->x_kubernetes_embedded_resource && !structural_keeps(s) && s->properties.len == 0)
		causes_required(c, FIELD(p, "properties"),
			"must not be empty if x-kubernetes-embedded-resource is true without "
			"x-kubernetes-preserve-unknown-fields");
}

static void check_form(struct causes *c, const struct crd_json_schema_props *s, enum level level,
	const struct field_path *p)
{
	const struct crd_json_schema_props_or_bool *more = s->additional_properties;
	bool first = s->all_of.len && is_int_or_string(&s->all_of.at[0]);

	if (is_type(s, "array") && !s->items)
		causes_required(c, FIELD(p, "items"), "must be specified");
	if (s->items && s->items->schema)
		check_form(c, s->items->schema, LEVEL_ITEM, FIELD(p, "items"));
	for (size_t i = 0; i < s->properties.len; i++)
		check_form(c, &s->properties.at[i].value, LEVEL_FIELD,
			FIELD_KEY(FIELD(p, "properties"), s->properties.at[i].key));
	if (more && level == LEVEL_ROOT)
		causes_forbidden(
			c, FIELD(p, "additionalProperties"), "must not be used at the root");
	if (more && more->schema)
		check_form(c, more->schema, LEVEL_FIELD, FIELD(p, "additionalProperties"));
	if (s->x_kubernetes_int_or_string && structural_keeps(s))
		causes_invalid(c, FIELD(p, "x-kubernetes-preserve-unknown-fields"),
			cause_bool(true), "must be false if x-kubernetes-int-or-string is true");
	if (s->x_kubernetes_int_or_string && s->x_kubernetes_embedded_resource)
		causes_invalid(c, FIELD(p, "x-kubernetes-embedded-resource"), cause_bool(true),
			"must be false if x-kubernetes-int-or-string is true");
	check_alternatives(c, s, is_int_or_string(s), first, p);
	check_type(c, s, level, p);
	if (s->x_kubernetes_embedded_resource && more)
		causes_forbidden(c, FIELD(p, "additionalProperties"),
			"must not be used if x-kubernetes-embedded-resource is set");
	check_head(c, s, level, p);
	if (level == LEVEL_ROOT)
		check_complete(c, s, s, p, p);
}

/* What is limited has to be specified. `where` is the path of `s`, `p` that of what limits it. */
static void check_member(struct causes *c, const struct crd_json_schema_props *nested,
	const struct crd_json_schema_props *s, const struct field_path *where,
	const struct field_path *p)
{
	struct buf b;

	if (s) {
		check_complete(c, nested, s, where, p);
		for (size_t i = 0; i < nested->properties.len; i++) {
			str name = nested->properties.at[i].key;
			const struct crd_json_schema_props *below = NULL;

			for (size_t k = 0; k < s->properties.len; k++)
				if (str_eq(s->properties.at[k].key, name))
					below = &s->properties.at[k].value;
			check_member(c, &nested->properties.at[i].value, below,
				FIELD_KEY(FIELD(where, "properties"), name),
				FIELD_KEY(FIELD(p, "properties"), name));
		}
		if (nested->items && nested->items->schema)
			check_member(c, nested->items->schema, s->items ? s->items->schema : NULL,
				FIELD(where, "items"), FIELD(p, "items"));
		return;
	}
	buf_init(&b, BUF_NO_LIMIT);
	field_path_put(&b, p);
	causes_required(c, where, "because it is defined in %.*s", (int)b.len, b.at);
	buf_free(&b);
}

static void check_complete(struct causes *c, const struct crd_json_schema_props *nested,
	const struct crd_json_schema_props *s, const struct field_path *where,
	const struct field_path *p)
{
	if (nested->not )
		check_member(c, nested->not, s, where, FIELD(p, "not"));
	for (size_t i = 0; i < nested->all_of.len; i++)
		check_member(c, &nested->all_of.at[i], s, where, FIELD_INDEX(FIELD(p, "allOf"), i));
	for (size_t i = 0; i < nested->any_of.len; i++)
		check_member(c, &nested->any_of.at[i], s, where, FIELD_INDEX(FIELD(p, "anyOf"), i));
	for (size_t i = 0; i < nested->one_of.len; i++)
		check_member(c, &nested->one_of.at[i], s, where, FIELD_INDEX(FIELD(p, "oneOf"), i));
}

void structure_check(struct causes *c, const struct crd_json_schema_props *root,
	const struct field_path *p, bool status_subresource)
{
	size_t before = c->len;

	if (status_subresource)
		check_root_members(c, root, p);
	if (root->nullable)
		causes_forbidden(c, FIELD(p, "nullable"), "nullable cannot be true at the root");
	structure_check_form(c, root, p);
	if (c->len == before)
		check_defaults(c, root, p);
	check_openapi(c, root, p);
}
