#include "apiserver/authorization/view.h"

struct rbac_view rbac_view(void *object)
{
	const struct type *t = object_type(object);

	if (t == api_type(API_RBAC_CLUSTER_ROLE)) {
		struct rbac_cluster_role *r = object;

		return (struct rbac_view){.meta = &r->metadata,
			.rules = &r->rules.at,
			.rule_count = &r->rules.len,
			.aggregation = &r->aggregation_rule};
	}
	if (t == api_type(API_RBAC_ROLE)) {
		struct rbac_role *r = object;

		return (struct rbac_view){
			.meta = &r->metadata, .rules = &r->rules.at, .rule_count = &r->rules.len};
	}
	if (t == api_type(API_RBAC_CLUSTER_ROLE_BINDING)) {
		struct rbac_cluster_role_binding *b = object;

		return (struct rbac_view){.meta = &b->metadata,
			.subjects = &b->subjects.at,
			.subject_count = &b->subjects.len,
			.role = &b->role_ref};
	}
	struct rbac_role_binding *b = object;

	return (struct rbac_view){.meta = &b->metadata,
		.subjects = &b->subjects.at,
		.subject_count = &b->subjects.len,
		.role = &b->role_ref};
}
