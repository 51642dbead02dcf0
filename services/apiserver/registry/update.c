/*
 * Updates: apiserver/pkg/registry/generic/registry/store.go, Update, over what GuaranteedUpdate of
 * storage/etcd3 does: begin with the cached object, and again with the newest when that was too
 * old.
 */
#include "apiserver/registry/store.h"
#include "apiserver/validation/validation.h"
#include "lib/api/managed.h"
#include "lib/value/quote.h"

enum { UPDATE_TRIES_MAX = 100 };

#define MODIFIED \
	"the object has been modified; please apply your changes to the latest version and try " \
	"again"

/* One update under way. */
struct updating {
	struct operation *op;
	struct updater *updater;
	const struct strategy *strategy;
	const void *options;
	struct stored *stored; /* a reference; NULL: there is none */
	bool newest;           /* `stored` comes from etcd */
	bool again;            /* try once more with what is in `stored` now */
};

static int attempt(struct updating *u, void **to, bool *created, struct err *e);
static int replace(struct updating *u, const void *before, void *now, void **to, struct err *e);
static int create(struct updating *u, void *now, void **to, struct err *e);
static int refresh(struct updating *u, bool *changed, struct err *e);

int registry_update(struct operation *op, struct updater *u, const void *options, void **to,
	bool *created, struct err *e)
{
	struct updating x = {.op = op,
		.updater = u,
		.strategy = strategy_find(op->resource),
		.options = options};
	int result = -1;

	x.stored = storage_get(op->registry->o.storage, op->resource, op->ns, op->name);
	for (int tries = 0; tries < UPDATE_TRIES_MAX; tries++) {
		bool changed = false;

		x.again = false;
		*created = false;
		result = -1;
		if (store_in_time(op, e) < 0)
			break;
		result = attempt(&x, to, created, e);
		if (result == 0 || store_unanswered(e))
			break;
		/* An error that comes of looking at an old state is none. */
		if (!x.again && !x.newest)
			TRY(refresh(&x, &changed, e));
		if (!x.again && !changed)
			break;
	}
	if (x.stored)
		counted_drop(&x.stored->counted);
	return result;
}

/* Takes the newest state from etcd; `changed` if that is another one. Keeps `e` of the attempt. */
static int refresh(struct updating *u, bool *changed, struct err *e)
{
	struct operation *op = u->op;
	struct stored *now = NULL;
	struct err why;

	if (storage_fetch(op->registry->o.storage, op->resource, op->ns, op->name, &now, &why) <
			0 &&
		why.kind != ERR_NOT_FOUND) {
		if (u->stored)
			counted_drop(&u->stored->counted);
		return store_fail(op, op->name, &why, e);
	}
	*changed = !u->stored != !now || (now && now->revision != u->stored->revision);
	if (u->stored)
		counted_drop(&u->stored->counted);
	u->stored = now;
	u->newest = true;
	return 0;
}

static int attempt(struct updating *u, void **to, bool *created, struct err *e)
{
	struct operation *op = u->op;
	bool may_create = u->updater->may_create ||
		(u->strategy && (u->strategy->flags & STRATEGY_CREATE_ON_UPDATE) &&
			!op->subresource.len);
	void *before = NULL, *now;

	if (u->stored)
		TRY(store_decode(op, u->stored, &before, e));
	else if (!may_create)
		return status_not_found(op->arena, e, operation_subject(op, op->name));
	TRY(u->updater->next(u->updater, op->arena, before, &now, e));
	if (before)
		return replace(u, before, now, to, e);
	*created = true;
	return create(u, now, to, e);
}

/* --- what is not there yet */

static int may_create(struct updating *u, struct err *e)
{
	struct operation *op = u->op;
	struct attributes t = {
		.user = op->user,
		.verb = STR("create"),
		.is_resource = true,
		.group = op->resource->group,
		.version = op->resource->version,
		.resource = op->resource->plural,
		.subresource = op->subresource,
		.ns = op->ns,
		.name = op->name,
	};
	char user[QUOTE_MAX];

	if (authorize(op->registry->o.authorizer, &t, NULL) == DECISION_ALLOW)
		return 0;
	return status_forbidden(op->arena, e, operation_subject(op, op->name),
		"User %s cannot create resource \"%.*s\" in API group \"%.*s\"",
		quote(user, op->user->name), STR_ARG(t.resource), STR_ARG(t.group));
}

static int create(struct updating *u, void *now, void **to, struct err *e)
{
	struct operation *op = u->op;
	struct admission_attributes t = store_attributes(op, ADMIT_CREATE, now, NULL, u->options);
	const struct object_meta *m = object_metadata(now);

	if (m->uid.len)
		return status_conflict(op->arena, e, operation_subject(op, op->name),
			"uid mismatch: the provided object specified uid %.*s, and no existing "
			"object was found",
			STR_ARG(m->uid));
	TRY(may_create(u, e));
	TRY(admission_mutate(op->registry->o.admission, &t, e));
	if (store_create(op, t.object, u->options, to, e) == 0)
		return 0;
	/* Somebody was quicker: then it is an update. */
	bool changed;

	if (e->kind == ERR_EXISTS && refresh(u, &changed, e) == 0)
		u->again = u->stored != NULL;
	return -1;
}

/* --- what is there */

static int check_revision(
	struct updating *u, struct object_meta *m, const struct object_meta *old, struct err *e)
{
	struct operation *op = u->op;
	bool unconditional = u->strategy && (u->strategy->flags & STRATEGY_UNCONDITIONAL);
	struct status_subject s = operation_subject(op, op->name);
	char quoted[QUOTE_MAX];
	uint64_t number;
	struct causes c;

	TRY(registry_check_uid(op->arena, op->resource, old, m->uid, e));
	bool given = m->resource_version.len && !str_eq(m->resource_version, STR("0"));

