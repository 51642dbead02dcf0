/*
 * Definitions: what kube-openapi makes of Go's types, made of the schema's tables.
 */
#include "apiserver/endpoints/openapi_build.h"

/* Kinds whose form in JSON is not that of their Go type. */
static const struct scalar {
	const char *name;   /* of a definition; NULL: written where it is used */
	const char *schema; /* without its braces */
	const char *zero;   /* the default of a value that has to be there; NULL: none */
} scalars[KIND_COUNT] = {
	[KIND_BOOL] = {NULL, "\"type\":\"boolean\"", "false"},
	[KIND_INT32] = {NULL, "\"type\":\"integer\",\"format\":\"int32\"", "0"},
	[KIND_INT64] = {NULL, "\"type\":\"integer\",\"format\":\"int64\"", "0"},
	[KIND_FLOAT64] = {NULL, "\"type\":\"number\",\"format\":\"double\"", "0"},
	[KIND_STRING] = {NULL, "\"type\":\"string\"", "\"\""},
	[KIND_BYTES] = {NULL, "\"type\":\"string\",\"format\":\"byte\"", NULL},
	[KIND_QUANTITY] = {"io.k8s.apimachinery.pkg.api.resource.Quantity",
		"\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]", NULL},
	[KIND_TIME] = {"io.k8s.apimachinery.pkg.apis.meta.v1.Time",
		"\"type\":\"string\",\"format\":\"date-time\"", NULL},
	[KIND_MICROTIME] = {"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
		"\"type\":\"string\",\"format\":\"date-time\"", NULL},
	[KIND_DURATION] = {"io.k8s.apimachinery.pkg.apis.meta.v1.Duration", "\"type\":\"string\"",
		NULL},
	[KIND_INT_OR_STRING] = {"io.k8s.apimachinery.pkg.util.intstr.IntOrString",
		"\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}],\"format\":"
		"\"int-or-string\"",
		NULL},
	[KIND_RAW] = {"io.k8s.apimachinery.pkg.runtime.RawExtension", "\"type\":\"object\"", NULL},
	[KIND_FIELDS] = {"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", "\"type\":\"object\"",
		NULL},
	[KIND_JSON] = {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON", "", NULL},
	[KIND_ANY] = {NULL, "", NULL},
};

static void put_name(const struct type *t, struct buf *to);
static void put_type(const struct type *t, struct buf *to);
static void put_field(const struct type *t, const struct field *f, struct buf *to);

void definitions_init(struct definitions *d, struct arena *a)
{
	*d = (struct definitions){
		.arena = a, .wanted = arena_get(a, api_schema.type_count * sizeof(bool))};
}

/* A queue of rows instead of recursion: types refer to each other in circles. */
void definitions_add(struct definitions *d, const struct type *t)
{
	const struct type **queue = arena_get(
		d->arena, (api_schema.type_count + 1) * sizeof(*queue));
	size_t len = 0;

	if (d->wanted[t - api_schema.types])
		return;
	d->wanted[t - api_schema.types] = true;
	queue[len++] = t;
	while (len) {
		t = queue[--len];
		for (const struct field *f = json_fields(t); f < json_fields_end(t); f++) {
			const struct type *below = field_type(t, f);

			if (!below) {
				d->scalars[f->kind] = true;
				continue;
			}
			if (d->wanted[below - api_schema.types])
				continue;
			d->wanted[below - api_schema.types] = true;
			queue[len++] = below;
		}
	}
}

static void begin_definition(struct buf *to, size_t *count)
{
	if ((*count)++)
		buf_add_char(to, ',');
	buf_add_char(to, '"');
}

void definitions_put(const struct definitions *d, struct buf *to)
{
	size_t count = 0;

	for (size_t i = 0; i < api_schema.type_count; i++) {
		const struct type *t = &api_schema.types[i];

		if (!d->wanted[i] || t->form == FORM_LIST)
			continue;
		begin_definition(to, &count);
		put_name(t, to);
		buf_add_str(to, STR("\":"));
		put_type(t, to);
	}
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (!d->scalars[i] || !scalars[i].name)
			continue;
		begin_definition(to, &count);
		buf_add_fmt(to, "%s\":{%s}", scalars[i].name, scalars[i].schema);
	}
}

