#include "apiserver/authorization/state.h"
#include "apiserver/authorization/view.h"
#include "lib/api/status.h"
#include "lib/value/quote.h"

/* Nobody grants what he has not: pkg/registry/rbac/escalation_check.go and policybased. */

#define RBAC_GROUP "rbac.authorization.k8s.io"

static bool changes_only_owners(struct arena *a, void *now, void *before);
static bool may(struct authorizer *z, const struct user *u, const char *verb, const char *resource,
	str ns, str name);
static int covers(struct authorizer *z, struct arena *a, const struct user *u, str ns,
	struct rule_list wanted, str *why, struct err *e);
static bool aggregates(void *role);

static struct status_subject subject_of(const struct type *t, const struct object_meta *m)
{
	const char *resource = t == api_type(API_RBAC_ROLE) ? "roles"
		: t == api_type(API_RBAC_CLUSTER_ROLE)      ? "clusterroles"
		: t == api_type(API_RBAC_ROLE_BINDING)      ? "rolebindings"
							    : "clusterrolebindings";

	return (struct status_subject){STR(RBAC_GROUP), str_of(resource), m->name};
}

int authorizer_check_role_write(struct authorizer *z, struct arena *a, const struct user *u, str ns,
	str name, void *now, void *before, struct err *e)
{
	struct rbac_view v = rbac_view(now);
	struct status_subject s = subject_of(object_type(now), v.meta);
	struct str_list star = {(str[]){STR("*")}, 1};
	const struct rbac_policy_rule everything[] = {
		{.verbs = star, .api_groups = star, .resources = star},
		{.verbs = star, .non_resource_urls = star}};
	const struct rule_list all = {everything, COUNT_OF(everything)};
	str why;

	if (user_in_group(u, STR(GROUP_MASTERS)) ||
		may(z, u, "escalate", s.resource.at, ns, name) ||
		(before && changes_only_owners(a, now, before)))
		return 0;
	TRY(covers(z, a, u, ns, (struct rule_list){*v.rules, *v.rule_count}, &why, e));
	if (why.at)
		return status_forbidden(a, e, s, "%.*s", STR_ARG(why));
	if (!aggregates(now) && !(before && aggregates(before)))
		return 0;
	TRY(covers(z, a, u, ns, all, &why, e));
	if (why.at)
		return status_forbidden(
			a, e, s, "must have cluster-admin privileges to use the aggregationRule");
	return 0;
}

/* The rules of the role that is referred to, copied; 404 when there is none. */
static int referred_rules(struct authorizer *z, struct arena *a, const struct rbac_role_ref *ref,
	str ns, struct rule_list *to, struct err *e)
{
	struct rbac_index *x = authorizer_index(z);
	const struct rbac_entry *role = rbac_role_of(x, ref, ns);
	bool cluster = str_eq(ref->kind, STR("ClusterRole"));

	if (role) {
		struct rbac_policy_rule *rules = arena_get(a, role->rules.len * sizeof(*rules) + 1);

		for (size_t i = 0; i < role->rules.len; i++)
			struct_copy(a, api_type(API_RBAC_POLICY_RULE), &role->rules.at[i],
				&rules[i], true);
		*to = (struct rule_list){rules, role->rules.len};
	}
	rbac_index_drop(x);
	if (role)
		return 0;
	return status_not_found(a, e,
		(struct status_subject){
			STR(RBAC_GROUP), cluster ? STR("clusterrole") : STR("role"), ref->name});
}

int authorizer_check_binding_write(struct authorizer *z, struct arena *a, const struct user *u,
	str ns, void *now, void *before, struct err *e)
{
	struct rbac_view v = rbac_view(now);
	bool cluster = str_eq(v.role->kind, STR("ClusterRole"));
	struct rule_list rules;
	str why;

	if (user_in_group(u, STR(GROUP_MASTERS)) ||
		(before && changes_only_owners(a, now, before)) ||
		may(z, u, "bind", cluster ? "clusterroles" : "roles", ns, v.role->name))
		return 0;
	TRY(referred_rules(z, a, v.role, ns, &rules, e));
	TRY(covers(z, a, u, ns, rules, &why, e));
	if (why.at)
		return status_forbidden(
			a, e, subject_of(object_type(now), v.meta), "%.*s", STR_ARG(why));
	return 0;
}

/* The garbage collector may do its work on roles that it could not make. */
static bool changes_only_owners(struct arena *a, void *now, void *before)
{
	void *copy = object_copy(a, now, false);
	struct object_meta *m = rbac_view(copy).meta;
	const struct object_meta *old = rbac_view(before).meta;

	m->owner_references.at = old->owner_references.at;
	m->owner_references.len = old->owner_references.len;
	m->finalizers = old->finalizers;
	m->managed_fields.at = old->managed_fields.at;
	m->managed_fields.len = old->managed_fields.len;
	return object_equal(copy, before);
}

static bool may(struct authorizer *z, const struct user *u, const char *verb, const char *resource,
	str ns, str name)
{
	struct attributes t = {
		.user = u,
		.verb = str_of(verb),
		.is_resource = true,
		.group = STR(RBAC_GROUP),
		.version = STR("*"),
		.resource = str_of(resource),
		.ns = ns,
		.name = name,
	};

	return authorize(z, &t, NULL) == DECISION_ALLOW;
}

static bool aggregates(void *role)
{
	struct rbac_aggregation_rule **r = rbac_view(role).aggregation;

	return r && *r && (*r)->cluster_role_selectors.len > 0;
}

static void put_missing(struct buf *b, const struct user *u)
{
	buf_add_str(b, STR("user "));
	quote_put(b, u->name);
	buf_add_str(b, STR(" (groups=["));
	for (size_t i = 0; i < u->groups.len; i++) {
		if (i > 0)
			buf_add_char(b, ' ');
		quote_put(b, u->groups.at[i]);
	}
	buf_add_str(b, STR("]) is attempting to grant RBAC permissions not currently held:\n"));
}

/* `*why` is absent when the user has all of it. */
static int covers(struct authorizer *z, struct arena *a, const struct user *u, str ns,
	struct rule_list wanted, str *why, struct err *e)
{
	struct rbac_index *x = authorizer_index(z);
	struct rbac_faults faults = {.arena = a};
	struct rule_list owned, missing;
	struct buf b;
	int result = rbac_rules_of(x, a, u, ns, &owned, &faults, e);

	*why = (str){NULL, 0};
	if (result == 0)
		result = rules_missing(a, owned, wanted, &missing, e);
	if (result == 0 && missing.len > 0) {
		buf_init(&b, BUF_NO_LIMIT);
		put_missing(&b, u);
		result = rules_put_missing(&b, a, missing, e);
		if (faults.texts.len > 0) {
			buf_add_str(&b, STR("; resolution errors: ["));
			rbac_put_faults(&b, &faults);
			buf_add_char(&b, ']');
		}
		*why = arena_str(a, buf_str(&b));
		buf_free(&b);
	}
	rbac_index_drop(x);
	return result;
}
