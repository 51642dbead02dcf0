#include "lib/value/cron.h"

#include "lib/value/duration.h"
#include "lib/value/quote.h"

#include <time.h>

struct bounds {
	int min, max;
	const char *const *names; /* of values from `min` on; may be NULL */
	size_t name_count;
};

static const char *const month_names[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static const struct bounds bounds[] = {
	{0, 59, NULL, 0},
	{0, 23, NULL, 0},
	{1, 31, NULL, 0},
	{1, 12, month_names, COUNT_OF(month_names)},
	{0, 6, day_names, COUNT_OF(day_names)},
};

enum { FIELDS = COUNT_OF(bounds), YEARS_AHEAD = 5 };

static const struct {
	str name, fields;
} descriptors[] = {
	{STR_INIT("@yearly"), STR_INIT("0 0 1 1 *")},
	{STR_INIT("@annually"), STR_INIT("0 0 1 1 *")},
	{STR_INIT("@monthly"), STR_INIT("0 0 1 * *")},
	{STR_INIT("@weekly"), STR_INIT("0 0 * * 0")},
	{STR_INIT("@daily"), STR_INIT("0 0 * * *")},
	{STR_INIT("@midnight"), STR_INIT("0 0 * * *")},
	{STR_INIT("@hourly"), STR_INIT("0 * * * *")},
};

static int parse_descriptor(str text, struct cron *to, struct err *e);
static int split(str text, str words[FIELDS], struct err *e);
static int parse_field(str text, const struct bounds *b, uint64_t *bits, bool *any, struct err *e);
static int parse_range(str text, const struct bounds *b, uint64_t *bits, bool *any, struct err *e);
static int parse_value(str text, const struct bounds *b, int *to, struct err *e);
static bool day_matches(const struct cron *c, const struct tm *t);
static bool has(uint64_t bits, int value);

int cron_parse(str text, struct cron *to, struct err *e)
{
	struct cron c = {0};
	str words[FIELDS];
	bool any;

	text = str_trim(text);
	if (!text.len)
		return err_set(e, ERR_INVALID, "empty spec string");
	if (text.at[0] == '@')
		return parse_descriptor(text, to, e);
	TRY(split(text, words, e));
	TRY(parse_field(words[0], &bounds[0], &c.minutes, &any, e));
	TRY(parse_field(words[1], &bounds[1], &c.hours, &any, e));
	TRY(parse_field(words[2], &bounds[2], &c.days, &c.any_day, e));
	TRY(parse_field(words[3], &bounds[3], &c.months, &any, e));
	TRY(parse_field(words[4], &bounds[4], &c.weekdays, &c.any_weekday, e));
	*to = c;
	return 0;
}

int64_t cron_next(const struct cron *c, int64_t after_s)
{
	struct tm t;
	time_t at = after_s - after_s % 60 + 60;

	if (c->every_s)
		return after_s + c->every_s;
	if (!gmtime_r(&at, &t))
		return -1;
	int last_year = t.tm_year + YEARS_AHEAD;
	while (t.tm_year <= last_year) {
		if (!has(c->months, t.tm_mon + 1)) {
			t.tm_mon++;
			t.tm_mday = 1;
			t.tm_hour = t.tm_min = 0;
		} else if (!day_matches(c, &t)) {
			t.tm_mday++;
			t.tm_hour = t.tm_min = 0;
		} else if (!has(c->hours, t.tm_hour)) {
			t.tm_hour++;
			t.tm_min = 0;
		} else if (!has(c->minutes, t.tm_min)) {
			t.tm_min++;
		} else {
			return at;
		}
		t.tm_sec = 0;
		at = timegm(&t);
		gmtime_r(&at, &t);
	}
	return -1;
}

static int parse_descriptor(str text, struct cron *to, struct err *e)
{
	static const str every = STR_INIT("@every ");
	struct duration d;
	char shown[QUOTE_MAX];

	for (size_t i = 0; i < COUNT_OF(descriptors); i++)
		if (str_eq(text, descriptors[i].name))
			return cron_parse(descriptors[i].fields, to, e);
	if (!str_starts(text, every))
		return err_set(e, ERR_INVALID, "unrecognized descriptor: %.*s", STR_ARG(text));
	if (duration_parse(str_slice(text, every.len, text.len), &d, e) < 0)
		return err_context(e, "failed to parse duration %s", quote(shown, text));
	int64_t seconds = d.ns / 1000000000;
	*to = (struct cron){.every_s = seconds < 1 ? 1 : seconds};
	return 0;
}

static int split(str text, str words[FIELDS], struct err *e)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len;) {
		size_t from = i;

		while (i < text.len && text.at[i] != ' ' && text.at[i] != '\t')
			i++;
		if (i > from) {
			if (count < FIELDS)
				words[count] = str_slice(text, from, i - from);
			count++;
		}
		while (i < text.len && (text.at[i] == ' ' || text.at[i] == '\t'))
			i++;
	}
	if (count == FIELDS)
		return 0;
	return err_set(e, ERR_INVALID, "expected exactly %d fields, found %zu: [%.*s]", FIELDS,
		count, STR_ARG(text));
}

