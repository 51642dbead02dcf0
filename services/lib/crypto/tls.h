/*
 * TLS 1.2 and 1.3 over a non-blocking socket. Both sides speak ALPN (RFC 7301); a client always
 * verifies its peer. No session tickets and no renegotiation: connections of Kubernetes' clients
 * live long, and a session that outlives a CA's removal would still be trusted.
 *
 * A server asks for a client certificate but lets the handshake pass without or with any: upstream
 * decides on it per request, against several CAs (see cert_verify).
 *
 * Ownership: contexts are counted and immutable, so a reload makes a new one for the
 * connections to come. A connection borrows its socket. Threading: a context any, a
 * connection one thread at a time.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/crypto/cert.h"

struct tls_context;
struct tls;

enum tls_protocol { TLS_HTTP1 = 1 << 0, TLS_HTTP2 = 1 << 1 };

struct tls_options {
	str cert_pem, key_pem; /* the chain, leaf first, and its key; a client may have none */
	const struct cert_roots *roots; /* client: whom to trust */
	str root_key_hash;  /* or: the CA in the server's chain whose key has a SHA-256 (kubeadm's
			      CA certificate hash) that begins so */
	str client_ca_pem;  /* server: absent asks for no client certificate; names to send */
	unsigned protocols; /* of enum tls_protocol, HTTP/2 preferred */
	bool tls13_only;
};

NODISCARD int tls_server_context(
	const struct tls_options *o, struct tls_context **to, struct err *e);
NODISCARD int tls_client_context(
	const struct tls_options *o, struct tls_context **to, struct err *e);
void tls_context_take(struct tls_context *c);
void tls_context_drop(struct tls_context *c);

/*
 * A connection of its context's kind. A client names the peer to verify, a DNS name or an IP
 * address; a server passes an absent name. Validity is judged at `now_s`.
 */
NODISCARD int tls_open(struct tls_context *c, int fd, str peer_name, int64_t now_s, struct tls **to,
	struct err *e);

/* Says goodbye if it can do so without waiting. */
void tls_close(struct tls *t);

enum tls_result {
	TLS_OK,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_CLOSED, /* the peer has ended its side properly */
	TLS_FAILED, /* `e` says why; only tls_close is left */
};

enum tls_result tls_handshake(struct tls *t, struct err *e);
enum tls_result tls_read(struct tls *t, void *to, size_t cap, size_t *len, struct err *e);

/* May take less than all. After WANT_WRITE the same bytes are offered again, wherever they lie. */
enum tls_result tls_write(
	struct tls *t, const void *from, size_t len, size_t *taken, struct err *e);

/* Bytes that were read from the socket and not yet by tls_read: epoll will not tell of them. */
bool tls_has_unread(const struct tls *t);

/* After the handshake; HTTP/1.1 when nothing was agreed. */
enum tls_protocol tls_protocol(const struct tls *t);

/* The peer's certificates in DER, leaf first; none when it sent none. */
NODISCARD int tls_peer_chain(
	const struct tls *t, struct arena *a, struct cert_list *to, struct err *e);
