#include "lib/structural/rows.h"

#include "lib/schema/layout.h"

#include <stdlib.h>

struct maker {
	struct arena *arena;
	struct layout layout;
	uint16_t metadata; /* ObjectMeta among the types */
	struct err *e;
};

/* Where a value stands. */
enum place_of { OF_FIELD, OF_ELEMENT };

static int describe(struct maker *m, const struct crd_json_schema_props *s, enum place_of where,
	struct layout_field *to);

static str type_of(const struct crd_json_schema_props *s)
{
	return s->x_kubernetes_embedded_resource ? STR("object") : s->type;
}

static bool is_word(const str *text, const char *word)
{
	return text && str_eq(*text, str_of(word));
}

static int compare(const void *a, const void *b)
{
	const struct layout_field *one = a, *other = b;

	return str_cmp(one->name, other->name);
}

static bool is_head(str name)
{
	return str_eq(name, STR("apiVersion")) || str_eq(name, STR("kind")) ||
		str_eq(name, STR("metadata"));
}

/* The three that every object has; values at the root, pointers in an embedded resource. */
static size_t put_head(struct maker *m, struct layout_field *to, bool root)
{
	enum field_shape shape = root ? SHAPE_VALUE : SHAPE_POINTER;

	to[0] = (struct layout_field){.name = STR("apiVersion"), .kind = KIND_STRING};
	to[1] = (struct layout_field){.name = STR("kind"), .kind = KIND_STRING};
	to[2] = (struct layout_field){
		.name = STR("metadata"), .kind = KIND_STRUCT, .type = m->metadata};
	for (size_t i = 0; i < 3; i++) {
		to[i].shape = shape;
		to[i].flags = FIELD_OMITEMPTY;
	}
	return 3;
}

static int put_struct(
	struct maker *m, const struct crd_json_schema_props *s, bool root, bool keeps, uint16_t *to)
{
	bool object = root || (s && s->x_kubernetes_embedded_resource);
	size_t count = 0, properties = s ? s->properties.len : 0;
	struct layout_field *fields = arena_try_array(m->arena, properties + 3, sizeof(*fields));
	unsigned flags = keeps ? TYPE_KEEPS : 0;

	if (!fields)
		return arena_full(m->arena, m->e);
	if (object)
		count = put_head(m, fields, root);
	for (size_t i = 0; i < properties; i++) {
		const struct crd_json_schema_props_entry *p = &s->properties.at[i];

		if (object && is_head(p->key))
			continue;
		fields[count].name = p->key;
		TRY(describe(m, &p->value, OF_FIELD, &fields[count++]));
	}
	qsort(fields, count, sizeof(*fields), compare);
	if (s && is_word(s->x_kubernetes_map_type, "atomic"))
		flags |= TYPE_ATOMIC;
	return layout_struct(&m->layout, fields, count, flags, root, to, m->e);
}

static str join(struct arena *a, const struct str_list *texts)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < texts->len; i++)
		buf_add_fmt(&b, "%s%.*s", i ? "," : "", STR_ARG(texts->at[i]));
	str to = arena_str(a, buf_str(&b));

	buf_free(&b);
	return to;
}

static void describe_list(
	struct maker *m, const struct crd_json_schema_props *s, struct layout_field *to)
{
	to->shape = SHAPE_LIST;
	if (is_word(s->x_kubernetes_list_type, "set")) {
		to->flags |= FIELD_SET;
	} else if (is_word(s->x_kubernetes_list_type, "map")) {
		to->flags |= FIELD_KEYED;
		to->list_keys = join(m->arena, &s->x_kubernetes_list_map_keys);
	} else {
		to->flags |= FIELD_ATOMIC;
	}
}

/* A list or map where one value is wanted becomes a type of its own. */
static int wrap(struct maker *m, struct layout_field *to)
{
	struct layout_field only = *to;

	only.name = STR("");
	only.default_json = (str){NULL, 0};
	*to = (struct layout_field){.name = to->name, .kind = KIND_STRUCT};
	return layout_list(&m->layout, &only, &to->type, m->e);
}

/* What may be null among its like has no row that could say so. */
static int describe_element(
	struct maker *m, const struct crd_json_schema_props *s, struct layout_field *to)
{
	struct layout_field element = {.name = to->name};

	TRY(describe(m, s, OF_ELEMENT, &element));
	if (element.shape != SHAPE_VALUE)
		TRY(wrap(m, &element));
	to->kind = element.kind == KIND_STRUCT || !s->nullable ? element.kind : KIND_ANY;
	to->type = element.type;
	return 0;
}

static int describe_object(struct maker *m, const struct crd_json_schema_props *s,
	enum place_of where, struct layout_field *to)
{
	const struct crd_json_schema_props_or_bool *more = s->additional_properties;
	bool keeps = structural_keeps(s) || (more && more->allows && !more->schema);

	to->flags |= is_word(s->x_kubernetes_map_type, "atomic") ? FIELD_ATOMIC : 0;
	to->shape = where == OF_FIELD ? SHAPE_POINTER : SHAPE_VALUE;
	if (s->properties.len || s->x_kubernetes_embedded_resource || (!keeps && !more)) {
		to->kind = KIND_STRUCT;
		return put_struct(m, s, false, keeps, &to->type);
	}
	if (!more || !more->schema) {
		to->kind = KIND_ANY;
		return 0;
	}
	to->shape = SHAPE_MAP;
	return describe_element(m, more->schema, to);
}

static int describe(struct maker *m, const struct crd_json_schema_props *s, enum place_of where,
	struct layout_field *to)
{
	static const struct {
		const char *type;
		enum field_kind kind;
	} scalars[] = {{"string", KIND_STRING}, {"integer", KIND_INT64}, {"boolean", KIND_BOOL}};
	str type = type_of(s);

	if (s->default_)
		to->default_json = *s->default_;
	if (s->nullable)
		to->flags |= FIELD_NULLABLE;
	to->kind = KIND_ANY;
	to->shape = where == OF_FIELD ? SHAPE_POINTER : SHAPE_VALUE;
	if (s->x_kubernetes_int_or_string)
		return 0;
	if (str_eq(type, STR("object")))
		return describe_object(m, s, where, to);
	if (str_eq(type, STR("array")) && s->items && s->items->schema) {
		describe_list(m, s, to);
		return describe_element(m, s->items->schema, to);
	}
	for (size_t i = 0; i < COUNT_OF(scalars); i++)
		if (str_eq(type, str_of(scalars[i].type)))
			to->kind = scalars[i].kind;
	return 0;
}

int structural_rows(struct arena *a, const struct structural_kind *kind,
	const struct crd_json_schema_props *schema, bool keeps, const struct type **to,
	struct err *e)
{
	struct maker m = {.arena = a, .e = e};
	uint16_t root;
	int result;

	layout_init(&m.layout, a);
	keeps |= !schema || structural_keeps(schema);
	result = layout_import(&m.layout, api_type(API_OBJECT_META), &m.metadata, e);
	if (result == 0)
		result = put_struct(&m, schema, true, keeps, &root);
	if (result == 0)
		result = layout_finish(&m.layout, kind->group, kind->version, kind->kind, to, e);
	layout_free(&m.layout);
	return result;
}
