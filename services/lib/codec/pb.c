#include "lib/codec/pb.h"

enum {
	LAST_SHIFT = 63,
	FIRST_BYTES = 64,
};

static int cut_off(struct err *e)
{
	return err_set(e, ERR_INVALID, "unexpected EOF");
}

int pb_varint_slow(struct pb_reader *r, uint64_t *to, struct err *e)
{
	const char *at = r->at;
	uint64_t value = 0;

	for (int shift = 0; shift <= LAST_SHIFT; shift += 7) {
		if (at == r->end)
			return cut_off(e);
		uint64_t byte = (unsigned char)*at++;

		if (shift == LAST_SHIFT && byte > 1)
			break;
		value |= (byte & 0x7f) << shift;
		if (byte < 0x80) {
			r->at = at;
			*to = value;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "proto: integer overflow");
}

static int read_fixed(struct pb_reader *r, size_t bytes, uint64_t *to, struct err *e)
{
	if ((size_t)(r->end - r->at) < bytes)
		return cut_off(e);
	*to = 0;
	for (size_t i = 0; i < bytes; i++)
		*to |= (uint64_t)(unsigned char)r->at[i] << (8 * i);
	r->at += bytes;
	return 0;
}

/* Comes here with whatever is neither a varint nor bytes within the text. */
int pb_payload_slow(struct pb_reader *r, struct pb_field *f, uint64_t tag, struct err *e)
{
	uint64_t number = tag >> 3, value = 0;
	unsigned wire = tag & 7;

	if (number == 0 || number > PB_NUMBER_MAX)
		return err_set(e, ERR_INVALID, "proto: illegal tag %d (wire type %llu)",
			(int)(int32_t)number, (unsigned long long)tag);
	if (wire == PB_BYTES)
		return cut_off(e);
	if (wire == 3 || wire == 4)
		return err_set(e, ERR_INVALID, "proto: field %u is a group, which is not supported",
			(unsigned)number);
	if (wire != PB_FIXED64 && wire != PB_FIXED32)
		return err_set(e, ERR_INVALID, "proto: illegal wireType %u", wire);
	TRY(read_fixed(r, wire == PB_FIXED64 ? 8 : 4, &value, e));
	*f = (struct pb_field){.number = (uint32_t)number, .wire = wire, .value = value};
	return 0;
}

int pb_packed_start(
	struct pb_packed *p, const struct pb_field *f, const char *go_name, struct err *e)
{
	*p = (struct pb_packed){0};
	if (f->wire == PB_BYTES) {
		p->rest = pb_read(f->bytes);
		return 0;
	}
	if (f->wire != PB_VARINT)
		return err_set(e, ERR_INVALID, "proto: wrong wireType = %d for field %s",
			(int)f->wire, go_name);
	p->single = f->value;
	p->has_single = true;
	return 0;
}

int pb_packed_next(struct pb_packed *p, uint64_t *value, struct err *e)
{
	if (!p->has_single)
		return pb_varint(&p->rest, value, e);
	p->has_single = false;
	*value = p->single;
	return 0;
}

void pb_write_start(struct pb_writer *w, struct buf *to)
{
	char *room = buf_reserve(to, FIRST_BYTES);

	*w = (struct pb_writer){.to = to, .at = room ? to->at + to->cap : to->at};
}

void pb_write_end(struct pb_writer *w)
{
	struct buf *b = w->to;
	size_t written = pb_mark(w);

	if (written == 0 || b->overflowed)
		return;
	memmove(b->at + b->len, w->at, written);
	b->len += written;
}

char *pb_room_slow(struct pb_writer *w, size_t bytes)
{
	struct buf *b = w->to;
	size_t written = pb_mark(w), cap = b->cap, len = b->len;
	size_t free_bytes = cap - written - len;

	/* The buffer's text is made to reach to its end for a moment, so that all of it is kept. */
	b->len = cap;
	char *room = buf_reserve(b, bytes - free_bytes);

	b->len = len;
	if (!room)
		return NULL;
	w->at = b->at + b->cap - written;
	memmove(w->at, b->at + cap - written, written);
	return w->at -= bytes;
}

void pb_put_double(struct pb_writer *w, uint32_t number, double value)
{
	char *to = pb_room(w, sizeof(value));
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (size_t i = 0; to && i < sizeof(bits); i++)
		to[i] = (char)(bits >> (8 * i));
	pb_put_tag(w, number, PB_FIXED64);
}
