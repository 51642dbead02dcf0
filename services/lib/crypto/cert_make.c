#include "lib/crypto/openssl.h"

#include "lib/base/clock.h"

#include <openssl/err.h>
#include <stdio.h>

enum { X509_V3 = 2, SERIAL_BYTES = 8, USAGES_TEXT_BYTES = 160 };

static int read_issuer(const struct cert_order *o, X509 **to, struct err *e);
static void set_serial(X509 *x);
static int add_extensions(X509 *x, X509 *issuer, const struct cert_order *o, struct err *e);
static int sign(X509 *x, const struct key *k, struct err *e);
static const EVP_MD *digest_for(const struct key *k);

int cert_make(struct arena *a, const struct cert_order *o, str *pem, struct err *e)
{
	X509 *issuer = NULL;

	if (o->ca_pem.at)
		TRY(read_issuer(o, &issuer, e));
	X509 *x = openssl_need(X509_new());
	X509_NAME *subject = openssl_name(&o->subject);

	X509_set_version(x, X509_V3);
	set_serial(x);
	X509_set_subject_name(x, subject);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : subject);
	X509_NAME_free(subject);
	ASN1_TIME_set(X509_getm_notBefore(x), o->not_before_s);
	ASN1_TIME_set(X509_getm_notAfter(x), o->not_after_s);
	X509_set_pubkey(x, o->key->pkey);

	int result = add_extensions(x, issuer ? issuer : x, o, e);

	if (result == 0)
		result = sign(x, o->ca_key, e);
	if (result == 0) {
		BIO *to = openssl_need(BIO_new(BIO_s_mem()));

		PEM_write_bio_X509(to, x);
		*pem = openssl_written(to, a);
	}
	X509_free(x);
	X509_free(issuer);
	return result;
}

static void request_alternative_names(X509_REQ *r, X509_EXTENSION *names)
{
	STACK_OF(X509_EXTENSION) *list = openssl_need(sk_X509_EXTENSION_new_null());

	sk_X509_EXTENSION_push(list, names);
	X509_REQ_add_extensions(r, list);
	sk_X509_EXTENSION_free(list);
}

int cert_request_make(
	struct arena *a, const struct key *k, const struct cert_subject *s, str *pem, struct err *e)
{
	X509_EXTENSION *names;

	TRY(openssl_alternative_names(s, &names, e));
	X509_REQ *r = openssl_need(X509_REQ_new());
	X509_NAME *subject = openssl_name(s);
	int result = 0;

	X509_REQ_set_version(r, 0);
	X509_REQ_set_subject_name(r, subject);
	X509_REQ_set_pubkey(r, k->pkey);
	if (names)
		request_alternative_names(r, names);
	if (X509_REQ_sign(r, k->pkey, digest_for(k)) <= 0)
		result = openssl_error(e, ERR_INVALID, "signing a certificate request");
	if (result == 0) {
		BIO *to = openssl_need(BIO_new(BIO_s_mem()));

		PEM_write_bio_X509_REQ(to, r);
		*pem = openssl_written(to, a);
	}
	X509_EXTENSION_free(names);
	X509_NAME_free(subject);
	X509_REQ_free(r);
	return result;
}

static int read_issuer(const struct cert_order *o, X509 **to, struct err *e)
{
	STACK_OF(X509) * bundle;

	TRY(openssl_read_certs(o->ca_pem, &bundle, e));
	X509 *issuer = sk_X509_shift(bundle);

	sk_X509_pop_free(bundle, X509_free);
	if (X509_check_private_key(issuer, o->ca_key->pkey) != 1) {
		X509_free(issuer);
		ERR_clear_error();
		return err_set(
			e, ERR_INVALID, "the CA's key and certificate do not belong together");
	}
	*to = issuer;
	return 0;
}

/* Positive, so the top bit stays clear; never zero. */
static void set_serial(X509 *x)
{
	uint8_t bytes[SERIAL_BYTES];
	struct random random;

	random_system(&random);
	random.fill(&random, bytes, sizeof(bytes));
	bytes[0] = (bytes[0] & 0x7f) | 0x40;
	BIGNUM *number = openssl_need(BN_bin2bn(bytes, sizeof(bytes), NULL));

	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
	BN_free(number);
}

static void list_usages(unsigned usages, unsigned wanted, char to[USAGES_TEXT_BYTES])
{
	static const struct {
		unsigned usage;
		const char *name;
	} names[] = {
		{CERT_DIGITAL_SIGNATURE, "digitalSignature"},
		{CERT_KEY_ENCIPHERMENT, "keyEncipherment"},
		{CERT_SIGN, "keyCertSign"},
		{CERT_CRL_SIGN, "cRLSign"},
		{CERT_SERVER_AUTH, "serverAuth"},
		{CERT_CLIENT_AUTH, "clientAuth"},
	};
	size_t len = 0;

	to[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (usages & wanted & names[i].usage)
			len += (size_t)snprintf(to + len, USAGES_TEXT_BYTES - len, "%s%s",
				len ? "," : "", names[i].name);
}

static int add_by_text(X509 *x, X509V3_CTX *ctx, int nid, const char *text, struct err *e)
{
	X509_EXTENSION *made = X509V3_EXT_conf_nid(NULL, ctx, nid, text);

	if (!made)
		return openssl_error(e, ERR_INTERNAL, "a certificate's extension");
	X509_add_ext(x, made, -1);
	X509_EXTENSION_free(made);
	return 0;
}

static int add_extensions(X509 *x, X509 *issuer, const struct cert_order *o, struct err *e)
{
	const unsigned extended = CERT_SERVER_AUTH | CERT_CLIENT_AUTH;
	char key_usage[USAGES_TEXT_BYTES], listed[USAGES_TEXT_BYTES],
		critical[USAGES_TEXT_BYTES + 16];
	X509_EXTENSION *names;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	list_usages(o->usages, ~extended, key_usage);
	list_usages(o->usages, extended, listed);
	snprintf(critical, sizeof(critical), "critical,%s", key_usage);
	if (key_usage[0])
		TRY(add_by_text(x, &ctx, NID_key_usage, critical, e));
	if (listed[0])
		TRY(add_by_text(x, &ctx, NID_ext_key_usage, listed, e));
	TRY(add_by_text(x, &ctx, NID_basic_constraints,
		o->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE", e));
	if (o->is_ca)
		TRY(add_by_text(x, &ctx, NID_subject_key_identifier, "hash", e));
	if (issuer != x && X509_get0_subject_key_id(issuer))
		TRY(add_by_text(x, &ctx, NID_authority_key_identifier, "keyid", e));
	TRY(openssl_alternative_names(&o->subject, &names, e));
	if (names)
		X509_add_ext(x, names, -1);
	X509_EXTENSION_free(names);
	return 0;
}

static int sign(X509 *x, const struct key *k, struct err *e)
{
	return X509_sign(x, k->pkey, digest_for(k)) > 0 ? 0
							: openssl_error(e, ERR_INVALID, "signing");
}

/* Ed25519 brings its own. */
static const EVP_MD *digest_for(const struct key *k)
{
	return key_kind(k) == KEY_ED25519 ? NULL : EVP_sha256();
}
