#include "lib/crypto/digest.h"

#include "lib/crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

void digest_sha256(str of, uint8_t to[DIGEST_SHA256_BYTES])
{
	openssl_need(SHA256((const uint8_t *)of.at, of.len, to));
}

void digest_hmac_sha256(str key, str of, uint8_t to[DIGEST_SHA256_BYTES])
{
	openssl_need(HMAC(EVP_sha256(), key.at ? key.at : "", (int)key.len, (const uint8_t *)of.at,
		of.len, to, NULL));
}

bool digest_same(str a, str b)
{
	return a.len == b.len && CRYPTO_memcmp(a.at, b.at, a.len) == 0;
}
