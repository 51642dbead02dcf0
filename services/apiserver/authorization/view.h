/*
 * The four kinds of RBAC seen alike: roles differ from cluster roles, and bindings from cluster
 * bindings, in little but their names.
 */
#pragma once

#include "api/kinds.h"

/* Where the parts lie in the object; what it has not is NULL. */
struct rbac_view {
	struct object_meta *meta;
	struct rbac_policy_rule **rules;
	size_t *rule_count;
	struct rbac_aggregation_rule **aggregation;
	struct rbac_subject **subjects;
	size_t *subject_count;
	struct rbac_role_ref *role;
};

/* The object is of one of the four types. */
struct rbac_view rbac_view(void *object);
