/*
 * A pattern to a tree, in RE2's syntax with Perl's additions, as Go's regexp.Compile takes it.
 */
#include "lib/regex/program.h"

/* In the order of the letters that set them: "ismU", of which the last changes no answer. */
enum flag { FLAG_FOLD = 1 << 0, FLAG_DOT_ALL = 1 << 1, FLAG_LINES = 1 << 2 };

struct parser {
	struct arena *arena;
	str pattern, rest;
	unsigned flags;
	int depth;
	struct err *e;
};

static int parse_choice(struct parser *p, struct node **to);
static int parse_sequence(struct parser *p, struct node **to);
static int parse_atom(struct parser *p, struct node **to);
static int parse_repeats(struct parser *p, struct node **to);
static int parse_group(struct parser *p, struct node **to);
static int parse_escape(struct parser *p, struct node **to);
static int parse_class(struct parser *p, struct node **to);
static int check_repeats(struct parser *p, const struct node *n, int left, str text);

int regex_parse(struct arena *a, str pattern, struct node **to, struct err *e)
{
	struct parser p = {.arena = a, .pattern = pattern, .rest = pattern, .e = e};

	if (!str_is_utf8(pattern))
		return err_set(e, ERR_INVALID, "error parsing regexp: invalid UTF-8: `%.*s`",
			STR_ARG(pattern));
	TRY(parse_choice(&p, to));
	if (p.rest.len)
		return err_set(e, ERR_INVALID, "error parsing regexp: unexpected ): `%.*s`",
			STR_ARG(pattern));
	return 0;
}

static int fail(struct parser *p, const char *what, str where)
{
	return err_set(p->e, ERR_INVALID, "error parsing regexp: %s: `%.*s`", what, STR_ARG(where));
}

/* What was read since `start`. */
static str since(const struct parser *p, str start)
{
	return str_slice(start, 0, start.len - p->rest.len);
}

static bool at(const struct parser *p, const char *text)
{
	return str_starts(p->rest, str_of(text));
}

static void skip(struct parser *p, size_t bytes)
{
	p->rest = str_slice(p->rest, bytes, p->rest.len);
}

static bool take(struct parser *p, const char *text)
{
	if (!at(p, text))
		return false;
	skip(p, strlen(text));
	return true;
}

static uint32_t take_rune(struct parser *p)
{
	uint32_t rune;

	skip(p, rune_read(p->rest, &rune));
	return rune;
}

static struct node *new_node(struct parser *p, enum node_kind kind)
{
	struct node *n = arena_try(p->arena, sizeof(*n));

	if (n)
		n->kind = kind;
	else
		err_write(p->e, ERR_INVALID, "error parsing regexp: expression too large");
	return n;
}

