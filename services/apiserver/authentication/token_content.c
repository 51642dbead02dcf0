#include "apiserver/authentication/service_account.h"

#include "lib/codec/json.h"

#include <math.h>

/* Claims as JSON: read from a token's payload, and written into one in the order of their names, as
 * upstream's come out of a map. */

static int read_text(const struct json_item *object, const char *name, str *to, struct err *e);
static int read_time(struct arena *a, const struct json_item *object, const char *name,
	int64_t **to, struct err *e);
static int read_audiences(
	struct arena *a, const struct json_item *claims, struct str_list *to, struct err *e);
static int read_bound_claims(
	struct arena *a, const struct json_item *claims, struct token_content *to, struct err *e);
static int read_legacy_claims(
	const struct json_item *claims, struct token_content *to, struct err *e);

int token_content_read(struct arena *a, str payload, struct token_content *to, struct err *e)
{
	struct token_content c = {0};
	struct json_item claims;

	TRY(json_parse(a, payload, &claims, e));
	if (claims.kind != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "a token's claims are an object");
	TRY(read_text(&claims, "iss", &c.issuer, e));
	TRY(read_text(&claims, "sub", &c.subject, e));
	TRY(read_text(&claims, "jti", &c.id, e));
	TRY(read_audiences(a, &claims, &c.audiences, e));
	TRY(read_time(a, &claims, "exp", &c.expires_s, e));
	TRY(read_time(a, &claims, "nbf", &c.not_before_s, e));
	TRY(read_time(a, &claims, "iat", &c.issued_s, e));
	c.legacy = str_eq(c.issuer, STR(TOKEN_LEGACY_ISSUER));
	if (c.legacy)
		TRY(read_legacy_claims(&claims, &c, e));
	else
		TRY(read_bound_claims(a, &claims, &c, e));
	*to = c;
	return 0;
}

static void put_time(struct buf *b, const char *name, const int64_t *value_s)
{
	if (value_s)
		buf_add_fmt(b, "\"%s\":%lld,", name, (long long)*value_s);
}

static void put_bound(struct buf *b, const char *name, const struct token_bound *o)
{
	if (!o->name.at)
		return;
	buf_add_fmt(b, ",\"%s\":{\"name\":", name);
	json_put_str(b, o->name);
	if (o->uid.len > 0) {
		buf_add_str(b, STR(",\"uid\":"));
		json_put_str(b, o->uid);
	}
	buf_add_char(b, '}');
}

void token_content_put(struct buf *b, const struct token_content *c)
{
	buf_add_str(b, STR("{\"aud\":["));
	for (size_t i = 0; i < c->audiences.len; i++) {
		if (i > 0)
			buf_add_char(b, ',');
		json_put_str(b, c->audiences.at[i]);
	}
	buf_add_str(b, STR("],"));
	put_time(b, "exp", c->expires_s);
	put_time(b, "iat", c->issued_s);
	buf_add_str(b, STR("\"iss\":"));
	json_put_str(b, c->issuer);
	buf_add_str(b, STR(",\"jti\":"));
	json_put_str(b, c->id);
	buf_add_str(b, STR(",\"kubernetes.io\":{\"namespace\":"));
	json_put_str(b, c->ns);
	put_bound(b, "node", &c->node);
	put_bound(b, "pod", &c->pod);
	put_bound(b, "secret", &c->secret);
	put_bound(b, "serviceaccount", &c->account);
	if (c->warn_after_s)
		buf_add_fmt(b, ",\"warnafter\":%lld", (long long)c->warn_after_s);
	buf_add_str(b, STR("},"));
	put_time(b, "nbf", c->not_before_s);
	buf_add_str(b, STR("\"sub\":"));
	json_put_str(b, c->subject);
	buf_add_char(b, '}');
}

static int read_text(const struct json_item *object, const char *name, str *to, struct err *e)
{
	struct json_item item;

	if (!json_member(object, str_of(name), &item) || item.kind == JSON_NULL)
		return 0;
	if (item.kind != JSON_STRING)
		return err_set(e, ERR_INVALID, "a token's claim %s is text", name);
	*to = item.text;
	return 0;
}

/* A NumericDate may have decimals, which upstream cuts. */
static int read_time(struct arena *a, const struct json_item *object, const char *name,
	int64_t **to, struct err *e)
{
	const double year_9999 = 253402300799;
	struct json_item item;
	double value;

	if (!json_member(object, str_of(name), &item) || item.kind == JSON_NULL)
		return 0;
	if (item.kind != JSON_NUMBER || !json_to_f64(&item, &value) || fabs(value) > year_9999)
		return err_set(e, ERR_INVALID, "a token's claim %s is a time", name);
	*to = arena_i64(a, (int64_t)value);
	return 0;
}

static int read_audiences(
	struct arena *a, const struct json_item *claims, struct str_list *to, struct err *e)
{
	struct json_item audiences, item;

	if (!json_member(claims, STR("aud"), &audiences) || audiences.kind == JSON_NULL)
		return 0;
	if (audiences.kind == JSON_STRING) {
		to->at = arena_get(a, sizeof(*to->at));
		to->at[to->len++] = audiences.text;
		return 0;
	}
	if (audiences.kind != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "a token's audience is text or a list of it");
	to->at = arena_try_array(a, audiences.count, sizeof(*to->at));
	if (!to->at)
		return arena_full(a, e);
	for (struct json_walk w = json_enter(&audiences); json_next(&w, &item);) {
		if (item.kind != JSON_STRING)
			return err_set(
				e, ERR_INVALID, "a token's audience is text or a list of it");
		to->at[to->len++] = item.text;
	}
	return 0;
}

static int read_bound(
	const struct json_item *from, const char *name, struct token_bound *to, struct err *e)
{
	struct json_item item;

	if (!json_member(from, str_of(name), &item) || item.kind == JSON_NULL)
		return 0;
	if (item.kind != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "a token's claim %s is an object", name);
	to->name = STR("");
	TRY(read_text(&item, "name", &to->name, e));
	return read_text(&item, "uid", &to->uid, e);
}

static int read_bound_claims(
	struct arena *a, const struct json_item *claims, struct token_content *to, struct err *e)
{
	struct json_item own;
	int64_t *warn_after_s = NULL;

	if (!json_member(claims, STR("kubernetes.io"), &own) || own.kind != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "a token without the claim kubernetes.io");
	TRY(read_text(&own, "namespace", &to->ns, e));
	TRY(read_bound(&own, "serviceaccount", &to->account, e));
	TRY(read_bound(&own, "pod", &to->pod, e));
	TRY(read_bound(&own, "secret", &to->secret, e));
	TRY(read_bound(&own, "node", &to->node, e));
	TRY(read_time(a, &own, "warnafter", &warn_after_s, e));
	to->warn_after_s = warn_after_s ? *warn_after_s : 0;
	return 0;
}

static int read_legacy_claims(
	const struct json_item *claims, struct token_content *to, struct err *e)
{
	TRY(read_text(claims, "kubernetes.io/serviceaccount/namespace", &to->ns, e));
	TRY(read_text(claims, "kubernetes.io/serviceaccount/secret.name", &to->secret.name, e));
	TRY(read_text(
		claims, "kubernetes.io/serviceaccount/service-account.name", &to->account.name, e));
	return read_text(
		claims, "kubernetes.io/serviceaccount/service-account.uid", &to->account.uid, e);
}
