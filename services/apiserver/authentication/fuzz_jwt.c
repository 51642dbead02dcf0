#include "apiserver/authentication/bootstrap_token.h"
#include "apiserver/authentication/service_account.h"
#include "lib/jose/jwt.h"

/* A bearer token, as anybody may show it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 4 << 20 };
	str in = str_span((const char *)data, size), id, secret;
	struct token_content c;
	struct arena a;
	struct jwt t;
	struct err e;

	arena_init(&a, ARENA_BYTES);
	if (bootstrap_token_split(in, &id, &secret) && id.len + 1 + secret.len != size)
		__builtin_trap();
	if (jwt_read(&a, in, &t, &e) == 0 && token_content_read(&a, t.payload, &c, &e) == 0)
		token_content_user(&a, &c);
	if (token_content_read(&a, in, &c, &e) == 0) {
		struct token_objects none = {0};

		if (token_content_check(&c, &none, in, 0, &e) == 0)
			__builtin_trap();
	}
	arena_free(&a);
	return 0;
}
