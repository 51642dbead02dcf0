/*
 * Finds what names in the schema text mean: each member's shape, kind and type, the C name of each
 * type, the order in which C can declare them, and JSON's rows with inline structs laid open.
 */
#include "tools/schema_gen.h"

#include <stdarg.h>

static int resolve_member(struct model *m, const struct decl *d, struct member *f, struct err *e);
static int name_types(struct model *m, struct err *e);
static int order_types(struct model *m, struct decl *d, struct err *e);
static void flatten(
	struct model *m, struct decl *into, const struct decl *d, str c_path, str go_path);
static void mark_defaults(struct model *m);

static int fail(const struct decl *d, int line, struct err *e, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static int fail(const struct decl *d, int line, struct err *e, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(e, ERR_INVALID, "%.*s:%d: %s", STR_ARG(d->module->path), line, text);
}

static bool is_type(const struct decl *d)
{
	return d->what != DECL_ALIAS || d->form == FORM_LIST;
}

/* A list that is a message of its own has one field, as protobuf has it. */
static void add_items(struct model *m, struct decl *d)
{
	struct member items = {.json = STR("items"), .c_name = STR("items"), .number = 1};

	items.type_ref = d->type_ref;
	items.line = d->line;
	model_push(m, &d->members, &d->member_count, &d->member_cap, &items, sizeof(items));
}

static int each_decl(
	struct model *m, int (*what)(struct model *, struct decl *, struct err *), struct err *e)
{
	for (size_t i = 0; i < m->module_count; i++)
		for (size_t k = 0; k < m->modules[i]->decl_count; k++)
			TRY(what(m, m->modules[i]->decls[k], e));
	return 0;
}

static int resolve_decl(struct model *m, struct decl *d, struct err *e)
{
	if (d->form == FORM_LIST)
		add_items(m, d);
	for (size_t i = 0; i < d->member_count; i++)
		TRY(resolve_member(m, d, &d->members[i], e));
	return 0;
}

int schema_resolve(struct model *m, struct err *e)
{
	TRY(each_decl(m, resolve_decl, e));
	TRY(name_types(m, e));
	TRY(each_decl(m, order_types, e));
	for (size_t i = 0; i < m->type_count; i++)
		flatten(m, m->types[i], m->types[i], STR(""), STR(""));
	mark_defaults(m);
	return 0;
}

static const struct {
	str word, go_type;
	enum field_kind kind;
} scalars[] = {
	{STR_INIT("bool"), STR_INIT("bool"), KIND_BOOL},
	{STR_INIT("int32"), STR_INIT("int32"), KIND_INT32},
	{STR_INIT("int64"), STR_INIT("int64"), KIND_INT64},
	{STR_INIT("float64"), STR_INIT("float64"), KIND_FLOAT64},
	{STR_INIT("string"), STR_INIT("string"), KIND_STRING},
	{STR_INIT("bytes"), STR_INIT("[]uint8"), KIND_BYTES},
	{STR_INIT("quantity"), STR_INIT("resource.Quantity"), KIND_QUANTITY},
	{STR_INIT("time"), STR_INIT("v1.Time"), KIND_TIME},
	{STR_INIT("microtime"), STR_INIT("v1.MicroTime"), KIND_MICROTIME},
	{STR_INIT("duration"), STR_INIT("v1.Duration"), KIND_DURATION},
	{STR_INIT("intorstring"), STR_INIT("intstr.IntOrString"), KIND_INT_OR_STRING},
	{STR_INIT("raw"), STR_INIT("runtime.RawExtension"), KIND_RAW},
	{STR_INIT("fields"), STR_INIT("v1.FieldsV1"), KIND_FIELDS},
	{STR_INIT("json"), STR_INIT("v1.JSON"), KIND_JSON},
	{STR_INIT("any"), STR_INIT("interface {}"), KIND_ANY},
};

/* A type is named alone in its own file, as MODULE.NAME elsewhere. */
static struct decl *find(const struct model *m, const struct module *from, str ref)
{
	ptrdiff_t dot = str_find_char(ref, '.');

	if (dot < 0)
		return map_get(&from->by_name, ref);
	str id = str_slice(ref, 0, (size_t)dot);
	const struct module *module = map_get(&m->by_id, id);

	for (size_t i = 0; module && i < from->use_count; i++)
		if (str_eq(from->uses[i], id))
			return map_get(&module->by_name, str_slice(ref, (size_t)dot + 1, ref.len));
	return NULL;
}

/* Takes `*`, `[]` or `map[K]` off the front. */
static enum field_shape take_shape(str *ref, str *key)
{
	if (str_starts(*ref, STR("*"))) {
		*ref = str_slice(*ref, 1, ref->len);
		return SHAPE_POINTER;
	}
	if (str_starts(*ref, STR("[]"))) {
		*ref = str_slice(*ref, 2, ref->len);
		return SHAPE_LIST;
	}
	if (str_starts(*ref, STR("map["))) {
		*key = str_slice(*ref, 4, ref->len);
		*key = str_cut(key, ']');
		*ref = str_slice(*ref, key->len + 5, ref->len);
		return SHAPE_MAP;
	}
	return SHAPE_VALUE;
}

static str shaped_go_type(
	struct model *m, const struct decl *d, enum field_shape shape, str key, str of)
{
	if (shape == SHAPE_LIST)
		return arena_fmt(m->arena, "[]%.*s", STR_ARG(of));
	if (shape != SHAPE_MAP)
		return of;
	struct decl *named = find(m, d->module, key);

	key = named ? named->go_type : key;
	return arena_fmt(m->arena, "map[%.*s]%.*s", STR_ARG(key), STR_ARG(of));
}

/* `ref` has no shape in front. Aliases of lists and maps give the member their shape. */
static int resolve_name(
	struct model *m, const struct decl *d, struct member *f, str ref, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(scalars); i++) {
		if (str_eq(ref, scalars[i].word)) {
			f->kind = scalars[i].kind;
			f->go_type = scalars[i].go_type;
			return 0;
		}
	}
	struct decl *named = find(m, d->module, ref);

	if (!named)
		return fail(d, f->line, e, "%.*s is not declared, nor in a file that is used",
			STR_ARG(ref));
	if (is_type(named)) {
		f->kind = KIND_STRUCT;
		f->type = named;
	} else {
		struct member real = {.type_ref = named->type_ref, .line = named->line};

		TRY(resolve_member(m, named, &real, e));
		if (real.shape != SHAPE_VALUE && f->shape != SHAPE_VALUE)
			return fail(d, f->line, e, "%.*s is a list or map already", STR_ARG(ref));
		if (real.shape != SHAPE_VALUE)
			f->shape = real.shape;
		f->kind = real.kind;
		f->type = real.type;
		f->values = named->values;
		f->flags |= named->milli ? FIELD_MILLI : 0;
	}
	f->go_type = named->go_type;
	return 0;
}

