#include "lib/client/meta.h"

#include <stddef.h>

static const struct {
	str text;
	enum selector_op op;
} operators[] = {
	{STR_INIT("In"), SELECTOR_IN},
	{STR_INIT("NotIn"), SELECTOR_NOT_IN},
	{STR_INIT("Exists"), SELECTOR_EXISTS},
	{STR_INIT("DoesNotExist"), SELECTOR_NOT_EXISTS},
};

struct object_meta *meta_of(const void *object)
{
	return field_at(object, type_field(object_type(object), STR("metadata")));
}

const struct resource *meta_resource(enum api_type type)
{
	for (size_t i = 0; i < api_resource_count; i++) {
		if (api_resources[i].type == type)
			return &api_resources[i];
	}
	return NULL;
}

const struct owner_reference *meta_controller(const struct object_meta *m)
{
	for (size_t i = 0; i < m->owner_references.len; i++) {
		const struct owner_reference *r = &m->owner_references.at[i];

		if (r->controller && *r->controller)
			return r;
	}
	return NULL;
}

bool meta_controlled_by(const struct object_meta *m, const struct object_meta *owner)
{
	const struct owner_reference *r = meta_controller(m);

	return r && str_eq(r->uid, owner->uid);
}

struct owner_reference meta_controller_ref(struct arena *a, const void *owner)
{
	const struct object *o = owner;
	const struct object_meta *m = meta_of(owner);

	return (struct owner_reference){
		.api_version = o->api_version,
		.kind = o->kind,
		.name = m->name,
		.uid = m->uid,
		.controller = arena_bool(a, true),
		.block_owner_deletion = arena_bool(a, true),
	};
}

void meta_add_owner(struct arena *a, struct object_meta *m, struct owner_reference r)
{
	size_t len = m->owner_references.len;
	struct owner_reference *all = arena_get(a, (len + 1) * sizeof(*all));

	if (len > 0)
		memcpy(all, m->owner_references.at, len * sizeof(*all));
	all[len] = r;
	m->owner_references.at = all;
	m->owner_references.len = len + 1;
}

bool meta_has_finalizer(const struct object_meta *m, str name)
{
	for (size_t i = 0; i < m->finalizers.len; i++) {
		if (str_eq(m->finalizers.at[i], name))
			return true;
	}
	return false;
}

void meta_add_finalizer(struct arena *a, struct object_meta *m, str name)
{
	size_t len = m->finalizers.len;
	str *all = arena_get(a, (len + 1) * sizeof(*all));

	if (len > 0)
		memcpy(all, m->finalizers.at, len * sizeof(*all));
	all[len] = name;
	m->finalizers = (struct str_list){all, len + 1};
}

bool meta_remove_finalizer(struct arena *a, struct object_meta *m, str name)
{
	str *left = arena_get(a, m->finalizers.len * sizeof(*left) + 1);
	size_t len = 0;

	for (size_t i = 0; i < m->finalizers.len; i++) {
		if (!str_eq(m->finalizers.at[i], name))
			left[len++] = m->finalizers.at[i];
	}
	bool removed = len < m->finalizers.len;

	m->finalizers = (struct str_list){left, len};
	return removed;
}

static bool operator_of(str text, enum selector_op *to)
{
	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		if (str_eq(operators[i].text, text)) {
			*to = operators[i].op;
			return true;
		}
	}
	return false;
}

static void sort_requirements(struct selector *s)
{
	for (size_t i = 1; i < s->len; i++) {
		struct selector_requirement moving = s->at[i];
		size_t at = i;

		for (; at > 0 && str_cmp(moving.key, s->at[at - 1].key) < 0; at--)
			s->at[at] = s->at[at - 1];
		s->at[at] = moving;
	}
}

int meta_selector(
	struct arena *a, const struct label_selector *from, struct meta_selector *to, struct err *e)
{
	struct meta_selector s = {.nothing = !from};

	if (from) {
		size_t labels = from->match_labels.len, all = labels + from->match_expressions.len;

		s = meta_selector_of_map(a, &from->match_labels);
		struct selector_requirement *rows = arena_get(a, all * sizeof(*rows) + 1);

		if (labels > 0)
			memcpy(rows, s.selector.at, labels * sizeof(*rows));
		for (size_t i = 0; i < from->match_expressions.len; i++) {
			const struct label_selector_requirement *x = &from->match_expressions.at[i];
			struct str_list values = {
				arena_get(a, x->values.len * sizeof(str) + 1), x->values.len};
			enum selector_op op;

			if (!operator_of(x->operator, & op))
				return err_set(e, ERR_INVALID,
					"\"%.*s\" is not a valid label selector operator",
					STR_ARG(x->operator));
			if (values.len > 0)
				memcpy(values.at, x->values.at, values.len * sizeof(str));
			TRY(selector_require(
				x->key, op, values, (str){NULL, 0}, &rows[labels + i], e));
		}
		s.selector = (struct selector){rows, all};
		sort_requirements(&s.selector);
	}
	*to = s;
	return 0;
}

struct meta_selector meta_selector_of_map(struct arena *a, const struct str_map *m)
{
	struct meta_selector s = {.selector.len = m->len};

	s.selector.at = arena_get(a, m->len * sizeof(*s.selector.at) + 1);
	for (size_t i = 0; i < m->len; i++) {
		str *value = arena_get(a, sizeof(*value));

		*value = m->at[i].value;
		s.selector.at[i] = (struct selector_requirement){
			.key = m->at[i].key, .op = SELECTOR_EQUALS, .values = {value, 1}};
	}
	return s;
}

str meta_key(struct arena *a, str ns, str name)
{
	if (ns.len == 0)
		return arena_str(a, name);
	return arena_fmt(a, "%.*s/%.*s", STR_ARG(ns), STR_ARG(name));
}

void meta_split_key(str key, str *ns, str *name)
{
	ptrdiff_t slash = str_find_char(key, '/');

	*ns = slash < 0 ? STR("") : str_slice(key, 0, (size_t)slash);
	*name = slash < 0 ? key : str_slice(key, (size_t)slash + 1, key.len);
}

str meta_random_suffix(struct arena *a, struct random *r, size_t len)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	char *to = arena_get(a, len + 1);

	for (size_t i = 0; i < len; i++)
		to[i] = letters[random_below(r, sizeof(letters) - 1)];
	return str_span(to, len);
}

struct time_value meta_now(const struct clock *c)
{
	return (struct time_value){.seconds = c->wall_ns(c) / NS_PER_S, .set = true};
}

struct time_value meta_now_micro(const struct clock *c)
{
	int64_t now_ns = c->wall_ns(c);

	return (struct time_value){.seconds = now_ns / NS_PER_S,
		.nanos = (int32_t)(now_ns % NS_PER_S / 1000 * 1000),
		.set = true};
}
