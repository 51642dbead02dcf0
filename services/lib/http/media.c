#include "lib/http/media.h"

#include "lib/http/headers.h"

enum { Q_ONE = 1000 };

static str skip_blanks(str s);
static int read_param(struct arena *a, str *rest, struct media_param *to, struct err *e);
static int read_q(str text, unsigned *milli);
static bool comes_before(const struct media_type *a, const struct media_type *b);
static str cut_element(str *rest);

int media_parse(struct arena *a, str text, struct media_type *to, struct err *e)
{
	struct media_param params[MEDIA_PARAMS_MAX];
	struct media_type m = {.q_milli = Q_ONE};
	str rest = text, subtype = str_cut(&rest, ';');

	m.type = str_trim(str_cut(&subtype, '/'));
	m.subtype = str_trim(subtype);
	if (!http_is_token(m.type) || !http_is_token(m.subtype))
		return err_set(e, ERR_INVALID, "not a media type");
	for (rest = skip_blanks(rest); rest.len > 0; rest = skip_blanks(rest)) {
		struct media_param p;

		TRY(read_param(a, &rest, &p, e));
		if (!p.name.at)
			continue;
		if (str_eq_ignoring_case(p.name, STR("q"))) {
			if (read_q(p.value, &m.q_milli) < 0)
				return err_set(e, ERR_INVALID, "not a quality from 0 to 1");
		} else if (m.param_count == MEDIA_PARAMS_MAX) {
			return err_set(e, ERR_LIMIT, "more than %d parameters", MEDIA_PARAMS_MAX);
		} else {
			params[m.param_count++] = p;
		}
	}
	if (m.param_count > 0) {
		m.params = arena_try_array(a, m.param_count, sizeof(*params));
		if (!m.params)
			return arena_full(a, e);
		memcpy(m.params, params, m.param_count * sizeof(*params));
	}
	*to = m;
	return 0;
}

int media_accept(struct arena *a, str header, struct media_type **to, size_t *len, struct err *e)
{
	struct media_type *list = arena_try_array(a, MEDIA_ACCEPT_MAX, sizeof(*list));
	size_t count = 0;

	if (!list)
		return arena_full(a, e);
	for (str rest = header; rest.at;) {
		struct media_type m;
		struct err ignored;
		size_t at = count;

		if (media_parse(a, cut_element(&rest), &m, &ignored) < 0) {
			if (ignored.kind == ERR_LIMIT)
				return err_set(e, ERR_LIMIT, "%s", ignored.text);
			continue;
		}
		if (count == MEDIA_ACCEPT_MAX)
			return err_set(e, ERR_LIMIT, "more than %d media types", MEDIA_ACCEPT_MAX);
		for (; at > 0 && comes_before(&m, &list[at - 1]); at--)
			list[at] = list[at - 1];
		list[at] = m;
		count++;
	}
	*to = list;
	*len = count;
	return 0;
}

str media_param(const struct media_type *m, str name)
{
	for (size_t i = 0; i < m->param_count; i++)
		if (str_eq_ignoring_case(m->params[i].name, name))
			return m->params[i].value;
	return (str){NULL, 0};
}

bool media_covers(const struct media_type *range, str type, str subtype)
{
	bool any = str_eq(range->type, STR("*"));
	bool any_subtype = str_eq(range->subtype, STR("*"));

	return (any || str_eq_ignoring_case(range->type, type)) &&
		(any_subtype || str_eq_ignoring_case(range->subtype, subtype));
}

static str skip_blanks(str s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
		s = str_slice(s, 1, s.len);
	return s;
}

/* Behind the opening quote; escapes are taken out. */
static int read_quoted(struct arena *a, str *rest, str *to, struct err *e)
{
	size_t end = 0, len = 0;
	bool escaped = false;

	for (; end < rest->len && rest->at[end] != '"'; end++) {
		if (rest->at[end] == '\\') {
			escaped = true;
			end++;
		}
	}
	if (end >= rest->len)
		return err_set(e, ERR_INVALID, "a quoted value without its end");
	str inside = str_slice(*rest, 0, end);

	*rest = str_slice(*rest, end + 1, rest->len);
	*to = inside;
	if (!escaped)
		return 0;
	char *plain = arena_try(a, inside.len);

	if (!plain)
		return arena_full(a, e);
	for (size_t i = 0; i < inside.len; i++) {
		if (inside.at[i] == '\\')
			i++;
		plain[len++] = inside.at[i];
	}
	*to = str_span(plain, len);
	return 0;
}

/* "name=value;" with blanks around; an empty place between semicolons gives an absent name. */
static int read_param(struct arena *a, str *rest, struct media_param *to, struct err *e)
{
	struct media_param p = {0};
	size_t end = 0;

	while (end < rest->len && rest->at[end] != '=' && rest->at[end] != ';')
		end++;
	str name = str_trim(str_slice(*rest, 0, end));
	bool has_value = end < rest->len && rest->at[end] == '=';

	*rest = skip_blanks(str_slice(*rest, end + has_value, rest->len));
	if (has_value && rest->len > 0 && rest->at[0] == '"') {
		*rest = str_slice(*rest, 1, rest->len);
		TRY(read_quoted(a, rest, &p.value, e));
		*rest = skip_blanks(*rest);
	} else if (has_value) {
		ptrdiff_t stop = str_find_char(*rest, ';');
		size_t len = stop < 0 ? rest->len : (size_t)stop;

		p.value = str_trim(str_slice(*rest, 0, len));
		*rest = str_slice(*rest, len, rest->len);
	}
	if (rest->len > 0 && rest->at[0] != ';')
		return err_set(e, ERR_INVALID, "something behind a quoted value");
	*rest = str_slice(*rest, 1, rest->len);
	if (name.len > 0 || has_value) {
		if (!http_is_token(name) || !has_value)
			return err_set(e, ERR_INVALID, "not a parameter");
		p.name = name;
	}
	*to = p;
	return 0;
}

/* RFC 9110, 12.4.2: "0" or "1", up to three decimals. */
static int read_q(str text, unsigned *milli)
{
	unsigned value = 0, scale = Q_ONE;

	if (text.len == 0 || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1') ||
		(text.len > 1 && text.at[1] != '.'))
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (i == 1)
			continue;
		if (text.at[i] < '0' || text.at[i] > '9')
			return -1;
		value += (unsigned)(text.at[i] - '0') * scale;
		scale /= 10;
	}
	if (value > Q_ONE)
		return -1;
	*milli = value;
	return 0;
}

static bool comes_before(const struct media_type *a, const struct media_type *b)
{
	bool any_a = str_eq(a->type, STR("*")), any_b = str_eq(b->type, STR("*"));
	bool anysub_a = str_eq(a->subtype, STR("*")), anysub_b = str_eq(b->subtype, STR("*"));

	if (a->q_milli != b->q_milli)
		return a->q_milli > b->q_milli;
	if (any_a != any_b)
		return any_b;
	return !anysub_a && anysub_b;
}

/* Up to the next comma that is not inside quotes. */
static str cut_element(str *rest)
{
	bool quoted = false;
	str all = *rest;

	for (size_t i = 0; i < all.len; i++) {
		char c = all.at[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ',' && !quoted) {
			*rest = str_slice(all, i + 1, all.len);
			return str_slice(all, 0, i);
		}
	}
	*rest = (str){NULL, 0};
	return all;
}
