#include "lib/value/wide.h"

enum {
	FAST_DIGITS = 18, /* what upstream puts into an int64 without looking further */
	FAST_BINARY_DIGITS = 14,
};

/* What the text is made of;
 * digits without leading zeroes, "0" if there are none before the point. */
struct parts {
	bool negative;
	str value; /* sign, digits and point */
	str whole, fraction, suffix;
};

struct suffix {
	enum quantity_format format;
	int32_t exponent; /* of 2 if the format is binary, else of 10 */
};

static int split(str text, struct parts *p, struct err *e);
static int read_suffix(str text, struct suffix *s, struct err *e);
static bool read_short(str text, const struct parts *p, struct suffix s, struct quantity *to);
static int read_long(const struct parts *p, struct suffix s, struct quantity *to, struct err *e);

int quantity_parse(str text, struct quantity *to, struct err *e)
{
	struct parts p;
	struct suffix s = {0};

	if (text.len > QUANTITY_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "a quantity of %zu bytes is longer than %d", text.len,
			QUANTITY_TEXT_MAX);
	if (str_eq(text, STR("0"))) {
		*to = (struct quantity){.text = text, .format = QUANTITY_DECIMAL, .exact = true};
		return 0;
	}
	TRY(split(text, &p, e));
	TRY(read_suffix(p.suffix, &s, e));
	if (read_short(text, &p, s, to))
		return 0;
	return read_long(&p, s, to, e);
}

