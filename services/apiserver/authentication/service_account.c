#include "apiserver/authentication/service_account.h"

#include "lib/codec/json.h"
#include "lib/crypto/digest.h"

#define LABEL_INVALID_SINCE "kubernetes.io/legacy-token-invalid-since"
#define EXTRA_POD_NAME      "authentication.kubernetes.io/pod-name"
#define EXTRA_POD_UID       "authentication.kubernetes.io/pod-uid"
#define EXTRA_NODE_NAME     "authentication.kubernetes.io/node-name"
#define EXTRA_NODE_UID      "authentication.kubernetes.io/node-uid"
#define EXTRA_CREDENTIAL_ID "authentication.kubernetes.io/credential-id"

enum { EXTRAS_MAX = 5 };

static int check_times(const struct token_content *c, int64_t now_s, struct err *e);
static int check_account(const struct token_content *c, const struct service_account *s,
	int64_t gone_before_s, struct err *e);
static int check_bound(const char *kind, const struct token_bound *claimed,
	const struct object_meta *m, int64_t gone_before_s, struct err *e);
static int check_legacy(
	const struct token_content *c, const struct token_objects *o, str token, struct err *e);

int token_content_check(const struct token_content *c, const struct token_objects *o, str token,
	int64_t now_s, struct err *e)
{
	int64_t gone_before_s = now_s - TOKEN_LEEWAY_S;

	if (c->legacy)
		return check_legacy(c, o, token, e);
	TRY(check_times(c, now_s, e));
	TRY(check_account(c, o->account, gone_before_s, e));
	if (c->secret.name.at)
		TRY(check_bound("secret", &c->secret, o->secret ? &o->secret->metadata : NULL,
			gone_before_s, e));
	if (c->pod.name.at)
		TRY(check_bound(
			"pod", &c->pod, o->pod ? &o->pod->metadata : NULL, gone_before_s, e));
	else if (c->node.name.at)
		TRY(check_bound(
			"node", &c->node, o->node ? &o->node->metadata : NULL, gone_before_s, e));
	return 0;
}

static struct str_list list_of(struct arena *a, str only)
{
	str *at = arena_get(a, sizeof(*at));

	*at = only;
	return (struct str_list){at, 1};
}

/* Sorted by key, as they stand here. */
static size_t put_extras(struct arena *a, const struct token_content *c, struct user_extra *to)
{
	size_t len = 0;

	if (c->id.len > 0)
		to[len++] = (struct user_extra){STR(EXTRA_CREDENTIAL_ID),
			list_of(a, arena_fmt(a, "JTI=%.*s", STR_ARG(c->id)))};
	if (c->node.name.len > 0) {
		to[len++] = (struct user_extra){STR(EXTRA_NODE_NAME), list_of(a, c->node.name)};
		if (c->node.uid.len > 0)
			to[len++] = (struct user_extra){
				STR(EXTRA_NODE_UID), list_of(a, c->node.uid)};
	}
	if (c->pod.name.len > 0 && c->pod.uid.len > 0) {
		to[len++] = (struct user_extra){STR(EXTRA_POD_NAME), list_of(a, c->pod.name)};
		to[len++] = (struct user_extra){STR(EXTRA_POD_UID), list_of(a, c->pod.uid)};
	}
	return len;
}

const struct user *token_content_user(struct arena *a, const struct token_content *c)
{
	struct user *u = arena_get(a, sizeof(*u));
	struct user_extra *extra = arena_get(a, EXTRAS_MAX * sizeof(*extra));
	str *groups = arena_get(a, 2 * sizeof(*groups));

	groups[0] = STR(GROUP_SA);
	groups[1] = arena_fmt(a, GROUP_SA ":%.*s", STR_ARG(c->ns));
	*u = (struct user){
		.name = arena_fmt(
			a, USER_SA_PREFIX "%.*s:%.*s", STR_ARG(c->ns), STR_ARG(c->account.name)),
		.uid = c->account.uid,
		.groups = {groups, 2},
		.extra = extra,
		.extra_count = c->legacy ? 0 : put_extras(a, c, extra),
	};
	return u;
}

