#include "lib/codec/json.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The index of a text: its values in order, keys in front of their values, a container in front of
 * what it holds. Strings and numbers point into the text; only a string with escapes, or bytes that
 * are no UTF-8, is written anew.
 */
struct node {
	const char *text;
	uint32_t size; /* bytes of text; items or members of a container; truth of a bool */
	uint32_t kind : 3;
	uint32_t
		span : 29; /* nodes with all below; in a container still open, its parent's index */
};

enum { NO_PARENT = (1 << 29) - 1 };

static_assert(sizeof(struct node) == 16 && (int)JSON_TEXT_MAX < (int)NO_PARENT,
	"a node for every byte fits");

struct reader {
	const char *at, *end;
	struct node *nodes;
	size_t len, cap;
	uint32_t parent; /* the innermost open container */
	int depth;
	struct arena *arena;
};

static int read_text(struct reader *r, struct err *e);
static void fill(struct json_item *to, str key, const struct node *node);

int json_parse(struct arena *a, str text, struct json_item *root, struct err *e)
{
	struct reader r = {
		.at = text.at,
		.end = text.at + text.len,
		.cap = text.len / 6 + 8, /* what Kubernetes' objects have, so that few grow */
		.parent = NO_PARENT,
		.arena = a,
	};

	if (text.len > JSON_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "JSON text of %zu bytes is longer than %d", text.len,
			JSON_TEXT_MAX);
	r.nodes = arena_try_array(a, r.cap, sizeof(*r.nodes));
	if (!r.nodes)
		return arena_full(a, e);
	TRY(read_text(&r, e));
	fill(root, (str){NULL, 0}, r.nodes);
	return 0;
}

struct json_walk json_enter(const struct json_item *container)
{
	return (struct json_walk){
		.next = (const struct node *)container->at + 1,
		.left = container->count,
		.in_object = container->kind == JSON_OBJECT,
	};
}

bool json_next(struct json_walk *w, struct json_item *item)
{
	const struct node *node = w->next;
	str key = {NULL, 0};

	if (w->left == 0)
		return false;
	w->left--;
	if (w->in_object) {
		key = str_span(node->text, node->size);
		node++;
	}
	fill(item, key, node);
	w->next = node + node->span;
	return true;
}

bool json_member(const struct json_item *object, str key, struct json_item *member)
{
	struct json_walk walk = json_enter(object);
	bool found = false;

	for (struct json_item item; walk.in_object && json_next(&walk, &item);) {
		if (str_eq(item.key, key)) {
			*member = item;
			found = true;
		}
	}
	return found;
}

str json_kind_name(enum json_kind kind)
{
	static const str names[] = {
		[JSON_NULL] = STR_INIT("null"),
		[JSON_BOOL] = STR_INIT("bool"),
		[JSON_NUMBER] = STR_INIT("number"),
		[JSON_STRING] = STR_INIT("string"),
		[JSON_ARRAY] = STR_INIT("array"),
		[JSON_OBJECT] = STR_INIT("object"),
	};

	return names[kind];
}

bool json_to_i64(const struct json_item *number, int64_t *to)
{
	return number->kind == JSON_NUMBER && str_to_i64(number->text, to);
}

bool json_to_f64(const struct json_item *number, double *to)
{
	if (number->kind != JSON_NUMBER)
		return false;
	/* Behind a number stands a byte that ends it; see read_number. */
	double value = strtod(number->text.at, NULL);

	if (!isfinite(value))
		return false;
	*to = value;
	return true;
}

static void fill(struct json_item *to, str key, const struct node *node)
{
	bool has_text = node->kind == JSON_STRING || node->kind == JSON_NUMBER;

	to->key = key;
	to->text = has_text ? str_span(node->text, node->size) : (str){NULL, 0};
	to->at = node;
	to->count = node->kind >= JSON_ARRAY ? node->size : 0;
	to->kind = node->kind;
	to->truth = node->kind == JSON_BOOL && node->size;
}

