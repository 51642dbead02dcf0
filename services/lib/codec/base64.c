#include "lib/codec/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum {
	GROUP_CHARS = 4,
	GROUP_BYTES = 3,
};

/* One group of characters taken from the text; `count` of them carry data, the rest was padding. */
struct group {
	uint32_t bits;
	int count;
};

static void put(struct buf *b, str bytes, const char *letters, bool padded);
static int read_all(struct arena *a, str text, bool url, str *bytes, struct err *e);
static int read_group(str text, bool url, size_t *at, struct group *g, struct err *e);

void base64_put(struct buf *b, str bytes)
{
	put(b, bytes, alphabet, true);
}

void base64url_put(struct buf *b, str bytes)
{
	put(b, bytes, url_alphabet, false);
}

int base64_read(struct arena *a, str text, str *bytes, struct err *e)
{
	return read_all(a, text, false, bytes, e);
}

int base64url_read(struct arena *a, str text, str *bytes, struct err *e)
{
	return read_all(a, text, true, bytes, e);
}

static void put(struct buf *b, str bytes, const char *letters, bool padded)
{
	const unsigned char *at = (const unsigned char *)bytes.at;
	size_t left = bytes.len;
	if (left == 0)
		return;
	char *to = buf_reserve(b, (left + GROUP_BYTES - 1) / GROUP_BYTES * GROUP_CHARS);

	if (!to)
		return;
	for (; left >= GROUP_BYTES; left -= GROUP_BYTES, at += GROUP_BYTES) {
		*to++ = letters[at[0] >> 2];
		*to++ = letters[(at[0] & 3) << 4 | at[1] >> 4];
		*to++ = letters[(at[1] & 15) << 2 | at[2] >> 6];
		*to++ = letters[at[2] & 63];
	}
	if (left > 0) {
		unsigned char second = left > 1 ? at[1] : 0;

		*to++ = letters[at[0] >> 2];
		*to++ = letters[(at[0] & 3) << 4 | second >> 4];
		if (left > 1)
			*to++ = letters[(second & 15) << 2];
		for (size_t i = left; padded && i < GROUP_BYTES; i++)
			*to++ = '=';
	}
	b->len = (size_t)(to - b->at);
}

static int read_all(struct arena *a, str text, bool url, str *bytes, struct err *e)
{
	char *start = arena_try(a, text.len / GROUP_CHARS * GROUP_BYTES + GROUP_BYTES);
	char *to = start;
	struct group g = {.count = GROUP_CHARS};

	if (!start)
		return arena_full(a, e);
	for (size_t at = 0; g.count == GROUP_CHARS;) {
		TRY(read_group(text, url, &at, &g, e));
		for (int i = 0; i + 1 < g.count; i++)
			*to++ = (char)(g.bits >> (16 - 8 * i));
	}
	*bytes = str_span(start, (size_t)(to - start));
	return 0;
}

static int value_of(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == (url ? '-' : '+') ? 62 : c == (url ? '_' : '/') ? 63 : -1;
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

/* A group of less than four characters is the last; of none, the text ended in front of it. Where
 * there is no padding, one character alone carries no byte. */
static int read_group(str text, bool url, size_t *at, struct group *g, struct err *e)
{
	*g = (struct group){0};
	while (g->count < GROUP_CHARS) {
		skip_line_ends(text, at);
		if (*at == text.len)
			return g->count == 0 || (url && g->count > 1)
				? 0
				: illegal(*at - (size_t)g->count, e);
		char c = text.at[(*at)++];
		int value = value_of(c, url);

		if (c == '=' && !url)
			return read_padding(text, at, g->count, e);
		if (value < 0)
			return illegal(*at - 1, e);
		g->bits |= (uint32_t)value << (18 - 6 * g->count);
		g->count++;
	}
	return 0;
}