static void append(struct node *parent, struct node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static int parse_choice(struct parser *p, struct node **to)
{
	struct node *choice = new_node(p, NODE_CHOICE), *one;

	if (!choice)
		return -1;
	if (++p->depth > REGEX_NESTING_MAX)
		return fail(p, "expression nests too deeply", p->pattern);
	do {
		TRY(parse_sequence(p, &one));
		append(choice, one);
	} while (take(p, "|"));
	p->depth--;
	*to = choice->first->next ? choice : choice->first;
	return 0;
}

static int parse_sequence(struct parser *p, struct node **to)
{
	struct node *all = new_node(p, NODE_SEQUENCE), *one;

	if (!all)
		return -1;
	while (p->rest.len && !at(p, "|") && !at(p, ")")) {
		one = NULL;
		TRY(parse_atom(p, &one));
		if (!one) /* flags: (?i) */
			continue;
		TRY(parse_repeats(p, &one));
		append(all, one);
	}
	*to = all;
	return 0;
}

/* --- repetition */

/* "{2}", "{2,}", "{2,5}"; anything else is text. -1, -1 where numbers are too large. */
static bool read_counts(str text, size_t *len, int *min, int *max)
{
	size_t i = 1;
	int values[2] = {-1, -1}, count = 0;

	for (;; count++) {
		int64_t value = 0;
		size_t digits = i;

		while (i < text.len && text.at[i] >= '0' && text.at[i] <= '9') {
			value = value > REGEX_REPEAT_MAX ? value : value * 10 + text.at[i] - '0';
			i++;
		}
		if (i - digits > 1 && text.at[digits] == '0')
			return false;
		if (i > digits)
			values[count] = (int)value;
		else if (count == 0)
			return false;
		if (i == text.len)
			return false;
		if (text.at[i] == '}')
			break;
		if (text.at[i++] != ',' || count == 1)
			return false;
	}
	*len = i + 1;
	*min = values[0];
	*max = count ? values[1] : values[0];
	return true;
}

static bool read_operator(struct parser *p, int *min, int *max)
{
	size_t len = 1;

	if (at(p, "*")) {
		*min = 0;
		*max = -1;
	} else if (at(p, "+")) {
		*min = 1;
		*max = -1;
	} else if (at(p, "?")) {
		*min = 0;
		*max = 1;
	} else if (!at(p, "{") || !read_counts(p->rest, &len, min, max)) {
		return false;
	}
	skip(p, len);
	return true;
}

static int parse_repeats(struct parser *p, struct node **to)
{
	str begin = p->rest, last = {NULL, 0};
	int min, max;

	while (read_operator(p, &min, &max)) {
		str written = since(p, begin);

		if (min > REGEX_REPEAT_MAX || max > REGEX_REPEAT_MAX || (max >= 0 && min > max))
			return fail(p, "invalid repeat count", written);
		take(p, "?"); /* whether it is greedy makes no difference to yes or no */
		if (last.at)
			return fail(p, "invalid nested repetition operator", since(p, last));
		last = begin;
		begin = p->rest;
		struct node *n = new_node(p, NODE_REPEAT);

		if (!n)
			return -1;
		n->min = min;
		n->max = max;
		append(n, *to);
		if (written.at[0] == '{')
			TRY(check_repeats(p, n, REGEX_REPEAT_MAX, written));
		*to = n;
	}
	return 0;
}

/* The product of counts within counts is bounded as one is. */
static int check_repeats(struct parser *p, const struct node *n, int left, str text)
{
	if (n->kind == NODE_REPEAT && (n->min > 1 || n->max > 1)) {
		int times = n->max < 0 ? n->min : n->max;

		if (times > left)
			return fail(p, "invalid repeat count", text);
		left /= times;
	}
	for (const struct node *c = n->first; c; c = c->next)
		TRY(check_repeats(p, c, left, text));
	return 0;
}

/* --- atoms */

static int put_class(struct parser *p, struct class *c, struct node **to)
{
	struct node *n = new_node(p, NODE_CLASS);

	if (!n)
		return -1;
	if (p->flags & FLAG_FOLD)
		class_fold(p->arena, c);
	class_settle(c);
	n->class = *c;
	*to = n;
	return 0;
}

static int put_rune(struct parser *p, uint32_t rune, struct node **to)
{
	struct class c = {NULL, 0, 0};

	class_add(p->arena, &c, rune, rune);
	return put_class(p, &c, to);
}

static int put_dot(struct parser *p, struct node **to)
{
	struct class c = {NULL, 0, 0};

	if (!(p->flags & FLAG_DOT_ALL))
		class_add(p->arena, &c, '\n', '\n');
	class_negate(p->arena, &c);
	struct node *n = new_node(p, NODE_CLASS);

	if (!n)
		return -1;
	n->class = c;
	*to = n;
	return 0;
}

static int put_assertion(struct parser *p, enum assertion assertion, struct node **to)
{
	struct node *n = new_node(p, NODE_ASSERT);

	if (!n)
		return -1;
	n->assertion = assertion;
	*to = n;
	return 0;
}

static int parse_atom(struct parser *p, struct node **to)
{
	bool lines = p->flags & FLAG_LINES;
	str start = p->rest;
	int min, max;

	if (read_operator(p, &min, &max))
		return fail(p, "missing argument to repetition operator", since(p, start));
	switch (start.at[0]) {
	case '(': return parse_group(p, to);
	case '[': return parse_class(p, to);
	case '\\': return parse_escape(p, to);
	case '.': skip(p, 1); return put_dot(p, to);
	case '^':
		skip(p, 1);
		return put_assertion(p, lines ? ASSERT_LINE_BEGIN : ASSERT_TEXT_BEGIN, to);
	case '$':
		skip(p, 1);
		return put_assertion(p, lines ? ASSERT_LINE_END : ASSERT_TEXT_END, to);
	default: return put_rune(p, take_rune(p), to);
	}
}

static bool is_name(str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!str_is_alphanumeric(name.at[i]) && name.at[i] != '_')
			return false;
	return name.len > 0;
}

static int bad_flag(struct parser *p, str start)
{
	/* Behind the character that is no flag. */
	if (p->rest.len)
		take_rune(p);
	return fail(p, "invalid or unsupported Perl syntax", since(p, start));
}

