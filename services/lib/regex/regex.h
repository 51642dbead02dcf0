/*
 * Regular expressions as Go's package regexp knows them (RE2's syntax), for patterns that users
 * give: time linear in the text, memory bounded by the pattern, no backtracking.
 *
 * As there, a match is searched anywhere in the text, `.` takes no newline and `$` is the end of
 * the text unless flags say otherwise, bytes that are no UTF-8 count as U+FFFD each. What is not
 * built, scripts such as \p{Greek}, is refused when the pattern is compiled.
 *
 * Ownership: who compiles frees. Threading: a compiled expression is immutable.
 * Errors: ERR_INVALID in Go's words ("error parsing regexp: missing closing ): `(a`").
 * Source: RE2's syntax page; Go's regexp/syntax for messages and limits.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
	REGEX_REPEAT_MAX = 1000,
	REGEX_PROGRAM_MAX = 1 << 16, /* instructions */
	REGEX_NESTING_MAX = 1000,
};

struct regex;

NODISCARD int regex_compile(str pattern, struct regex **to, struct err *e);
bool regex_matches(const struct regex *r, str text);
void regex_free(struct regex *r);
