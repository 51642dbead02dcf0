#include "lib/codec/yaml.h"

#include "lib/base/test.h"

/* The next line of a table in JSON lines; its members are those of `row`. */
static bool next_row(struct test *t, str *lines, struct json_item *row)
{
	str line = str_cut(lines, '\n');
	struct err e;

	if (!lines->at)
		return false;
	test_note(t, "%.*s", STR_ARG(line));
	REQUIRE_OK(json_parse(&t->arena, line, row, &e), &e);
	return true;
}

/* Absent if there is none. */
static str text_of(const struct json_item *row, str key)
{
	struct json_item item = {.text = {NULL, 0}};

	(void)!json_member(row, key, &item);
	return item.text;
}

TEST(yaml_becomes_the_json_that_upstream_makes_of_it)
{
	str lines = test_file(t, "tests/data/yaml_read.jsonl");

	for (struct json_item row; next_row(t, &lines, &row);) {
		str json = STR("kept"), duplicates = STR("kept");
		str error = text_of(&row, STR("error"));
		struct err e;
		int result = yaml_to_json(
			&t->arena, text_of(&row, STR("in")), &json, &duplicates, &e);

		if (error.at) {
			CHECK_FAILS(result, &e, ERR_INVALID, arena_str(&t->arena, error).at);
			CHECK_STR(json, "kept");
		} else if (CHECK_OK(result, &e)) {
			CHECK_BYTES(json, text_of(&row, STR("json")));
			CHECK_BYTES(duplicates, text_of(&row, STR("strict")));
		}
	}
}

TEST(yaml_is_written_as_upstream_writes_it)
{
	str lines = test_file(t, "tests/data/yaml_write.jsonl");

	for (struct json_item row, root; next_row(t, &lines, &row);) {
		struct buf b;
		struct err e;

		REQUIRE_OK(json_parse(&t->arena, text_of(&row, STR("json")), &root, &e), &e);
		buf_init(&b, 1 << 20);
		if (CHECK_OK(yaml_put_item(&t->arena, &b, &root, &e), &e))
			CHECK_BYTES(buf_str(&b), text_of(&row, STR("yaml")));
		buf_free(&b);
	}
}

TEST(yaml_streams_are_cut_at_lines_of_three_dashes)
{
	str rest = STR("a: 1\n---\nb: 2\n--- # more\nc: 3\n");

	CHECK_STR(yaml_cut(&rest), "a: 1");
	CHECK_STR(yaml_cut(&rest), "b: 2");
	CHECK_STR(yaml_cut(&rest), "c: 3\n");
	CHECK(!rest.at);
	rest = STR("a: 1\n---");
	CHECK_STR(yaml_cut(&rest), "a: 1");
	CHECK(!rest.at);
}

static int to_json(struct test *t, str text, struct err *e)
{
	str json;

	return yaml_to_json(&t->arena, text, &json, NULL, e);
}

TEST(yaml_bounds_depth_and_nodes)
{
	char *deep = arena_get(&t->arena, 4 * YAML_DEPTH_MAX);
	struct err e;

	memset(deep, '[', 2 * YAML_DEPTH_MAX);
	memset(deep + 2 * YAML_DEPTH_MAX, ']', 2 * YAML_DEPTH_MAX);
	CHECK(to_json(t, str_span(deep, 4 * YAML_DEPTH_MAX), &e) < 0);

	/* Each alias makes what it stands for one deeper, over and over. */
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_add_str(&b, STR("a0: &a0 [x]\n"));
	for (int i = 1; i < 1100; i++)
		buf_add_fmt(&b, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	CHECK(to_json(t, buf_str(&b), &e) < 0);
	buf_reset(&b);
	buf_add_str(&b, STR("["));
	for (int i = 0; i <= YAML_NODES_MAX; i++)
		buf_add_str(&b, STR("a,"));
	CHECK(b.overflowed);
	buf_free(&b);
}

TEST(yaml_gives_a_clean_error_at_every_memory_limit)
{
	str text = STR("a: &x {b: 1, <<: {c: d}}\ne: [*x, 1.5, yes, !!binary aGk=]\n1.25: 'f'\n");
	bool done = false;

	for (size_t limit = 0; !done && limit < 65536; limit += 16) {
		str json = STR("kept"), duplicates;
		struct json_item root;
		struct arena a;
		struct buf b;
		struct err e;

		arena_init(&a, limit);
		buf_init(&b, 1 << 16);
		test_note(t, "limit %zu", limit);
		done = yaml_to_json(&a, text, &json, &duplicates, &e) == 0 &&
			json_parse(&a, json, &root, &e) == 0 &&
			yaml_put_item(&a, &b, &root, &e) == 0;
		if (!done)
			CHECK_INT(e.kind, ERR_LIMIT);
		buf_free(&b);
		arena_free(&a);
	}
	CHECK(done);
}
