#include "lib/base/test.h"
#include "lib/http/url.h"

TEST(url_is_taken_apart)
{
	static const struct {
		const char *text, *scheme, *host;
		uint16_t port;
		const char *path, *query;
	} cases[] = {
		{"https://10.0.0.1:6443", "https", "10.0.0.1", 6443, "/", NULL},
		{"http://localhost", "http", "localhost", 80, "/", NULL},
		{"HTTPS://[fd00::1]/a/b?c=d&e", "https", "fd00::1", 443, "/a/b", "c=d&e"},
		{"https://h:1?", "https", "h", 1, "/", ""},
		{"https://a-b_c.example/%2f?x=?", "https", "a-b_c.example", 443, "/%2f", "x=?"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct url u;
		struct err e;

		test_note(t, "%s", cases[i].text);
		if (!CHECK_OK(url_parse(str_of(cases[i].text), &u, &e), &e))
			continue;
		CHECK_STR(u.scheme, cases[i].scheme);
		CHECK_STR(u.host, cases[i].host);
		CHECK_INT(u.port, cases[i].port);
		CHECK_STR(u.path, cases[i].path);
		CHECK_BYTES(u.query, str_of(cases[i].query));
	}
}

TEST(url_refuses_what_is_none)
{
	static const char *const bad[] = {"", "localhost", "ftp://a", "https://", "https://:443",
		"https://a:0", "https://a:65536", "https://a:+1", "https://a:1x", "https://[::1",
		"https://[::1]x", "https://u@a", "https://a b", "https://a/\x01", "https://a/#f",
		"https://a/\xff", "https://a\\b"};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct url u;
		struct err e;

		test_note(t, "%s", bad[i]);
		CHECK_FAILS(url_parse(str_of(bad[i]), &u, &e), &e, ERR_INVALID, "");
	}
}

TEST(url_decodes_and_encodes)
{
	struct buf b;
	struct err e;
	str s = STR("plain");

	CHECK_OK(url_decode(&t->arena, s, true, &s, &e), &e);
	CHECK_STR(s, "plain");
	CHECK_OK(url_decode(&t->arena, STR("a%2Fb+c%C3%bc%00"), false, &s, &e), &e);
	CHECK_BYTES(s, STR("a/b+c\xc3\xbc\0"));
	CHECK_OK(url_decode(&t->arena, STR("a+b"), true, &s, &e), &e);
	CHECK_STR(s, "a b");
	CHECK_FAILS(url_decode(&t->arena, STR("%"), false, &s, &e), &e, ERR_INVALID, "escape");
	CHECK_FAILS(url_decode(&t->arena, STR("%4"), false, &s, &e), &e, ERR_INVALID, "escape");
	CHECK_FAILS(url_decode(&t->arena, STR("x%g0"), false, &s, &e), &e, ERR_INVALID, "escape");

	buf_init(&b, 1000);
	url_add_encoded(&b, STR("a/b c=ü~"), URL_PATH_SEGMENT);
	CHECK_BYTES(buf_str(&b), STR("a%2Fb%20c=%C3%BC~"));
	buf_reset(&b);
	url_add_encoded(&b, STR("app in (x,y)&=\0"), URL_QUERY_VALUE);
	CHECK_BYTES(buf_str(&b), STR("app%20in%20%28x%2Cy%29%26%3D%00"));
	buf_free(&b);
}

TEST(url_query_gives_pairs_in_order)
{
	struct url_query q;
	struct err e;

	REQUIRE_OK(url_query_parse(&t->arena,
			   STR("watch=1&labelSelector=a%3Db+c&&flag&watch=2&=x&e="), &q, &e),
		&e);
	CHECK_INT(q.len, 6);
	CHECK_STR(url_query_get(&q, STR("watch")), "1");
	CHECK_STR(url_query_get(&q, STR("labelSelector")), "a=b c");
	CHECK_STR(url_query_get(&q, STR("flag")), "");
	CHECK_STR(url_query_get(&q, STR("e")), "");
	CHECK(url_query_get(&q, STR("absent")).at == NULL);
	CHECK_STR(q.params[4].name, "");
	CHECK_OK(url_query_parse(&t->arena, (str){NULL, 0}, &q, &e), &e);
	CHECK_INT(q.len, 0);
	CHECK_FAILS(
		url_query_parse(&t->arena, STR("a=1;b=2"), &q, &e), &e, ERR_INVALID, "semicolon");
	CHECK_FAILS(url_query_parse(&t->arena, STR("a=%"), &q, &e), &e, ERR_INVALID, "escape");
}

TEST(url_query_keeps_to_the_arenas_limit)
{
	struct arena small;
	struct url_query q;
	struct err e;
	char many[4000];

	memset(many, '&', sizeof(many));
	for (size_t i = 0; i < sizeof(many); i += 2)
		many[i] = 'a';
	arena_init(&small, 8192);
	CHECK_FAILS(url_query_parse(&small, str_span(many, sizeof(many)), &q, &e), &e, ERR_LIMIT,
		"memory");
	arena_free(&small);
}
