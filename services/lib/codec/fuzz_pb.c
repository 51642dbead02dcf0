/* Fields that are read are written backwards and read as the same, nested messages and all. */
#include "lib/codec/base64.h"
#include "lib/codec/pb.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FIELDS_MAX = 256,
	DEPTH_MAX = 16,
};

static size_t read_fields(str text, struct pb_field fields[static FIELDS_MAX])
{
	struct pb_reader r = pb_read(text);
	size_t count = 0;
	struct err e;

	for (; pb_more(&r) && count < FIELDS_MAX; count++) {
		if (pb_next(&r, &fields[count], &e) < 0)
			return count;
	}
	return count;
}

static void read_packed(const struct pb_field *f)
{
	struct pb_packed p;
	uint64_t value;
	struct err e;

	if (pb_packed_start(&p, f, "Numbers", &e) < 0)
		return;
	while (pb_packed_more(&p) && pb_packed_next(&p, &value, &e) == 0)
		;
}

static void write_field(struct pb_writer *w, const struct pb_field *f)
{
	size_t mark = pb_mark(w);

	if (f->wire == PB_VARINT) {
		pb_put_u64(w, f->number, f->value);
	} else if (f->wire == PB_FIXED64) {
		pb_put_double(w, f->number, pb_double(f->value));
	} else if (f->wire == PB_BYTES) {
		pb_put_raw(w, f->bytes);
		pb_put_length(w, f->number, mark);
	}
}

static bool same(const struct pb_field *a, const struct pb_field *b)
{
	return a->number == b->number && a->wire == b->wire &&
		(a->wire == PB_BYTES ? str_eq(a->bytes, b->bytes) : a->value == b->value);
}

static void check(str text, int depth)
{
	struct pb_field fields[FIELDS_MAX], again[FIELDS_MAX];
	size_t count = read_fields(text, fields), kept = 0;
	struct pb_writer w;
	struct buf b;

	for (size_t i = 0; i < count; i++) {
		read_packed(&fields[i]);
		if (fields[i].wire == PB_BYTES && depth < DEPTH_MAX)
			check(fields[i].bytes, depth + 1);
		if (fields[i].wire != PB_FIXED32)
			fields[kept++] = fields[i];
	}
	buf_init(&b, BUF_NO_LIMIT);
	pb_write_start(&w, &b);
	for (size_t i = kept; i > 0; i--)
		write_field(&w, &fields[i - 1]);
	pb_write_end(&w);
	if (read_fields(buf_str(&b), again) != kept)
		abort();
	for (size_t i = 0; i < kept; i++) {
		if (!same(&fields[i], &again[i]))
			abort();
	}
	buf_free(&b);
}

static void check_base64(str bytes)
{
	str back, ignored;
	struct arena a;
	struct buf b;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	buf_init(&b, BUF_NO_LIMIT);
	base64_put(&b, bytes);
	if (base64_read(&a, buf_str(&b), &back, &e) < 0 || !str_eq(back, bytes))
		abort();
	(void)!base64_read(&a, bytes, &ignored, &e);
	buf_free(&b);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(str_span((const char *)data, size), 0);
	check_base64(str_span((const char *)data, size));
	return 0;
}
