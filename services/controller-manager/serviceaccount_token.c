/*
 * serviceaccount-token-controller: a Secret of type kubernetes.io/service-account-token that names
 * a service account is given a token of it, the namespace and the CA; it goes with its account.
 * Source: pkg/controller/serviceaccount/tokens_controller.go, pkg/serviceaccount/legacy.go.
 */
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"
#include "lib/codec/json.h"
#include "lib/jose/jwt.h"
#include "lib/os/file.h"

#include <stdlib.h>

enum { ACCOUNTS, SECRETS, REFERENCES, FILE_BYTES_MAX = 1 << 20, TRIES_MAX = 10 };

#define NAME_ANNOTATION STR("kubernetes.io/service-account.name")
#define UID_ANNOTATION  STR("kubernetes.io/service-account.uid")

struct token_maker {
	struct arena arena;
	struct key *key;
	str key_id, ca_pem;
};

static int open_maker(struct controller_run *r, struct err *e)
{
	const struct settings *s = r->env.settings;
	struct token_maker *m = calloc(1, sizeof(*m));
	str pem;

	if (!m)
		return err_set(e, ERR_SYSTEM, "no memory for serviceaccount-token-controller");
	arena_init(&m->arena, ARENA_NO_LIMIT);
	r->state = m;
	TRY(file_read(&m->arena, arena_str(&m->arena, s->service_account_key_file).at,
		FILE_BYTES_MAX, &pem, e));
	if (key_read_private(pem, &m->key, e) < 0)
		return err_context(e, "--service-account-private-key-file");
	if (!jwt_algorithm(m->key).at)
		return err_set(e, ERR_UNSUPPORTED,
			"--service-account-private-key-file: the key is neither ECDSA on P-256 "
			"nor RSA");
	m->key_id = jwt_key_id(m->key, &m->arena);
	if (s->root_ca_file.len == 0)
		return 0;
	return file_read(
		&m->arena, arena_str(&m->arena, s->root_ca_file).at, FILE_BYTES_MAX, &m->ca_pem, e);
}

static bool is_token(const struct secret *s)
{
	return str_eq(s->type, STR("kubernetes.io/service-account-token"));
}

static void account_changed(struct controller_run *r, const void *before, const void *now)
{
	char key[RUN_KEY_BYTES];
	const struct object_meta *m = before ? meta_of(before) : NULL;

	if (m && (!now || !str_eq(m->uid, meta_of(now)->uid)))
		run_add(r, ACCOUNTS, run_key(key, m->namespace, m->name));
}

/* The account lists the secret no more; both names are the key. */
static void forget_later(struct controller_run *r, const struct secret *s)
{
	char pair[RUN_KEY_BYTES], key[RUN_KEY_BYTES];
	str account = meta_annotation(&s->metadata, NAME_ANNOTATION);

	if (account.len > 0)
		run_add(r, REFERENCES,
			run_key(key, s->metadata.namespace,
				run_key(pair, account, s->metadata.name)));
}

static void secret_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct secret *s = now ? now : before;
	char key[RUN_KEY_BYTES];

	if (!is_token(s))
		return;
	run_add(r, SECRETS, run_key(key, s->metadata.namespace, s->metadata.name));
	if (!now)
		forget_later(r, s);
}

/* Whether the secret is, or asks to be, a token of this account. */
static bool is_of(const struct secret *s, const struct service_account *a)
{
	str uid = meta_annotation(&s->metadata, UID_ANNOTATION);

	return is_token(s) &&
		str_eq(meta_annotation(&s->metadata, NAME_ANNOTATION), a->metadata.name) &&
		(uid.len == 0 || str_eq(uid, a->metadata.uid));
}

static int delete_token(struct pass *p, const struct secret *s, struct err *e)
{
	if (pass_delete(p, s, e) == 0 || e->kind == ERR_NOT_FOUND || e->kind == ERR_CONFLICT)
		return 0;
	return -1;
}

static bool needs_ca(const struct token_maker *m, const struct secret *s)
{
	return m->ca_pem.len > 0 && !str_eq(str_map_get(&s->data, STR("ca.crt")), m->ca_pem);
}

static bool is_complete(const struct token_maker *m, const struct secret *s)
{
	return !needs_ca(m, s) && str_map_get(&s->data, STR("namespace")).len > 0 &&
		str_map_get(&s->data, STR("token")).len > 0;
}

static void put_claim(struct buf *b, const char *name, str value)
{
	buf_add_fmt(b, ",\"kubernetes.io/serviceaccount/%s\":", name);
	json_put_str(b, value);
}

