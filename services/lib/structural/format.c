/*
 * Formats of strings that schemas may name (go-openapi's strfmt, and Kubernetes' own two).
 */
#include "lib/codec/base64.h"
#include "lib/structural/check.h"
#include "lib/value/name.h"
#include "lib/value/time.h"

#include <arpa/inet.h>

typedef bool format_function(str text);

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 'd' a digit, 'h' a hexadecimal one, '-' may be missing; anything else is itself. */
static bool looks_like(str text, const char *shape)
{
	size_t at = 0;

	for (; *shape; shape++) {
		if (*shape == '?') {
			at += at < text.len && text.at[at] == '-';
			continue;
		}
		if (at == text.len)
			return false;
		char c = text.at[at++];

		if (*shape == 'd'               ? !is_digit(c)
				: *shape == 'h' ? str_hex_digit(c) < 0
				: *shape == 'v' ? !strchr("89abAB", c)
						: c != *shape)
			return false;
	}
	return at == text.len;
}

static bool is_uuid(str s)
{
	return looks_like(s, "hhhhhhhh?hhhh?hhhh?hhhh?hhhhhhhhhhhh");
}

static bool is_uuid3(str s)
{
	return looks_like(s, "hhhhhhhh?hhhh?3hhh?hhhh?hhhhhhhhhhhh");
}

static bool is_uuid4(str s)
{
	return looks_like(s, "hhhhhhhh?hhhh?4hhh?vhhh?hhhhhhhhhhhh");
}

static bool is_uuid5(str s)
{
	return looks_like(s, "hhhhhhhh?hhhh?5hhh?vhhh?hhhhhhhhhhhh");
}

static bool is_object_id(str s)
{
	return looks_like(s, "hhhhhhhhhhhhhhhhhhhhhhhh");
}

static bool is_ssn(str s)
{
	return looks_like(s, "ddd-dd-dddd") || looks_like(s, "ddddddddd") ||
		looks_like(s, "ddd dd dddd");
}

static bool is_hex_color(str s)
{
	return looks_like(s, "#hhhhhh") || looks_like(s, "#hhh") || looks_like(s, "hhhhhh") ||
		looks_like(s, "hhh");
}

static bool is_address(str s, int family)
{
	char text[64];
	unsigned char to[16];

	if (s.len >= sizeof(text) || memchr(s.at, 0, s.len))
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = 0;
	return inet_pton(family, text, to) == 1;
}

static bool is_ipv4(str s)
{
	return s.len && is_address(s, AF_INET);
}

static bool is_ipv6(str s)
{
	return s.len && is_address(s, AF_INET6);
}

static bool is_cidr(str s)
{
	str bits = s, address = str_cut(&bits, '/');
	int64_t count;

	if (!bits.at || !str_to_i64(bits, &count) || count < 0 || !is_digit(bits.at[0]))
		return false;
	return is_ipv4(address) ? count <= 32 : is_ipv6(address) && count <= 128;
}

static bool is_mac(str s)
{
	return looks_like(s, "hh:hh:hh:hh:hh:hh") || looks_like(s, "hh-hh-hh-hh-hh-hh") ||
		looks_like(s, "hhhh.hhhh.hhhh") || looks_like(s, "hh:hh:hh:hh:hh:hh:hh:hh") ||
		looks_like(s, "hh-hh-hh-hh-hh-hh-hh-hh") || looks_like(s, "hhhh.hhhh.hhhh.hhhh");
}

static bool is_hostname(str s)
{
	if (s.len == 0 || s.len > 255)
		return false;
	for (str rest = s; rest.at;) {
		str label = str_cut(&rest, '.');

		if (label.len == 0 || label.len > 63 || label.at[0] == '-' ||
			label.at[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!str_is_alphanumeric(label.at[i]) && label.at[i] != '-' &&
				(unsigned char)label.at[i] < 0x80)
				return false;
	}
	return true;
}

static bool is_email(str s)
{
	str rest = s, local = str_cut(&rest, '@');

	if (!rest.at || local.len == 0 || !is_hostname(rest))
		return false;
	for (size_t i = 0; i < local.len; i++)
		if (!str_is_alphanumeric(local.at[i]) &&
			!strchr("!#$%&'*+-/=?^_`{|}~.", local.at[i]) &&
			(unsigned char)local.at[i] < 0x80)
			return false;
	return local.at[0] != '.' && local.at[local.len - 1] != '.';
}

/* As net/url.ParseRequestURI: absolute, or a path from the root. */
static bool is_uri(str s)
{
	ptrdiff_t colon = str_find_char(s, ':');

	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f)
			return false;
	if (str_starts(s, STR("/")))
		return true;
	if (colon <= 0 || (size_t)colon + 1 >= s.len)
		return false;
	for (ptrdiff_t i = 0; i < colon; i++)
		if (!str_is_alphanumeric(s.at[i]) && (i == 0 || !strchr("+-.", s.at[i])))
			return false;
	return !is_digit(s.at[0]);
}

static bool is_date(str s)
{
	struct time_value t;
	char text[32];
	struct err e;

	if (!looks_like(s, "dddd-dd-dd"))
		return false;
	snprintf(text, sizeof(text), "%.*sT00:00:00Z", STR_ARG(s));
	return time_parse(str_of(text), &t, &e) == 0;
}

static bool is_date_time(str s)
{
	struct time_value t;
	struct err e;

	return time_parse(s, &t, &e) == 0;
}

