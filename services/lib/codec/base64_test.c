#include "lib/codec/base64.h"

#include "lib/base/test.h"

static const struct {
	const char *bytes, *text;
} pairs[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "+//+"}};

TEST(base64_both_ways)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct buf b;
		struct err e;
		str back;

		buf_init(&b, 100);
		base64_put(&b, str_of(pairs[i].bytes));
		CHECK(str_eq(buf_str(&b), str_of(pairs[i].text)));
		REQUIRE_OK(base64_read(&t->arena, str_of(pairs[i].text), &back, &e), &e);
		CHECK_STR(back, pairs[i].bytes);
		buf_free(&b);
	}
}

TEST(base64_is_as_lenient_as_go)
{
	struct err e;
	str back;

	REQUIRE_OK(base64_read(&t->arena, STR("\r\nZm\n9vYg=\r=\n"), &back, &e), &e);
	CHECK_STR(back, "foob");
	REQUIRE_OK(base64_read(&t->arena, STR("Zh=="), &back, &e), &e);
	CHECK_STR(back, "f");
}

TEST(base64_names_the_byte_as_go_does)
{
	static const struct {
		const char *text;
		int at;
	} cases[] = {{"!", 0}, {"Zm9v!", 4}, {"Z", 0}, {"Zm", 0}, {"Zm9", 0}, {"Zm9vZ", 4},
		{"Zg=", 3}, {"Zg=a", 2}, {"Zg==a", 4}, {"Zm8=Zg==", 4}, {"=", 0}, {"Z===", 1},
		{"Zm8==", 4}, {"Zm9v\n-", 5}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		str back = STR("kept");
		struct err e;

		test_note(t, "%s", cases[i].text);
		CHECK_FAILS(base64_read(&t->arena, str_of(cases[i].text), &back, &e), &e,
			ERR_INVALID,
			arena_fmt(&t->arena, "illegal base64 data at input byte %d", cases[i].at)
				.at);
		CHECK_STR(back, "kept");
	}
}

TEST(base64_is_refused_memory_cleanly)
{
	const str text = STR("Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy");
	bool done = false;

	for (size_t limit = 0; !done && limit < 1000; limit++) {
		str back = STR("kept");
		struct arena a;
		struct err e;

		test_note(t, "limit %zu", limit);
		arena_init(&a, limit);
		done = base64_read(&a, text, &back, &e) == 0;
		if (!done)
			CHECK_INT(e.kind, ERR_LIMIT);
		CHECK_STR(back, done ? "foobarfoobarfoobarfoobarfoobar" : "kept");
		arena_free(&a);
	}
	CHECK(done);
}

TEST(base64url_both_ways)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xfb\xff\xfe", "-__-"}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf b;
		struct err e;
		str back;

		buf_init(&b, 100);
		base64url_put(&b, str_of(cases[i].bytes));
		CHECK_STR(test_take(t, &b), cases[i].text);
		REQUIRE_OK(base64url_read(&t->arena, str_of(cases[i].text), &back, &e), &e);
		CHECK_STR(back, cases[i].bytes);
	}
}

TEST(base64url_refuses_the_other_alphabet)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {{"Z", "byte 0"}, {"Zm9vZ", "byte 4"}, {"Zg==", "byte 2"}, {"+//+", "byte 0"}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err e;
		str back;

		CHECK_FAILS(base64url_read(&t->arena, str_of(cases[i].text), &back, &e), &e,
			ERR_INVALID, cases[i].message);
	}
}