static bool map_has_entries_in_c(const struct member *f)
{
	return f->kind == KIND_STRING || f->kind == KIND_BYTES || f->kind == KIND_QUANTITY ||
		f->kind == KIND_TIME || f->kind == KIND_STRUCT;
}

static int resolve_member(struct model *m, const struct decl *d, struct member *f, struct err *e)
{
	str ref = f->type_ref, key = {NULL, 0};
	enum field_shape written = take_shape(&ref, &key);

	f->shape = written;
	TRY(resolve_name(m, d, f, ref, e));
	f->go_type = shaped_go_type(m, d, written, key, f->go_type);
	if (f->shape == SHAPE_MAP) {
		if (!map_has_entries_in_c(f))
			return fail(d, f->line, e,
				"lib/schema/type.h has no entry for maps of %.*s", STR_ARG(ref));
		if (f->type)
			f->type->is_map_value = true;
	}
	if ((f->flags & FIELD_INLINE) && (f->kind != KIND_STRUCT || f->shape != SHAPE_VALUE))
		return fail(d, f->line, e, "only a struct can be inline");
	return 0;
}

static int name_types(struct model *m, struct err *e)
{
	struct map taken;
	int result = 0;

	map_init(&taken);
	for (size_t i = 0; i < m->module_count && result == 0; i++) {
		const struct module *module = m->modules[i];

		for (size_t k = 0; k < module->decl_count && result == 0; k++) {
			struct decl *d = module->decls[k];
			str name = c_name(m->arena, d->name);

			d->c_name = arena_fmt(
				m->arena, "%.*s%.*s", STR_ARG(module->prefix), STR_ARG(name));
			struct decl *other = is_type(d) ? map_put(&taken, d->c_name, d) : NULL;

			if (other)
				result = fail(d, d->line, e,
					"struct %.*s is in %.*s too; give a prefix",
					STR_ARG(d->c_name), STR_ARG(other->module->path));
		}
	}
	map_free(&taken);
	return result;
}

static int order_types(struct model *m, struct decl *d, struct err *e)
{
	if (d->done || !is_type(d))
		return 0;
	if (d->open)
		return fail(d, d->line, e, "%.*s contains itself; use a pointer", STR_ARG(d->name));
	d->open = true;
	for (size_t i = 0; i < d->member_count; i++)
		if (d->members[i].shape == SHAPE_VALUE && d->members[i].type)
			TRY(order_types(m, d->members[i].type, e));
	d->done = true;
	d->index = m->type_count;
	model_push(m, &m->types, &m->type_count, &m->type_cap, &d, sizeof(d));
	return 0;
}

static void flatten(
	struct model *m, struct decl *into, const struct decl *d, str c_path, str go_path)
{
	for (size_t i = 0; i < d->member_count; i++) {
		const struct member *f = &d->members[i];
		struct flat row = {.owner = d, .member = f, .member_index = i, .c_path = c_path};

		row.go_path = f->in_head ? STR("TypeMeta") : go_path;
		if (!(f->flags & FIELD_INLINE)) {
			model_push(m, &into->flat, &into->flat_count, &into->flat_cap, &row,
				sizeof(row));
			continue;
		}
		into->flags |= TYPE_INLINES;
		flatten(m, into, f->type,
			arena_fmt(m->arena, "%.*s%.*s.", STR_ARG(c_path), STR_ARG(f->c_name)),
			arena_fmt(m->arena, "%.*s%s%.*s", STR_ARG(go_path), go_path.len ? "." : "",
				STR_ARG(f->type->name)));
	}
}

static bool has_defaults(const struct decl *d)
{
	if (d->default_call.at)
		return true;
	for (size_t i = 0; i < d->member_count; i++) {
		const struct member *f = &d->members[i];

		if ((f->flags & (FIELD_DEFAULT | FIELD_MILLI)) ||
			(f->type && (f->type->flags & TYPE_DEFAULTS)))
			return true;
	}
	return false;
}

/* Types may contain each other through pointers, so until nothing changes. */
static void mark_defaults(struct model *m)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < m->type_count; i++) {
			struct decl *d = m->types[i];

			if (!(d->flags & TYPE_DEFAULTS) && has_defaults(d)) {
				d->flags |= TYPE_DEFAULTS;
				changed = true;
			}
		}
	}
}
