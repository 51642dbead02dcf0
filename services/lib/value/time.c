#include "lib/value/time.h"

#include "lib/value/quote.h"

enum {
	SECONDS_PER_DAY = 86400,
	MICRO_DIGITS = 6,
	NANO_DIGITS = 9,
};

static const int64_t year_1_s = -62135596800;

/* A text being read against a layout; what fails is told as Go tells it. */
struct scan {
	str whole, rest;
	const char *layout;
	struct err *e;
};

struct fields {
	int year, month, day, hour, minute, second, nanos;
	int offset_s;
};

static int read_fields(struct scan *s, bool micro, struct fields *f);
static struct time_value to_time(const struct fields *f);
static void put_seconds(struct buf *b, int64_t seconds);

int time_parse(str text, struct time_value *to, struct err *e)
{
	struct scan s = {text, text, "2006-01-02T15:04:05Z07:00", e};
	struct fields f;

	TRY(read_fields(&s, false, &f));
	*to = to_time(&f);
	return 0;
}

int time_parse_micro(str text, struct time_value *to, struct err *e)
{
	struct scan s = {text, text, "2006-01-02T15:04:05.000000Z07:00", e};
	struct fields f;

	TRY(read_fields(&s, true, &f));
	*to = to_time(&f);
	return 0;
}

void time_put(struct buf *b, const struct time_value *v)
{
	put_seconds(b, v->seconds);
	buf_add_char(b, 'Z');
}

void time_put_micro(struct buf *b, const struct time_value *v)
{
	put_seconds(b, v->seconds);
	buf_add_fmt(b, ".%06dZ", (int)(v->nanos / 1000));
}

struct time_value time_from_seconds(int64_t seconds)
{
	return (struct time_value){.seconds = seconds, .set = seconds != year_1_s};
}

/* Nanoseconds out of range count into the seconds, as in Go. */
struct time_value time_from_micros(int64_t seconds, int32_t nanos)
{
	int64_t whole = nanos / 1000 * 1000, carry = whole / 1000000000;

	whole -= carry * 1000000000;
	if (whole < 0) {
		whole += 1000000000;
		carry--;
	}
	seconds = (int64_t)((uint64_t)seconds + (uint64_t)carry);
	return (struct time_value){.seconds = seconds,
		.nanos = (int32_t)whole,
		.set = seconds != year_1_s || whole != 0};
}

int time_compare(const struct time_value *a, const struct time_value *b)
{
	if (!a->set || !b->set)
		return a->set - b->set;
	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	return (a->nanos > b->nanos) - (a->nanos < b->nanos);
}

static int cannot(const struct scan *s, str at, const char *as)
{
	char whole[QUOTE_MAX], layout[QUOTE_MAX], part[QUOTE_MAX], element[QUOTE_MAX];

	return err_set(s->e, ERR_INVALID, "parsing time %s as %s: cannot parse %s as %s",
		quote_bytes(whole, s->whole), quote_bytes(layout, str_of(s->layout)),
		quote_bytes(part, at), quote_bytes(element, str_of(as)));
}

static int out_of_range(const struct scan *s, const char *what)
{
	char whole[QUOTE_MAX];

	return err_set(s->e, ERR_INVALID, "parsing time %s: %s out of range",
		quote_bytes(whole, s->whole), what);
}

static bool digit_at(str s, size_t at)
{
	return at < s.len && s.at[at] >= '0' && s.at[at] <= '9';
}

static void drop(struct scan *s, size_t len)
{
	s->rest = str_slice(s->rest, len, s->rest.len);
}

static int literal(struct scan *s, char c)
{
	if (s->rest.len == 0 || s->rest.at[0] != c)
		return cannot(s, s->rest, (const char[]){c, 0});
	drop(s, 1);
	return 0;
}

static int two_digits(struct scan *s, const char *element, int *to)
{
	if (!digit_at(s->rest, 0) || !digit_at(s->rest, 1))
		return cannot(s, s->rest, element);
	*to = (s->rest.at[0] - '0') * 10 + (s->rest.at[1] - '0');
	drop(s, 2);
	return 0;
}

/* Go takes a sign behind the first digit for a digit that fails, which comes to the same. */
static int read_year(struct scan *s, int *to)
{
	int year = 0;

	for (size_t i = 0; i < 4; i++) {
		if (!digit_at(s->rest, i))
			return cannot(s, s->rest, "2006");
		year = year * 10 + (s->rest.at[i] - '0');
	}
	*to = year;
	drop(s, 4);
	return 0;
}

/* One digit is enough. */
static int read_hour(struct scan *s, int *to)
{
	if (digit_at(s->rest, 0) && !digit_at(s->rest, 1)) {
		*to = s->rest.at[0] - '0';
		drop(s, 1);
		return 0;
	}
	TRY(two_digits(s, "15", to));
	return *to < 24 ? 0 : out_of_range(s, "hour");
}

static bool has_point(str s)
{
	return s.len > 0 && (s.at[0] == '.' || s.at[0] == ',');
}

/* `digits` digits behind the point; those behind the ninth are dropped. */
static int take_decimals(struct scan *s, size_t digits)
{
	int nanos = 0;

	for (size_t i = 0; i < NANO_DIGITS; i++)
		nanos = nanos * 10 + (i < digits ? s->rest.at[1 + i] - '0' : 0);
	drop(s, 1 + digits);
	return nanos;
}