void definition_put_ref(const struct type *t, struct buf *to)
{
	buf_add_str(to, STR("{\"$ref\":\"#/components/schemas/"));
	put_name(t, to);
	buf_add_str(to, STR("\"}"));
}

void openapi_put_kind(const struct type *t, struct buf *to)
{
	const struct kind *k = type_kind(t);
	const char *text = t->schema->text;

	buf_add_fmt(to, "{\"group\":\"%s\",\"kind\":\"%s\",\"version\":\"%s\"}", text + k->group,
		text + k->name, text + k->version);
}

void openapi_put_custom_name(const struct type *t, str kind, struct buf *to)
{
	const struct kind *k = type_kind(t);
	str group = str_of(t->schema->text + k->group);

	/* example.io -> io.example */
	while (group.len) {
		size_t at = group.len;

		while (at > 0 && group.at[at - 1] != '.')
			at--;
		buf_add_str(to, str_slice(group, at, group.len));
		buf_add_char(to, '.');
		group.len = at ? at - 1 : 0;
	}
	buf_add_fmt(to, "%s.%.*s", t->schema->text + k->version, STR_ARG(kind));
}

/* The Go package's path, turned around, and the name. */
static void put_name(const struct type *t, struct buf *to)
{
	if (t->schema->sorted) {
		openapi_put_custom_name(t, str_of(t->schema->text + type_kind(t)->name), to);
		return;
	}
	static const struct {
		const char *module, *prefix;
	} elsewhere[] = {
		{"meta/v1", "io.k8s.apimachinery.pkg.apis."},
		{"apiextensions/v1", "io.k8s.apiextensions-apiserver.pkg.apis."},
		{"apiregistration/v1", "io.k8s.kube-aggregator.pkg.apis."},
	};
	str module = str_of(t->schema->text + t->module);
	const char *prefix = "io.k8s.api.";

	for (size_t i = 0; i < COUNT_OF(elsewhere); i++)
		if (str_eq(module, str_of(elsewhere[i].module)))
			prefix = elsewhere[i].prefix;
	str version = module, group = str_cut(&version, '/');

	buf_add_fmt(to, "%s%.*s.%.*s.%s", prefix, STR_ARG(group), STR_ARG(version), type_name(t));
}

static bool required(const struct field *f)
{
	return !(f->flags & (FIELD_OMITEMPTY | FIELD_OMITZERO | FIELD_OPTIONAL)) ||
		(f->flags & FIELD_REQUIRED);
}

static void put_required(const struct type *t, struct buf *to)
{
	size_t count = 0;

	for (const struct field *f = json_fields(t); f < json_fields_end(t); f++) {
		if (!required(f))
			continue;
		buf_add_str(to, count++ ? STR(",") : STR(",\"required\":["));
		json_put_str(to, field_name(t, f));
	}
	if (count)
		buf_add_char(to, ']');
}

static void put_type(const struct type *t, struct buf *to)
{
	size_t count = 0;

	buf_add_str(to, STR("{\"type\":\"object\""));
	for (const struct field *f = json_fields(t); f < json_fields_end(t); f++) {
		buf_add_str(to, count++ ? STR(",") : STR(",\"properties\":{"));
		json_put_str(to, field_name(t, f));
		buf_add_char(to, ':');
		put_field(t, f, to);
	}
	if (count)
		buf_add_char(to, '}');
	put_required(t, to);
	if (t->flags & TYPE_ATOMIC)
		buf_add_str(to, STR(",\"x-kubernetes-map-type\":\"atomic\""));
	if (type_kind(t)) {
		buf_add_str(to, STR(",\"x-kubernetes-group-version-kind\":["));
		openapi_put_kind(t, to);
		buf_add_char(to, ']');
	}
	buf_add_char(to, '}');
}

/* --- fields */

static void put_texts(struct buf *to, const char *name, str list, char separator)
{
	size_t count = 0;

	buf_add_fmt(to, ",\"%s\":[", name);
	for (str rest = list; rest.at && rest.len;) {
		if (count++)
			buf_add_char(to, ',');
		json_put_str(to, str_cut(&rest, separator));
	}
	buf_add_char(to, ']');
}

