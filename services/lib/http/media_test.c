#include "lib/base/test.h"
#include "lib/http/media.h"

TEST(media_type_of_a_table)
{
	struct media_type m;
	struct err e;

	REQUIRE_OK(media_parse(&t->arena,
			   STR("application/json;as=Table;v=v1; g=meta.k8s.io ;q=0.5"), &m, &e),
		&e);
	CHECK_STR(m.type, "application");
	CHECK_STR(m.subtype, "json");
	CHECK_INT(m.param_count, 3);
	CHECK_INT(m.q_milli, 500);
	CHECK_STR(media_param(&m, STR("AS")), "Table");
	CHECK_STR(media_param(&m, STR("g")), "meta.k8s.io");
	CHECK_STR(media_param(&m, STR("v")), "v1");
	CHECK(media_param(&m, STR("q")).at == NULL);
}

TEST(media_quoted_values_lose_quotes_and_escapes)
{
	struct media_type m;
	struct err e;

	REQUIRE_OK(
		media_parse(&t->arena, STR("text/plain; a=\"x;y, \\\"z\\\"\";b=1;"), &m, &e), &e);
	CHECK_STR(media_param(&m, STR("a")), "x;y, \"z\"");
	CHECK_STR(media_param(&m, STR("b")), "1");
}

TEST(media_refuses_what_is_none)
{
	static const char *const bad[] = {"", "text", "text/", "/plain", "te xt/plain",
		"text/plain;x", "text/plain;=x", "text/plain;q=2", "text/plain;q=1.001",
		"text/plain;q=0.0001", "text/plain;q=", "text/plain;q=-1", "text/plain;a=\"x",
		"text/plain;a=\"x\"y", "text/plain;a=\"x\\", "text/pl/ain"};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct media_type m;
		struct err e;

		test_note(t, "%s", bad[i]);
		CHECK_FAILS(media_parse(&t->arena, str_of(bad[i]), &m, &e), &e, ERR_INVALID, "");
	}
}

TEST(media_accept_puts_the_best_first)
{
	static const struct {
		const char *header, *order;
	} cases[] = {
		{"application/json", "application/json"},
		{"*/*, application/json", "application/json */*"},
		{"application/*, application/yaml, */*", "application/yaml application/* */*"},
		{"a/b;q=0.1, c/d;q=0.9, e/f", "e/f c/d a/b"},
		{"a/b;q=0.5, c/d;q=0.5", "a/b c/d"},
		{"rubbish, a/b, ,;;, c/d;q=7", "a/b"},
		{"a/b;x=\"1,2\", c/d", "a/b c/d"},
		{"", ""},
		{"application/vnd.kubernetes.protobuf,application/json",
			"application/vnd.kubernetes.protobuf application/json"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct media_type *list;
		struct err e;
		size_t len;
		str order = STR("");

		test_note(t, "%s", cases[i].header);
		REQUIRE_OK(media_accept(&t->arena, str_of(cases[i].header), &list, &len, &e), &e);
		for (size_t n = 0; n < len; n++)
			order = arena_fmt(&t->arena, "%.*s%s%.*s/%.*s", STR_ARG(order),
				n ? " " : "", STR_ARG(list[n].type), STR_ARG(list[n].subtype));
		CHECK_STR(order, cases[i].order);
	}
}

TEST(media_accept_bounds_its_length)
{
	char header[4 * (MEDIA_ACCEPT_MAX + 1)];
	struct media_type *list;
	struct err e;
	size_t len;

	for (size_t i = 0; i < sizeof(header); i += 4)
		memcpy(header + i, "a/b,", 4);
	CHECK_FAILS(media_accept(&t->arena, str_span(header, sizeof(header)), &list, &len, &e), &e,
		ERR_LIMIT, "media types");
}

TEST(media_ranges_cover)
{
	struct media_type all = {.type = STR("*"), .subtype = STR("*")};
	struct media_type some = {.type = STR("Application"), .subtype = STR("*")};
	struct media_type one = {.type = STR("application"), .subtype = STR("json")};

	CHECK(media_covers(&all, STR("text"), STR("plain")));
	CHECK(media_covers(&some, STR("application"), STR("yaml")));
	CHECK(!media_covers(&some, STR("text"), STR("yaml")));
	CHECK(media_covers(&one, STR("application"), STR("JSON")));
	CHECK(!media_covers(&one, STR("application"), STR("yaml")));
}
