/*
 * CustomResourceDefinitions (apiextensions-apiserver/pkg/apis/apiextensions/validation). Paths are
 * those of upstream's internal version, which says once what all versions have alike.
 */
#include "apiserver/validation/rules.h"
#include "lib/structural/conditions.h"
#include "lib/structural/structure.h"

enum { SELECTABLE_MAX = 8 };

static void join_faults(struct arena *a, const struct name_faults *f, str *to)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < f->len; i++)
		buf_add_fmt(&b, "%s%s", i ? "," : "", f->at[i]);
	*to = arena_str(a, buf_str(&b));
	buf_free(&b);
}

static str lower(struct arena *a, str s)
{
	char *to = arena_get(a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		to[i] = (char)(s.at[i] >= 'A' && s.at[i] <= 'Z' ? s.at[i] + ('a' - 'A') : s.at[i]);
	return str_span(to, s.len);
}

/* Of faults upstream makes one message here. */
static void check_label(struct causes *c, const struct field_path *p, str name, const char *intro)
{
	struct name_faults f;
	str why;

	if (name_check(NAME_DNS1035_LABEL, *intro ? lower(c->arena, name) : name, &f))
		return;
	join_faults(c->arena, &f, &why);
	causes_invalid(c, p, cause_text(name), "%s%.*s", intro, STR_ARG(why));
}

static void check_names(struct causes *c, const struct crd_custom_resource_definition_names *n,
	const struct field_path *p)
{
	const char *mixed = "may have mixed case, but should otherwise match: ";

	if (n->plural.len)
		check_label(c, FIELD(p, "plural"), n->plural, "");
	if (n->singular.len)
		check_label(c, FIELD(p, "singular"), n->singular, "");
	if (n->kind.len)
		check_label(c, FIELD(p, "kind"), n->kind, mixed);
	if (n->list_kind.len)
		check_label(c, FIELD(p, "listKind"), n->list_kind, mixed);
	for (size_t i = 0; i < n->short_names.len; i++)
		check_label(c, FIELD_INDEX(FIELD(p, "shortNames"), i), n->short_names.at[i], "");
	if (n->kind.len && str_eq(n->kind, n->list_kind))
		causes_invalid(c, FIELD(p, "listKind"), cause_text(n->list_kind),
			"kind and listKind may not be the same");
	for (size_t i = 0; i < n->categories.len; i++)
		check_label(c, FIELD_INDEX(FIELD(p, "categories"), i), n->categories.at[i], "");
}

static void need_names(struct causes *c, const struct crd_custom_resource_definition_names *n,
	const struct field_path *p)
{
	const struct {
		const char *field;
		str value;
	} rows[] = {{"plural", n->plural}, {"singular", n->singular}, {"kind", n->kind},
		{"listKind", n->list_kind}};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].value.len == 0)
			causes_required(c, FIELD(p, rows[i].field), "%s", "");
}

static void check_group(struct causes *c, str group, const struct field_path *p)
{
	struct name_faults f;
	str why;

	if (group.len == 0) {
		causes_required(c, p, "%s", "");
	} else if (!name_check(NAME_DNS1123_SUBDOMAIN, group, &f)) {
		join_faults(c->arena, &f, &why);
		causes_invalid(c, p, cause_text(group), "%.*s", STR_ARG(why));
	} else if (str_find_char(group, '.') < 0) {
		causes_invalid(c, p, cause_text(group), "should be a domain with at least one dot");
	}
}

static void check_path(struct causes *c, str path, const struct field_path *p)
{
	if (path.len && path.at[0] != '.')
		causes_invalid(
			c, p, cause_text(path), "must be a simple json path starting with .");
}

