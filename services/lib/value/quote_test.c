#include "lib/base/test.h"
#include "lib/value/quote.h"

/* The answers are those of Go's strconv.Quote. */
TEST(quote_escapes_what_go_escapes)
{
	static const struct {
		const char *text, *quoted;
	} cases[] = {
		{"", "\"\""},
		{"a.b[0]", "\"a.b[0]\""},
		{"\"\\\a\b\f\n\r\t\v\x01\x7f", "\"\\\"\\\\\\a\\b\\f\\n\\r\\t\\v\\x01\\x7f\""},
		{"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
		{"\xc2\xa0\xe2\x80\xa8\xf3\xa0\x80\x81", "\"\\u00a0\\u2028\\U000e0001\""},
		{"\xff\xc3.\xed\xa0\x80", "\"\\xff\\xc3.\\xed\\xa0\\x80\""},
	};
	char text[QUOTE_MAX];
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		test_note(t, "case %zu", i);
		buf_reset(&b);
		quote_put(&b, str_of(cases[i].text));
		CHECK_STR(buf_str(&b), cases[i].quoted);
		CHECK_STR(str_of(quote(text, str_of(cases[i].text))), cases[i].quoted);
	}
	buf_free(&b);
}

TEST(quote_cuts_what_a_message_has_no_room_for)
{
	char text[QUOTE_MAX], many[2 * QUOTE_MAX];

	memset(many, 'x', sizeof(many));
	str cut = str_of(quote(text, str_span(many, sizeof(many))));

	CHECK_INT(cut.len, QUOTE_MAX - 1);
	CHECK(str_starts(cut, STR("\"xx")) && str_ends(cut, STR("x\"")));
}
