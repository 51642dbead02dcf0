#include "lib/value/quote.h"

static void put_hex(struct buf *b, char letter, uint32_t value, int digits)
{
	char text[10] = {'\\', letter};

	for (int i = digits; i > 0; i--, value >>= 4)
		text[1 + i] = "0123456789abcdef"[value & 15];
	buf_add(b, text, (size_t)digits + 2);
}

static void put_letter(struct buf *b, char letter)
{
	buf_add(b, (const char[]){'\\', letter}, 2);
}

static bool is_printable(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {{0x7f, 0xa0}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c}, {0x1680, 0x1680},
		{0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
		{0x3000, 0x3000}, {0xd800, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
		{0xfffe, 0xffff}, {0xe0000, 0x10ffff}};

	for (size_t i = 0; i < COUNT_OF(hidden); i++) {
		if (c >= hidden[i].first && c <= hidden[i].last)
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

static void put_escaped(struct buf *b, uint32_t c)
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
		put_letter(b, letters[c]);
	else if (c < 128)
		put_hex(b, 'x', c, 2);
	else if (c < 0x10000)
		put_hex(b, 'u', c, 4);
	else
		put_hex(b, 'U', c, 8);
}

static void put_text(struct buf *b, str s)
{
	while (s.len > 0) {
		uint32_t c;
		size_t used = decode(s, &c);

		if (used == 0)
			put_hex(b, 'x', (unsigned char)s.at[0], 2);
		else if (c < ' ' || c == '"' || c == '\\' || !is_printable(c))
			put_escaped(b, c);
		else
			buf_add(b, s.at, used);
		s = str_slice(s, used ? used : 1, s.len);
	}
}

static void put_bytes(struct buf *b, str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c >= 0x80 || c < ' ')
			put_hex(b, 'x', c, 2);
		else if (c == '"' || c == '\\')
			put_letter(b, (char)c);
		else
			buf_add_char(b, (char)c);
	}
}

void quote_put(struct buf *b, str s)
{
	buf_add_char(b, '"');
	put_text(b, s);
	buf_add_char(b, '"');
}

static const char *quote_by(void (*put)(struct buf *b, str s), char to[static QUOTE_MAX], str s)
{
	struct buf b;

	/* The closing quote and the NUL have room in any case. */
	buf_init(&b, QUOTE_MAX - 2);
	buf_add_char(&b, '"');
	put(&b, s);
	memcpy(to, b.at, b.len);
	memcpy(to + b.len, "\"", 2);
	buf_free(&b);
	return to;
}

const char *quote(char to[static QUOTE_MAX], str s)
{
	return quote_by(put_text, to, s);
}

const char *quote_bytes(char to[static QUOTE_MAX], str s)
{
	return quote_by(put_bytes, to, s);
}
