#include "lib/base/test.h"
#include "lib/http/queue.h"
#include "lib/http/wire1.h"

#include <stdlib.h>

TEST(http1_finds_the_end_in_any_cut)
{
	const str head = STR("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest");
	struct err e;

	for (size_t cut = 0; cut <= head.len; cut++) {
		size_t scanned = 0, len = 0;

		test_note(t, "cut at %zu", cut);
		CHECK_OK(http1_find_end(str_slice(head, 0, cut), &scanned, &len, &e), &e);
		CHECK_INT(len, cut >= head.len - 4 ? (int64_t)head.len - 4 : 0);
		CHECK_OK(http1_find_end(head, &scanned, &len, &e), &e);
		CHECK_INT(len, head.len - 4);
	}
}

TEST(http1_reads_a_response)
{
	static const struct {
		const char *head;
		bool answers_head;
		enum http1_framing framing;
		int status;
		bool keep_alive;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, HTTP1_LENGTH, 200, true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, HTTP1_NO_BODY, 200, true},
		{"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", false, HTTP1_CHUNKED, 200,
			true},
		{"HTTP/1.1 200 \r\n\r\n", false, HTTP1_UNTIL_CLOSE, 200, false},
		{"HTTP/1.0 200 OK\r\n\r\n", false, HTTP1_UNTIL_CLOSE, 200, false},
		{"HTTP/1.1 204 No Content\r\n\r\n", false, HTTP1_NO_BODY, 204, true},
		{"HTTP/1.1 304 x\r\nConnection: Close\r\n\r\n", false, HTTP1_NO_BODY, 304, false},
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", false, HTTP1_NO_BODY,
			101, true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_response r;
		struct http1_head h;
		struct err e;

		test_note(t, "case %zu", i);
		if (!CHECK_OK(http1_read_response(&t->arena, str_of(cases[i].head), 10,
				      cases[i].answers_head, &r, &h, &e),
			    &e))
			continue;
		CHECK_INT(r.status, cases[i].status);
		CHECK_INT(h.framing, cases[i].framing);
		CHECK_INT(h.keep_alive, cases[i].keep_alive);
	}
}

TEST(http1_refuses_a_doubtful_response)
{
	static const char *const bad[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 099 x\r\n\r\n",
		"HTTP/1.1 +20 x\r\n\r\n",
		"HTTP/1.1 2000 x\r\n\r\n",
		"HTTP/1.1 200 a\x01\r\n\r\n",
		"ICY 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct http_response r;
		struct http1_head h;
		struct err e;

		test_note(t, "%s", bad[i]);
		CHECK_FAILS(http1_read_response(&t->arena, str_of(bad[i]), 10, false, &r, &h, &e),
			&e, ERR_INVALID, "");
	}
}

static str read_chunks(struct test *t, str in, size_t step, struct err *e)
{
	struct http1_chunks c;
	struct buf body;

	http1_chunks_begin(&c);
	buf_init(&body, 1000);
	for (size_t at = 0; at < in.len && c.state != HTTP1_CHUNK_DONE; at += step) {
		str part, some = str_slice(in, at, step);

		do {
			if (http1_chunks_read(&c, &some, &part, e) < 0) {
				http1_chunks_end(&c);
				buf_free(&body);
				return (str){NULL, 0};
			}
			buf_add_str(&body, part);
		} while (some.len > 0 && c.state != HTTP1_CHUNK_DONE);
	}
	CHECK_INT(c.state, HTTP1_CHUNK_DONE);
	buf_add_char(&body, '|');
	buf_add_str(&body, buf_str(&c.trailers));
	str copy = arena_str(&t->arena, buf_str(&body));

	http1_chunks_end(&c);
	buf_free(&body);
	return copy;
}

TEST(http1_chunks_are_joined_in_any_cut)
{
	const str in = STR("5\r\nhello\r\n1;x=y\r\n,\r\n00006\r\n world\r\n0\r\nA: b\r\n\r\n");
	struct err e;

	for (size_t step = 1; step <= in.len; step++) {
		test_note(t, "step %zu", step);
		CHECK_STR(read_chunks(t, in, step, &e), "hello, world|A: b\r\n\r\n");
	}
}

TEST(http1_output_cannot_be_split_by_a_value)
{
	struct buf b;

	buf_init(&b, 1000);
	http1_add_status(&b, 404);
	http1_add_field(&b, STR("Warning"), STR("299 - \"a\r\nSet-Cookie: b\x7f\""));
	CHECK_STR(
		buf_str(&b), "HTTP/1.1 404 Not Found\r\nWarning: 299 - \"a  Set-Cookie: b \"\r\n");
	buf_free(&b);
}

struct letter {
	struct counted counted;
	int *dropped;
};

static void drop_letter(struct counted *c)
{
	++*CONTAINER_OF(c, struct letter, counted)->dropped;
}

TEST(queue_gives_back_what_it_took_and_drops_its_references)
{
	struct http_queue q = {0};
	char got[64];
	int dropped = 0;
	struct letter l = {.dropped = &dropped};

	counted_init(&l.counted, drop_letter);
	http_queue_copy(&q, STR("ab"));
	http_queue_copy(&q, STR("cd"));
	for (int i = 0; i < 6; i++)
		http_queue_share(&q, STR("SHARED"), &l.counted);
	http_queue_copy(&q, STR("ef"));
	counted_drop(&l.counted);
	CHECK_INT(q.bytes, 42);
	CHECK_INT(http_queue_take(&q, got, 7), 7);
	CHECK_BYTES(str_span(got, 7), STR("abcdSHA"));
	CHECK_INT(http_queue_take(&q, got, 33), 33);
	CHECK_BYTES(str_span(got, 9), STR("REDSHARED"));
	CHECK_INT(dropped, 1);
	CHECK_INT(http_queue_take(&q, got, 10), 2);
	CHECK_INT(q.bytes, 0);
	http_queue_copy(&q, STR("left"));
	http_queue_free(&q);
}

TEST(headers_find_names_and_tokens)
{
	const struct http_headers *h = HTTP_HEADERS({STR("connection"), STR("keep-alive, Upgrade")},
		{STR("x"), STR("1")}, {STR("connection"), STR("close")}, {STR("x"), STR("2")});

	CHECK_STR(http_header(h, STR("X")), "1");
	CHECK(http_header(h, STR("y")).at == NULL);
	CHECK(http_header_has_token(h, STR("Connection"), STR("upgrade")));
	CHECK(http_header_has_token(h, STR("Connection"), STR("close")));
	CHECK(!http_header_has_token(h, STR("Connection"), STR("keep")));
	CHECK(http_is_token(STR("X-a_1~")) && !http_is_token(STR("")) &&
		!http_is_token(STR("a b")));
}
