#include "lib/structural/rows.h"
#include "lib/structural/structure_parts.h"

#define CEL_MISSING "rules in CEL are not supported by this server yet"

static bool is_word(const str *text, const char *word)
{
	return text && str_eq(*text, str_of(word));
}

void check_root_members(
	struct causes *c, const struct crd_json_schema_props *s, const struct field_path *p)
{
	if (!str_eq(s->type, STR("object")))
		causes_invalid(c, FIELD(p, "type"), cause_text(s->type),
			"only \"object\" is allowed as the type at the root of the schema if the "
			"status subresource is enabled");
	if (s->all_of.len || s->any_of.len || s->one_of.len || s->not || s->enum_.len ||
		s->default_ || s->additional_properties || s->nullable || s->max_properties ||
		s->min_properties || s->x_kubernetes_embedded_resource ||
		s->x_kubernetes_int_or_string || s->x_kubernetes_list_type ||
		s->x_kubernetes_map_type)
		causes_invalid(c, p, cause_struct(c->arena, api_type(API_CRD_JSON_SCHEMA_PROPS), s),
			"only [Description Type Format Title Maximum ExclusiveMaximum Minimum "
			"ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems "
			"UniqueItems "
			"MultipleOf Required Items Properties ExternalDocs Example "
			"XPreserveUnknownFields XValidations] fields are allowed at the root of "
			"the "
			"schema if the status subresource is enabled");
}

static void check_unsupported(
	struct causes *c, const struct crd_json_schema_props *s, const struct field_path *p)
{
	const struct {
		bool is;
		const char *name;
	} rows[] = {
		{s->id.len, "id"},
		{s->additional_items, "additionalItems"},
		{s->pattern_properties.len, "patternProperties"},
		{s->definitions.len, "definitions"},
		{s->dependencies.at, "dependencies"},
		{s->ref, "$ref"},
	};
	static const str types[] = {STR_INIT("array"), STR_INIT("boolean"), STR_INIT("integer"),
		STR_INIT("number"), STR_INIT("object"), STR_INIT("string")};
	bool known = s->type.len == 0;

	for (size_t i = 0; i < COUNT_OF(types); i++)
		known |= str_eq(s->type, types[i]);
	if (!known)
		causes_not_supported(
			c, FIELD(p, "type"), cause_text(s->type), types, COUNT_OF(types));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].is)
			causes_forbidden(
				c, FIELD(p, rows[i].name), "%s is not supported", rows[i].name);
	if (str_eq(s->type, STR("null")))
		causes_forbidden(c, FIELD(p, "type"),
			"type cannot be set to null, use nullable as an alternative");
	if (s->items && s->items->json_schemas.len)
		causes_forbidden(
			c, FIELD(p, "items"), "items must be a schema object and not an array");
	if (s->unique_items)
		causes_forbidden(c, FIELD(p, "uniqueItems"),
			"uniqueItems cannot be set to true since the runtime complexity becomes "
			"quadratic");
	if (s->additional_properties && s->properties.len &&
		(!s->additional_properties->allows || s->additional_properties->schema))
		causes_forbidden(c, FIELD(p, "additionalProperties"),
			"additionalProperties and properties are mutual exclusive");
	if (s->x_kubernetes_preserve_unknown_fields && !structural_keeps(s))
		causes_invalid(c, FIELD(p, "x-kubernetes-preserve-unknown-fields"),
			cause_bool(false), "must be true or undefined");
	if (s->x_kubernetes_validations.len)
		causes_forbidden(c, FIELD(p, "x-kubernetes-validations"), CEL_MISSING);
}

/* An extension goes with one type only. */
static void check_goes_with(struct causes *c, const struct crd_json_schema_props *s,
	const char *type, const char *extension, const struct field_path *p)
{
	if (str_eq(s->type, str_of(type)))
		return;
	if (s->type.len == 0)
		causes_required(
			c, FIELD(p, "type"), "must be %s if %s is specified", type, extension);
	else
		causes_invalid(c, FIELD(p, "type"), cause_text(s->type),
			"must be %s if %s is specified", type, extension);
}

