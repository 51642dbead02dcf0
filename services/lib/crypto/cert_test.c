#include "lib/base/clock.h"
#include "lib/base/test.h"
#include "lib/crypto/cert.h"

enum { HOUR_S = 3600, NOW_S = 1750000000 };

#define LIST(...) \
	((struct cert_list){(const str[]){__VA_ARGS__}, sizeof((str[]){__VA_ARGS__}) / sizeof(str)})

/* Longer than X.520's bound of 64, which Kubernetes' node names are not held to. */
#define LONG_NAME \
	"system:node:a-name-that-is-longer-than-the-bound-of-X.520.of-sixty-four-characters"

struct authority {
	struct key *key;
	str pem;
	struct cert_roots *roots;
};

static struct authority make_authority(struct test *t, const char *name)
{
	struct authority ca;
	struct err e;

	REQUIRE_OK(key_make(&ca.key, &e), &e);
	struct cert_order o = {
		.subject = {.common_name = str_of(name)},
		.key = ca.key,
		.ca_key = ca.key,
		.usages = CERT_SIGN | CERT_DIGITAL_SIGNATURE | CERT_KEY_ENCIPHERMENT,
		.is_ca = true,
		.not_before_s = NOW_S - HOUR_S,
		.not_after_s = NOW_S + 10 * HOUR_S,
	};

	REQUIRE_OK(cert_make(&t->arena, &o, &ca.pem, &e), &e);
	REQUIRE_OK(cert_roots_read(ca.pem, &ca.roots, &e), &e);
	return ca;
}

static void drop_authority(struct authority *ca)
{
	key_drop(ca->key);
	cert_roots_drop(ca->roots);
}

static struct cert_order order_from(
	const struct authority *ca, const struct key *k, unsigned usages)
{
	static const str organizations[] = {STR_INIT("system:nodes"), STR_INIT("O\xc3\xbc")};
	static const str dns[] = {STR_INIT("a.example"), STR_INIT("*.b.example")};
	static const str ips[] = {STR_INIT("10.0.0.1"), STR_INIT("fd00::1")};
	static const str uids[] = {STR_INIT("uid-1")};

	return (struct cert_order){
		.subject = {.common_name = STR(LONG_NAME),
			.organizations = {organizations, COUNT_OF(organizations)},
			.uids = {uids, COUNT_OF(uids)},
			.dns = {dns, COUNT_OF(dns)},
			.ips = {ips, COUNT_OF(ips)}},
		.key = k,
		.usages = usages,
		.not_before_s = NOW_S - HOUR_S,
		.not_after_s = NOW_S + HOUR_S,
		.ca_pem = ca->pem,
		.ca_key = ca->key,
	};
}

static struct cert *read_one(struct test *t, str pem)
{
	struct cert *c;
	struct err e;
	size_t len;

	REQUIRE_OK(cert_read(&t->arena, pem, &c, &len, &e), &e);
	CHECK_INT(len, 1);
	return c;
}

static str issue(struct test *t, const struct cert_order *o)
{
	struct err e;
	str pem = {NULL, 0};

	REQUIRE_OK(cert_make(&t->arena, o, &pem, &e), &e);
	return pem;
}

