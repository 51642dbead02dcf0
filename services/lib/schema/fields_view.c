#include "lib/schema/fields_view.h"

#include "lib/codec/json.h"

#include <stdlib.h>

/* --- what the rows say */

struct fields_kind kind_of_type(const struct type *t)
{
	switch ((enum type_form)t->form) {
	case FORM_STRUCT:
		return (struct fields_kind){
			.atom = ATOM_STRUCT, .whole = t->flags & TYPE_ATOMIC, .type = t};
	case FORM_LIST: return kind_of_field(t, own_fields(t));
	case FORM_EITHER: break;
	}
	return (struct fields_kind){.atom = ATOM_DEDUCED, .type = t};
}

static struct fields_kind kind_of_value(const struct type *owner, const struct field *f)
{
	struct fields_kind k = {.atom = ATOM_SCALAR, .type = owner, .field = f};

	switch ((enum field_kind)f->kind) {
	case KIND_STRUCT: return kind_of_type(row_type(owner, f));
	case KIND_RAW: k.atom = ATOM_UNTYPED; break;
	case KIND_FIELDS:
	case KIND_JSON:
	case KIND_ANY: k.atom = ATOM_DEDUCED; break;
	default: break;
	}
	return k;
}

struct fields_kind kind_of_field(const struct type *owner, const struct field *f)
{
	struct fields_kind k = {
		.type = owner,
		.field = f,
		.keyed = f->flags & FIELD_KEYED,
		.set = f->flags & FIELD_SET,
	};

	switch ((enum field_shape)f->shape) {
	case SHAPE_LIST:
		k.atom = ATOM_LIST;
		k.whole = !k.keyed && !k.set;
		return k;
	case SHAPE_MAP:
		k.atom = ATOM_MAP;
		k.whole = f->flags & FIELD_ATOMIC;
		return k;
	case SHAPE_VALUE:
	case SHAPE_POINTER: break;
	}
	k = kind_of_value(owner, f);
	if (f->flags & FIELD_ATOMIC)
		k.whole = true;
	if (f->flags & FIELD_GRANULAR)
		k.whole = false;
	return k;
}

struct fields_kind kind_of_element(const struct fields_kind *k)
{
	if (k->atom == ATOM_LIST || k->atom == ATOM_MAP)
		return kind_of_value(k->type, k->field);
	return (struct fields_kind){.atom = k->atom, .type = k->type};
}

bool kind_of_member(const struct fields_kind *k, str name, struct fields_kind *to, bool *declared)
{
	const struct field *f = k->atom == ATOM_STRUCT ? type_field(k->type, name) : NULL;

	*declared = f != NULL;
	if (f)
		*to = kind_of_field(k->type, f);
	else if (k->atom == ATOM_MAP || k->atom == ATOM_DEDUCED || k->atom == ATOM_UNTYPED)
		*to = kind_of_element(k);
	else if (k->atom == ATOM_STRUCT && (k->type->flags & TYPE_KEEPS))
		*to = (struct fields_kind){.atom = ATOM_DEDUCED, .type = k->type};
	else
		return false;
	return true;
}

/* --- views */

struct view view_of_tree(struct fields_kind k, const struct tree *t)
{
	static const enum view_form forms[] = {
		[JSON_NULL] = VIEW_NULL,
		[JSON_BOOL] = VIEW_SCALAR,
		[JSON_NUMBER] = VIEW_SCALAR,
		[JSON_STRING] = VIEW_SCALAR,
		[JSON_ARRAY] = VIEW_LIST,
		[JSON_OBJECT] = VIEW_MAP,
	};

	return (struct view){.kind = k, .form = t ? forms[t->kind] : VIEW_ABSENT, .tree = t};
}

static struct view view_of_either(struct fields *w, struct fields_kind k, const void *at);

/* An open struct holds members that no row leads to: as a tree it shows all. */
struct view view_of(struct fields *w, const struct fielded *o)
{
	if (o->tree || !o->object)
		return view_of_tree(kind_of_type(o->type), o->tree);
	if (o->type->flags & TYPE_OPEN)
		return view_of_either(w, kind_of_type(o->type), o->object);
	return (struct view){.kind = kind_of_type(o->type), .form = VIEW_MAP, .at = o->object};
}

/* JSON that a struct holds as text. */
static struct view view_of_text(struct fields *w, struct fields_kind k, const str *text)
{
	struct tree *t;

	if (text->len == 0)
		return (struct view){.kind = k, .form = VIEW_NULL};
	if (tree_read(w->arena, *text, &t, &w->why) < 0) {
		w->failed = true;
		return (struct view){.kind = k, .form = VIEW_NULL};
	}
	return view_of_tree(k, t);
}

/* JSON whose writer decides what it is: a bool, a list or an object. */
static struct view view_of_either(struct fields *w, struct fields_kind k, const void *at)
{
	struct view v = {.kind = k, .form = VIEW_NULL};
	struct buf b;
	str text;

	buf_init(&b, JSON_TEXT_MAX);
	json_encode_struct(k.type, at, &b);
	if (buf_ok(&b, "the value", &w->why) < 0 ||
		arena_str_try(w->arena, buf_str(&b), &text, &w->why) < 0)
		w->failed = true;
	else
		v = view_of_text(w, k, &text);
	buf_free(&b);
	return v;
}

