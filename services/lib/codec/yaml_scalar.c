#include "lib/codec/yaml_scalar.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_TEXT_MAX = 512 };

static bool find_word(str text, struct yaml_scalar *to);
static bool is_timestamp(str text);
static bool read_integer(str text, struct yaml_scalar *to);
static bool read_float(str text, struct yaml_scalar *to);

static bool is_digit(str s, size_t at)
{
	return at < s.len && s.at[at] >= '0' && s.at[at] <= '9';
}

struct yaml_scalar yaml_resolve(str text)
{
	struct yaml_scalar s = {.kind = YAML_STR};
	char digits[NUMBER_TEXT_MAX];
	size_t len = 0;

	if (find_word(text, &s) || !strchr("+-.0123456789", text.at[0]))
		return s;
	if (text.at[0] != '.' && is_timestamp(text)) {
		s.kind = YAML_TIMESTAMP;
		return s;
	}
	/* Underscores count for nothing; behind a point at the front, only between digits. */
	for (size_t i = 0; i < text.len; i++) {
		bool between = i > 0 && is_digit(text, i - 1) && is_digit(text, i + 1);

		if (text.at[i] == '_' && (text.at[0] != '.' || between))
			continue;
		if (len == sizeof(digits) - 1)
			return s;
		digits[len++] = text.at[i];
	}
	digits[len] = 0;
	if (!read_integer(str_span(digits, len), &s))
		read_float(str_span(digits, len), &s);
	return s;
}

