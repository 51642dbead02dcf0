/*
 * Turns lib/api/schema/resources into the table of lib/api/resource.h. The text's head says what
 * its lines mean.
 */
#include "tools/schema_gen.h"

#include <ctype.h>

struct row {
	struct module *module;
	const struct decl *kind;
	str plural, verbs, stored;
	bool namespaced;
	struct buf short_names, categories, labels, subresources;
};

struct reader {
	struct model *model;
	const char *path;
	int line;
	struct row row;
	struct buf *to;
};

static int read_line(struct reader *r, str line, struct err *e);
static int read_resource(struct reader *r, str rest, struct err *e);
static void finish_row(struct reader *r);

int schema_write_resources(
	struct model *m, const char *path, str text, struct buf *to, struct err *e)
{
	struct reader r = {.model = m, .path = path, .to = to};
	struct buf *const parts[] = {
		&r.row.short_names, &r.row.categories, &r.row.labels, &r.row.subresources};
	int result = 0;

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		buf_init(parts[i], BUF_NO_LIMIT);
	buf_add_str(to,
		STR("/* Generated from lib/api/schema/resources. */\n"
		    "#include \"lib/api/resource.h\"\n\n"
		    "const struct resource api_resources[] = {\n"));
	for (str rest = text; rest.at && result == 0;) {
		str line = str_cut(&rest, '\n');

		r.line++;
		if (str_trim(line).len > 0 && line.at[0] != '#')
			result = read_line(&r, line, e);
	}
	finish_row(&r);
	buf_add_str(to, STR("};\n\nconst size_t api_resource_count = COUNT_OF(api_resources);\n"));
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		buf_free(parts[i]);
	return result;
}

static int fail(const struct reader *r, str what, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s:%d: %.*s: %s", r->path, r->line, STR_ARG(what), why);
}

/* "Pod" of the row's own group-version, or "policy/v1.Eviction". */
static const struct decl *find_kind(const struct reader *r, str name)
{
	const struct module *module = r->row.module;

	for (size_t i = name.len; i > 0; i--) {
		if (name.at[i - 1] == '.') {
			module = map_get(&r->model->by_id, str_slice(name, 0, i - 1));
			name = str_slice(name, i, name.len);
			break;
		}
	}
	const struct decl *d = module ? map_get(&module->by_name, name) : NULL;

	return d && d->what == DECL_OBJECT ? d : NULL;
}

static void put_upper(struct buf *to, str s)
{
	for (size_t i = 0; i < s.len; i++)
		buf_add_char(to, (char)toupper((unsigned char)s.at[i]));
}

static void put_lower(struct buf *to, str s)
{
	for (size_t i = 0; i < s.len; i++)
		buf_add_char(to, (char)tolower((unsigned char)s.at[i]));
}

/* VERB_GET | VERB_LIST; behind "connect" stand methods. */
static void put_verbs(struct buf *to, str verbs)
{
	const char *prefix = "VERB_", *before = "";

	for (str word; (word = line_word(&verbs)).at;) {
		if (str_eq(word, STR("connect"))) {
			prefix = "VERB_CONNECT_";
			continue;
		}
		buf_add_fmt(to, "%s%s", before, prefix);
		put_upper(to, word);
		before = " | ";
	}
}

static void put_names(struct buf *to, str names)
{
	for (str word; (word = line_word(&names)).at;)
		buf_add_fmt(to, "STR_INIT(\"%.*s\"), ", STR_ARG(word));
}

static void put_labels(struct buf *to, str labels)
{
	for (str word; (word = line_word(&labels)).at;) {
		str path = word, name = str_cut(&path, '=');

		buf_add_fmt(to, "{STR_INIT(\"%.*s\"), STR_INIT(\"%.*s\")}, ", STR_ARG(name),
			STR_ARG(path.at ? path : name));
	}
}

static int read_sub(struct reader *r, str rest, struct err *e)
{
	str name = line_word(&rest), kind = line_word(&rest);
	const struct decl *d = find_kind(r, kind);
	struct buf *to = &r->row.subresources;

	if (!d)
		return fail(r, kind, "no such kind", e);
	buf_add_fmt(to, "\n\t\t\t{STR_INIT(\"%.*s\"), API_", STR_ARG(name));
	put_upper(to, d->c_name);
	buf_add_str(to, STR(", "));
	put_verbs(to, rest);
	buf_add_str(to, STR("},"));
	return 0;
}

