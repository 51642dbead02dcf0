#include "lib/base/test.h"
#include "lib/crypto/cert.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/*
 * OpenSSL is refused memory at every place where it asks for some, once or from there on. A reader
 * then says so, or has read all: nothing that a certificate says may get lost.
 */

enum {
	NOW_S = 1750000000,
	HOUR_S = 3600,
	PLACES_MAX = 100000,
	NEVER = -1,
	USAGES = CERT_SIGN | CERT_DIGITAL_SIGNATURE | CERT_CLIENT_AUTH,
};

/* OpenSSL's allocator is the program's, and takes no argument of ours. */
static struct {
	int until_refusal;
	bool goes_on, refused;
} memory = {.until_refusal = NEVER};

static bool refuses(void)
{
	if (memory.until_refusal == NEVER || --memory.until_refusal != NEVER)
		return false;
	if (memory.goes_on)
		memory.until_refusal = 0;
	memory.refused = true;
	return true;
}

static void *allocate(size_t bytes, UNUSED const char *file, UNUSED int line)
{
	return refuses() ? NULL : malloc(bytes);
}

static void *resize(void *at, size_t bytes, UNUSED const char *file, UNUSED int line)
{
	return refuses() ? NULL : realloc(at, bytes);
}

static void release(void *at, UNUSED const char *file, UNUSED int line)
{
	free(at);
}

/* Before OpenSSL has allocated anything. */
__attribute__((constructor)) static void take_allocator(void)
{
	if (CRYPTO_set_mem_functions(allocate, resize, release) != 1)
		abort();
}

struct inputs {
	struct key *key, *other;
	struct cert_roots *roots;
	str cert_pem, cert_der, request_pem, private_pem, public_pem;
	uint8_t signature[KEY_SIGNATURE_MAX_BYTES];
	size_t signature_len;
};

static bool same_subject(const struct cert_subject *s)
{
	return str_eq(s->common_name, STR("n1")) && s->organizations.len == 1 && s->dns.len == 2 &&
		s->ips.len == 1 && !s->other_names;
}

/* Each gives 1 for all, 0 for something else, -1. */
static int read_bundle(const struct inputs *in, struct arena *a, struct err *e)
{
	struct cert *c;
	size_t len;

	TRY(cert_read(a, in->cert_pem, &c, &len, e));
	return len == 1 && same_subject(&c->subject) && c->is_ca && c->usages == USAGES &&
		str_eq(c->der, in->cert_der);
}

static int read_request(const struct inputs *in, struct arena *a, struct err *e)
{
	struct cert_request r;

	TRY(cert_request_read(a, in->request_pem, &r, e));
	memory.until_refusal = NEVER;
	bool all = same_subject(&r.subject) && key_same_public(r.key, in->key);

	key_drop(r.key);
	return all;
}

static int same_key(const struct inputs *in, struct key *read)
{
	memory.until_refusal = NEVER;
	bool same = key_same_public(read, in->key);

	key_drop(read);
	return same;
}

static int read_private(const struct inputs *in, UNUSED struct arena *a, struct err *e)
{
	struct key *k;

	TRY(key_read_private(in->private_pem, &k, e));
	return same_key(in, k);
}

static int read_public(const struct inputs *in, UNUSED struct arena *a, struct err *e)
{
	struct key *k;

	TRY(key_read_public(in->public_pem, &k, e));
	return same_key(in, k);
}

static int read_public_of_cert(const struct inputs *in, UNUSED struct arena *a, struct err *e)
{
	struct key *k;

	TRY(key_read_public(in->cert_pem, &k, e));
	return same_key(in, k);
}

static int verify_chain(const struct inputs *in, UNUSED struct arena *a, struct err *e)
{
	struct cert_list chain = {&in->cert_der, 1};

	TRY(cert_verify(in->roots, chain, CERT_CLIENT_AUTH, NOW_S, e));
	return 1;
}

/* Good for clients only: what cannot be checked is not trusted. */
static int verify_purpose(const struct inputs *in, UNUSED struct arena *a, struct err *e)
{
	struct cert_list chain = {&in->cert_der, 1};

	return cert_verify(in->roots, chain, CERT_SERVER_AUTH, NOW_S, e) < 0;
}

static int read_roots(const struct inputs *in, UNUSED struct arena *a, struct err *e)
{
	struct cert_list chain = {&in->cert_der, 1};
	struct cert_roots *r;

	TRY(cert_roots_read(in->cert_pem, &r, e));
	memory.until_refusal = NEVER;
	int result = cert_verify(r, chain, CERT_CLIENT_AUTH, NOW_S, e);

	cert_roots_drop(r);
	return result == 0;
}

