#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/service_account.h"
#include "lib/base/test.h"
#include "lib/jose/jwt.h"

enum { NOW_S = 1750000000 };

static struct authenticator *open_issuer(struct test *t, const char *issuer, struct key *k,
	struct clock_fake *clock, struct random *random)
{
	str pem = key_public_pem(k, &t->arena);
	struct authenticator_options o = {
		.clock = &clock->clock,
		.random = random,
		.service_account_issuer = str_of(issuer),
		.service_account_jwks_uri = STR("https://here/openid/v1/jwks"),
		.service_account_key_pems = {&pem, 1},
		.service_account_signing_key_pem = key_private_pem(k, &t->arena),
		.extend_token_expiration = true,
		.token_expiration_max_s = 7200,
	};
	struct authenticator *z;
	struct err e;

	clock_fake_init(clock, NOW_S * NS_PER_S);
	random_repeatable(random, 1);
	REQUIRE_OK(authenticator_open(&o, &z, &e), &e);
	return z;
}

TEST(issued_token_says_what_was_asked)
{
	struct token_claims c = {.ns = STR("ns"),
		.service_account = STR("sa"),
		.service_account_uid = STR("u-sa"),
		.pod = STR("p"),
		.pod_uid = STR("u-p"),
		.expires_in_s = 3607};
	struct clock_fake clock;
	struct random random;
	struct token_content read;
	int64_t expires_s;
	struct key *k;
	struct jwt jwt;
	struct err e;
	str token;

	REQUIRE_OK(key_make(&k, &e), &e);
	struct authenticator *z = open_issuer(t, "https://issuer", k, &clock, &random);

	REQUIRE_OK(authenticator_issue(z, &t->arena, &c, &token, &expires_s, &e), &e);
	REQUIRE_OK(jwt_read(&t->arena, token, &jwt, &e), &e);
	CHECK_OK(jwt_verify(&jwt, k, &e), &e);
	CHECK_BYTES(jwt.key_id, jwt_key_id(k, &t->arena));
	REQUIRE_OK(token_content_read(&t->arena, jwt.payload, &read, &e), &e);
	CHECK_INT(expires_s, NOW_S + 3607);
	CHECK_INT(*read.expires_s, NOW_S + 31536000);
	CHECK_INT(read.warn_after_s, NOW_S + 3607);
	CHECK_INT(read.id.len, 36);
	CHECK_STR(read.audiences.at[0], "https://issuer");

	/* Not the kubelet's mark; longer than allowed; for somebody else. */
	c.expires_in_s = 9999;
	REQUIRE_OK(authenticator_issue(z, &t->arena, &c, &token, &expires_s, &e), &e);
	CHECK_INT(expires_s, NOW_S + 7200);
	c.expires_in_s = 3607;
	c.audiences = (struct str_list){(str[]){STR("vault")}, 1};
	REQUIRE_OK(authenticator_issue(z, &t->arena, &c, &token, &expires_s, &e), &e);
	REQUIRE_OK(jwt_read(&t->arena, token, &jwt, &e), &e);
	REQUIRE_OK(token_content_read(&t->arena, jwt.payload, &read, &e), &e);
	CHECK_INT(*read.expires_s, NOW_S + 3607);
	CHECK_INT(read.warn_after_s, 0);
	authenticator_close(z);
	key_drop(k);
}

TEST(openid_documents_are_for_https_issuers)
{
	struct clock_fake clock;
	struct random random;
	struct key *k;
	struct err e;

	REQUIRE_OK(key_make(&k, &e), &e);
	struct authenticator *z = open_issuer(t, "https://issuer", k, &clock, &random);

	CHECK_STR(authenticator_openid_configuration(z),
		"{\"issuer\":\"https://issuer\",\"jwks_uri\":\"https://here/openid/v1/jwks\","
		"\"response_types_supported\":[\"id_token\"],\"subject_types_supported\":"
		"[\"public\"],\"id_token_signing_alg_values_supported\":[\"ES256\"]}");
	CHECK(str_starts(
		authenticator_jwks(z), STR("{\"keys\":[{\"use\":\"sig\",\"kty\":\"EC\",\"kid\":")));
	authenticator_close(z);
	z = open_issuer(t, "kubernetes.default.svc", k, &clock, &random);
	CHECK(!authenticator_openid_configuration(z).at && !authenticator_jwks(z).at);
	authenticator_close(z);
	key_drop(k);
}
