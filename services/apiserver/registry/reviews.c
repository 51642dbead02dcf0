/*
 * Reviews: questions about a user, answered and forgotten (pkg/registry/authentication,
 * pkg/registry/authorization), and tokens of service accounts (pkg/registry/core/serviceaccount).
 */
#include "apiserver/registry/strategies.h"

enum { TOKEN_LIFE_MIN_S = 600 };

static int review(struct operation *op, const struct user *u,
	const struct authorization_resource_attributes *r,
	const struct authorization_non_resource_attributes *n,
	struct authorization_subject_access_review_status *to, struct err *e);
static int check_one(
	struct operation *op, const char *kind, bool resource, bool other, struct err *e);
static struct user *named_user(
	struct operation *op, const struct authorization_subject_access_review_spec *s);
static int bind_token(struct operation *op, const struct authentication_bound_object_reference *r,
	struct token_claims *c, struct err *e);

int create_token_review(struct operation *op, void *object, void **to, struct err *e)
{
	struct authentication_token_review *r = object;
	struct str_list agreed = {NULL, 0};
	struct user *user;
	struct err why;

	if (!r->spec.token.len)
		return status_fail(op->arena, e, STATUS_BAD_REQUEST,
			"token is required for TokenReview in authentication");
	memset(&r->status, 0, sizeof(r->status));
	if (authenticate_token(op->registry->o.authenticator, op->arena, r->spec.token,
		    &r->spec.audiences, &user, &agreed, &why) < 0) {
		r->status.error = arena_str(op->arena, str_of(why.text));
	} else {
		r->status.authenticated = true;
		user_info(op->arena, user, &r->status.user);
		r->status.audiences = agreed;
		counted_drop(&user->counted);
	}
	*to = r;
	return 0;
}

int create_self_subject_review(struct operation *op, void *object, void **to, struct err *e)
{
	struct authentication_self_subject_review *r = object;

	(void)e;
	user_info(op->arena, op->user, &r->status.user_info);
	r->metadata.creation_timestamp = meta_now(op->registry->o.clock);
	*to = r;
	return 0;
}

int create_subject_access_review(struct operation *op, void *object, void **to, struct err *e)
{
	struct authorization_subject_access_review *r = object;
	struct user *user = named_user(op, &r->spec);

	*to = r;
	int done = review(op, user, r->spec.resource_attributes, r->spec.non_resource_attributes,
		&r->status, e);
	counted_drop(&user->counted);
	return done;
}

int create_local_access_review(struct operation *op, void *object, void **to, struct err *e)
{
	struct authorization_local_subject_access_review *r = object;

	if (r->spec.resource_attributes && !str_eq(r->spec.resource_attributes->namespace, op->ns))
		return status_fail(op->arena, e, STATUS_BAD_REQUEST,
			"spec.resourceAttributes.namespace must match namespace: %.*s",
			STR_ARG(op->ns));
	struct user *user = named_user(op, &r->spec);
	*to = r;
	int done = review(op, user, r->spec.resource_attributes, r->spec.non_resource_attributes,
		&r->status, e);
	counted_drop(&user->counted);
	return done;
}

int create_self_access_review(struct operation *op, void *object, void **to, struct err *e)
{
	struct authorization_self_subject_access_review *r = object;

	*to = r;
	return review(op, op->user, r->spec.resource_attributes, r->spec.non_resource_attributes,
		&r->status, e);
}

int create_rules_review(struct operation *op, void *object, void **to, struct err *e)
{
	struct authorization_self_subject_rules_review *r = object;

	if (!r->spec.namespace.len)
		return status_fail(op->arena, e, STATUS_BAD_REQUEST, "no namespace on request");
	*to = r;
	return authorizer_rules(
		op->registry->o.authorizer, op->arena, op->user, r->spec.namespace, &r->status, e);
}

int create_token(struct operation *op, void *object, void **to, struct err *e)
{
	struct authentication_token_request *r = object;
	struct service_account *account;
	struct stored *stored;
	int64_t expires_s;

	TRY(store_read(op, false, &stored, e));
	int read = store_decode(op, stored, (void **)&account, e);
	counted_drop(&stored->counted);
	TRY(read);
	struct token_claims c = {
		.ns = op->ns,
		.service_account = op->name,
		.service_account_uid = account->metadata.uid,
		.audiences = r->spec.audiences,
		.expires_in_s = r->spec.expiration_seconds ? *r->spec.expiration_seconds : 3600,
	};
	if (c.expires_in_s < TOKEN_LIFE_MIN_S) {
		struct causes causes;

		causes_init(&causes, op->arena);
		causes_invalid(&causes, FIELD(FIELD(NULL, "spec"), "expirationSeconds"),
			cause_i64(op->arena, c.expires_in_s),
			"may not specify a duration less than 10 minutes");
		return status_invalid(op->arena, e,
			(struct status_subject){
				STR("authentication.k8s.io"), STR("TokenRequest"), STR("")},
			&causes);
	}
	if (r->spec.bound_object_ref)
		TRY(bind_token(op, r->spec.bound_object_ref, &c, e));
	TRY(authenticator_issue(
		op->registry->o.authenticator, op->arena, &c, &r->status.token, &expires_s, e));
	r->status.expiration_timestamp = time_from_seconds(expires_s);
	r->metadata.name = op->name;
	r->metadata.namespace = op->ns;
	r->metadata.creation_timestamp = meta_now(op->registry->o.clock);
	*to = r;
	return 0;
}

