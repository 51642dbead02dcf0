#include "lib/crypto/tls.h"

#include "lib/crypto/digest.h"
#include "lib/crypto/openssl.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

struct tls_context {
	struct counted counted;
	SSL_CTX *ssl;
	BIO_METHOD *socket;
	unsigned protocols;
	bool is_server;
	uint8_t root_key_hash[DIGEST_SHA256_BYTES];
	size_t root_key_hash_len;
};

struct tls {
	SSL *ssl;
	struct tls_context *context;
	int fd;
	bool drained; /* the last read got less than it wanted, so the socket is empty */
	bool at_end;
	bool broken;
};

enum { PEER_NAME_BYTES = 256, PEER_CERTS_BYTES = 64 << 10 };

static int make_context(
	const struct tls_options *o, bool is_server, struct tls_context **to, struct err *e);
static int set_peer_name(SSL *ssl, str name, struct err *e);
static enum tls_result result_of(struct tls *t, int returned, const char *doing, struct err *e);

int tls_server_context(const struct tls_options *o, struct tls_context **to, struct err *e)
{
	return make_context(o, true, to, e);
}

int tls_client_context(const struct tls_options *o, struct tls_context **to, struct err *e)
{
	return make_context(o, false, to, e);
}

void tls_context_take(struct tls_context *c)
{
	counted_take(&c->counted);
}

void tls_context_drop(struct tls_context *c)
{
	if (c)
		counted_drop(&c->counted);
}

int tls_open(
	struct tls_context *c, int fd, str peer_name, int64_t now_s, struct tls **to, struct err *e)
{
	SSL *ssl = openssl_need(SSL_new(c->ssl));
	BIO *socket = openssl_need(BIO_new(c->socket));

	SSL_set_bio(ssl, socket, socket);
	if (c->is_server) {
		SSL_set_accept_state(ssl);
	} else {
		SSL_set_connect_state(ssl);
		X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), now_s);
		if (set_peer_name(ssl, peer_name, e) < 0) {
			SSL_free(ssl);
			return -1;
		}
	}
	struct tls *t = openssl_need(calloc(1, sizeof(*t)));

	*t = (struct tls){.ssl = ssl, .context = c, .fd = fd};
	BIO_set_data(socket, t);
	BIO_set_init(socket, 1);
	tls_context_take(c);
	*to = t;
	return 0;
}

