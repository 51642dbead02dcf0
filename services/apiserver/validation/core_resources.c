#include "apiserver/validation/rules.h"

static bool is_standard(str name) PURE;
static bool is_whole(str name) PURE;
static bool is_quota_name(str name) PURE;
static void check_quota_map(
	struct causes *c, const struct field_path *p, const struct quantity_map *m);
static void check_scopes(
	struct validation *v, const struct field_path *p, const struct resource_quota_spec *s);
static void check_scope_selector(
	struct validation *v, const struct field_path *p, const struct resource_quota_spec *s);

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
	return cause_text(quantity_text(a, q));
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

void check_resource_quota_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_quota_spec *s = o;

	check_quota_map(v->causes, FIELD(p, "hard"), &s->hard);
	check_scopes(v, p, s);
	if (s->scope_selector)
		check_scope_selector(v, FIELD(p, "scopeSelector"), s);
}

void check_resource_quota_status(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_quota_status *s = o;

	check_quota_map(v->causes, FIELD(p, "hard"), &s->hard);
	check_quota_map(v->causes, FIELD(p, "used"), &s->used);
}

static bool has_scope(const struct str_list *l, str scope)
{
	for (size_t i = 0; i < l->len; i++)
		if (str_eq(l->at[i], scope))
			return true;
	return false;
}

