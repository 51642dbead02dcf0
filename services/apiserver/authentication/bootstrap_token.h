/*
 * Bootstrap tokens, "abcdef.0123456789abcdef": a Secret of kube-system lets a new node in. Pure
 * rules; who finds the Secret is the caller. Source: plugin/pkg/auth/authenticator/token/bootstrap,
 * cluster-bootstrap.
 */
#pragma once

#include "api/core_v1.h"
#include "apiserver/authentication/user.h"

#define BOOTSTRAP_SECRET_PREFIX "bootstrap-token-"

/* False for a token of another form. */
bool bootstrap_token_split(str token, str *id, str *secret);

/* NULL when the Secret does not let in who shows these. The user lies in the arena. */
const struct user *bootstrap_token_user(
	struct arena *a, const struct secret *s, str id, str secret, int64_t now_s);
