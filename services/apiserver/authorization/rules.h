/*
 * RBAC's rules by themselves: what one allows, which cover which, and how messages show them.
 * Pure functions over decoded objects.
 *
 * Source: pkg/apis/rbac/v1/evaluation_helpers.go, pkg/registry/rbac/validation/policy_compact.go,
 * component-helpers/auth/rbac/validation.
 */
#pragma once

#include "api/rbac_v1.h"
#include "apiserver/authorization/authorizer.h"

/* A list as objects hold it, named, so that functions can take it. */
struct rule_list {
	const struct rbac_policy_rule *at;
	size_t len;
};

bool rule_allows(const struct rbac_policy_rule *r, const struct attributes *t);

/*
 * The parts of `wanted`, each of one verb and one resource or URL, that no rule of `owned` covers,
 * in their order. Bounded by the arena: ERR_LIMIT.
 */
NODISCARD int rules_missing(struct arena *a, struct rule_list owned, struct rule_list wanted,
	struct rule_list *to, struct err *e);

/* Rules that differ in their verbs alone become one; sorted lines as upstream's messages show
 * them. */
NODISCARD int rules_put_missing(
	struct buf *b, struct arena *a, struct rule_list rules, struct err *e);
