#include "lib/structural/rows.h"

#include "lib/base/test.h"
#include "lib/schema/patch.h"

static const char schema_json[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"spec\":{\"type\":\"object\",\"properties\":{"
	"\"size\":{\"type\":\"integer\",\"default\":3},"
	"\"ratio\":{\"type\":\"number\"},"
	"\"name\":{\"type\":\"string\",\"nullable\":true,\"default\":\"x\"},"
	"\"on\":{\"type\":\"boolean\"},"
	"\"port\":{\"x-kubernetes-int-or-string\":true},"
	"\"free\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},"
	"\"kept\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,"
	"\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"string\"}}}}}"
	","
	"\"labels\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
	"\"matrix\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":"
	"\"integer\"}}},"
	"\"nested\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\","
	"\"additionalProperties\":{\"type\":\"integer\"}}},"
	"\"items\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\","
	"\"x-kubernetes-list-map-keys\":[\"key\"],\"items\":{\"type\":\"object\",\"properties\":{"
	"\"key\":{\"type\":\"string\"},\"value\":{\"type\":\"string\",\"default\":\"v\"}}}},"
	"\"inner\":{\"type\":\"object\",\"default\":{},\"properties\":{"
	"\"deep\":{\"type\":\"array\",\"default\":[\"a\",\"b\"],\"items\":{\"type\":\"string\"}}}},"
	"\"template\":{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,"
	"\"x-kubernetes-preserve-unknown-fields\":true}"
	"}},\"status\":{\"type\":\"object\",\"properties\":{\"phase\":{\"type\":\"string\"}}}}}";

static const struct type *make(struct test *t, const char *json)
{
	const struct structural_kind kind = {STR("example.io"), STR("v1"), STR("Boat")};
	struct crd_custom_resource_validation *v = arena_get(&t->arena, sizeof(*v));
	const struct type *type = NULL;
	void *crd;
	struct err e;
	str text = arena_fmt(&t->arena,
		"{\"spec\":{\"versions\":[{\"schema\":{\"openAPIV3Schema\":%s}}]}}", json);

	REQUIRE_OK(object_decode(&t->arena, api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION),
			   FORMAT_JSON, text, &crd, NULL, &e),
		&e);
	const struct crd_custom_resource_definition *d = crd;

	REQUIRE_OK(structural_rows(&t->arena, &kind,
			   d->spec.versions.at[0].schema->open_apiv3_schema, false, &type, &e),
		&e);
	return type;
}

static str round_trip(
	struct test *t, const struct type *type, const char *spec, bool defaults, struct notes *n)
{
	str text = arena_fmt(&t->arena,
		"{\"apiVersion\":\"example.io/v1\",\"kind\":\"Boat\",\"metadata\":{\"name\":\"b\"},"
		"\"spec\":%s}",
		spec);
	struct buf b;
	struct err e;
	void *o;

	test_note(t, "%s", spec);
	REQUIRE_OK(object_decode(&t->arena, type, FORMAT_JSON, text, &o, n, &e), &e);
	if (defaults)
		object_default(&t->arena, o);
	void *copy = object_copy(&t->arena, o, true);

	CHECK(object_equal(o, copy));
	buf_init(&b, BUF_NO_LIMIT);
	REQUIRE_OK(object_encode(copy, FORMAT_JSON, &b, &e), &e);
	str all = test_take(t, &b);
	ptrdiff_t at = str_find(all, STR("\"spec\":"));

	REQUIRE(at > 0);
	return str_slice(all, (size_t)at + 7, all.len - (size_t)at - 8);
}

