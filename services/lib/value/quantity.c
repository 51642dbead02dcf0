#include "lib/value/wide.h"

static int compare_sizes(const struct quantity *a, const struct quantity *b);
static bool add_signed(struct quantity *to, const struct quantity *q, int sign);
static bool put_binary(struct buf *b, const struct quantity *q);
static void put_decimal(struct buf *b, const struct quantity *q);
static int64_t scale_down(const struct quantity *q, int64_t by);
static int64_t scale_up(const struct quantity *q, int64_t by);

struct quantity quantity_of(int64_t value, int32_t scale, enum quantity_format format)
{
	struct quantity q = {.scale = scale, .format = (uint8_t)format, .exact = true};

	wide_set(&q, value);
	return q;
}

void quantity_put(struct buf *b, const struct quantity *q)
{
	if (q->text.at)
		buf_add_str(b, q->text);
	else if (quantity_sign(q) == 0)
		buf_add_char(b, '0');
	else if (q->format != QUANTITY_BINARY || !put_binary(b, q))
		put_decimal(b, q);
}

str quantity_text(struct arena *a, const struct quantity *q)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	quantity_put(&b, q);
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

int quantity_sign(const struct quantity *q)
{
	return q->high < 0 ? -1 : q->high > 0 || q->low > 0;
}

int quantity_compare(const struct quantity *a, const struct quantity *b)
{
	int sign = quantity_sign(a), other = quantity_sign(b);

	if (sign != other)
		return sign < other ? -1 : 1;
	if (sign == 0)
		return 0;
	return sign * compare_sizes(a, b);
}

bool quantity_add(struct quantity *to, const struct quantity *q)
{
	return add_signed(to, q, 1);
}

bool quantity_sub(struct quantity *to, const struct quantity *q)
{
	return add_signed(to, q, -1);
}

int64_t quantity_scaled(const struct quantity *q, int32_t scale)
{
	int64_t by = (int64_t)scale - q->scale;

	if (quantity_sign(q) == 0)
		return 0;
	return by > 0 ? scale_down(q, by) : scale_up(q, -by);
}

void quantity_round_up(struct quantity *q, int32_t scale)
{
	int64_t by = (int64_t)scale - q->scale;

	if (by <= 0)
		return;
	__int128 value = wide_of(q),
		 unit = wide_pow10(by > WIDE_DIGITS ? WIDE_DIGITS : (int32_t)by);
	__int128 rest = value % unit;

	q->text = (str){NULL, 0};
	q->scale = scale;
	wide_set(q, value / unit + (rest > 0) - (rest < 0));
}

static __int128 size_of(const struct quantity *q)
{
	__int128 value = wide_of(q);

	return value < 0 ? -value : value;
}

static int digits_of(__int128 size)
{
	int digits = 0;

	for (; size > 0; size /= 10)
		digits++;
	return digits;
}

/* By the place of the first digit;
 * where that is the same, aligning needs no more digits than there are. */
static int compare_sizes(const struct quantity *a, const struct quantity *b)
{
	__int128 size = size_of(a), other = size_of(b);
	int64_t place = (int64_t)digits_of(size) + a->scale,
		other_place = (int64_t)digits_of(other) + b->scale;

	if (place != other_place)
		return place < other_place ? -1 : 1;
	if (a->scale > b->scale)
		size *= wide_pow10(a->scale - b->scale);
	else
		other *= wide_pow10(b->scale - a->scale);
	return (size > other) - (size < other);
}

static bool is_int64(__int128 value)
{
	return value >= INT64_MIN && value <= INT64_MAX;
}

static bool add_signed(struct quantity *to, const struct quantity *q, int sign)
{
	__int128 value = wide_of(to), other = wide_of(q) * sign, total;
	int32_t scale = to->scale < q->scale ? to->scale : q->scale;
	struct quantity sum = {.format = value == 0 ? q->format : to->format};

	if (value == 0)
		scale = q->scale;
	else if (other == 0)
		scale = to->scale;
	if (!wide_shift(&value, (int64_t)to->scale - scale) ||
		!wide_shift(&other, (int64_t)q->scale - scale) ||
		__builtin_add_overflow(value, other, &total) || !wide_fits(total))
		return false;
	sum.scale = scale;
	sum.exact = to->exact && q->exact && is_int64(value) && is_int64(other) && is_int64(total);
	wide_set(&sum, total);
	*to = sum;
	return true;
}

static void put_number(struct buf *b, __int128 size, int zeroes)
{
	char digits[WIDE_DIGITS + 1];
	size_t at = sizeof(digits);

	for (; size > 0; size /= 10)
		digits[--at] = (char)('0' + (int)(size % 10));
	buf_add(b, digits + at, sizeof(digits) - at);
	buf_add(b, "00", (size_t)zeroes);
}

/* False if the format cannot show the number: it is small, or not whole. */
static bool put_binary(struct buf *b, const struct quantity *q)
{
	static const char *const suffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
	__int128 size = size_of(q);
	size_t power = 0;

	if (q->scale >= 0) {
		if (!wide_shift(&size, q->scale))
			return false;
	} else {
		__int128 unit = wide_pow10(q->scale < -WIDE_DIGITS ? WIDE_DIGITS : -q->scale);

		if (size % unit != 0)
			return false;
		size /= unit;
	}
	if (size < 1024)
		return false;
	for (; size % 1024 == 0; size /= 1024)
		power++;
	if (q->high < 0)
		buf_add_char(b, '-');
	put_number(b, size, 0);
	if (power < COUNT_OF(suffixes))
		buf_add_str(b, str_of(suffixes[power]));
	return true;
}

/* The exponent becomes a multiple of three.
 * Beyond its suffixes upstream shows none, and so do we. */
static void put_decimal(struct buf *b, const struct quantity *q)
{
	static const char suffixes[] = {'n', 'u', 'm', 0, 'k', 'M', 'G', 'T', 'P', 'E'};
	__int128 size = size_of(q);
	int64_t exponent = q->scale;

	for (; size % 10 == 0; size /= 10)
		exponent++;
	int zeroes = (int)((exponent % 3 + 3) % 3);

	exponent -= zeroes;
	if (q->high < 0)
		buf_add_char(b, '-');
	put_number(b, size, zeroes);
	if (q->format != QUANTITY_DECIMAL && q->format != QUANTITY_BINARY) {
		if (exponent != 0) {
			buf_add_char(b, 'e');
			buf_add_i64(b, exponent);
		}
	} else if (exponent >= -9 && exponent <= 18 && exponent != 0) {
		buf_add_char(b, suffixes[exponent / 3 + 3]);
	}
}

/* Away from zero; of numbers that are no int64,
 * upstream rounds the negative ones towards zero and adds one. */
static int64_t scale_down(const struct quantity *q, int64_t by)
{
	__int128 value = wide_of(q),
		 unit = wide_pow10(by > WIDE_DIGITS ? WIDE_DIGITS : (int32_t)by);
	__int128 rest = value % unit;

	if (q->exact && rest < 0)
		return (int64_t)(value / unit - 1);
	return (int64_t)(value / unit + (rest != 0));
}

/* What does not fit wraps, or becomes zero where upstream multiplies by ten step by step. */
static int64_t scale_up(const struct quantity *q, int64_t by)
{
	bool in_steps = q->exact && by > 3 && by != 6 && by != 9;
	__int128 value = wide_of(q);

	if (in_steps && (!wide_shift(&value, by) || !is_int64(value)))
		return 0;
	if (in_steps)
		return (int64_t)value;
	uint64_t low = q->low;

	for (; by > 0 && low != 0; by--)
		low *= 10;
	return (int64_t)low;
}
