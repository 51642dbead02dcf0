/*
 * Schedules of CronJobs: five fields (minute, hour, day of month, month, day of week) with lists,
 * ranges, steps and names, or @hourly, @daily, @weekly, @monthly, @yearly, @every DURATION; as
 * robfig/cron's standard parser takes them, with its messages.
 *
 * Units: seconds since 1970. A zone's offset is the caller's: times are local ones.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

struct cron {
	uint64_t minutes, hours, days, months, weekdays; /* a bit a value */
	bool any_day, any_weekday; /* the field was * or ?: only the other one counts */
	int64_t every_s;           /* of @every; 0: the fields hold */
};

NODISCARD int cron_parse(str text, struct cron *to, struct err *e);

/* The first time after `after_s` that the schedule names; -1 if there is none within five years. */
int64_t cron_next(const struct cron *c, int64_t after_s);
