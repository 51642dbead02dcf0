/*
 * What the certificate of a connection's other end is worth: a user (x509), the right to speak for
 * users (front proxy), or nothing. The verdict is kept with the connection, a minute at most, since
 * certificates and CAs end.
 *
 * Threading: a connection's loop. Source: apiserver/pkg/authentication/request/x509.
 */
#pragma once

#include "apiserver/authentication/user.h"
#include "lib/crypto/cert.h"
#include "lib/http/exchange.h"

struct peer_rules {
	struct cert_roots *clients, *proxies; /* NULL: not configured */
	struct str_list proxy_names;          /* common names; none: any */
};

enum { PEER_KEPT_S = 60 };

struct peer {
	struct counted counted;
	int64_t until_s;
	struct user *user; /* NULL: none */
	bool is_proxy;
	struct err fault; /* why a certificate that was shown is no good; else its kind is none */
};

/* A reference; never NULL. */
struct peer *peer_of(const struct peer_rules *r, struct http_exchange *x, int64_t now_s);

/* The verdict on a chain in DER, leaf first. A reference. */
struct peer *peer_judge(const struct peer_rules *r, struct cert_list chain, int64_t now_s);
