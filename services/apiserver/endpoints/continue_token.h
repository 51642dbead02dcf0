/*
 * Continue tokens of lists, in upstream's form: base64url of {"v":"meta.k8s.io/v1","rv":N,"start":
 * "ns/name\0"} (apiserver/pkg/storage/continue.go). Clients must not look inside, upstream's server
 * of the same cluster does.
 */
#pragma once

#include "lib/base/arena.h"

struct continue_token {
	int64_t revision; /* -1: of whatever moment is the newest */
	str after;        /* the key, below the resource's prefix, behind which the list goes on */
};

str continue_token_write(struct arena *a, const struct continue_token *t);

/* ERR_INVALID in upstream's words. */
NODISCARD int continue_token_read(
	struct arena *a, str text, struct continue_token *to, struct err *e);
