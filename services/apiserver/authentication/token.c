#include "apiserver/authentication/bootstrap_token.h"
#include "apiserver/authentication/service_account.h"
#include "apiserver/authentication/state.h"
#include "lib/jose/jwt.h"

/* Tokens of every kind, in upstream's order: the static file's, service accounts', bootstrap. */

enum { TOKEN_ARENA_BYTES = 16 << 20 };

static int by_service_account(struct authenticator *z, struct arena *a, str token,
	struct str_list audiences, const struct user **to, struct str_list *agreed, struct err *e);
static int verify(struct authenticator *z, const struct jwt *t, struct err *e);
static int check_objects(struct authenticator *z, struct arena *a, const struct token_content *c,
	str token, struct err *e);
static int by_bootstrap_token(
	struct authenticator *z, struct arena *a, str token, const struct user **to, struct err *e);
static int find(struct authenticator *z, struct arena *a, const char *resource, str ns, str name,
	void *to, struct err *e);
static struct str_list intersect(struct arena *a, struct str_list of, struct str_list with);

static int judge(struct authenticator *z, struct arena *a, str token, struct str_list audiences,
	struct token_verdict **to, struct err *e)
{
	/* Tokens that know no audience are for all of the server's own. */
	struct str_list agreed = intersect(a, z->options.audiences, audiences);
	bool ours = agreed.len > 0 || z->options.audiences.len == 0;
	const struct user *u = NULL;

	if (ours && z->token_file)
		u = token_file_find(z->token_file, token);
	if (!u)
		TRY(by_service_account(z, a, token, audiences, &u, &agreed, e));
	if (!u && ours && z->options.bootstrap_tokens)
		TRY(by_bootstrap_token(z, a, token, &u, e));
	if (!u)
		return err_set(e, ERR_UNAUTHORIZED, "invalid bearer token");
	struct user *known = user_new_authenticated(u);

	*to = token_verdict_new(known, agreed);
	counted_drop(&known->counted);
	return 0;
}

int token_judge(struct authenticator *z, str token, struct str_list audiences,
	struct token_verdict **to, struct err *e)
{
	struct arena a;

	arena_init(&a, TOKEN_ARENA_BYTES);
	int result = judge(z, &a, token, audiences, to, e);

	arena_free(&a);
	return result;
}

static bool list_has(struct str_list l, str s)
{
	for (size_t i = 0; i < l.len; i++)
		if (str_eq(l.at[i], s))
			return true;
	return false;
}

/* `*to` stays when the token is none that an issuer of ours could have made. */
static int by_service_account(struct authenticator *z, struct arena *a, str token,
	struct str_list audiences, const struct user **to, struct str_list *agreed, struct err *e)
{
	struct token_content c;
	struct jwt t;

	if (z->keys.len == 0 || jwt_read(a, token, &t, e) < 0 ||
		token_content_read(a, t.payload, &c, e) < 0)
		return 0;
	if (!c.legacy && !list_has(z->options.service_account_issuers, c.issuer))
		return 0;
	TRY(verify(z, &t, e));
	struct str_list meant = c.audiences.len ? c.audiences : z->options.audiences;
	struct str_list both = intersect(a, meant, audiences);

	if (both.len == 0 && z->options.audiences.len > 0)
		return err_set(e, ERR_UNAUTHORIZED,
			"token audiences are invalid for the target audiences");
	TRY(check_objects(z, a, &c, token, e));
	*to = token_content_user(a, &c);
	*agreed = both;
	return 0;
}

/* By the key that the token names; one that names none is tried with all. */
static int verify(struct authenticator *z, const struct jwt *t, struct err *e)
{
	err_write(e, ERR_UNAUTHORIZED, "invalid signature, no keys found");
	for (size_t i = 0; i < z->keys.len; i++) {
		if (t->key_id.len > 0 && !str_eq(t->key_id, z->keys.ids[i]))
			continue;
		if (jwt_verify(t, z->keys.keys[i], e) == 0)
			return 0;
	}
	return -1;
}

static int check_objects(struct authenticator *z, struct arena *a, const struct token_content *c,
	str token, struct err *e)
{
	int64_t now_s = z->options.clock->wall_ns(z->options.clock) / NS_PER_S;
	const str everywhere = {NULL, 0};
	struct token_objects o = {0};

	TRY(find(z, a, "serviceaccounts", c->ns, c->account.name, &o.account, e));
	TRY(find(z, a, "secrets", c->ns, c->secret.name, &o.secret, e));
	TRY(find(z, a, "pods", c->ns, c->pod.name, &o.pod, e));
	if (!c->pod.name.at)
		TRY(find(z, a, "nodes", everywhere, c->node.name, &o.node, e));
	return token_content_check(c, &o, token, now_s, e);
}

static int by_bootstrap_token(
	struct authenticator *z, struct arena *a, str token, const struct user **to, struct err *e)
{
	int64_t now_s = z->options.clock->wall_ns(z->options.clock) / NS_PER_S;
	const struct secret *s = NULL;
	str id, secret;

	if (!bootstrap_token_split(token, &id, &secret))
		return 0;
	TRY(find(z, a, "secrets", STR("kube-system"),
		arena_fmt(a, BOOTSTRAP_SECRET_PREFIX "%.*s", STR_ARG(id)), &s, e));
	if (s)
		*to = bootstrap_token_user(a, s, id, secret, now_s);
	return 0;
}

/* `to` is the place of a pointer to the object, untouched when there is none of this name. */
static int find(struct authenticator *z, struct arena *a, const char *resource, str ns, str name,
	void *to, struct err *e)
{
	const struct resource *r = resource_find(STR(""), STR("v1"), str_of(resource));
	void *object;

	if (name.len == 0)
		return 0;
	struct stored *o = storage_get(z->options.storage, r, ns, name);

	if (!o)
		return 0;
	int result = stored_decode(a, o, &object, e);

	counted_drop(&o->counted);
	if (result < 0)
		return err_context(e, "%s \"%.*s\"", resource, STR_ARG(name));
	*(void **)to = object;
	return 0;
}

/* In the order of `of`. */
static struct str_list intersect(struct arena *a, struct str_list of, struct str_list with)
{
	struct str_list both = {arena_get(a, of.len * sizeof(str) + 1), 0};

	for (size_t i = 0; i < of.len; i++)
		if (list_has(with, of.at[i]))
			both.at[both.len++] = of.at[i];
	return both;
}