static int parse_field(str text, const struct bounds *b, uint64_t *bits, bool *any, struct err *e)
{
	*any = false;
	for (str rest = text; rest.at;)
		TRY(parse_range(str_cut(&rest, ','), b, bits, any, e));
	return 0;
}

/* number | number-number, each with /step; * or ? is all. */
static int parse_range(str text, const struct bounds *b, uint64_t *bits, bool *any, struct err *e)
{
	str step_text = text, range = str_cut(&step_text, '/');
	str high = range, low = str_cut(&high, '-');
	int start, end, step = 1;
	bool all = str_eq(low, STR("*")) || str_eq(low, STR("?"));

	if (step_text.at && str_find_char(step_text, '/') >= 0)
		return err_set(e, ERR_INVALID, "too many slashes: %.*s", STR_ARG(text));
	if (high.at && str_find_char(high, '-') >= 0)
		return err_set(e, ERR_INVALID, "too many hyphens: %.*s", STR_ARG(text));
	if (all) {
		start = b->min;
		end = b->max;
	} else {
		TRY(parse_value(low, b, &start, e));
		end = start;
		if (high.at)
			TRY(parse_value(high, b, &end, e));
	}
	if (step_text.at) {
		const struct bounds numbers = {0, INT32_MAX, NULL, 0};

		TRY(parse_value(step_text, &numbers, &step, e));
		if (!high.at && !all)
			end = b->max;
	}
	*any |= all && step == 1;
	if (start < b->min)
		return err_set(e, ERR_INVALID, "beginning of range (%d) below minimum (%d): %.*s",
			start, b->min, STR_ARG(text));
	if (end > b->max)
		return err_set(e, ERR_INVALID, "end of range (%d) above maximum (%d): %.*s", end,
			b->max, STR_ARG(text));
	if (start > end)
		return err_set(e, ERR_INVALID,
			"beginning of range (%d) beyond end of range (%d): %.*s", start, end,
			STR_ARG(text));
	if (step == 0)
		return err_set(e, ERR_INVALID, "step of range should be a positive number: %.*s",
			STR_ARG(text));
	for (int64_t i = start; i <= end; i += step)
		*bits |= 1ull << i;
	return 0;
}

static int parse_value(str text, const struct bounds *b, int *to, struct err *e)
{
	int64_t value;

	for (size_t i = 0; i < b->name_count; i++)
		if (str_eq_ignoring_case(text, str_of(b->names[i]))) {
			*to = b->min + (int)i;
			return 0;
		}
	if (!str_to_i64(text, &value) || value > INT32_MAX)
		return err_set(e, ERR_INVALID,
			"failed to parse int from %.*s: strconv.Atoi: parsing \"%.*s\": invalid "
			"syntax",
			STR_ARG(text), STR_ARG(text));
	if (value < 0)
		return err_set(e, ERR_INVALID, "negative number (%lld) not allowed: %.*s",
			(long long)value, STR_ARG(text));
	*to = (int)value;
	return 0;
}

/* With both fields given, either will do, as cron has always had it. */
static bool day_matches(const struct cron *c, const struct tm *t)
{
	bool day = has(c->days, t->tm_mday), weekday = has(c->weekdays, t->tm_wday);

	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

static bool has(uint64_t bits, int value)
{
	return bits >> value & 1;
}
