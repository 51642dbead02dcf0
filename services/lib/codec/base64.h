/*
 * Base64 (RFC 4648, section 4: the standard alphabet with padding), as Go's StdEncoding has it: CR
 * and LF are skipped wherever they stand, unused bits of the last character are not looked at.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

void base64_put(struct buf *b, str bytes);

/* `*bytes` is in the arena. The message is Go's: illegal base64 data at input byte N. */
NODISCARD int base64_read(struct arena *a, str text, str *bytes, struct err *e);

/* The alphabet for URLs without padding (RFC 4648, section 5; RFC 7515): Go's RawURLEncoding. */
void base64url_put(struct buf *b, str bytes);
NODISCARD int base64url_read(struct arena *a, str text, str *bytes, struct err *e);
