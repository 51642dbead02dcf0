#include "lib/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	ALIGN_BYTES = 16,
	FIRST_CHUNK_BYTES = 4096,
	LARGEST_CHUNK_BYTES = 1 << 20,
};

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of the space behind this header */
};

static_assert(sizeof(struct arena_chunk) % ALIGN_BYTES == 0, "space behind the header is aligned");

static void *take(struct arena *a, size_t bytes);
static bool add_chunk(struct arena *a, size_t bytes);

void arena_init(struct arena *a, size_t limit_bytes)
{
	*a = (struct arena){.limit_bytes = limit_bytes};
}

void arena_init_in(struct arena *a, void *memory, size_t bytes)
{
	*a = (struct arena){
		.next = memory, .end = (char *)memory + bytes, .limit_bytes = ARENA_NO_LIMIT};
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *older = chunk->older;

		MEMORY_UNPOISON(chunk + 1, chunk->size);
		free(chunk);
		chunk = older;
	}
}

void arena_free(struct arena *a)
{
	free_chunks(a->chunks);
	arena_init(a, a->limit_bytes);
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *kept = a->chunks;

	a->used_bytes = 0;
	if (!kept)
		return;
	free_chunks(kept->older);
	kept->older = NULL;
	a->next = (char *)(kept + 1);
	a->end = a->next + kept->size;
	MEMORY_POISON(a->next, kept->size);
}

void *arena_get(struct arena *a, size_t bytes)
{
	void *at = take(a, bytes);

	if (UNLIKELY(!at)) {
		fprintf(stderr, "out of memory: %zu bytes wanted, %zu in this arena\n", bytes,
			a->used_bytes);
		abort();
	}
	return at;
}

void *arena_try(struct arena *a, size_t bytes)
{
	if (UNLIKELY(a->used_bytes >= a->limit_bytes || bytes > a->limit_bytes - a->used_bytes))
		return NULL;
	return take(a, bytes);
}

void *arena_try_array(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return arena_try(a, bytes);
}

int arena_grow(struct arena *a, void **at, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return 0;
	size_t wanted = *cap ? *cap * 2 : 4;
	void *larger = arena_try_array(a, wanted, size);

	if (!larger)
		return -1;
	if (len > 0)
		memcpy(larger, *at, len * size);
	*at = larger;
	*cap = wanted;
	return 0;
}

bool *arena_bool(struct arena *a, bool value)
{
	bool *at = arena_get(a, sizeof(*at));

	*at = value;
	return at;
}

int32_t *arena_i32(struct arena *a, int32_t value)
{
	int32_t *at = arena_get(a, sizeof(*at));

	*at = value;
	return at;
}

int64_t *arena_i64(struct arena *a, int64_t value)
{
	int64_t *at = arena_get(a, sizeof(*at));

	*at = value;
	return at;
}

static str copy_into(char *to, str s)
{
	if (s.len > 0)
		memcpy(to, s.at, s.len);
	return str_span(to, s.len);
}

str arena_str(struct arena *a, str s)
{
	return copy_into(arena_get(a, s.len + 1), s);
}

int arena_str_try(struct arena *a, str s, str *to, struct err *e)
{
	char *at = arena_try(a, s.len + 1);

	if (!at)
		return arena_full(a, e);
	*to = copy_into(at, s);
	return 0;
}

str arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str s = arena_vfmt(a, fmt, args);
	va_end(args);
	return s;
}

str arena_vfmt(struct arena *a, const char *fmt, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	char *at = arena_get(a, (size_t)len + 1);

	vsnprintf(at, (size_t)len + 1, fmt, args);
	return str_span(at, (size_t)len);
}

static void *take(struct arena *a, size_t bytes)
{
	if (UNLIKELY(bytes > SIZE_MAX / 2))
		return NULL;
	/* Nothing asked for still gets a place of its own. */
	size_t rounded = (bytes + !bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);

	if (UNLIKELY(rounded > (size_t)(a->end - a->next)) && !add_chunk(a, rounded))
		return NULL;
	void *at = a->next;

	a->next += rounded;
	a->used_bytes += rounded;
	MEMORY_UNPOISON(at, bytes);
	return memset(at, 0, bytes);
}

/* Chunks double, so that n bytes cost log n calls of malloc;
 * a large object gets one to its measure. */
static bool add_chunk(struct arena *a, size_t bytes)
{
	size_t size = a->chunks ? a->chunks->size * 2
				: FIRST_CHUNK_BYTES - sizeof(struct arena_chunk);

	if (size > LARGEST_CHUNK_BYTES)
		size = LARGEST_CHUNK_BYTES;
	if (size < bytes)
		size = bytes;
	struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);

	if (!chunk)
		return false;
	*chunk = (struct arena_chunk){.older = a->chunks, .size = size};
	a->chunks = chunk;
	a->next = (char *)(chunk + 1);
	a->end = a->next + size;
	MEMORY_POISON(a->next, size);
	return true;
}
