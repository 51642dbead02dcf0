/*
 * The keys that service accounts' tokens may be signed by, each named as upstream names it.
 *
 * Ownership: keyring_free drops the keys; names lie in the arena. Threading: immutable.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/crypto/key.h"
#include "lib/value/text_map.h"

enum { KEYRING_MAX = 64 };

struct keyring {
	struct key *keys[KEYRING_MAX];
	str ids[KEYRING_MAX];
	size_t len;
};

/* Every key of every PEM text: public, private or of a certificate. ERR_UNSUPPORTED for a kind that
 * signs neither by ES256 nor by RS256. */
NODISCARD int keyring_read(
	struct arena *a, struct str_list pems, struct keyring *to, struct err *e);
void keyring_free(struct keyring *r);

/* The JSON Web Key Set (RFC 7517), and the algorithms as a JSON list, sorted. */
NODISCARD int keyring_put_jwks(
	struct buf *b, const struct keyring *r, struct arena *a, struct err *e);
void keyring_put_algorithms(struct buf *b, const struct keyring *r);
