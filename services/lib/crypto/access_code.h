/*
 * The code that a screen shows and a person types: by it a client knows the server (80 bits of the
 * SHA-256 of its CA's public key) and the server the client (a secret of 40 bits, good for few
 * tries). A man in the middle would need a key with the same hash before the secret is sent to him.
 *
 * 24 letters and digits in groups of four: "k7qm-...". Without 0, 1, l and o, which look like
 * others. Threading: any.
 */
#pragma once

#include "lib/base/clock.h"

enum {
	ACCESS_CODE_HASH_BYTES = 10,
	ACCESS_CODE_SECRET_CHARS = 8,
	ACCESS_CODE_CHARS = 29,  /* with its dashes */
	ACCESS_CODE_PORT = 6444, /* where a machine takes it */
};

struct access_code {
	uint8_t key_hash[ACCESS_CODE_HASH_BYTES];
	char secret[ACCESS_CODE_SECRET_CHARS]; /* as it is typed */
};

/* With a new secret, for a CA whose key hash begins with these bytes. */
void access_code_make(
	struct random *r, const uint8_t key_hash[ACCESS_CODE_HASH_BYTES], struct access_code *to);
void access_code_text(const struct access_code *c, char to[ACCESS_CODE_CHARS + 1]);

/* Capitals, blanks and missing dashes do not matter. False if it is none. */
NODISCARD bool access_code_read(str text, struct access_code *to);
