/*
 * The authenticator's insides, for the sources of this folder.
 */
#pragma once

#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/keyring.h"
#include "apiserver/authentication/peer.h"
#include "apiserver/authentication/request_header.h"
#include "apiserver/authentication/token_cache.h"
#include "apiserver/authentication/token_file.h"

struct authenticator {
	struct authenticator_options options; /* texts in the arena */
	struct arena arena;
	struct peer_rules peers;
	struct request_header_names headers;
	struct token_file *token_file; /* NULL: none */
	struct keyring keys;
	struct key *signing_key; /* NULL: no tokens are made */
	str signing_key_id;
	struct token_cache *cache;
	str openid_configuration, jwks;
};

/* Who shows this token, past the cache; a reference. */
NODISCARD int token_judge(struct authenticator *z, str token, struct str_list audiences,
	struct token_verdict **to, struct err *e);

/* Reads the signing key and writes the OIDC documents. */
NODISCARD int issuer_open(struct authenticator *z, struct err *e);
