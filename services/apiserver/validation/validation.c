#include "apiserver/validation/validation.h"

#include "apiserver/validation/rules.h"
#include "lib/schema/walk.h"

static void walk(struct validation *v, const struct type *t, const void *o,
	const struct field_path *p, const struct field_rule *outer);
static bool names(const struct field_rule *rules, str field);
static bool is_free(const struct type *t, const struct field *f, const void *at);
static const struct field_rule *find_rule(
	const struct field_rule *rules, str field, enum rule_kind kind);
static void apply_rules(struct validation *v, const struct field_rule *rules, const struct type *t,
	const struct field *f, const void *at, const struct field_path *p);
static void check_field(struct validation *v, const struct type *t, const struct field *f,
	const void *at, const struct field_path *p);
static void check_enum(struct causes *c, const struct type *t, const struct field *f,
	const void *at, const struct field_path *p, const struct field_rule *values);
static void check_value(
	struct causes *c, str allowed, bool sorted, str value, const struct field_path *p);
static str next_value(str *rest);
static void sort(struct str_list *list);
static bool is_empty(const struct type *t, const struct field *f, const void *at);
static void check_rule(struct causes *c, const struct field_rule *r, const struct type *t,
	const struct field *f, const void *at, const struct field_path *p);
static void check_number(
	struct causes *c, const struct field_rule *r, int64_t value, const struct field_path *p);
static void check_text(
	struct causes *c, const struct field_rule *r, str value, const struct field_path *p);
static void check_unique(struct causes *c, const struct str_list *list, const struct field_path *p);
static int64_t number_at(const struct field *f, const void *at);

void object_validate(const void *now, struct causes *c)
{
	const struct type *t = object_type(now);
	struct validation v = {c, now, NULL};

	check_metadata(c, t, meta_of(now));
	walk(&v, t, now, NULL, NULL);
}

void object_validate_update(const void *now, const void *before, struct causes *c)
{
	const struct type *t = object_type(now);
	const struct kind_rules *k = kind_rules_of(t);
	struct validation v = {c, now, before};

	check_metadata_update(c, meta_of(now), meta_of(before));
	if (k && k->immutable)
		check_immutable(c, now, before, k->immutable);
	if (k && k->update)
		k->update(&v, now, before);
	walk(&v, t, now, NULL, NULL);
}

void object_validate_subresource(
	str subresource, const void *now, const void *before, struct causes *c)
{
	const struct kind_rules *k = kind_rules_of(object_type(now));
	bool ephemeral = str_eq(subresource, STR("ephemeralcontainers"));
	struct validation v = {c, now, before};

	check_metadata_update(c, meta_of(now), meta_of(before));
	if (str_eq(subresource, STR("status")) && k && k->status)
		k->status(&v, now, before);
	if (ephemeral || str_eq(subresource, STR("resize")))
		walk(&v, object_type(now), now, NULL, NULL);
	if (ephemeral)
		check_ephemeral_containers(c, now, before);
}

/*
 * The metadata and status of the root are others' matter. `outer` are the rules of the struct that
 * `o` is inline in.
 */
static void walk(struct validation *v, const struct type *t, const void *o,
	const struct field_path *p, const struct field_rule *outer)
{
	const struct struct_rules *r = rules_of(t);
	const struct field_rule *rules = r ? r->fields : NULL;

	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++) {
		str name = field_name(t, f);
		const void *at = field_at(o, f);
		char text[128];

		if (o == v->root && (str_eq(name, STR("metadata")) || str_eq(name, STR("status"))))
			continue;
		if (f->flags & FIELD_INLINE) {
			if (f->kind == KIND_STRUCT && f->shape == SHAPE_VALUE)
				walk(v, field_type(t, f), at, p, rules);
			continue;
		}
		if (!names(rules, name) && !names(outer, name) && is_free(t, f, at))
			continue;
		size_t len = name.len < sizeof(text) - 1 ? name.len : sizeof(text) - 1;
		memcpy(text, name.at, len);
		text[len] = 0;
		const struct field_rule *moved = find_rule(rules, name, RULE_ROOT);
		const struct field_path *root = moved ? FIELD(NULL, moved->detail) : p;
		const struct field_path *here = FIELD(root, text);
		apply_rules(v, rules, t, f, at, here);
		apply_rules(v, outer, t, f, at, here);
		if (f->kind == KIND_STRING)
			check_enum(v->causes, t, f, at, here, find_rule(rules, name, RULE_VALUES));
		check_field(v, t, f, at, here);
	}
	if (r && r->check)
		r->check(v, p, o);
}

