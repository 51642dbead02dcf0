#include "lib/jose/jwt.h"

#include "lib/codec/base64.h"
#include "lib/codec/json.h"
#include "lib/crypto/digest.h"

static int read_header(struct arena *a, str header, struct jwt *to, struct err *e);

int jwt_read(struct arena *a, str token, struct jwt *to, struct err *e)
{
	struct jwt read = {0};
	str rest = token, json;

	if (token.len > JWT_BYTES_MAX)
		return err_set(e, ERR_INVALID, "a token of more than %d bytes", JWT_BYTES_MAX);
	str header = str_cut(&rest, '.');
	str payload = str_cut(&rest, '.');

	if (!rest.at || str_find_char(rest, '.') >= 0)
		return err_set(e, ERR_INVALID, "a token has three parts between dots");
	read.signed_part = str_slice(token, 0, header.len + 1 + payload.len);
	TRY(base64url_read(a, header, &json, e));
	TRY(read_header(a, json, &read, e));
	TRY(base64url_read(a, payload, &read.payload, e));
	TRY(base64url_read(a, rest, &read.signature, e));
	*to = read;
	return 0;
}

int jwt_verify(const struct jwt *t, const struct key *k, struct err *e)
{
	return key_verify(k, t->algorithm, t->signed_part, t->signature, e);
}

int jwt_sign(
	struct arena *a, const struct key *k, str key_id, str payload, str *token, struct err *e)
{
	uint8_t signature[KEY_SIGNATURE_MAX_BYTES];
	size_t len;
	struct buf b, header;

	buf_init(&header, BUF_NO_LIMIT);
	buf_add_fmt(&header, "{\"alg\":\"%.*s\",\"kid\":", STR_ARG(jwt_algorithm(k)));
	json_put_str(&header, key_id);
	buf_add_char(&header, '}');
	buf_init(&b, BUF_NO_LIMIT);
	base64url_put(&b, buf_str(&header));
	buf_free(&header);
	buf_add_char(&b, '.');
	base64url_put(&b, payload);

	int result = key_sign(
		k, key_kind(k) == KEY_RSA ? KEY_RS256 : KEY_ES256, buf_str(&b), signature, &len, e);

	if (result == 0) {
		buf_add_char(&b, '.');
		base64url_put(&b, str_span((char *)signature, len));
		result = buf_ok(&b, "a token", e);
	}
	if (result == 0)
		*token = arena_str(a, buf_str(&b));
	buf_free(&b);
	return result;
}

str jwt_key_id(const struct key *k, struct arena *a)
{
	uint8_t sum[DIGEST_SHA256_BYTES];
	struct buf b;

	digest_sha256(key_public_der(k, a), sum);
	buf_init(&b, BUF_NO_LIMIT);
	base64url_put(&b, str_span((char *)sum, sizeof(sum)));
	str id = arena_str(a, buf_str(&b));

	buf_free(&b);
	return id;
}

str jwt_algorithm(const struct key *k)
{
	switch (key_kind(k)) {
	case KEY_ECDSA_P256: return STR("ES256");
	case KEY_RSA: return STR("RS256");
	default: return (str){NULL, 0};
	}
}

static void put_number(struct buf *b, const char *name, str bytes)
{
	buf_add_fmt(b, ",\"%s\":\"", name);
	base64url_put(b, bytes);
	buf_add_char(b, '"');
}

int jwt_put_key(struct buf *b, const struct key *k, struct arena *a, struct err *e)
{
	bool rsa = key_kind(k) == KEY_RSA;
	str first, second;

	TRY(key_public_numbers(k, a, &first, &second, e));
	buf_add_fmt(b, "{\"use\":\"sig\",\"kty\":\"%s\",\"kid\":\"%.*s\"", rsa ? "RSA" : "EC",
		STR_ARG(jwt_key_id(k, a)));
	if (!rsa)
		buf_add_str(b, STR(",\"crv\":\"P-256\""));
	buf_add_fmt(b, ",\"alg\":\"%.*s\"", STR_ARG(jwt_algorithm(k)));
	put_number(b, rsa ? "n" : "x", first);
	put_number(b, rsa ? "e" : "y", second);
	buf_add_char(b, '}');
	return 0;
}

/* A critical extension (RFC 7515, 4.1.11) is one that we do not know. */
static int read_header(struct arena *a, str header, struct jwt *to, struct err *e)
{
	struct json_item root, member;

	TRY(json_parse(a, header, &root, e));
	if (root.kind != JSON_OBJECT || json_member(&root, STR("crit"), &member))
		return err_set(e, ERR_INVALID, "a token's header is an object without \"crit\"");
	if (!json_member(&root, STR("alg"), &member) || member.kind != JSON_STRING)
		return err_set(e, ERR_INVALID, "a token's header names its algorithm");
	if (str_eq(member.text, STR("ES256")))
		to->algorithm = KEY_ES256;
	else if (str_eq(member.text, STR("RS256")))
		to->algorithm = KEY_RS256;
	else
		return err_set(e, ERR_INVALID, "a token signed by neither ES256 nor RS256");
	if (!json_member(&root, STR("kid"), &member) || member.kind == JSON_NULL)
		return 0;
	if (member.kind != JSON_STRING)
		return err_set(e, ERR_INVALID, "a token's key id is text");
	to->key_id = member.text;
	return 0;
}
