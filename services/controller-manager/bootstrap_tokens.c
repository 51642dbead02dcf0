#include "controller-manager/bootstrap_tokens.h"

#include "lib/codec/base64.h"
#include "lib/codec/json.h"
#include "lib/crypto/digest.h"

#define NAME_PREFIX STR("bootstrap-token-")

bool bootstrap_token_is(const struct secret *s)
{
	return str_eq(s->metadata.namespace, BOOTSTRAP_NAMESPACE) &&
		str_eq(s->type, STR("bootstrap.kubernetes.io/token"));
}

int64_t bootstrap_token_left_s(const struct secret *s, int64_t now_s)
{
	str text = str_map_get(&s->data, STR("expiration"));
	struct time_value until;
	struct err e;

	if (text.len == 0)
		return INT64_MAX;
	if (time_parse(text, &until, &e) < 0 || until.seconds <= now_s)
		return 0;
	return until.seconds - now_s;
}

bool bootstrap_token_signs(const struct secret *s, int64_t now_s, str *id, str *secret)
{
	str name = s->metadata.name, prefix = NAME_PREFIX;

	*id = str_map_get(&s->data, STR("token-id"));
	*secret = str_map_get(&s->data, STR("token-secret"));
	return str_starts(name, prefix) && id->len > 0 && secret->len > 0 &&
		str_eq(str_slice(name, prefix.len, name.len), *id) &&
		bootstrap_token_left_s(s, now_s) > 0 &&
		str_eq(str_map_get(&s->data, STR("usage-bootstrap-signing")), STR("true"));
}

str bootstrap_token_signature(struct arena *a, str content, str id, str secret)
{
	uint8_t digest[DIGEST_SHA256_BYTES];
	struct buf header, input;

	buf_init(&header, BUF_NO_LIMIT);
	buf_init(&input, BUF_NO_LIMIT);
	buf_add_str(&header, STR("{\"alg\":\"HS256\",\"kid\":"));
	json_put_str(&header, id);
	buf_add_char(&header, '}');
	base64url_put(&input, buf_str(&header));
	str head = arena_str(a, buf_str(&input));

	buf_add_char(&input, '.');
	base64url_put(&input, content);
	digest_hmac_sha256(secret, buf_str(&input), digest);
	buf_reset(&input);
	buf_add_str(&input, head);
	buf_add_str(&input, STR(".."));
	base64url_put(&input, str_span((const char *)digest, sizeof(digest)));
	str signature = arena_str(a, buf_str(&input));

	buf_free(&header);
	buf_free(&input);
	return signature;
}
