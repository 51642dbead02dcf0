/*
 * What apply does with objects and sets: structured-merge-diff's typed/{merge,remove,
 * reconcile_schema}.go. Objects are trees of JSON here: an applied one has only what its owner
 * cares for, and what comes out is decoded afresh.
 */
#include "lib/schema/fields_view.h"

/* --- merge */

static const struct tree *merge(struct fields *w, const struct view *l, const struct view *r);

static struct tree *new_tree(struct fields *w, enum json_kind kind)
{
	struct tree *t = tree_new(w->arena, kind);

	if (!t)
		fields_fault(w, ERR_LIMIT, "the input needs more than %zu bytes of memory",
			w->arena->limit_bytes);
	return t;
}

/* NULL is nothing to add. */
static void add_item(struct fields *w, struct tree *list, const struct tree *item)
{
	struct err e;

	if (list && item &&
		tree_insert(w->arena, list, list->len, (struct tree *)(uintptr_t)item, &e) < 0)
		fields_fault(w, e.kind, "%s", e.text);
}

static void add_member(struct fields *w, struct tree *map, str key, const struct tree *value)
{
	struct err e;

	if (map && value && tree_set(w->arena, map, key, (struct tree *)(uintptr_t)value, &e) < 0)
		fields_fault(w, e.kind, "%s", e.text);
}

/* Two lists on their way to one; the elements of both, by their groups. */
struct merging {
	struct fields *w;
	const struct view *l, *r;
	struct groups g;
	bool *merged;         /* by group: an element of both has been taken */
	const uint32_t *next; /* the next applied element that is there on both sides, NULL: none */
};

/* From `at` on, the next of the applied elements that the live list has as well. */
static const uint32_t *next_shared(const struct merging *m, const uint32_t *at)
{
	const uint32_t *end = m->g.ids[1] + m->g.lens[1];

	while (at < end && m->g.at[*at].count[0] == 0)
		at++;
	return at < end ? at : NULL;
}

/* The applied element, with the live one below it unless that is there several times. */
static const struct tree *merge_applied(struct merging *m, uint32_t right)
{
	uint32_t id = m->g.ids[1][right];
	struct view none = {.form = VIEW_ABSENT};
	struct view r = view_element(m->w, m->r, right);
	struct view l = m->g.at[id].count[0] == 1 ? view_element(m->w, m->l, m->g.at[id].first[0])
						  : none;

	m->merged[id] = true;
	if (m->next && *m->next == id)
		m->next = next_shared(m, m->next + 1);
	return merge(m->w, &l, &r);
}

/*
 * The order of the merged list: applied elements as they were applied; live ones that were not
 * keep their place among those that are on both sides.
 */
static struct tree *merge_items(struct merging *m)
{
	struct tree *to = new_tree(m->w, JSON_ARRAY);
	const struct groups *g = &m->g;
	uint32_t i = 0, k = 0;

	while (i < g->lens[0] || k < g->lens[1]) {
		bool both = i < g->lens[0] && k < g->lens[1];

		if (both && g->ids[0][i] == g->ids[1][k]) {
			add_item(m->w, to, merge_applied(m, k++));
			i++;
			continue;
		}
		if (both && g->at[g->ids[0][i]].count[1] && m->next && *m->next != g->ids[0][i]) {
			i++;
			continue;
		}
		if (i < g->lens[0] && !g->at[g->ids[0][i]].count[1]) {
			add_item(m->w, to, m->l->tree->items[i++]);
			continue;
		}
		if (i < g->lens[0] && m->merged[g->ids[0][i]])
			i++;
		if (k < g->lens[1])
			add_item(m->w, to, merge_applied(m, k++));
	}
	return to;
}

static const struct tree *merge_lists(struct fields *w, const struct view *l, const struct view *r)
{
	struct merging m = {.w = w, .l = l, .r = r, .g = groups_of(w, l, r)};

	m.merged = fields_alloc(w, m.g.len, sizeof(bool));
	if (w->failed)
		return NULL;
	m.next = next_shared(&m, m.g.ids[1]);
	const struct tree *to = merge_items(&m);

	return to && to->len ? to : NULL;
}

static const struct tree *merge_maps(struct fields *w, const struct view *l, const struct view *r)
{
	struct tree *to = new_tree(w, JSON_OBJECT);
	struct zip z = zip_begin(l, r);

	for (struct member m; zip_next(w, &z, &m);)
		add_member(w, to, m.name, merge(w, &m.sides[0], &m.sides[1]));
	return to && to->len ? to : NULL;
}

/* What is one unit, or empty on both sides, is the applied value if there is one. */
static const struct tree *merge(struct fields *w, const struct view *l, const struct view *r)
{
	bool list = r->form == VIEW_LIST || (r->form == VIEW_NULL && l->form == VIEW_LIST);
	bool map = r->form == VIEW_MAP || (r->form == VIEW_NULL && l->form == VIEW_MAP);

	if (!view_is_there(r) || !view_is_there(l))
		return view_is_there(r) ? r->tree : l->tree;
	if (r->kind.whole || r->kind.atom == ATOM_UNTYPED || (!view_count(l) && !view_count(r)))
		return r->tree;
	if (list && r->kind.atom == ATOM_LIST)
		return merge_lists(w, l, r);
	return map && r->kind.atom != ATOM_LIST ? merge_maps(w, l, r) : r->tree;
}