TEST(cert_says_what_was_ordered)
{
	struct authority ca = make_authority(t, "kubernetes");
	struct key *k;
	struct err e;

	REQUIRE_OK(key_make(&k, &e), &e);
	struct cert_order o = order_from(
		&ca, k, CERT_DIGITAL_SIGNATURE | CERT_KEY_ENCIPHERMENT | CERT_CLIENT_AUTH);
	struct cert *c = read_one(t, issue(t, &o));

	CHECK_BYTES(c->subject.common_name, o.subject.common_name);
	REQUIRE(c->subject.organizations.len == 2 && c->subject.dns.len == 2 &&
		c->subject.ips.len == 2);
	CHECK_STR(c->subject.organizations.at[0], "system:nodes");
	CHECK_STR(c->subject.organizations.at[1], "O\xc3\xbc");
	CHECK_STR(c->subject.dns.at[1], "*.b.example");
	CHECK_STR(c->subject.ips.at[0], "10.0.0.1");
	CHECK_STR(c->subject.ips.at[1], "fd00::1");
	CHECK_STR(c->issuer_common_name, "kubernetes");
	CHECK_INT(c->not_before_s, NOW_S - HOUR_S);
	CHECK_INT(c->not_after_s, NOW_S + HOUR_S);
	CHECK_INT(c->usages, o.usages);
	CHECK(!c->is_ca && !c->subject.other_names);
	REQUIRE(c->subject.uids.len == 1);
	CHECK_STR(c->subject.uids.at[0], "uid-1");
	CHECK_INT(c->serial.len, 16);

	struct cert again;

	CHECK_OK(cert_read_der(&t->arena, c->der, &again, &e), &e);
	CHECK_BYTES(again.serial, c->serial);
	CHECK_BYTES(read_one(t, cert_pem(c->der, &t->arena))->der, c->der);
	CHECK(read_one(t, ca.pem)->is_ca);
	key_drop(k);
	drop_authority(&ca);
}

TEST(cert_is_trusted_only_in_its_time_for_its_use_under_its_root)
{
	struct authority ca = make_authority(t, "ours"), other = make_authority(t, "ours");
	struct key *k;
	struct err e;

	REQUIRE_OK(key_make(&k, &e), &e);
	struct cert_order o = order_from(&ca, k, CERT_DIGITAL_SIGNATURE | CERT_CLIENT_AUTH);
	struct cert_list chain = LIST(read_one(t, issue(t, &o))->der);
	const struct {
		const struct cert_roots *roots;
		enum cert_usage usage;
		int64_t now_s;
		const char *why;
	} refused[] = {
		{other.roots, CERT_CLIENT_AUTH, NOW_S, "issuer"},
		{ca.roots, CERT_SERVER_AUTH, NOW_S, "purpose"},
		{ca.roots, CERT_CLIENT_AUTH, NOW_S + 2 * HOUR_S, "expired"},
		{ca.roots, CERT_CLIENT_AUTH, NOW_S - 2 * HOUR_S, "not yet valid"},
	};

	CHECK_OK(cert_verify(ca.roots, chain, CERT_CLIENT_AUTH, NOW_S, &e), &e);
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		test_note(t, "case %zu", i);
		CHECK_FAILS(cert_verify(refused[i].roots, chain, refused[i].usage, refused[i].now_s,
				    &e),
			&e, ERR_UNAUTHORIZED, refused[i].why);
	}
	CHECK_FAILS(cert_verify(ca.roots, (struct cert_list){0}, CERT_CLIENT_AUTH, NOW_S, &e), &e,
		ERR_UNAUTHORIZED, "no certificate");
	key_drop(k);
	drop_authority(&ca);
	drop_authority(&other);
}

TEST(cert_chain_leads_through_an_intermediate)
{
	struct authority root = make_authority(t, "root"), middle = make_authority(t, "middle");
	struct key *k;
	struct err e;

	REQUIRE_OK(key_make(&k, &e), &e);
	struct cert_order up = order_from(&root, middle.key, CERT_SIGN);

	up.subject = (struct cert_subject){.common_name = STR("middle")};
	up.is_ca = true;
	middle.pem = issue(t, &up);

	struct cert_order leaf = order_from(&middle, k, CERT_SERVER_AUTH);
	str leaf_der = read_one(t, issue(t, &leaf))->der, middle_der = read_one(t, middle.pem)->der;

	CHECK_OK(cert_verify(root.roots, LIST(leaf_der, middle_der), CERT_SERVER_AUTH, NOW_S, &e),
		&e);
	CHECK_FAILS(cert_verify(root.roots, LIST(leaf_der), CERT_SERVER_AUTH, NOW_S, &e), &e,
		ERR_UNAUTHORIZED, "issuer");
	key_drop(k);
	drop_authority(&root);
	drop_authority(&middle);
}

