/*
 * The program of an expression, and the machine that runs all its threads at once, a character at
 * a time: Thompson's construction, without captures, since nobody asks for more than yes or no.
 */
#include "lib/regex/program.h"

#include <stdlib.h>

enum operation { OP_RUNE, OP_CLASS, OP_ASSERT, OP_SPLIT, OP_JUMP, OP_MATCH };

struct instruction {
	enum operation op;
	uint32_t x, y; /* where to; or x: character, class, assertion */
};

struct regex {
	struct arena arena;
	struct instruction *code;
	size_t len, cap;
	struct class *classes;
	size_t class_count, class_cap;
	bool anchored; /* begins where the text does */
};

struct builder {
	struct regex *regex;
	bool full;
};

/* The threads of one position, each once. */
struct threads {
	uint32_t *at, *where;
	size_t len;
};

static void emit(struct builder *b, const struct node *n);

int regex_compile(str pattern, struct regex **to, struct err *e)
{
	enum { PATTERN_MEMORY_MAX = 64 << 20 };
	struct regex *r = calloc(1, sizeof(*r));
	struct builder b = {.regex = r};
	struct node *root;

	if (!r)
		return err_set(e, ERR_SYSTEM, "no memory for a regular expression");
	arena_init(&r->arena, PATTERN_MEMORY_MAX);
	if (regex_parse(&r->arena, pattern, &root, e) < 0) {
		regex_free(r);
		return -1;
	}
	emit(&b, root);
	emit(&b, NULL);
	if (b.full) {
		regex_free(r);
		return err_set(e, ERR_INVALID, "error parsing regexp: expression too large");
	}
	r->anchored = r->code[0].op == OP_ASSERT && r->code[0].x == ASSERT_TEXT_BEGIN;
	*to = r;
	return 0;
}

void regex_free(struct regex *r)
{
	arena_free(&r->arena);
	free(r->code);
	free(r->classes);
	free(r);
}

/* --- the program */

static uint32_t put(struct builder *b, enum operation op, uint32_t x, uint32_t y)
{
	struct regex *r = b->regex;

	if (r->len == REGEX_PROGRAM_MAX)
		b->full = true;
	if (b->full)
		return 0;
	if (r->len == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		r->code = realloc(r->code, r->cap * sizeof(*r->code));
		if (!r->code)
			abort();
	}
	r->code[r->len] = (struct instruction){op, x, y};
	return (uint32_t)r->len++;
}

static uint32_t here(const struct builder *b)
{
	return (uint32_t)b->regex->len;
}

static void put_class(struct builder *b, const struct class *c)
{
	struct regex *r = b->regex;

	if (c->len == 1 && c->at[0].low == c->at[0].high) {
		put(b, OP_RUNE, c->at[0].low, 0);
		return;
	}
	if (r->class_count == r->class_cap) {
		r->class_cap = r->class_cap ? r->class_cap * 2 : 8;
		r->classes = realloc(r->classes, r->class_cap * sizeof(*r->classes));
		if (!r->classes)
			abort();
	}
	/* A repetition asks for the same class again and again. */
	if (r->class_count == 0 || r->classes[r->class_count - 1].at != c->at)
		r->classes[r->class_count++] = *c;
	put(b, OP_CLASS, (uint32_t)r->class_count - 1, 0);
}

static void put_choice(struct builder *b, const struct node *n)
{
	uint32_t ends = UINT32_MAX; /* a chain of jumps whose end is not known yet */

	for (const struct node *c = n->first; c; c = c->next) {
		uint32_t split = c->next ? put(b, OP_SPLIT, here(b) + 1, 0) : 0;

		emit(b, c);
		if (!c->next)
			break;
		ends = put(b, OP_JUMP, ends, 0);
		if (!b->full)
			b->regex->code[split].y = here(b);
	}
	while (ends != UINT32_MAX && !b->full) {
		uint32_t next = b->regex->code[ends].x;

		b->regex->code[ends].x = here(b);
		ends = next;
	}
}

static void put_repeat(struct builder *b, const struct node *n)
{
	uint32_t start = 0;

	for (int i = 0; i < n->min && !b->full; i++) {
		start = here(b);
		emit(b, n->first);
	}
	if (n->max < 0 && n->min > 0) {
		put(b, OP_SPLIT, start, here(b) + 1);
	} else if (n->max < 0) {
		uint32_t split = put(b, OP_SPLIT, here(b) + 1, 0);

		emit(b, n->first);
		put(b, OP_JUMP, split, 0);
		if (!b->full)
			b->regex->code[split].y = here(b);
	}
	for (int i = n->min; i < n->max && !b->full; i++) {
		uint32_t split = put(b, OP_SPLIT, here(b) + 1, 0);

		emit(b, n->first);
		if (!b->full)
			b->regex->code[split].y = here(b);
	}
}

