#include "lib/structural/json_path.h"

enum { NAME_MAX_BYTES = 256 };

enum step_kind { STEP_NAME, STEP_INDEX, STEP_ALL, STEP_FILTER };

struct step {
	enum step_kind kind;
	char name[NAME_MAX_BYTES]; /* unescaped */
	size_t name_len;
	int64_t index;
	str path, value; /* of a filter: @path == value */
	bool negated;
};

static bool read_dotted(str *rest, struct step *to)
{
	size_t at = 1, len = 0;

	for (; at < rest->len && rest->at[at] != '.' && rest->at[at] != '['; at++) {
		if (rest->at[at] == '\\' && at + 1 < rest->len)
			at++;
		if (len == NAME_MAX_BYTES)
			return false;
		to->name[len++] = rest->at[at];
	}
	to->kind = len == 1 && to->name[0] == '*' ? STEP_ALL : STEP_NAME;
	to->name_len = len;
	*rest = str_slice(*rest, at, rest->len);
	return len > 0;
}

static str unquote(str s)
{
	bool quoted = s.len >= 2 && (s.at[0] == '"' || s.at[0] == '\'') &&
		s.at[s.len - 1] == s.at[0];

	return quoted ? str_slice(s, 1, s.len - 2) : s;
}

/* ?(@.type=="Ready"), without the brackets around. */
static bool read_filter(str inside, struct step *to)
{
	ptrdiff_t op;

	if (!str_starts(inside, STR("?(@")) || !str_ends(inside, STR(")")))
		return false;
	inside = str_slice(inside, 3, inside.len - 4);
	to->kind = STEP_FILTER;
	op = str_find(inside, STR("=="));
	to->negated = op < 0;
	if (op < 0)
		op = str_find(inside, STR("!="));
	if (op < 0)
		return false;
	to->path = str_trim(str_slice(inside, 0, (size_t)op));
	to->value = unquote(str_trim(str_slice(inside, (size_t)op + 2, inside.len)));
	return true;
}

static bool read_bracket(str *rest, struct step *to)
{
	bool filter = str_starts(*rest, STR("[?("));
	ptrdiff_t end = filter ? str_find(*rest, STR(")]")) : str_find_char(*rest, ']');
	str inside, name;

	if (end < 0)
		return false;
	inside = str_slice(*rest, 1, (size_t)end - 1 + filter);
	*rest = str_slice(*rest, (size_t)end + 1 + filter, rest->len);
	if (filter)
		return read_filter(inside, to);
	if (str_eq(inside, STR("*"))) {
		to->kind = STEP_ALL;
		return true;
	}
	if (str_to_i64(inside, &to->index)) {
		to->kind = STEP_INDEX;
		return true;
	}
	name = unquote(inside);
	if (name.len == inside.len || name.len > NAME_MAX_BYTES)
		return false;
	memcpy(to->name, name.at, name.len);
	to->kind = STEP_NAME;
	to->name_len = name.len;
	return true;
}

static bool read_step(str *rest, struct step *to)
{
	if (str_starts(*rest, STR(".[")))
		*rest = str_slice(*rest, 1, rest->len);
	if (str_starts(*rest, STR("[")))
		return read_bracket(rest, to);
	return str_starts(*rest, STR(".")) && read_dotted(rest, to);
}

static bool passes(const struct step *s, const struct json_item *v)
{
	struct json_item found;
	bool same = json_path_find(v, s->path, &found) && str_eq(found.text, s->value);

	return same != s->negated;
}

/* The first item below that leads on. */
static bool find_any(
	const struct step *s, const struct json_item *v, str rest, struct json_item *to)
{
	struct json_walk walk = json_enter(v);
	struct json_item item;

	while (json_next(&walk, &item))
		if ((s->kind == STEP_ALL || passes(s, &item)) && json_path_find(&item, rest, to))
			return true;
	return false;
}

static bool find_index(
	const struct step *s, const struct json_item *v, str rest, struct json_item *to)
{
	int64_t wanted = s->index < 0 ? s->index + (int64_t)v->count : s->index, i = 0;
	struct json_walk walk = json_enter(v);
	struct json_item item;

	for (; v->kind == JSON_ARRAY && json_next(&walk, &item); i++)
		if (i == wanted)
			return json_path_find(&item, rest, to);
	return false;
}

bool json_path_find(const struct json_item *root, str path, struct json_item *to)
{
	struct json_item item;
	struct step s;
	str rest = path;

	if (path.len == 0 || str_eq(path, STR("."))) {
		*to = *root;
		return true;
	}
	if (!read_step(&rest, &s))
		return false;
	switch (s.kind) {
	case STEP_ALL:
	case STEP_FILTER: return find_any(&s, root, rest, to);
	case STEP_INDEX: return find_index(&s, root, rest, to);
	case STEP_NAME: break;
	}
	return root->kind == JSON_OBJECT &&
		json_member(root, str_span(s.name, s.name_len), &item) &&
		json_path_find(&item, rest, to);
}

int json_path_check(str path, struct err *e)
{
	struct step s;

	if (str_eq(path, STR(".")))
		return 0;
	for (str rest = path; rest.len;)
		if (!read_step(&rest, &s))
			return err_set(e, ERR_INVALID, "unrecognized column definition \"%.*s\"",
				STR_ARG(path));
	return 0;
}
