#include "lib/http/wire1.h"

/* The head of a response of HTTP/1.1, as a client reads it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 1 << 20, FIELDS_MAX = 100 };
	str in = str_span((const char *)data, size);
	struct http_response r = {0};
	struct http1_head h;
	struct arena a;
	struct err e;
	size_t scanned = 0, len;

	if (http1_find_end(in, &scanned, &len, &e) < 0 || len == 0)
		return 0;
	arena_init(&a, ARENA_BYTES);
	if (http1_read_response(&a, str_slice(in, 0, len), FIELDS_MAX, size & 1, &r, &h, &e) == 0) {
		bool ambiguous = h.framing == HTTP1_CHUNKED &&
			http_header(&r.headers, STR("content-length")).at;

		if (r.status < 100 || r.status > 999 || ambiguous)
			__builtin_trap();
	}
	arena_free(&a);
	return 0;
}
