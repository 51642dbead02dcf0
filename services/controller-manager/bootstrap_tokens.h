/*
 * Bootstrap tokens: Secrets of kube-system that nodes join with, and the signatures that they put
 * under the cluster's public data.
 *
 * Threading: any. Source: cluster-bootstrap/token, pkg/controller/bootstrap/util.go.
 */
#pragma once

#include "lib/api/meta.h"

#define BOOTSTRAP_NAMESPACE STR("kube-system")

bool bootstrap_token_is(const struct secret *s);

/* Seconds until the token ends: 0 when it has or nobody can read when, INT64_MAX for never. */
int64_t bootstrap_token_left_s(const struct secret *s, int64_t now_s);

/* Whether the token signs; its id and secret then. */
bool bootstrap_token_signs(const struct secret *s, int64_t now_s, str *id, str *secret);

/* A JWS (RFC 7515) by HS256 without its payload: "header..signature". */
str bootstrap_token_signature(struct arena *a, str content, str id, str secret);
