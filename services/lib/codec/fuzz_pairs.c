/* What is read is written, read again and the same. */
#include "lib/base/buf.h"
#include "lib/codec/pairs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pair_list first, second;
	struct arena a;
	struct buf b;
	struct err e;

	arena_init(&a, 1 << 20);
	buf_init(&b, BUF_NO_LIMIT);
	if (pairs_read(&a, str_span((const char *)data, size), &first, &e) == 0) {
		for (size_t i = 0; i < first.len; i++)
			buf_add_fmt(&b, "%.*s=%.*s\n", STR_ARG(first.at[i].key),
				STR_ARG(first.at[i].value));
		if (pairs_read(&a, buf_str(&b), &second, &e) < 0 ? e.kind != ERR_LIMIT
								 : second.len != first.len)
			abort();
	}
	buf_free(&b);
	arena_free(&a);
	return 0;
}
