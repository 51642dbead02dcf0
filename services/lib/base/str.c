#include "lib/base/str.h"

int str_cmp(str a, str b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.at, b.at, common) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(str s, str prefix)
{
	return s.len >= prefix.len && str_eq(str_span(s.at, prefix.len), prefix);
}

bool str_ends(str s, str suffix)
{
	return s.len >= suffix.len &&
		str_eq(str_span(s.at + s.len - suffix.len, suffix.len), suffix);
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_eq_ignoring_case(str a, str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	}
	return true;
}

str str_slice(str s, size_t from, size_t len)
{
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return str_span(s.at ? s.at + from : NULL, len);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

str str_trim(str s)
{
	while (s.len > 0 && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

ptrdiff_t str_find_char(str s, char c)
{
	const char *hit = s.len ? memchr(s.at, c, s.len) : NULL;

	return hit ? hit - s.at : -1;
}

ptrdiff_t str_find(str s, str what)
{
	if (what.len == 0)
		return 0;
	const char *hit = s.len ? memmem(s.at, s.len, what.at, what.len) : NULL;

	return hit ? hit - s.at : -1;
}

str str_cut(str *rest, char sep)
{
	str whole = *rest;
	ptrdiff_t at = str_find_char(whole, sep);

	if (at < 0) {
		*rest = (str){NULL, 0};
		return whole;
	}
	*rest = str_span(whole.at + at + 1, whole.len - (size_t)at - 1);
	return str_span(whole.at, (size_t)at);
}

bool str_to_u64(str s, uint64_t *to)
{
	uint64_t value = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(s.at[i] - '0'), &value))
			return false;
	}
	*to = value;
	return true;
}

bool str_to_i64(str s, int64_t *to)
{
	bool negative = s.len > 0 && s.at[0] == '-';
	bool sign = negative || (s.len > 0 && s.at[0] == '+');
	uint64_t magnitude;

	if (!str_to_u64(str_slice(s, sign, s.len), &magnitude))
		return false;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	*to = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

bool str_is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Length of the well-formed sequence at `s`, 0 if there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
	unsigned char lead = s[0];
	size_t len = lead < 0x80 ? 1
		: lead < 0xc2    ? 0
		: lead < 0xe0    ? 2
		: lead < 0xf0    ? 3
		: lead < 0xf5    ? 4
				 : 0;

	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	bool overlong = (lead == 0xe0 && s[1] < 0xa0) || (lead == 0xf0 && s[1] < 0x90);
	bool outside = (lead == 0xed && s[1] > 0x9f) || (lead == 0xf4 && s[1] > 0x8f);

	return overlong || outside ? 0 : len;
}

bool str_is_utf8(str s)
{
	const unsigned char *at = (const unsigned char *)s.at;
	size_t left = s.len;

	while (left > 0) {
		uint64_t eight;

		if (left >= sizeof(eight)) {
			memcpy(&eight, at, sizeof(eight));
			if ((eight & 0x8080808080808080u) == 0) {
				at += sizeof(eight);
				left -= sizeof(eight);
				continue;
			}
		}
		size_t len = utf8_sequence(at, left);

		if (len == 0)
			return false;
		at += len;
		left -= len;
	}
	return true;
}
