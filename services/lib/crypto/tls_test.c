#include "lib/base/test.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/tls.h"

#include <sys/socket.h>
#include <unistd.h>

enum { NOW_S = 1750000000, HOUR_S = 3600 };

/* A client and a server in one thread, joined by a socket pair. */
struct pair {
	struct key *key;
	str ca_pem, server_pem, client_pem, key_pem;
	struct cert_roots *roots;
	struct tls_context *server_context, *client_context;
	struct tls *server, *client;
	int fds[2];
};

static str issue(struct test *t, struct pair *p, const char *name, unsigned usages, bool is_ca)
{
	static const str dns[] = {STR_INIT("a.example")}, ips[] = {STR_INIT("127.0.0.1")};
	struct cert_order o = {
		.subject = {.common_name = str_of(name), .dns = {dns, 1}, .ips = {ips, 1}},
		.key = p->key,
		.usages = usages,
		.is_ca = is_ca,
		.not_before_s = NOW_S - HOUR_S,
		.not_after_s = NOW_S + HOUR_S,
		.ca_pem = p->ca_pem,
		.ca_key = p->key,
	};
	struct err e;
	str pem;

	REQUIRE_OK(cert_make(&t->arena, &o, &pem, &e), &e);
	return pem;
}

static void begin(
	struct test *t, struct pair *p, unsigned server_protocols, unsigned client_protocols)
{
	struct err e;

	*p = (struct pair){0};
	REQUIRE_OK(key_make(&p->key, &e), &e);
	p->key_pem = key_private_pem(p->key, &t->arena);
	p->ca_pem = issue(t, p, "ca", CERT_SIGN, true);
	p->server_pem = issue(t, p, "server", CERT_SERVER_AUTH, false);
	p->client_pem = issue(t, p, "client", CERT_CLIENT_AUTH, false);
	REQUIRE_OK(cert_roots_read(p->ca_pem, &p->roots, &e), &e);

	struct tls_options server = {.cert_pem = p->server_pem,
		.key_pem = p->key_pem,
		.client_ca_pem = p->ca_pem,
		.protocols = server_protocols};
	struct tls_options client = {.cert_pem = p->client_pem,
		.key_pem = p->key_pem,
		.roots = p->roots,
		.protocols = client_protocols};

	REQUIRE_OK(tls_server_context(&server, &p->server_context, &e), &e);
	REQUIRE_OK(tls_client_context(&client, &p->client_context, &e), &e);
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fds) == 0);
}

static enum tls_result shake(
	struct test *t, struct pair *p, str name, int64_t now_s, struct err *client)
{
	enum tls_result c = TLS_WANT_READ, s = TLS_WANT_READ;
	struct err e;

	REQUIRE_OK(tls_open(p->server_context, p->fds[0], (str){0}, NOW_S, &p->server, &e), &e);
	REQUIRE_OK(tls_open(p->client_context, p->fds[1], name, now_s, &p->client, &e), &e);
	for (int round = 0; round < 20 && (c != TLS_OK || s != TLS_OK); round++) {
		if (c != TLS_OK)
			c = tls_handshake(p->client, client);
		if (s != TLS_OK)
			s = tls_handshake(p->server, &e);
		if (c == TLS_FAILED)
			return c;
		if (s == TLS_FAILED) {
			*client = e;
			return s;
		}
	}
	CHECK_INT(c, TLS_OK);
	CHECK_INT(s, TLS_OK);
	return TLS_OK;
}

static void end(struct pair *p)
{
	tls_close(p->client);
	tls_close(p->server);
	close(p->fds[0]);
	close(p->fds[1]);
	tls_context_drop(p->server_context);
	tls_context_drop(p->client_context);
	cert_roots_drop(p->roots);
	key_drop(p->key);
}