/* The first letter decides it mostly: a pod has some three hundred fields. */
static bool is_of(const struct field_rule *r, str field)
{
	return r->field[0] == field.at[0] && str_eq(field, str_of(r->field));
}

static bool names(const struct field_rule *rules, str field)
{
	for (; rules && rules->field; rules++)
		if (is_of(rules, field))
			return true;
	return false;
}

/* Whether a field that no rule names has nothing to be looked at: values of the schema, structs. */
static bool is_free(const struct type *t, const struct field *f, const void *at)
{
	if (f->kind == KIND_STRING)
		return !field_rules(t, f)->values.len;
	return f->kind != KIND_STRUCT ||
		(f->shape != SHAPE_VALUE && !((const struct any_pointer *)at)->at);
}

static const struct field_rule *find_rule(
	const struct field_rule *rules, str field, enum rule_kind kind)
{
	for (; rules && rules->field; rules++)
		if (rules->kind == kind && is_of(rules, field))
			return rules;
	return NULL;
}

static void apply_rules(struct validation *v, const struct field_rule *rules, const struct type *t,
	const struct field *f, const void *at, const struct field_path *p)
{
	for (; rules && rules->field; rules++)
		if (is_of(rules, field_name(t, f)))
			check_rule(v->causes, rules, t, f, at, p);
}

static void check_field(struct validation *v, const struct type *t, const struct field *f,
	const void *at, const struct field_path *p)
{
	const struct any_list *list = at;
	const struct any_pointer *pointer = at;

	if (f->kind != KIND_STRUCT)
		return;
	switch (f->shape) {
	case SHAPE_VALUE: walk(v, field_type(t, f), at, p, NULL); break;
	case SHAPE_POINTER:
		if (pointer->at)
			walk(v, field_type(t, f), pointer->at, p, NULL);
		break;
	case SHAPE_LIST:
		for (size_t i = 0; i < list->len; i++)
			walk(v, field_type(t, f), (char *)list->at + i * stride(t, f),
				FIELD_INDEX(p, i), NULL);
		break;
	case SHAPE_MAP:
		for (size_t i = 0; i < list->len; i++) {
			const char *entry = (char *)list->at + i * stride(t, f);

			walk(v, field_type(t, f), entry + ENTRY_VALUE,
				FIELD_KEY(p, *(const str *)entry), NULL);
		}
		break;
	}
}

/* Against the values that the schema allows, or a rule in its place. */
static void check_enum(struct causes *c, const struct type *t, const struct field *f,
	const void *at, const struct field_path *p, const struct field_rule *values)
{
	struct text of_schema = field_rules(t, f)->values;
	str allowed = values ? str_of(values->detail)
			     : str_span(t->schema->text + of_schema.at, of_schema.len);
	const struct any_pointer *pointer = at;
	const struct str_list *list = at;

	if (!allowed.len)
		return;
	switch (f->shape) {
	case SHAPE_VALUE:
		if (((const str *)at)->len)
			check_value(c, allowed, !values, *(const str *)at, p);
		else if (!(f->flags & (FIELD_OMITEMPTY | FIELD_OPTIONAL)))
			causes_required(c, p, "%s", "");
		break;
	case SHAPE_POINTER:
		if (pointer->at)
			check_value(c, allowed, !values, *(const str *)pointer->at, p);
		break;
	case SHAPE_LIST:
		for (size_t i = 0; i < list->len; i++)
			check_value(c, allowed, !values, list->at[i],
				values && values->arg ? p : FIELD_INDEX(p, i));
		break;
	default: break;
	}
}

static void check_value(
	struct causes *c, str allowed, bool sorted, str value, const struct field_path *p)
{
	enum { VALUES_MAX = 80 };
	struct str_list all = {arena_get(c->arena, VALUES_MAX * sizeof(str)), 0};

	for (str rest = allowed; rest.at && all.len < VALUES_MAX;) {
		all.at[all.len] = next_value(&rest);
		if (str_eq(all.at[all.len++], value))
			return;
	}
	if (sorted)
		sort(&all);
	causes_not_supported(c, p, cause_text(value), all.at, all.len);
}

