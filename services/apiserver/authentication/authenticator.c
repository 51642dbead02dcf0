#include "apiserver/authentication/authenticator.h"

#include "apiserver/authentication/state.h"
#include "lib/codec/base64.h"

#include <stdlib.h>

static void copy_options(struct authenticator *z, const struct authenticator_options *o);
static int open_parts(struct authenticator *z, struct err *e);
static int find_user(
	struct authenticator *z, struct http_exchange *x, struct user **to, struct err *fault);
static int by_certificate(
	struct authenticator *z, struct http_exchange *x, struct user **to, struct err *fault);
static int by_token(struct authenticator *z, str token, struct user **to, struct err *e);
static int bearer_token(const struct http_headers *h, str *token);
static int websocket_token(struct http_exchange *x, str *token, struct err *e);

int authenticator_open(
	const struct authenticator_options *o, struct authenticator **to, struct err *e)
{
	struct authenticator *z = calloc(1, sizeof(*z));

	if (!z)
		return err_set(e, ERR_SYSTEM, "no memory for the authenticator");
	arena_init(&z->arena, ARENA_NO_LIMIT);
	z->cache = token_cache_new(o->clock);
	copy_options(z, o);
	if (open_parts(z, e) < 0) {
		authenticator_close(z);
		return -1;
	}
	*to = z;
	return 0;
}

void authenticator_close(struct authenticator *z)
{
	cert_roots_drop(z->peers.clients);
	cert_roots_drop(z->peers.proxies);
	token_file_free(z->token_file);
	keyring_free(&z->keys);
	key_drop(z->signing_key);
	token_cache_free(z->cache);
	arena_free(&z->arena);
	free(z);
}

int authenticate_request(
	struct authenticator *z, struct http_exchange *x, struct user **to, struct err *e)
{
	struct str_list groups = {(str[]){STR(GROUP_NOBODY)}, 1};
	struct user anonymous = {.name = STR(USER_ANONYMOUS), .groups = groups};
	struct err fault = {0};

	if (find_user(z, x, to, &fault) == 0)
		return 0;
	if (fault.kind)
		return err_set(e, ERR_UNAUTHORIZED, "%s", fault.text);
	if (!z->options.anonymous)
		return err_set(e, ERR_UNAUTHORIZED, "no credentials were shown");
	*to = user_new(&anonymous);
	return 0;
}

int authenticate_token(struct authenticator *z, struct arena *a, str token,
	const struct str_list *audiences, struct user **to, struct str_list *agreed, struct err *e)
{
	struct str_list wanted = audiences->len ? *audiences : z->options.audiences;
	struct token_verdict *v = token_cache_get(z->cache, token, wanted);

	if (!v) {
		TRY(token_judge(z, token, wanted, &v, e));
		token_cache_put(z->cache, token, wanted, v);
	}
	struct str_list copy = {arena_get(a, v->audiences.len * sizeof(str) + 1), 0};

	for (size_t i = 0; i < v->audiences.len; i++)
		copy.at[copy.len++] = arena_str(a, v->audiences.at[i]);
	*agreed = copy;
	counted_take(&v->user->counted);
	*to = v->user;
	counted_drop(&v->counted);
	return 0;
}

str authenticator_openid_configuration(struct authenticator *z)
{
	return z->openid_configuration;
}

str authenticator_jwks(struct authenticator *z)
{
	return z->jwks;
}

static struct str_list copy_list(struct arena *a, struct str_list l)
{
	struct str_list copy = {arena_get(a, l.len * sizeof(str) + 1), 0};

	while (copy.len < l.len) {
		copy.at[copy.len] = arena_str(a, l.at[copy.len]);
		copy.len++;
	}
	return copy;
}

static void copy_options(struct authenticator *z, const struct authenticator_options *o)
{
	struct authenticator_options *to = &z->options;
	struct arena *a = &z->arena;

	*to = *o;
	to->service_account_issuer = arena_str(a, o->service_account_issuer);
	to->service_account_jwks_uri = arena_str(a, o->service_account_jwks_uri);
	to->service_account_issuers = copy_list(a, o->service_account_issuers);
	if (to->service_account_issuers.len == 0 && to->service_account_issuer.len > 0)
		to->service_account_issuers = (struct str_list){&to->service_account_issuer, 1};
	to->audiences = copy_list(a, o->audiences);
	if (to->audiences.len == 0)
		to->audiences = to->service_account_issuers;
	z->headers = (struct request_header_names){
		.users = copy_list(a, o->requestheader_username_headers),
		.uids = copy_list(a, o->requestheader_uid_headers),
		.groups = copy_list(a, o->requestheader_group_headers),
		.extra_prefixes = copy_list(a, o->requestheader_extra_prefixes),
	};
	z->peers.proxy_names = copy_list(a, o->requestheader_allowed_names);
}

