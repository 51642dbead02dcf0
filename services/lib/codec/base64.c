#include "lib/codec/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum {
	GROUP_CHARS = 4,
	GROUP_BYTES = 3,
};

/* One group of characters taken from the text; `count` of them carry data, the rest was padding. */
struct group {
	uint32_t bits;
	int count;
};

static int read_group(str text, size_t *at, struct group *g, struct err *e);

void base64_put(struct buf *b, str bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.at;
	size_t left = bytes.len;
	if (left == 0)
		return;
	char *to = buf_reserve(b, (left + GROUP_BYTES - 1) / GROUP_BYTES * GROUP_CHARS);

	if (!to)
		return;
	for (; left >= GROUP_BYTES; left -= GROUP_BYTES, at += GROUP_BYTES) {
		*to++ = alphabet[at[0] >> 2];
		*to++ = alphabet[(at[0] & 3) << 4 | at[1] >> 4];
		*to++ = alphabet[(at[1] & 15) << 2 | at[2] >> 6];
		*to++ = alphabet[at[2] & 63];
	}
	if (left > 0) {
		unsigned char second = left > 1 ? at[1] : 0;

		*to++ = alphabet[at[0] >> 2];
		*to++ = alphabet[(at[0] & 3) << 4 | second >> 4];
		*to++ = left > 1 ? alphabet[(second & 15) << 2] : '=';
		*to++ = '=';
	}
	b->len = (size_t)(to - b->at);
}

int base64_read(struct arena *a, str text, str *bytes, struct err *e)
{
	char *start = arena_try(a, text.len / GROUP_CHARS * GROUP_BYTES + GROUP_BYTES);
	char *to = start;
	struct group g = {.count = GROUP_CHARS};

	if (!start)
		return arena_full(a, e);
	for (size_t at = 0; g.count == GROUP_CHARS;) {
		TRY(read_group(text, &at, &g, e));
		for (int i = 0; i + 1 < g.count; i++)
			*to++ = (char)(g.bits >> (16 - 8 * i));
	}
	*bytes = str_span(start, (size_t)(to - start));
	return 0;
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int illegal(size_t at, struct err *e)
{
	return err_set(e, ERR_INVALID, "illegal base64 data at input byte %zu", at);
}

static void skip_line_ends(str text, size_t *at)
{
	while (*at < text.len && (text.at[*at] == '\n' || text.at[*at] == '\r'))
		++*at;
}

/* Behind the first '=': there is a second where two characters carry
 * data, and then nothing more. */
static int read_padding(str text, size_t *at, int count, struct err *e)
{
	if (count < 2)
		return illegal(*at - 1, e);
	skip_line_ends(text, at);
	if (count == 2) {
		if (*at == text.len)
			return illegal(text.len, e);
		if (text.at[*at] != '=')
			return illegal(*at - 1, e);
		++*at;
		skip_line_ends(text, at);
	}
	return *at < text.len ? illegal(*at, e) : 0;
}

/* A group of less than four characters is the last; of none, the text ended in front of it. */
static int read_group(str text, size_t *at, struct group *g, struct err *e)
{
	*g = (struct group){0};
	while (g->count < GROUP_CHARS) {
		skip_line_ends(text, at);
		if (*at == text.len)
			return g->count == 0 ? 0 : illegal(*at - (size_t)g->count, e);
		char c = text.at[(*at)++];
		int value = value_of(c);

		if (c == '=')
			return read_padding(text, at, g->count, e);
		if (value < 0)
			return illegal(*at - 1, e);
		g->bits |= (uint32_t)value << (18 - 6 * g->count);
		g->count++;
	}
	return 0;
}
