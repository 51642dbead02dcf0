/*
 * Protobuf to structs. Fields come in any order; unknown ones are skipped, of a
 * plain field that comes twice the last one counts, a message that comes twice is
 * merged, as in gogo's generated code.
 */
#include "lib/codec/pb.h"
#include "lib/schema/envelope.h"

#include <math.h>

struct pb_decoder {
	struct arena *arena;
	struct err *e;
	int depth;
};

static int decode_message(struct pb_decoder *d, const struct type *t, void *o, str in);
static int decode_field(struct pb_decoder *d, const struct type *t, const struct field *f, void *o,
	const struct pb_field *in, struct pb_reader *rest);

int pb_decode_struct(struct arena *a, const struct type *t, str in, void *o, struct err *e)
{
	struct pb_decoder d = {.arena = a, .e = e};

	return decode_message(&d, t, o, in);
}

static const struct field *row_of(const struct type *t, uint32_t number)
{
	if (number > t->number_max)
		return NULL;
	size_t row = t->schema->numbers[t->numbers + number];

	return row ? own_fields(t) + row - 1 : NULL;
}

/* A list that is a message of its own is not nil once the message was there. */
static void end_list(struct any_list *items)
{
	if (!items->at)
		*items = empty_list();
}

static int decode_message(struct pb_decoder *d, const struct type *t, void *o, str in)
{
	struct pb_reader r = pb_read(in);

	if (++d->depth > OBJECT_DEPTH_MAX)
		return err_set(d->e, ERR_LIMIT, "proto: more than %d messages in each other",
			OBJECT_DEPTH_MAX);
	begin_struct(t, o);
	for (struct pb_field in_field; pb_more(&r);) {
		TRY(pb_next(&r, &in_field, d->e));
		const struct field *f = row_of(t, in_field.number);

		if (!f)
			continue;
		TRY(decode_field(d, t, f, o, &in_field, &r));
		field_set_present(o, f, false);
	}
	d->depth--;
	if (t->form == FORM_LIST)
		end_list(field_at(o, own_fields(t)));
	return 0;
}

static int wrong_wire(struct pb_decoder *d, const struct type *t, const struct field *f,
	const struct pb_field *in)
{
	return err_set(d->e, ERR_INVALID, "proto: wrong wireType = %d for field %.*s", in->wire,
		STR_ARG(field_name(t, f)));
}

/* The text in field 1 of a message that has nothing else to us. */
static int read_only_text(struct pb_decoder *d, str message, str *to)
{
	struct pb_reader r = pb_read(message);

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, d->e));
		if (f.number == 1 && f.wire == PB_BYTES)
			*to = f.bytes.at ? f.bytes : str_span(object_empty, 0);
	}
	return 0;
}

static int read_quantity(struct pb_decoder *d, str message, struct quantity *to)
{
	str text = {NULL, 0};

	TRY(read_only_text(d, message, &text));
	return text.at ? quantity_parse(text, to, d->e) : 0;
}

/* Reads varints 1 and 2, which Timestamp, Duration and IntOrString begin with, and text 3. */
static int read_parts(struct pb_decoder *d, str message, uint64_t parts[2], str *text)
{
	struct pb_reader r = pb_read(message);

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, d->e));
		if (f.wire == PB_VARINT && (f.number == 1 || f.number == 2))
			parts[f.number - 1] = f.value;
		else if (f.wire == PB_BYTES && f.number == 3)
			*text = f.bytes;
	}
	return 0;
}

static int read_time(struct pb_decoder *d, str message, bool micro, struct time_value *to)
{
	uint64_t parts[2] = {0};
	str ignored;

	if (message.len == 0) {
		*to = (struct time_value){0};
		return 0;
	}
	TRY(read_parts(d, message, parts, &ignored));
	*to = micro ? time_from_micros((int64_t)parts[0], (int32_t)parts[1])
		    : time_from_seconds((int64_t)parts[0]);
	return 0;
}

static int read_int_or_string(struct pb_decoder *d, str message, struct int_or_string *to)
{
	uint64_t parts[2] = {to->is_text, (uint64_t)(int64_t)to->number};

	TRY(read_parts(d, message, parts, &to->text));
	to->is_text = parts[0] == 1;
	to->number = (int32_t)parts[1];
	return 0;
}

static int read_duration(struct pb_decoder *d, str message, struct duration *to)
{
	uint64_t parts[2] = {(uint64_t)to->ns, 0};
	str ignored;

	TRY(read_parts(d, message, parts, &ignored));
	to->ns = (int64_t)parts[0];
	return 0;
}

/* JSON has no NaN and no infinity; upstream takes them and cannot answer. */
static int read_float(struct pb_decoder *d, uint64_t bits, double *to)
{
	double value = pb_double(bits);

	if (!isfinite(value))
		return err_set(d->e, ERR_INVALID, "json: unsupported value: %s",
			isnan(value) ? "NaN" : "Inf");
	*to = value;
	return 0;
}

static enum pb_wire wire_of(enum field_kind kind)
{
	if (kind <= KIND_INT64)
		return PB_VARINT;
	return kind == KIND_FLOAT64 ? PB_FIXED64 : PB_BYTES;
}