static int open_parts(struct authenticator *z, struct err *e)
{
	struct authenticator_options *o = &z->options;

	if (o->client_ca_pem.len > 0 && cert_roots_read(o->client_ca_pem, &z->peers.clients, e) < 0)
		return err_context(e, "--client-ca-file");
	if (o->requestheader_ca_pem.len > 0 &&
		cert_roots_read(o->requestheader_ca_pem, &z->peers.proxies, e) < 0)
		return err_context(e, "--requestheader-client-ca-file");
	if (o->token_csv.at && token_file_read(o->token_csv, &z->token_file, e) < 0)
		return err_context(e, "--token-auth-file");
	if (keyring_read(&z->arena, o->service_account_key_pems, &z->keys, e) < 0)
		return err_context(e, "--service-account-key-file");
	return issuer_open(z, e);
}

/* In upstream's order; the first that knows the user decides, and faults count only when nobody
 * does. */
static int find_user(
	struct authenticator *z, struct http_exchange *x, struct user **to, struct err *fault)
{
	bool takes_tokens = z->token_file || z->keys.len > 0 || z->options.bootstrap_tokens;
	str token;

	if (by_certificate(z, x, to, fault) == 0)
		return 0;
	if (!takes_tokens)
		return -1;
	if (bearer_token(&x->request.headers, &token) == 0 && by_token(z, token, to, fault) == 0)
		return 0;
	TRY(websocket_token(x, &token, fault));
	return by_token(z, token, to, fault);
}

static int by_certificate(
	struct authenticator *z, struct http_exchange *x, struct user **to, struct err *fault)
{
	int64_t now_s = z->options.clock->wall_ns(z->options.clock) / NS_PER_S;
	struct peer *p = peer_of(&z->peers, x, now_s);
	const struct user *named = NULL;
	int result = 0;

	if (p->is_proxy)
		named = request_header_user(&x->arena, &z->headers, &x->request.headers);
	if (named) {
		*to = user_new_authenticated(named);
	} else if (p->user) {
		counted_take(&p->user->counted);
		*to = p->user;
	} else {
		result = -1;
		if (p->fault.kind)
			*fault = p->fault;
	}
	counted_drop(&p->counted);
	return result;
}

static int by_token(struct authenticator *z, str token, struct user **to, struct err *e)
{
	struct token_verdict *v = token_cache_get(z->cache, token, z->options.audiences);

	if (!v) {
		TRY(token_judge(z, token, z->options.audiences, &v, e));
		token_cache_put(z->cache, token, z->options.audiences, v);
	}
	counted_take(&v->user->counted);
	*to = v->user;
	counted_drop(&v->counted);
	return 0;
}

static int bearer_token(const struct http_headers *h, str *token)
{
	str rest = str_trim(http_header(h, STR("authorization")));
	str scheme = str_cut(&rest, ' ');
	str shown = rest.at ? str_cut(&rest, ' ') : rest;

	if (!str_eq_ignoring_case(scheme, STR("bearer")) || shown.len == 0)
		return -1;
	*token = shown;
	return 0;
}

/* Browsers cannot set Authorization on a WebSocket: the token is one of the protocols offered. */
static int websocket_token(struct http_exchange *x, str *token, struct err *e)
{
	const str prefix = STR("base64url.bearer.authorization.k8s.io.");
	const struct http_headers *h = &x->request.headers;
	str encoded = {NULL, 0}, decoded;
	size_t others = 0;

	if (!http_header_has_token(h, STR("connection"), STR("upgrade")) ||
		!http_header_has_token(h, STR("upgrade"), STR("websocket")))
		return -1;
	for (size_t i = 0; i < h->len; i++) {
		if (!str_eq(h->at[i].name, STR("sec-websocket-protocol")))
			continue;
		for (str rest = h->at[i].value; rest.at;) {
			str protocol = str_trim(str_cut(&rest, ','));

			if (!str_starts(protocol, prefix)) {
				others++;
				continue;
			}
			if (encoded.at)
				return err_set(e, ERR_UNAUTHORIZED,
					"multiple base64.bearer.authorization tokens specified");
			encoded = str_slice(protocol, prefix.len, protocol.len);
		}
	}
	if (encoded.len == 0)
		return -1;
	if (base64url_read(&x->arena, encoded, &decoded, e) < 0 || !str_is_utf8(decoded))
		return err_set(
			e, ERR_UNAUTHORIZED, "invalid base64.bearer.authorization token encoding");
	if (others == 0)
		return err_set(e, ERR_UNAUTHORIZED, "missing additional subprotocol");
	*token = decoded;
	return 0;
}
