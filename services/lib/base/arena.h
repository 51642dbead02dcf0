/*
 * Arena: memory with one lifetime, a parse, a request or a pass of a controller, freed as a whole.
 *
 * There are three lifetimes in this house: the process; an arena; a counted
 * immutable object in a cache (counted.h). Nothing else owns memory for longer than
 * a function, save containers that say so.
 *
 * Ownership: who calls arena_init calls arena_free. Threading: one thread at a time.
 *
 * The limit bounds what a peer can make us hold. Sizes that depend on input are asked of
 * arena_try, which answers NULL past the limit; arena_get is for what the program itself
 * decides, counts towards the limit but is not stopped by it, and ends the process when
 * the machine has no memory left.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

#include <stdarg.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	char *next, *end;           /* free part of the newest chunk */
	size_t used_bytes;          /* handed out, with rounding */
	size_t limit_bytes;
};

#define ARENA_NO_LIMIT SIZE_MAX

/* Allocates nothing yet. */
void arena_init(struct arena *a, size_t limit_bytes);
void arena_free(struct arena *a);

/*
 * The same, beginning in memory that the caller keeps and frees: what was measured by `used_bytes`
 * of another arena fits there exactly. It is aligned as malloc's is.
 */
void arena_init_in(struct arena *a, void *memory, size_t bytes);

/* Forgets everything but keeps one chunk, for a loop that fills the same arena again and again. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for every type. arena_get never returns NULL; arena_try does past the limit. */
void *arena_get(struct arena *a, size_t bytes) __attribute__((malloc, returns_nonnull));
NODISCARD void *arena_try(struct arena *a, size_t bytes) __attribute__((malloc));

/* `count` items of `size` bytes; NULL past the limit or when the product overflows. */
NODISCARD void *arena_try_array(struct arena *a, size_t count, size_t size) __attribute__((malloc));

/*
 * Room for one more item in a growing array that lives in the arena: doubles `*at` when `len`
 * reaches `*cap`, the old place being left behind. -1 past the limit.
 */
NODISCARD int arena_grow(struct arena *a, void **at, size_t len, size_t *cap, size_t size);

/* A place for one scalar: objects hold what may be unset behind pointers. */
bool *arena_bool(struct arena *a, bool value);
int32_t *arena_i32(struct arena *a, int32_t value);
int64_t *arena_i64(struct arena *a, int64_t value);

/* Copies; a NUL is put behind the last byte, which len does not count.
 * at == NULL past the limit. */
str arena_str(struct arena *a, str s);
NODISCARD int arena_str_try(struct arena *a, str s, str *to, struct err *e);

/* Formatted text for the program's own messages; not for sizes that a peer chose. */
str arena_fmt(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
str arena_vfmt(struct arena *a, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

/* The error that every decoder gives when arena_try said NULL. Returns -1. */
static inline int arena_full(const struct arena *a, struct err *e)
{
	return err_set(
		e, ERR_LIMIT, "the input needs more than %zu bytes of memory", a->limit_bytes);
}