/* The inside of the braces of one value, whatever the shape around it. */
static void put_value(
	const struct type *t, const struct field *f, bool with_default, struct buf *to)
{
	const struct type *below = field_type(t, f);
	const struct scalar *s = &scalars[f->kind];

	if (below && below->form == FORM_LIST) {
		buf_add_str(to, STR("\"type\":\"array\",\"items\":{"));
		put_value(below, json_fields(below), true, to);
		buf_add_char(to, '}');
	} else if (below || s->name) {
		buf_add_fmt(to,
			with_default ? "\"allOf\":[{\"$ref\":\"#/components/schemas/"
				     : "\"$ref\":\"#/components/schemas/");
		if (below)
			put_name(below, to);
		else
			buf_add_str(to, str_of(s->name));
		buf_add_str(to,
			with_default && below  ? STR("\"}],\"default\":{}")
				: with_default ? STR("\"}]")
					       : STR("\""));
	} else {
		buf_add_str(to, str_of(s->schema));
		if (with_default && s->zero)
			buf_add_fmt(to, ",\"default\":%s", s->zero);
	}
}

static void put_lists(const struct type *t, const struct field *f, struct buf *to)
{
	const struct field_rules *rules = field_rules(t, f);

	if (f->shape == SHAPE_LIST && (f->flags & FIELD_KEYED)) {
		put_texts(to, "x-kubernetes-list-map-keys", type_text(t, rules->list_keys), ',');
		buf_add_str(to, STR(",\"x-kubernetes-list-type\":\"map\""));
	} else if (f->shape == SHAPE_LIST && (f->flags & FIELD_SET)) {
		buf_add_str(to, STR(",\"x-kubernetes-list-type\":\"set\""));
	} else if (f->flags & FIELD_ATOMIC) {
		buf_add_fmt(to, ",\"x-kubernetes-%s-type\":\"atomic\"",
			f->shape == SHAPE_LIST ? "list" : "map");
	}
	if (rules->merge_key.len) {
		buf_add_str(to, STR(",\"x-kubernetes-patch-merge-key\":"));
		json_put_str(to, type_text(t, rules->merge_key));
	}
	if (f->flags & (FIELD_PATCH_MERGE | FIELD_PATCH_REPLACE | FIELD_PATCH_RETAIN_KEYS)) {
		bool merge = f->flags & FIELD_PATCH_MERGE,
		     retain = f->flags & FIELD_PATCH_RETAIN_KEYS;

		buf_add_fmt(to, ",\"x-kubernetes-patch-strategy\":\"%s%s%s%s\"",
			merge ? "merge" : "", merge && retain ? "," : "",
			retain ? "retainKeys" : "",
			f->flags & FIELD_PATCH_REPLACE ? "replace" : "");
	}
}

static void put_field(const struct type *t, const struct field *f, struct buf *to)
{
	const struct field_rules *rules = field_rules(t, f);
	bool extras = f->flags &
		(FIELD_ATOMIC | FIELD_PATCH_MERGE | FIELD_PATCH_REPLACE | FIELD_PATCH_RETAIN_KEYS);
	bool whole = f->shape == SHAPE_VALUE && (required(f) || field_type(t, f));

	buf_add_char(to, '{');
	if (f->shape == SHAPE_LIST) {
		buf_add_str(to, STR("\"type\":\"array\",\"items\":{"));
		put_value(t, f, true, to);
		buf_add_char(to, '}');
	} else if (f->shape == SHAPE_MAP) {
		buf_add_str(to, STR("\"type\":\"object\",\"additionalProperties\":{"));
		put_value(t, f, true, to);
		buf_add_char(to, '}');
	} else if (rules->default_json.len && !field_type(t, f)) {
		put_value(t, f, false, to);
		buf_add_str(to, STR(",\"default\":"));
		buf_add_str(to, type_text(t, rules->default_json));
	} else {
		put_value(t, f, whole || extras, to);
	}
	if (rules->values.len)
		put_texts(to, "enum", type_text(t, rules->values), ' ');
	put_lists(t, f, to);
	buf_add_char(to, '}');
}
