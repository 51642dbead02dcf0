#include "lib/value/name.h"
#include "lib/value/quote.h"
#include "lib/value/selector.h"

#include <stdlib.h>

enum token_kind {
	END,
	CLOSE,
	OPEN,
	COMMA,
	NOT,
	EQUALS,
	DOUBLE_EQUALS,
	NOT_EQUALS,
	GREATER,
	LESS,
	IN,
	NOT_IN,
	NAME,
};

struct token {
	str text;
	enum token_kind kind;
};

struct parser {
	struct arena *a;
	str text, path;
	size_t at;         /* behind `next` */
	struct token next; /* not taken yet */
	struct err *e;
};

/* A growing list of the requirement's values. */
struct values {
	struct str_list list;
	size_t cap;
};

static struct token scan(struct parser *p);
static int parse_requirement(struct parser *p, struct selector_requirement *to);
static int parse_op(struct parser *p, enum selector_op *to);
static int parse_set(struct parser *p, struct values *v);
static int parse_list(struct parser *p, struct values *v);
static int add_value(struct parser *p, struct values *v, str value);

/* The requirements of one key stay in the order of the text, which their names point into. */
static int compare_keys(const void *a, const void *b)
{
	const struct selector_requirement *one = a, *other = b;
	int order = str_cmp(one->key, other->key);

	return order ? order : (one->key.at > other->key.at) - (one->key.at < other->key.at);
}

static bool is_name(enum token_kind kind)
{
	return kind == NAME || kind == IN || kind == NOT_IN;
}

static int unexpected(const struct parser *p, str found, const char *expected)
{
	return err_set(p->e, ERR_INVALID, "found '%.*s', expected: %s", STR_ARG(found), expected);
}

static struct token take(struct parser *p)
{
	struct token token = p->next;

	p->next = scan(p);
	return token;
}

static int parse(struct parser *p, struct selector *s)
{
	void *at = NULL;
	size_t cap = 0;

	p->next = scan(p);
	while (p->next.kind != END) {
		if (!is_name(p->next.kind) && p->next.kind != NOT)
			return unexpected(p, p->next.text, "!, identifier, or 'end of string'");
		if (arena_grow(p->a, &at, s->len, &cap, sizeof(*s->at)) < 0)
			return arena_full(p->a, p->e);
		s->at = at;
		if (parse_requirement(p, &s->at[s->len]) < 0)
			return p->e->kind == ERR_LIMIT
				? -1
				: err_context(p->e, "unable to parse requirement");
		s->len++;
		struct token behind = take(p);

		if (behind.kind == END)
			break;
		if (behind.kind != COMMA)
			return unexpected(p, behind.text, "',' or 'end of string'");
		if (!is_name(p->next.kind) && p->next.kind != NOT)
			return unexpected(p, p->next.text, "identifier after ','");
	}
	return 0;
}

int selector_parse(struct arena *a, str text, str path, struct selector *to, struct err *e)
{
	struct parser p = {.a = a, .text = text, .path = path, .e = e};
	struct selector s = {0};

	if (text.len > SELECTOR_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "a selector of %zu bytes is longer than %d", text.len,
			SELECTOR_TEXT_MAX);
	TRY(parse(&p, &s));
	if (s.len > 1)
		qsort(s.at, s.len, sizeof(*s.at), compare_keys);
	*to = s;
	return 0;
}

