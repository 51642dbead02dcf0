#include "apiserver/authentication/peer.h"
#include "apiserver/authentication/request_header.h"
#include "lib/base/test.h"

enum { HOUR_S = 3600, NOW_S = 1750000000 };

struct authority {
	struct key *key;
	str pem;
	struct cert_roots *roots;
};

static struct authority make_authority(struct test *t)
{
	struct authority ca;
	struct err e;

	REQUIRE_OK(key_make(&ca.key, &e), &e);
	struct cert_order o = {
		.subject = {.common_name = STR("ca")},
		.key = ca.key,
		.ca_key = ca.key,
		.usages = CERT_SIGN | CERT_DIGITAL_SIGNATURE,
		.is_ca = true,
		.not_before_s = NOW_S - HOUR_S,
		.not_after_s = NOW_S + HOUR_S,
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

/* A certificate's DER as the only one of a chain. */
static struct cert_list issue(
	struct test *t, const struct authority *ca, struct cert_subject subject, unsigned usage)
{
	str *chain = arena_get(&t->arena, sizeof(*chain));
	struct cert *read;
	struct err e;
	size_t len;
	str pem;
	struct cert_order o = {
		.subject = subject,
		.key = ca->key,
		.ca_key = ca->key,
		.ca_pem = ca->pem,
		.usages = CERT_DIGITAL_SIGNATURE | usage,
		.not_before_s = NOW_S - HOUR_S,
		.not_after_s = NOW_S + HOUR_S / 2,
	};

