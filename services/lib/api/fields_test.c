/* Sets, comparisons and merges of objects by the rows of the built-in kinds; that all of it is as
 * upstream does it, managed_test.c shows. */
#include "lib/schema/fields.h"

#include "api/kinds.h"
#include "lib/base/test.h"
#include "lib/schema/object.h"

static struct fielded tree_of(struct test *t, enum api_type type, const char *json)
{
	struct tree *tree;
	struct err e;

	REQUIRE_OK(tree_read(&t->arena, str_of(json), &tree, &e), &e);
	return (struct fielded){.type = api_type(type), .tree = tree};
}

static struct fielded struct_of(struct test *t, enum api_type type, const char *json)
{
	const struct type *row = api_type(type);
	struct arena *a = &t->arena;
	struct err e;
	void *o;

	REQUIRE_OK(object_decode(a, row, FORMAT_JSON, str_of(json), &o, NULL, &e), &e);
	return (struct fielded){.type = row, .object = o};
}

static str text_of(struct test *t, const struct field_set *s)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	fields_put(&b, s);
	return test_take(t, &b);
}

static str json_of(struct test *t, const struct tree *tree)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	tree_put(&b, tree);
	return test_take(t, &b);
}

static const char service[] =
	"{\"spec\":{\"ports\":[{\"port\":53,\"protocol\":\"UDP\"},{\"port\":53}],"
	"\"clusterIPs\":[\"10.0.0.1\"],\"selector\":{\"a\":\"b\"}}}";

TEST(fields_of_what_an_object_mentions)
{
	struct fields f = {.arena = &t->arena};
	struct fielded o = tree_of(t, API_SERVICE, service);
	struct field_set s = fields_of(&f, &o);

	CHECK(!f.failed);
	CHECK_STR(text_of(t, &s),
		"{\"f:spec\":{\"f:clusterIPs\":{},\"f:ports\":{"
		"\"k:{\\\"port\\\":53,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:port\":{}},"
		"\"k:{\\\"port\\\":53,\\\"protocol\\\":\\\"UDP\\\"}\":{\".\":{},\"f:port\":{},"
		"\"f:protocol\":{}}},\"f:selector\":{}}}");
}

/* Structs and trees of one object change in the same way. */
TEST(fields_compare_structs_as_trees)
{
	static const struct {
		const char *before, *now, *added, *modified, *removed;
	} cases[] = {
		{"{\"data\":{\"a\":\"1\",\"b\":\"2\"}}", "{\"data\":{\"b\":\"3\",\"c\":\"4\"}}",
			"{\"f:data\":{\"f:c\":{}}}", "{\"f:data\":{\"f:b\":{}}}",
			"{\"f:data\":{\"f:a\":{}}}"},
		{"{}", "{\"metadata\":{\"finalizers\":[\"x/y\"]}}",
			"{\"f:metadata\":{\"f:finalizers\":{\".\":{},\"v:\\\"x/y\\\"\":{}}}}", "{}",
			"{}"},
		{"{\"metadata\":{\"finalizers\":[\"x/y\",\"x/y\"]}}",
			"{\"metadata\":{\"finalizers\":[\"x/y\"]}}",
			"{\"f:metadata\":{\"f:finalizers\":{\"v:\\\"x/y\\\"\":{}}}}", "{}",
			"{\"f:metadata\":{\"f:finalizers\":{\"v:\\\"x/y\\\"\":{}}}}"},
		{"{\"immutable\":false}", "{\"immutable\":true}", "{}", "{\"f:immutable\":{}}",
			"{}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (int trees = 0; trees < 2; trees++) {
			struct fielded (*make)(struct test *, enum api_type,
				const char *) = trees ? tree_of : struct_of;
			struct fields f = {.arena = &t->arena};
			struct fielded before = make(t, API_CONFIG_MAP, cases[i].before);
			struct fielded now = make(t, API_CONFIG_MAP, cases[i].now);
			struct field_change c = fields_compare(&f, &before, &now);

			test_note(t, "%s to %s, %d", cases[i].before, cases[i].now, trees);
			if (trees && i == 1)
				continue; /* metadata itself is added where it was not there */
			CHECK_STR(text_of(t, &c.added), cases[i].added);
			CHECK_STR(text_of(t, &c.modified), cases[i].modified);
			CHECK_STR(text_of(t, &c.removed), cases[i].removed);
			CHECK(fields_same(&f, &before, &before));
			CHECK(!fields_same(&f, &before, &now));
		}
	}
}

