/*
 * RBAC over one moment of its objects: an index from subjects to bindings, made anew when one of
 * them has changed; each object is decoded once.
 *
 * Ownership: entries and indexes are counted and immutable; an index holds its entries. Threading:
 * any. Source: plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go.
 */
#pragma once

#include "apiserver/authorization/rules.h"

/* A role or a binding, whatever its scope: the two kinds differ in their namespace alone. */
struct rbac_entry {
	struct counted counted;
	struct arena arena; /* of what follows */
	bool is_role;       /* else a binding */
	str ns, name;       /* ns absent for cluster-wide ones */
	struct rule_list rules;
	const struct rbac_subject *subjects;
	size_t subject_count;
	struct rbac_role_ref role;
};

/* From a decoded object of one of RBAC's four kinds, which the entry copies. */
struct rbac_entry *rbac_entry_new(const void *object);

struct rbac_index;

/* Takes a reference of each entry. */
struct rbac_index *rbac_index_new(struct rbac_entry *const *entries, size_t count);
void rbac_index_take(struct rbac_index *x);
void rbac_index_drop(struct rbac_index *x);

/* DECISION_ALLOW or DECISION_NO_OPINION. `reason` may be NULL. */
enum decision rbac_authorize(
	const struct rbac_index *x, const struct attributes *t, struct buf *reason);

/* Roles that bindings refer to and that are not there, each once. */
struct rbac_faults {
	struct arena *arena;
	struct str_list texts;
	size_t cap;
};

/* "a", or "[a, b]". */
void rbac_put_faults(struct buf *b, const struct rbac_faults *f);

/* All rules that hold for the user in `ns` (absent: cluster-wide only). They borrow from the
 * index. */
NODISCARD int rbac_rules_of(const struct rbac_index *x, struct arena *a, const struct user *u,
	str ns, struct rule_list *to, struct rbac_faults *faults, struct err *e);

/* The role that a binding in `ns` refers to; NULL when it is not there. */
const struct rbac_entry *rbac_role_of(
	const struct rbac_index *x, const struct rbac_role_ref *ref, str ns);

/* "clusterrole.rbac.authorization.k8s.io "x" not found", as upstream's lister says it. */
void rbac_put_missing_role(struct buf *b, const struct rbac_role_ref *ref);
