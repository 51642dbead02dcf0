#include "lib/schema/fields_view.h"

#include "lib/codec/json.h"

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

struct view view_of_value(struct fields *w, struct fields_kind k, const void *at)
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

struct view view_of_field(
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
