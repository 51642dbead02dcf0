#include "apiserver/validation/rules.h"

static const str group = STR_INIT("rbac.authorization.k8s.io");

static void check_rules(
	struct causes *c, const struct rbac_policy_rule *rules, size_t count, bool namespaced);
static void check_ref(
	struct causes *c, const struct rbac_role_ref *r, const str *kinds, size_t count);
static void check_subject(struct causes *c, const struct field_path *p,
	const struct rbac_subject *s, bool namespaced);

void check_role(struct validation *v, const struct field_path *p, const void *o)
{
	const struct rbac_role *r = o;

	(void)p;
	check_rules(v->causes, r->rules.at, r->rules.len, true);
}

void check_cluster_role(struct validation *v, const struct field_path *p, const void *o)
{
	const struct rbac_cluster_role *r = o;

	check_rules(v->causes, r->rules.at, r->rules.len, false);
	if (r->aggregation_rule && !r->aggregation_rule->cluster_role_selectors.len)
		causes_required(v->causes,
			FIELD(FIELD(p, "aggregationRule"), "clusterRoleSelectors"),
			"at least one clusterRoleSelector required if aggregationRule is non-nil");
}

void check_role_binding(struct validation *v, const struct field_path *p, const void *o)
{
	static const str kinds[] = {STR_INIT("Role"), STR_INIT("ClusterRole")};
	const struct rbac_role_binding *b = o;

	check_ref(v->causes, &b->role_ref, kinds, COUNT_OF(kinds));
	for (size_t i = 0; i < b->subjects.len; i++)
		check_subject(
			v->causes, FIELD_INDEX(FIELD(p, "subjects"), i), &b->subjects.at[i], true);
}

void check_cluster_role_binding(struct validation *v, const struct field_path *p, const void *o)
{
	static const str kinds[] = {STR_INIT("ClusterRole")};
	const struct rbac_cluster_role_binding *b = o;

	check_ref(v->causes, &b->role_ref, kinds, COUNT_OF(kinds));
	for (size_t i = 0; i < b->subjects.len; i++)
		check_subject(
			v->causes, FIELD_INDEX(FIELD(p, "subjects"), i), &b->subjects.at[i], false);
}

void update_role_binding(struct validation *v, const void *now, const void *before)
{
	const struct type *t = object_type(now);
	struct arena *a = v->causes->arena;
	struct cause_value ref = cause_field(a, t, now, "roleRef");

	if (!str_eq(ref.text, cause_field(a, t, before, "roleRef").text))
		causes_invalid(v->causes, FIELD(NULL, "roleRef"), ref, "cannot change roleRef");
}

static void check_rules(
	struct causes *c, const struct rbac_policy_rule *rules, size_t count, bool namespaced)
{
	for (size_t i = 0; i < count; i++) {
		const struct rbac_policy_rule *r = &rules[i];
		const struct field_path *p = FIELD_INDEX(FIELD(NULL, "rules"), i);
		struct cause_value urls = cause_field(
			c->arena, &api_schema.types[API_RBAC_POLICY_RULE], r, "nonResourceURLs");

		if (!r->verbs.len)
			causes_required(
				c, FIELD(p, "verbs"), "verbs must contain at least one value");
		if (r->non_resource_urls.len && namespaced)
			causes_invalid(c, FIELD(p, "nonResourceURLs"), urls,
				"namespaced rules cannot apply to non-resource URLs");
		else if (r->non_resource_urls.len &&
			(r->api_groups.len || r->resources.len || r->resource_names.len))
			causes_invalid(c, FIELD(p, "nonResourceURLs"), urls,
				"rules cannot apply to both regular resources and non-resource "
				"URLs");
		if (r->non_resource_urls.len)
			continue;
		if (!r->api_groups.len)
			causes_required(c, FIELD(p, "apiGroups"),
				"resource rules must supply at least one api group");
		if (!r->resources.len)
			causes_required(c, FIELD(p, "resources"),
				"resource rules must supply at least one resource");
	}
}

static void check_ref(
	struct causes *c, const struct rbac_role_ref *r, const str *kinds, size_t count)
{
	const struct field_path *p = FIELD(NULL, "roleRef");
	bool known = false;

	if (!str_eq(r->api_group, group))
		causes_not_supported(c, FIELD(p, "apiGroup"), cause_text(r->api_group), &group, 1);
	for (size_t i = 0; i < count; i++)
		known |= str_eq(r->kind, kinds[i]);
	if (!known)
		causes_not_supported(c, FIELD(p, "kind"), cause_text(r->kind), kinds, count);
	if (!r->name.len)
		causes_required(c, FIELD(p, "name"), "%s", "");
	else
		check_name(c, FIELD(p, "name"), NAME_PATH_SEGMENT, r->name);
}

static void check_subject(
	struct causes *c, const struct field_path *p, const struct rbac_subject *s, bool namespaced)
{
	static const str kinds[] = {
		STR_INIT("ServiceAccount"), STR_INIT("User"), STR_INIT("Group")};
	static const str core = STR_INIT("");
	bool account = str_eq(s->kind, kinds[0]);

	if (!s->name.len)
		causes_required(c, FIELD(p, "name"), "%s", "");
	if (account) {
		if (s->name.len)
			check_name(c, FIELD(p, "name"), NAME_DNS1123_SUBDOMAIN, s->name);
		if (s->api_group.len)
			causes_not_supported(
				c, FIELD(p, "apiGroup"), cause_text(s->api_group), &core, 1);
		if (!namespaced && !s->namespace.len)
			causes_required(c, FIELD(p, "namespace"), "%s", "");
	} else if (!str_eq(s->kind, kinds[1]) && !str_eq(s->kind, kinds[2])) {
		causes_not_supported(
			c, FIELD(p, "kind"), cause_text(s->kind), kinds, COUNT_OF(kinds));
	} else if (!str_eq(s->api_group, group)) {
		causes_not_supported(c, FIELD(p, "apiGroup"), cause_text(s->api_group), &group, 1);
	}
}