/* "(?i)", "(?i-s:", "(?:"; `*groups` if a group begins. */
static int parse_flags(struct parser *p, str start, bool *groups)
{
	static const char letters[] = "ismU";
	unsigned flags = p->flags;
	bool off = false, any = false;

	for (; p->rest.len; skip(p, 1)) {
		char c = p->rest.at[0];
		const char *letter = c ? strchr(letters, c) : NULL;

		if (letter) {
			unsigned flag = 1u << (letter - letters);

			flags = off ? flags & ~flag : flags | flag;
			any = true;
		} else if (c == '-' && !off) {
			off = true;
			any = false;
		} else if ((c == ':' || c == ')') && (!off || any)) {
			*groups = c == ':';
			skip(p, 1);
			p->flags = flags;
			return 0;
		} else {
			return bad_flag(p, start);
		}
	}
	return fail(p, "missing closing )", p->pattern);
}

static int parse_group_head(struct parser *p, str start, bool *groups)
{
	*groups = true;
	if (!take(p, "?"))
		return 0;
	if (take(p, "P<") || (at(p, "<") && !at(p, "<=") && !at(p, "<!") && take(p, "<"))) {
		str rest = p->rest, name = str_cut(&rest, '>');

		if (!rest.at)
			return fail(p, "invalid named capture", start);
		p->rest = rest;
		if (!is_name(name))
			return fail(p, "invalid named capture", since(p, start));
		return 0;
	}
	return parse_flags(p, start, groups);
}

/* Flags that are set inside end with the group. */
static int parse_group(struct parser *p, struct node **to)
{
	unsigned outside = p->flags;
	str start = p->rest;
	bool groups;

	skip(p, 1);
	TRY(parse_group_head(p, start, &groups));
	if (!groups)
		return 0;
	TRY(parse_choice(p, to));
	if (!take(p, ")"))
		return fail(p, "missing closing )", p->pattern);
	p->flags = outside;
	return 0;
}

/* --- escapes */

static int read_hex(struct parser *p, str start, uint32_t *to)
{
	uint32_t value = 0;
	size_t digits = 0;
	bool braces = take(p, "{");

	for (; p->rest.len && (braces || digits < 2); digits++, skip(p, 1)) {
		int digit = str_hex_digit(p->rest.at[0]);

		if (digit < 0)
			break;
		value = value * 16 + (uint32_t)digit;
		if (value > RUNE_MAX)
			return fail(p, "invalid escape sequence", since(p, start));
	}
	if (braces ? !digits || !take(p, "}") : digits < 2) {
		if (p->rest.len)
			take_rune(p);
		return fail(p, "invalid escape sequence", since(p, start));
	}
	*to = value;
	return 0;
}

/* One that stands for a character, in classes and outside. */
static int read_escape(struct parser *p, uint32_t *to)
{
	static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
	str start = p->rest;

	skip(p, 1);
	if (!p->rest.len)
		return fail(p, "trailing backslash at end of expression", STR(""));
	uint32_t c = take_rune(p);
	const char *name = c && c < 0x80 ? strchr(names, (int)c) : NULL;
	bool octal = p->rest.len && p->rest.at[0] >= '0' && p->rest.at[0] <= '7';

	if (c == 'x')
		return read_hex(p, start, to);
	if (c == '0' || (c >= '1' && c <= '7' && octal)) {
		*to = c - '0';
		for (int i = 1;
			i < 3 && p->rest.len && p->rest.at[0] >= '0' && p->rest.at[0] <= '7';
			i++, skip(p, 1))
			*to = *to * 8 + (uint32_t)(p->rest.at[0] - '0');
		return 0;
	}
	if (name)
		*to = (uint32_t)(unsigned char)values[name - names];
	else if (c < 0x80 && !str_is_alphanumeric((char)c))
		*to = c;
	else
		return fail(p, "invalid escape sequence", since(p, start));
	return 0;
}

/* \d, \pL, \p{Greek} and their opposites: added to `c`; `*is` says whether there was one. */
static int read_named(struct parser *p, struct class *c, bool *is)
{
	char letter = p->rest.len > 1 ? p->rest.at[1] : 0;
	bool negated = letter == 'D' || letter == 'S' || letter == 'W' || letter == 'P';
	struct class one = {NULL, 0, 0};
	str start = p->rest, name;

	*is = true;
	if (letter && strchr("dswDSW", letter)) {
		skip(p, 2);
		class_add_perl(p->arena, &one, (char)(negated ? letter + ('a' - 'A') : letter));
	} else if (letter == 'p' || letter == 'P') {
		skip(p, 2);
		if (take(p, "{")) {
			str rest = p->rest;

			name = str_cut(&rest, '}');
			if (!rest.at)
				return fail(p, "invalid character class range", start);
			p->rest = rest;
		} else {
			uint32_t rune;

			if (!p->rest.len)
				return fail(p, "invalid character class range", start);
			name = str_slice(p->rest, 0, rune_read(p->rest, &rune));
			skip(p, name.len);
		}
		if (name.len && name.at[0] == '^') {
			negated = !negated;
			name = str_slice(name, 1, name.len);
		}
		if (!class_add_category(p->arena, &one, name))
			return fail(p, "invalid character class range", since(p, start));
	} else {
		*is = false;
		return 0;
	}
	if (p->flags & FLAG_FOLD)
		class_fold(p->arena, &one);
	if (negated)
		class_negate(p->arena, &one);
	class_add_all(p->arena, c, &one);
	return 0;
}