static int read_micros(struct scan *s, int *to)
{
	size_t digits = 0;
	/* Go reads them as a number, which may have a sign. */
	bool sign = s->rest.len > 1 && (s->rest.at[1] == '+' || s->rest.at[1] == '-');

	while (digit_at(s->rest, 1 + sign + digits) && sign + digits < MICRO_DIGITS)
		digits++;
	if (!has_point(s->rest) || sign + digits < MICRO_DIGITS)
		return cannot(s, s->rest, ".000000");
	if (!sign) {
		*to = take_decimals(s, digits);
		return 0;
	}
	bool negative = s->rest.at[1] == '-';

	drop(s, 1);
	*to = take_decimals(s, digits) / 10;
	return negative && *to > 0 ? out_of_range(s, "fractional second") : 0;
}

static void read_decimals(struct scan *s, int *to)
{
	size_t digits = 0;

	while (digit_at(s->rest, 1 + digits))
		digits++;
	*to = has_point(s->rest) && digits > 0 ? take_decimals(s, digits) : 0;
}

/* Go allows offsets of 24 hours and of 60 minutes. */
static int read_offset(struct scan *s, int *to)
{
	str at = s->rest;

	if (at.len > 0 && at.at[0] == 'Z') {
		*to = 0;
		drop(s, 1);
		return 0;
	}
	bool shaped = at.len >= 6 && at.at[3] == ':';
	bool hours = shaped && digit_at(at, 1) && digit_at(at, 2);
	bool minutes = hours && digit_at(at, 4) && digit_at(at, 5);
	int hour = hours ? (at.at[1] - '0') * 10 + (at.at[2] - '0') : 0;
	int minute = minutes ? (at.at[4] - '0') * 10 + (at.at[5] - '0') : 0;

	if (hour > 24)
		return out_of_range(
			s, minute > 60 ? "time zone offset minute" : "time zone offset hour");
	if (minute > 60)
		return out_of_range(s, "time zone offset minute");
	if (!minutes || (at.at[0] != '+' && at.at[0] != '-'))
		return cannot(s, at, "Z07:00");
	*to = (hour * 60 + minute) * (at.at[0] == '-' ? -60 : 60);
	drop(s, 6);
	return 0;
}

static int days_in(int month, int year)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static int read_date(struct scan *s, struct fields *f)
{
	TRY(read_year(s, &f->year));
	TRY(literal(s, '-'));
	TRY(two_digits(s, "01", &f->month));
	if (f->month < 1 || f->month > 12)
		return out_of_range(s, "month");
	TRY(literal(s, '-'));
	TRY(two_digits(s, "02", &f->day));
	return literal(s, 'T');
}

static int read_clock(struct scan *s, struct fields *f)
{
	TRY(read_hour(s, &f->hour));
	TRY(literal(s, ':'));
	TRY(two_digits(s, "04", &f->minute));
	if (f->minute >= 60)
		return out_of_range(s, "minute");
	TRY(literal(s, ':'));
	TRY(two_digits(s, "05", &f->second));
	return f->second < 60 ? 0 : out_of_range(s, "second");
}

static int read_fields(struct scan *s, bool micro, struct fields *f)
{
	*f = (struct fields){0};
	TRY(read_date(s, f));
	TRY(read_clock(s, f));
	if (micro)
		TRY(read_micros(s, &f->nanos));
	else
		read_decimals(s, &f->nanos);
	TRY(read_offset(s, &f->offset_s));
	if (s->rest.len > 0) {
		char whole[QUOTE_MAX], extra[QUOTE_MAX];

		return err_set(s->e, ERR_INVALID, "parsing time %s: extra text: %s",
			quote_bytes(whole, s->whole), quote_bytes(extra, s->rest));
	}
	if (f->day < 1 || f->day > days_in(f->month, f->year))
		return out_of_range(s, "day");
	return 0;
}

/* Days since 1970, by eras of 400 years that begin in March. */
static int64_t days_from(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct time_value to_time(const struct fields *f)
{
	int64_t day_s = f->hour * 3600 + f->minute * 60 + f->second;
	struct time_value v = {
		.seconds = days_from(f->year, f->month, f->day) * SECONDS_PER_DAY + day_s -
			f->offset_s,
		.nanos = f->nanos,
	};

	v.set = v.seconds != year_1_s || v.nanos != 0;
	return v;
}

static void put_two(char *to, int value)
{
	to[0] = (char)('0' + value / 10);
	to[1] = (char)('0' + value % 10);
}

static void put_seconds(struct buf *b, int64_t seconds)
{
	int64_t days = seconds / SECONDS_PER_DAY, rest = seconds % SECONDS_PER_DAY;

	if (rest < 0) {
		rest += SECONDS_PER_DAY;
		days--;
	}
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int month = (int)((5 * of_year + 2) / 153);
	int day = (int)(of_year - (153 * month + 2) / 5 + 1);
	char text[] = "-00-00T00:00:00";

	month += month < 10 ? 3 : -9;
	year += era * 400 + (month <= 2);
	if (year < 0)
		buf_add_char(b, '-');
	buf_add_fmt(b, "%04lld", (long long)(year < 0 ? -year : year));
	put_two(text + 1, month);
	put_two(text + 4, day);
	put_two(text + 7, (int)(rest / 3600));
	put_two(text + 10, (int)(rest / 60 % 60));
	put_two(text + 13, (int)(rest % 60));
	buf_add(b, text, sizeof(text) - 1);
}
