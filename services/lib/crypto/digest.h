/*
 * SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104) and comparison of secrets. Threading: any.
 */
#pragma once

#include "lib/base/str.h"

enum { DIGEST_SHA256_BYTES = 32 };

void digest_sha256(str of, uint8_t to[DIGEST_SHA256_BYTES]);
void digest_hmac_sha256(str key, str of, uint8_t to[DIGEST_SHA256_BYTES]);

/* Takes the same time wherever the two differ; their lengths are no secret. */
bool digest_same(str a, str b);
