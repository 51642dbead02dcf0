#include "lib/codec/pairs.h"

#include "lib/base/test.h"

TEST(pairs_are_lines_of_key_and_value)
{
	struct pair_list p;
	struct err e;

	REQUIRE_OK(pairs_read(&t->arena,
			   STR("# a comment\n\n role = master \nargv=--a=b # c\r\nempty=\nargv=2"),
			   &p, &e),
		&e);
	CHECK_INT((int64_t)p.len, 4);
	CHECK_STR(pairs_get(&p, STR("role")), "master");
	CHECK_STR(p.at[1].value, "--a=b # c");
	CHECK_INT(p.at[1].line, 4);
	CHECK_STR(pairs_get(&p, STR("empty")), "");
	CHECK_STR(pairs_get(&p, STR("argv")), "2");
	CHECK(!pairs_get(&p, STR("other")).at);
}

TEST(pairs_refuse_what_is_no_text)
{
	static const struct {
		const char *text, *part;
	} wrong[] = {
		{"a=1\nnonsense\n", "line 2, \"nonsense\", is not KEY=VALUE"},
		{"=x", "line 1: \"\" is no key"},
		{"a b=x", "is no key"},
		{"a=\x1b[2J", "bytes that are no text"},
		{"a=\xff", "bytes that are no text"},
	};
	struct pair_list p;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		test_note(t, "%zu", i);
		CHECK_FAILS(pairs_read(&t->arena, str_of(wrong[i].text), &p, &e), &e, ERR_INVALID,
			wrong[i].part);
	}
}

TEST(pairs_have_a_limit)
{
	struct pair_list p;
	struct buf b;
	struct err e;

	buf_init(&b, BUF_NO_LIMIT);
	for (int i = 0; i <= PAIRS_MAX; i++)
		buf_add_fmt(&b, "k%d=v\n", i);
	CHECK_FAILS(pairs_read(&t->arena, buf_str(&b), &p, &e), &e, ERR_LIMIT, "lines");
	buf_free(&b);
}