static void check_column(struct causes *c,
	const struct crd_custom_resource_column_definition *column, const struct field_path *p)
{
	static const char types[] = "boolean,date,integer,number,string";
	static const char formats[] =
		"binary,byte,date,date-time,double,float,int32,int64,password";
	bool known = false;

	for (str rest = str_of(types); rest.at;)
		known |= str_eq(str_cut(&rest, ','), column->type);
	if (column->name.len == 0)
		causes_required(c, FIELD(p, "name"), "%s", "");
	if (column->type.len == 0)
		causes_required(c, FIELD(p, "type"), "must be one of %s", types);
	else if (!known)
		causes_invalid(
			c, FIELD(p, "type"), cause_text(column->type), "must be one of %s", types);
	known = column->format.len == 0;
	for (str rest = str_of(formats); rest.at;)
		known |= str_eq(str_cut(&rest, ','), column->format);
	if (!known)
		causes_invalid(c, FIELD(p, "format"), cause_text(column->format),
			"must be one of %s", formats);
	if (column->json_path.len == 0)
		causes_required(c, FIELD(p, "JSONPath"), "%s", "");
	else
		check_path(c, column->json_path, FIELD(p, "JSONPath"));
}

static void check_scale_path(
	struct causes *c, str path, const char *below, const char *why, const struct field_path *p)
{
	if (path.len == 0)
		causes_required(c, p, "%s", "");
	else if (path.at[0] != '.')
		check_path(c, path, p);
	else if (!str_starts(path, str_of(below)))
		causes_invalid(c, p, cause_text(path), "%s", why);
}

static void check_subresources(struct causes *c, const struct crd_custom_resource_subresources *s,
	const struct field_path *p)
{
	const struct crd_custom_resource_subresource_scale *scale = s->scale;

	if (!scale)
		return;
	check_scale_path(c, scale->spec_replicas_path, ".spec.",
		"should be a json path under .spec", FIELD(p, "scale.specReplicasPath"));
	check_scale_path(c, scale->status_replicas_path, ".status.",
		"should be a json path under .status", FIELD(p, "scale.statusReplicasPath"));
	if (!scale->label_selector_path || !scale->label_selector_path->len)
		return;
	str path = *scale->label_selector_path;

	if (path.at[0] != '.')
		check_path(c, path, FIELD(p, "scale.labelSelectorPath"));
	else if (!str_starts(path, STR(".spec.")) && !str_starts(path, STR(".status.")))
		causes_invalid(c, FIELD(p, "scale.labelSelectorPath"), cause_text(path),
			"should be a json path under either .spec or .status");
}

/* The schema of a field; NULL where the path leads nowhere. */
static const struct crd_json_schema_props *schema_at(
	const struct crd_json_schema_props *s, str path)
{
	for (str rest = str_slice(path, 1, path.len); rest.at && s;) {
		str name = str_cut(&rest, '.');
		const struct crd_json_schema_props *below = NULL;

		for (size_t i = 0; i < s->properties.len; i++)
			if (str_eq(s->properties.at[i].key, name))
				below = &s->properties.at[i].value;
		s = below;
	}
	return s;
}

static void check_selectable(struct causes *c,
	const struct crd_custom_resource_definition_version *v, const struct field_path *p)
{
	const struct crd_json_schema_props *root = v->schema ? v->schema->open_apiv3_schema : NULL;
	size_t count = v->selectable_fields.len;

	for (size_t i = 0; i < count; i++) {
		str path = v->selectable_fields.at[i].json_path;
		const struct field_path *at = FIELD(FIELD_INDEX(p, i), "jsonPath");
		const struct crd_json_schema_props *s;
		bool again = false;

		if (path.len == 0) {
			causes_required(c, at, "%s", "");
			continue;
		}
		s = path.at[0] == '.' && root ? schema_at(root, path) : NULL;
		if (!s && !str_starts(path, STR(".metadata"))) {
			causes_invalid(c, at, cause_text(path),
				"is an invalid path: does not refer to a valid field");
			continue;
		}
		if (str_starts(path, STR(".metadata")))
			causes_invalid(
				c, at, cause_text(path), "must not point to fields in metadata");
		else if (!str_eq(s->type, STR("string")) && !str_eq(s->type, STR("boolean")) &&
			!str_eq(s->type, STR("integer")))
			causes_invalid(c, at, cause_text(path),
				"must point to a field of type string, boolean or integer. Enum "
				"string fields and strings with formats are allowed.");
		for (size_t k = 0; k < i; k++)
			again |= str_eq(v->selectable_fields.at[k].json_path, path);
		if (again)
			causes_duplicate(c, at, cause_text(path));
	}
	if (count > SELECTABLE_MAX)
		causes_too_many(c, p, count, SELECTABLE_MAX);
}

