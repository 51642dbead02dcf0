#include "lib/http/queue.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_PIECES = 4, BLOCK_BYTES = 4000 };

struct http_queue_block {
	struct counted counted;
	size_t len, cap;
	char bytes[];
};

static struct http_piece *piece_at(const struct http_queue *q, size_t i);
static void push(struct http_queue *q, str bytes, struct counted *owner);
static void *need(void *made);

void http_queue_free(struct http_queue *q)
{
	for (size_t i = 0; i < q->count; i++)
		counted_drop(piece_at(q, i)->owner);
	free(q->pieces);
	*q = (struct http_queue){0};
}

void http_queue_share(struct http_queue *q, str bytes, struct counted *owner)
{
	if (bytes.len == 0)
		return;
	counted_take(owner);
	push(q, bytes, owner);
	q->tail = NULL;
}

static void free_block(struct counted *c)
{
	free(CONTAINER_OF(c, struct http_queue_block, counted));
}

static struct http_queue_block *make_block(size_t least)
{
	size_t cap = least > BLOCK_BYTES ? least : BLOCK_BYTES;
	struct http_queue_block *b = need(malloc(sizeof(*b) + cap));

	counted_init(&b->counted, free_block);
	b->len = 0;
	b->cap = cap;
	return b;
}

void http_queue_copy(struct http_queue *q, str bytes)
{
	struct http_queue_block *b = q->tail;

	if (bytes.len == 0)
		return;
	if (b && b->cap - b->len >= bytes.len) {
		memcpy(b->bytes + b->len, bytes.at, bytes.len);
		piece_at(q, q->count - 1)->bytes.len += bytes.len;
		q->bytes += bytes.len;
	} else {
		b = make_block(bytes.len);
		memcpy(b->bytes, bytes.at, bytes.len);
		push(q, str_span(b->bytes, bytes.len), &b->counted);
		q->tail = b;
	}
	b->len += bytes.len;
}

size_t http_queue_take(struct http_queue *q, char *to, size_t len)
{
	size_t taken = 0;

	while (taken < len && q->count > 0) {
		struct http_piece *p = piece_at(q, 0);
		size_t part = p->bytes.len < len - taken ? p->bytes.len : len - taken;

		memcpy(to + taken, p->bytes.at, part);
		taken += part;
		p->bytes = str_span(p->bytes.at + part, p->bytes.len - part);
		if (p->bytes.len > 0)
			break;
		counted_drop(p->owner);
		q->first = (q->first + 1) & (q->cap - 1);
		if (--q->count == 0)
			q->tail = NULL;
	}
	q->bytes -= taken;
	return taken;
}

static struct http_piece *piece_at(const struct http_queue *q, size_t i)
{
	return &q->pieces[(q->first + i) & (q->cap - 1)];
}

static void enlarge(struct http_queue *q)
{
	size_t cap = q->cap ? q->cap * 2 : FIRST_PIECES;
	struct http_piece *larger = need(malloc(cap * sizeof(*larger)));

	for (size_t i = 0; i < q->count; i++)
		larger[i] = *piece_at(q, i);
	free(q->pieces);
	q->pieces = larger;
	q->cap = cap;
	q->first = 0;
}

static void push(struct http_queue *q, str bytes, struct counted *owner)
{
	if (q->count == q->cap)
		enlarge(q);
	q->count++;
	*piece_at(q, q->count - 1) = (struct http_piece){bytes, owner};
	q->bytes += bytes.len;
}

static void *need(void *made)
{
	if (!made) {
		fprintf(stderr, "out of memory in a queue of HTTP output\n");
		abort();
	}
	return made;
}
