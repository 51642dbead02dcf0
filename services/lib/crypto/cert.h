/*
 * X.509 certificates and signing requests (RFC 5280, RFC 2986): read, checked against trusted
 * roots, made and signed. PEM throughout, as Kubernetes stores them.
 *
 * Ownership: what is read lies in the caller's arena; `struct cert_roots` is counted and immutable.
 * Threading: any. Times are seconds since 1970, UTC.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/crypto/key.h"

enum cert_usage {
	CERT_DIGITAL_SIGNATURE = 1 << 0,
	CERT_KEY_ENCIPHERMENT = 1 << 1,
	CERT_SIGN = 1 << 2,
	CERT_CRL_SIGN = 1 << 3,
	CERT_SERVER_AUTH = 1 << 4,
	CERT_CLIENT_AUTH = 1 << 5,
	CERT_OTHER_USAGE = 1 << 6, /* any that is not in this list */
};

struct cert_list {
	const str *at;
	size_t len;
};

/* What a certificate or a request says about its subject. */
struct cert_subject {
	str common_name;
	struct cert_list organizations;
	struct cert_list uids; /* 1.3.6.1.4.1.57683.2, Kubernetes' own: a user's uid */
	struct cert_list dns, ips, emails, uris; /* alternative names; ips as text */
	bool other_names;                        /* the subject or the SANs hold more than these */
};

struct cert {
	struct cert_subject subject;
	str issuer_common_name;
	str serial; /* upper-case hexadecimal */
	int64_t not_before_s, not_after_s;
	unsigned usages; /* of enum cert_usage */
	bool is_ca;
	str der;
};

struct cert_request {
	struct cert_subject subject;
	unsigned usages;
	bool is_ca;
	struct key *key; /* the caller drops it */
};

enum { CERT_CHAIN_MAX = 16 };

/* Every certificate of a PEM bundle, in its order; at least one. */
NODISCARD int cert_read(struct arena *a, str pem, struct cert **to, size_t *len, struct err *e);
NODISCARD int cert_read_der(struct arena *a, str der, struct cert *to, struct err *e);
str cert_pem(str der, struct arena *a);

/* A request whose signature fits its own key; ERR_INVALID otherwise. */
NODISCARD int cert_request_read(struct arena *a, str pem, struct cert_request *to, struct err *e);
NODISCARD int cert_request_make(struct arena *a, const struct key *k, const struct cert_subject *s,
	str *pem, struct err *e);

/* A trusted set of CAs, from a PEM bundle. */
struct cert_roots;

NODISCARD int cert_roots_read(str pem, struct cert_roots **to, struct err *e);
void cert_roots_take(struct cert_roots *r);
void cert_roots_drop(struct cert_roots *r);

/*
 * The first of `chain` (DER; the others may be its intermediates) is valid at `now_s`, leads to one
 * of the roots and may be used as `usage`, CERT_SERVER_AUTH or CERT_CLIENT_AUTH. ERR_UNAUTHORIZED
 * with the reason otherwise.
 */
NODISCARD int cert_verify(const struct cert_roots *r, struct cert_list chain, enum cert_usage usage,
	int64_t now_s, struct err *e);

struct cert_order {
	struct cert_subject subject;
	const struct key *key; /* to be certified */
	unsigned usages;
	bool is_ca;
	int64_t not_before_s, not_after_s;
	str ca_pem;               /* absent: signs itself */
	const struct key *ca_key; /* the order's own when it signs itself */
};

/* With a random serial of 63 bits and SHA-256. ERR_INVALID when ca_key is not the key of ca_pem. */
NODISCARD int cert_make(struct arena *a, const struct cert_order *o, str *pem, struct err *e);
