/*
 * Upstream's answers of tests/data/vectors (made by tests/oracle/vectors) against ours: JSON and
 * protobuf byte for byte in all directions, strict notes, messages.
 */
#include "api/kinds.h"
#include "lib/base/test.h"
#include "lib/codec/base64.h"
#include "lib/codec/json.h"

struct vector {
	str name, in, out, error;
	str back;  /* JSON after protobuf, if it differs from out */
	str proto; /* absent: the kind has none */
	struct json_item strict;
	const struct type *type;
};

static str text_of(const struct json_item *line, const char *key)
{
	struct json_item member;

	return json_member(line, str_of(key), &member) ? member.text : (str){NULL, 0};
}

static const struct type *find_type(str kind)
{
	size_t slash = kind.len;

	while (kind.at[slash - 1] != '/')
		slash--;
	return type_find_api_version(
		&api_schema, str_slice(kind, 0, slash - 1), str_slice(kind, slash, kind.len));
}

static void read_vector(struct test *t, str text, struct vector *v)
{
	struct json_item line;
	struct err e;

	REQUIRE_OK(json_parse(&t->arena, text, &line, &e), &e);
	*v = (struct vector){
		.name = text_of(&line, "name"),
		.in = text_of(&line, "in"),
		.out = text_of(&line, "out"),
		.error = text_of(&line, "error"),
		.back = text_of(&line, "back"),
		.type = find_type(text_of(&line, "kind")),
	};
	json_member(&line, STR("strict"), &v->strict);
	test_note(t, "%.*s", STR_ARG(v->name));
	REQUIRE(v->type);
	if (text_of(&line, "pb").at)
		REQUIRE_OK(base64_read(&t->arena, text_of(&line, "pb"), &v->proto, &e), &e);
}

static void check_strict(struct test *t, const struct vector *v, const struct notes *notes)
{
	struct json_walk walk = json_enter(&v->strict);
	struct json_item note;
	size_t at = 0;

	CHECK_INT((int64_t)notes->texts.len, (int64_t)v->strict.count);
	for (; json_next(&walk, &note) && at < notes->texts.len; at++)
		CHECK_BYTES(notes->texts.at[at], note.text);
}

static void check_encodes(struct test *t, const void *o, enum format f, str want)
{
	struct buf b;
	struct err e;

	buf_init(&b, 1 << 20);
	CHECK_OK(object_encode(o, f, &b, &e), &e);
	CHECK_BYTES(buf_str(&b), want);
	buf_free(&b);
}

/* What was written is read again and written the same; returns the object. */
static void *check_decodes(struct test *t, const struct vector *v, enum format f, str in)
{
	struct err e;
	void *o;

	REQUIRE_OK(object_decode(&t->arena, v->type, f, in, &o, NULL, &e), &e);
	check_encodes(t, o, FORMAT_JSON, f == FORMAT_PROTOBUF && v->back.at ? v->back : v->out);
	if (f == FORMAT_PROTOBUF && !v->back.at)
		check_encodes(t, o, f, v->proto);
	CHECK(object_equal(object_copy(&t->arena, o, true), o));
	return o;
}

static void check_vector(struct test *t, const struct vector *v)
{
	struct notes notes;
	struct err e;
	void *o;

	notes_init(&notes, &t->arena);
	int result = object_decode(&t->arena, v->type, FORMAT_JSON, v->in, &o, &notes, &e);

	if (v->error.at) {
		CHECK_INT(result, -1);
		CHECK_BYTES(result < 0 ? str_of(e.text) : STR(""), v->error);
		return;
	}
	if (!CHECK_OK(result, &e))
		return;
	check_strict(t, v, &notes);
	check_encodes(t, o, FORMAT_JSON, v->out);
	void *again = check_decodes(t, v, FORMAT_JSON, v->out);

	if (v->proto.at) {
		check_encodes(t, o, FORMAT_PROTOBUF, v->proto);
		CHECK(object_equal(check_decodes(t, v, FORMAT_PROTOBUF, v->proto), again) ||
			v->back.at);
	}
}

static void check_file(struct test *t, const char *path, size_t at_least)
{
	size_t count = 0;

	for (str rest = test_file(t, path); rest.at;) {
		str line = str_cut(&rest, '\n');
		struct vector v;

		if (line.len == 0)
			continue;
		read_vector(t, line, &v);
		check_vector(t, &v);
		count++;
	}
	test_note(t, "%s", path);
	CHECK(count >= at_least);
}

TEST(vectors_of_kinds_that_upstream_has_none_for)
{
	check_file(t, "tests/data/vectors/kinds.jsonl", 38);
}

TEST(vectors_with_fields_absent_null_zero_and_with_empty_elements)
{
	check_file(t, "tests/data/vectors/sparse.jsonl", 2000);
}

TEST(vectors_of_values_that_upstream_refuses)
{
	check_file(t, "tests/data/vectors/mistakes.jsonl", 2800);
}

TEST(vectors_with_values_that_are_easily_got_wrong)
{
	check_file(t, "tests/data/vectors/random.jsonl", 250);
}
