#include "lib/schema/fields_set.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { INSERTED_MAX = 24 }; /* nodes; more are sorted by qsort */

int fields_ok(const struct fields *w, struct err *e)
{
	if (!w->failed)
		return 0;
	*e = w->why;
	return -1;
}

void fields_fault(struct fields *w, enum err_kind kind, const char *fmt, ...)
{
	char text[sizeof(w->why.text)];
	va_list args;

	if (w->failed)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	w->failed = true;
	err_write(&w->why, kind, "%s", text);
}

void *fields_alloc(struct fields *w, size_t count, size_t size)
{
	void *at = arena_try_array(w->arena, count, size);

	if (!at)
		fields_fault(w, ERR_LIMIT, "the input needs more than %zu bytes of memory",
			w->arena->limit_bytes);
	return at;
}

/* --- order */

static double real_of(const struct scalar *s)
{
	return s->is_real ? s->real : (double)s->whole;
}

int scalar_compare(const struct scalar *a, const struct scalar *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	switch ((enum scalar_kind)a->kind) {
	case SCALAR_NUMBER:
		if (a->is_real || b->is_real)
			return (real_of(a) > real_of(b)) - (real_of(a) < real_of(b));
		return (a->whole > b->whole) - (a->whole < b->whole);
	case SCALAR_STRING:
	case SCALAR_OTHER: return str_cmp(a->text, b->text);
	case SCALAR_BOOL: return a->truth - b->truth;
	case SCALAR_NULL: return 0;
	}
	__builtin_unreachable();
}

static int keys_compare(const struct field_step *a, const struct field_step *b)
{
	for (uint32_t i = 0; i < a->key_count && i < b->key_count; i++) {
		int order = str_cmp(a->keys[i].name, b->keys[i].name);

		if (order == 0)
			order = scalar_compare(&a->keys[i].value, &b->keys[i].value);
		if (order)
			return order;
	}
	return (a->key_count > b->key_count) - (a->key_count < b->key_count);
}

int step_compare(const struct field_step *a, const struct field_step *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	switch ((enum step_kind)a->kind) {
	case STEP_FIELD: return str_cmp(a->name, b->name);
	case STEP_KEYS: return keys_compare(a, b);
	case STEP_VALUE: return scalar_compare(&a->value, &b->value);
	case STEP_INDEX: return (a->index > b->index) - (a->index < b->index);
	case STEP_ANY: return 0;
	}
	__builtin_unreachable();
}

static int by_step(const void *a, const void *b)
{
	return step_compare(
		&((const struct field_node *)a)->step, &((const struct field_node *)b)->step);
}

void set_sort(struct field_set *s)
{
	if (s->len > INSERTED_MAX) {
		qsort(s->at, s->len, sizeof(*s->at), by_step);
		return;
	}
	for (uint32_t i = 1; i < s->len; i++) {
		struct field_node n = s->at[i];
		uint32_t k = i;

		for (; k > 0 && step_compare(&n.step, &s->at[k - 1].step) < 0; k--)
			s->at[k] = s->at[k - 1];
		if (k != i)
			s->at[k] = n;
	}
}

void set_add(struct fields *w, struct field_set *s, const struct field_node *n)
{
	if (!n->member && n->below.len == 0)
		return;
	if (s->len == s->cap) {
		uint32_t cap = s->cap ? 2 * s->cap : 4;
		struct field_node *at = fields_alloc(w, cap, sizeof(*at));

		if (!at)
			return;
		if (s->len)
			memcpy(at, s->at, s->len * sizeof(*at));
		s->at = at;
		s->cap = cap;
	}
	s->at[s->len++] = *n;
}

