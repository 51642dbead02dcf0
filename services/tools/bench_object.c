/*
 * How long objects take and how much memory they are, kind by kind: tests/data/bench/KIND.json.
 *
 *	bench_object [FOLDER...]
 *
 * Times are CPU time per operation, the least of several rounds; decoding starts with an empty
 * arena that keeps its first chunk, encoding with an empty buffer that keeps its memory.
 */
#include "api/kinds.h"
#include "lib/codec/json.h"

#include <glob.h>

enum { ROUNDS = 7, ROUND_NS = 20000000, FILE_BYTES_MAX = 1 << 20 };

struct subject {
	const struct type *type;
	str json, proto;
	void *object, *decoded;
	struct arena scratch;
	struct buf out;
};

typedef int operation(struct subject *s, struct err *e);

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int decode(struct subject *s, enum format f, str in, struct err *e)
{
	arena_reset(&s->scratch);
	return object_decode(&s->scratch, s->type, f, in, &s->decoded, NULL, e);
}

static int decode_json(struct subject *s, struct err *e)
{
	return decode(s, FORMAT_JSON, s->json, e);
}

static int decode_proto(struct subject *s, struct err *e)
{
	return decode(s, FORMAT_PROTOBUF, s->proto, e);
}

static int encode_json(struct subject *s, struct err *e)
{
	buf_reset(&s->out);
	return object_encode(s->object, FORMAT_JSON, &s->out, e);
}

static int encode_proto(struct subject *s, struct err *e)
{
	buf_reset(&s->out);
	return object_encode(s->object, FORMAT_PROTOBUF, &s->out, e);
}

static int parse_json(struct subject *s, struct err *e)
{
	struct json_item root;

	arena_reset(&s->scratch);
	return json_parse(&s->scratch, s->json, &root, e);
}

static int fill_defaults(struct subject *s, struct err *e)
{
	TRY(decode_proto(s, e));
	object_default(&s->scratch, s->decoded);
	return 0;
}

/* ns for one call; the program ends if it fails, as nothing could be said. */
static double measure(struct subject *s, operation *run)
{
	double best = 1e18;
	struct err e;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = cpu_ns(), spent = 0;
		long calls = 0;

		for (; spent < ROUND_NS; spent = cpu_ns() - start) {
			for (int i = 0; i < 64; i++, calls++) {
				if (run(s, &e) < 0) {
					fprintf(stderr, "%s: %s\n", type_go_name(s->type), e.text);
					exit(1);
				}
			}
		}
		if ((double)spent / (double)calls < best)
			best = (double)spent / (double)calls;
	}
	return best;
}

static str read_file(struct arena *a, const char *path)
{
	FILE *file = fopen(path, "rbe");
	char *text = arena_get(a, FILE_BYTES_MAX);
	size_t len = file ? fread(text, 1, FILE_BYTES_MAX, file) : 0;

	if (file)
		fclose(file);
	return str_trim(str_span(text, len));
}

static int prepare(struct subject *s, struct arena *a, const char *path, struct err *e)
{
	struct json_item root, api_version, kind;

	s->json = read_file(a, path);
	TRY(json_parse(a, s->json, &root, e));
	if (!json_member(&root, STR("apiVersion"), &api_version) ||
		!json_member(&root, STR("kind"), &kind))
		return err_set(e, ERR_NOT_FOUND, "no apiVersion and kind");
	s->type = type_find_api_version(&api_schema, api_version.text, kind.text);
	if (!s->type)
		return err_set(e, ERR_NOT_FOUND, "unknown kind");
	TRY(object_decode(a, s->type, FORMAT_JSON, s->json, &s->object, NULL, e));
	TRY(encode_proto(s, e));
	s->proto = arena_str(a, buf_str(&s->out));
	return 0;
}

static int run_file(const char *path, struct err *e)
{
	struct subject s = {0};
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	arena_init(&s.scratch, ARENA_NO_LIMIT);
	buf_init(&s.out, FILE_BYTES_MAX);
	int result = prepare(&s, &a, path, e);

	if (result == 0) {
		double parse = measure(&s, parse_json), from_json = measure(&s, decode_json);
		size_t json_bytes = s.scratch.used_bytes;
		double from_proto = measure(&s, decode_proto);
		size_t proto_bytes = s.scratch.used_bytes;

		printf("%-16s %6zu %6zu %8.0f %8.0f %8.0f %8.0f %8.0f %8.0f %8zu %8zu\n",
			type_name(s.type), s.json.len, s.proto.len, parse, from_json,
			measure(&s, encode_json), from_proto, measure(&s, encode_proto),
			measure(&s, fill_defaults) - from_proto, json_bytes, proto_bytes);
	}
	arena_free(&a);
	arena_free(&s.scratch);
	buf_free(&s.out);
	return result;
}

static int run_folder(const char *folder, struct err *e)
{
	char pattern[4096];
	glob_t found;
	int result = 0;

	snprintf(pattern, sizeof(pattern), "%s/*.json", folder);
	if (glob(pattern, 0, NULL, &found) != 0)
		return err_set(e, ERR_NOT_FOUND, "%s: nothing there", pattern);
	for (size_t i = 0; i < found.gl_pathc && result == 0; i++) {
		result = run_file(found.gl_pathv[i], e);
		if (result < 0 && e->kind == ERR_NOT_FOUND)
			result = 0; /* upstream's vectors have kinds that are not served */
	}
	globfree(&found);
	return result;
}

int main(int argc, char **argv)
{
	struct err e;
	int result = 0;

	printf("yardstick, a pod of 1.9 KB: JSON in 1500-2500, out 1600, protobuf in 1000, out "
	       "1300 ns\n"
	       "                  bytes         CPU ns for one object                              "
	       "    "
	       "  arena bytes from\n"
	       "%-16s %6s %6s %8s %8s %8s %8s %8s %8s %8s %8s\n",
		"kind", "json", "pb", "(parse)", "json in", "json out", "pb in", "pb out",
		"default", "json", "pb");
	for (int i = 1; i < argc && result == 0; i++)
		result = run_folder(argv[i], &e);
	if (argc == 1)
		result = run_folder("tests/data/bench", &e);
	if (result < 0)
		fprintf(stderr, "%s\n", e.text);
	return result < 0;
}
