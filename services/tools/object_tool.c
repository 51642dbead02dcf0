/*
 * Looks into Kubernetes objects: reads one as JSON, YAML or protobuf and writes it as another.
 *
 *	object_tool [--from FORMAT] [--to FORMAT] [--kind APIVERSION/KIND] [--strict] [--default]
 *		< in > out
 *	object_tool --batch < list
 *
 * A format is json, yaml, pb (with the k8s\0 envelope, as etcd holds it) or bare. Format and kind
 * are read from the object unless given; --to is json unless given. A batch has a line "FROM TO
 * KIND IN OUT" for each conversion, KIND being "-" if it is to be read, and answers each with "ok"
 * or the error.
 */
#include "api/kinds.h"
#include "lib/codec/json.h"
#include "lib/codec/yaml.h"

#include <errno.h>

enum { FILE_BYTES_MAX = 512 << 20 };

struct conversion {
	enum format from, to;
	str kind; /* "apps/v1/Deployment"; absent: the object says */
	bool from_given, strict, with_defaults;
};

static int convert(
	const struct conversion *c, struct arena *a, str in, struct buf *out, struct err *e);
static int run_batch(void);
static int run_one(int argc, char **argv);

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--batch") == 0)
		return run_batch();
	return run_one(argc, argv);
}

static bool format_of(str name, enum format *to)
{
	static const char *const names[] = {
		[FORMAT_JSON] = "json",
		[FORMAT_YAML] = "yaml",
		[FORMAT_PROTOBUF] = "pb",
		[FORMAT_PROTOBUF_BARE] = "bare",
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (str_eq(name, str_of(names[i]))) {
			*to = (enum format)i;
			return true;
		}
	}
	return false;
}

static void read_stream(FILE *file, struct buf *to)
{
	char part[65536];

	for (size_t got; (got = fread(part, 1, sizeof(part), file)) > 0;)
		buf_add(to, part, got);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: object_tool [--from FORMAT] [--to FORMAT] [--kind APIVERSION/KIND]\n"
		"                   [--strict] [--default] < in > out\n"
		"       object_tool --batch < list\n"
		"formats: json yaml pb bare\n");
	return 2;
}

static bool read_option(const char *name, const char *value, struct conversion *to)
{
	if (strcmp(name, "--kind") == 0)
		to->kind = str_of(value);
	else if (strcmp(name, "--from") == 0)
		return to->from_given = format_of(str_of(value), &to->from);
	else if (strcmp(name, "--to") == 0)
		return format_of(str_of(value), &to->to);
	else
		return false;
	return true;
}

static int read_options(int argc, char **argv, struct conversion *to)
{
	for (int at = 1; at < argc; at++) {
		if (strcmp(argv[at], "--strict") == 0)
			to->strict = true;
		else if (strcmp(argv[at], "--default") == 0)
			to->with_defaults = true;
		else if (at + 1 == argc || !read_option(argv[at], argv[at + 1], to))
			return -1;
		else
			at++;
	}
	return 0;
}

static enum format guess(str in)
{
	if (str_starts(in, str_span("k8s\0", 4)))
		return FORMAT_PROTOBUF;
	return str_starts(str_trim(in), STR("{")) ? FORMAT_JSON : FORMAT_YAML;
}

static int run_one(int argc, char **argv)
{
	struct conversion c = {0};
	struct arena arena;
	struct buf in, out;
	struct err e;

	if (read_options(argc, argv, &c) < 0)
		return usage();
	arena_init(&arena, ARENA_NO_LIMIT);
	buf_init(&in, FILE_BYTES_MAX);
	buf_init(&out, FILE_BYTES_MAX);
	read_stream(stdin, &in);
	if (!c.from_given)
		c.from = guess(buf_str(&in));
	int result = convert(&c, &arena, buf_str(&in), &out, &e);

	if (result == 0)
		fwrite(out.at, 1, out.len, stdout);
	else
		fprintf(stderr, "%s\n", e.text);
	buf_free(&in);
	buf_free(&out);
	arena_free(&arena);
	return result < 0;
}

/* What comes under any group-version stands in meta/v1; a watch's frames are no objects. */
static int find_type(str api_version, str kind, const struct type **to, struct err *e)
{
	const struct type *t = type_find_api_version(&api_schema, api_version, kind);

	if (!t)
		t = type_find(&api_schema, STR("meta.k8s.io"), STR("v1"), kind);
	if (!t && str_eq(kind, STR("WatchEvent")))
		t = api_type(API_WATCH_EVENT);

	if (!t)
		return err_set(e, ERR_NOT_FOUND, "no kind \"%.*s\" is known in version \"%.*s\"",
			STR_ARG(kind), STR_ARG(api_version));
	*to = t;
	return 0;
}

