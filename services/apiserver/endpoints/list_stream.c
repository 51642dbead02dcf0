/*
 * A long list, sent as fast as its reader takes it: no more of it lies in memory than waits in the
 * connection, and no other request of the loop waits for its end.
 */
#include "apiserver/endpoints/list.h"

#include "lib/codec/gzip.h"

#include <stdlib.h>

enum {
	CHUNK_BYTES = 64 << 10,
	AHEAD_BYTES = 512 << 10, /* what waits in the connection before the writer does */
};

struct chunk {
	struct counted counted;
	struct buf bytes;
};

static void pump(struct http_exchange *x);
static void on_closed(struct http_exchange *x, const struct err *e);

static void no_body(UNUSED struct http_exchange *x, UNUSED str part)
{
}

static void no_end(UNUSED struct http_exchange *x, UNUSED const struct err *e)
{
}

static const struct http_events stream_events = {
	.body = no_body, .body_end = no_end, .writable = pump, .closed = on_closed};

void list_stream(struct listing *l)
{
	struct request *r = l->r;
	struct err e;

	r->state = l;
	r->x->events = &stream_events;
	if (r->form.gzip && gzip_new(&l->gzip, &e) == 0)
		request_add_header(r, "Content-Encoding", STR("gzip"));
	request_add_header(r, "Vary", STR("Accept-Encoding"));
	http_start(r->x, 200, request_headers(r, answer_content_type(&r->form)));
	pump(r->x);
}

static void release(struct listing *l, int code)
{
	if (l->gzip)
		gzip_free(l->gzip);
	snapshot_drop(l->snapshot);
	request_release(l->r, code);
}

static void destroy(struct counted *c)
{
	struct chunk *one = CONTAINER_OF(c, struct chunk, counted);

	buf_free(&one->bytes);
	free(one);
}

/* Items up to the size of a chunk, with the head before the first and the tail behind the last. */
static int fill(struct listing *l, struct buf *to, struct err *e)
{
	if (l->written == 0)
		TRY(list_put_head(l, to, e));
	while (l->written < l->count && to->len < CHUNK_BYTES) {
		TRY(list_put_item(l, l->written, to, e));
		l->written++;
	}
	if (l->written == l->count)
		list_put_tail(l, to);
	return buf_ok(to, "the list", e);
}

static int pack(struct listing *l, struct buf *bytes, struct err *e)
{
	struct buf packed;

	if (!l->gzip)
		return 0;
	buf_init(&packed, BUF_NO_LIMIT);
	if (gzip_add(l->gzip, buf_str(bytes), l->written == l->count, &packed, e) < 0) {
		buf_free(&packed);
		return -1;
	}
	buf_free(bytes);
	*bytes = packed;
	return 0;
}

static int send_chunk(struct listing *l, struct err *e)
{
	struct chunk *one = calloc(1, sizeof(*one));

	if (!one)
		return err_set(e, ERR_SYSTEM, "no memory for a part of a list");
	counted_init(&one->counted, destroy);
	buf_init(&one->bytes, BUF_NO_LIMIT);
	int result = fill(l, &one->bytes, e);

	if (result == 0)
		result = pack(l, &one->bytes, e);
	if (result == 0 && one->bytes.len)
		http_write_shared(l->r->x, buf_str(&one->bytes), &one->counted);
	counted_drop(&one->counted);
	return result;
}

static void pump(struct http_exchange *x)
{
	struct request *r = x->owner;
	struct listing *l = r->state;
	struct err e;

	while (l->written < l->count && http_pending_bytes(x) < AHEAD_BYTES) {
		if (send_chunk(l, &e) < 0) {
			release(l, 500);
			http_abort(x);
			return;
		}
	}
	if (l->written < l->count)
		return;
	release(l, 200);
	http_end(x, NULL);
}

static void on_closed(struct http_exchange *x, UNUSED const struct err *e)
{
	struct request *r = x->owner;

	release(r->state, 200);
	http_abort(x);
}
