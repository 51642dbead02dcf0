/*
 * A user as a trusted proxy in front of us names him in header fields: X-Remote-User and so on.
 * Who may be believed is decided elsewhere (peer.h). Source:
 * apiserver/pkg/authentication/request/headerrequest.
 */
#pragma once

#include "apiserver/authentication/user.h"
#include "lib/http/headers.h"

/* Names of fields, in any case. */
struct request_header_names {
	struct str_list users, uids, groups, extra_prefixes;
};

/* NULL when no field names a user. Lies in the arena, texts in the headers. */
const struct user *request_header_user(
	struct arena *a, const struct request_header_names *n, const struct http_headers *h);