/* Words between blanks; one with blanks in it stands in quotes. */
static str next_value(str *rest)
{
	if (!str_starts(*rest, STR("\"")))
		return str_cut(rest, ' ');
	*rest = str_slice(*rest, 1, rest->len);
	str value = str_cut(rest, '"');
	if (rest->len)
		*rest = str_slice(*rest, 1, rest->len);
	else
		*rest = (str){NULL, 0};
	return value;
}

static void sort(struct str_list *list)
{
	for (size_t i = 1; i < list->len; i++)
		for (size_t k = i; k && str_cmp(list->at[k], list->at[k - 1]) < 0; k--) {
			str swap = list->at[k];

			list->at[k] = list->at[k - 1];
			list->at[k - 1] = swap;
		}
}

/* As upstream's len(x) == 0. */
static bool is_empty(const struct type *t, const struct field *f, const void *at)
{
	if (f->shape == SHAPE_LIST || f->shape == SHAPE_MAP)
		return !((const struct any_list *)at)->len;
	return field_is_zero(t, f, at);
}

static void check_rule(struct causes *c, const struct field_rule *r, const struct type *t,
	const struct field *f, const void *at, const struct field_path *p)
{
	const struct any_list *list = at;
	const struct any_pointer *pointer = at;

	if (r->kind == RULE_REQUIRED || r->kind == RULE_NAME_NEEDED) {
		if (is_empty(t, f, at)) {
			causes_required(c, p, "%s", r->detail ? r->detail : "");
			return;
		}
	}
	if (r->kind == RULE_VALUES || r->kind == RULE_ROOT) {
		return;
	} else if (r->kind == RULE_LABELS) {
		check_labels(c, p, at);
	} else if (r->kind == RULE_MAX_ITEMS) {
		if (list->len > (size_t)r->arg)
			causes_too_many(c, p, list->len, (size_t)r->arg);
	} else if (r->kind == RULE_UNIQUE) {
		check_unique(c, at, p);
	} else if (f->shape == SHAPE_POINTER && !pointer->at) {
		return;
	} else if (f->kind == KIND_STRING && f->shape == SHAPE_LIST) {
		for (size_t i = 0; i < list->len; i++)
			check_text(c, r, ((const str *)list->at)[i], FIELD_INDEX(p, i));
	} else if (f->kind == KIND_STRING) {
		check_text(c, r,
			f->shape == SHAPE_POINTER ? *(const str *)pointer->at : *(const str *)at,
			p);
	} else if (f->kind == KIND_INT32 || f->kind == KIND_INT64) {
		check_number(c, r, number_at(f, f->shape == SHAPE_POINTER ? pointer->at : at), p);
	}
}

static void check_number(
	struct causes *c, const struct field_rule *r, int64_t value, const struct field_path *p)
{
	if (r->kind == RULE_NOT_NEGATIVE)
		check_not_negative(c, p, value);
	else if (r->kind == RULE_POSITIVE && value <= 0)
		causes_invalid(c, p, cause_i64(c->arena, value), "must be greater than zero");
	else if (r->kind == RULE_PORT || (r->kind == RULE_PORT_OR_NONE && value))
		check_port(c, p, value);
}

static void check_text(
	struct causes *c, const struct field_rule *r, str value, const struct field_path *p)
{
	if ((r->kind == RULE_NAME || r->kind == RULE_NAME_NEEDED) && value.len)
		check_name(c, p, (enum name_form)r->arg, value);
	else if (r->kind == RULE_MAX_BYTES && value.len > (size_t)r->arg)
		causes_too_long(c, p, (size_t)r->arg);
	else if (r->kind == RULE_IP && value.len)
		check_ip(c, p, value);
}

static void check_unique(struct causes *c, const struct str_list *list, const struct field_path *p)
{
	for (size_t i = 0; i < list->len; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(list->at[i], list->at[k])) {
				causes_duplicate(c, FIELD_INDEX(p, i), cause_text(list->at[i]));
				break;
			}
}

static int64_t number_at(const struct field *f, const void *at)
{
	return f->kind == KIND_INT32 ? *(const int32_t *)at : *(const int64_t *)at;
}
