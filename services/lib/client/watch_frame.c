#include "lib/client/watch_frame.h"

enum { HEAD_BYTES = 4 };

int watch_frame_cut(str *rest, str *frame, struct err *e)
{
	const uint8_t *head = (const uint8_t *)rest->at;

	*frame = (str){NULL, 0};
	if (rest->len < HEAD_BYTES)
		return 0;
	size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];

	if (len > WATCH_FRAME_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "a watch event of %zu bytes", len);
	if (rest->len - HEAD_BYTES < len)
		return 0;
	*frame = str_span(rest->at + HEAD_BYTES, len);
	*rest = str_slice(*rest, HEAD_BYTES + len, rest->len);
	return 0;
}
