#include "lib/http/wire1.h"

enum {
	SIZE_DIGITS_MAX = 16,
	EXTENSIONS_MAX_BYTES = 4096,
	TRAILERS_MAX_BYTES = 16384,
};

static int read_size(struct http1_chunks *c, char byte, struct err *e);
static int read_extension(struct http1_chunks *c, char byte, struct err *e);
static int read_trailers(struct http1_chunks *c, str *in, struct err *e);
static int expect(
	struct http1_chunks *c, char byte, char wanted, enum http1_chunk_state next, struct err *e);

void http1_chunks_begin(struct http1_chunks *c)
{
	*c = (struct http1_chunks){0};
	buf_init(&c->trailers, TRAILERS_MAX_BYTES);
}

void http1_chunks_end(struct http1_chunks *c)
{
	buf_free(&c->trailers);
}

static enum http1_chunk_state after_size(const struct http1_chunks *c)
{
	return c->left_bytes ? HTTP1_CHUNK_DATA : HTTP1_CHUNK_TRAILERS;
}

static str take_data(struct http1_chunks *c, str *in)
{
	str part = str_slice(*in, 0, c->left_bytes);

	c->left_bytes -= part.len;
	*in = str_slice(*in, part.len, in->len);
	if (c->left_bytes == 0)
		c->state = HTTP1_CHUNK_DATA_CR;
	return part;
}

int http1_chunks_read(struct http1_chunks *c, str *in, str *part, struct err *e)
{
	*part = (str){NULL, 0};
	while (in->len > 0 && c->state != HTTP1_CHUNK_DONE) {
		char byte = in->at[0];

		if (c->state == HTTP1_CHUNK_DATA) {
			*part = take_data(c, in);
			return 0;
		}
		if (c->state == HTTP1_CHUNK_TRAILERS) {
			TRY(read_trailers(c, in, e));
			continue;
		}
		*in = str_slice(*in, 1, in->len);
		switch (c->state) {
		case HTTP1_CHUNK_SIZE: TRY(read_size(c, byte, e)); break;
		case HTTP1_CHUNK_EXTENSION: TRY(read_extension(c, byte, e)); break;
		case HTTP1_CHUNK_SIZE_LF: TRY(expect(c, byte, '\n', after_size(c), e)); break;
		case HTTP1_CHUNK_DATA_CR: TRY(expect(c, byte, '\r', HTTP1_CHUNK_DATA_LF, e)); break;
		default: TRY(expect(c, byte, '\n', HTTP1_CHUNK_SIZE, e)); c->digits = 0;
		}
	}
	return 0;
}

static int read_size(struct http1_chunks *c, char byte, struct err *e)
{
	int digit = str_hex_digit(byte);

	if (digit >= 0 && c->digits < SIZE_DIGITS_MAX) {
		c->left_bytes = (c->digits++ ? c->left_bytes << 4 : 0) | (unsigned)digit;
		return 0;
	}
	if (c->digits == 0 || (byte != '\r' && byte != ';') || c->left_bytes > INT64_MAX)
		return err_set(e, ERR_INVALID, "not the size of a chunk");
	c->state = byte == ';' ? HTTP1_CHUNK_EXTENSION : HTTP1_CHUNK_SIZE_LF;
	return 0;
}

static int read_extension(struct http1_chunks *c, char byte, struct err *e)
{
	if (byte == '\r') {
		c->state = HTTP1_CHUNK_SIZE_LF;
		return 0;
	}
	if (!http_is_field_value(str_span(&byte, 1)))
		return err_set(e, ERR_INVALID, "a control character in a chunk's extension");
	if (++c->extension_bytes > EXTENSIONS_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "more than %d bytes of chunk extensions",
			EXTENSIONS_MAX_BYTES);
	return 0;
}

static int read_trailers(struct http1_chunks *c, str *in, struct err *e)
{
	size_t before = c->trailers.len, len;

	buf_add_str(&c->trailers, str_slice(*in, 0, TRAILERS_MAX_BYTES - before));
	TRY(buf_ok(&c->trailers, "the trailer section", e));
	TRY(http1_find_end(buf_str(&c->trailers), &c->scanned, &len, e));
	if (len == 0 && c->trailers.len == TRAILERS_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "more than %d bytes of trailers", TRAILERS_MAX_BYTES);
	if (len > 0) {
		c->trailers.len = len;
		c->state = HTTP1_CHUNK_DONE;
	}
	*in = str_slice(*in, c->trailers.len - before, in->len);
	return 0;
}

static int expect(
	struct http1_chunks *c, char byte, char wanted, enum http1_chunk_state next, struct err *e)
{
	if (byte != wanted)
		return err_set(e, ERR_INVALID, "a chunk without CR LF at its end");
	c->state = next;
	return 0;
}