const struct tree *fields_merge(
	struct fields *w, const struct fielded *live, const struct fielded *applied)
{
	struct view l = view_of(w, live), r = view_of(w, applied);

	return merge(w, &l, &r);
}

/* --- removal */

static const struct tree *remove_from(
	struct fields *w, const struct view *v, const struct field_set *s);

/* A list or map of which something was removed stays, be it empty. */
static const struct tree *remove_below(
	struct fields *w, const struct view *v, const struct field_set *s)
{
	const struct tree *left = remove_from(w, v, s);

	if (left && left->kind != JSON_NULL)
		return left;
	return new_tree(w,
		v->form == VIEW_MAP            ? JSON_OBJECT
			: v->form == VIEW_LIST ? JSON_ARRAY
					       : JSON_NULL);
}

static const struct tree *remove_items(
	struct fields *w, const struct view *v, const struct field_set *s)
{
	struct tree *to = new_tree(w, JSON_ARRAY);
	bool matched = false;

	for (size_t i = 0; i < view_count(v); i++) {
		struct view element = view_element(w, v, i);
		const struct tree *item = v->tree->items[i];
		struct field_step step;
		struct err why;
		const struct field_node *n = step_of_element(w, &v->kind, &element, &step, &why)
			? set_find(s, &step)
			: NULL;

		if (n && n->member)
			continue;
		if (n) {
			matched = true;
			item = remove_below(w, &element, &n->below);
		}
		add_item(w, to, item);
	}
	return matched || (to && to->len) ? to : NULL;
}

static const struct tree *remove_members(
	struct fields *w, const struct view *v, const struct field_set *s)
{
	struct tree *to = new_tree(w, JSON_OBJECT);
	struct tree_member *m;
	bool matched = false;

	for (size_t at = 0; (m = tree_next(v->tree, &at));) {
		struct field_step step = step_of_field(m->key);
		const struct field_node *n = set_find(s, &step);
		const struct tree *value = m->value;
		struct fields_kind k;
		bool declared;

		if (n && n->member)
			continue;
		if (n && kind_of_member(&v->kind, m->key, &k, &declared)) {
			struct view below = view_of_tree(k, value);

			matched = true;
			value = remove_below(w, &below, &n->below);
		}
		add_member(w, to, m->key, value);
	}
	return matched || (to && to->len) ? to : NULL;
}

static const struct tree *remove_from(
	struct fields *w, const struct view *v, const struct field_set *s)
{
	bool list = v->form == VIEW_LIST;

	if (v->form == VIEW_SCALAR)
		return v->tree;
	if (v->kind.whole || !view_count(v) || (list && v->kind.atom != ATOM_LIST) ||
		v->kind.atom == ATOM_UNTYPED)
		return NULL;
	return list ? remove_items(w, v, s) : remove_members(w, v, s);
}

const struct tree *fields_remove(
	struct fields *w, const struct fielded *o, const struct field_set *s)
{
	struct view v = view_of(w, o);

	return s->len ? remove_from(w, &v, s) : o->tree;
}

/* --- sets and types */

/* What a step leads to; false where the type has nothing. */
static bool kind_of_step(
	const struct fields_kind *k, const struct field_step *step, struct fields_kind *to)
{
	bool declared;

	if (step->kind == STEP_FIELD)
		return kind_of_member(k, step->name, to, &declared);
	*to = kind_of_element(k);
	return k->atom == ATOM_LIST;
}

/* What becomes of a node, given what becomes of the set below it. */
typedef struct field_node node_function(
	const struct fields_kind *of, const struct field_node *n, const struct fields_kind *below);

static struct field_set rebuild(struct fields *w, const struct fields_kind *k,
	const struct field_set *s, node_function *change)
{
	struct field_set to = {fields_alloc(w, s->len, sizeof(*s->at)), 0, s->len};

	for (uint32_t i = 0; to.at && i < s->len; i++) {
		struct field_node n = s->at[i];
		struct fields_kind below;

		if (n.below.len && kind_of_step(k, &n.step, &below)) {
			n = change(k, &n, &below);
			if (n.below.len)
				n.below = rebuild(w, &below, &n.below, change);
		}
		set_add(w, &to, &n);
	}
	return to;
}

static struct field_node name(const struct fields_kind *of, const struct field_node *n,
	UNUSED const struct fields_kind *below)
{
	struct field_node to = *n;

	if (of->atom == ATOM_STRUCT && n->step.kind == STEP_FIELD &&
		type_field(of->type, n->step.name))
		to.member = true;
	return to;
}

struct field_set fields_named(struct fields *w, const struct type *t, const struct field_set *s)
{
	struct fields_kind k = kind_of_type(t);

	return rebuild(w, &k, s, name);
}

static struct field_node settle(UNUSED const struct fields_kind *of, const struct field_node *n,
	const struct fields_kind *below)
{
	if (!below->whole && below->atom != ATOM_UNTYPED)
		return *n;
	return (struct field_node){.step = n->step, .member = true};
}

struct field_set fields_settled(struct fields *w, const struct type *t, const struct field_set *s)
{
	struct fields_kind k = kind_of_type(t);

	return rebuild(w, &k, s, settle);
}
