#include "apiserver/validation/rules.h"

static bool is_standard(str name) PURE;
static bool is_whole(str name) PURE;

void check_resource_name(struct causes *c, const struct field_path *p, str name)
{
	check_name(c, p, NAME_QUALIFIED, name);
	if (str_find_char(name, '/') >= 0 || is_standard(name))
		return;
	causes_invalid(
		c, p, cause_text(name), "must be a standard resource type or fully qualified");
	causes_invalid(c, p, cause_text(name), "must be a standard resource for containers");
}

void check_resource_value(
	struct causes *c, const struct field_path *p, str name, const struct quantity *q)
{
	struct cause_value value = cause_quantity(c->arena, q);

	if (quantity_sign(q) < 0)
		causes_invalid(c, p, value, "must be greater than or equal to 0");
	if (is_whole(name) && quantity_milli(q) % 1000 != 0)
		causes_invalid(c, p, value, "must be an integer");
}

struct cause_value cause_quantity(struct arena *a, const struct quantity *q)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	quantity_put(&b, q);
	struct cause_value value = cause_text(arena_str(a, buf_str(&b)));
	buf_free(&b);
	return value;
}

void check_limit_range(struct validation *v, const struct field_path *p, const void *o)
{
	const struct limit_range_item *item = o;
	const struct quantity_map *const maps[] = {
		&item->max, &item->min, &item->default_, &item->default_request};
	static const char *const names[] = {"max", "min", "default", "defaultRequest"};

	for (size_t m = 0; m < COUNT_OF(maps); m++)
		for (size_t i = 0; i < maps[m]->len; i++) {
			const struct field_path *at = FIELD_KEY(
				FIELD(p, names[m]), maps[m]->at[i].key);

			check_name(v->causes, at, NAME_QUALIFIED, maps[m]->at[i].key);
		}
	if (!str_eq(item->type, STR("Pod")))
		return;
	if (item->default_.len)
		causes_forbidden(v->causes, FIELD(p, "default"),
			"may not be specified when `type` is 'Pod'");
	if (item->default_request.len)
		causes_forbidden(v->causes, FIELD(p, "defaultRequest"),
			"may not be specified when `type` is 'Pod'");
}

static bool is_standard(str name)
{
	static const str names[] = {STR_INIT("cpu"), STR_INIT("memory"),
		STR_INIT("ephemeral-storage"), STR_INIT("storage")};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return str_starts(name, STR("hugepages-"));
}

/* Counted in whole things: everything that is neither cpu nor bytes. */
static bool is_whole(str name)
{
	static const str names[] = {STR_INIT("pods"), STR_INIT("services"), STR_INIT("secrets"),
		STR_INIT("configmaps"), STR_INIT("persistentvolumeclaims"),
		STR_INIT("replicationcontrollers"), STR_INIT("resourcequotas")};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return str_find_char(name, '/') >= 0;
}
