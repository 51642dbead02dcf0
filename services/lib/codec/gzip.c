#include "lib/codec/gzip.h"

#include <stdlib.h>
#include <zlib.h>

enum {
	GZIP_WINDOW = 15 + 16, /* zlib's way of saying: with gzip's head and tail */
	GZIP_MEMORY = 8,
	GZIP_TAKE_MAX = 1 << 30,
	GZIP_ROOM_BYTES = 32 << 10,
};

struct gzip {
	z_stream stream;
};

int gzip_new(struct gzip **to, struct err *e)
{
	struct gzip *g = calloc(1, sizeof(*g));

	if (!g ||
		deflateInit2(&g->stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
			Z_DEFAULT_STRATEGY) != Z_OK) {
		free(g);
		return err_set(e, ERR_SYSTEM, "no memory to pack an answer");
	}
	*to = g;
	return 0;
}

/* Until zlib has taken what it was offered and has nothing more to give. */
static int drain(z_stream *z, int flush, struct buf *to, struct err *e)
{
	do {
		char *at = buf_reserve(to, GZIP_ROOM_BYTES);

		if (!at)
			return buf_ok(to, "the packed bytes", e);
		z->next_out = (Bytef *)at;
		z->avail_out = GZIP_ROOM_BYTES;
		if (deflate(z, flush) == Z_STREAM_ERROR)
			return err_set(e, ERR_INTERNAL, "packing failed");
		to->len += GZIP_ROOM_BYTES - z->avail_out;
	} while (z->avail_out == 0);
	return 0;
}

int gzip_add(struct gzip *g, str bytes, bool last, struct buf *to, struct err *e)
{
	z_stream *z = &g->stream;

	do {
		z->avail_in = (uInt)(bytes.len < GZIP_TAKE_MAX ? bytes.len : GZIP_TAKE_MAX);
		z->next_in = (Bytef *)(uintptr_t)bytes.at;
		bytes = str_slice(bytes, z->avail_in, bytes.len);
		TRY(drain(z, last && bytes.len == 0 ? Z_FINISH : Z_NO_FLUSH, to, e));
	} while (bytes.len);
	return 0;
}

void gzip_free(struct gzip *g)
{
	deflateEnd(&g->stream);
	free(g);
}

int gzip_put(struct buf *to, str bytes, struct err *e)
{
	struct gzip *g;

	TRY(gzip_new(&g, e));
	int result = gzip_add(g, bytes, true, to, e);

	gzip_free(g);
	return result;
}
