#include "lib/base/str.h"
#include "lib/base/test.h"

TEST(str_compares_as_go_does)
{
	CHECK(str_cmp(STR("a"), STR("b")) < 0);
	CHECK(str_cmp(STR("b"), STR("a")) > 0);
	CHECK(str_cmp(STR("a"), STR("ab")) < 0);
	CHECK(str_cmp(STR("\xff"), STR("a")) > 0);
	CHECK_INT(str_cmp(STR(""), STR("")), 0);
	CHECK(str_eq(str_of(NULL), STR("")));
}

TEST(str_finds_and_slices)
{
	CHECK(str_starts(STR("k8s.io/api"), STR("k8s.io")));
	CHECK(!str_starts(STR("k8"), STR("k8s")));
	CHECK(str_ends(STR("pods/status"), STR("/status")));
	CHECK(!str_ends(STR("s"), STR("/s")));
	CHECK_INT(str_find(STR("a::b"), STR("::")), 1);
	CHECK_INT(str_find(STR("ab"), STR("abc")), -1);
	CHECK_INT(str_find_char(STR(""), 'a'), -1);
	CHECK_STR(str_slice(STR("abcdef"), 2, 3), "cde");
	CHECK_STR(str_slice(STR("abc"), 5, 1), "");
	CHECK_STR(str_slice(STR("abc"), 1, SIZE_MAX), "bc");
	CHECK_STR(str_trim(STR(" \t a b\r\n")), "a b");
	CHECK(str_eq_ignoring_case(STR("Content-Type"), STR("content-TYPE")));
	CHECK(!str_eq_ignoring_case(STR("@"), STR("`")));
}

TEST(str_cut_visits_every_part_once)
{
	static const char *const wanted[] = {"a", "", "b", ""};
	size_t n = 0;

	for (str rest = STR("a,,b,"); rest.at; n++) {
		REQUIRE(n < COUNT_OF(wanted));
		CHECK_STR(str_cut(&rest, ','), wanted[n]);
	}
	CHECK_INT(n, COUNT_OF(wanted));
}

TEST(str_reads_integers_exactly)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"+7", true, 7},
		{"9223372036854775807", true, INT64_MAX},
		{"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775808", false, 0},
		{"-9223372036854775809", false, 0},
		{"18446744073709551616", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{"1 ", false, 0},
		{"1e3", false, 0},
		{"--1", false, 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t value = 4711;

		test_note(t, "%s", cases[i].text);
		CHECK(str_to_i64(str_of(cases[i].text), &value) == cases[i].good);
		CHECK_INT(value, cases[i].good ? cases[i].value : 4711);
	}
}

TEST(str_knows_utf8)
{
	static const char *const good[] = {"", "plain ascii, longer than eight", "\xc3\xa4",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"12345678\xff", "\xe2\x82"};

	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK(str_is_utf8(str_of(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		test_note(t, "case %zu", i);
		CHECK(!str_is_utf8(str_of(bad[i])));
	}
}

TEST(str_knows_ascii_of_every_byte)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	static const char letters[] = "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ";

	for (int byte = 0; byte < 256; byte++) {
		char c = (char)byte;
		const char *hit = memchr(digits, c, sizeof(digits) - 1);
		ptrdiff_t place = hit ? hit - digits : -1;

		test_note(t, "byte %d", byte);
		CHECK_INT(str_hex_digit(c), place < 16 ? place : place - 6);
		CHECK(str_is_alphanumeric(c) == (hit || memchr(letters, c, sizeof(letters) - 1)));
	}
}
