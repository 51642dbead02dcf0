#include "lib/http/url.h"

/* URLs, queries and escapes; what was decoded comes back after encoding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(struct arena *a, str text)
{
	struct buf encoded;
	struct err e;
	str back;

	buf_init(&encoded, 3 * text.len + 1);
	url_add_encoded(&encoded, text, URL_QUERY_VALUE);
	if (url_decode(a, buf_str(&encoded), true, &back, &e) == 0 && !str_eq(back, text))
		__builtin_trap();
	buf_free(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 1 << 20 };
	str in = str_span((const char *)data, size), decoded;
	struct url_query q;
	struct arena a;
	struct url u;
	struct err e;

	arena_init(&a, ARENA_BYTES);
	if (url_parse(in, &u, &e) == 0 && (u.host.len == 0 || u.port == 0 || u.path.len == 0))
		__builtin_trap();
	if (url_query_parse(&a, in, &q, &e) == 0)
		for (size_t i = 0; i < q.len; i++)
			check_round_trip(&a, q.params[i].value);
	if (url_decode(&a, in, false, &decoded, &e) == 0)
		check_round_trip(&a, decoded);
	arena_free(&a);
	return 0;
}
