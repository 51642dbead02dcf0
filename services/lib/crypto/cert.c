#include "lib/crypto/openssl.h"

#include <openssl/err.h>
#include <stdlib.h>

static int describe(struct arena *a, X509 *from, struct cert *to, struct err *e);
static int parse_der(str der, X509 **to, struct err *e);

int cert_read(struct arena *a, str pem, struct cert **to, size_t *len, struct err *e)
{
	STACK_OF(X509) * bundle;

	TRY(openssl_read_certs(pem, &bundle, e));
	size_t count = (size_t)sk_X509_num(bundle);
	struct cert *certs = arena_try_array(a, count, sizeof(*certs));
	int result = certs ? 0 : arena_full(a, e);

	for (size_t i = 0; i < count && result == 0; i++)
		result = describe(a, sk_X509_value(bundle, (int)i), &certs[i], e);
	sk_X509_pop_free(bundle, X509_free);
	TRY(result);
	*to = certs;
	*len = count;
	return 0;
}

int cert_read_der(struct arena *a, str der, struct cert *to, struct err *e)
{
	struct cert read = {0};
	X509 *x;

	TRY(parse_der(der, &x, e));
	int result = describe(a, x, &read, e);

	X509_free(x);
	TRY(result);
	*to = read;
	return 0;
}

str cert_pem(str der, struct arena *a)
{
	BIO *to = openssl_need(BIO_new(BIO_s_mem()));

	PEM_write_bio(to, PEM_STRING_X509, "", (const uint8_t *)der.at, (long)der.len);
	return openssl_written(to, a);
}

int cert_request_read(struct arena *a, str pem, struct cert_request *to, struct err *e)
{
	struct cert_request read = {0};
	BIO *from = openssl_reader(pem);
	X509_REQ *r = from ? PEM_read_bio_X509_REQ(from, NULL, openssl_no_password, NULL) : NULL;

	BIO_free(from);
	if (!r)
		return openssl_error(e, ERR_INVALID, "certificate request");
	EVP_PKEY *pkey = X509_REQ_get_pubkey(r);
	bool fits = pkey && X509_REQ_verify(r, pkey) == 1;

	EVP_PKEY_free(pkey);
	int result = fits ? 0 : openssl_error(e, ERR_INVALID, "a certificate request's signature");
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(r);

	if (result == 0 && !extensions)
		result = openssl_error(e, ERR_INVALID, "a certificate request's extensions");
	if (result == 0)
		result = openssl_read_name(a, X509_REQ_get_subject_name(r), &read.subject, e);
	if (result == 0)
		result = openssl_read_extensions(
			a, extensions, &read.subject, &read.usages, &read.is_ca, e);
	if (result == 0)
		result = openssl_key(X509_REQ_get_pubkey(r), &read.key, e);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_REQ_free(r);
	TRY(result);
	*to = read;
	return 0;
}

static void destroy_roots(struct counted *c)
{
	struct cert_roots *r = CONTAINER_OF(c, struct cert_roots, counted);

	X509_STORE_free(r->store);
	free(r);
}

/*
 * A certificate whose key or extensions OpenSSL had no memory for stays without them, and would
 * vouch for nobody ever after. The key is read with the certificate, the extensions when they are
 * first needed: so they are read here.
 */
static bool add_root(X509_STORE *store, X509 *root)
{
	enum { ANY_PURPOSE = -1 };
	bool added = X509_STORE_add_cert(store, root) == 1;

	X509_check_purpose(root, ANY_PURPOSE, 0);
	return added && X509_get0_pubkey(root) && !openssl_lacked_memory();
}

/* Go takes any certificate of the pool for an anchor, be it self-signed or not. */
int cert_roots_read(str pem, struct cert_roots **to, struct err *e)
{
	STACK_OF(X509) * bundle;

	TRY(openssl_read_certs(pem, &bundle, e));
	struct cert_roots *r = openssl_need(calloc(1, sizeof(*r)));

	counted_init(&r->counted, destroy_roots);
	r->store = X509_STORE_new();
	bool done = r->store && X509_STORE_set_flags(r->store, X509_V_FLAG_PARTIAL_CHAIN) == 1;

	for (int i = 0; i < sk_X509_num(bundle) && done; i++)
		done = add_root(r->store, sk_X509_value(bundle, i));
	sk_X509_pop_free(bundle, X509_free);
	if (!done) {
		cert_roots_drop(r);
		return openssl_error(e, ERR_INVALID, "a trusted certificate that is of no use");
	}
	*to = r;
	return 0;
}