TEST(fields_merge_by_keys_and_keep_order)
{
	static const struct {
		const char *live, *applied, *merged;
	} cases[] = {
		{"{\"secrets\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}",
			"{\"secrets\":[{\"name\":\"c\"},{\"name\":\"a\",\"namespace\":\"n\"}]}",
			"{\"secrets\":[{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"a\","
			"\"namespace\":\"n\"}]}"},
		{"{\"secrets\":[{\"name\":\"a\"}],\"metadata\":{\"labels\":{\"x\":\"1\"}}}",
			"{\"metadata\":{\"labels\":{\"y\":\"2\"}}}",
			"{\"metadata\":{\"labels\":{\"x\":\"1\",\"y\":\"2\"}},\"secrets\":[{"
			"\"name\":\"a\"}]}"},
		{"{\"secrets\":[{\"name\":\"a\"}]}", "{\"secrets\":null}",
			"{\"secrets\":[{\"name\":\"a\"}]}"},
		{"{\"automountServiceAccountToken\":true}",
			"{\"automountServiceAccountToken\":null}",
			"{\"automountServiceAccountToken\":null}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields f = {.arena = &t->arena};
		struct fielded live = tree_of(t, API_SERVICE_ACCOUNT, cases[i].live);
		struct fielded applied = tree_of(t, API_SERVICE_ACCOUNT, cases[i].applied);
		const struct tree *merged = fields_merge(&f, &live, &applied);

		REQUIRE(merged && !f.failed);
		CHECK_STR(json_of(t, merged), cases[i].merged);
	}
}

TEST(fields_are_removed)
{
	static const struct {
		const char *object, *set, *left;
	} cases[] = {
		{service, "{\"f:spec\":{\"f:selector\":{}}}",
			"{\"spec\":{\"ports\":[{\"port\":53,\"protocol\":\"UDP\"},{\"port\":53}],"
			"\"clusterIPs\":[\"10.0.0.1\"]}}"},
		{service,
			"{\"f:spec\":{\"f:clusterIPs\":{},\"f:selector\":{},\"f:ports\":{"
			"\"k:{\\\"port\\\":53,\\\"protocol\\\":\\\"TCP\\\"}\":{},"
			"\"k:{\\\"port\\\":53,\\\"protocol\\\":\\\"UDP\\\"}\":{}}}}",
			"{\"spec\":{\"ports\":[]}}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields f = {.arena = &t->arena};
		struct fielded o = tree_of(t, API_SERVICE, cases[i].object);
		struct field_set s = fields_read(&f, str_of(cases[i].set));
		const struct tree *left = fields_remove(&f, &o, &s);

		REQUIRE(left && !f.failed);
		CHECK_STR(json_of(t, left), cases[i].left);
	}
}

TEST(fields_that_have_become_one_unit)
{
	struct fields f = {.arena = &t->arena};
	struct field_set s = fields_read(&f,
		STR("{\"f:spec\":{\"f:selector\":{\"f:a\":{}},\"f:type\":{},"
		    "\"f:unheard\":{\"f:x\":{}}}}"));

	s = fields_settled(&f, api_type(API_SERVICE), &s);
	CHECK_STR(text_of(t, &s),
		"{\"f:spec\":{\"f:selector\":{},\"f:type\":{},\"f:unheard\":{\"f:x\":{}}}}");
	s = fields_named(&f, api_type(API_SERVICE), &s);
	CHECK_STR(text_of(t, &s),
		"{\"f:spec\":{\".\":{},\"f:selector\":{},\"f:type\":{},\"f:unheard\":{\"f:x\":{}}}"
		"}");
}
