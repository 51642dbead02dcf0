/*
 * Members of two maps or structs side by side, elements of two lists by their steps.
 */
#include "lib/codec/json.h"
#include "lib/schema/fields_view.h"

#include <stdlib.h>

/* --- members */

struct zip zip_begin(const struct view *a, const struct view *b)
{
	struct zip z = {.sides = {a, b}};
	const struct view *any = a->form == VIEW_MAP ? a : b;

	if (any->form == VIEW_MAP && any->kind.atom == ATOM_STRUCT)
		z.next = json_fields(any->kind.type);
	return z;
}

static struct view member_of_row(struct fields *w, const struct view *v, const struct field *f)
{
	struct view none = {.form = VIEW_ABSENT};

	if (v->form != VIEW_MAP)
		return none;
	if (!v->tree)
		return view_of_field(w, v->kind.type, f, v->at);
	return view_of_tree(
		kind_of_field(v->kind.type, f), tree_get(v->tree, field_name(v->kind.type, f)));
}

static const char *entry_at(const struct view *map, size_t i)
{
	return (const char *)((const struct any_list *)map->at)->at +
		i * entry_bytes(map->kind.type, map->kind.field);
}

/* The entry of a map by its key; of a struct, what no row names. */
static struct view entry_of(struct fields *w, const struct view *v, str key)
{
	struct view none = {.form = VIEW_ABSENT};

	if (v->form != VIEW_MAP)
		return none;
	if (v->tree)
		return view_of_tree(kind_of_element(&v->kind), tree_get(v->tree, key));
	size_t low = 0, high = v->kind.atom == ATOM_MAP ? view_count(v) : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *entry = entry_at(v, middle);
		int order = str_cmp(key, *(const str *)entry);

		if (order == 0)
			return view_of_value(w, kind_of_element(&v->kind), entry + ENTRY_VALUE);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return none;
}

/* The key of the next entry of one side, a struct's rows left out; false behind the last. */
static bool next_key(const struct view *v, size_t *at, str *key)
{
	struct tree_member *m;

	if (v->form != VIEW_MAP)
		return false;
	while (v->tree && (m = tree_next(v->tree, at))) {
		*key = m->key;
		if (v->kind.atom != ATOM_STRUCT || !type_field(v->kind.type, m->key))
			return true;
	}
	if (v->tree || v->kind.atom != ATOM_MAP || *at >= view_count(v))
		return false;
	*key = *(const str *)entry_at(v, (*at)++);
	return true;
}

static bool has_row(const struct view *v, const struct field *f)
{
	if (v->form != VIEW_MAP)
		return false;
	if (v->tree)
		return tree_get(v->tree, field_name(v->kind.type, f)) != NULL;
	return !field_is_left_out(v->kind.type, f, field_at(v->at, f));
}

/* Whether two structs have the same bytes there; where they differ the values may be the same. */
static bool same_bytes(const struct zip *z, const struct field *f)
{
	const struct view *a = z->sides[0], *b = z->sides[1];
	size_t bytes = f->shape == SHAPE_VALUE ? value_bytes(a->kind.type, f)
		: f->shape == SHAPE_POINTER    ? sizeof(void *)
					       : sizeof(struct any_list);

	return memcmp(field_at(a->at, f), field_at(b->at, f), bytes) == 0;
}

static bool next_row(struct fields *w, struct zip *z, struct member *m)
{
	const struct view *a = z->sides[0], *b = z->sides[1];
	const struct type *t = (a->form == VIEW_MAP ? a : b)->kind.type;
	bool structs = a->form == VIEW_MAP && b->form == VIEW_MAP && !a->tree && !b->tree;

	while (z->next < json_fields_end(t)) {
		const struct field *f = z->next++;

		if ((structs && z->changes_only && same_bytes(z, f)) ||
			(!has_row(a, f) && !has_row(b, f)))
			continue;
		m->sides[0] = member_of_row(w, a, f);
		m->sides[1] = member_of_row(w, b, f);
		m->name = field_name(t, f);
		m->declared = true;
		return true;
	}
	return false;
}

