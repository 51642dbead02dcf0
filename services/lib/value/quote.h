/*
 * Texts in quotes, as Go's messages show them. Where `to` is too small the text is cut.
 */
#pragma once

#include "lib/base/str.h"

enum { QUOTE_MAX = 480 };

/* As fmt's %q. Code points that Unicode has not assigned count as printable. Returns `to`. */
const char *quote(char to[static QUOTE_MAX], str s);

/* As package time's messages: every byte that is not ASCII as \xNN. Returns `to`. */
const char *quote_bytes(char to[static QUOTE_MAX], str s);
