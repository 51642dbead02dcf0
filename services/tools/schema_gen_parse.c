/*
 * Reads schema text (lib/api/schema/README.md) line by line: what stands in the first column opens
 * a declaration, what is indented belongs to it.
 */
#include "tools/schema_gen.h"

#include <stdarg.h>

struct reader {
	struct model *model;
	struct module *module;
	struct decl *decl; /* the one that indented lines belong to */
	const char *path;
	int line;
};

static int read_line(struct reader *r, str line, struct err *e);
static int read_indented(struct reader *r, str line, struct err *e);
static int read_decl(struct reader *r, enum decl_what what, str rest, struct err *e);
static void add_head(struct reader *r, struct decl *d);
static int read_member(struct reader *r, str line, struct err *e);
static int read_attribute(struct reader *r, struct member *m, str word, struct err *e);
static int fail(const struct reader *r, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);

void model_init(struct model *m, struct arena *a)
{
	*m = (struct model){.arena = a};
	map_init(&m->by_id);
}

void model_free(struct model *m)
{
	for (size_t i = 0; i < m->module_count; i++)
		map_free(&m->modules[i]->by_name);
	map_free(&m->by_id);
}

void model_push(
	struct model *m, void *array, size_t *len, size_t *cap, const void *item, size_t size)
{
	void *at;

	memcpy(&at, array, sizeof(at));
	if (arena_grow(m->arena, &at, *len, cap, size) < 0)
		abort();
	memcpy((char *)at + *len * size, item, size);
	memcpy(array, &at, sizeof(at));
	++*len;
}

static str take_line(str *rest)
{
	str line = str_cut(rest, '\n');

	if (str_ends(line, STR("\r")))
		line.len--;
	return line;
}

int schema_parse(struct model *m, const char *path, str text, struct err *e)
{
	struct reader r = {.model = m, .path = path};

	r.module = arena_get(m->arena, sizeof(*r.module));
	r.module->path = arena_str(m->arena, str_of(path));
	map_init(&r.module->by_name);
	model_push(m, &m->modules, &m->module_count, &m->module_cap, &r.module, sizeof(r.module));

	for (str rest = text; rest.at;) {
		str line = take_line(&rest);

		r.line++;
		if (str_trim(line).len > 0 && line.at[0] != '#')
			TRY(read_line(&r, line, e));
	}
	if (!r.module->id.at)
		return fail(&r, e, "no group and version");
	return 0;
}

static int fail(const struct reader *r, struct err *e, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(e, ERR_INVALID, "%s:%d: %s", r->path, r->line, text);
}

