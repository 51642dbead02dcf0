#include "lib/value/selector.h"

#include <stdlib.h>

/* The terms of a selector, sorted as texts, of which the empty ones do not count. */
struct terms {
	str *at;
	size_t len;
};

static int split_terms(struct arena *a, str text, struct terms *to, struct err *e);
static int read_term(
	struct arena *a, str text, str term, struct selector_requirement *to, struct err *e);
static int unescape(struct arena *a, str text, str *to, struct err *e);

int selector_parse_fields(struct arena *a, str text, struct selector *to, struct err *e)
{
	struct selector s = {0};
	struct terms terms;

	if (text.len > SELECTOR_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "a selector of %zu bytes is longer than %d", text.len,
			SELECTOR_TEXT_MAX);
	TRY(split_terms(a, text, &terms, e));
	s.at = arena_try_array(a, terms.len + 1, sizeof(*s.at));
	if (!s.at)
		return arena_full(a, e);
	for (size_t i = 0; i < terms.len; i++) {
		struct selector_requirement *r = &s.at[s.len];

		if (terms.at[i].len == 0)
			continue;
		TRY(read_term(a, text, terms.at[i], r, e));
		s.len += r->key.len > 0 || r->values.at[0].len > 0;
	}
	*to = s;
	return 0;
}

void selector_put_fields(struct buf *b, const struct selector *s)
{
	for (size_t i = 0; i < s->len; i++) {
		str value = s->at[i].values.at[0];

		if (i > 0)
			buf_add_char(b, ',');
		buf_add_str(b, s->at[i].key);
		buf_add_str(b, s->at[i].op == SELECTOR_EQUALS ? STR("=") : STR("!="));
		for (size_t c = 0; c < value.len; c++) {
			if (value.at[c] == '\\' || value.at[c] == ',' || value.at[c] == '=')
				buf_add_char(b, '\\');
			buf_add_char(b, value.at[c]);
		}
	}
}

bool selector_matches_fields(const struct selector *s, const struct str_map *fields)
{
	for (size_t i = 0; i < s->len; i++) {
		bool same = str_eq(str_map_get(fields, s->at[i].key), s->at[i].values.at[0]);

		if (same != (s->at[i].op == SELECTOR_EQUALS))
			return false;
	}
	return true;
}

bool selector_exact_field(const struct selector *s, str key, str *value)
{
	for (size_t i = 0; i < s->len; i++) {
		if (s->at[i].op == SELECTOR_EQUALS && str_eq(s->at[i].key, key)) {
			*value = s->at[i].values.at[0];
			return true;
		}
	}
	return false;
}

static int compare_terms(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static int split_terms(struct arena *a, str text, struct terms *to, struct err *e)
{
	void *at = NULL;
	size_t len = 0, cap = 0, from = 0;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.at[i] == '\\') {
			i++;
			if (i < text.len)
				continue;
		} else if (i < text.len && text.at[i] != ',') {
			continue;
		}
		if (arena_grow(a, &at, len, &cap, sizeof(str)) < 0)
			return arena_full(a, e);
		((str *)at)[len++] = str_slice(text, from, i - from);
		from = i + 1;
	}
	if (len > 1)
		qsort(at, len, sizeof(str), compare_terms);
	*to = (struct terms){at, len};
	return 0;
}

/* Splits at the first operator; the field has no escapes. */
static int read_term(
	struct arena *a, str text, str term, struct selector_requirement *to, struct err *e)
{
	size_t at = 0, op_len;

	while (at < term.len && term.at[at] != '=' &&
		!str_starts(str_slice(term, at, 2), STR("!=")))
		at++;
	if (at == term.len)
		return err_set(e, ERR_INVALID, "invalid selector: '%.*s'; can't understand '%.*s'",
			STR_ARG(text), STR_ARG(term));
	bool equal = term.at[at] == '=';
	str *value = arena_try(a, sizeof(*value));

	if (!value)
		return arena_full(a, e);
	op_len = equal && !str_starts(str_slice(term, at, 2), STR("==")) ? 1 : 2;
	TRY(unescape(a, str_slice(term, at + op_len, term.len), value, e));
	*to = (struct selector_requirement){
		.key = str_slice(term, 0, at),
		.values = {value, 1},
		.op = equal ? SELECTOR_EQUALS : SELECTOR_NOT_EQUALS,
	};
	return 0;
}

/* How many bytes the character at the front has; 0 if it is none. */
static size_t character(str s)
{
	unsigned char lead = (unsigned char)s.at[0];
	size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return len <= s.len && str_is_utf8(str_slice(s, 0, len)) ? len : 0;
}

static bool is_escapable(char c)
{
	return c == '\\' || c == ',' || c == '=';
}

static int bad_escape(str behind, struct err *e)
{
	size_t len = behind.len > 0 ? character(behind) : 0;
	str shown = behind.len > 0 && len == 0 ? STR("\xef\xbf\xbd") : str_slice(behind, 0, len);

	return err_set(e, ERR_INVALID, "invalid field selector: invalid escape sequence: \\%.*s",
		STR_ARG(shown));
}

/* As Go goes through characters, what is no UTF-8 becomes U+FFFD;
 * but only where there is a special one. */
static int unescape(struct arena *a, str text, str *to, struct err *e)
{
	bool special = false;

	for (size_t i = 0; i < text.len; i++)
		special |= is_escapable(text.at[i]);
	if (!special) {
		*to = str_span(text.at, text.len);
		return 0;
	}
	struct buf b;

	buf_init(&b, SELECTOR_TEXT_MAX * 3);
	int result = 0;

	for (size_t i = 0; result == 0 && i < text.len;) {
		str rest = str_slice(text, i, text.len);
		size_t len = character(rest);

		if (rest.at[0] == '\\' && rest.len > 1 && is_escapable(rest.at[1])) {
			buf_add_char(&b, rest.at[1]);
			len = 2;
		} else if (rest.at[0] == '\\') {
			result = bad_escape(str_slice(rest, 1, rest.len), e);
		} else if (is_escapable(rest.at[0])) {
			result = err_set(e, ERR_INVALID,
				"invalid field selector: unescaped character in value: %d",
				rest.at[0]);
		} else {
			buf_add_str(&b, len > 0 ? str_slice(rest, 0, len) : STR("\xef\xbf\xbd"));
		}
		i += len > 0 ? len : 1;
	}
	if (result == 0)
		result = arena_str_try(a, buf_str(&b), to, e);
	buf_free(&b);
	return result;
}
