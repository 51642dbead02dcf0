/*
 * str: a borrowed run of bytes, not NUL-terminated, passed by value.
 *
 * Ownership: never; whoever made the bytes keeps them alive (process, arena or counted object).
 * at == NULL means absent, which differs from the empty string.
 */
#pragma once

#include "lib/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct {
	const char *at;
	size_t len;
} str;

/* STR("literal"); for a table initialiser, where a cast is no constant, STR_INIT. */
#define STR_INIT(literal) \
	{ \
		"" literal, sizeof(literal) - 1 \
	}
#define STR(literal) ((str)STR_INIT(literal))

/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).at

static inline str str_of(const char *text)
{
	return (str){text, text ? strlen(text) : 0};
}

static inline str str_span(const char *at, size_t len)
{
	return (str){at, len};
}

static inline bool str_eq(str a, str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Byte order, shorter first, as Go compares strings. */
int str_cmp(str a, str b) PURE;

bool str_starts(str s, str prefix) PURE;
bool str_ends(str s, str suffix) PURE;

/* ASCII letters only, as HTTP header names and hexadecimal digits need it. */
bool str_eq_ignoring_case(str a, str b) PURE;

/* From `from` on, at most `len` bytes, both clipped to what is there. */
str str_slice(str s, size_t from, size_t len) PURE;

/* Without leading and trailing space, tab, CR and LF. */
str str_trim(str s) PURE;

/* Index of the first `c` or of the first occurrence of `what`; -1 if there is none. */
ptrdiff_t str_find_char(str s, char c) PURE;
ptrdiff_t str_find(str s, str what) PURE;

/*
 * Cuts `*rest` at the first `sep`: returns what stood before it and leaves what
 * stood behind. Without a separator the whole is returned and `*rest` becomes absent
 * (at == NULL), which ends a loop:
 *
 *	for (str rest = list; rest.at;)
 *		use(str_cut(&rest, ','));
 */
str str_cut(str *rest, char sep);

/* Decimal with an optional sign, the whole of `s`, no blanks.
 * False if malformed or out of range. */
NODISCARD bool str_to_i64(str s, int64_t *to);
NODISCARD bool str_to_u64(str s, uint64_t *to);

/* ASCII, whatever the locale. The value of a hexadecimal digit, -1 of any other character. */
bool str_is_alphanumeric(char c) PURE;
int str_hex_digit(char c) PURE;

/* Valid UTF-8 without surrogates and overlong forms (RFC 3629). */
bool str_is_utf8(str s) PURE;
