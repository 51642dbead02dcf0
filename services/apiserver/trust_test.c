#include "apiserver/trust.h"

#include "lib/base/test.h"
#include "lib/crypto/cert.h"
#include "lib/crypto/key.h"
#include "lib/schema/object.h"

static const int64_t now_s = 1750000000;

static str make_ca(struct test *t, struct arena *a, str name, int64_t not_after_s)
{
	struct key *key;
	struct err e;
	str pem;

	REQUIRE_OK(key_make(&key, &e), &e);
	struct cert_order o = {
		.subject.common_name = name,
		.key = key,
		.ca_key = key,
		.is_ca = true,
		.not_before_s = now_s - 3600,
		.not_after_s = not_after_s,
	};
	REQUIRE_OK(cert_make(a, &o, &pem, &e), &e);
	key_drop(key);
	return pem;
}

static str value(const struct str_map *m, const char *key)
{
	str found = str_map_get(m, str_of(key));

	return found.at ? found : STR("(absent)");
}

TEST(headers_are_told_with_a_proxy_ca_alone)
{
	struct str_map data = {NULL, 0};
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	struct trust ours = {
		.client_ca_pem = make_ca(t, &a, STR("clients"), now_s + 1000),
		.username_headers = {(str[]){STR("X-Remote-User")}, 1},
	};
	trust_unite(&a, &ours, NULL, now_s, &data);
	CHECK(data.len == 1);
	CHECK_BYTES(value(&data, "client-ca-file"), ours.client_ca_pem);
	ours.proxy_ca_pem = make_ca(t, &a, STR("proxies"), now_s + 1000);
	data = (struct str_map){NULL, 0};
	trust_unite(&a, &ours, NULL, now_s, &data);
	CHECK_BYTES(value(&data, "requestheader-username-headers"), STR("[\"X-Remote-User\"]"));
	CHECK_BYTES(value(&data, "requestheader-group-headers"), STR("[]"));
	CHECK_BYTES(value(&data, "requestheader-uid-headers"), STR("(absent)"));
	arena_free(&a);
}

TEST(what_other_servers_told_stays_while_it_is_valid)
{
	struct str_map before = {NULL, 0}, data = {NULL, 0};
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	str kept = make_ca(t, &a, STR("theirs"), now_s + 1000);
	str expired = make_ca(t, &a, STR("old"), now_s - 1000);
	struct trust ours = {
		.proxy_ca_pem = make_ca(t, &a, STR("ours"), now_s + 1000),
		.allowed_names = {(str[]){STR("b"), STR("c")}, 2},
	};
	str_map_set(&a, &before, STR("requestheader-client-ca-file"),
		arena_fmt(&a, "%.*s%.*s%.*s", STR_ARG(kept), STR_ARG(expired),
			STR_ARG(ours.proxy_ca_pem)));
	str_map_set(&a, &before, STR("requestheader-allowed-names"), STR("[\"a\",\"b\"]"));
	str_map_set(&a, &before, STR("requestheader-group-headers"), STR("no JSON"));
	trust_unite(&a, &ours, &before, now_s, &data);
	CHECK_BYTES(value(&data, "requestheader-client-ca-file"),
		arena_fmt(&a, "%.*s%.*s", STR_ARG(kept), STR_ARG(ours.proxy_ca_pem)));
	CHECK_BYTES(value(&data, "requestheader-allowed-names"), STR("[\"a\",\"b\",\"c\"]"));
	CHECK_BYTES(value(&data, "requestheader-group-headers"), STR("[]"));
	arena_free(&a);
}
