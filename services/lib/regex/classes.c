/*
 * Sets of characters: their algebra, and the named ones.
 */
#include "lib/regex/program.h"

#include <stdlib.h>

struct named {
	const char *name;
	const char *ranges; /* pairs of first and last */
};

static const struct named perl[] = {{"d", "09"}, {"s", "\t\n\f\r  "}, {"w", "09AZ__az"}};

static const struct named posix[] = {
	{"alnum", "09AZaz"},
	{"alpha", "AZaz"},
	{"ascii", "\001\177"}, /* and NUL */
	{"blank", "\t\t  "},
	{"cntrl", "\001\037\177\177"}, /* and NUL */
	{"digit", "09"},
	{"graph", "!~"},
	{"lower", "az"},
	{"print", " ~"},
	{"punct", "!/:@[`{~"},
	{"space", "\t\r  "},
	{"upper", "AZ"},
	{"word", "09AZ__az"},
	{"xdigit", "09AFaf"},
};

void class_add(struct arena *a, struct class *c, uint32_t low, uint32_t high)
{
	if (c->len == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 4;
		struct range *at = arena_get(a, cap * sizeof(*at));

		if (c->len)
			memcpy(at, c->at, c->len * sizeof(*at));
		c->at = at;
		c->cap = cap;
	}
	c->at[c->len++] = (struct range){low, high};
}

void class_add_all(struct arena *a, struct class *c, const struct class *from)
{
	for (size_t i = 0; i < from->len; i++)
		class_add(a, c, from->at[i].low, from->at[i].high);
}

static int compare(const void *a, const void *b)
{
	const struct range *one = a, *other = b;

	return (one->low > other->low) - (one->low < other->low);
}

void class_settle(struct class *c)
{
	size_t kept = 0;

	if (c->len == 0)
		return;
	qsort(c->at, c->len, sizeof(*c->at), compare);
	for (size_t i = 1; i < c->len; i++) {
		struct range *last = &c->at[kept];

		if (c->at[i].low > last->high + 1)
			c->at[++kept] = c->at[i];
		else if (c->at[i].high > last->high)
			last->high = c->at[i].high;
	}
	c->len = kept + 1;
}

void class_negate(struct arena *a, struct class *c)
{
	struct class rest = {NULL, 0, 0};
	uint32_t next = 0;

	class_settle(c);
	for (size_t i = 0; i < c->len; i++) {
		if (c->at[i].low > next)
			class_add(a, &rest, next, c->at[i].low - 1);
		next = c->at[i].high + 1;
	}
	if (next <= RUNE_MAX)
		class_add(a, &rest, next, RUNE_MAX);
	*c = rest;
}

bool class_has(const struct class *c, uint32_t rune)
{
	for (size_t low = 0, high = c->len; low < high;) {
		size_t middle = (low + high) / 2;

		if (rune < c->at[middle].low)
			high = middle;
		else if (rune > c->at[middle].high)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

/* Twice: first each one's lower case, then all that have such a lower case. */
void class_fold(struct arena *a, struct class *c)
{
	for (int pass = 0; pass < 2; pass++) {
		struct class more = {NULL, 0, 0};

		class_settle(c);
		for (size_t i = 0; i < regex_fold_run_count; i++) {
			const struct fold_run *f = &regex_fold_runs[i];

			for (uint32_t r = f->first; r <= f->last; r += f->stride) {
				uint32_t lower = (uint32_t)((int32_t)r + f->delta);

				if (pass == 0 && class_has(c, r))
					class_add(a, &more, lower, lower);
				if (pass == 1 && class_has(c, lower))
					class_add(a, &more, r, r);
			}
		}
		class_add_all(a, c, &more);
	}
	class_settle(c);
}

static void add_named(struct arena *a, struct class *c, const struct named *n)
{
	for (const char *at = n->ranges; *at; at += 2)
		class_add(a, c, (unsigned char)at[0], (unsigned char)at[1]);
}

bool class_add_perl(struct arena *a, struct class *c, char letter)
{
	for (size_t i = 0; i < COUNT_OF(perl); i++)
		if (perl[i].name[0] == letter) {
			add_named(a, c, &perl[i]);
			return true;
		}
	return false;
}

bool class_add_posix(struct arena *a, struct class *c, str name)
{
	for (size_t i = 0; i < COUNT_OF(posix); i++) {
		if (!str_eq(name, str_of(posix[i].name)))
			continue;
		add_named(a, c, &posix[i]);
		if (posix[i].ranges[0] == '\001')
			class_add(a, c, 0, 0);
		return true;
	}
	return false;
}

/* One letter is all categories that begin with it. Go has no surrogates in text, nor Cn. */
bool class_add_category(struct arena *a, struct class *c, str name)
{
	bool found = str_eq(name, STR("Any"));

	if (found)
		class_add(a, c, 0, RUNE_MAX);
	for (size_t k = 0; k < regex_category_count && name.len && name.len <= 2; k++) {
		const char *category = regex_category_names[k];

		if (memcmp(category, name.at, name.len) != 0 || memcmp(category, "Cn", 2) == 0)
			continue;
		found = true;
		for (size_t i = 0; i < regex_category_run_count; i++) {
			const struct category_run *run = &regex_category_runs[i];
			bool last = i + 1 == regex_category_run_count;

			if (run->category == k)
				class_add(a, c, run->first, last ? RUNE_MAX : run[1].first - 1);
		}
	}
	return found;
}
