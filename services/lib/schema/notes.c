#include "lib/schema/notes.h"

#include "lib/base/buf.h"

void notes_init(struct notes *n, struct arena *a)
{
	*n = (struct notes){.arena = a};
}

/* Length of the UTF-8 sequence at the head of `s`; 0 if it is none. */
static size_t rune_bytes(str s)
{
	size_t len = (unsigned char)s.at[0] < 0xe0 ? 2 : (unsigned char)s.at[0] < 0xf0 ? 3 : 4;

	return s.len >= len && str_is_utf8(str_slice(s, 0, len)) ? len : 0;
}

static void put_escaped(struct buf *b, unsigned char c)
{
	static const char named[] = "abtnvfr";

	if (c == '"' || c == '\\')
		buf_add_fmt(b, "\\%c", c);
	else if (c >= '\a' && c <= '\r')
		buf_add_fmt(b, "\\%c", named[c - '\a']);
	else
		buf_add_fmt(b, "\\x%02x", c);
}

static void put_quoted(struct buf *b, str s)
{
	buf_add_char(b, '"');
	for (size_t i = 0; i < s.len;) {
		unsigned char c = (unsigned char)s.at[i];
		size_t len = c < 0x80 ? 1 : rune_bytes(str_slice(s, i, 4));

		if (len == 0 || (len == 1 && (c < ' ' || c == 0x7f || c == '"' || c == '\\'))) {
			put_escaped(b, c);
			i++;
		} else {
			buf_add(b, s.at + i, len);
			i += len;
		}
	}
	buf_add_char(b, '"');
}

static bool is_known(const struct notes *n, str text)
{
	for (size_t i = 0; i < n->texts.len; i++)
		if (str_eq(n->texts.at[i], text))
			return true;
	return false;
}

int notes_add(struct notes *n, str text, struct err *e)
{
	if (notes_full(n))
		return 0;
	n->met++;
	if (is_known(n, text))
		return 0;
	if (!n->texts.at) {
		n->texts.at = arena_try_array(n->arena, NOTES_MAX, sizeof(str));
		if (!n->texts.at)
			return arena_full(n->arena, e);
	}
	TRY(arena_str_try(n->arena, text, &n->texts.at[n->texts.len], e));
	n->texts.len++;
	return 0;
}

int notes_add_field(struct notes *n, const char *what, str path, struct err *e)
{
	struct buf b;

	buf_init(&b, 8 * path.len + 64);
	buf_add_fmt(&b, "%s ", what);
	put_quoted(&b, path);
	int result = notes_add(n, buf_str(&b), e);

	buf_free(&b);
	return result;
}
