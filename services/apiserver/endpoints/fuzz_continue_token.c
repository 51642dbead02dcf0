#include "apiserver/endpoints/continue_token.h"

/* A token that is read comes back as the same place. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 4 << 20 };
	struct continue_token token, back;
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_BYTES);
	if (continue_token_read(&a, str_span((const char *)data, size), &token, &e) == 0 &&
		!memchr(token.after.at, 0, token.after.len) && str_is_utf8(token.after)) {
		if (continue_token_read(&a, continue_token_write(&a, &token), &back, &e) < 0 ||
			back.revision != token.revision || !str_eq(back.after, token.after))
			__builtin_trap();
	}
	arena_free(&a);
	return 0;
}