TEST(rows_keep_what_is_valid_and_drop_what_is_unknown)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"{}", "{}"},
		{"{\"unknown\":1,\"size\":5}", "{\"size\":5}"},
		{"{\"size\":5,\"on\":true,\"name\":\"n\"}",
			"{\"name\":\"n\",\"on\":true,\"size\":5}"},
		{"{\"ratio\":1.50}", "{\"ratio\":1.5}"},
		{"{\"ratio\":9007199254740993}", "{\"ratio\":9007199254740993}"},
		{"{\"size\":1.0}", "{\"size\":1}"},
		{"{\"port\":8080}", "{\"port\":8080}"},
		{"{\"port\":\"http\"}", "{\"port\":\"http\"}"},
		{"{\"free\":{\"b\":1,\"a\":{\"y\":2,\"x\":[]}}}",
			"{\"free\":{\"a\":{\"x\":[],\"y\":2},\"b\":1}}"},
		{"{\"kept\":{\"z\":1,\"a\":{\"b\":\"c\",\"d\":1},\"0\":2}}",
			"{\"kept\":{\"0\":2,\"a\":{\"b\":\"c\"},\"z\":1}}"},
		{"{\"labels\":{\"b\":\"2\",\"a\":\"1\"}}",
			"{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}"},
		{"{\"labels\":{}}", "{\"labels\":{}}"},
		{"{\"items\":[]}", "{\"items\":[]}"},
		{"{\"matrix\":[[1,2],[],[3]]}", "{\"matrix\":[[1,2],[],[3]]}"},
		{"{\"nested\":{\"a\":{\"b\":1},\"c\":{}}}",
			"{\"nested\":{\"a\":{\"b\":1},\"c\":{}}}"},
		{"{\"items\":[{\"key\":\"k\",\"more\":1}]}", "{\"items\":[{\"key\":\"k\"}]}"},
		{"{\"template\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"
		 "\"p\","
		 "\"no\":1},\"spec\":{\"x\":1}}}",
			"{\"template\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{"
			"\"name\":\"p\"},\"spec\":{\"x\":1}}}"},
		/* What does not fit stays as it is, for validation to see. */
		{"{\"size\":\"five\"}", "{\"size\":\"five\"}"},
		{"{\"size\":null,\"name\":null}", "{\"name\":null,\"size\":null}"},
		{"{\"labels\":{\"a\":1}}", "{\"labels\":{\"a\":1}}"},
		{"{\"matrix\":[[1],\"x\"]}", "{\"matrix\":[[1],\"x\"]}"},
		{"{\"items\":[{\"key\":1}]}", "{\"items\":[{\"key\":1}]}"},
		{"{\"items\":\"none\"}", "{\"items\":\"none\"}"},
		{"\"text\"", "\"text\""},
		{"{\"size\":1,\"size\":\"x\"}", "{\"size\":\"x\"}"},
	};
	const struct type *type = make(t, schema_json);

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_STR(round_trip(t, type, rows[i].in, false, NULL), rows[i].out);
}

TEST(rows_have_defaults)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"{}", "{\"inner\":{\"deep\":[\"a\",\"b\"]},\"name\":\"x\",\"size\":3}"},
		{"{\"size\":0,\"inner\":{\"deep\":[]},\"name\":\"\"}",
			"{\"inner\":{\"deep\":[]},\"name\":\"\",\"size\":0}"},
		{"{\"size\":null,\"name\":null,\"inner\":{}}",
			"{\"inner\":{\"deep\":[\"a\",\"b\"]},\"name\":null,\"size\":3}"},
		{"{\"size\":1,\"name\":\"n\",\"inner\":{},\"items\":[{\"key\":\"k\"}]}",
			"{\"inner\":{\"deep\":[\"a\",\"b\"]},\"items\":[{\"key\":\"k\",\"value\":"
			"\"v\"}],\"name\":\"n\",\"size\":1}"},
		{"{\"size\":\"no\",\"name\":1,\"inner\":2}",
			"{\"inner\":2,\"name\":1,\"size\":\"no\"}"},
	};
	const struct type *type = make(t, schema_json);

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_STR(round_trip(t, type, rows[i].in, true, NULL), rows[i].out);
}

TEST(rows_note_what_a_strict_reader_sees)
{
	static const struct {
		const char *in, *notes;
	} rows[] = {
		{"{\"unknown\":1}", "unknown field \"spec.unknown\";"},
		{"{\"size\":1,\"size\":2}", "duplicate field \"spec.size\";"},
		{"{\"size\":1,\"size\":\"x\"}", "duplicate field \"spec.size\";"},
		{"{\"items\":[{\"nope\":1}]}", "unknown field \"spec.items[0].nope\";"},
		{"{\"free\":{\"a\":{\"b\":1,\"b\":2}}}", "duplicate field \"spec.free.a.b\";"},
		{"{\"kept\":{\"z\":1,\"z\":2}}", "duplicate field \"spec.kept.z\";"},
		{"{\"template\":{\"metadata\":{\"no\":1}}}",
			"unknown field \"spec.template.metadata.no\";"},
		{"{\"kept\":{\"z\":1}}", ""},
	};
	const struct type *type = make(t, schema_json);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct notes n;
		struct buf b;

		notes_init(&n, &t->arena);
		round_trip(t, type, rows[i].in, false, &n);
		buf_init(&b, BUF_NO_LIMIT);
		for (size_t k = 0; k < n.texts.len; k++)
			buf_add_fmt(&b, "%.*s;", STR_ARG(n.texts.at[k]));
		CHECK_STR(test_take(t, &b), rows[i].notes);
	}
}

TEST(rows_of_no_schema_keep_all)
{
	const struct structural_kind kind = {STR("example.io"), STR("v1"), STR("Boat")};
	const struct type *type;
	struct err e;

	REQUIRE_OK(structural_rows(&t->arena, &kind, NULL, false, &type, &e), &e);
	CHECK_STR(round_trip(t, type, "{\"b\":[1,{}],\"a\":null}", true, NULL),
		"{\"a\":null,\"b\":[1,{}]}");
}

TEST(rows_survive_a_default_that_does_not_fit)
{
	const struct type *type = make(t,
		"{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":"
		"{"
		"\"a\":{\"type\":\"integer\",\"default\":\"x\"}}}}}");

	CHECK_STR(round_trip(t, type, "{}", true, NULL), "{}");
}
