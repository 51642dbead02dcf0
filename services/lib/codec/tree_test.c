#include "lib/codec/tree.h"

#include "lib/base/test.h"

static struct tree *tree_from(struct test *t, const char *json)
{
	struct tree *tree = NULL;
	struct err e;

	REQUIRE_OK(tree_read(&t->arena, str_of(json), &tree, &e), &e);
	return tree;
}

static str text(struct test *t, const struct tree *tree)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	tree_put(&b, tree);
	return test_take(t, &b);
}

TEST(tree_changes_members_and_items)
{
	struct tree *tree = tree_from(t, "{\"b\":1,\"a\":[1,2],\"b\":{\"z\":null,\"y\":true}}");
	struct tree *list = tree_get(tree, STR("a"));
	struct err e;

	CHECK_STR(text(t, tree), "{\"b\":{\"z\":null,\"y\":true},\"a\":[1,2]}");
	CHECK_OK(tree_insert(&t->arena, list, 1, tree_from(t, "\"x\""), &e), &e);
	tree_take_out(list, 0);
	CHECK_OK(tree_set(&t->arena, tree, STR("c"), tree_from(t, "3"), &e), &e);
	CHECK(tree_remove(tree, STR("b")));
	CHECK(!tree_remove(tree, STR("b")));
	CHECK(tree_get(tree, STR("b")) == NULL);
	CHECK_STR(text(t, tree), "{\"a\":[\"x\",2],\"c\":3}");
	CHECK(tree_equal(tree, tree_from(t, "{\"c\":3,\"a\":[\"x\",2]}")));
	CHECK(!tree_equal(tree, tree_from(t, "{\"c\":3,\"a\":[\"x\",\"2\"]}")));
	CHECK(!tree_equal(tree, tree_from(t, "{\"c\":3}")));
}

TEST(tree_finds_members_of_large_objects)
{
	struct tree *tree = tree_new(&t->arena, JSON_OBJECT);
	struct err e;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++)
			REQUIRE_OK(tree_set(&t->arena, tree, arena_fmt(&t->arena, "k%d", i),
					   tree_from(t, round ? "1" : "0"), &e),
				&e);
		for (int i = round; i < 1000; i += 3)
			CHECK(tree_remove(tree, arena_fmt(&t->arena, "k%d", i)));
		if (round == 1)
			tree_sort(tree);
		for (int i = 0; i < 1000; i++)
			CHECK((tree_get(tree, arena_fmt(&t->arena, "k%d", i)) == NULL) ==
				(i % 3 == round));
	}
}

TEST(tree_sorts_at_every_depth)
{
	struct tree *tree = tree_from(t, "{\"b\":[{\"d\":1,\"c\":2}],\"aa\":0,\"a\":0}");

	tree_sort(tree);
	CHECK_STR(text(t, tree), "{\"a\":0,\"aa\":0,\"b\":[{\"c\":2,\"d\":1}]}");
}
