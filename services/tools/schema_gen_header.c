/*
 * Writes one C header for each file of schema text, and kinds.h, which numbers all types.
 */
#include "tools/schema_gen.h"

#include <ctype.h>

static void write_struct(struct buf *to, const struct decl *d);
static void write_member(struct buf *to, const struct member *f);

static void write_head(struct buf *to, str source)
{
	ptrdiff_t folder = str_find(source, STR("lib/api/"));

	if (folder > 0)
		source = str_slice(source, (size_t)folder, source.len);
	buf_add_fmt(to, "/* Generated from %.*s. */\n#pragma once\n\n", STR_ARG(source));
}

void schema_write_header(const struct model *m, struct module *module, struct buf *to)
{
	write_head(to, module->path);
	for (size_t i = 0; i < module->use_count; i++) {
		const struct module *used = map_get(&m->by_id, module->uses[i]);

		if (used)
			buf_add_fmt(to, "#include \"api/%.*s.h\"\n", STR_ARG(used->c_id));
	}
	buf_add_fmt(to, "#include \"lib/schema/object.h\"\n");
	for (size_t i = 0; i < m->type_count; i++)
		if (m->types[i]->module == module)
			write_struct(to, m->types[i]);
}

static const char *value_type(enum field_kind kind)
{
	static const char *const names[] = {
		[KIND_BOOL] = "bool",
		[KIND_INT32] = "int32_t",
		[KIND_INT64] = "int64_t",
		[KIND_FLOAT64] = "double",
		[KIND_STRING] = "str",
		[KIND_BYTES] = "str",
		[KIND_QUANTITY] = "struct quantity",
		[KIND_TIME] = "struct time_value",
		[KIND_MICROTIME] = "struct time_value",
		[KIND_DURATION] = "struct duration",
		[KIND_INT_OR_STRING] = "struct int_or_string",
		[KIND_RAW] = "str",
		[KIND_FIELDS] = "str",
		[KIND_JSON] = "str",
		[KIND_ANY] = "str",
	};

	return names[kind];
}

static void write_struct(struct buf *to, const struct decl *d)
{
	size_t has = (2 * d->member_count + 7) / 8;

	buf_add_fmt(to, "\nstruct %.*s {\n", STR_ARG(d->c_name));
	if (d->what == DECL_OBJECT)
		buf_add_fmt(to, "\tstruct object object;\n");
	buf_add_fmt(to, "\tuint8_t has[%zu];\n", has ? has : 1);
	for (size_t i = 0; i < d->member_count; i++)
		if (!d->members[i].in_head)
			write_member(to, &d->members[i]);
	buf_add_fmt(to, "};\n");
	if (d->is_map_value)
		buf_add_fmt(to, "\nstruct %.*s_entry {\n\tstr key;\n\tstruct %.*s value;\n};\n",
			STR_ARG(d->c_name), STR_ARG(d->c_name));
}

static void write_member(struct buf *to, const struct member *f)
{
	const char *star = f->shape == SHAPE_POINTER ? "*" : "";
	bool is_str = f->kind != KIND_STRUCT && strcmp(value_type(f->kind), "str") == 0;
	struct buf type;

	buf_init(&type, 4096);
	if (f->kind == KIND_STRUCT)
		buf_add_fmt(&type, "struct %.*s", STR_ARG(f->type->c_name));
	else
		buf_add_fmt(&type, "%s", value_type(f->kind));

	if (f->shape == SHAPE_LIST && is_str)
		buf_add_fmt(to, "\tstruct str_list %.*s;\n", STR_ARG(f->c_name));
	else if (f->shape == SHAPE_LIST)
		buf_add_fmt(
			to, "\tLIST(%.*s) %.*s;\n", STR_ARG(buf_str(&type)), STR_ARG(f->c_name));
	else if (f->shape == SHAPE_MAP && is_str)
		buf_add_fmt(to, "\tstruct str_map %.*s;\n", STR_ARG(f->c_name));
	else if (f->shape == SHAPE_MAP && f->kind == KIND_QUANTITY)
		buf_add_fmt(to, "\tstruct quantity_map %.*s;\n", STR_ARG(f->c_name));
	else if (f->shape == SHAPE_MAP && f->kind == KIND_TIME)
		buf_add_fmt(to, "\tLIST(struct time_entry) %.*s;\n", STR_ARG(f->c_name));
	else if (f->shape == SHAPE_MAP)
		buf_add_fmt(to, "\tLIST(%.*s_entry) %.*s;\n", STR_ARG(buf_str(&type)),
			STR_ARG(f->c_name));
	else
		buf_add_fmt(
			to, "\t%.*s %s%.*s;\n", STR_ARG(buf_str(&type)), star, STR_ARG(f->c_name));
	buf_free(&type);
}

void schema_write_kinds(const struct model *m, struct buf *to)
{
	write_head(to, STR("lib/api/schema"));
	for (size_t i = 0; i < m->module_count; i++)
		buf_add_fmt(to, "#include \"api/%.*s.h\"\n", STR_ARG(m->modules[i]->c_id));
	buf_add_fmt(to, "\n/* Rows of api_schema.types. */\nenum api_type {\n");
	for (size_t i = 0; i < m->type_count; i++) {
		const struct decl *d = m->types[i];

		buf_add_fmt(to, "\tAPI_");
		for (size_t k = 0; k < d->c_name.len; k++)
			buf_add_char(to, (char)toupper((unsigned char)d->c_name.at[k]));
		buf_add_fmt(to, ", /* %.*s.%.*s */\n", STR_ARG(d->module->id), STR_ARG(d->name));
	}
	buf_add_fmt(to,
		"};\n\nextern const struct schema api_schema;\n\n"
		"static inline const struct type *api_type(enum api_type id)\n{\n"
		"\treturn &api_schema.types[id];\n}\n");
	buf_add_fmt(to, "\n/* lib/api/defaults */\n");
	for (size_t i = 0; i < m->type_count; i++)
		if (m->types[i]->default_call.at)
			buf_add_fmt(
				to, "default_function %.*s;\n", STR_ARG(m->types[i]->default_call));
}