/* What of a version is said at the top when all have it alike. */
struct shared {
	const char *field, *at_top;
	void (*check)(struct causes *c, const struct crd_custom_resource_definition_version *v,
		const struct field_path *p);
};

static void check_schema(struct causes *c, const struct crd_custom_resource_definition_version *v,
	const struct field_path *p)
{
	bool status = v->subresources && v->subresources->status;

	if (v->schema && v->schema->open_apiv3_schema)
		structure_check(
			c, v->schema->open_apiv3_schema, FIELD(p, "openAPIV3Schema"), status);
}

static void check_sub(struct causes *c, const struct crd_custom_resource_definition_version *v,
	const struct field_path *p)
{
	if (v->subresources)
		check_subresources(c, v->subresources, p);
}

static void check_columns(struct causes *c, const struct crd_custom_resource_definition_version *v,
	const struct field_path *p)
{
	for (size_t i = 0; i < v->additional_printer_columns.len; i++)
		check_column(c, &v->additional_printer_columns.at[i], FIELD_INDEX(p, i));
}

static const struct shared shared[] = {
	{"schema", "validation", check_schema},
	{"subresources", "subresources", check_sub},
	{"additionalPrinterColumns", "additionalPrinterColumns", check_columns},
	{"selectableFields", "selectableFields", check_selectable},
};

static bool is_alike(const struct crd_custom_resource_definition_spec *s, size_t which)
{
	const struct type *t = api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION_VERSION);
	const struct field *f = type_field(t, str_of(shared[which].field));

	for (size_t i = 1; i < s->versions.len; i++) {
		struct crd_custom_resource_definition_version one, other;
		size_t bytes = f->shape == SHAPE_POINTER ? sizeof(void *) : sizeof(struct str_list);

		memset(&one, 0, sizeof(one));
		memset(&other, 0, sizeof(other));
		memcpy(field_at(&one, f), field_at(&s->versions.at[0], f), bytes);
		memcpy(field_at(&other, f), field_at(&s->versions.at[i], f), bytes);
		if (!struct_equal(t, &one, &other))
			return false;
	}
	return true;
}

static void check_deprecation(struct causes *c,
	const struct crd_custom_resource_definition_version *v, const struct field_path *p)
{
	const struct field_path *at = FIELD(p, "deprecationWarning");

	if (!v->deprecation_warning)
		return;
	if (!v->deprecated)
		causes_invalid(c, at, cause_text(*v->deprecation_warning),
			"can only be set for deprecated versions");
	else if (v->deprecation_warning->len > 256)
		causes_invalid(c, at, cause_text(*v->deprecation_warning),
			"must be <= 256 characters long");
	else if (v->deprecation_warning->len == 0)
		causes_invalid(
			c, at, cause_text(*v->deprecation_warning), "must not be an empty string");
}