/* The claims of tokens that never end. */
static int make_token(struct pass *p, const struct service_account *a, const struct secret *s,
	str *to, struct err *e)
{
	const struct token_maker *m = pass_state(p);
	struct buf b;

	buf_init(&b, JWT_BYTES_MAX);
	buf_add_str(&b, STR("{\"iss\":\"kubernetes/serviceaccount\""));
	put_claim(&b, "namespace", s->metadata.namespace);
	put_claim(&b, "secret.name", s->metadata.name);
	put_claim(&b, "service-account.name", a->metadata.name);
	put_claim(&b, "service-account.uid", a->metadata.uid);
	buf_add_str(&b, STR(",\"sub\":"));
	json_put_str(&b,
		arena_fmt(p->arena, "system:serviceaccount:%.*s:%.*s",
			STR_ARG(s->metadata.namespace), STR_ARG(a->metadata.name)));
	buf_add_char(&b, '}');
	int made = buf_ok(&b, "a token's claims", e);

	if (made == 0)
		made = jwt_sign(p->arena, m->key, m->key_id, buf_str(&b), to, e);
	buf_free(&b);
	return made;
}

static int complete(
	struct pass *p, const struct service_account *a, const struct secret *seen, struct err *e)
{
	const struct token_maker *m = pass_state(p);
	struct secret *next = pass_copy(p, seen);
	str token;

	if (needs_ca(m, seen))
		str_map_set(p->arena, &next->data, STR("ca.crt"), m->ca_pem);
	if (str_map_get(&seen->data, STR("namespace")).len == 0)
		str_map_set(p->arena, &next->data, STR("namespace"), seen->metadata.namespace);
	if (str_map_get(&seen->data, STR("token")).len == 0) {
		TRY(make_token(p, a, seen, &token, e));
		str_map_set(p->arena, &next->data, STR("token"), token);
	}
	str_map_set(p->arena, &next->metadata.annotations, NAME_ANNOTATION, a->metadata.name);
	str_map_set(p->arena, &next->metadata.annotations, UID_ANNOTATION, a->metadata.uid);
	if (pass_update(p, next, NULL, e) == 0 || e->kind == ERR_CONFLICT ||
		e->kind == ERR_NOT_FOUND)
		return 0;
	return -1;
}

static int reconcile_secret(struct pass *p, struct err *e)
{
	const struct secret *s = pass_get(p, API_SECRET, p->ns, p->name);
	void *live;

	if (!s || !is_token(s))
		return 0;
	str account = meta_annotation(&s->metadata, NAME_ANNOTATION);
	const struct service_account *a = pass_get(p, API_SERVICE_ACCOUNT, p->ns, account);

	if (!a || !is_of(s, a)) {
		if (pass_fetch(p, API_SERVICE_ACCOUNT, p->ns, account, &live, e) == 0)
			a = live;
		else if (e->kind == ERR_NOT_FOUND)
			a = NULL;
		else
			return -1;
	}
	if (!a || !is_of(s, a))
		return delete_token(p, s, e);
	return is_complete(pass_state(p), s) ? 0 : complete(p, a, s, e);
}

static int reconcile_account(struct pass *p, struct err *e)
{
	const struct service_account *a = pass_get(p, API_SERVICE_ACCOUNT, p->ns, p->name);
	struct view_walk all = pass_list(p, API_SECRET, p->ns);

	view_each(const struct secret *, s, &all)
	{
		if (is_token(s) &&
			str_eq(meta_annotation(&s->metadata, NAME_ANNOTATION), p->name) &&
			(!a || !is_of(s, a)))
			TRY(delete_token(p, s, e));
	}
	return 0;
}

static int reconcile_reference(struct pass *p, struct err *e)
{
	str secret = p->name, account = str_cut(&secret, '/');
	const struct service_account *a = pass_get(p, API_SERVICE_ACCOUNT, p->ns, account);
	struct service_account *next;
	size_t kept = 0;

	if (!a || pass_get(p, API_SECRET, p->ns, secret))
		return 0;
	next = pass_copy(p, a);
	next->secrets.at = arena_get(p->arena, a->secrets.len * sizeof(*a->secrets.at) + 1);
	for (size_t i = 0; i < a->secrets.len; i++) {
		if (!str_eq(a->secrets.at[i].name, secret))
			next->secrets.at[kept++] = a->secrets.at[i];
	}
	next->secrets.len = kept;
	if (kept == a->secrets.len)
		return 0;
	return pass_ignore_missing(pass_update(p, next, NULL, e), e);
}

const struct controller serviceaccount_token_controller = {
	.name = "serviceaccount-token-controller",
	.account = "tokens-controller",
	.watches = {{API_SERVICE_ACCOUNT, account_changed}, {API_SECRET, secret_changed}},
	.works = {{"serviceaccount_tokens_service", 5, reconcile_account, .retries_max = TRIES_MAX},
		{"serviceaccount_tokens_secret", 5, reconcile_secret, .retries_max = TRIES_MAX},
		{"serviceaccount_tokens_reference", 5, reconcile_reference,
			.retries_max = TRIES_MAX}},
	.open = open_maker,
};
