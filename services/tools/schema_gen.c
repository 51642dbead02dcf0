/*
 * Turns the schema text into C:
 *
 *	schema_gen OUT_DIR FILE.schema... FILE.defaults... RESOURCES
 *
 * writes OUT_DIR/GROUP_VERSION.h, kinds.h, types.c and resources.c there. A file that
 * would not change is left alone, so that make rebuilds only what depends on a
 * change. Errors are FILE:LINE: TEXT.
 */
#include "tools/schema_gen.h"

#include <errno.h>

enum { FILE_BYTES_MAX = 16 << 20 };

static int generate(struct model *m, const char *out, int count, char **paths, struct err *e);
static int read_file(struct arena *a, const char *path, str *to, struct err *e);
static int write_file(
	struct arena *a, const char *folder, str name, struct buf *content, struct err *e);

int main(int argc, char **argv)
{
	struct arena arena;
	struct model model;
	struct err e;

	if (argc < 3) {
		fprintf(stderr,
			"usage: schema_gen OUT_DIR FILE.schema... FILE.defaults... RESOURCES\n");
		return 2;
	}
	arena_init(&arena, ARENA_NO_LIMIT);
	model_init(&model, &arena);
	int result = generate(&model, argv[1], argc - 2, argv + 2, &e);

	if (result < 0)
		fprintf(stderr, "%s\n", e.text);
	model_free(&model);
	arena_free(&arena);
	return result < 0;
}

static int parse_files(struct model *m, int count, char **paths, bool defaults, struct err *e)
{
	for (int i = 0; i < count; i++) {
		str text;

		if (!str_ends(str_of(paths[i]), defaults ? STR(".defaults") : STR(".schema")))
			continue;
		TRY(read_file(m->arena, paths[i], &text, e));
		if (defaults)
			TRY(defaults_parse(m, paths[i], text, e));
		else
			TRY(schema_parse(m, paths[i], text, e));
	}
	return 0;
}

static int write_resources(
	struct model *m, const char *out, const char *path, struct buf *b, struct err *e)
{
	str text;

	TRY(read_file(m->arena, path, &text, e));
	buf_reset(b);
	TRY(schema_write_resources(m, path, text, b, e));
	return write_file(m->arena, out, STR("resources.c"), b, e);
}

static int write_all(struct model *m, const char *out, struct buf *b, struct err *e)
{
	for (size_t i = 0; i < m->module_count; i++) {
		struct module *module = m->modules[i];

		buf_reset(b);
		schema_write_header(m, module, b);
		TRY(write_file(
			m->arena, out, arena_fmt(m->arena, "%.*s.h", STR_ARG(module->c_id)), b, e));
	}
	buf_reset(b);
	schema_write_kinds(m, b);
	TRY(write_file(m->arena, out, STR("kinds.h"), b, e));
	buf_reset(b);
	schema_write_tables(m, b);
	return write_file(m->arena, out, STR("types.c"), b, e);
}

static int generate(struct model *m, const char *out, int count, char **paths, struct err *e)
{
	struct buf b;

	TRY(parse_files(m, count, paths, false, e));
	TRY(parse_files(m, count, paths, true, e));
	TRY(schema_resolve(m, e));
	buf_init(&b, FILE_BYTES_MAX);
	int result = write_all(m, out, &b, e);

	if (result == 0 && str_ends(str_of(paths[count - 1]), STR("resources")))
		result = write_resources(m, out, paths[count - 1], &b, e);
	buf_free(&b);
	return result;
}

static int read_file(struct arena *a, const char *path, str *to, struct err *e)
{
	FILE *file = fopen(path, "rbe");
	struct buf b;
	char part[65536];

	if (!file)
		return err_set_errno(e, errno, "%s", path);
	buf_init(&b, FILE_BYTES_MAX);
	for (size_t got; (got = fread(part, 1, sizeof(part), file)) > 0;)
		buf_add(&b, part, got);
	bool failed = ferror(file);

	fclose(file);
	*to = arena_str(a, buf_str(&b));
	buf_free(&b);
	return failed ? err_set(e, ERR_SYSTEM, "%s: cannot read it", path) : 0;
}

static bool is_same(struct arena *a, const char *path, str content)
{
	struct err ignored;
	str old;

	return read_file(a, path, &old, &ignored) == 0 && str_eq(old, content);
}

static int write_file(
	struct arena *a, const char *folder, str name, struct buf *content, struct err *e)
{
	str path = arena_fmt(a, "%s/%.*s", folder, STR_ARG(name));

	TRY(buf_ok(content, path.at, e));
	if (is_same(a, path.at, buf_str(content)))
		return 0;
	FILE *file = fopen(path.at, "wbe");

	if (!file)
		return err_set_errno(e, errno, "%s", path.at);
	size_t written = fwrite(content->at, 1, content->len, file);

	if (fclose(file) != 0 || written != content->len)
		return err_set_errno(e, errno, "%s", path.at);
	return 0;
}
