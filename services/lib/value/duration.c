#include "lib/value/duration.h"

#include "lib/value/quote.h"

#define NS_MAX ((uint64_t)1 << 63) /* of a negative one */

struct unit {
	str name;
	uint64_t ns;
};

static int read_part(str whole, str *rest, uint64_t *ns, struct err *e);

static int invalid(const char *what, str text, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_INVALID, "time: %s duration %s", what, quote_bytes(quoted, text));
}

int duration_parse(str text, struct duration *to, struct err *e)
{
	bool negative = text.len > 0 && text.at[0] == '-';
	bool sign = negative || (text.len > 0 && text.at[0] == '+');
	str rest = str_slice(text, sign, text.len);
	uint64_t sum = 0, part = 0;

	if (str_eq(rest, STR("0"))) {
		to->ns = 0;
		return 0;
	}
	if (rest.len == 0)
		return invalid("invalid", text, e);
	while (rest.len > 0) {
		TRY(read_part(text, &rest, &part, e));
		sum += part;
		if (sum > NS_MAX)
			return invalid("invalid", text, e);
	}
	if (!negative && sum == NS_MAX)
		return invalid("invalid", text, e);
	to->ns = (int64_t)(negative ? 0 - sum : sum);
	return 0;
}

static bool is_digit(str s, size_t at)
{
	return at < s.len && s.at[at] >= '0' && s.at[at] <= '9';
}

/* False past 2^63. */
static bool take_whole(str *rest, uint64_t *value)
{
	size_t at = 0;

	for (*value = 0; is_digit(*rest, at); at++) {
		if (*value > NS_MAX / 10)
			return false;
		*value = *value * 10 + (uint64_t)(rest->at[at] - '0');
		if (*value > NS_MAX)
			return false;
	}
	*rest = str_slice(*rest, at, rest->len);
	return true;
}

/* Digits that no longer fit are passed over. */
static void take_fraction(str *rest, uint64_t *value, double *scale)
{
	bool full = false;
	size_t at = 0;

	*value = 0;
	*scale = 1;
	for (; is_digit(*rest, at); at++) {
		full |= *value > (NS_MAX - 1) / 10;
		if (full || *value * 10 + (uint64_t)(rest->at[at] - '0') > NS_MAX) {
			full = true;
			continue;
		}
		*value = *value * 10 + (uint64_t)(rest->at[at] - '0');
		*scale *= 10;
	}
	*rest = str_slice(*rest, at, rest->len);
}

static int take_unit(str whole, str *rest, uint64_t *ns, struct err *e)
{
	static const struct unit units[] = {
		{STR_INIT("ns"), 1},
		{STR_INIT("us"), 1000},
		{STR_INIT("\xc2\xb5s"), 1000}, /* micro sign */
		{STR_INIT("\xce\xbcs"), 1000}, /* Greek letter mu */
		{STR_INIT("ms"), 1000000},
		{STR_INIT("s"), 1000000000},
		{STR_INIT("m"), 60000000000},
		{STR_INIT("h"), 3600000000000},
	};
	size_t len = 0;

	while (len < rest->len && rest->at[len] != '.' && !is_digit(*rest, len))
		len++;
	if (len == 0)
		return invalid("missing unit in", whole, e);
	str name = str_slice(*rest, 0, len);

	*rest = str_slice(*rest, len, rest->len);
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (str_eq(name, units[i].name)) {
			*ns = units[i].ns;
			return 0;
		}
	}
	char unit[QUOTE_MAX], text[QUOTE_MAX];

	return err_set(e, ERR_INVALID, "time: unknown unit %s in duration %s",
		quote_bytes(unit, name), quote_bytes(text, whole));
}

/* A number and its unit, "1.5h". Fractions go through a double, as Go's do. */
static int read_part(str whole, str *rest, uint64_t *ns, struct err *e)
{
	size_t before = rest->len;
	uint64_t value, fraction = 0, unit;
	double scale = 1;

	if (!take_whole(rest, &value))
		return invalid("invalid", whole, e);
	bool digits = rest->len < before;

	if (rest->len > 0 && rest->at[0] == '.') {
		*rest = str_slice(*rest, 1, rest->len);
		before = rest->len;
		take_fraction(rest, &fraction, &scale);
		digits |= rest->len < before;
	}
	if (!digits)
		return invalid("invalid", whole, e);
	TRY(take_unit(whole, rest, &unit, e));
	if (value > NS_MAX / unit)
		return invalid("invalid", whole, e);
	value = value * unit + (uint64_t)((double)fraction * ((double)unit / scale));
	if (value > NS_MAX)
		return invalid("invalid", whole, e);
	*ns = value;
	return 0;
}

/* `value` with the last `decimals` digits behind a point, without zeroes at the end. */
static void put_decimal(struct buf *b, uint64_t value, int decimals)
{
	uint64_t unit = 1;

	for (int i = 0; i < decimals; i++)
		unit *= 10;
	buf_add_u64(b, value / unit);
	value %= unit;
	if (value == 0)
		return;
	buf_add_char(b, '.');
	for (unit /= 10; value > 0; value %= unit, unit /= 10)
		buf_add_char(b, (char)('0' + value / unit));
}

static void put_under_second(struct buf *b, uint64_t ns)
{
	if (ns < 1000) {
		put_decimal(b, ns, 0);
		buf_add_str(b, STR("ns"));
	} else if (ns < 1000000) {
		put_decimal(b, ns, 3);
		buf_add_str(b, STR("\xc2\xb5s"));
	} else {
		put_decimal(b, ns, 6);
		buf_add_str(b, STR("ms"));
	}
}

void duration_put(struct buf *b, struct duration d)
{
	const uint64_t second = 1000000000, minute = 60 * second;
	uint64_t ns = d.ns < 0 ? 0 - (uint64_t)d.ns : (uint64_t)d.ns;

	if (ns == 0) {
		buf_add_str(b, STR("0s"));
		return;
	}
	if (d.ns < 0)
		buf_add_char(b, '-');
	if (ns < second) {
		put_under_second(b, ns);
		return;
	}
	if (ns >= 60 * minute) {
		buf_add_u64(b, ns / (60 * minute));
		buf_add_char(b, 'h');
	}
	if (ns >= minute) {
		buf_add_u64(b, ns / minute % 60);
		buf_add_char(b, 'm');
	}
	put_decimal(b, ns % minute, 9);
	buf_add_char(b, 's');
}