/* "1h30m", "1.5s", and what Scala writes: "2 days". */
static bool is_duration(str s)
{
	static const char *const units[] = {"ns", "us", "\xc2\xb5s", "\xce\xbcs", "ms", "s", "m",
		"h", "d", "w", "nano", "nanos", "nanosecond", "nanoseconds", "micro", "micros",
		"microsecond", "microseconds", "milli", "millis", "millisecond", "milliseconds",
		"second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week",
		"weeks"};
	size_t at = s.len && (s.at[0] == '-' || s.at[0] == '+');

	if (at == s.len)
		return false;
	if (str_eq(str_slice(s, at, s.len), STR("0")))
		return true;
	while (at < s.len) {
		size_t digits = at, unit;
		bool known = false;

		while (at < s.len && (is_digit(s.at[at]) || s.at[at] == '.'))
			at++;
		if (at == digits)
			return false;
		while (at < s.len && s.at[at] == ' ')
			at++;
		unit = at;
		while (at < s.len && !is_digit(s.at[at]) && s.at[at] != ' ' && s.at[at] != '.')
			at++;
		for (size_t i = 0; i < COUNT_OF(units); i++)
			known |= str_eq(str_slice(s, unit, at - unit), str_of(units[i]));
		if (!known)
			return false;
	}
	return true;
}

static bool is_base64(str s)
{
	if (s.len % 4)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!str_is_alphanumeric(s.at[i]) && s.at[i] != '+' && s.at[i] != '/' &&
			!(s.at[i] == '=' && i + 2 >= s.len))
			return false;
	return s.len < 2 || s.at[s.len - 2] != '=' || s.at[s.len - 1] == '=';
}

static bool is_anything(UNUSED str s)
{
	return true;
}

static bool is_rgb_color(str s)
{
	size_t count = 0;

	if (!str_starts(s, STR("rgb(")) || !str_ends(s, STR(")")))
		return false;
	for (str rest = str_slice(s, 4, s.len - 5); rest.at; count++) {
		str part = str_trim(str_cut(&rest, ','));
		int64_t value;

		if (!str_to_i64(part, &value) || value < 0 || value > 255)
			return false;
	}
	return count == 3;
}

/* The digits of a number written with blanks and dashes; 0 if there is anything else. */
static size_t digits_of(str s, char to[32])
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '-' || s.at[i] == ' ')
			continue;
		if (len == 31 || (!is_digit(s.at[i]) && s.at[i] != 'X'))
			return 0;
		to[len++] = s.at[i];
	}
	return len;
}

static bool is_isbn10(str s)
{
	char d[32];
	int sum = 0;

	if (digits_of(s, d) != 10)
		return false;
	for (int i = 0; i < 10; i++) {
		if (d[i] == 'X' && i < 9)
			return false;
		sum += (i + 1) * (d[i] == 'X' ? 10 : d[i] - '0');
	}
	return sum % 11 == 0;
}

static bool is_isbn13(str s)
{
	char d[32];
	int sum = 0;

	if (digits_of(s, d) != 13)
		return false;
	for (int i = 0; i < 13; i++) {
		if (d[i] == 'X')
			return false;
		sum += (i % 2 ? 3 : 1) * (d[i] - '0');
	}
	return sum % 10 == 0;
}

static bool is_isbn(str s)
{
	return is_isbn10(s) || is_isbn13(s);
}

static bool is_credit_card(str s)
{
	char d[32];
	size_t len = digits_of(s, d);
	int sum = 0;

	if (len < 13 || len > 16 || memchr(d, 'X', len))
		return false;
	for (size_t i = 0; i < len; i++) {
		int digit = d[len - 1 - i] - '0';

		digit *= i % 2 ? 2 : 1;
		sum += digit > 9 ? digit - 9 : digit;
	}
	return sum % 10 == 0;
}

static bool has_form(str s, enum name_form form)
{
	struct name_faults f;

	return name_check(form, s, &f);
}

static bool is_short_name(str s)
{
	return has_form(s, NAME_DNS1123_LABEL);
}

static bool is_long_name(str s)
{
	return has_form(s, NAME_DNS1123_SUBDOMAIN);
}

/* Names without their dashes, as strfmt compares them. */
static const struct {
	const char *name;
	format_function *check;
} formats[] = {
	{"bsonobjectid", is_object_id},
	{"uri", is_uri},
	{"email", is_email},
	{"hostname", is_hostname},
	{"ipv4", is_ipv4},
	{"ipv6", is_ipv6},
	{"cidr", is_cidr},
	{"mac", is_mac},
	{"uuid", is_uuid},
	{"uuid3", is_uuid3},
	{"uuid4", is_uuid4},
	{"uuid5", is_uuid5},
	{"isbn", is_isbn},
	{"isbn10", is_isbn10},
	{"isbn13", is_isbn13},
	{"creditcard", is_credit_card},
	{"ssn", is_ssn},
	{"hexcolor", is_hex_color},
	{"rgbcolor", is_rgb_color},
	{"byte", is_base64},
	{"password", is_anything},
	{"date", is_date},
	{"duration", is_duration},
	{"datetime", is_date_time},
	{"k8sshortname", is_short_name},
	{"k8slongname", is_long_name},
};

int format_check(str format, str text)
{
	char name[32];
	size_t len = 0;

	for (size_t i = 0; i < format.len && len < sizeof(name); i++)
		if (format.at[i] != '-')
			name[len++] = format.at[i];
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_eq(str_span(name, len), str_of(formats[i].name)))
			return formats[i].check(text);
	return -1;
}
