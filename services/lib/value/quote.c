#include "lib/value/quote.h"

/* Keeps room for the closing quote and the NUL. */
static void put(char *to, size_t *len, const char *what, size_t bytes)
{
	if (*len + bytes + 2 > QUOTE_MAX)
		return;
	memcpy(to + *len, what, bytes);
	*len += bytes;
}

static void put_hex(char *to, size_t *len, char letter, uint32_t value, int digits)
{
	char text[10] = {'\\', letter};

	for (int i = digits; i > 0; i--, value >>= 4)
		text[1 + i] = "0123456789abcdef"[value & 15];
	put(to, len, text, (size_t)digits + 2);
}

static const char *finish(char *to, size_t len)
{
	to[len] = '"';
	to[len + 1] = 0;
	return to;
}

static bool is_printable(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} not [] = {{0x7f, 0xa0}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c}, {0x1680, 0x1680},
		{0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
		{0x3000, 0x3000}, {0xd800, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
		{0xfffe, 0xffff}, {0xe0000, 0x10ffff}};

	for (size_t i = 0; i < COUNT_OF(not ); i++) {
		if (c >= not [i].first && c <= not [i].last)
			return false;
	}
	return true;
}

/* Length of the sequence at the front, 0 if malformed. */
static size_t decode(str s, uint32_t *to)
{
	const unsigned char *at = (const unsigned char *)s.at;
	size_t len = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

	if (len > s.len || !str_is_utf8(str_span(s.at, len)))
		return 0;
	*to = len == 1 ? at[0] : at[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++)
		*to = *to << 6 | (at[i] & 0x3f);
	return len;
}

static void put_escaped(char *to, size_t *len, uint32_t c)
{
	static const char letters[128] = {['"'] = '"',
		['\\'] = '\\',
		['\a'] = 'a',
		['\b'] = 'b',
		['\f'] = 'f',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't',
		['\v'] = 'v'};

	if (c < 128 && letters[c])
		put(to, len, (const char[]){'\\', letters[c]}, 2);
	else
		put_hex(to, len,
			c < 128               ? 'x'
				: c < 0x10000 ? 'u'
					      : 'U',
			c,
			c < 128               ? 2
				: c < 0x10000 ? 4
					      : 8);
}

const char *quote(char to[static QUOTE_MAX], str s)
{
	size_t len = 1;

	to[0] = '"';
	while (s.len > 0) {
		uint32_t c;
		size_t used = decode(s, &c);

		if (used == 0)
			put_hex(to, &len, 'x', (unsigned char)s.at[0], 2);
		else if (c < ' ' || c == '"' || c == '\\' || !is_printable(c))
			put_escaped(to, &len, c);
		else
			put(to, &len, s.at, used);
		s = str_slice(s, used ? used : 1, s.len);
	}
	return finish(to, len);
}

const char *quote_bytes(char to[static QUOTE_MAX], str s)
{
	size_t len = 1;

	to[0] = '"';
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c >= 0x80 || c < ' ')
			put_hex(to, &len, 'x', c, 2);
		else if (c == '"' || c == '\\')
			put(to, &len, (const char[]){'\\', (char)c}, 2);
		else
			put(to, &len, (const char *)&c, 1);
	}
	return finish(to, len);
}
