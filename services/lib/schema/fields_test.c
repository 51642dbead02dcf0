#include "lib/schema/fields.h"

#include "lib/base/test.h"

static struct field_set set_of(struct test *t, const char *json)
{
	struct fields f = {.arena = &t->arena};
	struct field_set s = fields_read(&f, str_of(json));
	struct err e;

	REQUIRE_OK(fields_ok(&f, &e), &e);
	return s;
}

static str text_of(struct test *t, const struct field_set *s)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	fields_put(&b, s);
	return test_take(t, &b);
}

TEST(fields_v1_is_read_and_written)
{
	static const struct {
		const char *text, *again; /* NULL: the same */
	} cases[] = {
		{"{}", NULL},
		{"{\"f:a\":{}}", NULL},
		{"{\"f:a\":{\".\":{},\"f:b\":{}}}", NULL},
		{"{\"f:a\":{\".\":{}}}", "{\"f:a\":{}}"},
		{"{\"f:b\":{},\"f:a\":{}}", "{\"f:a\":{},\"f:b\":{}}"},
		{"{\"f:a\":{\"f:b\":{}},\"f:a\":{\"f:c\":{}}}", "{\"f:a\":{\"f:c\":{}}}"},
		{"{\"f:a\":{},\"f:a\":{\"f:c\":{}}}", "{\"f:a\":{\".\":{},\"f:c\":{}}}"},
		{"{\"i:3\":{},\"v:1\":{},\"k:{\\\"b\\\":2,\\\"a\\\":\\\"x\\\"}\":{},\"f:z\":{}}",
			"{\"f:z\":{},\"k:{\\\"a\\\":\\\"x\\\",\\\"b\\\":2}\":{},"
			"\"v:1\":{},\"i:3\":{}}"},
		{"{\"v:10\":{},\"v:9\":{},\"v:\\\"a\\\"\":{},\"v:true\":{},\"v:null\":{}}",
			"{\"v:9\":{},\"v:10\":{},\"v:\\\"a\\\"\":{},\"v:true\":{},\"v:null\":{}}"},
		{"{\"f:a b<\":{}}", "{\"f:a b\\u003c\":{}}"},
		{"{\"x:later\":{},\"f:a\":null}", "{\"f:a\":{}}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct field_set s = set_of(t, cases[i].text);

		CHECK_STR(text_of(t, &s), cases[i].again ? cases[i].again : cases[i].text);
	}
}

TEST(fields_v1_that_is_none)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"[]", "expect { or n"},
		{"{\"f:a\":1}", "expect { or n"},
		{"{\"f\":{}}", "key must be 2 characters long"},
		{"{\"fa\":{}}", "missing colon: fa"},
		{"{\"i:x\":{}}", "\"x\" is no index"},
		{"{\"k:[]\":{}}", "expected an object"},
		{"{\"v:{\":{}}", "unexpected end"},
		{"{", "unexpected end"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields f = {.arena = &t->arena};
		struct err e;

		test_note(t, "%s", cases[i].text);
		fields_read(&f, str_of(cases[i].text));
		CHECK_FAILS(fields_ok(&f, &e), &e, ERR_INVALID, cases[i].why);
	}
}

TEST(fields_arithmetic)
{
	static const struct {
		const char *a, *b, *sum, *both, *less, *without;
	} cases[] = {
		{"{\"f:a\":{}}", "{\"f:b\":{}}", "{\"f:a\":{},\"f:b\":{}}", "{}", "{\"f:a\":{}}",
			"{\"f:a\":{}}"},
		{"{\"f:a\":{\"f:x\":{}}}", "{\"f:a\":{}}", "{\"f:a\":{\".\":{},\"f:x\":{}}}", "{}",
			"{\"f:a\":{\"f:x\":{}}}", "{}"},
		{"{\"f:a\":{}}", "{\"f:a\":{\"f:x\":{}}}", "{\"f:a\":{\".\":{},\"f:x\":{}}}", "{}",
			"{\"f:a\":{}}", "{\"f:a\":{}}"},
		{"{\"f:a\":{\".\":{},\"f:x\":{},\"f:y\":{}}}", "{\"f:a\":{\"f:x\":{}}}",
			"{\"f:a\":{\".\":{},\"f:x\":{},\"f:y\":{}}}", "{\"f:a\":{\"f:x\":{}}}",
			"{\"f:a\":{\".\":{},\"f:y\":{}}}", "{\"f:a\":{\".\":{},\"f:y\":{}}}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields f = {.arena = &t->arena};
		struct field_set a = set_of(t, cases[i].a), b = set_of(t, cases[i].b);
		struct field_set sum = fields_union(&f, &a, &b);
		struct field_set both = fields_intersection(&f, &a, &b);
		struct field_set less = fields_difference(&f, &a, &b);
		struct field_set without = fields_without(&f, &a, &b);

		test_note(t, "%s and %s", cases[i].a, cases[i].b);
		CHECK_STR(text_of(t, &sum), cases[i].sum);
		CHECK_STR(text_of(t, &both), cases[i].both);
		CHECK_STR(text_of(t, &less), cases[i].less);
		CHECK_STR(text_of(t, &without), cases[i].without);
		CHECK(fields_equal(&a, &a) && !fields_equal(&a, &b));
	}
}

TEST(fields_within_a_pattern)
{
	static const str paths[] = {STR_INIT("spec.containers.*.resources")};
	struct fields f = {.arena = &t->arena};
	struct field_set pattern = fields_of_paths(&f, paths, 1);
	struct field_set s = set_of(t,
		"{\"f:metadata\":{},\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{"
		"\".\":{},\"f:image\":{},\"f:resources\":{\"f:limits\":{\"f:cpu\":{}}}}},"
		"\"f:hostname\":{}}}");

	s = fields_within(&f, &s, &pattern);
	CHECK_STR(text_of(t, &s),
		"{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{"
		"\".\":{},\"f:resources\":{\"f:limits\":{\"f:cpu\":{}}}}}}}");
}

TEST(fields_paths_come_level_by_level)
{
	struct fields f = {.arena = &t->arena};
	struct field_set s = set_of(t,
		"{\"f:a\":{\"f:deep\":{}},\"f:b\":{},\"k:{\\\"n\\\":\\\"x\\\",\\\"p\\\":80}\":{"
		"\"v:\\\"y\\\"\":{}},\"i:2\":{}}");
	static const char *const want[] = {".b", "[2]", ".a.deep", "[n=\"x\",p=80][=\"y\"]"};
	struct str_list paths;

	fields_paths(&f, &s, &paths);
	REQUIRE(paths.len == COUNT_OF(want));
	for (size_t i = 0; i < paths.len; i++)
		CHECK_STR(paths.at[i], want[i]);
}

/* Whatever the arena holds, the answer is the set or a want of memory. */
TEST(fields_end_where_memory_does)
{
	const str text = STR("{\"f:a\":{\"f:b\":{},\"k:{\\\"n\\\":\\\"x\\\"}\":{}},\"v:1\":{}}");
	bool whole = false;

	for (size_t limit = 0; !whole; limit += 64) {
		struct fields f;
		struct arena a;
		struct err e;

		arena_init(&a, limit);
		f = (struct fields){.arena = &a};
		struct field_set s = fields_read(&f, text);

		whole = fields_ok(&f, &e) == 0;
		if (whole)
			CHECK_BYTES(text_of(t, &s), text);
		else
			CHECK_INT(e.kind, ERR_LIMIT);
		arena_free(&a);
	}
}
