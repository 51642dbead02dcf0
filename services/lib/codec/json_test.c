#include "lib/codec/json.h"

#include "lib/base/test.h"

static struct json_item parse(struct test *t, str text)
{
	struct json_item root;
	struct err e;

	REQUIRE_OK(json_parse(&t->arena, text, &root, &e), &e);
	return root;
}

static str copy_of(struct test *t, const char *text)
{
	struct json_item root = parse(t, str_of(text));
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	json_put_item(&b, &root);
	return test_take(t, &b);
}

static str written(struct test *t, str s)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	json_put_str(&b, s);
	return test_take(t, &b);
}

static str number(struct test *t, double value)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	json_put_f64(&b, value);
	return test_take(t, &b);
}

TEST(json_walks_members_in_order_with_duplicates)
{
	struct json_item root = parse(t, STR("{\"a\":1,\"b\":[true,null],\"a\":\"x\\ny\"}")), item;
	struct json_walk walk = json_enter(&root);

	CHECK_INT(root.count, 3);
	REQUIRE(json_next(&walk, &item));
	CHECK_STR(item.key, "a");
	CHECK_INT(item.kind, JSON_NUMBER);
	CHECK_STR(item.text, "1");
	REQUIRE(json_next(&walk, &item));
	CHECK_STR(item.key, "b");
	CHECK_INT(item.count, 2);
	struct json_walk below = json_enter(&item);

	REQUIRE(json_next(&below, &item));
	CHECK(item.kind == JSON_BOOL && item.truth && !item.key.at);
	REQUIRE(json_next(&below, &item));
	CHECK(item.kind == JSON_NULL && !item.truth && !item.text.at);
	CHECK(!json_next(&below, &item));
	REQUIRE(json_next(&walk, &item));
	CHECK_STR(item.text, "x\ny");
	CHECK(!json_next(&walk, &item));
	CHECK(json_member(&root, STR("a"), &item));
	CHECK_INT(item.kind, JSON_STRING);
	CHECK(!json_member(&root, STR("c"), &item));
}

TEST(json_copies_items_as_written)
{
	CHECK_STR(
		copy_of(t, " { \"n\" : 1.500e+2 , \"s\" : \"\\u00e4<\" , \"e\":[ ], \"o\":{ } } "),
		"{\"n\":1.500e+2,\"s\":\"\xc3\xa4\\u003c\",\"e\":[],\"o\":{}}");
	CHECK_STR(copy_of(t, "18446744073709551616"), "18446744073709551616");
}

TEST(json_refuses_what_is_no_json)
{
	static const char *const texts[] = {"", " ", "{", "[1,]", "{\"a\" 1}", "01", "1.", "nul",
		"\"a", "\"\t\"", "\"\\x\"", "\xef\xbb\xbf{}", "{} {}", "[1] x", "'a'", "NaN", "+1",
		"/**/1"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct json_item root = {.kind = JSON_BOOL};
		struct err e;

		test_note(t, "%s", texts[i]);
		CHECK_FAILS(
			json_parse(&t->arena, str_of(texts[i]), &root, &e), &e, ERR_INVALID, "");
		CHECK_INT(root.kind, JSON_BOOL);
	}
}

static str nested(struct test *t, size_t levels)
{
	char *at = arena_get(&t->arena, 2 * levels);

	memset(at, '[', levels);
	memset(at + levels, ']', levels);
	return str_span(at, 2 * levels);
}

