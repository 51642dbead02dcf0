/*
 * Looks into Kubernetes objects: reads one as JSON, YAML or protobuf and writes it as another.
 *
 *	object_tool [--kind APIVERSION/KIND] [--strict] [--default] FROM TO < in > out
 *	object_tool --batch < list
 *
 * FROM and TO are json, yaml, pb (with the k8s\0 envelope, as etcd holds it) or bare. The kind is read
 * from the object unless given. A batch has a line "FROM TO KIND IN OUT" for each conversion, KIND being
 * "-" if it is to be read, and answers each with "ok" or the error.
 */
#include "api/kinds.h"
#include "lib/codec/json.h"

#include <errno.h>

enum { FILE_BYTES_MAX = 512 << 20 };

struct conversion {
	enum format from, to;
	str kind; /* "apps/v1/Deployment"; absent: the object says */
	bool strict, with_defaults;
};

static int convert(
	const struct conversion *job, struct arena *a, str in, struct buf *out, struct err *e);
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
		"usage: object_tool [--kind APIVERSION/KIND] [--strict] [--default] FROM TO < in > "
		"out\n"
		"       object_tool --batch < list\n"
		"formats: json yaml pb bare\n");
	return 2;
}

static int read_options(int argc, char **argv, struct conversion *job)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--strict") == 0)
			job->strict = true;
		else if (strcmp(argv[at], "--default") == 0)
			job->with_defaults = true;
		else if (strcmp(argv[at], "--kind") == 0 && at + 1 < argc)
			job->kind = str_of(argv[++at]);
		else
			return -1;
	}
	if (argc - at != 2 || !format_of(str_of(argv[at]), &job->from) ||
		!format_of(str_of(argv[at + 1]), &job->to))
		return -1;
	return 0;
}

static int run_one(int argc, char **argv)
{
	struct conversion job = {0};
	struct arena arena;
	struct buf in, out;
	struct err e;

	if (read_options(argc, argv, &job) < 0)
		return usage();
	arena_init(&arena, ARENA_NO_LIMIT);
	buf_init(&in, FILE_BYTES_MAX);
	buf_init(&out, FILE_BYTES_MAX);
	read_stream(stdin, &in);
	int result = convert(&job, &arena, buf_str(&in), &out, &e);

	if (result == 0)
		fwrite(out.at, 1, out.len, stdout);
	else
		fprintf(stderr, "%s\n", e.text);
	buf_free(&in);
	buf_free(&out);
	arena_free(&arena);
	return result < 0;
}

static int find_type(str api_version, str kind, const struct type **to, struct err *e)
{
	const struct type *t = type_find_api_version(&api_schema, api_version, kind);

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

static int type_of(const struct conversion *job, struct arena *a, str in, const struct type **to,
	struct err *e)
{
	str api_version = job->kind, kind, ignored;

	if (job->kind.at) {
		size_t slash = job->kind.len;

		while (slash > 0 && job->kind.at[slash - 1] != '/')
			slash--;
		api_version.len = slash ? slash - 1 : 0;
		return find_type(api_version, str_slice(job->kind, slash, job->kind.len), to, e);
	}
	if (job->from == FORMAT_JSON)
		return type_of_json(a, in, to, e);
	if (job->from == FORMAT_PROTOBUF) {
		TRY(object_open(in, &api_version, &kind, &ignored, e));
		return find_type(api_version, kind, to, e);
	}
	return err_set(e, ERR_INVALID, "say the kind: --kind APIVERSION/KIND");
}

static int convert(
	const struct conversion *job, struct arena *a, str in, struct buf *out, struct err *e)
{
	const struct type *t;
	struct notes notes;
	void *o;

	notes_init(&notes, a);
	TRY(type_of(job, a, in, &t, e));
	TRY(object_decode(a, t, job->from, in, &o, job->strict ? &notes : NULL, e));
	for (size_t i = 0; i < notes.texts.len; i++)
		fprintf(stderr, "%.*s\n", STR_ARG(notes.texts.at[i]));
	if (job->with_defaults)
		object_default(a, o);
	return object_encode(o, job->to, out, e);
}

static int convert_file(
	const struct conversion *job, struct arena *a, str in_path, str out_path, struct err *e)
{
	struct buf in, out;
	FILE *file = fopen(arena_str(a, in_path).at, "rbe");

	if (!file)
		return err_set_errno(e, errno, "%.*s", STR_ARG(in_path));
	buf_init(&in, FILE_BYTES_MAX);
	buf_init(&out, FILE_BYTES_MAX);
	read_stream(file, &in);
	fclose(file);
	int result = convert(job, a, buf_str(&in), &out, e);

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
	struct conversion job = {0};
	str from = str_cut(&line, ' '), to = str_cut(&line, ' '), kind = str_cut(&line, ' ');
	str in = str_cut(&line, ' ');

	if (!format_of(from, &job.from) || !format_of(to, &job.to) || !line.at)
		return err_set(e, ERR_INVALID, "a line is: FROM TO KIND IN OUT");
	if (!str_eq(kind, STR("-")))
		job.kind = kind;
	return convert_file(&job, a, in, line, e);
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
