#include "lib/crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

enum {
	RSA_MIN_BITS = 2048,
	RSA_MAX_BITS = 8192,
	P256_COORDINATE_BYTES = 32,
	P256_SIGNATURE_BYTES = 2 * P256_COORDINATE_BYTES,
	P256_DER_MAX_BYTES = 80,
};

static int check_kind(EVP_PKEY *pkey, struct err *e);
static EVP_PKEY *public_of_certificate(str pem);
static int fits(const struct key *k, enum key_signature s, struct err *e);
static int der_to_raw(
	const uint8_t *der, size_t len, uint8_t to[P256_SIGNATURE_BYTES], struct err *e);
static int raw_to_der(
	const uint8_t *raw, uint8_t to[P256_DER_MAX_BYTES], size_t *len, struct err *e);

int key_make(struct key **to, struct err *e)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");

	return pkey ? openssl_key(pkey, to, e) : openssl_error(e, ERR_INTERNAL, "making a key");
}

int key_read_private(str pem, struct key **to, struct err *e)
{
	BIO *from = openssl_reader(pem);
	EVP_PKEY *pkey = from ? PEM_read_bio_PrivateKey(from, NULL, openssl_no_password, NULL)
			      : NULL;

	BIO_free(from);
	return pkey ? openssl_key(pkey, to, e) : openssl_error(e, ERR_INVALID, "private key");
}

int key_read_public(str pem, struct key **to, struct err *e)
{
	BIO *from = openssl_reader(pem);
	EVP_PKEY *pkey = from ? PEM_read_bio_PUBKEY(from, NULL, openssl_no_password, NULL) : NULL;

	BIO_free(from);
	if (!pkey)
		pkey = public_of_certificate(pem);
	if (pkey) {
		ERR_clear_error();
		return openssl_key(pkey, to, e);
	}
	ERR_clear_error();
	if (key_read_private(pem, to, e) < 0)
		return err_set(e, ERR_INVALID, "no public key, certificate or private key in PEM");
	return 0;
}

void key_take(struct key *k)
{
	counted_take(&k->counted);
}

void key_drop(struct key *k)
{
	if (k)
		counted_drop(&k->counted);
}

enum key_kind key_kind(const struct key *k)
{
	char group[32];

	switch (EVP_PKEY_get_base_id(k->pkey)) {
	case EVP_PKEY_RSA: return KEY_RSA;
	case EVP_PKEY_ED25519: return KEY_ED25519;
	default: break;
	}
	bool is_p256 = EVP_PKEY_get_group_name(k->pkey, group, sizeof(group), NULL) == 1 &&
		str_eq(str_of(group), STR(SN_X9_62_prime256v1));

	return is_p256 ? KEY_ECDSA_P256 : KEY_ECDSA_OTHER;
}

bool key_same_public(const struct key *a, const struct key *b)
{
	return EVP_PKEY_eq(a->pkey, b->pkey) == 1;
}

str key_private_pem(const struct key *k, struct arena *a)
{
	BIO *to = openssl_need(BIO_new(BIO_s_secmem()));

	if (EVP_PKEY_get_base_id(k->pkey) == EVP_PKEY_ED25519)
		PEM_write_bio_PKCS8PrivateKey(to, k->pkey, NULL, NULL, 0, NULL, NULL);
	else
		PEM_write_bio_PrivateKey_traditional(to, k->pkey, NULL, NULL, 0, NULL, NULL);
	return openssl_written(to, a);
}

str key_public_pem(const struct key *k, struct arena *a)
{
	BIO *to = openssl_need(BIO_new(BIO_s_mem()));

	PEM_write_bio_PUBKEY(to, k->pkey);
	return openssl_written(to, a);
}

str key_public_der(const struct key *k, struct arena *a)
{
	BIO *to = openssl_need(BIO_new(BIO_s_mem()));

	i2d_PUBKEY_bio(to, k->pkey);
	return openssl_written(to, a);
}

static str number_bytes(struct arena *a, const EVP_PKEY *pkey, const char *name, int bytes)
{
	BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(pkey, name, &n) != 1)
		return (str){NULL, 0};
	int len = bytes ? bytes : BN_num_bytes(n);
	uint8_t *to = arena_get(a, (size_t)len);

	BN_bn2binpad(n, to, len);
	BN_free(n);
	return str_span((char *)to, (size_t)len);
}

int key_public_numbers(const struct key *k, struct arena *a, str *first, str *second, struct err *e)
{
	bool rsa = key_kind(k) == KEY_RSA;
	int bytes = rsa ? 0 : (EVP_PKEY_get_bits(k->pkey) + 7) / 8;
	str one = number_bytes(
		a, k->pkey, rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X, bytes);
	str two = number_bytes(
		a, k->pkey, rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y, bytes);

	ERR_clear_error();
	if (!one.at || !two.at)
		return err_set(e, ERR_UNSUPPORTED, "a key that is neither ECDSA nor RSA");
	*first = one;
	*second = two;
	return 0;
}

