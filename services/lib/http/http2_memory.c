#include "lib/http/connection.h"

#include <malloc.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <sys/mman.h>

/*
 * nghttp2 keeps a block of 16 KiB for the frame being sent as long as the session lives. Frames
 * with a body take only their nine bytes of it, heads a few hundred, so most of it would be dirt
 * of the heap that an idle watch holds on to. In a mapping of its own the kernel gives only the
 * pages that were written.
 */
enum { LAZY_FROM_BYTES = 16 << 10 };

static bool fits(const struct http_connection *c, size_t bytes)
{
	size_t limit = c->keeper->limits->memory.session_bytes;

	return c->session_bytes < limit && bytes <= limit - c->session_bytes;
}

static void *counted(struct http_connection *c, void *at)
{
	if (at)
		c->session_bytes += malloc_usable_size(at);
	return at;
}

static void *map_lazily(struct http_connection *c, size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	c->lazy_block = at;
	c->lazy_bytes = bytes;
	c->session_bytes += bytes;
	return at;
}

void *http2_allocate(size_t bytes, void *connection)
{
	struct http_connection *c = connection;

	if (!fits(c, bytes))
		return NULL;
	return bytes < LAZY_FROM_BYTES || c->lazy_block ? counted(c, malloc(bytes))
							: map_lazily(c, bytes);
}

void http2_release(void *at, void *connection)
{
	struct http_connection *c = connection;

	if (!at || at != c->lazy_block) {
		c->session_bytes -= malloc_usable_size(at);
		free(at);
		return;
	}
	munmap(at, c->lazy_bytes);
	c->session_bytes -= c->lazy_bytes;
	c->lazy_block = NULL;
}

void *http2_allocate_zeroed(size_t count, size_t bytes, void *connection)
{
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all) || !fits(connection, all))
		return NULL;
	return counted(connection, calloc(count, bytes));
}

/* The block in question is asked for in this way, and never resized. */
void *http2_resize(void *at, size_t bytes, void *connection)
{
	struct http_connection *c = connection;
	size_t before = malloc_usable_size(at);

	if (!at)
		return http2_allocate(bytes, connection);
	if (!fits(c, bytes))
		return NULL;
	void *resized = realloc(at, bytes);

	if (resized)
		c->session_bytes = c->session_bytes - before + malloc_usable_size(resized);
	return resized;
}