static void check_versions(struct causes *c, const struct crd_custom_resource_definition_spec *s,
	const struct field_path *p)
{
	const struct field_path *versions = FIELD(p, "versions");
	bool alike[COUNT_OF(shared)];
	size_t stored = 0;
	bool unique = true;

	for (size_t k = 0; k < COUNT_OF(shared); k++)
		alike[k] = is_alike(s, k);
	for (size_t i = 0; i < s->versions.len; i++) {
		const struct crd_custom_resource_definition_version *v = &s->versions.at[i];
		const struct field_path *here = FIELD_INDEX(versions, i);

		stored += v->storage;
		for (size_t k = 0; k < i; k++)
			unique &= !str_eq(s->versions.at[k].name, v->name);
		check_label(c, FIELD(here, "name"), v->name, "");
		check_deprecation(c, v, here);
		for (size_t k = 0; k < COUNT_OF(shared); k++)
			if (!alike[k])
				shared[k].check(c, v, FIELD(here, shared[k].field));
	}
	struct cause_value all = cause_field(
		c->arena, api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION_SPEC), s, "versions");

	if (!unique)
		causes_invalid(c, versions, all, "must contain unique version names");
	if (stored != 1)
		causes_invalid(c, versions, all,
			"must have exactly one version marked as storage version");
	for (size_t k = 0; k < COUNT_OF(shared) && s->versions.len; k++)
		if (alike[k])
			shared[k].check(c, &s->versions.at[0], FIELD(p, shared[k].at_top));
}

static void need_schemas(struct causes *c, const struct crd_custom_resource_definition_spec *s,
	const struct field_path *p)
{
	for (size_t i = 0; i < s->versions.len; i++)
		if (!s->versions.at[i].schema || !s->versions.at[i].schema->open_apiv3_schema)
			causes_required(c,
				FIELD(FIELD(FIELD_INDEX(FIELD(p, "versions"), i), "schema"),
					"openAPIV3Schema"),
				"%s", "");
}

static void check_conversion(struct causes *c, const struct crd_custom_resource_conversion *v,
	const struct field_path *p)
{
	static const str strategies[] = {STR_INIT("None"), STR_INIT("Webhook")};

	if (!v)
		return;
	if (v->strategy.len == 0)
		causes_required(c, FIELD(p, "strategy"), "%s", "");
	else if (str_eq(v->strategy, STR("Webhook")))
		causes_forbidden(c, FIELD(p, "strategy"),
			"conversion by webhooks is not supported by this server yet");
	else if (!str_eq(v->strategy, STR("None")))
		causes_not_supported(c, FIELD(p, "strategy"), cause_text(v->strategy), strategies,
			COUNT_OF(strategies));
	else if (v->webhook)
		causes_forbidden(c, FIELD(p, "webhookClientConfig"),
			"should not be set when strategy is not set to Webhook");
}

static struct cause_value show_texts(struct arena *a, const struct str_list *texts)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_char(&b, '[');
	for (size_t i = 0; i < texts->len; i++)
		buf_add_fmt(&b, "%s\"%.*s\"", i ? "," : "", STR_ARG(texts->at[i]));
	buf_add_char(&b, ']');
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return cause_json(text);
}

static bool has_text(const struct str_list *list, str text)
{
	for (size_t i = 0; i < list->len; i++)
		if (str_eq(list->at[i], text))
			return true;
	return false;
}

static void check_stored_versions(
	struct causes *c, const struct crd_custom_resource_definition *crd)
{
	const struct str_list *had = &crd->status.stored_versions;
	const struct field_path *p = FIELD(FIELD(NULL, "status"), "storedVersions");

	if (had->len == 0) {
		causes_invalid(
			c, p, show_texts(c->arena, had), "must have at least one stored version");
		return;
	}
	for (size_t i = 0; i < crd->spec.versions.len; i++) {
		const struct crd_custom_resource_definition_version *v = &crd->spec.versions.at[i];

		if (v->storage && !has_text(had, v->name))
			causes_invalid(c, p, show_texts(c->arena, had),
				"must have the storage version %.*s", STR_ARG(v->name));
	}
	for (size_t i = 0; i < had->len; i++) {
		bool there = false;
		str v = had->at[i];

		for (size_t k = 0; k < crd->spec.versions.len; k++)
			there |= str_eq(crd->spec.versions.at[k].name, v);
		if (!there)
			causes_invalid(c, FIELD_INDEX(p, i), cause_text(v),
				"missing from spec.versions; %.*s was previously a storage "
				"version, "
				"and must remain in spec.versions until a storage migration "
				"ensures "
				"no data remains persisted in %.*s and removes %.*s from "
				"status.storedVersions",
				STR_ARG(v), STR_ARG(v), STR_ARG(v));
	}
}

