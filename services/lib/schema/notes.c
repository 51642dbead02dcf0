#include "lib/schema/notes.h"

#include "lib/base/buf.h"
#include "lib/value/quote.h"

void notes_init(struct notes *n, struct arena *a)
{
	*n = (struct notes){.arena = a};
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

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_fmt(&b, "%s ", what);
	quote_put(&b, path);
	int result = notes_add(n, buf_str(&b), e);

	buf_free(&b);
	return result;
}
