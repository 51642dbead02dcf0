/*
 * The set of an object, and what changes between two: structured-merge-diff's
 * typed/{tofieldset,compare}.go.
 */
#include "lib/schema/fields_view.h"

/* What a walk finds of one value: whether its own path is in the set, and the paths below. */
struct found {
	bool member;
	struct field_set below;
};

/* With `all` every place on the way is in the set, else values and what has a step of its own. */
static struct found walk(struct fields *w, const struct view *v, bool all);

static void add(struct fields *w, struct found *to, struct field_step step, const struct found *f)
{
	struct field_node n = {.step = step, .member = f->member, .below = f->below};

	set_add(w, &to->below, &n);
}

/* Of elements that are there twice only the step itself is owned. */
static struct found walk_list(struct fields *w, const struct view *v, bool all)
{
	struct view none = {.form = VIEW_ABSENT};
	struct groups g = groups_of(w, v, &none);
	struct found to = {.member = all};

	for (uint32_t i = 0; i < g.len; i++) {
		struct found below = {.member = true};

		if (g.at[i].count[0] == 1) {
			struct view element = view_element(w, v, g.at[i].first[0]);

			below = walk(w, &element, all);
			below.member = true;
		}
		add(w, &to, g.at[i].step, &below);
	}
	return to;
}

static struct found walk_map(struct fields *w, const struct view *v, bool all)
{
	struct view none = {.form = VIEW_ABSENT};
	struct zip z = zip_begin(v, &none);
	struct found to = {.member = all};

	for (struct member m; zip_next(w, &z, &m);) {
		struct view *below = &m.sides[0];
		struct found f = walk(w, below, all);

		if (!m.declared || below->form == VIEW_NULL ||
			(below->form == VIEW_MAP && view_count(below) == 0))
			f.member = true;
		add(w, &to, step_of_field(m.name), &f);
	}
	set_sort(&to.below);
	return to;
}

/* Whether a value is looked into, or is one unit. */
static bool is_walked(const struct view *v)
{
	if (v->kind.whole || v->kind.atom == ATOM_UNTYPED)
		return false;
	return v->form == VIEW_MAP || (v->form == VIEW_LIST && v->kind.atom == ATOM_LIST);
}

static struct found walk(struct fields *w, const struct view *v, bool all)
{
	if (!is_walked(v))
		return (struct found){.member = all || v->form != VIEW_NULL || v->kind.whole ||
				v->kind.atom == ATOM_SCALAR};
	return v->form == VIEW_LIST ? walk_list(w, v, all) : walk_map(w, v, all);
}

struct field_set fields_of(struct fields *w, const struct fielded *o)
{
	struct view v = view_of(w, o);

	return walk(w, &v, false).below;
}

/* --- two objects */

enum { ADDED, MODIFIED, REMOVED, CHANGES };

struct change {
	struct found of[CHANGES];
};

static void compare(
	struct fields *w, const struct view *a, const struct view *b, struct change *to);

static void add_change(
	struct fields *w, struct change *to, struct field_step step, const struct change *below)
{
	for (int i = 0; i < CHANGES; i++)
		add(w, &to->of[i], step, &below->of[i]);
}

static bool same_group(
	struct fields *w, const struct view *const sides[2], const struct groups *g, uint32_t id)
{
	uint32_t i = g->at[id].first[0], k = g->at[id].first[1];

	if (g->at[id].count[0] != g->at[id].count[1])
		return false;
	for (uint32_t left = g->at[id].count[0]; left > 0; left--, i++, k++) {
		while (g->ids[0][i] != id)
			i++;
		while (g->ids[1][k] != id)
			k++;
		struct view x = view_element(w, sides[0], i), y = view_element(w, sides[1], k);

		if (!view_same(w, &x, &y))
			return false;
	}
	return true;
}

/* One step's elements, of which either list may have several. */
static void compare_group(struct fields *w, const struct view *const sides[2],
	const struct groups *g, uint32_t id, struct change *to)
{
	const struct group *x = &g->at[id];
	struct view elements[2] = {{.form = VIEW_ABSENT}, {.form = VIEW_ABSENT}};
	bool many[2] = {x->count[0] > 1, x->count[1] > 1};

	for (int s = 0; s < 2; s++)
		if (x->count[s] == 1)
			elements[s] = view_element(w, sides[s], x->first[s]);
	if (many[0] && many[1]) {
		to->of[MODIFIED].member = !same_group(w, sides, g, id);
		return;
	}
	if (x->count[0] == 1 || x->count[1] == 1)
		compare(w, &elements[0], &elements[1], to);
	if (many[0])
		to->of[REMOVED].member = true;
	if (many[1])
		to->of[ADDED].member = true;
}

static void compare_lists(
	struct fields *w, const struct view *a, const struct view *b, struct change *to)
{
	const struct view *const sides[2] = {a, b};
	struct groups g = groups_of(w, a, b);

	for (uint32_t i = 0; i < g.len && !w->failed; i++) {
		struct change below = {0};

		compare_group(w, sides, &g, i, &below);
		add_change(w, to, g.at[i].step, &below);
	}
}

static void compare_maps(
	struct fields *w, const struct view *a, const struct view *b, struct change *to)
{
	struct zip z = zip_begin(a, b);

	z.changes_only = true;
	for (struct member m; zip_next(w, &z, &m);) {
		struct change below = {0};

		compare(w, &m.sides[0], &m.sides[1], &below);
		add_change(w, to, step_of_field(m.name), &below);
	}
	for (int i = 0; i < CHANGES; i++)
		set_sort(&to->of[i].below);
}

/* Any JSON may be a map here and something else there: of the map, the members come or go. */
static void compare_forms(
	struct fields *w, const struct view *a, const struct view *b, struct change *to)
{
	struct view none = {.form = VIEW_ABSENT};
	bool left = a->form == VIEW_MAP && view_count(a),
	     right = b->form == VIEW_MAP && view_count(b);

	if (left)
		compare_maps(w, a, &none, to);
	if (right)
		compare_maps(w, &none, b, to);
	to->of[MODIFIED].member = !(left && b->form == VIEW_NULL) &&
		!(right && a->form == VIEW_NULL);
}

static void compare(struct fields *w, const struct view *a, const struct view *b, struct change *to)
{
	if (!view_is_there(a)) {
		to->of[ADDED] = walk(w, b, true);
		return;
	}
	if (!view_is_there(b)) {
		to->of[REMOVED] = walk(w, a, true);
		return;
	}
	bool walked = is_walked(a) || is_walked(b);

	if (walked && a->kind.atom == ATOM_DEDUCED && a->form != b->form)
		compare_forms(w, a, b, to);
	else if (!walked || (!view_count(a) && !view_count(b)))
		to->of[MODIFIED].member = !view_same(w, a, b);
	else if (a->form == VIEW_LIST || b->form == VIEW_LIST)
		compare_lists(w, a, b, to);
	else
		compare_maps(w, a, b, to);
}

struct field_change fields_compare(
	struct fields *w, const struct fielded *before, const struct fielded *now)
{
	struct view a = view_of(w, before), b = view_of(w, now);
	struct change c = {0};

	compare(w, &a, &b, &c);
	return (struct field_change){c.of[ADDED].below, c.of[MODIFIED].below, c.of[REMOVED].below};
}

bool fields_same(struct fields *w, const struct fielded *a, const struct fielded *b)
{
	struct view x = view_of(w, a), y = view_of(w, b);

	return view_same(w, &x, &y);
}