static const struct crd_json_schema_props *find(const struct crd_json_schema_props *s, str name)
{
	for (size_t i = 0; i < s->properties.len; i++)
		if (str_eq(s->properties.at[i].key, name))
			return &s->properties.at[i].value;
	return NULL;
}

static bool is_required(const struct crd_json_schema_props *s, str name)
{
	for (size_t i = 0; i < s->required.len; i++)
		if (str_eq(s->required.at[i], name))
			return true;
	return false;
}

static struct cause_value show_texts(struct arena *a, const struct str_list *texts)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < texts->len; i++)
		buf_add_fmt(&b, "%s\"%.*s\"", i ? "," : "[", STR_ARG(texts->at[i]));
	buf_add_char(&b, ']');
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return cause_json(text);
}

static void check_keys(
	struct causes *c, const struct crd_json_schema_props *s, const struct field_path *p)
{
	const struct crd_json_schema_props *item = s->items->schema;
	const struct field_path *properties = FIELD(FIELD(p, "items"), "properties");
	const struct str_list *keys = &s->x_kubernetes_list_map_keys;

	for (size_t i = 0; i < keys->len; i++) {
		str key = keys->at[i];
		const struct crd_json_schema_props *k = find(item, key);
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= str_eq(keys->at[j], key);
		if (!k)
			causes_invalid(c, FIELD(p, "x-kubernetes-list-map-keys"),
				show_texts(c->arena, keys),
				"entries must all be names of item properties");
		if (again)
			causes_invalid(c, FIELD(p, "x-kubernetes-list-map-keys"),
				show_texts(c->arena, keys), "must not contain duplicate entries");
		if (!k)
			continue;
		if (str_eq(k->type, STR("array")) || str_eq(k->type, STR("object")))
			causes_invalid(c, FIELD(FIELD_KEY(properties, key), "type"),
				cause_text(item->type),
				"must be a scalar type if parent array's x-kubernetes-list-type is "
				"map");
		if (!is_required(item, key) && !k->default_)
			causes_required(c, FIELD(FIELD_KEY(properties, key), "default"),
				"this property is in x-kubernetes-list-map-keys, so it must have a "
				"default or be a required property");
		if (k->nullable)
			causes_forbidden(c, FIELD(FIELD_KEY(properties, key), "nullable"),
				"this property is in x-kubernetes-list-map-keys, so it cannot be "
				"nullable");
	}
}

static void check_list_map(
	struct causes *c, const struct crd_json_schema_props *s, const struct field_path *p)
{
	if (s->x_kubernetes_list_map_keys.len == 0)
		causes_required(c, FIELD(p, "x-kubernetes-list-map-keys"),
			"must not be empty if x-kubernetes-list-type is map");
	if (!s->items) {
		causes_required(c, FIELD(p, "items"),
			"must have a schema if x-kubernetes-list-type is map");
		return;
	}
	if (!s->items->schema)
		return;
	if (str_eq(s->items->schema->type, STR("object")))
		check_keys(c, s, p);
	else
		causes_invalid(c, FIELD(FIELD(p, "items"), "type"),
			cause_text(s->items->schema->type),
			"must be object if parent array's x-kubernetes-list-type is map");
}

static void check_set_item(
	struct causes *c, const struct crd_json_schema_props *item, const struct field_path *p)
{
	const char *why = "must be atomic as item of a list with x-kubernetes-list-type=set";

	if (str_eq(item->type, STR("array")) && item->x_kubernetes_list_type &&
		!is_word(item->x_kubernetes_list_type, "atomic"))
		causes_invalid(c, FIELD(p, "x-kubernetes-list-type"),
			cause_text(*item->x_kubernetes_list_type), "%s", why);
	if (str_eq(item->type, STR("object")) && !is_word(item->x_kubernetes_map_type, "atomic"))
		causes_invalid(
			c, FIELD(p, "x-kubernetes-map-type"), cause_json(STR("null")), "%s", why);
}

