#include "lib/base/test.h"
#include "lib/regex/regex.h"

static int answer(struct test *t, const char *pattern, str text)
{
	struct regex *r;
	struct err e;

	test_note(t, "%s", pattern);
	if (regex_compile(str_of(pattern), &r, &e) < 0) {
		CHECK_STR(str_of(e.text), "");
		return -1;
	}
	bool yes = regex_matches(r, text);

	regex_free(r);
	return yes;
}

TEST(regex_matches_as_go_does)
{
	static const struct {
		const char *pattern, *text;
		bool yes;
	} rows[] = {
		{"", "", true},
		{"", "x", true},
		{"abc", "xabcx", true},
		{"^abc$", "xabc", false},
		{"^abc$", "abc\n", false},
		{"a|b|cd", "xcd", true},
		{"^(a|b)*$", "abab", true},
		{"^(a|b)*$", "abac", false},
		{"^(a*)*$", "aaab", false},
		{"^(?:a?){3}a{3}$", "aaa", true},
		{"^a{2,3}$", "a", false},
		{"^a{2,3}$", "aaa", true},
		{"^a{2,3}$", "aaaa", false},
		{"^a{2,}$", "aaaaaa", true},
		{"a{,2}", "a{,2}", true},
		{"x{2", "x{2", true},
		{"^.$", "\n", false},
		{"(?s)^.$", "\n", true},
		{"(?m)^b$", "a\nb\nc", true},
		{"^b$", "a\nb\nc", false},
		{"(?i)straSSE", "STRAsse", true},
		{"(?i)^k$", "\xe2\x84\xaa", true},
		{"(?i)^\xd0\xbf$", "\xd0\x9f", true},
		{"(?i:a)b", "AB", false},
		{"^[a-c]+$", "abcabc", true},
		{"^[^a-c]+$", "xyz", true},
		{"^[]a]+$", "]a", true},
		{"^[a\\-z]+$", "-", true},
		{"^[a-]+$", "-", true},
		{"^[[:alpha:]_]+$", "ab_", true},
		{"^[[:^alpha:]]+$", "12", true},
		{"^\\d+\\s\\w+$", "12 ab_1", true},
		{"\\bfoo\\b", "a foo b", true},
		{"\\bfoo\\b", "afoo", false},
		{"\\Boo", "foo", true},
		{"^\\pL+$", "\xc3\xa9\xce\xb1", true},
		{"^\\p{Lu}$", "\xc3\x89", true},
		{"^\\P{Lu}$", "\xc3\x89", false},
		{"^\\x41\\x{e9}\\101$",
			"A\xc3\xa9"
			"A",
			true},
		{"^\\Qa.b\\E$", "a.b", true},
		{"^\\Qa.b\\E$", "axb", false},
		{"^\\.\\*$", ".*", true},
		{"^(?P<name>x)$", "x", true},
		{"^(?<name>x)$", "x", true},
		{"^.$", "\xff", true},
		{"^..$", "\xc3\xa9\xc3\xa9", true},
		{"^[0-9]{1,3}(\\.[0-9]{1,3}){3}$", "10.0.0.255", true},
		{"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "a-b-", false},
		{"a+?b*?c??", "aab", true},
		{"^(|a)+$", "aaa", true},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_INT(answer(t, rows[i].pattern, str_of(rows[i].text)), rows[i].yes);
}

TEST(regex_refuses_in_gos_words)
{
	static const struct {
		const char *pattern, *why;
	} rows[] = {
		{"(a", "error parsing regexp: missing closing ): `(a`"},
		{"a)", "error parsing regexp: unexpected ): `a)`"},
		{"[a", "error parsing regexp: missing closing ]: `[a`"},
		{"*a", "error parsing regexp: missing argument to repetition operator: `*`"},
		{"a**", "error parsing regexp: invalid nested repetition operator: `**`"},
		{"a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"},
		{"(a{100}){100}", "error parsing regexp: invalid repeat count: `{100}`"},
		{"a{2,1}", "error parsing regexp: invalid repeat count: `{2,1}`"},
		{"[z-a]", "error parsing regexp: invalid character class range: `z-a`"},
		{"\\", "error parsing regexp: trailing backslash at end of expression: ``"},
		{"\\8", "error parsing regexp: invalid escape sequence: `\\8`"},
		{"(\\1)", "error parsing regexp: invalid escape sequence: `\\1`"},
		{"(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"},
		{"(?<=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?<`"},
		{"(?P<n", "error parsing regexp: invalid named capture: `(?P<n`"},
		{"\\p{Nope}", "error parsing regexp: invalid character class range: `\\p{Nope}`"},
		{"\xff", "error parsing regexp: invalid UTF-8: `\xff`"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct regex *r;
		struct err e;

		test_note(t, "%s", rows[i].pattern);
		if (CHECK(regex_compile(str_of(rows[i].pattern), &r, &e) < 0))
			CHECK_STR(str_of(e.text), rows[i].why);
		else
			regex_free(r);
	}
}

/* What makes engines that backtrack stand still. */
TEST(regex_takes_linear_time)
{
	enum { LEN = 100000 };
	char *text = arena_get(&t->arena, LEN);

	memset(text, 'a', LEN);
	CHECK_INT(answer(t, "^(a+)+$", str_span(text, LEN)), true);
	text[LEN - 1] = 'b';
	CHECK_INT(answer(t, "^(a+)+$", str_span(text, LEN)), false);
	CHECK_INT(answer(t, "(a|aa)+c", str_span(text, LEN)), false);
}

TEST(regex_bounds_its_program)
{
	struct regex *r;
	struct err e;

	CHECK_FAILS(
		regex_compile(
			STR("((((abcdefghij){10}){10}){10}klmnopqrst){1}(abcdefghij"
			    "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij){1000}"),
			&r, &e),
		&e, ERR_INVALID, "expression too large");
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (int i = 0; i < 2000; i++)
		buf_add_char(&b, '(');
	CHECK_FAILS(regex_compile(buf_str(&b), &r, &e), &e, ERR_INVALID, "nests too deeply");
	buf_free(&b);
}