TEST(tls_agrees_on_a_protocol_and_knows_its_peers)
{
	static const struct {
		unsigned server, client;
		enum tls_protocol agreed;
	} cases[] = {
		{TLS_HTTP1 | TLS_HTTP2, TLS_HTTP1 | TLS_HTTP2, TLS_HTTP2},
		{TLS_HTTP1 | TLS_HTTP2, TLS_HTTP1, TLS_HTTP1},
		{TLS_HTTP1, TLS_HTTP1 | TLS_HTTP2, TLS_HTTP1},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cert_list chain;
		struct cert peer;
		struct pair p;
		struct err e;

		test_note(t, "case %zu", i);
		begin(t, &p, cases[i].server, cases[i].client);
		CHECK_INT(shake(t, &p, STR("a.example"), NOW_S, &e), TLS_OK);
		CHECK_INT(tls_protocol(p.server), cases[i].agreed);
		CHECK_INT(tls_protocol(p.client), cases[i].agreed);
		CHECK_OK(tls_peer_chain(p.server, &t->arena, &chain, &e), &e);
		REQUIRE(chain.len == 1);
		CHECK_OK(cert_read_der(&t->arena, chain.at[0], &peer, &e), &e);
		CHECK_STR(peer.subject.common_name, "client");
		CHECK_OK(cert_verify(p.roots, chain, CERT_CLIENT_AUTH, NOW_S, &e), &e);
		end(&p);
	}
}

