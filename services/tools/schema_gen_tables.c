/*
 * Writes types.c: the pools of rows that lib/schema/row.h describes. Offsets and sizes are left to
 * the C compiler, which knows the structs; everything else is a number here.
 */
#include "tools/schema_gen.h"

#include "lib/schema/name_hash.h"

struct pools {
	const struct model *model;
	struct buf *to;   /* types.c */
	struct buf rules; /* text of the rows */
	struct buf go;
	struct map texts;
	str *text; /* in the order of the pool */
	size_t text_count, text_cap, text_bytes, rule_count, field_count;
};

struct type_rows {
	size_t fields, json_fields, numbers, lookup;
	uint32_t number_max;
	int lookup_bits;
};

static uint32_t pool_text(struct pools *p, str text);
static void write_rows(struct pools *p, struct type_rows *rows);
static void write_numbers(struct pools *p, struct type_rows *rows);
static void write_lookup(struct pools *p, struct type_rows *rows);
static void write_types(struct pools *p, const struct type_rows *rows);
static void write_kinds(struct pools *p);
static void write_text(struct pools *p);

void schema_write_tables(const struct model *m, struct buf *to)
{
	struct pools p = {.model = m, .to = to, .rule_count = 1};
	struct type_rows *rows = arena_get(m->arena, m->type_count * sizeof(*rows));

	map_init(&p.texts);
	buf_init(&p.rules, BUF_NO_LIMIT);
	buf_init(&p.go, BUF_NO_LIMIT);
	pool_text(&p, STR(""));
	buf_add_fmt(to, "/* Generated from lib/api/schema. */\n#include \"api/kinds.h\"\n");
	write_rows(&p, rows);
	write_numbers(&p, rows);
	write_lookup(&p, rows);
	write_types(&p, rows);
	write_kinds(&p);
	write_text(&p);
	buf_add_fmt(to,
		"\nconst struct schema api_schema = {\n\t.types = types,\n\t.fields = "
		"fields,\n\t.go = go,\n"
		"\t.rules = rules,\n\t.kinds = kinds,\n\t.numbers = numbers,\n\t.lookup = lookup,\n"
		"\t.functions = functions,\n\t.text = text,\n\t.type_count = COUNT_OF(types),\n"
		"\t.kind_count = COUNT_OF(kinds),\n};\n");
	buf_free(&p.rules);
	buf_free(&p.go);
	map_free(&p.texts);
}

/* Offset of the text, with a NUL behind it, in the pool; equal texts are kept once. */
static uint32_t pool_text(struct pools *p, str text)
{
	struct arena *a = p->model->arena;
	size_t *known = map_get(&p->texts, text);

	if (known)
		return (uint32_t)*known;
	size_t *at = arena_get(a, sizeof(*at));
	str kept = arena_str(a, text);

	*at = p->text_bytes;
	map_put(&p->texts, kept, at);
	if (p->text_count == p->text_cap) {
		size_t cap = p->text_cap ? p->text_cap * 2 : 1024;
		str *larger = arena_get(a, cap * sizeof(*larger));

		if (p->text_count)
			memcpy(larger, p->text, p->text_count * sizeof(*larger));
		p->text = larger;
		p->text_cap = cap;
	}
	p->text[p->text_count++] = kept;
	p->text_bytes += text.len + 1;
	return (uint32_t)*at;
}

static void add_text(struct pools *p, struct buf *to, str text)
{
	buf_add_fmt(to, "{%u, %zu}, ", pool_text(p, text), text.len);
}

static size_t rules_row(struct pools *p, const struct member *f)
{
	if (!f->default_json.at && !f->merge_key.at && !f->list_keys.at && !f->values.at &&
		!f->markers.at)
		return 0;
	buf_add_fmt(&p->rules, "\t{");
	add_text(p, &p->rules, f->default_json);
	add_text(p, &p->rules, f->merge_key);
	add_text(p, &p->rules, f->list_keys);
	add_text(p, &p->rules, f->values);
	add_text(p, &p->rules, f->markers);
	buf_add_fmt(&p->rules, "},\n");
	return p->rule_count++;
}