static int review(struct operation *op, const struct user *u,
	const struct authorization_resource_attributes *r,
	const struct authorization_non_resource_attributes *n,
	struct authorization_subject_access_review_status *to, struct err *e)
{
	struct attributes t = {.user = u};
	struct buf reason;

	TRY(check_one(op, "SubjectAccessReview", r != NULL, n != NULL, e));
	if (r) {
		t.is_resource = true;
		t.verb = r->verb;
		t.group = r->group;
		t.version = r->version;
		t.resource = r->resource;
		t.subresource = r->subresource;
		t.ns = r->namespace;
		t.name = r->name;
	} else {
		t.verb = n->verb;
		t.path = n->path;
	}
	buf_init(&reason, BUF_NO_LIMIT);
	enum decision d = authorize(op->registry->o.authorizer, &t, &reason);
	memset(to, 0, sizeof(*to));
	to->allowed = d == DECISION_ALLOW;
	to->denied = d == DECISION_DENY;
	to->reason = arena_str(op->arena, buf_str(&reason));
	buf_free(&reason);
	return 0;
}

static int check_one(
	struct operation *op, const char *kind, bool resource, bool other, struct err *e)
{
	struct causes c;
	const struct field_path *p = FIELD(FIELD(NULL, "spec"), "resourceAttributes");

	if (resource != other)
		return 0;
	causes_init(&c, op->arena);
	causes_invalid(&c, p, cause_json(STR("null")),
		resource ? "cannot be specified in combination with resourceAttributes"
			 : "exactly one of nonResourceAttributes or resourceAttributes must be "
			   "specified");
	return status_invalid(op->arena, e,
		(struct status_subject){STR("authorization.k8s.io"), str_of(kind), STR("")}, &c);
}

static struct user *named_user(
	struct operation *op, const struct authorization_subject_access_review_spec *s)
{
	struct user_extra *extra = arena_get(op->arena, s->extra.len * sizeof(*extra) + 1);

	for (size_t i = 0; i < s->extra.len; i++)
		extra[i] = (struct user_extra){s->extra.at[i].key, s->extra.at[i].value.items};
	return user_new(&(struct user){.name = s->user,
		.uid = s->uid,
		.groups = s->groups,
		.extra = extra,
		.extra_count = s->extra.len});
}

/* What the token is bound to exists, and is what the caller takes it for. */
static int bind_token(struct operation *op, const struct authentication_bound_object_reference *r,
	struct token_claims *c, struct err *e)
{
	static const struct {
		str kind, plural;
	} kinds[] = {
		{STR_INIT("Pod"), STR_INIT("pods")},
		{STR_INIT("Secret"), STR_INIT("secrets")},
		{STR_INIT("Node"), STR_INIT("nodes")},
	};
	str *const names[] = {&c->pod, &c->secret, &c->node};
	str *const uids[] = {&c->pod_uid, &c->secret_uid, &c->node_uid};
	size_t at = 0;
	struct stored *stored;
	void *object;

	while (at < COUNT_OF(kinds) && !str_eq(r->kind, kinds[at].kind))
		at++;
	if (at == COUNT_OF(kinds))
		return status_fail(op->arena, e, STATUS_BAD_REQUEST,
			"cannot bind token for serviceaccount \"%.*s\" to object kind \"%.*s\"",
			STR_ARG(op->name), STR_ARG(r->kind));
	struct operation on = *op;
	on.resource = resource_find(STR(""), STR("v1"), kinds[at].plural);
	on.name = r->name;
	on.ns = on.resource->namespaced ? op->ns : STR("");
	TRY(store_read(&on, false, &stored, e));
	int read = stored_decode(op->arena, stored, &object, e);
	str uid = read == 0 ? arena_str(op->arena, meta_of(object)->uid) : STR("");
	counted_drop(&stored->counted);
	TRY(read);
	if (r->uid.len && !str_eq(r->uid, uid))
		return status_conflict(op->arena, e,
			(struct status_subject){STR(""), kinds[at].plural, r->name},
			"the UID in the bound object reference (%.*s) does not match the UID in "
			"record. The object might have been deleted and then recreated",
			STR_ARG(r->uid));
	*names[at] = r->name;
	*uids[at] = uid;
	return 0;
}
