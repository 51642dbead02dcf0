/*
 * Tokens that were found good, for ten seconds as upstream's, so that a busy client costs one
 * signature a while. Kept by an HMAC of the token and the audiences asked for, never by the token.
 *
 * Bounded: TOKEN_CACHE_SLOTS verdicts, a newer one takes the place of the one in its slot.
 * Threading: any. Source: apiserver/pkg/authentication/token/cache.
 */
#pragma once

#include "apiserver/authentication/user.h"
#include "lib/base/clock.h"

enum { TOKEN_CACHE_SLOTS = 4096, TOKEN_CACHE_S = 10 };

/* Who showed the token, and the audiences that it and the asker have in common. */
struct token_verdict {
	struct counted counted;
	struct user *user;
	struct str_list audiences;
};

/* Takes a reference of the user, copies the audiences. */
struct token_verdict *token_verdict_new(struct user *u, struct str_list audiences);

struct token_cache;

struct token_cache *token_cache_new(const struct clock *c);
void token_cache_free(struct token_cache *c);

/* A reference, or NULL. */
struct token_verdict *token_cache_get(struct token_cache *c, str token, struct str_list audiences);

/* Takes a reference. */
void token_cache_put(
	struct token_cache *c, str token, struct str_list audiences, struct token_verdict *v);
