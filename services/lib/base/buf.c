#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BYTES = 256 };

void buf_init(struct buf *b, size_t limit_bytes)
{
	*b = (struct buf){.limit_bytes = limit_bytes};
}

void buf_free(struct buf *b)
{
	free(b->at);
	buf_init(b, b->limit_bytes);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflowed = false;
}

char *buf_reserve_slow(struct buf *b, size_t more)
{
	if (b->overflowed || more > b->limit_bytes || b->len > b->limit_bytes - more) {
		b->overflowed = true;
		return NULL;
	}
	size_t cap = b->cap ? b->cap * 2 : FIRST_BYTES;

	if (cap < b->len + more)
		cap = b->len + more;
	if (cap > b->limit_bytes)
		cap = b->limit_bytes;
	char *at = realloc(b->at, cap);

	if (!at) {
		b->overflowed = true;
		return NULL;
	}
	b->at = at;
	b->cap = cap;
	return at + b->len;
}

void buf_add_fmt(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);

	/* vsnprintf ends with a NUL, which needs a byte of room but is not counted. */
	char *to = buf_reserve(b, (size_t)len + 1);

	if (!to)
		return;
	va_start(args, fmt);
	vsnprintf(to, (size_t)len + 1, fmt, args);
	va_end(args);
	b->len += (size_t)len;
}

void buf_add_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_add_i64(struct buf *b, int64_t value)
{
	if (value < 0)
		buf_add_char(b, '-');
	buf_add_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_drop(struct buf *b, size_t len)
{
	if (len == 0)
		return;
	b->len -= len;
	memmove(b->at, b->at + len, b->len);
}

int buf_ok(const struct buf *b, const char *what, struct err *e)
{
	if (!b->overflowed)
		return 0;
	return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", what, b->limit_bytes);
}
