/*
 * Authorization: may this user do that. Modes are asked in the order of --authorization-mode; the
 * first that allows or denies decides. Members of system:masters may do everything.
 *
 * Nothing here blocks: RBAC's rules and the node authorizer's graph are kept in memory from watches
 * on the storage, as counted immutable indexes, published whole.
 *
 * Threading: any. Source: plugin/pkg/auth/authorizer/{rbac,node}; apiserver/pkg/authorization.
 */
#pragma once

#include "apiserver/authentication/user.h"
#include "apiserver/storage/storage.h"
#include "lib/base/buf.h"
#include "lib/value/selector.h"

struct authorizer;

enum authorization_mode { AUTHZ_NODE, AUTHZ_RBAC, AUTHZ_ALWAYS_ALLOW, AUTHZ_ALWAYS_DENY };

struct authorizer_options {
	struct storage *storage;
	struct loop *loop;     /* keeps the indexes up to date */
	struct storage_io *io; /* of that loop */
	enum authorization_mode modes[4];
	size_t mode_count;
};

NODISCARD int authorizer_open(
	const struct authorizer_options *o, struct authorizer **to, struct err *e);

/* When its loop has ended. */
void authorizer_close(struct authorizer *z);

/* False until the rules have been read once. For /readyz. */
bool authorizer_ready(struct authorizer *z);

struct attributes {
	const struct user *user;
	str verb; /* lower case: get list watch create update patch delete deletecollection ... */
	bool is_resource;
	str group, version, resource, subresource, ns, name; /* of a resource request */
	str path;                                            /* of any other */

	/* list, watch, deletecollection: what the request is narrowed to; NULL: nothing, or what
	 * could not be parsed. */
	const struct selector *labels, *fields;
};

enum decision { DECISION_NO_OPINION, DECISION_ALLOW, DECISION_DENY };

/* `reason` may be NULL. */
enum decision authorize(struct authorizer *z, const struct attributes *t, struct buf *reason);

/* Everything that the user may do in a namespace, for SelfSubjectRulesReview. */
struct authorization_subject_rules_review_status;
NODISCARD int authorizer_rules(struct authorizer *z, struct arena *a, const struct user *u, str ns,
	struct authorization_subject_rules_review_status *to, struct err *e);

/*
 * May the user write this role or binding: nobody grants what he has not himself, unless he may
 * "escalate" the role or "bind" the one that is referred to. For the registry, on create (`before`
 * NULL) and update of roles, clusterroles, rolebindings and clusterrolebindings; `ns` and `name`
 * are the request's, absent where it has none. The error is the Status to answer: 403 that names
 * what is missing, 404 for a binding to no role.
 */
NODISCARD int authorizer_check_role_write(struct authorizer *z, struct arena *a,
	const struct user *u, str ns, str name, void *now, void *before, struct err *e);
NODISCARD int authorizer_check_binding_write(struct authorizer *z, struct arena *a,
	const struct user *u, str ns, void *now, void *before, struct err *e);
