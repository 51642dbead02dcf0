/*
 * The roles and bindings that every cluster has, as text, and how they come into the storage: at
 * each start what is missing is added, what was added by others stays, and what carries
 * rbac.authorization.kubernetes.io/autoupdate: "false" is left alone. A role that aggregates others
 * starts empty; a controller fills it.
 *
 * Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy at v1.36 with default feature gates;
 * component-helpers/auth/rbac/reconciliation.
 */
#pragma once

#include "apiserver/authorization/rules.h"
#include "lib/base/clock.h"

/*
 * Lines of words between blanks. A role is followed by its rules, indented:
 *
 *	role [NAMESPACE/]NAME [is=LABEL]... [of=LABEL]...
 *	 VERBS GROUPS RESOURCES [NAMES]
 *	 VERBS URLS
 *	binding [NAMESPACE/]NAME [Role:]ROLE [user=|group=|account=SUBJECT]...
 *
 * Lists have commas, "" is the core group. `is` labels the role for aggregation, `of` aggregates
 * what is labelled so. A binding is to a ClusterRole unless "Role:" says otherwise.
 */
extern const char bootstrap_roles[];
extern const char bootstrap_controller_roles[];
extern const char bootstrap_bindings[];

/* Objects of rbac/v1, each a ClusterRole, Role, ClusterRoleBinding or RoleBinding. */
struct bootstrap_policy {
	struct object **at;
	size_t len, cap;
};

/* Reads the texts. The objects lie in the arena. */
void bootstrap_policy_read(struct arena *a, struct bootstrap_policy *to);

/* The rules of the cluster role `name`; none if there is none. */
struct rule_list bootstrap_policy_rules(const struct bootstrap_policy *p, str name);

/*
 * `*now` becomes what is to be stored in the place of `before` (NULL: there is none), or NULL when
 * nothing is to be done. `*recreate`: the binding refers to another role, which no update may
 * change.
 */
NODISCARD int bootstrap_reconcile(struct arena *a, const struct object *wanted,
	const struct object *before, struct object **now, bool *recreate, struct err *e);

/* Brings all of it into the storage; blocks. May run at several servers at once. */
NODISCARD int bootstrap_policy_ensure(
	struct storage *s, const struct clock *clock, struct random *random, struct err *e);
