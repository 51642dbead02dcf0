/*
 * Structs to protobuf as gogo's generated code writes them: fields in number order,
 * plain values always, even zero, pointers, lists and maps if set. Written from the
 * end, so that each length is known.
 */
#include "lib/codec/pb.h"
#include "lib/schema/envelope.h"

struct pb_encoder {
	struct pb_writer w;
	struct buf scratch; /* a quantity's text */
};

static void put_struct(struct pb_encoder *e, const struct type *t, const void *o);

static void put_quantity(struct pb_encoder *e, uint32_t number, const struct quantity *q)
{
	size_t mark = pb_mark(&e->w);

	buf_reset(&e->scratch);
	quantity_put(&e->scratch, q);
	pb_put_bytes(&e->w, 1, buf_str(&e->scratch));
	pb_put_length(&e->w, number, mark);
}

/* Time leaves the nanoseconds out: JSON does not have them either. */
static void put_time(struct pb_writer *w, uint32_t number, const struct time_value *v, bool micro)
{
	size_t mark = pb_mark(w);

	if (v->set) {
		pb_put_u64(w, 2, micro ? (uint64_t)(v->nanos / 1000 * 1000) : 0);
		pb_put_u64(w, 1, (uint64_t)v->seconds);
	}
	pb_put_length(w, number, mark);
}

static void put_int_or_string(struct pb_writer *w, uint32_t number, const struct int_or_string *v)
{
	size_t mark = pb_mark(w);

	pb_put_bytes(w, 3, v->text);
	pb_put_u64(w, 2, (uint64_t)(int64_t)v->number);
	pb_put_u64(w, 1, v->is_text);
	pb_put_length(w, number, mark);
}

/* A message with the text in field 1, if there is one. */
static void put_raw(struct pb_writer *w, uint32_t number, const str *text)
{
	size_t mark = pb_mark(w);

	if (text->at)
		pb_put_bytes(w, 1, *text);
	pb_put_length(w, number, mark);
}

static void put_nested(struct pb_encoder *e, const struct type *t, const struct field *f,
	uint32_t number, const void *at)
{
	size_t mark = pb_mark(&e->w);

	put_struct(e, row_type(t, f), at);
	pb_put_length(&e->w, number, mark);
}

/* Under `number`, which is the field's own, or 2 for the value of a map entry. */
static void put_value(struct pb_encoder *e, const struct type *t, const struct field *f,
	uint32_t number, const void *at)
{
	struct pb_writer *w = &e->w;
	size_t mark = pb_mark(w);

	switch ((enum field_kind)f->kind) {
	case KIND_BOOL: pb_put_u64(w, number, *(const bool *)at); break;
	case KIND_INT32: pb_put_u64(w, number, (uint64_t)(int64_t) * (const int32_t *)at); break;
	case KIND_INT64: pb_put_u64(w, number, (uint64_t) * (const int64_t *)at); break;
	case KIND_FLOAT64: pb_put_double(w, number, *(const double *)at); break;
	case KIND_STRING: pb_put_bytes(w, number, *(const str *)at); break;
	case KIND_BYTES:
		if (((const str *)at)->at)
			pb_put_bytes(w, number, *(const str *)at);
		break;
	case KIND_QUANTITY: put_quantity(e, number, at); break;
	case KIND_TIME: put_time(w, number, at, false); break;
	case KIND_MICROTIME: put_time(w, number, at, true); break;
	case KIND_DURATION:
		pb_put_u64(w, 1, (uint64_t)((const struct duration *)at)->ns);
		pb_put_length(w, number, mark);
		break;
	case KIND_INT_OR_STRING: put_int_or_string(w, number, at); break;
	case KIND_RAW:
	case KIND_FIELDS:
	case KIND_JSON:
	case KIND_ANY: put_raw(w, number, at); break;
	case KIND_STRUCT: put_nested(e, t, f, number, at); break;
	}
}

static void put_list(
	struct pb_encoder *e, const struct type *t, const struct field *f, const struct any_list *l)
{
	size_t size = value_bytes(t, f);

	for (size_t i = l->len; i-- > 0;)
		put_value(e, t, f, f->number, (const char *)l->at + i * size);
}

static void put_map(
	struct pb_encoder *e, const struct type *t, const struct field *f, const struct any_list *m)
{
	size_t size = entry_bytes(t, f);

	for (size_t i = m->len; i-- > 0;) {
		const char *entry = (const char *)m->at + i * size;
		size_t mark = pb_mark(&e->w);

		put_value(e, t, f, 2, entry + ENTRY_VALUE);
		pb_put_bytes(&e->w, 1, *(const str *)entry);
		pb_put_length(&e->w, f->number, mark);
	}
}

/* A list that is a message of its own stands in a field like a pointer: nil is left out. */
static bool is_nil_list(const struct type *t, const struct field *f, const void *at)
{
	if (f->kind != KIND_STRUCT || row_type(t, f)->form != FORM_LIST)
		return false;
	const struct any_list *items = field_at(at, own_fields(row_type(t, f)));

	return !items->at;
}

static void put_field(
	struct pb_encoder *e, const struct type *t, const struct field *f, const void *at)
{
	const struct any_pointer *p = at;

	switch ((enum field_shape)f->shape) {
	case SHAPE_VALUE:
		if (!is_nil_list(t, f, at))
			put_value(e, t, f, f->number, at);
		break;
	case SHAPE_POINTER:
		if (p->at)
			put_value(e, t, f, f->number, p->at);
		break;
	case SHAPE_LIST: put_list(e, t, f, at); break;
	case SHAPE_MAP: put_map(e, t, f, at); break;
	}
}

static void put_struct(struct pb_encoder *e, const struct type *t, const void *o)
{
	const uint16_t *numbers = &t->schema->numbers[t->numbers];

	for (size_t n = t->number_max; n > 0; n--) {
		const struct field *f = own_fields(t) + numbers[n] - 1;

		if (numbers[n])
			put_field(e, t, f, field_at(o, f));
	}
}

void pb_encode_struct(const struct type *t, const void *o, struct buf *to)
{
	struct pb_encoder e;

	buf_init(&e.scratch, QUANTITY_TEXT_MAX);
	pb_write_start(&e.w, to);
	put_struct(&e, t, o);
	pb_write_end(&e.w);
	buf_free(&e.scratch);
}

void pb_encode_wrapped(
	const struct type *t, const void *o, str api_version, str kind, struct buf *to)
{
	struct pb_encoder e;

	buf_init(&e.scratch, QUANTITY_TEXT_MAX);
	pb_write_start(&e.w, to);
	pb_put_bytes(&e.w, ENVELOPE_CONTENT_TYPE, STR(""));
	pb_put_bytes(&e.w, ENVELOPE_CONTENT_ENCODING, STR(""));
	size_t mark = pb_mark(&e.w);

	put_struct(&e, t, o);
	pb_put_length(&e.w, ENVELOPE_RAW, mark);
	mark = pb_mark(&e.w);
	pb_put_bytes(&e.w, ENVELOPE_KIND, kind);
	pb_put_bytes(&e.w, ENVELOPE_API_VERSION, api_version);
	pb_put_length(&e.w, ENVELOPE_TYPE, mark);
	pb_put_raw(&e.w, ENVELOPE_MAGIC);
	pb_write_end(&e.w);
	buf_free(&e.scratch);
}
