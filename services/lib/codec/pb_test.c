#include "lib/codec/pb.h"

#include "lib/base/test.h"

static int first(str text, struct pb_field *f, struct err *e)
{
	struct pb_reader r = pb_read(text);

	return pb_next(&r, f, e);
}

TEST(pb_reads_fields_of_each_wire_type)
{
	struct pb_reader r = pb_read(
		STR("\x08\x96\x01\x12\x03"
		    "abc\x19\x01\x00\x00\x00\x00\x00\x00\x80\xad\x02\x01\x02\x00\x00"));
	struct pb_field f;
	struct err e;

	REQUIRE_OK(pb_next(&r, &f, &e), &e);
	CHECK(f.number == 1 && f.wire == PB_VARINT && f.value == 150);
	REQUIRE_OK(pb_next(&r, &f, &e), &e);
	CHECK(f.number == 2 && f.wire == PB_BYTES && str_eq(f.bytes, STR("abc")));
	REQUIRE_OK(pb_next(&r, &f, &e), &e);
	CHECK(f.number == 3 && f.wire == PB_FIXED64 && f.value == 0x8000000000000001);
	REQUIRE_OK(pb_next(&r, &f, &e), &e);
	CHECK(f.number == 37 && f.wire == PB_FIXED32 && f.value == 0x0201);
	CHECK(!pb_more(&r));
}

TEST(pb_refuses_malformed_text)
{
	static const struct {
		str text;
		const char *part;
	} cases[] = {
		{STR_INIT("\x08"), "unexpected EOF"},
		{STR_INIT("\x08\x80"), "unexpected EOF"},
		{STR_INIT("\x12\x03"
			  "ab"),
			"unexpected EOF"},
		{STR_INIT("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "unexpected EOF"},
		{STR_INIT("\x19\x01\x02"), "unexpected EOF"},
		{STR_INIT("\x2d\x01"), "unexpected EOF"},
		{STR_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "integer overflow"},
		{STR_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "integer overflow"},
		{STR_INIT("\x00\x01"), "illegal tag 0"},
		{STR_INIT("\x80\x80\x80\x80\x10\x01"), "illegal tag"},
		{STR_INIT("\x0b\x0c"), "group"},
		{STR_INIT("\x0c"), "group"},
		{STR_INIT("\x0e\x01"), "illegal wireType 6"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pb_field f;
		struct err e;

		test_note(t, "case %zu", i);
		CHECK_FAILS(first(cases[i].text, &f, &e), &e, ERR_INVALID, cases[i].part);
	}
}

static size_t count_packed(struct test *t, str text, uint64_t *last)
{
	struct pb_field f;
	struct pb_packed p;
	struct err e;
	size_t count = 0;

	REQUIRE_OK(first(text, &f, &e), &e);
	REQUIRE_OK(pb_packed_start(&p, &f, "Numbers", &e), &e);
	for (; pb_packed_more(&p); count++)
		REQUIRE_OK(pb_packed_next(&p, last, &e), &e);
	return count;
}

TEST(pb_takes_scalars_packed_or_not)
{
	struct pb_packed p;
	struct pb_field f;
	struct err e;
	uint64_t last;

	CHECK_INT(count_packed(t, STR("\x08\x05"), &last), 1);
	CHECK_INT(last, 5);
	CHECK_INT(count_packed(t, STR("\x0a\x04\x01\x02\x80\x01"), &last), 3);
	CHECK_INT(last, 128);
	CHECK_INT(count_packed(t, STR("\x0a\x00"), &last), 0);
	REQUIRE_OK(first(STR("\x09"
			     "12345678"),
			   &f, &e),
		&e);
	CHECK_FAILS(pb_packed_start(&p, &f, "Numbers", &e), &e, ERR_INVALID,
		"proto: wrong wireType = 1 for field Numbers");
}

static void put_sample(struct buf *b, const char *text)
{
	struct pb_writer w;

	pb_write_start(&w, b);
	pb_put_double(&w, 4, 1.5);
	size_t mark = pb_mark(&w);

	pb_put_u64(&w, 2, (uint64_t)-1);
	pb_put_bytes(&w, 1, str_of(text));
	pb_put_length(&w, 3, mark);
	pb_put_u64(&w, 1, 300);
	pb_write_end(&w);
}

TEST(pb_writes_backwards_behind_what_is_there)
{
	struct buf b;
	struct err e;

	buf_init(&b, 1 << 20);
	buf_add_str(&b, STR("k8s"));
	put_sample(&b, "hi");
	CHECK_OK(buf_ok(&b, "sample", &e), &e);
	CHECK_BYTES(buf_str(&b),
		STR("k8s\x08\xac\x02\x1a\x0f\x0a\x02hi\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		    "\x21\x00\x00\x00\x00\x00\x00\xf8\x3f"));
	buf_free(&b);
}

TEST(pb_writer_grows_and_keeps_to_the_limit)
{
	char text[1000];
	struct buf whole;
	struct err e;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	buf_init(&whole, BUF_NO_LIMIT);
	put_sample(&whole, text);
	for (size_t limit = 0; limit <= whole.len + 70; limit++) {
		struct buf b;

		test_note(t, "limit %zu", limit);
		buf_init(&b, limit);
		put_sample(&b, text);
		if (b.overflowed)
			CHECK_FAILS(buf_ok(&b, "sample", &e), &e, ERR_LIMIT, "sample");
		else
			CHECK_BYTES(buf_str(&b), buf_str(&whole));
		CHECK(limit >= whole.len || b.overflowed);
		CHECK(limit < whole.len + 64 || !b.overflowed);
		buf_free(&b);
	}
	buf_free(&whole);
}

TEST(pb_varint_size_is_what_is_written)
{
	for (int bit = 0; bit < 64; bit++) {
		struct pb_writer w;
		struct buf b;
		struct err e;
		uint64_t value = (1ull << bit) - (bit & 1), back;

		buf_init(&b, 100);
		pb_write_start(&w, &b);
		pb_put_varint(&w, value);
		pb_write_end(&w);
		struct pb_reader r = pb_read(buf_str(&b));

		test_note(t, "bit %d", bit);
		CHECK_INT(b.len, pb_varint_bytes(value));
		REQUIRE_OK(pb_varint(&r, &back, &e), &e);
		CHECK(back == value && !pb_more(&r));
		buf_free(&b);
	}
}