/* One value, alone or of a list or map entry. */
static int decode_value(struct pb_decoder *d, const struct type *t, const struct field *f, void *at,
	const struct pb_field *in)
{
	if (UNLIKELY(in->wire != wire_of(f->kind)))
		return wrong_wire(d, t, f, in);
	switch ((enum field_kind)f->kind) {
	case KIND_BOOL: *(bool *)at = in->value != 0; return 0;
	case KIND_INT32: *(int32_t *)at = (int32_t)in->value; return 0;
	case KIND_INT64: *(int64_t *)at = (int64_t)in->value; return 0;
	case KIND_FLOAT64: return read_float(d, in->value, at);
	case KIND_STRING:
	case KIND_BYTES: *(str *)at = in->bytes; return 0;
	case KIND_QUANTITY: return read_quantity(d, in->bytes, at);
	case KIND_TIME: return read_time(d, in->bytes, false, at);
	case KIND_MICROTIME: return read_time(d, in->bytes, true, at);
	case KIND_DURATION: return read_duration(d, in->bytes, at);
	case KIND_INT_OR_STRING: return read_int_or_string(d, in->bytes, at);
	case KIND_RAW:
	case KIND_FIELDS:
	case KIND_JSON:
	case KIND_ANY: return read_only_text(d, in->bytes, at);
	case KIND_STRUCT: return decode_message(d, row_type(t, f), at, in->bytes);
	}
	__builtin_unreachable();
}

/* How many fields of this number stand one behind the other, the one that was read included. */
static size_t run_length(const struct pb_field *first, struct pb_reader ahead)
{
	struct pb_field f;
	struct err ignored;
	size_t count = 1;

	while (pb_more(&ahead) && pb_next(&ahead, &f, &ignored) == 0 && f.number == first->number &&
		f.wire == first->wire)
		count++;
	return count;
}

/* Makes room for `more` behind what the list has; it is not yet counted in len. */
static int make_room(struct pb_decoder *d, struct any_list *list, size_t more, size_t size)
{
	char *at = arena_try_array(d->arena, list->len + more, size);

	if (!at)
		return arena_full(d->arena, d->e);
	if (list->len)
		memcpy(at, list->at, list->len * size);
	list->at = at;
	return 0;
}

static int decode_packed(struct pb_decoder *d, const struct type *t, const struct field *f,
	struct any_list *list, const struct pb_field *in)
{
	struct pb_field one = {.number = in->number, .wire = PB_VARINT};
	size_t size = value_bytes(t, f);
	struct pb_packed packed;

	if (in->bytes.len == 0)
		return 0;
	TRY(make_room(d, list, in->bytes.len, size));
	TRY(pb_packed_start(&packed, in, t->schema->text + f->name, d->e));
	while (pb_packed_more(&packed)) {
		TRY(pb_packed_next(&packed, &one.value, d->e));
		TRY(decode_value(d, t, f, (char *)list->at + list->len++ * size, &one));
	}
	return 0;
}

static int decode_entry(struct pb_decoder *d, const struct type *t, const struct field *f,
	char *entry, const struct pb_field *in)
{
	struct pb_reader r;

	if (in->wire != PB_BYTES)
		return wrong_wire(d, t, f, in);
	r = pb_read(in->bytes);
	*(str *)entry = str_span(object_empty, 0);
	if (f->kind == KIND_BYTES)
		*(str *)(entry + ENTRY_VALUE) = str_span(object_empty, 0);
	for (struct pb_field part; pb_more(&r);) {
		TRY(pb_next(&r, &part, d->e));
		if (part.number == 1 && part.wire == PB_BYTES)
			*(str *)entry = part.bytes;
		else if (part.number == 2)
			TRY(decode_value(d, t, f, entry + ENTRY_VALUE, &part));
	}
	return 0;
}

/* Writers put a list's elements in one run, which is read in one go; `rest` moves behind it. */
static int decode_run(struct pb_decoder *d, const struct type *t, const struct field *f,
	struct any_list *list, const struct pb_field *first, struct pb_reader *rest)
{
	size_t size = stride(t, f), count = run_length(first, *rest);
	struct pb_field in = *first;

	TRY(make_room(d, list, count, size));
	for (size_t i = 0; i < count; i++) {
		char *at = (char *)list->at + list->len * size;

		if (i > 0)
			TRY(pb_next(rest, &in, d->e));
		if (f->shape == SHAPE_MAP)
			TRY(decode_entry(d, t, f, at, &in));
		else
			TRY(decode_value(d, t, f, at, &in));
		list->len++;
	}
	return f->shape == SHAPE_MAP ? map_settle(d->arena, list, size, d->e) : 0;
}

static int decode_field(struct pb_decoder *d, const struct type *t, const struct field *f, void *o,
	const struct pb_field *in, struct pb_reader *rest)
{
	void *at = field_at(o, f);
	struct any_pointer *p = at;

	if (f->shape == SHAPE_VALUE)
		return decode_value(d, t, f, at, in);
	if (f->shape == SHAPE_POINTER) {
		if (!p->at) {
			void *target = arena_try(d->arena, value_bytes(t, f));

			if (!target)
				return arena_full(d->arena, d->e);
			p->at = target;
		}
		return decode_value(d, t, f, p->at, in);
	}
	if (f->kind <= KIND_INT64 && f->shape == SHAPE_LIST && in->wire == PB_BYTES)
		return decode_packed(d, t, f, at, in);
	return decode_run(d, t, f, at, in, rest);
}
