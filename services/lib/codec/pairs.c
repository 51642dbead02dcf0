#include "lib/codec/pairs.h"

static int read_line(str line, int number, struct pair *to, struct err *e);
static bool is_key(str s);
static bool is_clean(str s);

int pairs_read(struct arena *a, str text, struct pair_list *to, struct err *e)
{
	struct pair_list list = {0};
	size_t cap = 0;
	int number = 0;

	for (str rest = text; rest.at;) {
		str line = str_trim(str_cut(&rest, '\n'));
		void *at = list.at;

		number++;
		if (!line.len || line.at[0] == '#')
			continue;
		if (list.len == PAIRS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d lines", PAIRS_MAX);
		if (arena_grow(a, &at, list.len, &cap, sizeof(*list.at)) < 0)
			return arena_full(a, e);
		list.at = at;
		TRY(read_line(line, number, &list.at[list.len], e));
		list.len++;
	}
	*to = list;
	return 0;
}

str pairs_get(const struct pair_list *p, str key)
{
	for (size_t i = p->len; i-- > 0;)
		if (str_eq(p->at[i].key, key))
			return p->at[i].value;
	return (str){0};
}

static int read_line(str line, int number, struct pair *to, struct err *e)
{
	str rest = line, key = str_trim(str_cut(&rest, '='));

	if (!is_clean(line))
		return err_set(e, ERR_INVALID, "line %d holds bytes that are no text", number);
	if (!rest.at)
		return err_set(e, ERR_INVALID, "line %d, \"%.*s\", is not KEY=VALUE", number,
			(int)(line.len < 60 ? line.len : 60), line.at);
	if (!is_key(key))
		return err_set(e, ERR_INVALID, "line %d: \"%.*s\" is no key", number,
			(int)(key.len < 60 ? key.len : 60), key.at);
	*to = (struct pair){key, str_trim(rest), number};
	return 0;
}

static bool is_key(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!str_is_alphanumeric(s.at[i]) && !memchr(".-_", s.at[i], 3))
			return false;
	return s.len > 0;
}

static bool is_clean(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.at[i] < 0x20 && s.at[i] != '\t') || s.at[i] == 0x7f)
			return false;
	return str_is_utf8(s);
}
