/*
 * Who sends a request: apiserver/pkg/authentication/user.
 *
 * Ownership: counted and immutable; kept with a connection, in token caches, in requests.
 */
#pragma once

#include "lib/base/counted.h"
#include "lib/value/text_map.h"

struct user_extra {
	str key;
	struct str_list values;
};

struct user {
	struct counted counted;
	str name, uid;
	struct str_list groups;
	const struct user_extra *extra; /* sorted by key */
	size_t extra_count;
};

/* A copy of `from` in one piece; its first reference is the caller's. */
struct user *user_new(const struct user *from);

/* The same with GROUP_ALL added, which everybody has who is known and in neither group yet. */
struct user *user_new_authenticated(const struct user *from);

bool user_in_group(const struct user *u, str group) PURE;

/* The values of an extra key; empty if there is none. */
struct str_list user_extra(const struct user *u, str key) PURE;

/* "system:serviceaccount:NS:NAME" taken apart; false if it is no service account's. */
bool user_service_account(str user_name, str *ns, str *name);

#define USER_ANONYMOUS   "system:anonymous"
#define GROUP_ALL        "system:authenticated"
#define GROUP_NOBODY     "system:unauthenticated"
#define GROUP_MASTERS    "system:masters"
#define GROUP_NODES      "system:nodes"
#define GROUP_SA         "system:serviceaccounts"
#define USER_SA_PREFIX   "system:serviceaccount:"
#define USER_NODE_PREFIX "system:node:"

/* As reviews have it: a copy in the arena. */
struct authentication_user_info;
void user_info(struct arena *a, const struct user *u, struct authentication_user_info *to);
