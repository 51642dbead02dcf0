#include "lib/structural/value.h"

#include "lib/structural/check.h"

#include <stdarg.h>

enum { VALIDATED_JSON_MAX = 64 << 20 };

static void check_value(struct check *k, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct json_item *old, str path);

const struct field_path *check_path(struct check *k, str path)
{
	struct field_path *p;

	if (path.len == 0)
		return k->base;
	p = arena_get(k->arena, sizeof(*p));
	*p = (struct field_path){.parent = k->base, .name = arena_str(k->arena, path).at};
	return p;
}

void check_fail(struct check *k, enum cause_kind kind, str path, struct cause_value value,
	const char *fmt, ...)
{
	va_list args;

	if (k->causes->len >= VALUE_CAUSES_MAX)
		return;
	va_start(args, fmt);
	str what = arena_vfmt(k->arena, fmt, args);
	va_end(args);
	causes_add(k->causes, kind, check_path(k, path), value, "%.*s in body %.*s", STR_ARG(path),
		STR_ARG(what));
}

struct cause_value check_show(struct check *k, const struct json_item *v)
{
	struct buf b;

	if (v->kind == JSON_STRING)
		return cause_text(v->text);
	buf_init(&b, BUF_NO_LIMIT);
	json_put_item(&b, v);
	str text = arena_str(k->arena, buf_str(&b));

	buf_free(&b);
	return cause_json(text);
}

static void add_causes(struct causes *to, const struct causes *from)
{
	for (size_t i = 0; i < from->len && to->len < VALUE_CAUSES_MAX; i++)
		causes_append(to, &from->at[i]);
}

/* What is wrong by another schema, kept apart. */
static struct check apart(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	struct check other = *k;

	other.causes = arena_get(k->arena, sizeof(*other.causes));
	causes_init(other.causes, k->arena);
	other.matched = 0;
	check_value(&other, s, v, NULL, path);
	return other;
}