int key_sign(const struct key *k, enum key_signature s, str data,
	uint8_t to[KEY_SIGNATURE_MAX_BYTES], size_t *len, struct err *e)
{
	uint8_t made[KEY_SIGNATURE_MAX_BYTES];
	size_t made_len = sizeof(made);

	TRY(fits(k, s, e));
	EVP_MD_CTX *ctx = openssl_need(EVP_MD_CTX_new());
	bool done = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
		EVP_DigestSign(ctx, made, &made_len, (const uint8_t *)data.at, data.len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!done)
		return openssl_error(e, ERR_INVALID, "signing");
	if (s == KEY_ES256) {
		TRY(der_to_raw(made, made_len, to, e));
		*len = P256_SIGNATURE_BYTES;
		return 0;
	}
	memcpy(to, made, made_len);
	*len = made_len;
	return 0;
}

int key_verify(const struct key *k, enum key_signature s, str data, str signature, struct err *e)
{
	uint8_t der[P256_DER_MAX_BYTES];
	const uint8_t *at = (const uint8_t *)signature.at;
	size_t len = signature.len;

	TRY(fits(k, s, e));
	if (s == KEY_ES256) {
		if (len != P256_SIGNATURE_BYTES)
			return err_set(e, ERR_UNAUTHORIZED, "the signature has not %d bytes",
				P256_SIGNATURE_BYTES);
		TRY(raw_to_der(at, der, &len, e));
		at = der;
	}
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
		EVP_DigestVerify(ctx, at, len, (const uint8_t *)data.at, data.len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good ? 0 : err_set(e, ERR_UNAUTHORIZED, "the signature does not fit");
}

static void destroy(struct counted *c)
{
	struct key *k = CONTAINER_OF(c, struct key, counted);

	EVP_PKEY_free(k->pkey);
	free(k);
}

int openssl_key(EVP_PKEY *pkey, struct key **to, struct err *e)
{
	if (!pkey)
		return openssl_error(e, ERR_INVALID, "public key");
	if (check_kind(pkey, e) < 0) {
		EVP_PKEY_free(pkey);
		return -1;
	}
	struct key *k = openssl_need(calloc(1, sizeof(*k)));

	counted_init(&k->counted, destroy);
	k->pkey = pkey;
	*to = k;
	return 0;
}

static int check_kind(EVP_PKEY *pkey, struct err *e)
{
	int bits = EVP_PKEY_get_bits(pkey);

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_EC:
	case EVP_PKEY_ED25519: return 0;
	case EVP_PKEY_RSA:
		if (bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS)
			return 0;
		return err_set(e, ERR_UNSUPPORTED, "an RSA key of %d bits; %d to %d are taken",
			bits, RSA_MIN_BITS, RSA_MAX_BITS);
	default: return err_set(e, ERR_UNSUPPORTED, "a key that is neither ECDSA, RSA nor Ed25519");
	}
}

static EVP_PKEY *public_of_certificate(str pem)
{
	BIO *from = openssl_reader(pem);
	X509 *cert = from ? PEM_read_bio_X509(from, NULL, openssl_no_password, NULL) : NULL;
	EVP_PKEY *pkey = cert ? X509_get_pubkey(cert) : NULL;

	X509_free(cert);
	BIO_free(from);
	return pkey;
}

static int fits(const struct key *k, enum key_signature s, struct err *e)
{
	if (key_kind(k) != (s == KEY_ES256 ? KEY_ECDSA_P256 : KEY_RSA))
		return err_set(e, ERR_UNSUPPORTED, "the key is not one for %s",
			s == KEY_ES256 ? "ES256" : "RS256");
	return 0;
}

static int der_to_raw(
	const uint8_t *der, size_t len, uint8_t to[P256_SIGNATURE_BYTES], struct err *e)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

	if (!sig)
		return openssl_error(e, ERR_INTERNAL, "signing");
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), to, P256_COORDINATE_BYTES);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), to + P256_COORDINATE_BYTES, P256_COORDINATE_BYTES);
	ECDSA_SIG_free(sig);
	return 0;
}

static int raw_to_der(
	const uint8_t *raw, uint8_t to[P256_DER_MAX_BYTES], size_t *len, struct err *e)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, P256_COORDINATE_BYTES, NULL);
	BIGNUM *s = BN_bin2bn(raw + P256_COORDINATE_BYTES, P256_COORDINATE_BYTES, NULL);
	int made = -1;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		made = i2d_ECDSA_SIG(sig, &to);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	if (made < 0)
		return openssl_error(e, ERR_LIMIT, "a signature");
	*len = (size_t)made;
	return 0;
}
