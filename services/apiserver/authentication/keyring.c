#include "apiserver/authentication/keyring.h"

#include "lib/jose/jwt.h"

static int add(struct arena *a, str pem, struct keyring *r, struct err *e);

int keyring_read(struct arena *a, struct str_list pems, struct keyring *to, struct err *e)
{
	const str begin = STR("-----BEGIN");
	struct keyring r = {0};
	int result = 0;

	for (size_t i = 0; i < pems.len && result == 0; i++) {
		str rest = pems.at[i];
		ptrdiff_t at = str_find(rest, begin);

		if (at < 0)
			result = err_set(
				e, ERR_INVALID, "no key in PEM for service accounts' tokens");
		while (at >= 0 && result == 0) {
			rest = str_slice(rest, (size_t)at, rest.len);
			ptrdiff_t next = str_find(str_slice(rest, begin.len, rest.len), begin);
			size_t len = next < 0 ? rest.len : (size_t)next + begin.len;

			result = add(a, str_slice(rest, 0, len), &r, e);
			at = next < 0 ? -1 : (ptrdiff_t)len;
		}
	}
	if (result < 0)
		keyring_free(&r);
	else
		*to = r;
	return result;
}

void keyring_free(struct keyring *r)
{
	for (size_t i = 0; i < r->len; i++)
		key_drop(r->keys[i]);
	r->len = 0;
}

int keyring_put_jwks(struct buf *b, const struct keyring *r, struct arena *a, struct err *e)
{
	buf_add_str(b, STR("{\"keys\":["));
	for (size_t i = 0; i < r->len; i++) {
		if (i > 0)
			buf_add_char(b, ',');
		TRY(jwt_put_key(b, r->keys[i], a, e));
	}
	buf_add_str(b, STR("]}"));
	return 0;
}

void keyring_put_algorithms(struct buf *b, const struct keyring *r)
{
	bool ecdsa = false, rsa = false;

	for (size_t i = 0; i < r->len; i++) {
		rsa |= key_kind(r->keys[i]) == KEY_RSA;
		ecdsa |= key_kind(r->keys[i]) == KEY_ECDSA_P256;
	}
	buf_add_fmt(b, "[%s%s%s]", ecdsa ? "\"ES256\"" : "", ecdsa && rsa ? "," : "",
		rsa ? "\"RS256\"" : "");
}

static int add(struct arena *a, str pem, struct keyring *r, struct err *e)
{
	struct key *k;

	if (r->len == KEYRING_MAX)
		return err_set(e, ERR_LIMIT, "more than %d keys for service accounts' tokens",
			KEYRING_MAX);
	TRY(key_read_public(pem, &k, e));
	if (!jwt_algorithm(k).at) {
		key_drop(k);
		return err_set(e, ERR_UNSUPPORTED,
			"a key for service accounts' tokens that is neither ECDSA on P-256 nor "
			"RSA");
	}
	r->keys[r->len] = k;
	r->ids[r->len++] = jwt_key_id(k, a);
	return 0;
}
