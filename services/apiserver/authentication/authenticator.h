/*
 * Authentication: who sends this request. In upstream's order: front proxy headers, client
 * certificate, bearer token (static file, service account, bootstrap token), anonymous.
 *
 * Nothing here blocks: keys are in memory, objects (ServiceAccounts, Pods, Secrets, Nodes) come
 * from the watch cache. A verified certificate is kept with its connection, a verified token in
 * a bounded cache for ten seconds at most.
 *
 * Threading: any thread of an I/O loop. Errors: ERR_UNAUTHORIZED; the client hears no more than
 * 401. Source: apiserver/pkg/authentication; pkg/serviceaccount; KEP-1205, KEP-4193.
 */
#pragma once

#include "apiserver/authentication/user.h"
#include "apiserver/storage/storage.h"
#include "lib/crypto/cert.h"
#include "lib/http/exchange.h"

struct authenticator;

struct authenticator_options {
	struct storage *storage;
	const struct clock *clock;
	struct random *random;                       /* the system's: any thread */
	str client_ca_pem;                           /* --client-ca-file */
	str requestheader_ca_pem;                    /* --requestheader-client-ca-file */
	struct str_list requestheader_allowed_names; /* ... */
	struct str_list requestheader_username_headers, requestheader_group_headers;
	struct str_list requestheader_uid_headers, requestheader_extra_prefixes;
	str token_csv; /* content of --token-auth-file */
	bool anonymous, bootstrap_tokens;
	str service_account_issuer;               /* --service-account-issuer, the first */
	str service_account_jwks_uri;             /* --service-account-jwks-uri, or made from
	                                           * the address that clients use */
	struct str_list service_account_issuers;  /* all that are accepted */
	struct str_list service_account_key_pems; /* --service-account-key-file */
	str service_account_signing_key_pem;      /* --service-account-signing-key-file */
	struct str_list audiences;                /* --api-audiences; default: the issuer */
	bool extend_token_expiration;
	int64_t token_expiration_max_s; /* --service-account-max-token-expiration */
};

NODISCARD int authenticator_open(
	const struct authenticator_options *o, struct authenticator **to, struct err *e);
void authenticator_close(struct authenticator *z);

/* A reference. Removes nothing from the request; the anonymous user when nothing was shown and
 * anonymous requests are allowed. */
NODISCARD int authenticate_request(
	struct authenticator *z, struct http_exchange *x, struct user **to, struct err *e);

/* For TokenReview. `audiences` empty: the server's own. `agreed` are those that the token and the
 * asker have in common. */
NODISCARD int authenticate_token(struct authenticator *z, struct arena *a, str token,
	const struct str_list *audiences, struct user **to, struct str_list *agreed, struct err *e);

/* What a service account's token is to say (TokenRequest). Absent names: not bound. */
struct token_claims {
	str ns, service_account, service_account_uid;
	str pod, pod_uid, secret, secret_uid, node, node_uid;
	struct str_list audiences; /* empty: the server's own */
	int64_t expires_in_s;
};

/*
 * The token, and when it ends: after `expires_in_s` or the configured maximum. With
 * extend_token_expiration a token for the server's own audiences that is bound to a pod and asks
 * for 3607 s, which is the kubelet's mark, lives a year, as upstream's; `*expires_s` stays.
 */
NODISCARD int authenticator_issue(struct authenticator *z, struct arena *a,
	const struct token_claims *c, str *token, int64_t *expires_s, struct err *e);

/* JSON documents of /.well-known/openid-configuration and /openid/v1/jwks; absent unless the issuer
 * is an https URL without query, which OIDC asks for. */
str authenticator_openid_configuration(struct authenticator *z);
str authenticator_jwks(struct authenticator *z);
