/*
 * Texts in quotes, as Go's messages show them. Code points that Unicode has not assigned count as
 * printable. Where `to` is too small the text is cut.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/str.h"

enum { QUOTE_MAX = 480 };

/* As strconv.Quote and fmt's %q, whole. */
void quote_put(struct buf *b, str s);

/* The same for a message. Returns `to`. */
const char *quote(char to[static QUOTE_MAX], str s);

/* As package time's messages: every byte that is not ASCII as \xNN. Returns `to`. */
const char *quote_bytes(char to[static QUOTE_MAX], str s);
