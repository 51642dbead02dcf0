/*
 * buf: bytes that grow at the end, for what is written: an encoded object, a frame, a line.
 *
 * Ownership: who calls buf_init calls buf_free (or hands `at` on, to be freed with free()).
 * Threading: one thread at a time.
 *
 * Writers do not check each addition: what does not fit, by the limit or for want of memory, is
 * left out and the buffer remembers that it overflowed; who started the writing asks buf_ok once at
 * the end, and the bytes mean nothing if it says no.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

struct buf {
	char *at;
	size_t len, cap;
	size_t limit_bytes;
	bool overflowed;
};

/* For what the program itself decides; doubling cannot pass SIZE_MAX. */
#define BUF_NO_LIMIT (SIZE_MAX / 2)

void buf_init(struct buf *b, size_t limit_bytes);
void buf_free(struct buf *b);

/* Empties and forgets an overflow, keeps the memory. */
void buf_reset(struct buf *b);

/* Makes room for `more` bytes behind len and returns where they go; NULL where there is none. */
char *buf_reserve_slow(struct buf *b, size_t more) COLD;

static inline char *buf_reserve(struct buf *b, size_t more)
{
	if (LIKELY(more <= b->cap - b->len))
		return b->at + b->len;
	return buf_reserve_slow(b, more);
}

static inline void buf_add(struct buf *b, const void *from, size_t len)
{
	char *to = len ? buf_reserve(b, len) : NULL;

	if (LIKELY(to)) {
		memcpy(to, from, len);
		b->len += len;
	}
}

static inline void buf_add_str(struct buf *b, str s)
{
	buf_add(b, s.at, s.len);
}

static inline void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_add_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Decimal, without printf's cost. */
void buf_add_i64(struct buf *b, int64_t value);
void buf_add_u64(struct buf *b, uint64_t value);

/* Drops `len` bytes at the front, for a stream that was read or sent so far. */
void buf_drop(struct buf *b, size_t len);

static inline str buf_str(const struct buf *b)
{
	return str_span(b->at, b->len);
}

/* 0, or -1 with ERR_LIMIT naming `what` was written if the buffer overflowed. */
NODISCARD int buf_ok(const struct buf *b, const char *what, struct err *e);
