#include "lib/http/wire1.h"

/*
 * A request of HTTP/1.1 with its chunked body. Whatever is taken must keep the parser's promises:
 * one length, clean fields, and the same body however the bytes are cut.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		__builtin_trap();
}

static void check_fields(const struct http_headers *h)
{
	for (size_t i = 0; i < h->len; i++) {
		require(http_is_token(h->at[i].name));
		require(http_is_field_value(h->at[i].value));
		for (size_t n = 0; n < h->at[i].name.len; n++)
			require(h->at[i].name.at[n] < 'A' || h->at[i].name.at[n] > 'Z');
	}
}

static bool read_body(str in, size_t step, struct buf *body)
{
	struct http1_chunks c;
	bool good = true;
	struct err e;

	http1_chunks_begin(&c);
	for (size_t at = 0; at < in.len && good && c.state != HTTP1_CHUNK_DONE; at += step) {
		str some = str_slice(in, at, step), part;

		do {
			good = http1_chunks_read(&c, &some, &part, &e) == 0;
			if (good)
				buf_add_str(body, part);
		} while (good && some.len > 0 && c.state != HTTP1_CHUNK_DONE);
	}
	good = good && c.state == HTTP1_CHUNK_DONE;
	http1_chunks_end(&c);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 1 << 20, FIELDS_MAX = 200 };
	str in = str_span((const char *)data, size);
	struct http_request r = {0};
	struct http1_head h;
	struct arena a;
	struct err e;
	size_t scanned = 0, len;

	if (http1_find_end(in, &scanned, &len, &e) < 0 || len == 0)
		return 0;
	arena_init(&a, ARENA_BYTES);
	if (http1_read_request(&a, str_slice(in, 0, len), FIELDS_MAX, &r, &h, &e) == 0) {
		struct buf whole, cut;

		check_fields(&r.headers);
		require(http_is_token(r.method) && r.path.at);
		require(!(http_header(&r.headers, STR("content-length")).at &&
			h.framing == HTTP1_CHUNKED));
		buf_init(&whole, size + 1);
		buf_init(&cut, size + 1);
		str rest = str_slice(in, len, size);

		require(read_body(rest, size + 1, &whole) == read_body(rest, 1, &cut));
		require(str_eq(buf_str(&whole), buf_str(&cut)));
		buf_free(&whole);
		buf_free(&cut);
	} else {
		require(h.refusal >= 400 && h.refusal < 600);
	}
	arena_free(&a);
	return 0;
}