const struct field_node *set_find(const struct field_set *s, const struct field_step *step)
{
	uint32_t low = 0, high = s->len;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = step_compare(step, &s->at[middle].step);

		if (order == 0)
			return &s->at[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* --- arithmetic */

bool fields_equal(const struct field_set *a, const struct field_set *b)
{
	if (a->len != b->len)
		return false;
	for (uint32_t i = 0; i < a->len; i++) {
		const struct field_node *x = &a->at[i], *y = &b->at[i];

		if (x->member != y->member || step_compare(&x->step, &y->step) != 0 ||
			!fields_equal(&x->below, &y->below))
			return false;
	}
	return true;
}

/* What becomes of a node of `a`, of `b`, or of both. */
typedef struct field_node join_function(
	struct fields *w, const struct field_node *a, const struct field_node *b);

/* Walks two sets side by side. */
static struct field_set join(
	struct fields *w, const struct field_set *a, const struct field_set *b, join_function *both)
{
	struct field_set to = {NULL, 0, 0};
	uint32_t i = 0, k = 0;

	while (i < a->len || k < b->len) {
		int order = i == a->len ? 1
			: k == b->len   ? -1
					: step_compare(&a->at[i].step, &b->at[k].step);
		const struct field_node *one = order <= 0 ? &a->at[i++] : NULL;
		const struct field_node *other = order >= 0 ? &b->at[k++] : NULL;
		struct field_node n = both(w, one, other);

		set_add(w, &to, &n);
	}
	return to;
}

static struct field_node unite(
	struct fields *w, const struct field_node *a, const struct field_node *b)
{
	if (!a || !b)
		return a ? *a : *b;
	return (struct field_node){
		.step = a->step,
		.member = a->member || b->member,
		.below = fields_union(w, &a->below, &b->below),
	};
}

static struct field_node intersect(
	struct fields *w, const struct field_node *a, const struct field_node *b)
{
	if (!a || !b)
		return (struct field_node){.member = false};
	return (struct field_node){
		.step = a->step,
		.member = a->member && b->member,
		.below = fields_intersection(w, &a->below, &b->below),
	};
}

static struct field_node subtract(
	struct fields *w, const struct field_node *a, const struct field_node *b)
{
	if (!a)
		return (struct field_node){.member = false};
	if (!b)
		return *a;
	return (struct field_node){
		.step = a->step,
		.member = a->member && !b->member,
		.below = fields_difference(w, &a->below, &b->below),
	};
}

static struct field_node cut(
	struct fields *w, const struct field_node *a, const struct field_node *b)
{
	if (!a || (b && b->member))
		return (struct field_node){.member = false};
	if (!b)
		return *a;
	return (struct field_node){
		.step = a->step,
		.member = a->member,
		.below = fields_without(w, &a->below, &b->below),
	};
}

struct field_set fields_union(
	struct fields *w, const struct field_set *a, const struct field_set *b)
{
	if (a->len == 0 || b->len == 0)
		return a->len ? *a : *b;
	return join(w, a, b, unite);
}

struct field_set fields_intersection(
	struct fields *w, const struct field_set *a, const struct field_set *b)
{
	if (a->len == 0 || b->len == 0)
		return (struct field_set){NULL, 0, 0};
	return join(w, a, b, intersect);
}

struct field_set fields_difference(
	struct fields *w, const struct field_set *a, const struct field_set *b)
{
	return a->len == 0 || b->len == 0 ? *a : join(w, a, b, subtract);
}

struct field_set fields_without(
	struct fields *w, const struct field_set *a, const struct field_set *b)
{
	return a->len == 0 || b->len == 0 ? *a : join(w, a, b, cut);
}

struct field_set fields_within(
	struct fields *w, const struct field_set *a, const struct field_set *pattern)
{
	struct field_set to = {NULL, 0, 0};

	for (uint32_t i = 0; i < a->len; i++) {
		struct field_node n = a->at[i];
		const struct field_node *by = NULL;

		for (uint32_t k = 0; k < pattern->len && !by; k++)
			if (pattern->at[k].step.kind == STEP_ANY ||
				step_compare(&pattern->at[k].step, &n.step) == 0)
				by = &pattern->at[k];
		if (!by)
			continue;
		if (by->below.len)
			n.below = fields_within(w, &n.below, &by->below);
		set_add(w, &to, &n);
	}
	return to;
}

static struct field_set of_path(struct fields *w, str path)
{
	struct field_set to = {NULL, 0, 0};
	str name = str_cut(&path, '.');
	struct field_node n = {.step = step_of_field(name), .member = !path.at};

	if (str_eq(name, STR("*")))
		n.step = (struct field_step){.kind = STEP_ANY};
	if (path.at)
		n.below = of_path(w, path);
	set_add(w, &to, &n);
	return to;
}

struct field_set fields_of_paths(struct fields *w, const str *paths, size_t count)
{
	struct field_set to = {NULL, 0, 0};

	for (size_t i = 0; i < count; i++) {
		struct field_set one = of_path(w, paths[i]);

		to = fields_union(w, &to, &one);
	}
	return to;
}