/* Blanks inside quotes and brackets belong to the word: default={"a": "b c"}. */
str line_word(str *rest)
{
	size_t from = 0, at, depth = 0;
	bool quoted = false;

	while (from < rest->len && (rest->at[from] == ' ' || rest->at[from] == '\t'))
		from++;
	for (at = from; at < rest->len; at++) {
		char c = rest->at[at];

		if (quoted && c == '\\')
			at++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[' || c == '('))
			depth++;
		else if (!quoted && depth > 0 && (c == '}' || c == ']' || c == ')'))
			depth--;
		else if (!quoted && depth == 0 && (c == ' ' || c == '\t'))
			break;
	}
	if (at > rest->len)
		at = rest->len;
	str word = at > from ? str_slice(*rest, from, at - from) : (str){NULL, 0};

	*rest = str_slice(*rest, at, rest->len);
	return word;
}

static void name_module(struct reader *r, str version)
{
	struct arena *a = r->model->arena;
	str rest = r->module->group;
	str first = str_cut(&rest, '.');

	if (first.len == 0)
		first = STR("core");
	r->module->version = version;
	r->module->id = arena_fmt(a, "%.*s/%.*s", STR_ARG(first), STR_ARG(version));
	r->module->c_id = arena_fmt(a, "%.*s_%.*s", STR_ARG(first), STR_ARG(version));
	map_put(&r->model->by_id, r->module->id, r->module);
}

static int read_line(struct reader *r, str line, struct err *e)
{
	if (line.at[0] == '\t' || line.at[0] == ' ')
		return read_indented(r, line, e);

	struct module *m = r->module;
	str rest = line, word = line_word(&rest);

	r->decl = NULL;
	if (str_eq(word, STR("alias")))
		return read_decl(r, DECL_ALIAS, rest, e);
	if (str_eq(word, STR("struct")))
		return read_decl(r, DECL_STRUCT, rest, e);
	if (str_eq(word, STR("kind")))
		return read_decl(r, DECL_OBJECT, rest, e);

	str value = line_word(&rest);

	if (!value.at)
		return fail(r, e, "%.*s wants a value", STR_ARG(word));
	if (str_eq(word, STR("group")))
		m->group = str_eq(value, STR("-")) ? STR("") : value;
	else if (str_eq(word, STR("version")))
		name_module(r, value);
	else if (str_eq(word, STR("prefix")))
		m->prefix = value;
	else if (str_eq(word, STR("use")))
		for (; value.at; value = line_word(&rest))
			model_push(r->model, &m->uses, &m->use_count, &m->use_cap, &value,
				sizeof(value));
	else
		return fail(r, e,
			"%.*s is not one of group, version, prefix, use, alias, struct, kind",
			STR_ARG(word));
	return 0;
}

static int read_form(struct reader *r, struct decl *d, str word, struct err *e)
{
	if (str_eq(word, STR("message")) && d->what == DECL_ALIAS)
		d->form = FORM_LIST;
	else if (str_starts(word, STR("json=or-")) && d->what == DECL_STRUCT)
		d->form = FORM_EITHER;
	else if (str_starts(word, STR("go=")))
		d->go_type = str_slice(word, 3, word.len);
	else if (str_eq(word, STR("struct=atomic")))
		d->flags |= TYPE_ATOMIC;
	else
		return fail(r, e, "%.*s is not known here", STR_ARG(word));
	return 0;
}

static int read_decl(struct reader *r, enum decl_what what, str rest, struct err *e)
{
	struct arena *a = r->model->arena;
	struct module *m = r->module;
	struct decl *d = arena_get(a, sizeof(*d));

	if (!m->id.at)
		return fail(r, e, "group and version come first");
	*d = (struct decl){.module = m, .name = line_word(&rest), .what = what, .line = r->line};
	if (!d->name.at)
		return fail(r, e, "a name is missing");
	d->go_type = arena_fmt(a, "%.*s.%.*s", STR_ARG(m->version), STR_ARG(d->name));
	if (what == DECL_ALIAS) {
		d->type_ref = line_word(&rest);
		if (!d->type_ref.at)
			return fail(r, e, "alias %.*s wants a type", STR_ARG(d->name));
	}
	for (str word; (word = line_word(&rest)).at;)
		TRY(read_form(r, d, word, e));
	if (map_put(&m->by_name, d->name, d))
		return fail(r, e, "%.*s is declared twice", STR_ARG(d->name));
	model_push(r->model, &m->decls, &m->decl_count, &m->decl_cap, &d, sizeof(d));
	r->decl = d;
	if (what == DECL_OBJECT)
		add_head(r, d);
	return 0;
}

/* What TypeMeta holds; the C struct has it in struct object. */
static void add_head(struct reader *r, struct decl *d)
{
	struct member kind = {.json = STR("kind"), .c_name = STR("object.kind")};
	struct member version = {.json = STR("apiVersion"), .c_name = STR("object.api_version")};

	kind.type_ref = version.type_ref = STR("string");
	kind.flags = version.flags = FIELD_OMITEMPTY;
	kind.in_head = version.in_head = true;
	kind.line = version.line = r->line;
	model_push(r->model, &d->members, &d->member_count, &d->member_cap, &kind, sizeof(kind));
	model_push(
		r->model, &d->members, &d->member_count, &d->member_cap, &version, sizeof(version));
}

static int read_indented(struct reader *r, str line, struct err *e)
{
	if (!r->decl)
		return fail(r, e, "an indented line belongs to an alias, struct or kind");
	if (r->decl->what != DECL_ALIAS)
		return read_member(r, line, e);

	str rest = line;

	if (!str_eq(line_word(&rest), STR("enum")))
		return fail(r, e, "an alias has only an enum line");
	r->decl->values = str_trim(rest);
	return 0;
}

static int read_member(struct reader *r, str line, struct err *e)
{
	struct decl *d = r->decl;
	struct member m = {.line = r->line};
	str rest = line, number;
	uint64_t value = 0;

	m.json = line_word(&rest);
	number = line_word(&rest);
	m.type_ref = line_word(&rest);
	if (!m.type_ref.at)
		return fail(r, e, "a field is: name, number, type, attributes");
	if (!str_eq(number, STR("-")) &&
		(!str_to_u64(number, &value) || value == 0 || value > UINT16_MAX))
		return fail(r, e, "%.*s is no protobuf number", STR_ARG(number));
	m.number = (uint32_t)value;
	m.c_name = c_name(r->model->arena, m.json);
	for (str word; (word = line_word(&rest)).at;)
		TRY(read_attribute(r, &m, word, e));
	for (size_t i = 0; i < d->member_count; i++) {
		if (str_eq(d->members[i].json, m.json))
			return fail(r, e, "%.*s is declared twice", STR_ARG(m.json));
		if (m.number && d->members[i].number == m.number)
			return fail(r, e, "%.*s has the number of %.*s", STR_ARG(m.json),
				STR_ARG(d->members[i].json));
	}
	model_push(r->model, &d->members, &d->member_count, &d->member_cap, &m, sizeof(m));
	return 0;
}

static const struct {
	str word;
	uint16_t flags;
} words[] = {
	{STR_INIT("omitempty"), FIELD_OMITEMPTY},
	{STR_INIT("omitzero"), FIELD_OMITZERO},
	{STR_INIT("inline"), FIELD_INLINE},
	{STR_INIT("required"), FIELD_REQUIRED},
	{STR_INIT("optional"), FIELD_OPTIONAL},
	{STR_INIT("patch=merge"), FIELD_PATCH_MERGE},
	{STR_INIT("patch=replace"), FIELD_PATCH_REPLACE},
	{STR_INIT("patch=retainKeys"), FIELD_PATCH_RETAIN_KEYS},
	{STR_INIT("patch=merge,retainKeys"), FIELD_PATCH_MERGE | FIELD_PATCH_RETAIN_KEYS},
	{STR_INIT("list=atomic"), FIELD_ATOMIC},
	{STR_INIT("list=set"), FIELD_SET},
	{STR_INIT("map=atomic"), FIELD_ATOMIC},
	{STR_INIT("map=granular"), FIELD_GRANULAR},
	{STR_INIT("struct=atomic"), FIELD_ATOMIC},
	{STR_INIT("struct=granular"), FIELD_GRANULAR},
};

static int read_attribute(struct reader *r, struct member *m, str word, struct err *e)
{
	struct arena *a = r->model->arena;

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (str_eq(word, words[i].word)) {
			m->flags |= words[i].flags;
			return 0;
		}
	}
	if (str_starts(word, STR("default="))) {
		m->default_json = str_slice(word, 8, word.len);
		m->flags |= FIELD_DEFAULT;
	} else if (str_starts(word, STR("key="))) {
		m->merge_key = str_slice(word, 4, word.len);
	} else if (str_starts(word, STR("list=map(")) && str_ends(word, STR(")"))) {
		m->list_keys = str_slice(word, 9, word.len - 10);
		m->flags |= FIELD_KEYED;
	} else if (str_starts(word, STR("k8s:"))) {
		m->markers = arena_fmt(a, "%.*s%s%.*s", STR_ARG(m->markers),
			m->markers.len ? "\n" : "", STR_ARG(word));
	} else if (!str_starts(word, STR("pb="))) {
		return fail(r, e, "%.*s is no attribute of a field", STR_ARG(word));
	}
	return 0;
}
