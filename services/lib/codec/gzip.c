#include "lib/codec/gzip.h"

#include <zlib.h>

enum {
	GZIP_WINDOW = 15 + 16, /* zlib's way of saying: with gzip's head and tail */
	GZIP_MEMORY = 8,
	GZIP_TAKE_MAX = 1 << 30,
};

static int pack(z_stream *z, struct buf *to, str bytes, struct err *e)
{
	int result = Z_OK;

	while (result != Z_STREAM_END) {
		if (z->avail_in == 0 && bytes.len) {
			z->avail_in = (uInt)(bytes.len < GZIP_TAKE_MAX ? bytes.len : GZIP_TAKE_MAX);
			z->next_in = (Bytef *)(uintptr_t)bytes.at;
			bytes = str_slice(bytes, z->avail_in, bytes.len);
		}
		uLong room = deflateBound(z, z->avail_in);
		char *at = buf_reserve(to, room);

		if (!at)
			return buf_ok(to, "the packed bytes", e);
		z->next_out = (Bytef *)at;
		z->avail_out = (uInt)(room < GZIP_TAKE_MAX ? room : GZIP_TAKE_MAX);
		uInt before = z->avail_out;

		result = deflate(z, bytes.len ? Z_NO_FLUSH : Z_FINISH);
		if (result == Z_STREAM_ERROR)
			return err_set(e, ERR_INTERNAL, "packing failed");
		to->len += before - z->avail_out;
	}
	return 0;
}

int gzip_put(struct buf *to, str bytes, struct err *e)
{
	z_stream z = {.next_in = NULL};

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
		    Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(e, ERR_SYSTEM, "no memory to pack an answer");
	int result = pack(&z, to, bytes, e);

	deflateEnd(&z);
	return result;
}
