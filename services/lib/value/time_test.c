#include "lib/value/time.h"

#include "lib/value/cases_test.h"
#include "lib/value/duration.h"
#include "lib/value/int_or_string.h"

static str text_of(struct test *t, struct buf *b)
{
	str text = arena_str(&t->arena, buf_str(b));

	buf_reset(b);
	return text;
}

enum { IN, ERROR, TEXT, SECONDS, NANOS, COLUMNS = 4 };

static void check_time(struct test *t, bool micro, str in, const str *want)
{
	struct time_value v;
	struct err e;
	struct buf b;
	int result = micro ? time_parse_micro(in, &v, &e) : time_parse(in, &v, &e);

	if (want[ERROR].len > 0) {
		CHECK(result < 0);
		/* A longer message is cut. */
		CHECK_BYTES(str_of(e.text), str_slice(want[ERROR], 0, sizeof(e.text) - 1));
		return;
	}
	REQUIRE_OK(result, &e);
	CHECK_INT(v.seconds, cases_number(t, want[SECONDS]));
	CHECK_INT(v.nanos, cases_number(t, want[NANOS]));
	CHECK(v.set == (want[TEXT].len > 0));
	if (!v.set)
		return;
	buf_init(&b, 100);
	if (micro)
		time_put_micro(&b, &v);
	else
		time_put(&b, &v);
	CHECK_BYTES(text_of(t, &b), want[TEXT]);
	buf_free(&b);
}

TEST(times_are_what_go_makes_of_them)
{
	struct cases c = cases_open(t, "tests/data/time.tsv");

	for (str row[CASES_COLUMNS_MAX]; cases_next(t, &c, row);) {
		check_time(t, false, row[IN], row);
		check_time(t, true, row[IN], row + COLUMNS);
	}
}

TEST(time_from_protobuf)
{
	struct time_value zero = time_from_seconds(-62135596800), epoch = time_from_seconds(0);
	struct time_value v = time_from_micros(10, 1500), back = time_from_micros(0, -1);

	CHECK(!zero.set && epoch.set);
	CHECK(v.seconds == 10 && v.nanos == 1000);
	CHECK(back.seconds == 0 && back.nanos == 0);
	back = time_from_micros(0, -1000);
	CHECK(back.seconds == -1 && back.nanos == 999999000);
	back = time_from_micros(1, 2147483647);
	CHECK(back.seconds == 3 && back.nanos == 147483000);
	CHECK_INT(time_compare(&zero, &epoch), -1);
	CHECK_INT(time_compare(&v, &epoch), 1);
	CHECK_INT(time_compare(&v, &v), 0);
}

TEST(time_prints_any_second)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {{0, "1970-01-01T00:00:00Z"}, {-1, "1969-12-31T23:59:59Z"},
		{253402300800, "10000-01-01T00:00:00Z"}, {-62167219201, "-0001-12-31T23:59:59Z"},
		{951782400, "2000-02-29T00:00:00Z"}};
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct time_value v = time_from_seconds(cases[i].seconds);

		time_put(&b, &v);
		CHECK_STR(text_of(t, &b), cases[i].text);
	}
	struct time_value most = time_from_seconds(INT64_MAX), least = time_from_seconds(INT64_MIN);

	time_put(&b, &most);
	time_put(&b, &least);
	CHECK(!b.overflowed);
	buf_free(&b);
}

TEST(durations_are_what_go_makes_of_them)
{
	enum { NS = 2, PRINTED };
	struct cases c = cases_open(t, "tests/data/duration.tsv");
	struct buf b;

	buf_init(&b, 100);
	for (str row[CASES_COLUMNS_MAX]; cases_next(t, &c, row);) {
		struct duration d;
		struct err e;

		if (row[ERROR].len > 0) {
			CHECK_FAILS(
				duration_parse(row[IN], &d, &e), &e, ERR_INVALID, row[ERROR].at);
			continue;
		}
		REQUIRE_OK(duration_parse(row[IN], &d, &e), &e);
		CHECK_INT(d.ns, cases_number(t, row[NS]));
		duration_put(&b, d);
		CHECK_BYTES(text_of(t, &b), row[PRINTED]);
	}
	buf_free(&b);
}

TEST(ints_or_strings_are_what_upstream_makes_of_them)
{
	enum { IS_TEXT = 1, NUMBER, TOTAL, FAULT, DOWN, UP };
	struct cases c = cases_open(t, "tests/data/int_or_string.tsv");

	for (str row[CASES_COLUMNS_MAX]; cases_next(t, &c, row);) {
		struct int_or_string v = int_or_string_of(row[IN]);
		int64_t total = cases_number(t, row[TOTAL]), down, up;
		struct err e;

		CHECK_INT(v.is_text, cases_number(t, row[IS_TEXT]));
		CHECK_INT(v.number, cases_number(t, row[NUMBER]));
		if (row[FAULT].len > 0) {
			CHECK_FAILS(int_or_string_scale(&v, total, false, &down, &e), &e,
				ERR_INVALID, row[FAULT].at);
			continue;
		}
		REQUIRE_OK(int_or_string_scale(&v, total, false, &down, &e), &e);
		REQUIRE_OK(int_or_string_scale(&v, total, true, &up, &e), &e);
		CHECK_INT(down, cases_number(t, row[DOWN]));
		CHECK_INT(up, cases_number(t, row[UP]));
	}
}
