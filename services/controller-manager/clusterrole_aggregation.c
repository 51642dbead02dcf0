/*
 * clusterrole-aggregation-controller: a cluster role with an aggregation rule has the rules of all
 * cluster roles that the rule selects.
 * Source: pkg/controller/clusterroleaggregation.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/objects.h"

#define NAME "clusterrole-aggregation-controller"

/* Any change may matter to any aggregated role. */
static void role_changed(
	struct controller_run *r, UNUSED const void *before, UNUSED const void *now)
{
	struct view *roles = informer_view(informers_of(r->env.informers, API_RBAC_CLUSTER_ROLE));
	struct view_walk all = view_all(roles, (str){NULL, 0});

	view_each(const struct rbac_cluster_role *, role, &all)
	{
		if (role->aggregation_rule)
			run_enqueue(r, role);
	}
	view_drop(roles);
}

static bool has_rule(const struct rbac_cluster_role *to, const struct rbac_policy_rule *rule)
{
	for (size_t i = 0; i < to->rules.len; i++) {
		if (struct_equal(api_type(API_RBAC_POLICY_RULE), &to->rules.at[i], rule))
			return true;
	}
	return false;
}

static void add_rules(struct pass *p, struct rbac_cluster_role *to,
	const struct rbac_cluster_role *from, size_t *cap)
{
	for (size_t i = 0; i < from->rules.len; i++) {
		void *at = to->rules.at;

		if (has_rule(to, &from->rules.at[i]))
			continue;
		if (arena_grow(p->arena, &at, to->rules.len, cap, sizeof(*to->rules.at)) < 0)
			return;
		to->rules.at = at;
		to->rules.at[to->rules.len++] = from->rules.at[i];
	}
}

static bool same_rules(const struct rbac_cluster_role *a, const struct rbac_cluster_role *b)
{
	if (a->rules.len != b->rules.len)
		return false;
	for (size_t i = 0; i < a->rules.len; i++)
		if (!struct_equal(api_type(API_RBAC_POLICY_RULE), &a->rules.at[i], &b->rules.at[i]))
			return false;
	return true;
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct rbac_cluster_role *seen = pass_get(p, API_RBAC_CLUSTER_ROLE, STR(""), p->name);
	struct rbac_cluster_role *next;
	size_t cap = 0;

	if (!seen || !seen->aggregation_rule)
		return 0;
	next = pass_new(p, API_RBAC_CLUSTER_ROLE, STR(""), p->name);
	for (size_t i = 0; i < seen->aggregation_rule->cluster_role_selectors.len; i++) {
		struct view_walk all = pass_list(p, API_RBAC_CLUSTER_ROLE, (str){NULL, 0});
		struct meta_selector s;

		TRY(meta_selector(
			p->arena, &seen->aggregation_rule->cluster_role_selectors.at[i], &s, e));
		view_each(const struct rbac_cluster_role *, role, &all)
		{
			if (role != seen && meta_matches(&s, &role->metadata.labels))
				add_rules(p, next, role, &cap);
		}
	}
	return same_rules(seen, next) ? 0 : pass_apply(p, next, STR(NAME), e);
}

const struct controller clusterrole_aggregation_controller = {
	.name = NAME,
	.account = NAME,
	.watches = {{API_RBAC_CLUSTER_ROLE, role_changed}},
	.works = {{"cluster_role_aggregator", 5, reconcile}},
};