static void check_lists(
	struct causes *c, const struct crd_json_schema_props *s, const struct field_path *p)
{
	static const str map_types[] = {STR_INIT("atomic"), STR_INIT("granular")};
	static const str list_types[] = {STR_INIT("atomic"), STR_INIT("set"), STR_INIT("map")};
	const str *list = s->x_kubernetes_list_type, *map = s->x_kubernetes_map_type;
	bool told_apart = is_word(list, "set") || is_word(list, "map");

	if (map)
		check_goes_with(c, s, "object", "x-kubernetes-map-type", p);
	if (map && !is_word(map, "atomic") && !is_word(map, "granular"))
		causes_not_supported(c, FIELD(p, "x-kubernetes-map-type"), cause_text(*map),
			map_types, COUNT_OF(map_types));
	if (list)
		check_goes_with(c, s, "array", "x-kubernetes-list-type", p);
	if (is_word(list, "set") && s->items && s->items->schema)
		check_set_item(c, s->items->schema, FIELD(p, "items"));
	if (list && !told_apart && !is_word(list, "atomic"))
		causes_not_supported(c, FIELD(p, "x-kubernetes-list-type"), cause_text(*list),
			list_types, COUNT_OF(list_types));
	if (s->x_kubernetes_list_map_keys.len && !list)
		causes_required(c, FIELD(p, "x-kubernetes-list-type"),
			"must be map if x-kubernetes-list-map-keys is non-empty");
	else if (s->x_kubernetes_list_map_keys.len && !is_word(list, "map"))
		causes_invalid(c, FIELD(p, "x-kubernetes-list-type"), cause_text(*list),
			"must be map if x-kubernetes-list-map-keys is non-empty");
	if (is_word(list, "map"))
		check_list_map(c, s, p);
	if (told_apart && s->items && s->items->schema && s->items->schema->nullable)
		causes_forbidden(c, FIELD(FIELD(p, "items"), "nullable"),
			"cannot be nullable when x-kubernetes-list-type is %.*s", STR_ARG(*list));
}

static void check_below(
	struct causes *c, const struct crd_json_schema_props *s, const struct field_path *p)
{
	check_unsupported(c, s, p);
	check_lists(c, s, p);
	if (s->additional_properties && s->additional_properties->schema)
		check_below(c, s->additional_properties->schema, FIELD(p, "additionalProperties"));
	for (size_t i = 0; i < s->properties.len; i++)
		check_below(c, &s->properties.at[i].value,
			FIELD_KEY(FIELD(p, "properties"), s->properties.at[i].key));
	if (s->not )
		check_below(c, s->not, FIELD(p, "not"));
	for (size_t i = 0; i < s->all_of.len; i++)
		check_below(c, &s->all_of.at[i], FIELD_INDEX(FIELD(p, "allOf"), i));
	for (size_t i = 0; i < s->one_of.len; i++)
		check_below(c, &s->one_of.at[i], FIELD_INDEX(FIELD(p, "oneOf"), i));
	for (size_t i = 0; i < s->any_of.len; i++)
		check_below(c, &s->any_of.at[i], FIELD_INDEX(FIELD(p, "anyOf"), i));
	if (s->items && s->items->schema)
		check_below(c, s->items->schema, FIELD(p, "items"));
}

void check_openapi(
	struct causes *c, const struct crd_json_schema_props *root, const struct field_path *p)
{
	static const char *const heads[] = {"apiVersion", "kind", "metadata"};

	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		const struct crd_json_schema_props *head = find(root, str_of(heads[i]));

		if (head && head->default_)
			causes_forbidden(c,
				FIELD(FIELD_KEY(FIELD(p, "properties"), str_of(heads[i])),
					"default"),
				"must not be set in top-level %s", heads[i]);
	}
	check_below(c, root, p);
}