/* A row of `d`; an own row if the path to it is empty. */
static void write_row(struct pools *p, const struct decl *d, const struct flat *row)
{
	const struct member *f = row->member;
	str key = arena_fmt(p->model->arena, ",\"%.*s\":", STR_ARG(f->json));

	buf_add_fmt(p->to,
		"\t{%u, offsetof(struct %.*s, %.*s%.*s), 8 * offsetof(struct %.*s, %.*shas) + %zu, "
		"%zu, %u, %zu, 0x%x, %zu, %d, %d}, /* %.*s */\n",
		pool_text(p, key) + 2, STR_ARG(d->c_name), STR_ARG(row->c_path), STR_ARG(f->c_name),
		STR_ARG(d->c_name), STR_ARG(row->c_path), 2 * row->member_index,
		f->type ? f->type->index : 0, f->number, f->json.len, (unsigned)f->flags,
		rules_row(p, f), f->kind, f->shape, STR_ARG(f->json));
	buf_add_fmt(&p->go, "\t{%u, %u},\n", pool_text(p, f->go_type), pool_text(p, row->go_path));
	p->field_count++;
}

static void write_rows(struct pools *p, struct type_rows *rows)
{
	buf_add_fmt(p->to, "\nstatic const struct field fields[] = {\n");
	for (size_t i = 0; i < p->model->type_count; i++) {
		const struct decl *d = p->model->types[i];

		buf_add_fmt(p->to, "\t/* %.*s.%.*s */\n", STR_ARG(d->module->id), STR_ARG(d->name));
		rows[i].fields = rows[i].json_fields = p->field_count;
		for (size_t k = 0; k < d->member_count; k++) {
			struct flat own = {.owner = d, .member = &d->members[k], .member_index = k};

			if (d->members[k].in_head)
				own.go_path = STR("TypeMeta");
			write_row(p, d, &own);
		}
		if (!(d->flags & TYPE_INLINES))
			continue;
		rows[i].json_fields = p->field_count;
		buf_add_fmt(p->to, "\t/* as JSON has them */\n");
		for (size_t k = 0; k < d->flat_count; k++)
			write_row(p, d, &d->flat[k]);
	}
	buf_add_fmt(p->to, "};\n\nstatic const struct field_go go[] = {\n%.*s};\n",
		STR_ARG(buf_str(&p->go)));
	buf_add_fmt(p->to,
		"\nstatic const struct field_rules rules[] = {\n\t{{0, 0}, {0, 0}, {0, 0}, {0, 0}, "
		"{0, 0}},\n%.*s};\n",
		STR_ARG(buf_str(&p->rules)));
}

static void write_numbers(struct pools *p, struct type_rows *rows)
{
	size_t count = 0;

	buf_add_fmt(p->to, "\nstatic const uint16_t numbers[] = {\n");
	for (size_t i = 0; i < p->model->type_count; i++) {
		const struct decl *d = p->model->types[i];

		rows[i].numbers = count;
		for (size_t k = 0; k < d->member_count; k++)
			if (d->members[k].number > rows[i].number_max)
				rows[i].number_max = d->members[k].number;
		buf_add_fmt(p->to, "\t");
		for (uint32_t n = 0; n <= rows[i].number_max; n++, count++) {
			size_t found = 0;

			for (size_t k = 0; n > 0 && k < d->member_count; k++)
				if (d->members[k].number == n)
					found = k + 1;
			buf_add_fmt(p->to, "%zu, ", found);
		}
		buf_add_fmt(p->to, "\n");
	}
	buf_add_fmt(p->to, "};\n");
}

static void write_lookup(struct pools *p, struct type_rows *rows)
{
	size_t count = 0;

	buf_add_fmt(p->to, "\nstatic const uint16_t lookup[] = {\n");
	for (size_t i = 0; i < p->model->type_count; i++) {
		const struct decl *d = p->model->types[i];
		int bits = 1;

		while ((size_t)1 << bits < 2 * d->flat_count)
			bits++;
		size_t slot_count = (size_t)1 << bits;
		uint16_t *slots = arena_get(p->model->arena, slot_count * sizeof(*slots));

		for (size_t k = 0; k < d->flat_count; k++) {
			size_t at = name_slot(d->flat[k].member->json, bits);

			while (slots[at])
				at = (at + 1) & (slot_count - 1);
			slots[at] = (uint16_t)(k + 1);
		}
		buf_add_fmt(p->to, "\t");
		for (size_t k = 0; k < slot_count; k++)
			buf_add_fmt(p->to, "%u, ", (unsigned)slots[k]);
		buf_add_fmt(p->to, "\n");
		rows[i].lookup = count;
		rows[i].lookup_bits = bits;
		count += slot_count;
	}
	buf_add_fmt(p->to, "};\n");
}