	REQUIRE_OK(cert_make(&t->arena, &o, &pem, &e), &e);
	REQUIRE_OK(cert_read(&t->arena, pem, &read, &len, &e), &e);
	*chain = read->der;
	return (struct cert_list){chain, 1};
}

TEST(certificate_of_the_client_ca_names_a_user)
{
	static const str groups[] = {STR_INIT("boats"), STR_INIT("crew")}, uid[] = {STR_INIT("7")};
	struct authority ca = make_authority(t);
	struct peer_rules r = {.clients = ca.roots};
	struct cert_list chain = issue(t, &ca,
		(struct cert_subject){
			.common_name = STR("jane"), .organizations = {groups, 2}, .uids = {uid, 1}},
		CERT_CLIENT_AUTH);
	struct peer *p = peer_judge(&r, chain, NOW_S);

	REQUIRE(p->user);
	CHECK_STR(p->user->name, "jane");
	CHECK_STR(p->user->uid, "7");
	CHECK_INT(p->user->groups.len, 3);
	CHECK_STR(p->user->groups.at[1], "crew");
	CHECK_STR(p->user->groups.at[2], "system:authenticated");
	CHECK(!p->is_proxy && !p->fault.kind);
	struct str_list id = user_extra(p->user, STR("authentication.kubernetes.io/credential-id"));

	REQUIRE(id.len == 1);
	CHECK(str_starts(id.at[0], STR("X509SHA256=")) && id.at[0].len == 11 + 64);
	counted_drop(&p->counted);
	drop_authority(&ca);
}

TEST(certificate_that_does_not_hold_is_nobodys)
{
	static const str uids[] = {STR_INIT("7"), STR_INIT("8")}, empty[] = {STR_INIT("")};
	struct authority ca = make_authority(t), other = make_authority(t);
	struct cert_subject jane = {.common_name = STR("jane")};
	const struct {
		const char *what;
		struct cert_list chain;
		int64_t now_s;
		bool fault;
	} cases[] = {
		{"of another CA", issue(t, &other, jane, CERT_CLIENT_AUTH), NOW_S, true},
		{"expired", issue(t, &ca, jane, CERT_CLIENT_AUTH), NOW_S + HOUR_S, true},
		{"a server's", issue(t, &ca, jane, CERT_SERVER_AUTH), NOW_S, true},
		{"two uids",
			issue(t, &ca,
				(struct cert_subject){
					.common_name = STR("jane"), .uids = {uids, 2}},
				CERT_CLIENT_AUTH),
			NOW_S, true},
		{"an empty uid",
			issue(t, &ca,
				(struct cert_subject){
					.common_name = STR("jane"), .uids = {empty, 1}},
				CERT_CLIENT_AUTH),
			NOW_S, true},
		{"garbage", {(const str[]){STR("\x30\x03garbage")}, 1}, NOW_S, true},
		{"no name",
			issue(t, &ca, (struct cert_subject){.organizations = {uids, 1}},
				CERT_CLIENT_AUTH),
			NOW_S, false},
		{"none", {NULL, 0}, NOW_S, false},
	};
	struct peer_rules r = {.clients = ca.roots};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct peer *p = peer_judge(&r, cases[i].chain, cases[i].now_s);

		test_note(t, "%s", cases[i].what);
		CHECK(!p->user && !p->is_proxy);
		CHECK(!!p->fault.kind == cases[i].fault);
		counted_drop(&p->counted);
	}
	drop_authority(&ca);
	drop_authority(&other);
}

TEST(proxy_needs_its_own_ca_and_name)
{
	struct authority ca = make_authority(t), front = make_authority(t);
	str allowed[] = {STR("front-proxy")};
	struct cert_subject proxy = {.common_name = STR("front-proxy")},
			    other = {.common_name = STR("other")};
	struct peer_rules r = {ca.roots, front.roots, {allowed, 1}};
	struct peer *p = peer_judge(&r, issue(t, &front, proxy, CERT_CLIENT_AUTH), NOW_S);

	CHECK(p->is_proxy && !p->user);
	counted_drop(&p->counted);
	p = peer_judge(&r, issue(t, &front, other, CERT_CLIENT_AUTH), NOW_S);
	CHECK(!p->is_proxy && p->fault.kind);
	counted_drop(&p->counted);
	p = peer_judge(&r, issue(t, &ca, proxy, CERT_CLIENT_AUTH), NOW_S);
	CHECK(!p->is_proxy && p->user);
	counted_drop(&p->counted);
	r.proxy_names.len = 0;
	p = peer_judge(&r, issue(t, &front, other, CERT_CLIENT_AUTH), NOW_S);
	CHECK(p->is_proxy);
	counted_drop(&p->counted);
	drop_authority(&ca);
	drop_authority(&front);
}

TEST(proxy_names_a_user_in_header_fields)
{
	str users[] = {STR("X-Remote-User"), STR("X-Other")}, groups[] = {STR("X-Remote-Group")},
	    prefixes[] = {STR("X-Remote-Extra-")}, uids[] = {STR("X-Remote-Uid")};
	struct request_header_names n = {{users, 2}, {uids, 1}, {groups, 1}, {prefixes, 1}};
	const struct user *u = request_header_user(&t->arena, &n,
		HTTP_HEADERS({STR("x-remote-group"), STR("a")}, {STR("x-other"), STR("jane")},
			{STR("x-remote-extra-scopes"), STR("1")},
			{STR("x-remote-extra-acme%2fproject"), STR("p")},
			{STR("x-remote-group"), STR("b")}, {STR("x-remote-extra-%zz"), STR("raw")},
			{STR("x-remote-extra-scopes"), STR("2")},
			{STR("x-remote-uid"), STR("u-1")}));

	REQUIRE(u);
	CHECK_STR(u->name, "jane");
	CHECK_STR(u->uid, "u-1");
	REQUIRE(u->groups.len == 2);
	CHECK_STR(u->groups.at[1], "b");
	REQUIRE(u->extra_count == 3);
	CHECK_STR(u->extra[0].key, "%zz");
	CHECK_STR(u->extra[1].key, "acme/project");
	CHECK_STR(u->extra[2].key, "scopes");
	REQUIRE(u->extra[2].values.len == 2);
	CHECK_STR(u->extra[2].values.at[1], "2");
	CHECK(!request_header_user(
		&t->arena, &n, HTTP_HEADERS({STR("x-remote-group"), STR("system:masters")})));
	CHECK(!request_header_user(&t->arena, &n, HTTP_HEADERS({STR("x-remote-user"), STR("")})));
}

TEST(user_is_copied_whole)
{
	struct user_extra extra = {STR("k"), {(str[]){STR("v"), STR("")}, 2}};
	struct user from = {.name = STR("jane"),
		.groups = {(str[]){STR("abc"), STR("d")}, 2},
		.extra = &extra,
		.extra_count = 1};
	struct user *u = user_new(&from);
	str ns, name;

	CHECK_STR(u->name, "jane");
	CHECK(!u->uid.at);
	CHECK(user_in_group(u, STR("d")) && !user_in_group(u, STR("e")));
	CHECK_STR(user_extra(u, STR("k")).at[0], "v");
	counted_drop(&u->counted);
	CHECK(user_service_account(STR("system:serviceaccount:a:b.c"), &ns, &name));
	CHECK_STR(ns, "a");
	CHECK_STR(name, "b.c");
	CHECK(!user_service_account(STR("system:serviceaccount:a"), &ns, &name));
	CHECK(!user_service_account(STR("system:serviceaccount:a:b:c"), &ns, &name));
	CHECK(!user_service_account(STR("system:serviceaccount::b"), &ns, &name));
	CHECK(!user_service_account(STR("system:node:a:b"), &ns, &name));
}
