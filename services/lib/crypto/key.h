/*
 * Private and public keys: made, read and written as PEM, and signatures for JSON Web Signatures
 * (RFC 7518: ES256, RS256).
 *
 * Ownership: counted and immutable; key_drop by everybody who holds a reference.
 * Threading: any, signing included.
 */
#pragma once

#include "lib/base/arena.h"

struct key;

enum key_kind {
	KEY_ECDSA_P256,
	KEY_ECDSA_OTHER, /* P-384, P-521: certificates only */
	KEY_RSA,
	KEY_ED25519,
};

enum key_signature {
	KEY_ES256, /* ECDSA P-256 with SHA-256; 64 bytes, r then s */
	KEY_RS256, /* RSASSA-PKCS1-v1_5 with SHA-256 */
};

enum { KEY_SIGNATURE_MAX_BYTES = 1024 };

/* ECDSA on P-256, the kind of every key that this project makes. */
NODISCARD int key_make(struct key **to, struct err *e);

/* PKCS#8, SEC1 or PKCS#1, not encrypted. RSA under 2048 bits is refused. */
NODISCARD int key_read_private(str pem, struct key **to, struct err *e);

/* A public key; of a private key or a certificate, its public half. */
NODISCARD int key_read_public(str pem, struct key **to, struct err *e);

void key_take(struct key *k);
void key_drop(struct key *k);

enum key_kind key_kind(const struct key *k);
bool key_same_public(const struct key *a, const struct key *b);

/* SEC1 ("EC PRIVATE KEY") for ECDSA, as kubeadm writes; PKCS#8 for others. The caller wipes it. */
str key_private_pem(const struct key *k, struct arena *a);
str key_public_pem(const struct key *k, struct arena *a);

/* DER of the SubjectPublicKeyInfo; its SHA-256 is kubeadm's CA certificate hash. */
str key_public_der(const struct key *k, struct arena *a);

/*
 * What a JSON Web Key (RFC 7518, 6) shows of a public key, as big-endian bytes: x and y of ECDSA,
 * padded to the curve's size; n and e of RSA, without leading zeros. ERR_UNSUPPORTED for others.
 */
NODISCARD int key_public_numbers(
	const struct key *k, struct arena *a, str *first, str *second, struct err *e);

NODISCARD int key_sign(const struct key *k, enum key_signature s, str data,
	uint8_t to[KEY_SIGNATURE_MAX_BYTES], size_t *len, struct err *e);

/* ERR_UNAUTHORIZED when the signature does not fit. */
NODISCARD int key_verify(
	const struct key *k, enum key_signature s, str data, str signature, struct err *e);
