/*
 * Between the files of this folder: a pattern as a tree (parse.c), sets of characters (classes.c,
 * categories.c), the program that is run (regex.c).
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/regex/regex.h"

enum { RUNE_MAX = 0x10ffff, RUNE_ERROR = 0xfffd };

struct range {
	uint32_t low, high;
};

/* Sorted, disjoint, once class_settle has run. */
struct class
{
	struct range *at;
	size_t len, cap;
};

enum assertion {
	ASSERT_TEXT_BEGIN = 1 << 0,
	ASSERT_TEXT_END = 1 << 1,
	ASSERT_LINE_BEGIN = 1 << 2,
	ASSERT_LINE_END = 1 << 3,
	ASSERT_WORD = 1 << 4,
	ASSERT_NO_WORD = 1 << 5,
};

enum node_kind { NODE_SEQUENCE, NODE_CHOICE, NODE_REPEAT, NODE_CLASS, NODE_ASSERT };

struct node {
	enum node_kind kind;
	struct node *first, *last, *next; /* children; the next of the same parent */
	int min, max;                     /* of a repetition; max -1: no end */
	struct class class;
	enum assertion assertion;
};

NODISCARD int regex_parse(struct arena *a, str pattern, struct node **to, struct err *e);

/* One character of UTF-8, as Go decodes it; returns its length. `s` is not empty. */
size_t rune_read(str s, uint32_t *to);

void class_add(struct arena *a, struct class *c, uint32_t low, uint32_t high);
void class_add_all(struct arena *a, struct class *c, const struct class *from);
void class_settle(struct class *c);
void class_negate(struct arena *a, struct class *c);

/* Adds what differs from its members by case alone. */
void class_fold(struct arena *a, struct class *c);
bool class_has(const struct class *c, uint32_t rune) PURE;

/* \d, \s, \w by their letter; [:alpha:] and \p{Lu} by name. False: there is none. */
bool class_add_perl(struct arena *a, struct class *c, char letter);
bool class_add_posix(struct arena *a, struct class *c, str name);
bool class_add_category(struct arena *a, struct class *c, str name);

/* From this character up to the next row's all are of this category. */
struct category_run {
	uint32_t first : 24;
	uint32_t category : 8;
};

/* Every `stride`th character from `first` to `last` has its lower case at the distance `delta`. */
struct fold_run {
	uint32_t first, last;
	int32_t delta;
	uint32_t stride;
};

extern const char regex_category_names[][3];
extern const size_t regex_category_count;
extern const struct category_run regex_category_runs[];
extern const size_t regex_category_run_count;
extern const struct fold_run regex_fold_runs[];
extern const size_t regex_fold_run_count;