bool zip_next(struct fields *w, struct zip *z, struct member *m)
{
	if (z->next && next_row(w, z, m))
		return true;
	m->declared = false;
	while (z->side < 2) {
		if (!next_key(z->sides[z->side], &z->at[z->side], &m->name)) {
			z->side++;
			continue;
		}
		m->sides[0] = entry_of(w, z->sides[0], m->name);
		m->sides[1] = entry_of(w, z->sides[1], m->name);
		if (z->side == 0 || !view_is_there(&m->sides[0]))
			return true;
	}
	return false;
}

/* --- elements */

/* OpenAPI has a default for what JSON never leaves out: the zero value. */
static struct scalar zero_of(const struct field *f)
{
	if (!f || f->shape != SHAPE_VALUE || (f->flags & (FIELD_OMITEMPTY | FIELD_OMITZERO)))
		return (struct scalar){.kind = SCALAR_NULL};
	switch ((enum field_kind)f->kind) {
	case KIND_STRING: return (struct scalar){.kind = SCALAR_STRING, .text = STR("")};
	case KIND_BOOL: return (struct scalar){.kind = SCALAR_BOOL};
	case KIND_INT32:
	case KIND_INT64: return (struct scalar){.kind = SCALAR_NUMBER};
	default: return (struct scalar){.kind = SCALAR_NULL};
	}
}

static struct scalar default_of(struct fields *w, const struct type *t, const struct field *f)
{
	struct scalar none = {.kind = SCALAR_NULL};
	str json = f && f->rules ? type_text(t, field_rules(t, f)->default_json) : STR("");
	struct json_item item;

	if (json.len == 0)
		return zero_of(f);
	if (json_parse(w->arena, json, &item, &w->why) < 0) {
		w->failed = true;
		return none;
	}
	return scalar_of_json(w, &item);
}

static bool read_key(struct fields *w, const struct view *element, str name, struct step_key *to)
{
	const struct type *t = element->kind.atom == ATOM_STRUCT ? element->kind.type : NULL;
	const struct field *f = t ? type_field(t, name) : NULL;
	struct view v = f ? member_of_row(w, element, f) : entry_of(w, element, name);

	to->name = name;
	if (view_is_there(&v)) {
		to->value = view_scalar(w, &v);
		return true;
	}
	to->value = default_of(w, t, f);
	return to->value.kind != SCALAR_NULL;
}

static bool step_by_keys(struct fields *w, const struct fields_kind *list,
	const struct view *element, struct field_step *to, struct err *why)
{
	str names = type_text(list->type, field_rules(list->type, list->field)->list_keys);
	uint32_t len = 0, count = 1;

	if (element->form != VIEW_MAP) {
		err_write(why, ERR_INVALID, "associative list with keys may not have %s",
			element->form == VIEW_NULL ? "a null element" : "non-map elements");
		return false;
	}
	for (size_t i = 0; i < names.len; i++)
		count += names.at[i] == ',';
	struct step_key *keys = fields_alloc(w, count, sizeof(*keys));

	for (str rest = names; keys && rest.at;) {
		struct step_key key;
		uint32_t k = len;

		if (!read_key(w, element, str_cut(&rest, ','), &key))
			continue;
		for (; k > 0 && str_cmp(key.name, keys[k - 1].name) < 0; k--)
			keys[k] = keys[k - 1];
		keys[k] = key;
		len++;
	}
	*to = (struct field_step){.kind = STEP_KEYS, .key_count = len, .keys = keys};
	if (len)
		return true;
	err_write(why, ERR_INVALID,
		"associative list with keys has an element that omits all key fields [\"%.*s\"] "
		"(and doesn't have default values for any key fields)",
		STR_ARG(names));
	return false;
}

