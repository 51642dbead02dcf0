/*
 * Does an applied object fit its type: structured-merge-diff's typed/validate.go, words included.
 */
#include "lib/schema/fields_view.h"
#include "lib/schema/patch_strategic.h"
#include "lib/value/quote.h"

enum {
	COMPLAINTS_MAX = 100,
	SHOWN_MAX = 200, /* bytes of a value that does not fit */
};

/* The way to a value, innermost first, on the C stack. */
struct way {
	const struct way *up;
	const struct field_step *step;
};

struct checker {
	struct fields *w;
	struct buf texts;
	size_t count;
};

static void check(struct checker *c, const struct way *way, const struct view *v);

static void put_way(struct buf *b, const struct way *way)
{
	if (!way)
		return;
	put_way(b, way->up);
	step_put_text(b, way->step);
}

static void complain(struct checker *c, const struct way *way, const char *what, str text)
{
	if (c->count++ >= COMPLAINTS_MAX)
		return;
	buf_add_str(&c->texts, STR("\n  "));
	put_way(&c->texts, way);
	buf_add_fmt(&c->texts, "%s%s%.*s", way ? ": " : "", what, STR_ARG(text));
}

static void put_syntax(struct buf *b, const struct tree *t);

static void put_members(struct buf *b, const struct tree *t)
{
	struct tree_member *m;
	bool first = true;

	for (size_t at = 0; (m = tree_next(t, &at)); first = false) {
		if (!first)
			buf_add_str(b, STR(", "));
		quote_put(b, m->key);
		buf_add_char(b, ':');
		put_syntax(b, m->value);
	}
}

/* As Go's %#v shows a value that came of JSON. */
static void put_syntax(struct buf *b, const struct tree *t)
{
	switch (t->kind) {
	case JSON_OBJECT:
		buf_add_str(b, STR("map[string]interface {}{"));
		put_members(b, t);
		buf_add_char(b, '}');
		break;
	case JSON_ARRAY:
		buf_add_str(b, STR("[]interface {}{"));
		for (size_t i = 0; i < t->len; i++) {
			buf_add_str(b, i ? STR(", ") : STR(""));
			put_syntax(b, t->items[i]);
		}
		buf_add_char(b, '}');
		break;
	case JSON_NULL: buf_add_str(b, STR("interface {}(nil)")); break;
	case JSON_STRING: quote_put(b, t->text); break;
	case JSON_BOOL:
	case JSON_NUMBER: tree_put(b, t); break;
	}
}

/* As messages show a value: Go's %v, or its %#v. */
static str go_text(struct fields *w, const struct tree *t, bool with_type)
{
	struct buf b;

	buf_init(&b, JSON_TEXT_MAX);
	if (with_type)
		put_syntax(&b, t);
	else
		smp_put_go(&b, t);
	str text = str_slice(buf_str(&b), 0, SHOWN_MAX);
	str to = arena_fmt(w->arena, with_type ? "&value.valueUnstructured{Value:%.*s}" : "&{%.*s}",
		STR_ARG(text));

	buf_free(&b);
	return to;
}

static str go_type(const struct tree *t)
{
	switch (t->kind) {
	case JSON_STRING: return STR("string");
	case JSON_BOOL: return STR("bool");
	case JSON_ARRAY: return STR("[]interface {}");
	case JSON_OBJECT: return STR("map[string]interface {}");
	default: return STR("nil");
	}
}

static void check_scalar(struct checker *c, const struct way *way, const struct view *v)
{
	enum json_kind have = v->tree->kind;

	if (v->form == VIEW_NULL)
		return;
	switch ((enum field_kind)v->kind.field->kind) {
	case KIND_INT32:
	case KIND_INT64:
	case KIND_FLOAT64:
		if (have != JSON_NUMBER)
			complain(c, way, "expected numeric (int or float), got ", go_type(v->tree));
		break;
	case KIND_BOOL:
		if (have != JSON_BOOL)
			complain(c, way, "expected boolean, got ", go_text(c->w, v->tree, false));
		break;
	case KIND_QUANTITY:
	case KIND_INT_OR_STRING:
		if (v->form != VIEW_SCALAR)
			complain(
				c, way, "expected any scalar, got ", go_text(c->w, v->tree, false));
		break;
	default:
		if (have != JSON_STRING)
			complain(c, way, "expected string, got ", go_text(c->w, v->tree, true));
	}
}

