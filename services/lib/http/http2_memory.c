#include "lib/http/connection.h"

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

void *http2_allocate(size_t bytes, void *connection)
{
	struct http_connection *c = connection;

	if (bytes < LAZY_FROM_BYTES || c->lazy_block)
		return malloc(bytes);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	c->lazy_block = at;
	c->lazy_bytes = bytes;
	return at;
}

void http2_release(void *at, void *connection)
{
	struct http_connection *c = connection;

	if (!at || at != c->lazy_block) {
		free(at);
		return;
	}
	munmap(at, c->lazy_bytes);
	c->lazy_block = NULL;
}

void *http2_allocate_zeroed(size_t count, size_t bytes, UNUSED void *connection)
{
	return calloc(count, bytes);
}

/* The block in question is asked for in this way, and never resized. */
void *http2_resize(void *at, size_t bytes, void *connection)
{
	return at ? realloc(at, bytes) : http2_allocate(bytes, connection);
}