static int verify_signature(const struct inputs *in, UNUSED struct arena *a, struct err *e)
{
	str signature = str_span((const char *)in->signature, in->signature_len);

	TRY(key_verify(in->key, KEY_ES256, STR("text"), signature, e));
	return 1;
}

static int verify_wrong_signature(const struct inputs *in, UNUSED struct arena *a, struct err *e)
{
	str signature = str_span((const char *)in->signature, in->signature_len);

	return key_verify(in->other, KEY_ES256, STR("text"), signature, e) < 0;
}

static void make_inputs(struct test *t, struct inputs *in)
{
	static const str names[] = {STR_INIT("a.example"), STR_INIT("b.example")};
	static const str ip = STR_INIT("10.0.0.1"), group = STR_INIT("system:nodes");
	struct cert_order o = {.subject = {.common_name = STR("n1"),
				       .organizations = {&group, 1},
				       .dns = {names, COUNT_OF(names)},
				       .ips = {&ip, 1}},
		.usages = USAGES,
		.is_ca = true,
		.not_before_s = NOW_S - HOUR_S,
		.not_after_s = NOW_S + HOUR_S};
	struct cert *c;
	struct err e;
	size_t len;

	REQUIRE_OK(key_make(&in->key, &e), &e);
	REQUIRE_OK(key_make(&in->other, &e), &e);
	o.key = o.ca_key = in->key;
	REQUIRE_OK(cert_make(&t->arena, &o, &in->cert_pem, &e), &e);
	REQUIRE_OK(cert_read(&t->arena, in->cert_pem, &c, &len, &e), &e);
	in->cert_der = c->der;
	REQUIRE_OK(cert_roots_read(in->cert_pem, &in->roots, &e), &e);
	REQUIRE_OK(cert_request_make(&t->arena, in->key, &o.subject, &in->request_pem, &e), &e);
	in->private_pem = key_private_pem(in->key, &t->arena);
	in->public_pem = key_public_pem(in->key, &t->arena);
	REQUIRE_OK(key_sign(in->key, KEY_ES256, STR("text"), in->signature, &in->signature_len, &e),
		&e);
}

static const struct {
	const char *name;
	int (*run)(const struct inputs *in, struct arena *a, struct err *e);
} readers[] = {
	{"certificate", read_bundle},
	{"request", read_request},
	{"private key", read_private},
	{"public key", read_public},
	{"public key of a certificate", read_public_of_cert},
	{"roots", read_roots},
	{"chain", verify_chain},
	{"wrong purpose", verify_purpose},
	{"signature", verify_signature},
	{"wrong signature", verify_wrong_signature},
};

static void refuse_each(struct test *t, const struct inputs *in, size_t reader, bool goes_on)
{
	bool refused = true;

	for (int place = 0; refused && place < PLACES_MAX; place++) {
		struct arena a;
		struct err e = {.kind = ERR_NONE};

		arena_init(&a, ARENA_NO_LIMIT);
		test_note(
			t, "%s, place %d%s", readers[reader].name, place, goes_on ? " and on" : "");
		memory.until_refusal = place;
		memory.goes_on = goes_on;
		memory.refused = false;
		int result = readers[reader].run(in, &a, &e);

		memory.until_refusal = NEVER;
		refused = memory.refused;
		CHECK(result != 0);
		CHECK(refused || result == 1);
		arena_free(&a);
	}
	CHECK(!refused);
}

TEST(openssl_without_memory_loses_nothing_and_trusts_nobody)
{
	struct inputs in;

	make_inputs(t, &in);
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		struct err e;

		/* What OpenSSL keeps for good is there before. */
		REQUIRE(readers[i].run(&in, &t->arena, &e) == 1);
		refuse_each(t, &in, i, false);
		refuse_each(t, &in, i, true);
	}
	key_drop(in.key);
	key_drop(in.other);
	cert_roots_drop(in.roots);
}

TEST(cert_readers_keep_to_the_arenas_limit)
{
	struct inputs in;

	make_inputs(t, &in);
	for (size_t i = 0; i < 2; i++) {
		int result = -1;

		for (size_t limit = 0; result < 0 && limit < 65536; limit += 16) {
			struct arena a;
			struct err e;

			arena_init(&a, limit);
			test_note(t, "%s, limit %zu", readers[i].name, limit);
			result = readers[i].run(&in, &a, &e);
			if (result < 0)
				CHECK_INT(e.kind, ERR_LIMIT);
			arena_free(&a);
		}
		CHECK_INT(result, 1);
	}
	key_drop(in.key);
	key_drop(in.other);
	cert_roots_drop(in.roots);
}
