/*
 * Protobuf wire format (protobuf.dev/programming-guides/encoding), as gogo's generated code in
 * Kubernetes reads and writes it. No schema here: fields come and go by number.
 *
 * Reading: a message is walked once;
 * what the caller does not know is skipped by calling pb_next again.
 *
 *	for (struct pb_field f; pb_more(&r);) {
 *		TRY(pb_next(&r, &f, e));
 *		if (f.number == 1) ...
 *	}
 *
 * Nothing is allocated, strings point into the text, no length reaches beyond it. Groups are
 * refused. A nested message is read by a reader over `f.bytes`; depth is the caller's to bound.
 *
 * Writing goes backwards, last field first, so that a length is known when it is written and no
 * size pass is needed:
 *
 *	pb_write_start(&w, to);
 *	size_t mark = pb_mark(&w);
 *	...the fields of the message, highest number first...
 *	pb_put_length(&w, 3, mark);
 *	pb_write_end(&w);
 *
 * What overflows is remembered by the buf underneath: ask buf_ok at the end.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum pb_wire {
	PB_VARINT = 0,
	PB_FIXED64 = 1,
	PB_BYTES = 2,
	PB_FIXED32 = 5,
};

enum {
	PB_VARINT_MAX_BYTES = 10,
	PB_NUMBER_MAX = (1 << 29) - 1,
};

struct pb_reader {
	const char *at, *end;
};

struct pb_field {
	uint32_t number;
	enum pb_wire wire;
	uint64_t value; /* of a varint or a fixed one */
	str bytes;      /* of PB_BYTES */
};

static inline struct pb_reader pb_read(str message)
{
	return (struct pb_reader){message.at, message.len ? message.at + message.len : message.at};
}

static inline bool pb_more(const struct pb_reader *r)
{
	return r->at < r->end;
}

NODISCARD int pb_varint_slow(struct pb_reader *r, uint64_t *to, struct err *e);
NODISCARD int pb_payload_slow(struct pb_reader *r, struct pb_field *f, uint64_t tag, struct err *e);

static inline NODISCARD int pb_varint(struct pb_reader *r, uint64_t *to, struct err *e)
{
	if (LIKELY(r->at < r->end && (unsigned char)*r->at < 0x80)) {
		*to = (unsigned char)*r->at++;
		return 0;
	}
	return pb_varint_slow(r, to, e);
}

/* The next field, of which there is one (pb_more). */
static inline NODISCARD int pb_next(struct pb_reader *r, struct pb_field *f, struct err *e)
{
	uint64_t tag, value;

	TRY(pb_varint(r, &tag, e));
	if (UNLIKELY(tag >> 3 == 0 || tag >> 3 > PB_NUMBER_MAX || (tag & 5) != 0))
		return pb_payload_slow(r, f, tag, e);
	TRY(pb_varint(r, &value, e));
	f->number = (uint32_t)(tag >> 3);
	f->wire = (enum pb_wire)(tag & 7);
	if (f->wire == PB_VARINT) {
		f->value = value;
		return 0;
	}
	if (UNLIKELY(value > (uint64_t)(r->end - r->at)))
		return pb_payload_slow(r, f, tag, e);
	f->bytes = str_span(r->at, (size_t)value);
	r->at += value;
	return 0;
}

/*
 * Repeated scalars come packed (one PB_BYTES) or each on its own; both are taken. Start with the
 * field, then call while it returns true: the next varint is in `*value`.
 */
struct pb_packed {
	struct pb_reader rest;
	uint64_t single;
	bool has_single;
};

NODISCARD int pb_packed_start(
	struct pb_packed *p, const struct pb_field *f, const char *go_name, struct err *e);

static inline bool pb_packed_more(const struct pb_packed *p)
{
	return p->has_single || pb_more(&p->rest);
}

NODISCARD int pb_packed_next(struct pb_packed *p, uint64_t *value, struct err *e);

static inline double pb_double(uint64_t fixed64)
{
	double value;

	memcpy(&value, &fixed64, sizeof(value));
	return value;
}

struct pb_writer {
	struct buf *to;
	char *at; /* the first byte written so far; what is written ends with to's capacity */
};

void pb_write_start(struct pb_writer *w, struct buf *to);

/* Moves what was written behind the text that the buffer had. */
void pb_write_end(struct pb_writer *w);

/* Makes room in front of `at`; NULL after an overflow. */
char *pb_room_slow(struct pb_writer *w, size_t bytes) COLD;

static inline char *pb_room(struct pb_writer *w, size_t bytes)
{
	if (LIKELY(bytes <= (size_t)(w->at - w->to->at) - w->to->len))
		return w->at -= bytes;
	return pb_room_slow(w, bytes);
}

/* How many bytes are written: what a message's length is counted from. */
static inline size_t pb_mark(const struct pb_writer *w)
{
	return w->to->cap - (size_t)(w->at - w->to->at);
}

static inline size_t pb_varint_bytes(uint64_t value)
{
	return ((size_t)(63 - __builtin_clzll(value | 1)) * 9 + 73) / 64;
}

static inline void pb_put_varint(struct pb_writer *w, uint64_t value)
{
	char *to = pb_room(w, pb_varint_bytes(value));

	if (UNLIKELY(!to))
		return;
	for (; value >= 0x80; value >>= 7)
		*to++ = (char)(value | 0x80);
	*to = (char)value;
}

static inline void pb_put_tag(struct pb_writer *w, uint32_t number, enum pb_wire wire)
{
	pb_put_varint(w, (uint64_t)number << 3 | wire);
}

/* int32 and int64 go sign-extended; bool is 0 or 1. */
static inline void pb_put_u64(struct pb_writer *w, uint32_t number, uint64_t value)
{
	pb_put_varint(w, value);
	pb_put_tag(w, number, PB_VARINT);
}

/* Ends (in the text: begins) a message or map entry whose fields were written since `mark`. */
static inline void pb_put_length(struct pb_writer *w, uint32_t number, size_t mark)
{
	pb_put_varint(w, pb_mark(w) - mark);
	pb_put_tag(w, number, PB_BYTES);
}

static inline void pb_put_raw(struct pb_writer *w, str bytes)
{
	char *to = pb_room(w, bytes.len);

	if (LIKELY(to && bytes.len))
		memcpy(to, bytes.at, bytes.len);
}

static inline void pb_put_bytes(struct pb_writer *w, uint32_t number, str bytes)
{
	pb_put_raw(w, bytes);
	pb_put_varint(w, bytes.len);
	pb_put_tag(w, number, PB_BYTES);
}

void pb_put_double(struct pb_writer *w, uint32_t number, double value);