void tls_close(struct tls *t)
{
	if (!t->broken && SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
	ERR_clear_error();
	SSL_free(t->ssl);
	tls_context_drop(t->context);
	free(t);
}

enum tls_result tls_handshake(struct tls *t, struct err *e)
{
	ERR_clear_error();
	return result_of(t, SSL_do_handshake(t->ssl), "TLS handshake", e);
}

enum tls_result tls_read(struct tls *t, void *to, size_t cap, size_t *len, struct err *e)
{
	ERR_clear_error();
	*len = 0;
	return result_of(t, SSL_read_ex(t->ssl, to, cap, len), "reading by TLS", e);
}

enum tls_result tls_write(struct tls *t, const void *from, size_t len, size_t *taken, struct err *e)
{
	ERR_clear_error();
	*taken = 0;
	return result_of(t, SSL_write_ex(t->ssl, from, len, taken), "writing by TLS", e);
}

bool tls_has_unread(const struct tls *t)
{
	return SSL_has_pending(t->ssl);
}

enum tls_protocol tls_protocol(const struct tls *t)
{
	const uint8_t *name;
	unsigned len;

	SSL_get0_alpn_selected(t->ssl, &name, &len);
	return str_eq(str_span((const char *)name, len), STR("h2")) ? TLS_HTTP2 : TLS_HTTP1;
}

int tls_peer_chain(const struct tls *t, struct arena *a, struct cert_list *to, struct err *e)
{
	X509 *leaf = SSL_get0_peer_certificate(t->ssl);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(t->ssl);
	int others = chain ? sk_X509_num(chain) : 0;
	size_t count = 0;

	if (!leaf) {
		*to = (struct cert_list){0};
		return 0;
	}
	str *list = arena_try_array(a, (size_t)others + 1, sizeof(*list));

	if (!list)
		return arena_full(a, e);
	for (int i = -1; i < others; i++) {
		X509 *x = i < 0 ? leaf : sk_X509_value(chain, i);
		uint8_t *der = NULL;

		/* A client's view of the chain contains the leaf, a server's does not. */
		if (i >= 0 && X509_cmp(x, leaf) == 0)
			continue;
		int len = i2d_X509(x, &der);
		int result = len < 0
			? openssl_error(e, ERR_LIMIT, "the peer's certificate")
			: arena_str_try(a, str_span((char *)der, (size_t)len), &list[count++], e);

		OPENSSL_free(der);
		TRY(result);
	}
	*to = (struct cert_list){list, count};
	return 0;
}

/*
 * A socket BIO of our own: no SIGPIPE, and no second read after one that came back short. The loop
 * is level-triggered, so bytes that arrive meanwhile are reported.
 */
static int socket_read(BIO *b, char *to, size_t cap, size_t *len)
{
	struct tls *t = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	*len = 0;
	if (t->drained) {
		t->drained = false;
		BIO_set_retry_read(b);
		return 0;
	}
	ssize_t got = recv(t->fd, to, cap, 0);

	if (got <= 0) {
		t->at_end = got == 0;
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			BIO_set_retry_read(b);
		return 0;
	}
	t->drained = (size_t)got < cap;
	*len = (size_t)got;
	return 1;
}

static int socket_write(BIO *b, const char *from, size_t len, size_t *taken)
{
	struct tls *t = BIO_get_data(b);
	ssize_t put = send(t->fd, from, len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(b);
	*taken = put > 0 ? (size_t)put : 0;
	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	return put > 0;
}

static long socket_ctrl(BIO *b, int what, UNUSED long number, UNUSED void *pointer)
{
	switch (what) {
	case BIO_CTRL_FLUSH: return 1;
	case BIO_CTRL_EOF: return ((struct tls *)BIO_get_data(b))->at_end;
	default: return 0;
	}
}

static void set_socket_method(struct tls_context *c)
{
	/* No index of its own: OpenSSL has 127 for a process, and every reload would take one. */
	c->socket = openssl_need(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket"));
	BIO_meth_set_read_ex(c->socket, socket_read);
	BIO_meth_set_write_ex(c->socket, socket_write);
	BIO_meth_set_ctrl(c->socket, socket_ctrl);
}

static void destroy(struct counted *counted)
{
	struct tls_context *c = CONTAINER_OF(counted, struct tls_context, counted);

	SSL_CTX_free(c->ssl);
	BIO_meth_free(c->socket);
	free(c);
}

static int set_identity(SSL_CTX *ssl, const struct tls_options *o, struct err *e)
{
	STACK_OF(X509) * chain;
	struct key *key;

	TRY(key_read_private(o->key_pem, &key, e));
	if (openssl_read_certs(o->cert_pem, &chain, e) < 0) {
		key_drop(key);
		return -1;
	}
	X509 *leaf = sk_X509_shift(chain);
	bool done = SSL_CTX_use_cert_and_key(ssl, leaf, key->pkey, chain, 1) == 1;

	X509_free(leaf);
	sk_X509_pop_free(chain, X509_free);
	key_drop(key);
	return done ? 0 : openssl_error(e, ERR_INVALID, "certificate and key");
}

static int accept_any(UNUSED X509_STORE_CTX *ctx, UNUSED void *unused)
{
	return 1;
}

static bool key_hash_begins(X509 *x, const struct tls_context *c)
{
	uint8_t *der = NULL, hash[DIGEST_SHA256_BYTES];
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	if (len < 0)
		return false;
	digest_sha256(str_span((char *)der, (size_t)len), hash);
	OPENSSL_free(der);
	return memcmp(hash, c->root_key_hash, c->root_key_hash_len) == 0;
}

/* The usual verification, with what the server itself brought as the one trusted root. */
static int verify_by_key_hash(X509_STORE_CTX *ctx, void *context)
{
	STACK_OF(X509) *brought = X509_STORE_CTX_get0_untrusted(ctx);
	STACK_OF(X509) *trusted = openssl_need(sk_X509_new_null());

	for (int i = 0; i < sk_X509_num(brought); i++)
		if (key_hash_begins(sk_X509_value(brought, i), context))
			sk_X509_push(trusted, sk_X509_value(brought, i));
	X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
	int good = X509_verify_cert(ctx);

	X509_STORE_CTX_set0_trusted_stack(ctx, NULL);
	sk_X509_free(trusted);
	return good == 1;
}

static int ask_for_client_certificate(SSL_CTX *ssl, str ca_pem, struct err *e)
{
	STACK_OF(X509) * cas;

	TRY(openssl_read_certs(ca_pem, &cas, e));
	for (int i = 0; i < sk_X509_num(cas); i++)
		SSL_CTX_add_client_CA(ssl, sk_X509_value(cas, i));
	sk_X509_pop_free(cas, X509_free);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, accept_any, NULL);
	return 0;
}

/* ALPN's list form: each name behind its length. */
#define ALPN_HTTP2 "\2h2"
#define ALPN_HTTP1 "\10http/1.1"

static str alpn_list(unsigned protocols)
{
	switch (protocols & (TLS_HTTP1 | TLS_HTTP2)) {
	case TLS_HTTP1 | TLS_HTTP2: return STR(ALPN_HTTP2 ALPN_HTTP1);
	case TLS_HTTP2: return STR(ALPN_HTTP2);
	default: return STR(ALPN_HTTP1);
	}
}

static int choose_protocol(UNUSED SSL *ssl, const uint8_t **chosen, uint8_t *chosen_len,
	const uint8_t *offered, unsigned offered_len, void *context)
{
	str ours = alpn_list(((struct tls_context *)context)->protocols);
	int outcome = SSL_select_next_proto((uint8_t **)chosen, chosen_len,
		(const uint8_t *)ours.at, (unsigned)ours.len, offered, offered_len);

	return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int set_role(struct tls_context *c, const struct tls_options *o, struct err *e)
{
	str alpn = alpn_list(c->protocols);

	if (o->cert_pem.at)
		TRY(set_identity(c->ssl, o, e));
	if (c->is_server) {
		SSL_CTX_set_alpn_select_cb(c->ssl, choose_protocol, c);
		return o->client_ca_pem.at ? ask_for_client_certificate(c->ssl, o->client_ca_pem, e)
					   : 0;
	}
	SSL_CTX_set_alpn_protos(c->ssl, (const uint8_t *)alpn.at, (unsigned)alpn.len);
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	if (o->roots) {
		SSL_CTX_set1_cert_store(c->ssl, o->roots->store);
		return 0;
	}
	if (!o->root_key_hash.len || o->root_key_hash.len > sizeof(c->root_key_hash))
		return err_set(e, ERR_INVALID, "no hash of a CA's key");
	memcpy(c->root_key_hash, o->root_key_hash.at, o->root_key_hash.len);
	c->root_key_hash_len = o->root_key_hash.len;
	SSL_CTX_set_cert_verify_callback(c->ssl, verify_by_key_hash, c);
	return 0;
}

static void set_policy(SSL_CTX *ssl, bool tls13_only)
{
	SSL_CTX_set_min_proto_version(ssl, tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_options(ssl,
		SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
			SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ssl,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_max_cert_list(ssl, PEER_CERTS_BYTES);
	SSL_CTX_set_ciphersuites(
		ssl, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
	SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20");
}

static int make_context(
	const struct tls_options *o, bool is_server, struct tls_context **to, struct err *e)
{
	struct tls_context *c = openssl_need(calloc(1, sizeof(*c)));

	counted_init(&c->counted, destroy);
	c->ssl = openssl_need(SSL_CTX_new(TLS_method()));
	c->protocols = o->protocols;
	c->is_server = is_server;
	set_socket_method(c);
	set_policy(c->ssl, o->tls13_only);
	if (set_role(c, o, e) < 0) {
		tls_context_drop(c);
		return -1;
	}
	*to = c;
	return 0;
}

/* The common name is not looked at, as in Go since 1.15. */
static int set_peer_name(SSL *ssl, str name, struct err *e)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char text[PEER_NAME_BYTES];

	if (name.len == 0 || name.len >= sizeof(text) || str_find_char(name, '\0') >= 0)
		return err_set(e, ERR_INVALID, "not the name of a TLS peer");
	memcpy(text, name.at, name.len);
	text[name.len] = '\0';
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, text) == 1)
		return 0;
	ERR_clear_error();
	if (X509_VERIFY_PARAM_set1_host(param, text, name.len) != 1 ||
		SSL_set_tlsext_host_name(ssl, text) != 1)
		return openssl_error(e, ERR_INVALID, "the name of a TLS peer");
	return 0;
}

static enum tls_result result_of(struct tls *t, int returned, const char *doing, struct err *e)
{
	if (returned == 1)
		return TLS_OK;
	int why = errno;

	switch (SSL_get_error(t->ssl, returned)) {
	case SSL_ERROR_WANT_READ: return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN: return TLS_CLOSED;
	case SSL_ERROR_SYSCALL:
		t->broken = true;
		err_write_errno(e, why, "%s", doing);
		return TLS_FAILED;
	default: break;
	}
	long verified = SSL_get_verify_result(t->ssl);

	t->broken = true;
	if (!t->context->is_server && verified != X509_V_OK) {
		ERR_clear_error();
		err_write(e, ERR_UNAUTHORIZED, "%s: the server's certificate is not trusted: %s",
			doing, X509_verify_cert_error_string(verified));
	} else {
		(void)!openssl_error(e, ERR_CLOSED, doing);
	}
	return TLS_FAILED;
}