/* One value, not the list or map around it. */
static struct view view_of_value(struct fields *w, struct fields_kind k, const void *at)
{
	struct view v = {.kind = k, .form = VIEW_SCALAR, .at = at};

	switch (k.atom) {
	case ATOM_STRUCT: v.form = VIEW_MAP; return v;
	case ATOM_LIST: /* a list with a struct around, of which JSON has no trace */
		v.at = field_at(at, k.field);
		v.form = ((const struct any_list *)v.at)->at ? VIEW_LIST : VIEW_NULL;
		return v;
	case ATOM_UNTYPED: return view_of_text(w, k, at);
	case ATOM_DEDUCED: return k.field ? view_of_text(w, k, at) : view_of_either(w, k, at);
	case ATOM_MAP:
	case ATOM_SCALAR: break;
	}
	if ((k.field->kind == KIND_TIME || k.field->kind == KIND_MICROTIME) &&
		!((const struct time_value *)at)->set)
		v.form = VIEW_NULL;
	if (k.field->kind == KIND_BYTES && !((const str *)at)->at)
		v.form = VIEW_NULL;
	return v;
}

static struct view view_of_field(
	struct fields *w, const struct type *t, const struct field *f, const void *o)
{
	struct view v = {.form = VIEW_ABSENT};
	const void *at = field_at(o, f);

	if (field_is_left_out(t, f, at))
		return v;
	struct fields_kind k = kind_of_field(t, f);

	if (f->shape == SHAPE_VALUE)
		return view_of_value(w, k, at);
	const void *below = ((const struct any_pointer *)at)->at;

	if (f->shape == SHAPE_POINTER && below)
		return view_of_value(w, k, below);
	v = (struct view){.kind = k, .form = VIEW_NULL, .at = at};
	if (below)
		v.form = f->shape == SHAPE_LIST ? VIEW_LIST : VIEW_MAP;
	return v;
}

static size_t count_members(const struct view *v)
{
	size_t count = 0;

	for (const struct field *f = json_fields(v->kind.type); f < json_fields_end(v->kind.type);
		f++)
		count += !field_is_left_out(v->kind.type, f, field_at(v->at, f));
	return count;
}

size_t view_count(const struct view *v)
{
	size_t count = 0;

	if (v->form != VIEW_LIST && v->form != VIEW_MAP)
		return 0;
	if (v->tree && v->form == VIEW_MAP) {
		for (size_t at = 0; tree_next(v->tree, &at);)
			count++;
		return count;
	}
	if (v->tree)
		return v->tree->len;
	if (v->kind.atom == ATOM_STRUCT)
		return count_members(v);
	return ((const struct any_list *)v->at)->len;
}

struct view view_element(struct fields *w, const struct view *list, size_t i)
{
	struct fields_kind k = kind_of_element(&list->kind);

	if (list->tree)
		return view_of_tree(k, list->tree->items[i]);
	return view_of_value(w, k,
		(const char *)((const struct any_list *)list->at)->at +
			i * stride(list->kind.type, list->kind.field));
}

/* A value whose JSON is a string without escapes. */
static struct scalar scalar_of_text(struct fields *w, const struct view *v)
{
	const struct place p = {
		v->kind.type, v->kind.field, (void *)(uintptr_t)v->at, .in_element = true};
	struct scalar s = {.kind = SCALAR_STRING, .text = {NULL, 0}};
	struct buf b;

	buf_init(&b, JSON_TEXT_MAX);
	json_encode_place(&p, &b);
	if (buf_ok(&b, "the value", &w->why) < 0 ||
		arena_str_try(w->arena, buf_str(&b), &s.text, &w->why) < 0)
		w->failed = true;
	buf_free(&b);
	if (s.text.len >= 2)
		s.text = str_slice(s.text, 1, s.text.len - 2);
	return s;
}

static struct scalar scalar_in_tree(struct fields *w, const struct tree *t)
{
	struct json_item item = {.kind = t->kind, .truth = t->truth, .text = t->text};

	return scalar_of_json(w, &item);
}

struct scalar view_scalar(struct fields *w, const struct view *v)
{
	struct scalar s = {.kind = SCALAR_NUMBER};

	if (v->form == VIEW_NULL)
		return (struct scalar){.kind = SCALAR_NULL};
	if (v->tree)
		return scalar_in_tree(w, v->tree);
	switch ((enum field_kind)v->kind.field->kind) {
	case KIND_BOOL: return (struct scalar){.kind = SCALAR_BOOL, .truth = *(const bool *)v->at};
	case KIND_INT32: s.whole = *(const int32_t *)v->at; return s;
	case KIND_INT64: s.whole = *(const int64_t *)v->at; return s;
	case KIND_FLOAT64:
		s.is_real = true;
		s.real = *(const double *)v->at;
		return s;
	case KIND_STRING:
		return (struct scalar){.kind = SCALAR_STRING, .text = *(const str *)v->at};
	case KIND_INT_OR_STRING: {
		const struct int_or_string *x = v->at;

		if (x->is_text)
			return (struct scalar){.kind = SCALAR_STRING, .text = x->text};
		s.whole = x->number;
		return s;
	}
	default: return scalar_of_text(w, v);
	}
}

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