static int compare_kinds(const void *a, const void *b)
{
	const struct decl *one = *(struct decl *const *)a, *other = *(struct decl *const *)b;
	int order = str_cmp(one->module->group, other->module->group);

	if (order == 0)
		order = str_cmp(one->module->version, other->module->version);
	return order ? order : str_cmp(one->name, other->name);
}

/* Objects of their own, sorted; `*count` of them. */
static struct decl **sorted_kinds(const struct model *m, size_t *count)
{
	struct decl **kinds = arena_get(m->arena, m->type_count * sizeof(struct decl *));

	*count = 0;
	for (size_t i = 0; i < m->type_count; i++)
		if (m->types[i]->what == DECL_OBJECT)
			kinds[(*count)++] = m->types[i];
	qsort(kinds, *count, sizeof(struct decl *), compare_kinds);
	return kinds;
}

static void write_types(struct pools *p, const struct type_rows *rows)
{
	size_t kind_count, call_count = 0;
	struct decl **kinds = sorted_kinds(p->model, &kind_count);

	buf_add_fmt(p->to, "\nstatic const struct type types[] = {\n");
	for (size_t i = 0; i < p->model->type_count; i++) {
		const struct decl *d = p->model->types[i];
		const struct type_rows *r = &rows[i];
		size_t kind = 0;

		while (kind < kind_count && kinds[kind] != d)
			kind++;
		buf_add_fmt(p->to,
			"\t{&api_schema, %u, %u, sizeof(struct %.*s), %zu, %zu, %zu, %zu, %zu, "
			"%zu, "
			"%u, %zu, %zu, "
			"%d, %d, 0x%x},\n",
			pool_text(p, d->go_type), pool_text(p, d->module->id), STR_ARG(d->c_name),
			r->fields, r->json_fields, r->numbers, r->lookup, d->member_count,
			d->flat_count, r->number_max, kind < kind_count ? kind + 1 : 0,
			d->default_call.at ? ++call_count : 0, r->lookup_bits, d->form,
			(unsigned)d->flags | (d->what == DECL_OBJECT ? TYPE_OBJECT : 0u));
	}
	buf_add_fmt(p->to, "};\n\nstatic default_function *const functions[] = {\n");
	for (size_t i = 0; i < p->model->type_count; i++)
		if (p->model->types[i]->default_call.at)
			buf_add_fmt(p->to, "\t%.*s,\n", STR_ARG(p->model->types[i]->default_call));
	buf_add_fmt(p->to, "\tNULL,\n};\n");
}

static void write_kinds(struct pools *p)
{
	size_t count;
	struct decl **kinds = sorted_kinds(p->model, &count);

	buf_add_fmt(p->to, "\nstatic const struct kind kinds[] = {\n");
	for (size_t i = 0; i < count; i++) {
		const struct module *m = kinds[i]->module;
		str api_version = m->version;

		if (m->group.len)
			api_version = arena_fmt(p->model->arena, "%.*s/%.*s", STR_ARG(m->group),
				STR_ARG(m->version));
		buf_add_fmt(p->to, "\t{%u, %u, %u, %u, %zu}, /* %.*s %.*s */\n",
			pool_text(p, m->group), pool_text(p, m->version),
			pool_text(p, kinds[i]->name), pool_text(p, api_version), kinds[i]->index,
			STR_ARG(api_version), STR_ARG(kinds[i]->name));
	}
	buf_add_fmt(p->to, "};\n");
}

static void write_text(struct pools *p)
{
	buf_add_fmt(p->to, "\nstatic const char text[] =\n");
	for (size_t i = 0; i < p->text_count; i++) {
		buf_add_fmt(p->to, "\t\"");
		for (size_t k = 0; k < p->text[i].len; k++) {
			char c = p->text[i].at[k];

			if (c == '"' || c == '\\')
				buf_add_char(p->to, '\\');
			if (c == '\n')
				buf_add_fmt(p->to, "\\n");
			else
				buf_add_char(p->to, c);
		}
		buf_add_fmt(p->to, "\\0\"\n");
	}
	buf_add_fmt(p->to, "\t;\n");
}