static int check_times(const struct token_content *c, int64_t now_s, struct err *e)
{
	if (c->not_before_s && now_s + TOKEN_LEEWAY_S < *c->not_before_s)
		return err_set(e, ERR_UNAUTHORIZED, "service account token is not valid yet");
	if (c->expires_s && now_s - TOKEN_LEEWAY_S > *c->expires_s)
		return err_set(e, ERR_UNAUTHORIZED, "service account token has expired");
	if (c->issued_s && now_s + TOKEN_LEEWAY_S < *c->issued_s)
		return err_set(
			e, ERR_UNAUTHORIZED, "service account token is issued in the future");
	return 0;
}

static bool gone(const struct object_meta *m, int64_t before_s)
{
	return m->deletion_timestamp && m->deletion_timestamp->seconds < before_s;
}

static int check_account(const struct token_content *c, const struct service_account *s,
	int64_t gone_before_s, struct err *e)
{
	if (!s)
		return err_set(e, ERR_UNAUTHORIZED, "serviceaccounts \"%.*s\" not found",
			STR_ARG(c->account.name));
	if (!str_eq(s->metadata.uid, c->account.uid))
		return err_set(e, ERR_UNAUTHORIZED,
			"service account UID (%.*s) does not match claim (%.*s)",
			STR_ARG(s->metadata.uid), STR_ARG(c->account.uid));
	if (gone(&s->metadata, gone_before_s))
		return err_set(e, ERR_UNAUTHORIZED, "service account %.*s/%.*s has been deleted",
			STR_ARG(c->ns), STR_ARG(c->account.name));
	return 0;
}

static int check_bound(const char *kind, const struct token_bound *claimed,
	const struct object_meta *m, int64_t gone_before_s, struct err *e)
{
	if (!m)
		return err_set(e, ERR_UNAUTHORIZED, "service account token has been invalidated");
	if (!str_eq(m->uid, claimed->uid))
		return err_set(e, ERR_UNAUTHORIZED,
			"%s UID (%.*s) does not match service account %s ref claim (%.*s)", kind,
			STR_ARG(m->uid), kind, STR_ARG(claimed->uid));
	if (gone(m, gone_before_s))
		return err_set(e, ERR_UNAUTHORIZED, "service account token has been invalidated");
	return 0;
}

static int check_legacy_claims(const struct token_content *c, struct err *e)
{
	const struct {
		str value;
		const char *name;
	} needed[] = {{c->subject, "sub"}, {c->ns, "namespace"}, {c->secret.name, "secretName"},
		{c->account.name, "serviceAccountName"}, {c->account.uid, "serviceAccountUID"}};
	str ns, name;

	for (size_t i = 0; i < COUNT_OF(needed); i++)
		if (needed[i].value.len == 0)
			return err_set(e, ERR_UNAUTHORIZED, "%s claim is missing", needed[i].name);
	if (!user_service_account(c->subject, &ns, &name) || !str_eq(ns, c->ns) ||
		!str_eq(name, c->account.name))
		return err_set(e, ERR_UNAUTHORIZED, "sub claim is invalid");
	return 0;
}

static int check_legacy(
	const struct token_content *c, const struct token_objects *o, str token, struct err *e)
{
	TRY(check_legacy_claims(c, e));
	if (!o->secret || o->secret->metadata.deletion_timestamp)
		return err_set(e, ERR_UNAUTHORIZED, "Token has been invalidated");
	str kept = str_map_get(&o->secret->data, STR("token"));

	if (!kept.at || !digest_same(kept, token))
		return err_set(e, ERR_UNAUTHORIZED, "Token does not match server's copy");
	if (o->account && o->account->metadata.deletion_timestamp)
		return err_set(e, ERR_UNAUTHORIZED, "ServiceAccount %.*s/%.*s has been deleted",
			STR_ARG(c->ns), STR_ARG(c->account.name));
	TRY(check_account(c, o->account, INT64_MIN, e));
	if (str_map_get(&o->secret->metadata.labels, STR(LABEL_INVALID_SINCE)).len > 0)
		return err_set(e, ERR_UNAUTHORIZED,
			"the token in secret %.*s/%.*s for service account %.*s/%.*s has been "
			"marked invalid. Use tokens from the TokenRequest API or manually created "
			"secret-based tokens, or remove the '" LABEL_INVALID_SINCE
			"' label from the secret to temporarily allow use of this token",
			STR_ARG(c->ns), STR_ARG(c->secret.name), STR_ARG(c->ns),
			STR_ARG(c->account.name));
	return 0;
}
