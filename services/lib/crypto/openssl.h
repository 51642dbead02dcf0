/*
 * What the sources of this folder share: OpenSSL's objects behind our handles, its errors as ours.
 * Nobody else includes this.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/counted.h"
#include "lib/crypto/cert.h"
#include "lib/crypto/key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct key {
	struct counted counted;
	EVP_PKEY *pkey;
};

struct cert_roots {
	struct counted counted;
	X509_STORE *store;
};

/* "what: OpenSSL's reason", ERR_LIMIT if that is want of memory; empties OpenSSL's queue of this
 * thread. Returns -1. */
NODISCARD int openssl_error(struct err *e, enum err_kind kind, const char *what) COLD;

/* Whether that is among OpenSSL's errors of this thread, which are gone then. */
bool openssl_lacked_memory(void);

/* OpenSSL fails so only for want of memory. */
void *openssl_need(void *made) __attribute__((returns_nonnull));

/* Reads from memory that outlives the BIO; NULL without memory. */
BIO *openssl_reader(str bytes);

/* What a memory BIO was written, in the arena; frees the BIO. */
str openssl_written(BIO *b, struct arena *a);

/* Takes over the key, which is checked; NULL is the error that OpenSSL has noted down. */
NODISCARD int openssl_key(EVP_PKEY *pkey, struct key **to, struct err *e);

/* OpenSSL would ask at the terminal for a password otherwise. */
int openssl_no_password(char *to, int size, int writing, void *unused);

/* Takes over the certificate; false, and it is freed, without memory. */
bool openssl_push(STACK_OF(X509) * to, X509 *x);

/* The certificates of a PEM bundle; sk_X509_pop_free is the caller's. */
NODISCARD int openssl_read_certs(str pem, STACK_OF(X509) * *to, struct err *e);

/* SubjectAltName, usages and constraints from a list of extensions, NULL when there are none. */
NODISCARD int openssl_read_extensions(struct arena *a, const STACK_OF(X509_EXTENSION) * from,
	struct cert_subject *s, unsigned *usages, bool *is_ca, struct err *e);
NODISCARD int openssl_read_name(
	struct arena *a, const X509_NAME *from, struct cert_subject *s, struct err *e);

/* The subject's name, and its alternative names as an extension, NULL when there are none. */
X509_NAME *openssl_name(const struct cert_subject *s);
NODISCARD int openssl_alternative_names(
	const struct cert_subject *s, X509_EXTENSION **to, struct err *e);