TEST(cert_request_carries_its_subject_and_its_key)
{
	struct cert_subject s = {.common_name = STR("system:node:n1"),
		.organizations = LIST(STR("system:nodes")),
		.dns = LIST(STR("n1")),
		.ips = LIST(STR("10.0.0.9"))};
	struct cert_request r;
	struct key *k;
	struct err e;
	str pem;

	REQUIRE_OK(key_make(&k, &e), &e);
	REQUIRE_OK(cert_request_make(&t->arena, k, &s, &pem, &e), &e);
	REQUIRE_OK(cert_request_read(&t->arena, pem, &r, &e), &e);
	CHECK_STR(r.subject.common_name, "system:node:n1");
	CHECK_STR(r.subject.organizations.at[0], "system:nodes");
	CHECK_STR(r.subject.dns.at[0], "n1");
	CHECK_STR(r.subject.ips.at[0], "10.0.0.9");
	CHECK(key_same_public(r.key, k));
	CHECK(!r.is_ca && r.usages == 0);
	key_drop(r.key);

	/* One bit of the signature's last bytes turned over. */
	char *spoiled = (char *)arena_str(&t->arena, pem).at;
	char *last = strstr(spoiled, "\n-----END") - 6;

	*last = *last == 'A' ? 'B' : 'A';
	CHECK_FAILS(cert_request_read(&t->arena, str_span(spoiled, pem.len), &r, &e), &e,
		ERR_INVALID, "request");
	key_drop(k);
}

/* Go refuses such a certificate, too; taken for absent, its names would go unchecked. */
TEST(cert_refuses_an_extension_that_is_malformed)
{
	static const uint8_t extensions[][5] = {
		{0x06, 0x03, 0x55, 0x1d, 0x11}, /* subjectAltName */
		{0x06, 0x03, 0x55, 0x1d, 0x0f}, /* keyUsage */
		{0x06, 0x03, 0x55, 0x1d, 0x13}, /* basicConstraints */
	};
	enum { VALUE_AT = sizeof(extensions[0]) };
	struct authority ca = make_authority(t, "ours");
	struct cert_order o = order_from(&ca, ca.key, CERT_SERVER_AUTH | CERT_KEY_ENCIPHERMENT);
	struct cert *whole = read_one(t, issue(t, &o)), spoiled;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(extensions); i++) {
		str id = str_span((const char *)extensions[i], VALUE_AT);
		str copy = arena_str(&t->arena, whole->der);
		ptrdiff_t at = str_find(copy, id);

		REQUIRE(at > 0);
		char *value = (char *)copy.at + at + VALUE_AT;

		/* Perhaps that it is critical; then OCTET STRING, its length, the value's tag. */
		value += value[0] == 0x01 ? 3 : 0;
		REQUIRE(value[0] == 0x04);
		value[2] = 0x05;
		CHECK_FAILS(cert_read_der(&t->arena, copy, &spoiled, &e), &e, ERR_INVALID,
			"extension is malformed");
	}
	drop_authority(&ca);
}

TEST(cert_refuses_wrong_input)
{
	struct authority ca = make_authority(t, "ours"), other = make_authority(t, "theirs");
	struct cert_order o = order_from(&ca, other.key, CERT_SERVER_AUTH);
	struct cert *c;
	struct err e;
	size_t len;
	str pem;

	o.ca_key = other.key;
	CHECK_FAILS(cert_make(&t->arena, &o, &pem, &e), &e, ERR_INVALID, "do not belong together");
	o.ca_key = ca.key;
	o.subject.ips = LIST(STR("not an address"));
	CHECK_FAILS(cert_make(&t->arena, &o, &pem, &e), &e, ERR_INVALID, "IP address");
	CHECK_FAILS(
		cert_read(&t->arena, STR("text"), &c, &len, &e), &e, ERR_INVALID, "no certificate");
	str half = str_slice(ca.pem, 0, ca.pem.len / 2);

	CHECK_FAILS(cert_read(&t->arena, half, &c, &len, &e), &e, ERR_INVALID, "certificate");
	struct cert *whole = read_one(t, ca.pem);
	struct cert spoiled;

	CHECK_FAILS(cert_read_der(
			    &t->arena, str_slice(whole->der, 0, whole->der.len - 1), &spoiled, &e),
		&e, ERR_INVALID, "certificate");
	drop_authority(&ca);
	drop_authority(&other);
}