/* NULL: the end. */
static void emit(struct builder *b, const struct node *n)
{
	if (b->full)
		return;
	if (!n) {
		put(b, OP_MATCH, 0, 0);
		return;
	}
	switch (n->kind) {
	case NODE_SEQUENCE:
		for (const struct node *c = n->first; c; c = c->next)
			emit(b, c);
		break;
	case NODE_CHOICE: put_choice(b, n); break;
	case NODE_REPEAT: put_repeat(b, n); break;
	case NODE_CLASS: put_class(b, &n->class); break;
	case NODE_ASSERT: put(b, OP_ASSERT, n->assertion, 0); break;
	}
}

/* --- the machine */

static bool is_word(int64_t rune)
{
	return rune == '_' || (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') ||
		(rune >= 'a' && rune <= 'z');
}

/* What holds between two characters; -1: the text's edge. */
static unsigned holds(int64_t before, int64_t after)
{
	unsigned all = is_word(before) != is_word(after) ? ASSERT_WORD : ASSERT_NO_WORD;

	if (before < 0)
		all |= ASSERT_TEXT_BEGIN | ASSERT_LINE_BEGIN;
	if (before == '\n')
		all |= ASSERT_LINE_BEGIN;
	if (after < 0)
		all |= ASSERT_TEXT_END | ASSERT_LINE_END;
	if (after == '\n')
		all |= ASSERT_LINE_END;
	return all;
}

static bool has(const struct threads *t, uint32_t pc)
{
	return t->where[pc] < t->len && t->at[t->where[pc]] == pc;
}

/* Adds `pc` and all that can be reached from there without a character. True at a match. The stack
 * holds each instruction at most twice. */
static bool add(
	const struct regex *r, struct threads *t, uint32_t *stack, uint32_t pc, unsigned all)
{
	size_t depth = 0;

	stack[depth++] = pc;
	while (depth) {
		const struct instruction *i;

		pc = stack[--depth];
		if (has(t, pc))
			continue;
		t->where[pc] = (uint32_t)t->len;
		t->at[t->len++] = pc;
		i = &r->code[pc];
		switch (i->op) {
		case OP_MATCH: return true;
		case OP_JUMP: stack[depth++] = i->x; break;
		case OP_SPLIT:
			stack[depth++] = i->y;
			stack[depth++] = i->x;
			break;
		case OP_ASSERT:
			if (i->x & all)
				stack[depth++] = pc + 1;
			break;
		case OP_RUNE:
		case OP_CLASS: break;
		}
	}
	return false;
}

static bool takes(const struct regex *r, const struct instruction *i, uint32_t rune)
{
	if (i->op == OP_RUNE)
		return i->x == rune;
	return i->op == OP_CLASS && class_has(&r->classes[i->x], rune);
}

static bool run(
	const struct regex *r, str text, struct threads now, struct threads next, uint32_t *stack)
{
	int64_t before = -1, after = -1;
	uint32_t rune = 0;

	for (size_t at = 0, width = 0;; at += width) {
		width = at < text.len ? rune_read(str_slice(text, at, text.len), &rune) : 0;
		after = width ? (int64_t)rune : -1;
		/* Threads wait in `now` in front of this place; those of `next` begin behind. */
		if ((at == 0 || !r->anchored) && add(r, &now, stack, 0, holds(before, after)))
			return true;
		if (!width || (now.len == 0 && r->anchored))
			return false;
		int64_t following = -1;
		uint32_t peeked;

		if (at + width < text.len) {
			rune_read(str_slice(text, at + width, text.len), &peeked);
			following = peeked;
		}
		next.len = 0;
		for (size_t i = 0; i < now.len; i++)
			if (takes(r, &r->code[now.at[i]], rune) &&
				add(r, &next, stack, now.at[i] + 1, holds(rune, following)))
				return true;
		struct threads swap = now;

		now = next;
		next = swap;
		before = rune;
	}
}

bool regex_matches(const struct regex *r, str text)
{
	uint32_t *memory = calloc(6 * r->len + 2, sizeof(*memory));

	if (!memory)
		abort();
	struct threads now = {memory, memory + r->len, 0},
		       next = {memory + 2 * r->len, memory + 3 * r->len, 0};
	bool matched = run(r, text, now, next, memory + 4 * r->len);

	free(memory);
	return matched;
}

size_t rune_read(str s, uint32_t *to)
{
	static const unsigned char lengths[] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
	unsigned char lead = (unsigned char)s.at[0];
	size_t len = lengths[lead >> 4];

	*to = lead;
	if (len == 1)
		return 1;
	if (len == 0 || len > s.len || !str_is_utf8(str_slice(s, 0, len))) {
		*to = RUNE_ERROR;
		return 1;
	}
	*to = lead & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++)
		*to = *to << 6 | ((unsigned char)s.at[i] & 0x3f);
	return len;
}