/* The steps to a list's elements, as far as they have any; `*len` is how many do. */
static struct field_step *check_steps(
	struct checker *c, const struct way *way, const struct view *v, size_t *len)
{
	size_t count = view_count(v);
	struct field_step *steps = fields_alloc(c->w, count, sizeof(*steps));
	struct err why;

	for (*len = 0; steps && *len < count; ++*len) {
		struct view element = view_element(c->w, v, *len);

		steps[*len] = (struct field_step){.kind = STEP_INDEX, .index = (int64_t)*len};
		if (v->kind.whole || step_of_element(c->w, &v->kind, &element, &steps[*len], &why))
			continue;
		complain(
			c, way, arena_fmt(c->w->arena, "element %zu: ", *len).at, str_of(why.text));
		break;
	}
	return steps;
}

static void check_list(struct checker *c, const struct way *way, const struct view *v)
{
	struct view none = {.form = VIEW_ABSENT};
	struct groups g = {.len = 0};
	size_t len = 0;
	struct field_step *steps = check_steps(c, way, v, &len);

	if (!v->kind.whole && len == view_count(v))
		g = groups_of(c->w, v, &none);
	for (size_t i = 0; i < len && !c->w->failed; i++) {
		struct view element = view_element(c->w, v, i);
		struct way below = {way, &steps[i]}, step = {NULL, &steps[i]};

		if (g.len && g.at[g.ids[0][i]].first[0] != i) {
			struct buf b;

			buf_init(&b, JSON_TEXT_MAX);
			put_way(&b, &step);
			complain(c, way, "duplicate entries for key ", buf_str(&b));
			buf_free(&b);
		}
		check(c, &below, &element);
	}
}

static void check_map(struct checker *c, const struct way *way, const struct view *v)
{
	struct tree_member *m;

	for (size_t at = 0; (m = tree_next(v->tree, &at));) {
		struct field_step step = step_of_field(m->key);
		struct way below = {way, &step};
		struct fields_kind k;
		bool declared;

		if (!kind_of_member(&v->kind, m->key, &k, &declared)) {
			complain(c, &below, "field not declared in schema", STR(""));
			return;
		}
		struct view value = view_of_tree(k, m->value);

		check(c, &below, &value);
	}
}

static void check(struct checker *c, const struct way *way, const struct view *v)
{
	switch (v->kind.atom) {
	case ATOM_SCALAR: check_scalar(c, way, v); return;
	case ATOM_DEDUCED:
	case ATOM_UNTYPED: return;
	case ATOM_LIST:
		if (v->form == VIEW_LIST)
			check_list(c, way, v);
		else if (v->form != VIEW_NULL)
			complain(c, way, "expected list, got ", go_text(c->w, v->tree, false));
		return;
	case ATOM_STRUCT:
	case ATOM_MAP:
		if (v->form == VIEW_MAP)
			check_map(c, way, v);
		else if (v->form != VIEW_NULL)
			complain(c, way, "expected map, got ", go_text(c->w, v->tree, false));
	}
}

void fields_check(struct fields *w, const struct fielded *o)
{
	struct checker c = {.w = w};
	struct view v = view_of(w, o);

	buf_init(&c.texts, JSON_TEXT_MAX);
	check(&c, NULL, &v);
	str all = buf_str(&c.texts);

	if (c.count == 1)
		all = str_slice(all, 3, all.len);
	if (c.count)
		fields_fault(w, ERR_INVALID, "%s%.*s", c.count > 1 ? "errors:" : "", STR_ARG(all));
	buf_free(&c.texts);
}
