#include "apiserver/authentication/service_account.h"
#include "apiserver/authentication/state.h"
#include "lib/codec/json.h"
#include "lib/jose/jwt.h"
#include "lib/value/uuid.h"

static bool fit_for_openid(str issuer);
static str configuration(struct authenticator *z);
static bool is_for_us(const struct authenticator *z, struct str_list audiences);

int issuer_open(struct authenticator *z, struct err *e)
{
	const struct authenticator_options *o = &z->options;
	struct buf b;

	if (o->service_account_signing_key_pem.len > 0) {
		if (key_read_private(o->service_account_signing_key_pem, &z->signing_key, e) < 0)
			return err_context(e, "--service-account-signing-key-file");
		if (!jwt_algorithm(z->signing_key).at)
			return err_set(e, ERR_UNSUPPORTED,
				"--service-account-signing-key-file: the key is neither ECDSA on "
				"P-256 nor RSA");
		z->signing_key_id = jwt_key_id(z->signing_key, &z->arena);
	}
	if (z->keys.len == 0 || !fit_for_openid(o->service_account_issuer))
		return 0;
	buf_init(&b, BUF_NO_LIMIT);
	int result = keyring_put_jwks(&b, &z->keys, &z->arena, e);

	z->jwks = arena_str(&z->arena, buf_str(&b));
	buf_free(&b);
	z->openid_configuration = configuration(z);
	return result;
}

int authenticator_issue(struct authenticator *z, struct arena *a, const struct token_claims *c,
	str *token, int64_t *expires_s, struct err *e)
{
	const struct authenticator_options *o = &z->options;
	int64_t now_s = o->clock->wall_ns(o->clock) / NS_PER_S;
	int64_t lives_s = c->expires_in_s;

	if (!z->signing_key)
		return err_set(e, ERR_UNSUPPORTED,
			"no tokens are made without --service-account-signing-key-file");
	if (o->token_expiration_max_s > 0 && lives_s > o->token_expiration_max_s)
		lives_s = o->token_expiration_max_s;
	int64_t promised_s = now_s + lives_s;
	struct token_content content = {
		.issuer = o->service_account_issuer,
		.subject = arena_fmt(
			a, USER_SA_PREFIX "%.*s:%.*s", STR_ARG(c->ns), STR_ARG(c->service_account)),
		.audiences = c->audiences.len ? c->audiences : o->audiences,
		.issued_s = &now_s,
		.not_before_s = &now_s,
		.expires_s = &promised_s,
		.ns = c->ns,
		.account = {c->service_account, c->service_account_uid},
		.pod = {c->pod, c->pod_uid},
		.secret = {c->secret, c->secret_uid},
		.node = {c->node, c->node_uid},
	};
	int64_t ends_s = now_s + TOKEN_EXTENDED_S;
	struct buf b;

	if (o->extend_token_expiration && c->pod.at && lives_s == TOKEN_WARN_AFTER_S &&
		is_for_us(z, content.audiences)) {
		content.expires_s = &ends_s;
		content.warn_after_s = promised_s;
	}
	content.id = uuid_new(o->random, a);
	buf_init(&b, JWT_BYTES_MAX);
	token_content_put(&b, &content);
	int result = buf_ok(&b, "a token's claims", e);

	if (result == 0)
		result = jwt_sign(a, z->signing_key, z->signing_key_id, buf_str(&b), token, e);
	buf_free(&b);
	if (result == 0)
		*expires_s = promised_s;
	return result;
}

/* OpenID Connect Discovery 1.0, 3: an https URL without query or fragment. */
static bool fit_for_openid(str issuer)
{
	return str_starts(issuer, STR("https://")) && str_find_char(issuer, '?') < 0 &&
		str_find_char(issuer, '#') < 0;
}

static str configuration(struct authenticator *z)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("{\"issuer\":"));
	json_put_str(&b, z->options.service_account_issuer);
	buf_add_str(&b, STR(",\"jwks_uri\":"));
	json_put_str(&b, z->options.service_account_jwks_uri);
	buf_add_str(&b,
		STR(",\"response_types_supported\":[\"id_token\"],"
		    "\"subject_types_supported\":[\"public\"],"
		    "\"id_token_signing_alg_values_supported\":"));
	keyring_put_algorithms(&b, &z->keys);
	buf_add_char(&b, '}');
	str text = arena_str(&z->arena, buf_str(&b));

	buf_free(&b);
	return text;
}

static bool is_for_us(const struct authenticator *z, struct str_list audiences)
{
	const struct str_list *ours = &z->options.audiences;

	for (size_t i = 0; i < audiences.len; i++) {
		bool found = false;

		for (size_t j = 0; j < ours->len; j++)
			found |= str_eq(audiences.at[i], ours->at[j]);
		if (!found)
			return false;
	}
	return true;
}
