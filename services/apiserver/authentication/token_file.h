/*
 * --token-auth-file: CSV (RFC 4180, as Go's encoding/csv reads it) of token, user name, uid and
 * optionally groups in one field between commas.
 *
 * Ownership: the table owns copies. Threading: immutable.
 */
#pragma once

#include "apiserver/authentication/user.h"
#include "lib/base/err.h"

struct token_file;

NODISCARD int token_file_read(str csv, struct token_file **to, struct err *e);
void token_file_free(struct token_file *f);

/* Borrowed; NULL if the token is not in the file. */
struct user *token_file_find(const struct token_file *f, str token);