/* As sets. */
void update_resource_quota(struct validation *v, const void *now, const void *before)
{
	const struct str_list *n = &((const struct resource_quota *)now)->spec.scopes,
			      *b = &((const struct resource_quota *)before)->spec.scopes;
	bool same = true;

	for (size_t i = 0; i < n->len; i++)
		same = same && has_scope(b, n->at[i]);
	for (size_t i = 0; i < b->len; i++)
		same = same && has_scope(n, b->at[i]);
	if (!same)
		causes_invalid(v->causes, FIELD(FIELD(NULL, "spec"), "scopes"),
			cause_field(
				v->causes->arena, api_type(API_RESOURCE_QUOTA), now, "spec.scopes"),
			"field is immutable");
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

/* --- quotas */

enum scope_of { OF_PODS = 1, OF_COMPUTE = 2, OF_CLAIMS = 4, EXISTS_ONLY = 8 };

static const struct {
	str name;
	unsigned of; /* which resources it can narrow */
} scopes[] = {
	{STR_INIT("BestEffort"), OF_PODS | EXISTS_ONLY},
	{STR_INIT("CrossNamespacePodAffinity"), OF_PODS | OF_COMPUTE | EXISTS_ONLY},
	{STR_INIT("NotBestEffort"), OF_PODS | OF_COMPUTE | EXISTS_ONLY},
	{STR_INIT("NotTerminating"), OF_PODS | OF_COMPUTE | EXISTS_ONLY},
	{STR_INIT("PriorityClass"), OF_PODS | OF_COMPUTE},
	{STR_INIT("Terminating"), OF_PODS | OF_COMPUTE | EXISTS_ONLY},
	{STR_INIT("VolumeAttributesClass"), OF_CLAIMS},
};

/* What a quota may name without a group, and which scopes it can have. */
static const struct {
	str name;
	unsigned of;
} quota_names[] = {
	{STR_INIT("cpu"), OF_COMPUTE},
	{STR_INIT("memory"), OF_COMPUTE},
	{STR_INIT("ephemeral-storage"), 0},
	{STR_INIT("requests.cpu"), OF_COMPUTE},
	{STR_INIT("requests.memory"), OF_COMPUTE},
	{STR_INIT("requests.storage"), OF_CLAIMS},
	{STR_INIT("requests.ephemeral-storage"), 0},
	{STR_INIT("limits.cpu"), OF_COMPUTE},
	{STR_INIT("limits.memory"), OF_COMPUTE},
	{STR_INIT("limits.ephemeral-storage"), 0},
	{STR_INIT("pods"), OF_PODS},
	{STR_INIT("resourcequotas"), 0},
	{STR_INIT("services"), 0},
	{STR_INIT("replicationcontrollers"), 0},
	{STR_INIT("secrets"), 0},
	{STR_INIT("persistentvolumeclaims"), OF_CLAIMS},
	{STR_INIT("configmaps"), 0},
	{STR_INIT("services.nodeports"), 0},
	{STR_INIT("services.loadbalancers"), 0},
};

static bool is_quota_name(str name)
{
	for (size_t i = 0; i < COUNT_OF(quota_names); i++)
		if (str_eq(name, quota_names[i].name))
			return true;
	return str_starts(name, STR("hugepages-")) || str_starts(name, STR("requests.hugepages-"));
}

static void check_quota_map(
	struct causes *c, const struct field_path *p, const struct quantity_map *m)
{
	for (size_t i = 0; i < m->len; i++) {
		str name = m->at[i].key;
		const struct field_path *at = FIELD_KEY(p, name);

		check_name(c, at, NAME_QUALIFIED, name);
		if (str_find_char(name, '/') < 0 && !is_quota_name(name)) {
			if (!str_eq(name, STR("storage")))
				causes_invalid(c, at, cause_text(name),
					"must be a standard resource type or fully qualified");
			causes_invalid(
				c, at, cause_text(name), "must be a standard resource for quota");
		}
		check_resource_value(c, at, name, &m->at[i].value);
	}
}

static unsigned flags_of_scope(str scope)
{
	for (size_t i = 0; i < COUNT_OF(scopes); i++)
		if (str_eq(scope, scopes[i].name))
			return scopes[i].of;
	return 0;
}

/* Whether the scope can narrow every standard resource of the list; unknown scopes can. */
static bool suits(unsigned scope, const struct quantity_map *hard)
{
	for (size_t i = 0; scope != 0 && i < hard->len; i++) {
		for (size_t n = 0; n < COUNT_OF(quota_names); n++)
			if (str_eq(hard->at[i].key, quota_names[n].name) &&
				!(quota_names[n].of & scope))
				return false;
		if (str_find(hard->at[i].key, STR("hugepages-")) >= 0)
			return false;
	}
	return true;
}

static bool conflict(const struct str_list *l)
{
	return (has_scope(l, STR("BestEffort")) && has_scope(l, STR("NotBestEffort"))) ||
		(has_scope(l, STR("Terminating")) && has_scope(l, STR("NotTerminating")));
}

static void check_scopes(
	struct validation *v, const struct field_path *p, const struct resource_quota_spec *s)
{
	const struct type *t = api_type(API_RESOURCE_QUOTA_SPEC);
	const struct field_path *at = FIELD(p, "scopes");

	for (size_t i = 0; i < s->scopes.len; i++) {
		unsigned of = flags_of_scope(s->scopes.at[i]);

		if (of == 0)
			causes_invalid(v->causes, at, cause_field(v->causes->arena, t, s, "scopes"),
				"unsupported scope");
		if (!suits(of, &s->hard))
			causes_invalid(v->causes, at, cause_field(v->causes->arena, t, s, "scopes"),
				"unsupported scope applied to resource");
	}
	if (conflict(&s->scopes))
		causes_invalid(v->causes, at, cause_field(v->causes->arena, t, s, "scopes"),
			"conflicting scopes");
}

static void check_scope_operator(struct causes *c, const struct field_path *p,
	const struct scoped_resource_selector_requirement *r)
{
	bool listed = str_eq(r->operator, STR("In")) || str_eq(r->operator, STR("NotIn"));

	if ((flags_of_scope(r->scope_name) & EXISTS_ONLY) && !str_eq(r->operator, STR("Exists")))
		causes_invalid(c, FIELD(p, "operator"), cause_text(r->operator),
			"must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
			"ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
			"ResourceQuotaScopeNotBestEffort or "
			"ResourceQuotaScopeCrossNamespacePodAffinity");
	if (listed && r->values.len == 0)
		causes_required(c, FIELD(p, "values"),
			"must be at least one value when `operator` is 'In' or 'NotIn' for scope "
			"selector");
	else if (!listed && !str_eq(r->operator, STR("Exists")) &&
		!str_eq(r->operator, STR("DoesNotExist")))
		causes_invalid(c, FIELD(p, "operator"), cause_text(r->operator),
			"not a valid selector operator");
	else if (!listed && r->values.len > 0)
		causes_invalid(c, FIELD(p, "values"),
			cause_field(c->arena, api_type(API_SCOPED_RESOURCE_SELECTOR_REQUIREMENT), r,
				"values"),
			"must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope "
			"selector");
}

static void check_scope_selector(
	struct validation *v, const struct field_path *p, const struct resource_quota_spec *s)
{
	const struct scope_selector *selector = s->scope_selector;
	const struct field_path *at = FIELD(p, "matchExpressions");
	struct causes *c = v->causes;
	struct str_list named = {
		arena_get(c->arena, (selector->match_expressions.len + 1) * sizeof(str)), 0};

	for (size_t i = 0; i < selector->match_expressions.len; i++) {
		const struct scoped_resource_selector_requirement *r =
			&selector->match_expressions.at[i];
		unsigned of = flags_of_scope(r->scope_name);

		if (of == 0)
			causes_invalid(c, FIELD(at, "scopeName"), cause_text(r->scope_name),
				"unsupported scope");
		if (!suits(of, &s->hard))
			causes_invalid(c, at,
				cause_struct(c->arena, api_type(API_SCOPE_SELECTOR), selector),
				"unsupported scope applied to resource");
		check_scope_operator(c, at, r);
		named.at[named.len++] = r->scope_name;
	}
	if (conflict(&named))
		causes_invalid(c, at,
			cause_field(c->arena, api_type(API_RESOURCE_QUOTA_SPEC), s, "scopes"),
			"conflicting scopes");
}