	if (given && !str_to_u64(m->resource_version, &number))
		return status_fail(op->arena, e, STATUS_UNKNOWN,
			"strconv.ParseUint: parsing %s: invalid syntax",
			quote(quoted, m->resource_version));
	if (given && !str_eq(m->resource_version, old->resource_version))
		return status_conflict(op->arena, e, s, MODIFIED);
	if (given || unconditional) {
		m->resource_version = old->resource_version;
		return 0;
	}
	causes_init(&c, op->arena);
	causes_invalid(&c, FIELD(FIELD(NULL, "metadata"), "resourceVersion"),
		cause_i64(op->arena, 0), "must be specified for an update");
	return status_invalid(op->arena, e, s, &c);
}

/* What no update can change. */
static void keep_system_fields(struct object_meta *m, const struct object_meta *old)
{
	if (m->uid.len == 0)
		m->uid = old->uid;
	if (old->creation_timestamp.set)
		m->creation_timestamp = old->creation_timestamp;
	if (old->deletion_timestamp)
		m->deletion_timestamp = old->deletion_timestamp;
	if (old->deletion_grace_period_seconds && !m->deletion_grace_period_seconds)
		m->deletion_grace_period_seconds = old->deletion_grace_period_seconds;
	m->self_link = (str){NULL, 0};
}

static void prepare(struct updating *u, void *now, const void *before)
{
	struct operation *op = u->op;
	const struct strategy *s = u->strategy;
	struct object_meta *m = object_metadata(now);
	const struct object_meta *old = object_metadata_of(before);
	bool status = str_eq(op->subresource, STR("status"));

	m->generation = old->generation;
	store_narrow(op, now, before);
	if (!op->subresource.len && s && (s->flags & STRATEGY_STATUS_RESET))
		store_copy_field(op->arena, now, before, STR("status"));
	if (status && s && s->prepare_status)
		s->prepare_status(op, now, before);
	if (!status && s && s->prepare_update)
		s->prepare_update(op, now, before);
	if (!status && s && (s->flags & STRATEGY_GENERATION) &&
		!store_same_spec(op->arena, now, before))
		m->generation = old->generation + 1;
	keep_system_fields(m, old);
}

static int check(struct updating *u, void *now, const void *before, struct err *e)
{
	struct operation *op = u->op;
	bool scale = str_eq(op->subresource, STR("scale"));
	struct admission_attributes t = store_attributes(op, ADMIT_UPDATE, now, before, u->options);
	struct causes c;

	causes_init(&c, op->arena);
	if (op->resource->custom)
		custom_check(op, now, before, &c);
	else if (op->subresource.len && !scale)
		object_validate_subresource(op->subresource, now, before, &c);
	else
		object_validate_update(now, before, &c);
	TRY(store_check(op, op->name, &c, e));
	if (u->strategy && u->strategy->warn && !op->subresource.len)
		u->strategy->warn(op, now, before);
	return admission_validate(op->registry->o.admission, &t, e);
}

/* The last finalizer of what is to be deleted has gone. */
static bool ends(const void *now, const void *before)
{
	const struct object_meta *m = object_metadata_of(now), *old = object_metadata_of(before);
	const int64_t *grace = old->deletion_grace_period_seconds;

	return m->finalizers.len == 0 && old->deletion_timestamp && (!grace || *grace == 0) &&
		!store_has_spec_finalizers(now);
}

static int put_object(struct updating *u, const void *before, void *now, struct err *e)
{
	struct operation *op = u->op;
	struct stored *current = NULL;
	int64_t revision;
	struct err why;
	int result;

	managed_keep_times(before, now);
	if (op->dry_run)
		return 0;
	if (ends(now, before)) {
		result = store_remove(op, u->stored, now, &current, &why);
	} else {
		result = storage_update(op->registry->o.storage, u->stored, now, store_ttl_s(op),
			&revision, &current, &why);
		if (result == 0)
			metadata_set_revision(op->arena, object_metadata(now), revision);
	}
	if (result == 0)
		return 0;
	if (why.kind != ERR_CONFLICT)
		return store_fail(op, op->name, &why, e);
	counted_drop(&u->stored->counted);
	u->stored = current;
	u->newest = true;
	u->again = true;
	return status_conflict(op->arena, e, operation_subject(op, op->name), MODIFIED);
}

/* What is taken from the cluster for the new state goes back when it does not come to be. */
static int write_allocated(struct updating *u, const void *before, void *now, struct err *e)
{
	struct operation *op = u->op;
	const struct strategy *s = u->strategy;
	bool allocates = s && s->allocate && !op->subresource.len;

	if (allocates)
		TRY(s->allocate(op, now, before, e));
	prepare(u, now, before);
	if (check(u, now, before, e) < 0 || put_object(u, before, now, e) < 0) {
		if (allocates && s->release)
			s->release(op, now, before);
		return -1;
	}
	return 0;
}

static int replace(struct updating *u, const void *before, void *now, void **to, struct err *e)
{
	struct operation *op = u->op;
	struct admission_attributes t = store_attributes(op, ADMIT_UPDATE, now, before, u->options);
	str twice;

	TRY(store_check_grants(op, now, before, e));
	TRY(admission_mutate(op->registry->o.admission, &t, e));
	now = t.object;
	twice = metadata_dedup_owners(op->arena, object_metadata(now));
	if (twice.at)
		warnings_add(op->warnings,
			".metadata.ownerReferences contains duplicate entries; duplicate UID(s) "
			"observed: %.*s",
			STR_ARG(twice));
	TRY(check_revision(u, object_metadata(now), object_metadata_of(before), e));
	TRY(write_allocated(u, before, now, e));
	*to = now;
	return 0;
}
