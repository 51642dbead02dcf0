#include "apiserver/endpoints/continue_token.h"
#include "lib/base/test.h"
#include "lib/codec/base64.h"

TEST(continue_tokens_are_upstreams)
{
	/* {"v":"meta.k8s.io/v1","rv":5,"start":"kube-node-lease\u0000"} */
	const str text = STR(
		"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiJrdWJlLW5vZGUtbGVhc2Vc"
		"dTAwMDAifQ");
	const struct continue_token token = {.revision = 5, .after = STR("kube-node-lease")};
	struct continue_token back;
	struct err e;

	CHECK_BYTES(continue_token_write(&t->arena, &token), text);
	REQUIRE_OK(continue_token_read(&t->arena, text, &back, &e), &e);
	CHECK_INT(back.revision, 5);
	CHECK_STR(back.after, "kube-node-lease");
}

static str encoded(struct test *t, const char *json)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	base64_put(&b, str_of(json));
	while (b.len && b.at[b.len - 1] == '=')
		b.len--;
	return test_take(t, &b);
}

TEST(continue_tokens_that_are_none_are_refused)
{
	static const struct {
		const char *json, *why;
	} rows[] = {
		{"{}", "server does not recognize this encoded version"},
		{"{\"v\":\"v2\",\"rv\":1,\"start\":\"a\"}", "encoded version v2"},
		{"{\"v\":\"meta.k8s.io/v1\",\"rv\":0,\"start\":\"a\"}",
			"incorrect encoded start resourceVersion"},
		{"{\"v\":\"meta.k8s.io/v1\",\"rv\":1}", "encoded start key empty"},
		{"{\"v\":\"meta.k8s.io/v1\",\"rv\":1,\"start\":\"../secrets\"}", "../secrets"},
		{"{\"v\":\"meta.k8s.io/v1\",\"rv\":1,\"start\":\"a//b\"}", "a//b"},
		{"[", "continue key is not valid"},
	};
	struct continue_token token;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		test_note(t, "%s", rows[i].json);
		CHECK_FAILS(continue_token_read(&t->arena, encoded(t, rows[i].json), &token, &e),
			&e, ERR_INVALID, rows[i].why);
	}
	CHECK_FAILS(continue_token_read(&t->arena, STR("a+b"), &token, &e), &e, ERR_INVALID,
		"continue key is not valid: illegal base64 data at input byte 1");
	CHECK_FAILS(continue_token_read(&t->arena, STR("x"), &token, &e), &e, ERR_INVALID,
		"continue key is not valid: illegal base64 data at input byte 0");
}

TEST(continue_tokens_may_ask_for_the_newest)
{
	const struct continue_token token = {.revision = -1, .after = STR("ns/a")};
	struct continue_token back;
	struct err e;

	REQUIRE_OK(
		continue_token_read(&t->arena, continue_token_write(&t->arena, &token), &back, &e),
		&e);
	CHECK_INT(back.revision, -1);
	CHECK_STR(back.after, "ns/a");
}