/* Go's words, since clients see them. */
static COLD int unexpected(const struct reader *r, const char *where, struct err *e)
{
	unsigned char c = r->at < r->end ? (unsigned char)*r->at : 0;
	char quoted[8];

	if (r->at >= r->end)
		return err_set(e, ERR_INVALID, "unexpected end of JSON input");
	if (c == '\'' || c == '\\')
		snprintf(quoted, sizeof(quoted), "\\%c", c);
	else if (c == '\n' || c == '\r' || c == '\t')
		snprintf(quoted, sizeof(quoted), "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
	else if (c < ' ' || c == 0x7f)
		snprintf(quoted, sizeof(quoted), "\\x%02x", c);
	else if (c < 0x80)
		snprintf(quoted, sizeof(quoted), "%c", c);
	else /* Go shows the byte as the code point of that number */
		snprintf(quoted, sizeof(quoted), "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
	return err_set(e, ERR_INVALID, "invalid character '%s' %s", quoted, where);
}

static inline void skip_blanks(struct reader *r)
{
	while (r->at < r->end && (unsigned char)*r->at <= ' ') {
		char c = *r->at;

		if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			return;
		r->at++;
	}
}

static inline char peek(const struct reader *r)
{
	return LIKELY(r->at < r->end) ? *r->at : 0;
}

static int more_nodes(struct reader *r, struct err *e)
{
	void *nodes = r->nodes;

	if (arena_grow(r->arena, &nodes, r->len, &r->cap, sizeof(*r->nodes)) < 0)
		return arena_full(r->arena, e);
	r->nodes = nodes;
	return 0;
}

static inline int add_node(
	struct reader *r, enum json_kind kind, const char *text, size_t size, struct err *e)
{
	if (UNLIKELY(r->len == r->cap))
		TRY(more_nodes(r, e));
	r->nodes[r->len++] = (struct node){
		.text = text, .size = (uint32_t)size, .kind = kind, .span = 1};
	return 0;
}

enum { EIGHT = sizeof(uint64_t) };

/* The high bit of each byte that is a control, a quote, a backslash or no ASCII; exact up to the
 * first of them. */
static inline uint64_t special_bytes(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
	uint64_t quote = v ^ ones * '"', backslash = v ^ ones * '\\';

	return (((v - ones * ' ') & ~v) | ((quote - ones) & ~quote) |
		       ((backslash - ones) & ~backslash) | v) &
		high;
}

/* To the first byte that is not plain ASCII text. */
static inline void skip_plain(struct reader *r)
{
	for (uint64_t v; r->end - r->at >= EIGHT; r->at += EIGHT) {
		memcpy(&v, r->at, EIGHT);
		uint64_t special = special_bytes(le64toh(v));

		if (special) {
			r->at += __builtin_ctzll(special) / 8;
			return;
		}
	}
	while (r->at < r->end && (unsigned char)*r->at >= ' ' && (signed char)*r->at > 0 &&
		*r->at != '"' && *r->at != '\\')
		r->at++;
}

static int hex4(struct reader *r, uint32_t *to, struct err *e)
{
	*to = 0;
	for (int i = 0; i < 4; i++, r->at++) {
		unsigned char c = (unsigned char)peek(r), letter = c | 0x20;

		if (c >= '0' && c <= '9')
			*to = *to << 4 | (uint32_t)(c - '0');
		else if (letter >= 'a' && letter <= 'f')
			*to = *to << 4 | (uint32_t)(letter - 'a' + 10);
		else
			return unexpected(r, "in \\u hexadecimal character escape", e);
	}
	return 0;
}

/* Checks what stands behind a backslash and steps over it. */
static int skip_escape(struct reader *r, struct err *e)
{
	uint32_t code;

	r->at++;
	if (peek(r) == 'u') {
		r->at++;
		return hex4(r, &code, e);
	}
	if (r->at >= r->end || !*r->at || !strchr("\"\\/bfnrt", *r->at))
		return unexpected(r, "in string escape code", e);
	r->at++;
	return 0;
}

static char *put_code(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
		*to++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	} else {
		*to++ = (char)(0xf0 | code >> 18);
		*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	}
	return to;
}

enum { REPLACEMENT = 0xfffd };

/* The code of a checked escape; half a surrogate pair becomes U+FFFD, as in Go. */
static uint32_t take_code(struct reader *r)
{
	static const char letters[] = "bfnrt", codes[] = "\b\f\n\r\t";
	const char *letter = strchr(letters, r->at[1]);
	uint32_t code = 0, low = 0;
	struct err e;

	if (r->at[1] != 'u') {
		code = (unsigned char)(letter ? codes[letter - letters] : r->at[1]);
		r->at += 2;
		return code;
	}
	r->at += 2;
	if (hex4(r, &code, &e) < 0 || code < 0xd800 || code > 0xdfff)
		return code;
	if (code < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
		struct reader ahead = *r;

		ahead.at += 2;
		if (hex4(&ahead, &low, &e) == 0 && low >= 0xdc00 && low <= 0xdfff) {
			r->at = ahead.at;
			return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return REPLACEMENT;
}

/* Length of the well-formed character at the front, 0 if there is none. */
static size_t character(const char *at, const char *end)
{
	unsigned char lead = (unsigned char)*at;
	size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return len <= (size_t)(end - at) && str_is_utf8(str_span(at, len)) ? len : 0;
}

/* Writes a checked string, raw from `from` to r->end, anew: escapes undone, bad bytes replaced. */
static int rewrite(struct reader *r, const char *from, const char *end, str *to, struct err *e)
{
	/* A byte that is no UTF-8 becomes three; an escape takes less than it had. */
	size_t len = (size_t)(end - from), most = str_is_utf8(str_span(from, len)) ? 1 : 3;
	char *start = arena_try_array(r->arena, len, most), *out = start;
	struct reader inside = {.at = from, .end = end};

	if (!start)
		return arena_full(r->arena, e);
	while (inside.at < end) {
		const char *plain = inside.at;

		skip_plain(&inside);
		if (inside.at < end && *inside.at != '\\')
			inside.at += character(inside.at, end);
		if (inside.at > plain) {
			memcpy(out, plain, (size_t)(inside.at - plain));
			out += inside.at - plain;
		} else if (*inside.at == '\\') {
			out = put_code(out, take_code(&inside));
		} else {
			out = put_code(out, REPLACEMENT);
			inside.at++;
		}
	}
	*to = str_span(start, (size_t)(out - start));
	return 0;
}

static int read_string(struct reader *r, struct err *e)
{
	const char *from = ++r->at;
	bool escaped = false, wide = false;

	for (;;) {
		skip_plain(r);
		if (r->at >= r->end)
			return unexpected(r, "", e);
		if (*r->at == '"')
			break;
		if (*r->at == '\\') {
			escaped = true;
			TRY(skip_escape(r, e));
		} else if ((signed char)*r->at < 0) {
			wide = true;
			r->at++;
		} else {
			return unexpected(r, "in string literal", e);
		}
	}
	str text = str_span(from, (size_t)(r->at - from));

	if (escaped || (wide && !str_is_utf8(text)))
		TRY(rewrite(r, from, r->at, &text, e));
	r->at++;
	return add_node(r, JSON_STRING, text.at, text.len, e);
}

static inline bool skip_digits(struct reader *r)
{
	const char *from = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return r->at > from;
}

static int read_number(struct reader *r, struct err *e)
{
	const char *from = r->at;

	if (*r->at == '-')
		r->at++;
	if (peek(r) == '0')
		r->at++;
	else if (!skip_digits(r))
		return unexpected(r, "in numeric literal", e);
	if (peek(r) == '.') {
		r->at++;
		if (!skip_digits(r))
			return unexpected(r, "after decimal point in numeric literal", e);
	}
	if (peek(r) == 'e' || peek(r) == 'E') {
		r->at++;
		if (peek(r) == '+' || peek(r) == '-')
			r->at++;
		if (!skip_digits(r))
			return unexpected(r, "in exponent of numeric literal", e);
	}
	str text = str_span(from, (size_t)(r->at - from));

	/* At the very end of the text there may be no byte that ends it: the copy has a NUL. */
	if (r->at == r->end)
		TRY(arena_str_try(r->arena, text, &text, e));
	return add_node(r, JSON_NUMBER, text.at, text.len, e);
}

static int read_literal(struct reader *r, struct err *e)
{
	static const struct {
		str word;
		enum json_kind kind;
	} literals[] = {
		{STR_INIT("true"), JSON_BOOL},
		{STR_INIT("false"), JSON_BOOL},
		{STR_INIT("null"), JSON_NULL},
	};
	const size_t which = *r->at == 't' ? 0 : *r->at == 'f' ? 1 : 2;
	const char *word = literals[which].word.at;
	char where[48];

	for (r->at++; *++word; r->at++) {
		if (peek(r) == *word)
			continue;
		snprintf(where, sizeof(where), "in literal %s (expecting '%c')",
			literals[which].word.at, *word);
		return unexpected(r, where, e);
	}
	return add_node(r, literals[which].kind, NULL, which == 0, e);
}

static void close_container(struct reader *r)
{
	struct node *closed = &r->nodes[r->parent];
	uint32_t index = r->parent;

	r->parent = closed->span;
	closed->span = (uint32_t)(r->len - index) & NO_PARENT;
	r->depth--;
	r->at++;
}

/* 1: there is something inside, which comes next; 0: it was empty and is closed. */
static int open_container(struct reader *r, struct err *e)
{
	enum json_kind kind = *r->at == '{' ? JSON_OBJECT : JSON_ARRAY;

	if (r->depth++ == JSON_DEPTH_MAX)
		return err_set(
			e, ERR_LIMIT, "JSON text is nested deeper than %d levels", JSON_DEPTH_MAX);
	TRY(add_node(r, kind, NULL, 0, e));
	r->nodes[r->len - 1].span = r->parent;
	r->parent = (uint32_t)r->len - 1;
	r->at++;
	skip_blanks(r);
	if (peek(r) != (kind == JSON_OBJECT ? '}' : ']'))
		return 1;
	close_container(r);
	return 0;
}

/* One value: 1 when a container was opened whose first item comes next, 0 when it is complete. */
static int read_value(struct reader *r, struct err *e)
{
	skip_blanks(r);
	if (r->parent != NO_PARENT)
		r->nodes[r->parent].size++;
	switch (peek(r)) {
	case '"': return read_string(r, e);
	case '{':
	case '[': return open_container(r, e);
	case 't':
	case 'f':
	case 'n': return read_literal(r, e);
	case '-':
	case '0' ... '9': return read_number(r, e);
	default: return unexpected(r, "looking for beginning of value", e);
	}
}

static int read_key(struct reader *r, struct err *e)
{
	skip_blanks(r);
	if (peek(r) != '"')
		return unexpected(r, "looking for beginning of object key string", e);
	TRY(read_string(r, e));
	skip_blanks(r);
	if (peek(r) != ':')
		return unexpected(r, "after object key", e);
	r->at++;
	return 0;
}

/* Behind a complete value: 1 when another follows in the same container, 0 at the text's end. */
static int read_separator(struct reader *r, struct err *e)
{
	for (;;) {
		skip_blanks(r);
		if (r->parent == NO_PARENT)
			return r->at < r->end ? unexpected(r, "after top-level value", e) : 0;
		bool in_object = r->nodes[r->parent].kind == JSON_OBJECT;

		if (peek(r) == ',') {
			r->at++;
			return 1;
		}
		if (peek(r) != (in_object ? '}' : ']'))
			return unexpected(r,
				in_object ? "after object key:value pair" : "after array element",
				e);
		close_container(r);
	}
}

static int read_text(struct reader *r, struct err *e)
{
	int more;

	do {
		if (r->parent != NO_PARENT && r->nodes[r->parent].kind == JSON_OBJECT)
			TRY(read_key(r, e));
		more = read_value(r, e);
		if (more == 0)
			more = read_separator(r, e);
	} while (more > 0);
	return more;
}
