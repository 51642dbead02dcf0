#include "lib/schema/patch.h"

#include "lib/base/test.h"

static struct tree *tree_of_text(struct test *t, str text)
{
	struct tree *tree;
	struct err e;

	REQUIRE_OK(tree_read(&t->arena, text, &tree, &e), &e);
	return tree;
}

/* {"a":{"a":…{}…}}, so many levels in all. */
static str nested(struct test *t, int levels)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 1; i < levels; i++)
		buf_add_str(&b, STR("{\"a\":"));
	buf_add_str(&b, STR("{}"));
	for (int i = 1; i < levels; i++)
		buf_add_char(&b, '}');
	return test_take(t, &b);
}

static str path_of(struct test *t, int steps)
{
	char *at = arena_get(&t->arena, 2 * (size_t)steps);

	for (int i = 0; i < steps; i++)
		memcpy(at + 2 * i, "/a", 2);
	return str_span(at, 2 * (size_t)steps);
}

static int run(struct test *t, str target, str patch, struct err *e)
{
	struct tree *result;

	return patch_json(&t->arena, tree_of_text(t, target), tree_of_text(t, patch), &result, e);
}

/* Who may patch must not be able to build what overflows the stack of whoever writes it out. */
TEST(patch_json_builds_nothing_deeper_than_can_be_read)
{
	static const struct {
		int levels, steps;
		bool fits;
	} cases[] = {{500, 500, true}, {501, 500, false}, {990, 10, true}, {991, 10, false}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		str deep = nested(t, cases[i].levels), path = path_of(t, cases[i].steps);
		str target = nested(t, cases[i].steps + 1);
		str patches[] = {
			arena_fmt(&t->arena, "[{\"op\":\"add\",\"path\":\"%.*s\",\"value\":%.*s}]",
				STR_ARG(path), STR_ARG(deep)),
			arena_fmt(&t->arena,
				"[{\"op\":\"replace\",\"path\":\"%.*s\",\"value\":%.*s}]",
				STR_ARG(path), STR_ARG(deep)),
			arena_fmt(&t->arena,
				"[{\"op\":\"add\",\"path\":\"/b\",\"value\":%.*s},"
				"{\"op\":\"copy\",\"from\":\"/b\",\"path\":\"%.*s\"}]",
				STR_ARG(deep), STR_ARG(path)),
			arena_fmt(&t->arena,
				"[{\"op\":\"add\",\"path\":\"/b\",\"value\":%.*s},"
				"{\"op\":\"move\",\"from\":\"/b\",\"path\":\"%.*s\"}]",
				STR_ARG(deep), STR_ARG(path)),
		};

		for (size_t p = 0; p < COUNT_OF(patches); p++) {
			struct err e;

			test_note(t, "case %zu, patch %zu", i, p);
			if (cases[i].fits)
				CHECK_OK(run(t, target, patches[p], &e), &e);
			else
				CHECK_FAILS(run(t, target, patches[p], &e), &e, ERR_LIMIT,
					"1000 levels");
		}
	}
}

TEST(patch_json_cannot_double_depth_by_copies)
{
	struct buf b;
	struct err e;

	buf_init(&b, 4 << 20);
	buf_add_fmt(
		&b, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":%.*s}", STR_ARG(nested(t, 900)));
	for (int steps = 900; steps < 100000; steps = 2 * steps - 1)
		buf_add_fmt(&b, ",{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"%.*s\"}",
			STR_ARG(path_of(t, steps)));
	buf_add_char(&b, ']');
	CHECK_FAILS(run(t, STR("{}"), buf_str(&b), &e), &e, ERR_LIMIT, "1000 levels");
	buf_free(&b);
}

TEST(patch_json_tells_numbers_out_of_range_from_what_is_none)
{
	struct err e;

	CHECK_FAILS(run(t, STR("{\"l\":[]}"),
			    STR("[{\"op\":\"remove\",\"path\":\"/l/99999999999999999999\"}]"), &e),
		&e, ERR_CONFLICT,
		"strconv.Atoi: parsing \"99999999999999999999\": value out of range");
	CHECK_FAILS(run(t, STR("{\"l\":[]}"), STR("[{\"op\":\"remove\",\"path\":\"/l/x\"}]"), &e),
		&e, ERR_CONFLICT, "strconv.Atoi: parsing \"x\": invalid syntax");
}
