/*
 * Points in time as in apimachinery's meta/v1:
 * Time has seconds, MicroTime microseconds in its text.
 *
 * Units: seconds since 1970 in UTC, nanoseconds within the second. A time that is not set, Go's
 * zero time in the year 1, is null in JSON and an empty message in protobuf.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

struct time_value {
	int64_t seconds;
	int32_t nanos;
	bool set;
};

/* RFC 3339 as Go's time.Parse takes it: any number of decimals or none.
 * ERR_INVALID in Go's words. */
NODISCARD int time_parse(str text, struct time_value *to, struct err *e);

/* The same with exactly six decimals. */
NODISCARD int time_parse_micro(str text, struct time_value *to, struct err *e);

/* 2006-01-02T15:04:05Z and 2006-01-02T15:04:05.000000Z. The time is set. */
void time_put(struct buf *b, const struct time_value *v);
void time_put_micro(struct buf *b, const struct time_value *v);

/* From the fields of a Timestamp message, as Time and MicroTime take them over. */
struct time_value time_from_seconds(int64_t seconds);
struct time_value time_from_micros(int64_t seconds, int32_t nanos);

/* A time that is not set is before every other. */
int time_compare(const struct time_value *a, const struct time_value *b) PURE;