/* A fault of no field, as upstream has it. */
static void fail_whole(struct check *k, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void fail_whole(struct check *k, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str what = arena_vfmt(k->arena, fmt, args);
	va_end(args);
	if (k->causes->len < VALUE_CAUSES_MAX)
		causes_invalid(k->causes, k->base, cause_text(STR("")), "%.*s", STR_ARG(what));
}

static void take_best(struct check *best, const struct check *one)
{
	if (!best->causes || one->matched > best->matched)
		*best = *one;
}

static void check_any_of(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	struct check best = {.causes = NULL};

	for (size_t i = 0; i < s->any_of.len; i++) {
		struct check one = apart(k, &s->any_of.at[i], v, path);

		if (one.causes->len == 0) {
			k->matched += one.matched;
			return;
		}
		take_best(&best, &one);
	}
	if (!best.causes)
		return;
	fail_whole(k, "\"%.*s\" must validate at least one schema (anyOf)", STR_ARG(path));
	add_causes(k->causes, best.causes);
	k->matched += best.matched;
}

static void check_one_of(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	struct check best = {.causes = NULL};
	size_t valid = 0;

	if (s->one_of.len == 0)
		return;
	for (size_t i = 0; i < s->one_of.len; i++) {
		struct check one = apart(k, &s->one_of.at[i], v, path);

		if (one.causes->len == 0)
			valid++;
		else
			take_best(&best, &one);
	}
	if (valid == 1)
		return;
	if (valid)
		fail_whole(k,
			"\"%.*s\" must validate one and only one schema (oneOf). Found %zu valid "
			"alternatives",
			STR_ARG(path), valid);
	else
		fail_whole(k,
			"\"%.*s\" must validate one and only one schema (oneOf). Found none valid",
			STR_ARG(path));
	if (!valid && best.causes)
		add_causes(k->causes, best.causes);
}

static void check_all_of(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	size_t valid = 0;

	for (size_t i = 0; i < s->all_of.len; i++) {
		struct check one = apart(k, &s->all_of.at[i], v, path);

		valid += one.causes->len == 0;
		add_causes(k->causes, one.causes);
		k->matched += one.matched;
	}
	if (valid != s->all_of.len)
		fail_whole(k, "\"%.*s\" must validate all the schemas (allOf)%s", STR_ARG(path),
			valid ? "" : ". None validated");
}

static void check_alternatives(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	check_any_of(k, s, v, path);
	check_one_of(k, s, v, path);
	check_all_of(k, s, v, path);
	if (s->not &&apart(k, s->not, v, path).causes->len == 0)
		fail_whole(k, "\"%.*s\" must not validate the schema (not)", STR_ARG(path));
	k->matched++;
}

static const struct crd_json_schema_props *property(const struct crd_json_schema_props *s, str name)
{
	for (size_t low = 0, high = s->properties.len; low < high;) {
		size_t middle = (low + high) / 2;
		int order = str_cmp(name, s->properties.at[middle].key);

		if (order == 0)
			return &s->properties.at[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The old value of a member, for ratcheting; `to` holds it. */
static const struct json_item *old_member(
	const struct json_item *old, str key, struct json_item *to)
{
	return old && old->kind == JSON_OBJECT && json_member(old, key, to) ? to : NULL;
}

static void check_members(struct check *k, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct json_item *old, str path)
{
	const struct crd_json_schema_props_or_bool *more = s->additional_properties;
	struct json_walk walk = json_enter(v);
	struct json_item before;

	for (struct json_item m; json_next(&walk, &m);) {
		const struct crd_json_schema_props *p = property(s, m.key);
		str below = arena_fmt(
			k->arena, "%.*s%s%.*s", STR_ARG(path), path.len ? "." : "", STR_ARG(m.key));

		if (k->causes->len >= VALUE_CAUSES_MAX)
			return;
		if (p)
			check_value(k, p, &m, old_member(old, m.key, &before), below);
		else if (more && more->schema)
			check_value(k, more->schema, &m, old_member(old, m.key, &before), below);
		else if (more && !more->allows)
			causes_invalid(k->causes, check_path(k, path), cause_text(m.key),
				"%.*s.%.*s in body is a forbidden property", STR_ARG(path),
				STR_ARG(m.key));
	}
}

static void check_required(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	struct json_item ignored;

	for (size_t i = 0; i < s->required.len; i++) {
		if (json_member(v, s->required.at[i], &ignored) ||
			k->causes->len >= VALUE_CAUSES_MAX)
			continue;
		str below = arena_fmt(k->arena, "%.*s%s%.*s", STR_ARG(path), path.len ? "." : "",
			STR_ARG(s->required.at[i]));

		causes_required(k->causes, check_path(k, below), "%s", "");
	}
}

/* The old item with the same keys; items of other lists have no past. */
static const struct json_item *old_item(struct check *k, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct json_item *old, struct json_item *to)
{
	const struct str_list *keys = &s->x_kubernetes_list_map_keys;
	struct json_walk walk;

	if (!old || old->kind != JSON_ARRAY || keys->len == 0 || v->kind != JSON_OBJECT)
		return NULL;
	walk = json_enter(old);
	while (json_next(&walk, to)) {
		bool same = to->kind == JSON_OBJECT;

		for (size_t i = 0; i < keys->len && same; i++) {
			struct json_item a, b;
			bool has = json_member(v, keys->at[i], &a);

			same = has == json_member(to, keys->at[i], &b) &&
				(!has || item_equal(k->arena, &a, &b));
		}
		if (same)
			return to;
	}
	return NULL;
}

static void check_items(struct check *k, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct json_item *old, str path)
{
	struct json_walk walk = json_enter(v);
	struct json_item before;
	size_t i = 0;

	if (!s->items || !s->items->schema)
		return;
	for (struct json_item m; json_next(&walk, &m); i++) {
		if (k->causes->len >= VALUE_CAUSES_MAX)
			return;
		check_value(k, s->items->schema, &m, old_item(k, s, &m, old, &before),
			arena_fmt(k->arena, "%.*s[%zu]", STR_ARG(path), i));
	}
}

static void check_all(struct check *k, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct json_item *old, str path)
{
	bool typed = check_type(k, s, v, path);

	k->matched += typed;
	if (v->kind != JSON_NULL) {
		check_alternatives(k, s, v, path);
		check_limits(k, s, v, path);
		if (v->kind == JSON_ARRAY)
			check_items(k, s, v, old, path);
	}
	check_enum(k, s, v, path);
	if (v->kind == JSON_OBJECT) {
		check_members(k, s, v, old, path);
		check_required(k, s, v, path);
	}
	k->matched++;
}

/* What is as it was before is forgiven. */
static void check_value(struct check *k, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct json_item *old, str path)
{
	size_t before = k->causes->len;

	check_all(k, s, v, old, path);
	if (k->causes->len > before && old && item_equal(k->arena, v, old))
		k->causes->len = before;
}

/* --- objects */

static bool read_object(struct arena *a, const void *o, struct json_item *to)
{
	struct buf b;
	struct err e;

	buf_init(&b, VALIDATED_JSON_MAX);
	bool ok = object_encode(o, FORMAT_JSON, &b, &e) == 0 &&
		json_parse(a, arena_str(a, buf_str(&b)), to, &e) == 0;

	buf_free(&b);
	return ok;
}

static void validate(struct check *k, str subresource, const struct json_item *now,
	const struct json_item *before)
{
	const struct crd_json_schema_props *s = k->structural->schema;
	struct json_item status, old;

	if (!str_eq(subresource, STR("status"))) {
		check_value(k, s, now, before, STR(""));
		return;
	}
	s = property(s, STR("status"));
	if (!s || !json_member(now, STR("status"), &status))
		return;
	k->base = FIELD(NULL, "status");
	check_value(k, s, &status, old_member(before, STR("status"), &old), STR(""));
	k->base = NULL;
}

void structural_validate(const struct structural *s, str subresource, const void *now,
	const void *before, struct causes *c)
{
	struct check k = {.structural = s, .arena = c->arena, .causes = c};
	struct json_item root, old;
	struct causes were;

	if (!s->schema)
		return;
	if (!read_object(c->arena, now, &root) ||
		(before && !read_object(c->arena, before, &old))) {
		causes_invalid(c, NULL, cause_text(STR("")), "the object is too large");
		return;
	}
	validate(&k, subresource, &root, before ? &old : NULL);
	causes_init(&were, c->arena);
	if (before)
		check_list_types(&were, s->schema, &old, NULL);
	if (were.len == 0)
		check_list_types(c, s->schema, &root, NULL);
}

void structural_validate_json(const struct structural *s,
	const struct crd_json_schema_props *schema, str json, const struct field_path *base,
	struct causes *c)
{
	struct check k = {.structural = s, .arena = c->arena, .causes = c, .base = base};
	struct json_item root;
	struct err e;

	if (json_parse(c->arena, json, &root, &e) < 0)
		causes_invalid(c, base, cause_text(STR("")), "%s", e.text);
	else
		check_value(&k, schema, &root, NULL, STR(""));
}
