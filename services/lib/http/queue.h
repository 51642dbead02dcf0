/*
 * What waits to be sent: pieces of bytes, each owned by a counted object, so that one frame can
 * wait in many queues without a copy. Threading: one thread at a time.
 */
#pragma once

#include "lib/base/counted.h"
#include "lib/base/str.h"

struct http_piece {
	str bytes;
	struct counted *owner;
};

struct http_queue {
	struct http_piece *pieces; /* ring */
	size_t first, count, cap;
	size_t bytes;
	struct http_queue_block *tail; /* takes copies; the last piece lies in it */
};

void http_queue_free(struct http_queue *q);

/* Shares: takes a reference. */
void http_queue_share(struct http_queue *q, str bytes, struct counted *owner);
void http_queue_copy(struct http_queue *q, str bytes);

/* Moves up to `len` bytes from the front to `to`. Returns how many. */
size_t http_queue_take(struct http_queue *q, char *to, size_t len);
