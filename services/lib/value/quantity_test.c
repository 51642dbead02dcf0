#include "lib/value/quantity.h"

#include "lib/value/cases_test.h"

static struct quantity parse(struct test *t, str text)
{
	struct quantity q;
	struct err e;

	REQUIRE_OK(quantity_parse(text, &q, &e), &e);
	return q;
}

static str print(struct test *t, struct quantity q)
{
	struct buf b;

	buf_init(&b, 4096);
	quantity_put(&b, &q);
	return test_take(t, &b);
}

static str fresh(struct test *t, struct quantity q)
{
	q.text = (str){NULL, 0};
	return print(t, q);
}

enum { IN, ERROR, TEXT, FRESH, VALUE, MILLI, ROUNDED, WITH, ORDER, SUM, DIFFERENCE };

static void check_arithmetic(struct test *t, struct quantity q, const str *row)
{
	struct quantity other = parse(t, row[WITH]), sum = q, difference = q, rounded = q;

	CHECK_INT(quantity_compare(&q, &other), cases_number(t, row[ORDER]));
	CHECK_INT(quantity_compare(&other, &q), -cases_number(t, row[ORDER]));
	/* An empty cell stands for more than 38 digits. */
	if (CHECK(quantity_add(&sum, &other) == (row[SUM].len > 0)) && row[SUM].len > 0)
		CHECK_BYTES(print(t, sum), row[SUM]);
	if (CHECK(quantity_sub(&difference, &other) == (row[DIFFERENCE].len > 0)) &&
		row[DIFFERENCE].len > 0)
		CHECK_BYTES(print(t, difference), row[DIFFERENCE]);
	quantity_round_up(&rounded, QUANTITY_MILLI);
	CHECK_BYTES(print(t, rounded), row[ROUNDED]);
}

TEST(quantities_are_what_upstream_makes_of_them)
{
	struct cases c = cases_open(t, "tests/data/quantity.tsv");

	for (str row[CASES_COLUMNS_MAX]; cases_next(t, &c, row);) {
		struct quantity q;
		struct err e;

		if (row[ERROR].len > 0) {
			CHECK_FAILS(
				quantity_parse(row[IN], &q, &e), &e, ERR_INVALID, row[ERROR].at);
			continue;
		}
		REQUIRE_OK(quantity_parse(row[IN], &q, &e), &e);
		CHECK_BYTES(print(t, q), row[TEXT]);
		CHECK_BYTES(fresh(t, q), row[FRESH]);
		if (row[VALUE].len > 0) {
			CHECK_INT(quantity_value(&q), cases_number(t, row[VALUE]));
			CHECK_INT(quantity_milli(&q), cases_number(t, row[MILLI]));
		}
		check_arithmetic(t, q, row);
	}
}

TEST(quantity_bounds_what_a_peer_can_ask_for)
{
	struct quantity q = quantity_of(7, 0, QUANTITY_DECIMAL),
			huge = parse(t, STR("1e2147483647"));
	struct err e;

	CHECK(!quantity_add(&huge, &q));
	CHECK_STR(print(t, huge), "10e2147483646");
	CHECK_INT(quantity_compare(&huge, &q), 1);
	CHECK_INT(quantity_value(&huge), 0);
	quantity_round_up(&huge, QUANTITY_MILLI);
	CHECK_STR(print(t, huge), "10e2147483646");
	struct quantity nothing = quantity_of(0, INT32_MIN, QUANTITY_DECIMAL);

	CHECK_INT(quantity_compare(&nothing, &(struct quantity){.scale = INT32_MAX}), 0);
	CHECK_FAILS(quantity_parse(STR("123456789012345678901234567890123456789"), &q, &e), &e,
		ERR_INVALID, "numeric");
	char *nines = arena_get(&t->arena, QUANTITY_TEXT_MAX + 1);

	memset(nines, '9', QUANTITY_TEXT_MAX + 1);
	CHECK_FAILS(quantity_parse(str_span(nines, QUANTITY_TEXT_MAX + 1), &q, &e), &e, ERR_LIMIT,
		"1024");
	CHECK_INT(quantity_value(&q), 7);
}

TEST(quantity_of_nothing_is_zero)
{
	struct quantity zero = {0}, one = quantity_of(1500, QUANTITY_MILLI, QUANTITY_BINARY);

	CHECK_STR(print(t, zero), "0");
	CHECK_STR(print(t, one), "1500m");
	CHECK(quantity_add(&zero, &one));
	CHECK_INT(zero.format, QUANTITY_BINARY);
	CHECK_STR(print(t, quantity_of(12, 7, QUANTITY_UNSET)), "120e6");
}