static int read_line(struct reader *r, str line, struct err *e)
{
	str word = line_word(&line);

	if (str_eq(word, STR("resource")))
		return read_resource(r, line, e);
	if (!r->row.kind)
		return fail(r, word, "belongs to no resource", e);
	if (str_eq(word, STR("short")))
		put_names(&r->row.short_names, line);
	else if (str_eq(word, STR("categories")))
		put_names(&r->row.categories, line);
	else if (str_eq(word, STR("labels")))
		put_labels(&r->row.labels, line);
	else if (str_eq(word, STR("verbs")))
		r->row.verbs = line;
	else if (str_eq(word, STR("stored")))
		r->row.stored = line;
	else if (str_eq(word, STR("sub")))
		return read_sub(r, line, e);
	else
		return fail(r, word, "unknown word", e);
	return 0;
}

static int read_resource(struct reader *r, str rest, struct err *e)
{
	str id = line_word(&rest), plural = line_word(&rest), kind = line_word(&rest);
	struct row *row = &r->row;

	finish_row(r);
	row->module = map_get(&r->model->by_id, id);
	if (!row->module)
		return fail(r, id, "no such group and version", e);
	row->kind = find_kind(r, kind);
	if (!row->kind)
		return fail(r, kind, "no such kind", e);
	row->plural = plural;
	row->namespaced = str_eq(line_word(&rest), STR("namespaced"));
	return 0;
}

/* "core/v1" is "v1" on the wire, "apps/v1" the group in full. */
static void put_stored(struct reader *r, str stored)
{
	str prefix = line_word(&stored), id = line_word(&stored), encoding = line_word(&stored);
	str version = id, group = r->row.module->group;

	str_cut(&version, '/');
	buf_add_str(r->to, STR("\t\t.stored_as = STORED_"));
	put_upper(r->to, encoding);
	buf_add_fmt(r->to, ",\n\t\t.etcd_prefix = STR_INIT(\"%.*s\"),\n", STR_ARG(prefix));
	bool in_core = str_starts(id, STR("core/"));

	buf_add_fmt(r->to, "\t\t.stored_version = STR_INIT(\"%.*s%s%.*s\"),\n",
		in_core ? 0 : (int)group.len, group.at, in_core ? "" : "/", STR_ARG(version));
}

static void finish_row(struct reader *r)
{
	struct row *row = &r->row;
	struct buf *to = r->to;

	if (!row->kind)
		return;
	buf_add_fmt(to, "\t{\n\t\t.group = STR_INIT(\"%.*s\"),\n", STR_ARG(row->module->group));
	buf_add_fmt(to, "\t\t.version = STR_INIT(\"%.*s\"),\n", STR_ARG(row->module->version));
	buf_add_fmt(to, "\t\t.plural = STR_INIT(\"%.*s\"),\n", STR_ARG(row->plural));
	buf_add_str(to, STR("\t\t.singular = STR_INIT(\""));
	put_lower(to, row->kind->name);
	buf_add_fmt(to, "\"),\n\t\t.kind = STR_INIT(\"%.*s\"),\n\t\t.type = API_",
		STR_ARG(row->kind->name));
	put_upper(to, row->kind->c_name);
	buf_add_str(to, STR(",\n\t\t.verbs = "));
	put_verbs(to, row->verbs);
	buf_add_fmt(to, ",\n\t\t.namespaced = %s,\n", row->namespaced ? "true" : "false");
	if (row->stored.at)
		put_stored(r, row->stored);
	buf_add_fmt(to, "\t\t.short_names = (const str[]){%.*s{NULL, 0}},\n",
		STR_ARG(buf_str(&row->short_names)));
	buf_add_fmt(to, "\t\t.categories = (const str[]){%.*s{NULL, 0}},\n",
		STR_ARG(buf_str(&row->categories)));
	buf_add_fmt(to, "\t\t.labels = (const struct field_label[]){%.*s{{NULL, 0}, {NULL, 0}}},\n",
		STR_ARG(buf_str(&row->labels)));
	buf_add_fmt(to,
		"\t\t.subresources = (const struct subresource[]){%.*s\n\t\t\t{.name = {NULL, "
		"0}},\n\t\t},\n\t},\n",
		STR_ARG(buf_str(&row->subresources)));
	buf_reset(&row->short_names);
	buf_reset(&row->categories);
	buf_reset(&row->labels);
	buf_reset(&row->subresources);
	row->kind = NULL;
	row->stored = row->verbs = (str){NULL, 0};
}