static int type_of_json(struct arena *a, str in, const struct type **to, struct err *e)
{
	struct json_item root, api_version, kind;

	TRY(json_parse(a, in, &root, e));
	if (!json_member(&root, STR("apiVersion"), &api_version) ||
		!json_member(&root, STR("kind"), &kind))
		return err_set(e, ERR_INVALID, "the object has no apiVersion and kind; use --kind");
	return find_type(api_version.text, kind.text, to, e);
}

static int type_of(
	const struct conversion *c, struct arena *a, str in, const struct type **to, struct err *e)
{
	str api_version = c->kind, kind, ignored;

	if (c->kind.at) {
		size_t slash = c->kind.len;

		while (slash > 0 && c->kind.at[slash - 1] != '/')
			slash--;
		api_version.len = slash ? slash - 1 : 0;
		return find_type(api_version, str_slice(c->kind, slash, c->kind.len), to, e);
	}
	if (c->from == FORMAT_JSON)
		return type_of_json(a, in, to, e);
	if (c->from == FORMAT_PROTOBUF) {
		TRY(object_open(in, &api_version, &kind, &ignored, e));
		return find_type(api_version, kind, to, e);
	}
	if (c->from == FORMAT_YAML) {
		str json;

		TRY(yaml_to_json(a, in, &json, NULL, e));
		return type_of_json(a, json, to, e);
	}
	return err_set(e, ERR_INVALID, "a bare message does not say its kind; use --kind");
}

static int convert(
	const struct conversion *c, struct arena *a, str in, struct buf *out, struct err *e)
{
	const struct type *t;
	struct notes notes;
	void *o;

	notes_init(&notes, a);
	TRY(type_of(c, a, in, &t, e));
	TRY(object_decode(a, t, c->from, in, &o, c->strict ? &notes : NULL, e));
	for (size_t i = 0; i < notes.texts.len; i++)
		fprintf(stderr, "%.*s\n", STR_ARG(notes.texts.at[i]));
	if (c->with_defaults)
		object_default(a, o);
	if (t == api_type(API_WATCH_EVENT) && c->to == FORMAT_PROTOBUF)
		return struct_wrap(t, o, STR(""), STR(""), out, e);
	return t->kind ? object_encode(o, c->to, out, e) : struct_encode(t, o, c->to, out, e);
}

static int convert_file(
	const struct conversion *c, struct arena *a, str in_path, str out_path, struct err *e)
{
	struct buf in, out;
	FILE *file = fopen(arena_str(a, in_path).at, "rbe");

	if (!file)
		return err_set_errno(e, errno, "%.*s", STR_ARG(in_path));
	buf_init(&in, FILE_BYTES_MAX);
	buf_init(&out, FILE_BYTES_MAX);
	read_stream(file, &in);
	fclose(file);
	int result = convert(c, a, buf_str(&in), &out, e);

	if (result == 0) {
		file = fopen(arena_str(a, out_path).at, "wbe");
		result = file ? 0 : err_set_errno(e, errno, "%.*s", STR_ARG(out_path));
	}
	if (result == 0) {
		fwrite(out.at, 1, out.len, file);
		fclose(file);
	}
	buf_free(&in);
	buf_free(&out);
	return result;
}

static int run_line(struct arena *a, str line, struct err *e)
{
	struct conversion c = {0};
	str from = str_cut(&line, ' '), to = str_cut(&line, ' '), kind = str_cut(&line, ' ');
	str in = str_cut(&line, ' ');

	if (!format_of(from, &c.from) || !format_of(to, &c.to) || !line.at)
		return err_set(e, ERR_INVALID, "a line is: FROM TO KIND IN OUT");
	if (!str_eq(kind, STR("-")))
		c.kind = kind;
	return convert_file(&c, a, in, line, e);
}

static int run_batch(void)
{
	struct arena arena;
	char line[8192];
	struct err e;

	arena_init(&arena, ARENA_NO_LIMIT);
	while (fgets(line, sizeof(line), stdin)) {
		int result = run_line(&arena, str_trim(str_of(line)), &e);

		printf("%s\n", result < 0 ? e.text : "ok");
		arena_reset(&arena);
	}
	arena_free(&arena);
	return 0;
}
