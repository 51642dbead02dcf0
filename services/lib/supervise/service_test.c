#include "lib/supervise/service.h"

#include "lib/base/clock.h"
#include "lib/base/test.h"

/* A time as s6 packs it: TAI64N. */
static void put_time(struct buf *b, int64_t seconds)
{
	uint64_t tai = ((uint64_t)1 << 62) + 10 + (uint64_t)seconds;

	for (int shift = 56; shift >= 0; shift -= 8)
		buf_add_char(b, (char)(tai >> shift));
	buf_add(b, "\0\0\0\0", 4);
}

static str status_bytes(struct test *t, int64_t since_s, unsigned char pid, char flags)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	put_time(&b, since_s);
	put_time(&b, 0);
	buf_add(&b, "\0\0\0\0\0\0\0", 7);
	buf_add_char(&b, (char)pid);
	buf_add(&b, "\0\0\0\0\0\0\0\0\0\0", 10);
	buf_add_char(&b, flags);
	return test_take(t, &b);
}

TEST(service_status_is_read_as_s6_writes_it)
{
	struct service_status s;
	struct err e;

	REQUIRE_OK(service_status_read(status_bytes(t, 1000, 7, 4 | 8), &s, &e), &e);
	CHECK(s.up && s.ready && s.wanted_up);
	CHECK_INT(s.pid, 7);
	CHECK_INT(s.since_ns, 1000 * NS_PER_S);
	REQUIRE_OK(service_status_read(status_bytes(t, 1000, 7, 4), &s, &e), &e);
	CHECK(s.up && !s.ready);
	REQUIRE_OK(service_status_read(status_bytes(t, 1000, 0, 4 | 8), &s, &e), &e);
	CHECK(!s.up && !s.ready && s.wanted_up);
	REQUIRE_OK(service_status_read(status_bytes(t, 1000, 9, 2 | 4), &s, &e), &e);
	CHECK(!s.up); /* what runs is its finish */
	CHECK_FAILS(service_status_read(STR("short"), &s, &e), &e, ERR_INVALID, "5 bytes");
}

TEST(service_deaths_count_those_in_a_row)
{
	static const int64_t at_s[] = {100, 5000, 5002, 5007};
	struct service_deaths d;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < COUNT_OF(at_s); i++) {
		put_time(&b, at_s[i]);
		buf_add_char(&b, 1);
		buf_add_char(&b, i == 3 ? 9 : 0);
	}
	service_deaths_read(test_take(t, &b), &d);
	CHECK_INT(d.count, 4);
	CHECK_INT(d.in_a_row, 3);
	CHECK_INT(d.signal, 9);
	CHECK_INT(d.last_ns, 5007 * NS_PER_S);
	service_deaths_read(STR(""), &d);
	CHECK_INT(d.in_a_row, 0);
}

TEST(service_backoff_doubles_up_to_a_minute)
{
	static const int wanted_s[] = {0, 0, 2, 4, 8, 16, 32, 60, 60, 60};

	for (int i = 0; i < (int)COUNT_OF(wanted_s); i++)
		CHECK_INT(service_backoff_ns(i), wanted_s[i] * NS_PER_S);
	CHECK_INT(service_backoff_ns(1000), 60 * NS_PER_S);
}
