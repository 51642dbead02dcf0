#include "lib/schema/patch.h"

#include "api/kinds.h"
#include "lib/base/test.h"

/* tests/oracle/patch made these cases; the answers are upstream's. */

typedef int patch_function(struct arena *a, const struct type *t, struct tree *target,
	struct tree *patch, struct tree **to, struct err *e);

struct outcome {
	str text, kind;
	struct tree *target, *patch, *result; /* result is NULL where upstream fails */
	str error;
};

static int run_json(struct arena *a, UNUSED const struct type *t, struct tree *target,
	struct tree *patch, struct tree **to, struct err *e)
{
	return patch_json(a, target, patch, to, e);
}

static int run_merge(struct arena *a, UNUSED const struct type *t, struct tree *target,
	struct tree *patch, struct tree **to, struct err *e)
{
	return patch_merge(a, target, patch, to, e);
}

static const struct type *find_type(str id)
{
	str kind = id;

	for (ptrdiff_t at; (at = str_find_char(kind, '.')) >= 0 && str_find_char(kind, '/') >= 0;)
		kind = str_slice(kind, (size_t)str_find_char(kind, '/') + 1, kind.len);
	str_cut(&kind, '.');
	return type_find_api_version(&api_schema, str_slice(id, 0, id.len - kind.len - 1), kind);
}

static struct outcome read_case(struct test *t, struct arena *a, str line)
{
	struct outcome c = {.text = line};
	struct tree *all = NULL;
	struct err e;

	REQUIRE_OK(tree_read(a, line, &all, &e), &e);
	c.kind = tree_get(all, STR("kind"))->text;
	c.target = tree_get(all, STR("target"));
	c.patch = tree_get(all, STR("patch"));
	c.result = tree_get(all, STR("result"));
	if (!c.result)
		c.error = tree_get(all, STR("error"))->text;
	return c;
}

static str text_of(struct test *t, const struct tree *tree)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	tree_put(&b, tree);
	return test_take(t, &b);
}

/* Messages that show whole maps or lists may be cut. */
static bool same_message(str have, str want)
{
	if (str_ends(have, STR("...")))
		return str_starts(want, str_slice(have, 0, have.len - 3));
	return str_eq(have, want);
}

static int replay(struct test *t, const char *path, patch_function *run)
{
	int count = 0;

	for (str rest = test_file(t, path); rest.len > 0; count++) {
		struct tree *result = NULL;
		struct arena a;
		struct err e;

		arena_init(&a, 64 << 20);
		struct outcome c = read_case(t, &a, str_cut(&rest, '\n'));
		const struct type *type = find_type(c.kind);

		test_note(t, "case %d: %.*s", count + 1, (int)(c.text.len < 200 ? c.text.len : 200),
			c.text.at);
		REQUIRE(type != NULL);
		int status = run(&a, type, c.target, c.patch, &result, &e);

		if (!c.result && (status == 0 || !same_message(str_of(e.text), c.error)))
			CHECK_BYTES(str_of(status < 0 ? e.text : "(no error)"), c.error);
		if (c.result && CHECK_OK(status, &e) && !tree_equal(result, c.result))
			CHECK_BYTES(text_of(t, result), text_of(t, c.result));
		arena_free(&a);
	}
	return count;
}

static int run_strategic(struct arena *a, const struct type *t, struct tree *target,
	struct tree *patch, struct tree **to, struct err *e)
{
	return patch_strategic(a, t, target, patch, to, e);
}

TEST(patch_json_does_what_upstream_does)
{
	CHECK_INT(replay(t, "tests/data/patch_json.jsonl", run_json), 700);
}

TEST(patch_merge_does_what_upstream_does)
{
	CHECK_INT(replay(t, "tests/data/patch_merge.jsonl", run_merge), 500);
}

TEST(patch_strategic_does_what_upstream_does)
{
	CHECK_INT(replay(t, "tests/data/patch_strategic.jsonl", run_strategic), 1500);
}

static void sweep_limits(struct test *t, const char *path, patch_function *run)
{
	str rest = test_file(t, path);

	for (int i = 0; i < 12; i++) {
		str line = str_cut(&rest, '\n');
		struct tree *all, *result;
		int status = -1;
		struct err e;

		for (size_t limit = 0; status < 0; limit = limit * 9 / 8 + 16) {
			struct arena a;

			arena_init(&a, limit);
			status = tree_read(&a, line, &all, &e);
			if (status == 0)
				status = run(&a, find_type(tree_get(all, STR("kind"))->text),
					tree_get(all, STR("target")), tree_get(all, STR("patch")),
					&result, &e);
			bool out_of_memory = status < 0 && e.kind == ERR_LIMIT;

			arena_free(&a);
			if (status < 0 && !out_of_memory)
				break;
			REQUIRE(limit < 64 << 20);
		}
	}
}

TEST(patch_gives_a_clean_error_at_every_memory_limit)
{
	sweep_limits(t, "tests/data/patch_json.jsonl", run_json);
	sweep_limits(t, "tests/data/patch_merge.jsonl", run_merge);
	sweep_limits(t, "tests/data/patch_strategic.jsonl", run_strategic);
}

TEST(patch_json_bounds_operations_and_copies)
{
	struct tree *target, *patch, *result;
	struct arena a;
	struct err e;

	arena_init(&a, 256 << 20);
	REQUIRE_OK(tree_read(&a, STR("{\"a\":\"0123456789012345678901234567890123456789\"}"),
			   &target, &e),
		&e);
	patch = tree_new(&a, JSON_ARRAY);
	REQUIRE(patch != NULL);
	struct tree *op;

	REQUIRE_OK(
		tree_read(&a, STR("{\"op\":\"copy\",\"from\":\"\",\"path\":\"/b\"}"), &op, &e), &e);
	REQUIRE_OK(tree_read(&a, STR("{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}"), &op, &e),
		&e);
	for (int i = 0; i < PATCH_OPERATIONS_MAX; i++)
		REQUIRE_OK(tree_insert(&a, patch, patch->len, op, &e), &e);
	CHECK_OK(patch_json(&a, target, patch, &result, &e), &e);
	REQUIRE_OK(tree_insert(&a, patch, patch->len, op, &e), &e);
	CHECK_FAILS(patch_json(&a, target, patch, &result, &e), &e, ERR_LIMIT,
		"The allowed maximum operations in a JSON patch is 10000, got 10001");

	/* Each copy doubles what there is. */
	REQUIRE_OK(
		tree_read(&a, STR("[{\"op\":\"add\",\"path\":\"/l\",\"value\":[\"0123456789\"]}]"),
			&patch, &e),
		&e);
	REQUIRE_OK(
		tree_read(&a, STR("{\"op\":\"copy\",\"from\":\"/l\",\"path\":\"/l/-\"}"), &op, &e),
		&e);
	for (int i = 0; i < 40; i++)
		REQUIRE_OK(tree_insert(&a, patch, patch->len, op, &e), &e);
	CHECK_FAILS(patch_json(&a, target, patch, &result, &e), &e, ERR_LIMIT,
		"exceeding the limit 3145728");
	arena_free(&a);
}