/* \Q...\E: text as it stands. */
static int parse_quoted(struct parser *p, struct node **to)
{
	struct node *all = new_node(p, NODE_SEQUENCE), *one;

	if (!all)
		return -1;
	while (p->rest.len && !take(p, "\\E")) {
		TRY(put_rune(p, take_rune(p), &one));
		append(all, one);
	}
	*to = all;
	return 0;
}

static int parse_escape(struct parser *p, struct node **to)
{
	static const struct {
		const char *text;
		enum assertion assertion;
	} assertions[] = {
		{"\\A", ASSERT_TEXT_BEGIN},
		{"\\z", ASSERT_TEXT_END},
		{"\\b", ASSERT_WORD},
		{"\\B", ASSERT_NO_WORD},
	};
	struct class c = {NULL, 0, 0};
	uint32_t rune;
	bool named;

	for (size_t i = 0; i < COUNT_OF(assertions); i++)
		if (take(p, assertions[i].text))
			return put_assertion(p, assertions[i].assertion, to);
	if (take(p, "\\Q"))
		return parse_quoted(p, to);
	TRY(read_named(p, &c, &named));
	if (!named) {
		TRY(read_escape(p, &rune));
		return put_rune(p, rune, to);
	}
	struct node *n = new_node(p, NODE_CLASS);

	if (!n)
		return -1;
	class_settle(&c);
	n->class = c;
	*to = n;
	return 0;
}

/* --- classes */

static int read_bound(struct parser *p, str start, uint32_t *to)
{
	if (!p->rest.len)
		return fail(p, "missing closing ]", start);
	if (at(p, "\\"))
		return read_escape(p, to);
	*to = take_rune(p);
	return 0;
}

/* "[:alpha:]", "[:^alpha:]". */
static int read_posix(struct parser *p, struct class *c, bool *is)
{
	ptrdiff_t end = at(p, "[:") ? str_find(p->rest, STR(":]")) : -1;
	struct class one = {NULL, 0, 0};

	*is = end >= 0;
	if (end < 0)
		return 0;
	str whole = str_slice(p->rest, 0, (size_t)end + 2);
	str name = str_slice(whole, 2, whole.len - 4);
	bool negated = name.len && name.at[0] == '^';

	if (!class_add_posix(p->arena, &one, str_slice(name, negated, name.len)))
		return fail(p, "invalid character class range", whole);
	skip(p, whole.len);
	if (p->flags & FLAG_FOLD)
		class_fold(p->arena, &one);
	if (negated)
		class_negate(p->arena, &one);
	class_add_all(p->arena, c, &one);
	return 0;
}

static int read_range(struct parser *p, str class, struct class *c)
{
	str start = p->rest;
	uint32_t low, high;

	TRY(read_bound(p, class, &low));
	high = low;
	if (at(p, "-") && p->rest.len > 1 && p->rest.at[1] != ']') {
		skip(p, 1);
		TRY(read_bound(p, class, &high));
		if (high < low)
			return fail(p, "invalid character class range", since(p, start));
	}
	class_add(p->arena, c, low, high);
	return 0;
}

static int parse_class(struct parser *p, struct node **to)
{
	struct class plain = {NULL, 0, 0}, named = plain;
	str start = p->rest;
	bool negated, is;

	skip(p, 1);
	negated = take(p, "^");
	for (bool first = true; first || !at(p, "]"); first = false) {
		if (!p->rest.len)
			return fail(p, "missing closing ]", start);
		TRY(read_posix(p, &named, &is));
		if (!is && at(p, "\\"))
			TRY(read_named(p, &named, &is));
		if (!is)
			TRY(read_range(p, start, &plain));
	}
	skip(p, 1);
	if (p->flags & FLAG_FOLD)
		class_fold(p->arena, &plain);
	class_add_all(p->arena, &plain, &named);
	class_settle(&plain);
	if (negated)
		class_negate(p->arena, &plain);
	struct node *n = new_node(p, NODE_CLASS);

	if (!n)
		return -1;
	n->class = plain;
	*to = n;
	return 0;
}