static bool is_special(char c)
{
	return c && strchr("=!(),><", c);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum token_kind kind_of(str text)
{
	static const struct {
		str text;
		enum token_kind kind;
	} tokens[] = {
		{STR_INIT(")"), CLOSE},
		{STR_INIT("("), OPEN},
		{STR_INIT(","), COMMA},
		{STR_INIT("!"), NOT},
		{STR_INIT("="), EQUALS},
		{STR_INIT("=="), DOUBLE_EQUALS},
		{STR_INIT("!="), NOT_EQUALS},
		{STR_INIT(">"), GREATER},
		{STR_INIT("<"), LESS},
		{STR_INIT("in"), IN},
		{STR_INIT("notin"), NOT_IN},
	};

	for (size_t i = 0; i < COUNT_OF(tokens); i++) {
		if (str_eq(text, tokens[i].text))
			return tokens[i].kind;
	}
	return NAME;
}

/* A NUL ends the text where a token should begin; behind one it is passed over. */
static struct token scan(struct parser *p)
{
	str text = p->text;
	size_t from = p->at;

	while (from < text.len && is_blank(text.at[from]))
		from++;
	p->at = from;
	if (from == text.len || text.at[from] == 0)
		return (struct token){.text = STR(""), .kind = END};

	size_t end = from + 1;

	if (is_special(text.at[from])) {
		if (end < text.len && text.at[end] == '=' &&
			kind_of(str_slice(text, from, 2)) != NAME)
			end++;
	} else {
		while (end < text.len && text.at[end] && !is_special(text.at[end]) &&
			!is_blank(text.at[end]))
			end++;
	}
	p->at = end + (end < text.len && text.at[end] == 0);
	str token = str_slice(text, from, end - from);

	return (struct token){.text = token, .kind = kind_of(token)};
}

static int check_key(struct parser *p, str key)
{
	struct name_faults names;
	char quoted[QUOTE_MAX];
	struct buf b;

	if (name_check(NAME_QUALIFIED, key, &names))
		return 0;
	buf_init(&b, 4096);
	for (size_t i = 0; i < names.len; i++)
		buf_add_fmt(&b, "%s%s", i > 0 ? "; " : "", names.at[i]);
	str path = p->path.at ? p->path : STR("<nil>");
	int result = err_set(p->e, ERR_INVALID, "%.*s: Invalid value: %s: %.*s", STR_ARG(path),
		quote(quoted, key), STR_ARG(buf_str(&b)));

	buf_free(&b);
	return result;
}

static int parse_requirement(struct parser *p, struct selector_requirement *to)
{
	struct token key = take(p);
	enum selector_op op = SELECTOR_EXISTS;
	struct values v = {0};

	if (key.kind == NOT) {
		op = SELECTOR_NOT_EXISTS;
		key = take(p);
	}
	if (!is_name(key.kind))
		return unexpected(p, key.text, "identifier");
	TRY(check_key(p, key.text));
	if (op == SELECTOR_EXISTS && p->next.kind != END && p->next.kind != COMMA)
		TRY(parse_op(p, &op));
	if (op == SELECTOR_IN || op == SELECTOR_NOT_IN) {
		TRY(parse_set(p, &v));
	} else if (op != SELECTOR_EXISTS && op != SELECTOR_NOT_EXISTS) {
		bool none = p->next.kind == END || p->next.kind == COMMA;
		struct token value = none ? (struct token){.text = STR(""), .kind = NAME} : take(p);

		if (!is_name(value.kind))
			return unexpected(p, value.text, "identifier");
		TRY(add_value(p, &v, value.text));
	}
	selector_sort(&v.list);
	return selector_require(key.text, op, v.list, p->path, to, p->e);
}

static int parse_op(struct parser *p, enum selector_op *to)
{
	struct token token = take(p);

	switch (token.kind) {
	case IN: *to = SELECTOR_IN; return 0;
	case NOT_IN: *to = SELECTOR_NOT_IN; return 0;
	case EQUALS: *to = SELECTOR_EQUALS; return 0;
	case DOUBLE_EQUALS: *to = SELECTOR_DOUBLE_EQUALS; return 0;
	case NOT_EQUALS: *to = SELECTOR_NOT_EQUALS; return 0;
	case GREATER: *to = SELECTOR_GREATER; return 0;
	case LESS: *to = SELECTOR_LESS; return 0;
	default: return unexpected(p, token.text, "in, notin, =, ==, !=, gt, lt");
	}
}

static int add_value(struct parser *p, struct values *v, str value)
{
	void *at = v->list.at;

	if (arena_grow(p->a, &at, v->list.len, &v->cap, sizeof(value)) < 0)
		return arena_full(p->a, p->e);
	v->list.at = at;
	v->list.at[v->list.len++] = value;
	return 0;
}

static int parse_set(struct parser *p, struct values *v)
{
	struct token token = take(p);

	if (token.kind != OPEN)
		return err_set(
			p->e, ERR_INVALID, "found '%.*s' expected: '('", STR_ARG(token.text));
	if (p->next.kind == CLOSE)
		TRY(add_value(p, v, STR("")));
	else if (is_name(p->next.kind) || p->next.kind == COMMA)
		TRY(parse_list(p, v));
	else
		return unexpected(p, p->next.text, "',', ')' or identifier");
	take(p);
	return 0;
}

/* Where a value is missing, the empty one stands; up to the closing parenthesis, which stays. */
static int parse_list(struct parser *p, struct values *v)
{
	for (;;) {
		struct token token = take(p);

		if (is_name(token.kind)) {
			TRY(add_value(p, v, token.text));
			if (p->next.kind == CLOSE)
				return 0;
			if (p->next.kind != COMMA)
				return unexpected(p, p->next.text, "',' or ')'");
		} else if (token.kind == COMMA) {
			if (v->list.len == 0 || p->next.kind == CLOSE || p->next.kind == COMMA)
				TRY(add_value(p, v, STR("")));
			if (p->next.kind == CLOSE)
				return 0;
		} else {
			return unexpected(p, token.text, "',', or identifier");
		}
	}
}
