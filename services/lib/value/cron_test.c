#include "lib/value/cron.h"

#include "lib/base/test.h"
#include "lib/value/time.h"

static int64_t at(const char *text)
{
	struct time_value v = {0};
	struct err e;

	return time_parse(str_of(text), &v, &e) < 0 ? -1 : v.seconds;
}

TEST(cron_next_times)
{
	static const struct {
		const char *schedule, *after, *next;
	} cases[] = {
		{"0/15 * * * *", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00Z"},
		{"20-35/15 * * * *", "2012-07-09T15:45:00Z", "2012-07-09T16:20:00Z"},
		{"*/15 * * * *", "2012-12-31T23:59:45Z", "2013-01-01T00:00:00Z"},
		{"20-35/15 1/2 * * *", "2012-07-09T23:35:51Z", "2012-07-10T01:20:00Z"},
		{"0 0 9 Apr-Oct ?", "2012-07-09T23:35:00Z", "2012-08-09T00:00:00Z"},
		{"0 0 */5 Apr,Aug,Oct Mon", "2012-07-09T23:35:00Z", "2012-08-01T00:00:00Z"},
		{"0 0 29 Feb ?", "2012-07-09T23:35:00Z", "2016-02-29T00:00:00Z"},
		{"0 0 * Feb Mon", "2012-07-09T23:35:00Z", "2013-02-04T00:00:00Z"},
		{"@hourly", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00Z"},
		{"@every 90s", "2012-07-09T14:45:00Z", "2012-07-09T14:46:30Z"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cron c;
		struct err e;

		CHECK_OK(cron_parse(str_of(cases[i].schedule), &c, &e), &e);
		CHECK_INT(cron_next(&c, at(cases[i].after)), at(cases[i].next));
	}
	struct cron never;
	struct err e;
	CHECK_OK(cron_parse(STR("0 0 30 Feb ?"), &never, &e), &e);
	CHECK_INT(cron_next(&never, 0), -1);
}

TEST(cron_refusals)
{
	static const struct {
		const char *schedule, *why;
	} cases[] = {
		{"", "empty spec string"},
		{"* * * *", "expected exactly 5 fields, found 4: [* * * *]"},
		{"60 * * * *", "end of range (60) above maximum (59): 60"},
		{"0 0 0 * *", "beginning of range (0) below minimum (1): 0"},
		{"5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"},
		{"*/0 * * * *", "step of range should be a positive number: */0"},
		{"1-2-3 * * * *", "too many hyphens: 1-2-3"},
		{"1/2/3 * * * *", "too many slashes: 1/2/3"},
		{"x * * * *", "failed to parse int from x"},
		{"@never", "unrecognized descriptor: @never"},
		{"@every x", "failed to parse duration"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cron c;
		struct err e;

		CHECK_FAILS(cron_parse(str_of(cases[i].schedule), &c, &e), &e, ERR_INVALID,
			cases[i].why);
	}
}
