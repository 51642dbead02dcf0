#include "lib/crypto/openssl.h"

#include <limits.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

int openssl_error(struct err *e, enum err_kind kind, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = code ? ERR_reason_error_string(code) : NULL;

	if (openssl_lacked_memory())
		kind = ERR_LIMIT;
	return err_set(e, kind, "%s: %s", what, why ? why : "malformed");
}

bool openssl_lacked_memory(void)
{
	bool lacked = false;

	for (unsigned long code; (code = ERR_get_error()) != 0;)
		lacked |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	return lacked;
}

void *openssl_need(void *made)
{
	if (!made) {
		fprintf(stderr, "out of memory in OpenSSL\n");
		abort();
	}
	return made;
}

BIO *openssl_reader(str bytes)
{
	/* What is cut there is malformed all the same. */
	int len = bytes.len < INT_MAX ? (int)bytes.len : INT_MAX;

	return BIO_new_mem_buf(bytes.at ? bytes.at : "", len);
}

str openssl_written(BIO *b, struct arena *a)
{
	char *at;
	long len = BIO_get_mem_data(b, &at);
	str copy = arena_str(a, str_span(at, (size_t)len));

	BIO_free(b);
	return copy;
}

int openssl_no_password(UNUSED char *to, UNUSED int size, UNUSED int writing, UNUSED void *unused)
{
	return -1;
}

bool openssl_push(STACK_OF(X509) * to, X509 *x)
{
	bool pushed = sk_X509_push(to, x) > 0;

	if (!pushed)
		X509_free(x);
	return pushed;
}

int openssl_read_certs(str pem, STACK_OF(X509) * *to, struct err *e)
{
	BIO *from = openssl_reader(pem);
	STACK_OF(X509) *certs = sk_X509_new_null();
	bool kept = from && certs;

	ERR_clear_error();
	for (X509 *c; kept && (c = PEM_read_bio_X509(from, NULL, openssl_no_password, NULL));)
		kept = openssl_push(certs, c);
	BIO_free(from);

	/* The end of the text is an error to OpenSSL, too. */
	bool at_end = kept && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

	if (at_end && sk_X509_num(certs) > 0) {
		ERR_clear_error();
		*to = certs;
		return 0;
	}
	sk_X509_pop_free(certs, X509_free);
	if (at_end) {
		ERR_clear_error();
		return err_set(e, ERR_INVALID, "no certificate in PEM");
	}
	return openssl_error(e, ERR_INVALID, "certificate");
}