static bool find_word(str text, struct yaml_scalar *to)
{
	static const struct {
		str text;
		struct yaml_scalar means;
	} words[] = {
		{STR_INIT("y"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("Y"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("yes"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("Yes"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("YES"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("true"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("True"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("TRUE"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("on"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("On"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("ON"), {.kind = YAML_BOOL, .truth = true}},
		{STR_INIT("n"), {.kind = YAML_BOOL}},
		{STR_INIT("N"), {.kind = YAML_BOOL}},
		{STR_INIT("no"), {.kind = YAML_BOOL}},
		{STR_INIT("No"), {.kind = YAML_BOOL}},
		{STR_INIT("NO"), {.kind = YAML_BOOL}},
		{STR_INIT("false"), {.kind = YAML_BOOL}},
		{STR_INIT("False"), {.kind = YAML_BOOL}},
		{STR_INIT("FALSE"), {.kind = YAML_BOOL}},
		{STR_INIT("off"), {.kind = YAML_BOOL}},
		{STR_INIT("Off"), {.kind = YAML_BOOL}},
		{STR_INIT("OFF"), {.kind = YAML_BOOL}},
		{STR_INIT("~"), {.kind = YAML_NULL}},
		{STR_INIT("null"), {.kind = YAML_NULL}},
		{STR_INIT("Null"), {.kind = YAML_NULL}},
		{STR_INIT("NULL"), {.kind = YAML_NULL}},
		{STR_INIT(".nan"), {.kind = YAML_FLOAT, .number = NAN}},
		{STR_INIT(".NaN"), {.kind = YAML_FLOAT, .number = NAN}},
		{STR_INIT(".NAN"), {.kind = YAML_FLOAT, .number = NAN}},
		{STR_INIT(".inf"), {.kind = YAML_FLOAT, .number = INFINITY}},
		{STR_INIT(".Inf"), {.kind = YAML_FLOAT, .number = INFINITY}},
		{STR_INIT(".INF"), {.kind = YAML_FLOAT, .number = INFINITY}},
		{STR_INIT("+.inf"), {.kind = YAML_FLOAT, .number = INFINITY}},
		{STR_INIT("+.Inf"), {.kind = YAML_FLOAT, .number = INFINITY}},
		{STR_INIT("+.INF"), {.kind = YAML_FLOAT, .number = INFINITY}},
		{STR_INIT("-.inf"), {.kind = YAML_FLOAT, .number = -INFINITY}},
		{STR_INIT("-.Inf"), {.kind = YAML_FLOAT, .number = -INFINITY}},
		{STR_INIT("-.INF"), {.kind = YAML_FLOAT, .number = -INFINITY}},
	};

	if (text.len == 0) {
		*to = (struct yaml_scalar){.kind = YAML_NULL};
		return true;
	}
	for (size_t i = 0; text.len <= 5 && i < COUNT_OF(words); i++) {
		if (str_eq(text, words[i].text)) {
			*to = words[i].means;
			return true;
		}
	}
	return false;
}

/* One or two digits. */
static bool take_short(str *s, int *to)
{
	size_t len = (size_t)is_digit(*s, 0) + (is_digit(*s, 0) && is_digit(*s, 1));

	*to = 0;
	for (size_t i = 0; i < len; i++)
		*to = *to * 10 + (s->at[i] - '0');
	*s = str_slice(*s, len, s->len);
	return len > 0;
}

static bool take_char(str *s, char c)
{
	if (s->len == 0 || s->at[0] != c)
		return false;
	*s = str_slice(*s, 1, s->len);
	return true;
}

static bool is_zone(str s)
{
	bool digits = is_digit(s, 1) && is_digit(s, 2) && is_digit(s, 4) && is_digit(s, 5);
	bool shaped = s.len == 6 && (s.at[0] == '+' || s.at[0] == '-') && s.at[3] == ':' && digits;

	if (str_eq(s, STR("Z")))
		return true;
	return shaped && (s.at[1] - '0') * 10 + s.at[2] - '0' <= 24 &&
		(s.at[4] - '0') * 10 + s.at[5] - '0' <= 60;
}

static bool is_clock(str s, bool zone)
{
	int hour, minute, second;

	if (!take_short(&s, &hour) || !take_char(&s, ':') || !take_short(&s, &minute) ||
		!take_char(&s, ':') || !take_short(&s, &second) || hour > 23 || minute > 59 ||
		second > 59)
		return false;
	if (s.len > 1 && (s.at[0] == '.' || s.at[0] == ',') && is_digit(s, 1)) {
		size_t len = 1;

		while (is_digit(s, len))
			len++;
		s = str_slice(s, len, s.len);
	}
	return zone ? is_zone(s) : s.len == 0;
}

static bool is_timestamp(str text)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	str rest = str_slice(text, 5, text.len);
	int month, day, year = 0;

	for (size_t i = 0; i < 4; i++) {
		if (!is_digit(text, i))
			return false;
		year = year * 10 + (text.at[i] - '0');
	}
	if (text.len < 5 || text.at[4] != '-' || !take_short(&rest, &month) ||
		!take_char(&rest, '-') || !take_short(&rest, &day) || month < 1 || month > 12 ||
		day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (day > days[month - 1] + (month == 2 && leap))
		return false;
	if (rest.len == 0)
		return true;
	str clock = str_slice(rest, 1, rest.len);

	/* In the form with a blank, blanks may be many. */
	if (rest.at[0] == ' ') {
		while (take_char(&clock, ' '))
			;
		return is_clock(clock, false);
	}
	return (rest.at[0] == 'T' || rest.at[0] == 't') && is_clock(clock, true);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* The base that a prefix names, of which `*skip` characters say so. */
static unsigned base_of(str digits, size_t *skip)
{
	static const struct {
		char letter;
		unsigned base;
	} prefixes[] = {{'x', 16}, {'o', 8}, {'b', 2}};

	*skip = 0;
	if (digits.len < 2 || digits.at[0] != '0')
		return 10;
	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		if ((digits.at[1] | 0x20) == prefixes[i].letter) {
			*skip = 2;
			return prefixes[i].base;
		}
	}
	*skip = 1;
	return 8;
}

static bool read_integer(str text, struct yaml_scalar *to)
{
	bool negative = text.at[0] == '-', sign = negative || text.at[0] == '+';
	str digits = str_slice(text, sign, text.len);
	uint64_t size = 0;
	size_t skip;
	unsigned base = base_of(digits, &skip);

	if (skip == digits.len)
		return false;
	for (size_t i = skip; i < digits.len; i++) {
		unsigned value = (unsigned)digit_value(digits.at[i]);

		if (value >= base || __builtin_mul_overflow(size, base, &size) ||
			__builtin_add_overflow(size, value, &size))
			return false;
	}
	/* Past int64 only a number without a sign is one of 64 bits. */
	if (sign && size > (uint64_t)INT64_MAX + negative)
		return false;
	*to = (struct yaml_scalar){
		.kind = YAML_INT, .negative = negative && size > 0, .size = size};
	return true;
}

static size_t count_digits(str s, size_t from)
{
	size_t count = 0;

	while (is_digit(s, from + count))
		count++;
	return count;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(str s)
{
	size_t at = s.at[0] == '-' || s.at[0] == '+';
	size_t whole = count_digits(s, at), fraction = 0;

	at += whole;
	if (at < s.len && s.at[at] == '.') {
		fraction = count_digits(s, at + 1);
		at += 1 + fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (at < s.len && (s.at[at] == 'e' || s.at[at] == 'E')) {
		at++;
		at += at < s.len && (s.at[at] == '-' || s.at[at] == '+');
		size_t exponent = count_digits(s, at);

		if (exponent == 0)
			return false;
		at += exponent;
	}
	return at == s.len;
}

/* `text` ends with a NUL. What a double cannot hold stays text. */
static bool read_float(str text, struct yaml_scalar *to)
{
	if (!is_float(text))
		return false;
	double number = strtod(text.at, NULL);

	if (!isfinite(number))
		return false;
	*to = (struct yaml_scalar){.kind = YAML_FLOAT, .number = number};
	return true;
}

bool yaml_is_base60(str text)
{
	size_t at = text.len > 0 && (text.at[0] == '-' || text.at[0] == '+');
	size_t groups = 0;

	if (!is_digit(text, at))
		return false;
	while (is_digit(text, at) || (at < text.len && text.at[at] == '_'))
		at++;
	for (; at < text.len && text.at[at] == ':' && is_digit(text, at + 1); groups++) {
		at++;
		at += is_digit(text, at + 1) && text.at[at] <= '5' ? 2 : 1;
	}
	if (groups == 0)
		return false;
	if (at < text.len && text.at[at] == '.') {
		at++;
		while (is_digit(text, at) || (at < text.len && text.at[at] == '_'))
			at++;
	}
	return at == text.len;
}

void yaml_put_float(struct buf *b, double number, bool single)
{
	int digits = 1, exponent;
	char text[40];

	if (!isfinite(number)) {
		buf_add_str(b,
			isnan(number)        ? STR(".nan")
				: number < 0 ? STR("-.inf")
					     : STR(".inf"));
		return;
	}
	for (;; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, number);
		if (digits == 17 ||
			(single ? strtof(text, NULL) == (float)number
				: strtod(text, NULL) == number))
			break;
	}
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent < -4 || exponent >= 6)
		buf_add_str(b, str_of(text));
	else
		buf_add_fmt(b, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0,
			strtod(text, NULL));
}