static int wrong_format(struct err *e)
{
	return err_set(e, ERR_INVALID,
		"quantities must match the regular expression "
		"'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

static int not_numeric(struct err *e)
{
	return err_set(e, ERR_INVALID, "unable to parse numeric part of quantity");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static str take_digits(str text, size_t *at)
{
	size_t from = *at;

	while (*at < text.len && is_digit(text.at[*at]))
		++*at;
	return str_slice(text, from, *at - from);
}

static int split(str text, struct parts *p, struct err *e)
{
	size_t at = 0;

	if (text.len == 0)
		return wrong_format(e);
	*p = (struct parts){.negative = text.at[0] == '-'};
	if (text.at[0] == '-' || text.at[0] == '+')
		at++;
	while (at < text.len && text.at[at] == '0')
		at++;
	p->whole = take_digits(text, &at);
	if (p->whole.len == 0)
		p->whole = STR("0");
	if (at < text.len && text.at[at] == '.') {
		at++;
		p->fraction = take_digits(text, &at);
	}
	p->value = str_slice(text, 0, at);

	size_t suffix = at;

	while (at < text.len && memchr("eEinumkKMGTP", text.at[at], 12))
		at++;
	if (at < text.len && (text.at[at] == '-' || text.at[at] == '+'))
		at++;
	take_digits(text, &at);
	if (at < text.len)
		return wrong_format(e);
	p->suffix = str_slice(text, suffix, text.len);
	return 0;
}

static int read_suffix(str text, struct suffix *s, struct err *e)
{
	static const struct {
		str text;
		struct suffix means;
	} known[] = {
		{STR_INIT(""), {QUANTITY_DECIMAL, 0}},
		{STR_INIT("n"), {QUANTITY_DECIMAL, -9}},
		{STR_INIT("u"), {QUANTITY_DECIMAL, -6}},
		{STR_INIT("m"), {QUANTITY_DECIMAL, -3}},
		{STR_INIT("k"), {QUANTITY_DECIMAL, 3}},
		{STR_INIT("M"), {QUANTITY_DECIMAL, 6}},
		{STR_INIT("G"), {QUANTITY_DECIMAL, 9}},
		{STR_INIT("T"), {QUANTITY_DECIMAL, 12}},
		{STR_INIT("P"), {QUANTITY_DECIMAL, 15}},
		{STR_INIT("E"), {QUANTITY_DECIMAL, 18}},
		{STR_INIT("Ki"), {QUANTITY_BINARY, 10}},
		{STR_INIT("Mi"), {QUANTITY_BINARY, 20}},
		{STR_INIT("Gi"), {QUANTITY_BINARY, 30}},
		{STR_INIT("Ti"), {QUANTITY_BINARY, 40}},
		{STR_INIT("Pi"), {QUANTITY_BINARY, 50}},
		{STR_INIT("Ei"), {QUANTITY_BINARY, 60}},
	};
	int64_t exponent;

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (str_eq(text, known[i].text)) {
			*s = known[i].means;
			return 0;
		}
	}
	if ((text.at[0] != 'e' && text.at[0] != 'E') ||
		!str_to_i64(str_slice(text, 1, text.len), &exponent))
		return err_set(e, ERR_INVALID, "unable to parse quantity's suffix");
	/* Upstream keeps the low 32 bits, too. */
	*s = (struct suffix){QUANTITY_DECIMAL_EXPONENT, (int32_t)exponent};
	return 0;
}

/*
 * Both parts together, as if there was no point, without the last `drop` digits; those count as one
 * more unless all are zero. False if that is too long a number.
 */
static bool read_digits(const struct parts *p, size_t drop, __int128 *to)
{
	size_t digits = p->whole.len + p->fraction.len;
	size_t kept = drop < digits ? digits - drop : 0;
	int significant = 0;
	__int128 value = 0;
	bool rest = false;

	for (size_t i = 0; i < digits; i++) {
		char c = i < p->whole.len ? p->whole.at[i] : p->fraction.at[i - p->whole.len];

		if (i >= kept) {
			rest |= c != '0';
			continue;
		}
		significant += significant > 0 || c != '0';
		if (significant > WIDE_DIGITS)
			return false;
		value = value * 10 + (c - '0');
	}
	*to = value + rest;
	return wide_fits(*to);
}

/* Does the number with both parts joined end in three zeroes? */
static bool ends_in_thousand(const struct parts *p)
{
	size_t zeroes = 0;
	str runs[] = {p->fraction, p->whole};

	for (size_t run = 0; run < COUNT_OF(runs); run++) {
		for (size_t i = runs[run].len; i > 0; i--) {
			if (runs[run].at[i - 1] != '0')
				return zeroes >= 3;
			zeroes++;
		}
	}
	return zeroes >= 3;
}

/* Upstream's quick way for what surely fits an int64;
 * it decides which texts come back as written. */
static bool read_short(str text, const struct parts *p, struct suffix s, struct quantity *to)
{
	bool binary = s.format == QUANTITY_BINARY;
	int32_t digits = (int32_t)(p->whole.len + p->fraction.len);
	int32_t most = binary ? FAST_BINARY_DIGITS - s.exponent * 3 / 10 : FAST_DIGITS;
	__int128 value;

	if (digits > most || (binary && p->fraction.len > 0))
		return false;
	int32_t scale = binary ? 0 : (int32_t)((uint32_t)s.exponent - (uint32_t)p->fraction.len);

	if (scale < QUANTITY_NANO || !read_digits(p, 0, &value))
		return false;
	bool as_written = binary ? (value & 7) != 0
				 : scale % 3 == 0 && !ends_in_thousand(p) && p->whole.at[0] != '0';

	if (binary)
		value *= (__int128)1 << s.exponent;
	*to = (struct quantity){.scale = scale, .format = (uint8_t)s.format, .exact = true};
	wide_set(to, p->negative ? -value : value);
	if (as_written)
		to->text = text;
	return true;
}

/*
 * value times 2 to the power of `exponent`, with `decimals` decimal places, of which nine at most
 * stay. What is larger than 2^63-1 becomes that.
 */
static __int128 shift_binary(__int128 value, int32_t exponent, int32_t *decimals)
{
	uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
	uint64_t limbs[] = {high >> (64 - exponent), high << exponent | low >> (64 - exponent),
		low << exponent};
	bool rest = false;

	for (; *decimals > -QUANTITY_NANO; --*decimals) {
		unsigned __int128 left = 0;

		for (size_t i = 0; i < COUNT_OF(limbs); i++) {
			left = left << 64 | limbs[i];
			limbs[i] = (uint64_t)(left / 10);
			left %= 10;
		}
		rest |= left > 0;
	}
	unsigned __int128 result = ((unsigned __int128)limbs[1] << 64 | limbs[2]) + rest;
	unsigned __int128 most = (unsigned __int128)wide_pow10(*decimals) * INT64_MAX;

	return (__int128)(limbs[0] > 0 || result > most ? most : result);
}

static bool has_digit(str value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (is_digit(value.at[i]))
			return true;
	}
	return false;
}

static int read_long(const struct parts *p, struct suffix s, struct quantity *to, struct err *e)
{
	bool binary = s.format == QUANTITY_BINARY;
	int32_t decimals = (int32_t)p->fraction.len;
	int64_t scale = (int64_t)s.exponent - decimals;
	bool too_fine = !binary && scale < QUANTITY_NANO;
	__int128 value;

	if (!has_digit(p->value) ||
		!read_digits(p, too_fine ? (size_t)(QUANTITY_NANO - scale) : 0, &value))
		return not_numeric(e);
	if (binary) {
		value = shift_binary(value, s.exponent, &decimals);
		scale = -decimals;
		if (value > 0 && value < wide_pow10(decimals))
			s.format = QUANTITY_DECIMAL;
	} else if (too_fine) {
		scale = QUANTITY_NANO;
	}
	for (; scale < 0 && value > 0 && value % 10 == 0; value /= 10)
		scale++;
	*to = (struct quantity){
		.scale = value == 0 ? 0 : (int32_t)scale, .format = (uint8_t)s.format};
	wide_set(to, p->negative ? -value : value);
	return 0;
}