TEST(tls_client_refuses_a_wrong_peer)
{
	static const struct {
		const char *name;
		int64_t now_s;
		const char *why;
	} cases[] = {
		{"127.0.0.1", NOW_S, NULL},
		{"127.0.0.2", NOW_S, "IP address mismatch"},
		{"b.example", NOW_S, "ostname mismatch"},
		{"server", NOW_S, "ostname mismatch"},
		{"a.example", NOW_S + 2 * HOUR_S, "expired"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pair p;
		struct err e;

		test_note(t, "%s", cases[i].name);
		begin(t, &p, TLS_HTTP2, TLS_HTTP2);
		enum tls_result r = shake(t, &p, str_of(cases[i].name), cases[i].now_s, &e);

		CHECK_INT(r, cases[i].why ? TLS_FAILED : TLS_OK);
		if (cases[i].why && r == TLS_FAILED) {
			CHECK_INT(e.kind, ERR_UNAUTHORIZED);
			CHECK(strstr(e.text, cases[i].why) != NULL);
		}
		end(&p);
	}
}

TEST(tls_without_a_common_protocol_fails)
{
	struct pair p;
	struct err e;

	begin(t, &p, TLS_HTTP2, TLS_HTTP1);
	CHECK_INT(shake(t, &p, STR("a.example"), NOW_S, &e), TLS_FAILED);
	end(&p);
}

/* As an event loop would: a read that wants more is tried again, for the socket is readable. */
static enum tls_result read_when_ready(struct tls *tls, char *to, size_t cap, struct err *e)
{
	enum tls_result r = TLS_WANT_READ;
	size_t len;

	for (int turn = 0; turn < 2 && r == TLS_WANT_READ; turn++)
		r = tls_read(tls, to, cap, &len, e);
	return r;
}

TEST(tls_moves_bytes_and_tells_a_proper_end_from_a_torn_one)
{
	enum { BYTES = 300000 };
	char *sent = arena_get(&t->arena, BYTES), *got = arena_get(&t->arena, BYTES);
	size_t put = 0, have = 0, part;
	struct pair p;
	struct err e;

	begin(t, &p, TLS_HTTP2, TLS_HTTP2);
	REQUIRE(shake(t, &p, STR("a.example"), NOW_S, &e) == TLS_OK);
	for (size_t i = 0; i < BYTES; i++)
		sent[i] = (char)(i * 31 >> 3);
	while (have < BYTES) {
		enum tls_result w = tls_write(p.client, sent + put, BYTES - put, &part, &e);

		put += part;
		CHECK(put == BYTES || w == TLS_OK || w == TLS_WANT_WRITE);
		while (tls_read(p.server, got + have, BYTES - have, &part, &e) == TLS_OK &&
			have < BYTES)
			have += part;
	}
	CHECK(memcmp(sent, got, BYTES) == 0);
	CHECK(!tls_has_unread(p.server));

	CHECK_INT(tls_write(p.server, "x", 1, &part, &e), TLS_OK);
	shutdown(p.fds[0], SHUT_WR);
	CHECK_INT(read_when_ready(p.client, got, 1, &e), TLS_OK);
	CHECK_INT(read_when_ready(p.client, got, 1, &e), TLS_FAILED);
	CHECK_INT(e.kind, ERR_CLOSED);
	end(&p);

	begin(t, &p, TLS_HTTP2, TLS_HTTP2);
	REQUIRE(shake(t, &p, STR("a.example"), NOW_S, &e) == TLS_OK);
	tls_close(p.server);
	REQUIRE_OK(tls_open(p.server_context, p.fds[0], (str){0}, NOW_S, &p.server, &e), &e);
	CHECK_INT(read_when_ready(p.client, got, 1, &e), TLS_CLOSED);
	end(&p);
}

TEST(tls_context_refuses_a_key_of_another_certificate)
{
	struct tls_context *c;
	struct pair p;
	struct key *other;
	struct err e;

	begin(t, &p, TLS_HTTP2, TLS_HTTP2);
	REQUIRE_OK(key_make(&other, &e), &e);
	struct tls_options o = {
		.cert_pem = p.server_pem, .key_pem = key_private_pem(other, &t->arena)};

	CHECK_FAILS(tls_server_context(&o, &c, &e), &e, ERR_INVALID, "certificate and key");
	o.key_pem = STR("");
	CHECK_FAILS(tls_server_context(&o, &c, &e), &e, ERR_INVALID, "private key");
	CHECK_INT(shake(t, &p, STR("a.example"), NOW_S, &e), TLS_OK);
	key_drop(other);
	end(&p);
}

static enum tls_result shake_by_hash(
	struct test *t, struct pair *p, str server_pem, str hash, str name, struct err *e)
{
	struct tls_options server = {
		.cert_pem = server_pem, .key_pem = p->key_pem, .protocols = TLS_HTTP1};
	struct tls_options client = {.root_key_hash = hash, .protocols = TLS_HTTP1};

	tls_context_drop(p->server_context);
	tls_context_drop(p->client_context);
	REQUIRE_OK(tls_server_context(&server, &p->server_context, e), e);
	REQUIRE_OK(tls_client_context(&client, &p->client_context, e), e);
	return shake(t, p, name, NOW_S, e);
}

TEST(tls_trusts_the_ca_whose_key_hash_is_known)
{
	uint8_t hash[DIGEST_SHA256_BYTES];
	struct pair p;
	struct err e;

	for (int i = 0; i < 5; i++) {
		test_note(t, "case %d", i);
		begin(t, &p, TLS_HTTP1, TLS_HTTP1);
		str chain = arena_fmt(
			&t->arena, "%.*s%.*s", STR_ARG(p.server_pem), STR_ARG(p.ca_pem));

		digest_sha256(key_public_der(p.key, &t->arena), hash);
		str known = str_span((char *)hash, i == 1 ? sizeof(hash) : 10);

		if (i == 2) { /* somebody else's CA, who shows the right one beside his own */
			struct pair other;

			begin(t, &other, TLS_HTTP1, TLS_HTTP1);
			chain = arena_fmt(&t->arena, "%.*s%.*s%.*s", STR_ARG(other.server_pem),
				STR_ARG(other.ca_pem), STR_ARG(p.ca_pem));
			p.key_pem = other.key_pem;
			tls_context_drop(other.server_context);
			tls_context_drop(other.client_context);
			close(other.fds[0]);
			close(other.fds[1]);
			cert_roots_drop(other.roots);
			key_drop(other.key);
		}
		if (i == 3)
			hash[9] ^= 1;
		enum tls_result wanted = i < 2 ? TLS_OK : TLS_FAILED;
		str name = i == 4 ? STR("b.example") : STR("a.example");

		CHECK_INT(shake_by_hash(t, &p, chain, known, name, &e), wanted);
		end(&p);
	}
}

TEST(tls_needs_somebody_to_trust)
{
	struct tls_options o = {.protocols = TLS_HTTP1};
	struct tls_context *c;
	struct err e;

	CHECK_FAILS(tls_client_context(&o, &c, &e), &e, ERR_INVALID, "no hash");
}