bool step_of_element(struct fields *w, const struct fields_kind *list, const struct view *element,
	struct field_step *to, struct err *why)
{
	static const char *const faults[] = {
		[VIEW_NULL] =
			"associative list without keys has an element that's an explicit null",
		[VIEW_LIST] = "not supported: associative list with lists as elements",
		[VIEW_MAP] = "associative list without keys has an element that's a map type",
	};

	if (list->keyed)
		return step_by_keys(w, list, element, to, why);
	if (element->form != VIEW_SCALAR) {
		err_write(why, ERR_INVALID, "%s", faults[element->form]);
		return false;
	}
	*to = (struct field_step){.kind = STEP_VALUE, .value = view_scalar(w, element)};
	return true;
}

struct item_ref {
	struct field_step step;
	uint32_t index, side;
};

static int by_step_and_place(const void *a, const void *b)
{
	const struct item_ref *x = a, *y = b;
	int order = step_compare(&x->step, &y->step);

	if (order)
		return order;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static struct item_ref *refs_of(
	struct fields *w, const struct view *const sides[2], struct groups *g)
{
	struct item_ref *refs = fields_alloc(w, g->lens[0] + g->lens[1], sizeof(*refs));
	uint32_t len = 0;

	for (uint32_t s = 0; refs && s < 2; s++) {
		for (uint32_t i = 0; i < g->lens[s]; i++, len++) {
			struct view v = view_element(w, sides[s], i);
			struct err why;

			refs[len] = (struct item_ref){.index = i, .side = s};
			if (!step_of_element(w, &sides[s]->kind, &v, &refs[len].step, &why))
				fields_fault(w, ERR_INVALID, "element %u: %s", i, why.text);
		}
	}
	if (refs && len > 1)
		qsort(refs, len, sizeof(*refs), by_step_and_place);
	return refs;
}

struct groups groups_of(struct fields *w, const struct view *a, const struct view *b)
{
	const struct view *const sides[2] = {a, b};
	struct groups g = {.lens = {(uint32_t)view_count(a), (uint32_t)view_count(b)}};
	uint32_t count = g.lens[0] + g.lens[1];
	struct item_ref *refs = refs_of(w, sides, &g);

	g.at = fields_alloc(w, count, sizeof(*g.at));
	g.ids[0] = fields_alloc(w, count, sizeof(uint32_t));
	if (w->failed)
		return (struct groups){.len = 0};
	g.ids[1] = g.ids[0] + g.lens[0];
	for (uint32_t i = 0; i < count; i++) {
		uint32_t s = refs[i].side;

		if (g.len == 0 || step_compare(&g.at[g.len - 1].step, &refs[i].step) != 0)
			g.at[g.len++] = (struct group){.step = refs[i].step};
		struct group *last = &g.at[g.len - 1];

		if (last->count[s]++ == 0)
			last->first[s] = refs[i].index;
		g.ids[s][refs[i].index] = g.len - 1;
	}
	return g;
}

/* --- equality */

static bool same_lists(struct fields *w, const struct view *a, const struct view *b)
{
	size_t count = view_count(a);

	if (count != view_count(b))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct view x = view_element(w, a, i), y = view_element(w, b, i);

		if (!view_same(w, &x, &y))
			return false;
	}
	return true;
}

bool view_same(struct fields *w, const struct view *a, const struct view *b)
{
	if (a->form != b->form)
		return false;
	if (a->form == VIEW_SCALAR) {
		struct scalar x = view_scalar(w, a), y = view_scalar(w, b);

		return scalar_compare(&x, &y) == 0;
	}
	if (a->form == VIEW_LIST)
		return same_lists(w, a, b);
	if (a->form != VIEW_MAP)
		return true;
	struct zip z = zip_begin(a, b);

	for (struct member m; zip_next(w, &z, &m);)
		if (!view_same(w, &m.sides[0], &m.sides[1]))
			return false;
	return true;
}
