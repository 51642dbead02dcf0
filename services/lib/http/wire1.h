/*
 * HTTP/1.1 on the wire (RFC 9112), strictly: what two readers could understand differently is
 * refused, so that no request can be smuggled past one of them. For this folder.
 *
 * Ownership: what is read lies in the exchange's arena. Threading: any.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/http/exchange.h"

enum http1_framing { HTTP1_NO_BODY, HTTP1_LENGTH, HTTP1_CHUNKED, HTTP1_UNTIL_CLOSE };

struct http1_head {
	enum http1_framing framing;
	uint64_t length_bytes;
	bool keep_alive, expects_continue, is_http10;
	int refusal; /* the status to answer with when reading failed */
};

/*
 * The end of a head in `in`, its empty line included: *len, or 0 when more is needed. `scanned`
 * (0 at first) remembers how far it is known. A line that does not end in CR LF is ERR_INVALID.
 */
NODISCARD int http1_find_end(str in, size_t *scanned, size_t *len, struct err *e);

/* `head` is what http1_find_end found. */
NODISCARD int http1_read_request(struct arena *a, str head, size_t fields_max,
	struct http_request *to, struct http1_head *h, struct err *e);
NODISCARD int http1_read_response(struct arena *a, str head, size_t fields_max, bool answers_head,
	struct http_response *to, struct http1_head *h, struct err *e);

/* Field lines with their empty line: trailers. */
NODISCARD int http1_read_fields(
	struct arena *a, str lines, size_t fields_max, struct http_headers *to, struct err *e);

/* Path, query and authority out of the target: origin form, absolute form, or "*" of OPTIONS. */
NODISCARD int http_read_target(struct arena *a, struct http_request *r, struct err *e);

/* The chunked coding, taken apart. */
enum http1_chunk_state {
	HTTP1_CHUNK_SIZE,
	HTTP1_CHUNK_EXTENSION,
	HTTP1_CHUNK_SIZE_LF,
	HTTP1_CHUNK_DATA,
	HTTP1_CHUNK_DATA_CR,
	HTTP1_CHUNK_DATA_LF,
	HTTP1_CHUNK_TRAILERS,
	HTTP1_CHUNK_DONE,
};

struct http1_chunks {
	enum http1_chunk_state state;
	uint64_t left_bytes;
	unsigned digits;
	size_t extension_bytes; /* of the whole body */
	size_t scanned;
	struct buf trailers;
};

void http1_chunks_begin(struct http1_chunks *c);
void http1_chunks_end(struct http1_chunks *c);

/*
 * Takes bytes off the front of `*in` until a part of the body was found,
 * the end, or `*in` is empty.
 */
NODISCARD int http1_chunks_read(struct http1_chunks *c, str *in, str *part, struct err *e);

/* "HTTP/1.1 404 Not Found\r\n" */
void http1_add_status(struct buf *to, int status);

/* Control characters in a value become blanks, as Go writes them. */
void http1_add_field(struct buf *to, str name, str value);
