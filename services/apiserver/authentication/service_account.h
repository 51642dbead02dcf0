/*
 * What a service account's token claims, and whether it still holds: upstream's pkg/serviceaccount.
 * Two forms: tokens of the TokenRequest API, bound to a time, audiences and objects; and tokens
 * kept in Secrets, which hold until their Secret goes.
 *
 * Pure rules: who verifies the signature and finds the objects is the caller. Texts lie in the
 * arena. Errors: ERR_UNAUTHORIZED in upstream's words.
 */
#pragma once

#include "api/core_v1.h"
#include "apiserver/authentication/user.h"

#define TOKEN_LEGACY_ISSUER "kubernetes/serviceaccount"

enum {
	TOKEN_LEEWAY_S = 60,         /* that clocks may differ, and that a deleted object counts */
	TOKEN_WARN_AFTER_S = 3607,   /* the kubelet asks for this; it marks tokens to be extended */
	TOKEN_EXTENDED_S = 31536000, /* to a year */
};

/* An object that a token is bound to; name absent: to none of this kind. */
struct token_bound {
	str name, uid;
};

struct token_content {
	str issuer, subject, id;
	struct str_list audiences;
	int64_t *expires_s, *not_before_s, *issued_s; /* NULL: not said */
	str ns;
	struct token_bound account, pod, secret, node;
	int64_t warn_after_s; /* 0: never */
	bool legacy;
};

/* The objects that the claims name, as far as they are there; else NULL. */
struct token_objects {
	const struct service_account *account;
	const struct pod *pod;
	const struct secret *secret;
	const struct node *node;
};

/* From a token's payload. ERR_INVALID when it is none of ours. */
NODISCARD int token_content_read(
	struct arena *a, str payload, struct token_content *to, struct err *e);
void token_content_put(struct buf *b, const struct token_content *c);

/* `token` is the whole text, which a legacy token's Secret must hold. */
NODISCARD int token_content_check(const struct token_content *c, const struct token_objects *o,
	str token, int64_t now_s, struct err *e);

/* The user: "system:serviceaccount:NS:NAME" with its groups and extras. In the arena. */
const struct user *token_content_user(struct arena *a, const struct token_content *c);
