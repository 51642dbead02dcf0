/*
 * JSON Web Tokens (RFC 7519) in the compact form of JWS (RFC 7515), signed by ES256 or RS256
 * (RFC 7518): what service accounts show.
 *
 * Ownership: texts lie in the arena or in the token. Threading: any. Limits: JWT_BYTES_MAX.
 * Errors: ERR_INVALID for what is no token of this form, ERR_UNAUTHORIZED for a signature that does
 * not fit.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/crypto/key.h"

enum { JWT_BYTES_MAX = 64 << 10 };

/* Taken apart; nothing in it is to be believed before jwt_verify. */
struct jwt {
	enum key_signature algorithm;
	str key_id;  /* absent if the header names none */
	str payload; /* JSON */
	str signed_part, signature;
};

NODISCARD int jwt_read(struct arena *a, str token, struct jwt *to, struct err *e);
NODISCARD int jwt_verify(const struct jwt *t, const struct key *k, struct err *e);

/* By the algorithm that the key is for. */
NODISCARD int jwt_sign(
	struct arena *a, const struct key *k, str key_id, str payload, str *token, struct err *e);

/* How upstream names a key: base64url of SHA-256 of its SubjectPublicKeyInfo. */
str jwt_key_id(const struct key *k, struct arena *a);

/* "ES256", "RS256"; absent for a key that signs neither way. */
str jwt_algorithm(const struct key *k);

/* One JSON Web Key (RFC 7517), in the order in which upstream writes its members. */
NODISCARD int jwt_put_key(struct buf *b, const struct key *k, struct arena *a, struct err *e);