static void check_approval(struct causes *c, const struct crd_custom_resource_definition *crd,
	const struct crd_custom_resource_definition *before)
{
	const str key = STR("api-approved.kubernetes.io");
	const struct field_path *p = FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "annotations"), key);
	str value = str_map_get(&crd->metadata.annotations, key), group = crd->spec.group;
	bool ours = str_eq(group, STR("k8s.io")) || str_ends(group, STR(".k8s.io")) ||
		str_eq(group, STR("kubernetes.io")) || str_ends(group, STR(".kubernetes.io"));

	if (!ours || (before && str_eq(str_map_get(&before->metadata.annotations, key), value)))
		return;
	if (value.len == 0)
		causes_required(c, p,
			"protected groups must have approval annotation "
			"\"api-approved.kubernetes.io\", see "
			"https://github.com/kubernetes/enhancements/pull/1111");
	else if (!str_starts(value, STR("unapproved")) && !str_starts(value, STR("http://")) &&
		!str_starts(value, STR("https://")))
		causes_invalid(c, p, cause_text(value),
			"protected groups must have approval annotation "
			"\"api-approved.kubernetes.io\" with either a URL or a reason starting "
			"with \"unapproved\", see "
			"https://github.com/kubernetes/enhancements/pull/1111");
}

void check_crd(struct validation *v, UNUSED const struct field_path *root, const void *o)
{
	const struct crd_custom_resource_definition *crd = o, *before = v->before;
	const struct crd_custom_resource_definition_spec *s = &crd->spec;
	const struct field_path *p = FIELD(NULL, "spec");
	struct causes *c = v->causes;
	str name = arena_fmt(c->arena, "%.*s.%.*s", STR_ARG(s->names.plural), STR_ARG(s->group));
	static const str scopes[] = {STR_INIT("Cluster"), STR_INIT("Namespaced")};

	if (!before && !str_eq(crd->metadata.name, name))
		causes_invalid(c, FIELD(FIELD(NULL, "metadata"), "name"),
			cause_text(crd->metadata.name),
			"must be spec.names.plural+\".\"+spec.group");
	check_group(c, s->group, FIELD(p, "group"));
	if (s->scope.len == 0)
		causes_required(c, FIELD(p, "scope"), "%s", "");
	else if (!str_eq(s->scope, scopes[0]) && !str_eq(s->scope, scopes[1]))
		causes_not_supported(
			c, FIELD(p, "scope"), cause_text(s->scope), scopes, COUNT_OF(scopes));
	need_schemas(c, s, p);
	check_versions(c, s, p);
	need_names(c, &s->names, FIELD(p, "names"));
	check_names(c, &s->names, FIELD(p, "names"));
	check_conversion(c, s->conversion, FIELD(p, "conversion"));
	check_names(c, &crd->status.accepted_names, FIELD(FIELD(NULL, "status"), "acceptedNames"));
	check_stored_versions(c, crd);
	check_approval(c, crd, before);
	if (s->preserve_unknown_fields && !(before && before->spec.preserve_unknown_fields))
		causes_invalid(c, FIELD(p, "preserveUnknownFields"), cause_bool(true),
			"cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
			"spec.versions[*].schema instead");
}

/* Where objects lie does not change under them. */
void update_crd(struct validation *v, const void *now, const void *before)
{
	const struct crd_custom_resource_definition *old = before;

	if (crd_condition_true(old, STR("Established")))
		check_immutable(v->causes, now, before, "spec.scope spec.names.kind");
}