TEST(json_says_what_go_says)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "unexpected end of JSON input"},
		{"{\"a\":1", "unexpected end of JSON input"},
		{"x", "invalid character 'x' looking for beginning of value"},
		{"[1,]", "invalid character ']' looking for beginning of value"},
		{"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
		{"{\"a\" 1}", "invalid character '1' after object key"},
		{"{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"},
		{"[1 2]", "invalid character '2' after array element"},
		{"01", "invalid character '1' after top-level value"},
		{"tru'", "invalid character '\\'' in literal true (expecting 'e')"},
		{"\"\n\"", "invalid character '\\n' in string literal"},
		{"\"\\x\"", "invalid character 'x' in string escape code"},
		{"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
		{"-a", "invalid character 'a' in numeric literal"},
		{"1.x", "invalid character 'x' after decimal point in numeric literal"},
		{"1e+]", "invalid character ']' in exponent of numeric literal"},
		{"\xff", "invalid character '\xc3\xbf' looking for beginning of value"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct json_item root;
		struct err e;

		test_note(t, "%s", cases[i].text);
		CHECK_FAILS(json_parse(&t->arena, str_of(cases[i].text), &root, &e), &e,
			ERR_INVALID, "");
		CHECK_STR(str_of(e.text), cases[i].message);
	}
}

TEST(json_undoes_escapes_and_replaces_bad_bytes)
{
	CHECK_STR(parse(t, STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")).text, "\"\\/\b\f\n\r\t");
	CHECK_STR(parse(t, STR("\"\\ud83d\\ude00\"")).text, "\xf0\x9f\x98\x80");
	CHECK_STR(parse(t, STR("\"\\ud83dx\\ud83d\\u0041\"")).text,
		"\xef\xbf\xbdx\xef\xbf\xbd"
		"A");
	CHECK_STR(parse(t, STR("\"\\udc00\"")).text, "\xef\xbf\xbd");
	CHECK_STR(
		parse(t, STR("\"a\xff\xe2\x82z\"")).text, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
	CHECK_STR(parse(t, STR("\"\xe2\x82\xac\"")).text, "\xe2\x82\xac");
	CHECK_BYTES(parse(t, STR("\"\\u0000\"")).text, STR("\0"));
}

TEST(json_bounds_depth)
{
	struct json_item root;
	struct err e;

	CHECK_OK(json_parse(&t->arena, nested(t, JSON_DEPTH_MAX), &root, &e), &e);
	CHECK_FAILS(json_parse(&t->arena, nested(t, JSON_DEPTH_MAX + 1), &root, &e), &e, ERR_LIMIT,
		"1000 levels");
	CHECK_FAILS(
		json_parse(&t->arena, nested(t, 1 << 20), &root, &e), &e, ERR_LIMIT, "1000 levels");
}

TEST(json_gives_a_clean_error_at_every_memory_limit)
{
	str text = STR(
		"{\"a\":[1,2,3,{\"b\":\"text\"}],\"c\":{\"d\":null,\"e\":false,\"f\":[[],[],{}]}}");
	bool done = false;

	for (size_t limit = 0; !done && limit < 65536; limit += 16) {
		struct json_item root = {.kind = JSON_BOOL};
		struct arena a;
		struct err e;

		arena_init(&a, limit);
		test_note(t, "limit %zu", limit);
		done = json_parse(&a, text, &root, &e) == 0;
		if (!done) {
			CHECK_INT(e.kind, ERR_LIMIT);
			CHECK_INT(root.kind, JSON_BOOL);
		}
		arena_free(&a);
	}
	CHECK(done);
}

TEST(json_reads_numbers_like_go)
{
	struct json_item root = parse(t,
		STR("[9223372036854775807,9223372036854775808,-0,1.0,1e2,-9223372036854775808]"));
	static const bool fits[] = {true, false, true, false, false, true};
	struct json_walk walk = json_enter(&root);
	struct json_item item;

	for (size_t i = 0; json_next(&walk, &item); i++) {
		int64_t value;

		test_note(t, "%.*s", STR_ARG(item.text));
		CHECK(json_to_i64(&item, &value) == fits[i]);
	}
	double value;

	root = parse(t, STR("1e400"));
	CHECK(!json_to_f64(&root, &value));
	root = parse(t, STR("-1.5e-3"));
	CHECK(json_to_f64(&root, &value) && value == -1.5e-3);
}

TEST(json_escapes_like_go)
{
	CHECK_STR(written(t, STR("plain text that is longer than eight bytes")),
		"\"plain text that is longer than eight bytes\"");
	CHECK_STR(written(t, STR("a<b>c&d\"e\\f/g\x7f")),
		"\"a\\u003cb\\u003ec\\u0026d\\\"e\\\\f/g\x7f\"");
	CHECK_STR(written(t, STR("\b\f\n\r\t\x01\x1f")), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\"");
	CHECK_STR(written(t, STR("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa")),
		"\"\\u2028\\u2029\xe2\x80\xaa\"");
	CHECK_STR(written(t, STR("\xff\xc3\xed\xa0\x80z\xf0\x9f\x98\x80\xf0\x9f")),
		"\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffdz\xf0\x9f\x98\x80\\ufffd\\ufffd\"");
	CHECK_BYTES(written(t, STR("a\0b")), STR("\"a\\u0000b\""));
	CHECK_STR(written(t, (str){NULL, 0}), "\"\"");
	for (size_t at = 0; at < 20; at++) {
		char text[21] = "aaaaaaaaaaaaaaaaaaaa";

		text[at] = '>';
		test_note(t, "at %zu", at);
		CHECK_INT(written(t, str_span(text, 20)).len, 20 + 2 + 5);
		text[at] = '?';
		CHECK_INT(written(t, str_span(text, 20)).len, 20 + 2);
	}
}

TEST(json_writes_doubles_like_go)
{
	CHECK_STR(number(t, 0), "0");
	CHECK_STR(number(t, -0.0), "-0");
	CHECK_STR(number(t, 1), "1");
	CHECK_STR(number(t, 100), "100");
	CHECK_STR(number(t, 0.1), "0.1");
	CHECK_STR(number(t, 1.5), "1.5");
	CHECK_STR(number(t, -123456.789), "-123456.789");
	CHECK_STR(number(t, 1e-6), "0.000001");
	CHECK_STR(number(t, 1e-7), "1e-7");
	CHECK_STR(number(t, 1.25e-10), "1.25e-10");
	CHECK_STR(number(t, 1e20), "100000000000000000000");
	CHECK_STR(number(t, 1e21), "1e+21");
	CHECK_STR(number(t, 5e-324), "5e-324");
	CHECK_STR(number(t, 1.7976931348623157e308), "1.7976931348623157e+308");
	CHECK_STR(number(t, 0.30000000000000004), "0.30000000000000004");
}
