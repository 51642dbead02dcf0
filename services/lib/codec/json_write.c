#include "lib/codec/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EIGHT = sizeof(uint64_t) };

static size_t plain_run(const unsigned char *at, size_t len);
static size_t put_escaped(struct buf *b, const unsigned char *at, size_t left);
static size_t shortest_digits(double value, char digits[static 40], int *point);
static void put_positional(struct buf *b, const char *digits, int count, int point);
static void put_scientific(struct buf *b, const char *digits, int count, int point);

void json_put_item(struct buf *b, const struct json_item *item)
{
	struct json_walk walk = json_enter(item);
	bool first = true;

	switch (item->kind) {
	case JSON_NULL: buf_add_str(b, STR("null")); return;
	case JSON_BOOL: buf_add_str(b, item->truth ? STR("true") : STR("false")); return;
	case JSON_NUMBER: buf_add_str(b, item->text); return;
	case JSON_STRING: json_put_str(b, item->text); return;
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	buf_add_char(b, walk.in_object ? '{' : '[');
	for (struct json_item below; json_next(&walk, &below); first = false) {
		if (!first)
			buf_add_char(b, ',');
		if (walk.in_object) {
			json_put_str(b, below.key);
			buf_add_char(b, ':');
		}
		json_put_item(b, &below);
	}
	buf_add_char(b, walk.in_object ? '}' : ']');
}

void json_put_str(struct buf *b, str s)
{
	const unsigned char *at = (const unsigned char *)s.at;
	size_t left = s.len;

	buf_add_char(b, '"');
	while (left > 0) {
		size_t run = plain_run(at, left);

		buf_add(b, at, run);
		at += run;
		left -= run;
		if (left > 0) {
			size_t used = put_escaped(b, at, left);

			at += used;
			left -= used;
		}
	}
	buf_add_char(b, '"');
}

void json_put_f64(struct buf *b, double value)
{
	double size = fabs(value);
	char digits[40];
	int point;

	if (signbit(value))
		buf_add_char(b, '-');
	if (size == 0) {
		buf_add_char(b, '0');
		return;
	}
	int count = (int)shortest_digits(size, digits, &point);

	if (size < 1e-6 || size >= 1e21)
		put_scientific(b, digits, count, point);
	else
		put_positional(b, digits, count, point);
}

/* Every byte of `value` that equals `c` has its high bit set in the answer;
 * others below it are right. */
static uint64_t bytes_equal(uint64_t value, unsigned char c)
{
	uint64_t x = value ^ (0x0101010101010101u * c);

	return (x - 0x0101010101010101u) & ~x;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/* How many bytes at the front stand for themselves. Looks at eight at once;
 * '<' and '>' differ in bit 1. */
static size_t plain_run(const unsigned char *at, size_t len)
{
	size_t run = 0;

	for (uint64_t v; run + EIGHT <= len; run += EIGHT) {
		memcpy(&v, at + run, EIGHT);
		uint64_t control = (v - 0x2020202020202020u) & ~v;
		uint64_t special = bytes_equal(v, '"') | bytes_equal(v, '\\') |
			bytes_equal(v, '&') | bytes_equal(v | 0x0202020202020202u, '>');

		if ((control | special | v) & 0x8080808080808080u)
			break;
	}
	while (run < len && is_plain(at[run]))
		run++;
	return run;
}

/* Length of a well-formed sequence of two to four bytes, else 0. */
static size_t sequence(const unsigned char *at, size_t left)
{
	size_t len = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

	return len <= left && str_is_utf8(str_span((const char *)at, len)) ? len : 0;
}

static size_t put_wide(struct buf *b, const unsigned char *at, size_t left)
{
	size_t len = sequence(at, left);

	if (len == 0) {
		buf_add_str(b, STR("\\ufffd"));
		return 1;
	}
	if (len == 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9))
		buf_add_str(b, at[2] == 0xa8 ? STR("\\u2028") : STR("\\u2029"));
	else
		buf_add(b, at, len);
	return len;
}

/* Writes the character at the front, which is not plain, and says how many bytes it had. */
static size_t put_escaped(struct buf *b, const unsigned char *at, size_t left)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[128] = {['"'] = '"',
		['\\'] = '\\',
		['\b'] = 'b',
		['\f'] = 'f',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't'};

	if (at[0] >= 0x80)
		return put_wide(b, at, left);
	if (letters[at[0]])
		buf_add(b, (const char[]){'\\', letters[at[0]]}, 2);
	else
		buf_add(b, (const char[]){'\\', 'u', '0', '0', hex[at[0] >> 4], hex[at[0] & 15]},
			6);
	return 1;
}

/*
 * The fewest digits that read back as the same double, without zeroes at the end, and where the
 * point stands: 0.digits times ten to the power of `*point`.
 */
static size_t shortest_digits(double value, char digits[static 40], int *point)
{
	char text[40];

	for (int more = 0; more < 17; more++) {
		snprintf(text, sizeof(text), "%.*e", more, value);
		if (strtod(text, NULL) == value)
			break;
	}
	const char *exponent = strchr(text, 'e');
	size_t count = 0;

	for (const char *c = text; c < exponent; c++) {
		if (*c != '.')
			digits[count++] = *c;
	}
	*point = (int)strtol(exponent + 1, NULL, 10) + 1;
	return count;
}

static void put_zeroes(struct buf *b, int count)
{
	for (; count > 0; count--)
		buf_add_char(b, '0');
}

static void put_positional(struct buf *b, const char *digits, int count, int point)
{
	if (point <= 0) {
		buf_add_str(b, STR("0."));
		put_zeroes(b, -point);
		buf_add(b, digits, (size_t)count);
	} else if (point >= count) {
		buf_add(b, digits, (size_t)count);
		put_zeroes(b, point - count);
	} else {
		buf_add(b, digits, (size_t)point);
		buf_add_char(b, '.');
		buf_add(b, digits + point, (size_t)(count - point));
	}
}

/* At least two digits of a positive exponent, but e-9, not e-09. */
static void put_scientific(struct buf *b, const char *digits, int count, int point)
{
	int exponent = point - 1;

	buf_add_char(b, digits[0]);
	if (count > 1) {
		buf_add_char(b, '.');
		buf_add(b, digits + 1, (size_t)count - 1);
	}
	buf_add_str(b, exponent < 0 ? STR("e-") : STR("e+"));
	buf_add_u64(b, (uint64_t)(exponent < 0 ? -exponent : exponent));
}