void cert_roots_take(struct cert_roots *r)
{
	counted_take(&r->counted);
}

void cert_roots_drop(struct cert_roots *r)
{
	if (r)
		counted_drop(&r->counted);
}

static int parse_chain(struct cert_list chain, STACK_OF(X509) * *to, struct err *e)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	int result = certs ? 0 : openssl_error(e, ERR_LIMIT, "a chain of certificates");

	for (size_t i = 0; i < chain.len && result == 0; i++) {
		X509 *x;

		result = parse_der(chain.at[i], &x, e);
		if (result == 0 && !openssl_push(certs, x))
			result = openssl_error(e, ERR_LIMIT, "a chain of certificates");
	}
	if (result < 0) {
		sk_X509_pop_free(certs, X509_free);
		return -1;
	}
	*to = certs;
	return 0;
}

int cert_verify(const struct cert_roots *r, struct cert_list chain, enum cert_usage usage,
	int64_t now_s, struct err *e)
{
	STACK_OF(X509) * certs;
	X509_STORE_CTX *ctx;
	int purpose = usage == CERT_CLIENT_AUTH ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
	int result = 0;

	if (chain.len == 0)
		return err_set(e, ERR_UNAUTHORIZED, "no certificate");
	if (chain.len > CERT_CHAIN_MAX)
		return err_set(e, ERR_LIMIT, "more than %d certificates", CERT_CHAIN_MAX);
	TRY(parse_chain(chain, &certs, e));
	ctx = X509_STORE_CTX_new();
	if (!ctx || X509_STORE_CTX_init(ctx, r->store, sk_X509_value(certs, 0), certs) != 1 ||
		X509_STORE_CTX_set_purpose(ctx, purpose) != 1) {
		result = openssl_error(e, ERR_LIMIT, "verifying a certificate");
	} else {
		X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), now_s);
		if (X509_verify_cert(ctx) != 1)
			result = err_set(e, ERR_UNAUTHORIZED, "the certificate is not trusted: %s",
				X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	}
	ERR_clear_error();
	X509_STORE_CTX_free(ctx);
	sk_X509_pop_free(certs, X509_free);
	return result;
}

static int seconds_of(const ASN1_TIME *from, int64_t *to, struct err *e)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(from, &tm) != 1)
		return openssl_error(e, ERR_INVALID, "a certificate's validity");
	*to = timegm(&tm);
	return 0;
}

static int copy_der(struct arena *a, X509 *from, str *to, struct err *e)
{
	uint8_t *der = NULL;
	int len = i2d_X509(from, &der);

	if (len < 0)
		return openssl_error(e, ERR_INVALID, "certificate");
	int result = arena_str_try(a, str_span((char *)der, (size_t)len), to, e);

	OPENSSL_free(der);
	return result;
}

static int describe(struct arena *a, X509 *from, struct cert *to, struct err *e)
{
	struct cert_subject issuer = {0};

	TRY(openssl_read_name(a, X509_get_subject_name(from), &to->subject, e));
	TRY(openssl_read_name(a, X509_get_issuer_name(from), &issuer, e));
	TRY(openssl_read_extensions(
		a, X509_get0_extensions(from), &to->subject, &to->usages, &to->is_ca, e));
	to->issuer_common_name = issuer.common_name;
	TRY(seconds_of(X509_get0_notBefore(from), &to->not_before_s, e));
	TRY(seconds_of(X509_get0_notAfter(from), &to->not_after_s, e));

	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(from), NULL);
	char *digits = serial ? BN_bn2hex(serial) : NULL;
	int result = digits ? arena_str_try(a, str_of(digits), &to->serial, e)
			    : openssl_error(e, ERR_INVALID, "a certificate's serial number");

	OPENSSL_free(digits);
	BN_free(serial);
	TRY(result);
	return copy_der(a, from, &to->der, e);
}

static int parse_der(str der, X509 **to, struct err *e)
{
	const uint8_t *at = (const uint8_t *)der.at;
	X509 *x = d2i_X509(NULL, &at, (long)der.len);

	if (!x)
		return openssl_error(e, ERR_INVALID, "certificate");
	if (at != (const uint8_t *)der.at + der.len) {
		X509_free(x);
		return err_set(e, ERR_INVALID, "certificate: more bytes behind its end");
	}
	*to = x;
	return 0;
}
