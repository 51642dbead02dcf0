/*
 * Deletion: grace, finalizers, propagation, preconditions
 * (apiserver/pkg/registry/generic/registry/store.go, Delete; registry/rest/delete.go).
 */
#include "apiserver/registry/store.h"

#include "lib/structural/conditions.h"

enum { DELETE_TRIES_MAX = 100 };

#define FINALIZER_ORPHAN     "orphan"
#define FINALIZER_FOREGROUND "foregroundDeletion"

enum fate {
	FATE_REMOVE,  /* now */
	FATE_PENDING, /* it is being deleted and nothing changes */
	FATE_MARK,    /* the object says from now on that it goes */
	FATE_LAST,    /* marked with no grace: then removed */
};

/* One deletion under way. */
struct deleting {
	struct operation *op;
	const struct strategy *strategy;
	struct delete_options *options; /* a copy, for the grace that turns out */
	struct stored *stored;          /* a reference */
	bool newest, again;
	bool orphans, foreground; /* unsupported by the kind: neither */
};

static int attempt(struct deleting *d, void **to, bool *gone, struct err *e);
static int admit(struct deleting *d, const void *before, struct err *e);
static int check_preconditions(struct deleting *d, const struct object_meta *m, struct err *e);
static enum fate decide(struct deleting *d, void *object);
static bool set_finalizers(struct deleting *d, struct object_meta *m);
static int mark(struct deleting *d, void *object, struct err *e);
static int finish(struct deleting *d, void *object, void **to, bool *gone, struct err *e);
static void answer(const struct operation *op, void *object, void **to);

/* Kinds whose deletion is answered with the object as it was last. */
static const enum api_type returned[] = {
	API_CRD_CUSTOM_RESOURCE_DEFINITION,
	API_POD,
	API_NAMESPACE,
	API_SERVICE,
	API_SERVICE_ACCOUNT,
	API_PERSISTENT_VOLUME,
	API_PERSISTENT_VOLUME_CLAIM,
	API_POD_TEMPLATE,
	API_RESOURCE_QUOTA,
	API_STORAGE_STORAGE_CLASS,
	API_STORAGE_CSI_DRIVER,
	API_STORAGE_CSI_NODE,
	API_STORAGE_VOLUME_ATTACHMENT,
	API_STORAGE_VOLUME_ATTRIBUTES_CLASS,
};

int registry_delete(struct operation *op, const struct delete_options *options, void **to,
	bool *gone, struct err *e)
{
	struct deleting d = {.op = op, .strategy = strategy_find(op->resource)};
	int result = -1;

	TRY(store_read(op, false, &d.stored, e));
	for (int tries = 0; tries < DELETE_TRIES_MAX; tries++) {
		struct stored *now;

		d.again = false;
		d.options = object_copy(op->arena, options, false);
		*gone = false;
		result = -1;
		if (store_in_time(op, e) < 0)
			break;
		result = attempt(&d, to, gone, e);
		if (result == 0 || store_unanswered(e) || (!d.again && d.newest))
			break;
		if (d.again && d.stored)
			continue;
		/* Errors of an old state are none. */
		if (store_read(op, true, &now, e) < 0)
			break;
		bool changed = !d.stored || now->revision != d.stored->revision;

		if (d.stored)
			counted_drop(&d.stored->counted);
		d.stored = now;
		d.newest = true;
		if (!changed)
			break;
	}
	if (d.stored)
		counted_drop(&d.stored->counted);
	return result;
}

bool store_has_spec_finalizers(const void *object)
{
	const struct namespace *ns = object;

	return object_type(object) == &api_schema.types[API_NAMESPACE] &&
		ns->spec.finalizers.len > 0;
}

static int attempt(struct deleting *d, void **to, bool *gone, struct err *e)
{
	void *object;
	struct operation *op = d->op;

	TRY(store_decode(op, d->stored, &object, e));
	struct object_meta *m = object_metadata(object);

	TRY(check_preconditions(d, m, e));
	TRY(admit(d, object_copy(op->arena, object, false), e));
	enum fate fate = decide(d, object);
	bool refinalized = fate != FATE_PENDING && set_finalizers(d, m);

	if (fate == FATE_PENDING) {
		answer(op, object, to);
		return 0;
	}
	if (fate == FATE_REMOVE && (m->finalizers.len || refinalized)) {
		if (m->finalizers.len == 0)
			return finish(d, object, to, gone, e);
		if (!m->deletion_timestamp && m->generation > 0)
			m->generation++;
		struct time_value now = meta_now(op->registry->o.clock);

		if (!m->deletion_timestamp || time_compare(m->deletion_timestamp, &now) > 0) {
			m->deletion_timestamp = arena_get(op->arena, sizeof(now));
			*m->deletion_timestamp = now;
		}
		m->deletion_grace_period_seconds = arena_i64(op->arena, 0);
		fate = FATE_MARK;
	}
	if (fate == FATE_MARK || (fate == FATE_LAST && m->finalizers.len)) {
		TRY(mark(d, object, e));
		*to = object;
		return 0;
	}
	return finish(d, object, to, gone, e);
}

static int admit(struct deleting *d, const void *before, struct err *e)
{
	struct admission *n = d->op->registry->o.admission;
	struct admission_attributes t = store_attributes(
		d->op, ADMIT_DELETE, NULL, before, d->options);

	TRY(admission_mutate(n, &t, e));
	return admission_validate(n, &t, e);
}

static int check_preconditions(struct deleting *d, const struct object_meta *m, struct err *e)
{
	const struct preconditions *p = d->options->preconditions;
	struct status_subject s = {d->op->resource->group, d->op->resource->kind, m->name};

	if (p && p->uid && !str_eq(*p->uid, m->uid))
		return status_conflict(d->op->arena, e, s,
			"the UID in the precondition (%.*s) does not match the UID in record "
			"(%.*s). The object might have been deleted and then recreated",
			STR_ARG(*p->uid), STR_ARG(m->uid));
	if (p && p->resource_version && !str_eq(*p->resource_version, m->resource_version))
		return status_conflict(d->op->arena, e, s,
			"the ResourceVersion in the precondition (%.*s) does not match the "
			"ResourceVersion in record (%.*s). The object might have been modified",
			STR_ARG(*p->resource_version), STR_ARG(m->resource_version));
	return 0;
}

/* --- how it goes */

/* A second deletion can only bring the end nearer. */
static enum fate shorten(struct deleting *d, struct object_meta *m)
{
	struct arena *a = d->op->arena;
	const int64_t *asked = d->options->grace_period_seconds;
	int64_t had = m->deletion_grace_period_seconds ? *m->deletion_grace_period_seconds : 0;
	struct time_value now = meta_now(d->op->registry->o.clock), *ends;
	int64_t period;

	if (had == 0)
		return FATE_REMOVE;
	if (!asked || *asked >= had)
		return FATE_PENDING;
	period = *asked;
	ends = arena_get(a, sizeof(*ends));
	*ends = *m->deletion_timestamp;
	ends->seconds += period - had;
	if (time_compare(ends, &now) < 0) {
		*ends = now;
		period = period ? 1 : 0;
	}
	m->deletion_timestamp = ends;
	m->deletion_grace_period_seconds = arena_i64(a, period);
	return period ? FATE_MARK : FATE_LAST;
}

/* A namespace waits for its content: the controller empties it and takes the finalizer away. */
static enum fate end_namespace(struct deleting *d, struct namespace *ns)
{
	struct arena *a = d->op->arena;

	if (ns->metadata.deletion_timestamp)
		return ns->spec.finalizers.len ? FATE_PENDING : FATE_REMOVE;
	ns->metadata.deletion_timestamp = arena_get(a, sizeof(struct time_value));
	*ns->metadata.deletion_timestamp = meta_now(d->op->registry->o.clock);
	ns->status.phase = STR("Terminating");
	return FATE_MARK;
}

/* A definition waits for its resources, which go first. */
static enum fate end_definition(struct deleting *d, struct crd_custom_resource_definition *crd)
{
	const str finalizer = STR("customresourcecleanup.apiextensions.k8s.io");
	struct arena *a = d->op->arena;

	if (crd->metadata.deletion_timestamp)
		return FATE_REMOVE;
	crd->metadata.deletion_timestamp = arena_get(a, sizeof(struct time_value));
	*crd->metadata.deletion_timestamp = meta_now(d->op->registry->o.clock);
	if (!meta_has_finalizer(&crd->metadata, finalizer))
		meta_add_finalizer(a, &crd->metadata, finalizer);
	crd_set_condition(a, crd, d->op->registry->o.clock,
		&(struct crd_custom_resource_definition_condition){.type = STR("Terminating"),
			.status = STR("True"),
			.reason = STR("InstanceDeletionPending"),
			.message = STR("CustomResourceDefinition marked for deletion; "
				       "CustomResource deletion will begin soon")});
	return FATE_MARK;
}

static enum fate decide(struct deleting *d, void *object)
{
	struct object_meta *m = object_metadata(object);
	struct delete_options *o = d->options;
	struct arena *a = d->op->arena;
	int64_t grace;

	if (o->grace_period_seconds && *o->grace_period_seconds < 0)
		o->grace_period_seconds = arena_i64(a, 1);
	if (object_type(object) == &api_schema.types[API_NAMESPACE])
		return end_namespace(d, object);
	if (object_type(object) == api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION))
		return end_definition(d, object);
	if (!d->strategy || !d->strategy->grace)
		return FATE_REMOVE;
	if (m->deletion_timestamp)
		return shorten(d, m);
	grace = d->strategy->grace(d->op, object, o);
	if (grace < 0)
		return FATE_REMOVE;
	m->deletion_timestamp = arena_get(a, sizeof(struct time_value));
	*m->deletion_timestamp = meta_now(d->op->registry->o.clock);
	m->deletion_timestamp->seconds += grace;
	m->deletion_grace_period_seconds = arena_i64(a, grace);
	if (m->generation > 0)
		m->generation++;
	return grace ? FATE_MARK : FATE_LAST;
}

/* What the options say, else what stands there already, else the kind's own way. */
static void propagation(struct deleting *d, const struct object_meta *m)
{
	const struct delete_options *o = d->options;

	d->orphans = d->foreground = false;
	if (d->op->resource->type == API_EVENT || d->op->resource->type == API_EVENTS_EVENT)
		return;
	if (o->orphan_dependents) {
		d->orphans = *o->orphan_dependents;
	} else if (o->propagation_policy) {
		d->orphans = str_eq(*o->propagation_policy, STR("Orphan"));
		d->foreground = str_eq(*o->propagation_policy, STR("Foreground"));
	} else {
		bool orphan = meta_has_finalizer(m, STR(FINALIZER_ORPHAN));
		bool foreground = meta_has_finalizer(m, STR(FINALIZER_FOREGROUND));

		d->foreground = foreground;
		d->orphans = orphan ||
			(!foreground && d->strategy && (d->strategy->flags & STRATEGY_ORPHAN));
	}
}

/* Whether that changed anything. */
static bool set_finalizers(struct deleting *d, struct object_meta *m)
{
	str *all = arena_get(d->op->arena, (m->finalizers.len + 2) * sizeof(str));
	size_t len = 0;
	bool had_orphan = meta_has_finalizer(m, STR(FINALIZER_ORPHAN));
	bool had_foreground = meta_has_finalizer(m, STR(FINALIZER_FOREGROUND));

	propagation(d, m);
	if (had_orphan == d->orphans && had_foreground == d->foreground)
		return false;
	for (size_t i = 0; i < m->finalizers.len; i++)
		if (!str_eq(m->finalizers.at[i], STR(FINALIZER_ORPHAN)) &&
			!str_eq(m->finalizers.at[i], STR(FINALIZER_FOREGROUND)))
			all[len++] = m->finalizers.at[i];
	if (d->orphans)
		all[len++] = STR(FINALIZER_ORPHAN);
	if (d->foreground)
		all[len++] = STR(FINALIZER_FOREGROUND);
	m->finalizers = (struct str_list){all, len};
	return true;
}

/* --- writes */

static int conflict(
	struct deleting *d, struct stored *current, const struct err *why, struct err *e)
{
	struct operation *op = d->op;

	if (why->kind != ERR_CONFLICT)
		return store_fail(op, op->name, why, e);
	counted_drop(&d->stored->counted);
	d->stored = current;
	d->newest = current != NULL;
	d->again = true;
	if (!current)
		return status_not_found(op->arena, e, operation_subject(op, op->name));
	return status_conflict(op->arena, e, operation_subject(op, op->name),
		"the object has been modified; please apply your changes to the latest version "
		"and try again");
}

static int mark(struct deleting *d, void *object, struct err *e)
{
	struct operation *op = d->op;
	struct stored *current = NULL;
	int64_t revision;
	struct err why;

	if (op->dry_run)
		return 0;
	if (storage_update(op->registry->o.storage, d->stored, object, store_ttl_s(op), &revision,
		    &current, &why) < 0)
		return conflict(d, current, &why, e);
	metadata_set_revision(op->arena, object_metadata(object), revision);
	return 0;
}

int store_remove(struct operation *op, const struct stored *before, const void *object,
	struct stored **current, struct err *e)
{
	const struct strategy *s = strategy_find(op->resource);
	int64_t revision;

	TRY(storage_delete(op->registry->o.storage, before, &revision, current, e));
	if (s && s->release)
		s->release(op, NULL, object);
	return 0;
}

static int finish(struct deleting *d, void *object, void **to, bool *gone, struct err *e)
{
	struct stored *current = NULL;
	struct err why;

	if (!d->op->dry_run && store_remove(d->op, d->stored, object, &current, &why) < 0)
		return conflict(d, current, &why, e);
	*gone = true;
	answer(d->op, object, to);
	return 0;
}

static void answer(const struct operation *op, void *object, void **to)
{
	const struct object_meta *m = object_metadata(object);

	for (size_t i = 0; i < COUNT_OF(returned); i++) {
		if (object_type(object) == &api_schema.types[returned[i]]) {
			*to = object;
			return;
		}
	}
	*to = status_success(op->arena, operation_subject(op, m->name), m->uid);
}

/* --- many */

static int delete_one(struct operation *op, const struct stored *o,
	const struct delete_options *options, struct err *e)
{
	struct operation one = *op;
	bool gone;
	void *ignored;

	one.ns = o->ns;
	one.name = o->name;
	int result = registry_delete(&one, options, &ignored, &gone, e);

	op->held = one.held;
	op->held_count = one.held_count;
	op->held_cap = one.held_cap;
	return result < 0 && e->kind != ERR_NOT_FOUND ? -1 : 0;
}

static int delete_selected(struct operation *op, struct snapshot *n,
	const struct delete_options *options, const struct registry_selection *which,
	struct object_list *deleted, struct err *e)
{
	struct snapshot_walk w = snapshot_walk(
		n, op->ns.len ? op->ns : (str){NULL, 0}, (str){NULL, 0});

	for (const struct stored *o; (o = snapshot_next(&w));) {
		if (!registry_selects(which, o))
			continue;
		if (arena_grow(op->arena, (void **)&deleted->at, deleted->len, &deleted->cap,
			    sizeof(void *)) < 0)
			return arena_full(op->arena, e);
		TRY(store_decode(op, (struct stored *)o, &deleted->at[deleted->len], e));
		deleted->len++;
		TRY(delete_one(op, o, options, e));
	}
	return 0;
}

int registry_delete_collection(struct operation *op, const struct delete_options *options,
	const struct registry_selection *which, struct object_list *deleted, struct err *e)
{
	struct storage *s = op->registry->o.storage;
	struct object_list list = {.len = 0};
	struct err why;
	int64_t revision;

	if (storage_wait_here(s, 0, &why) < 0)
		return store_fail(op, STR(""), &why, e);
	struct snapshot *n = storage_snapshot(s, op->resource, &revision);
	int result = delete_selected(op, n, options, which, &list, e);

	snapshot_drop(n);
	if (result == 0)
		*deleted = list;
	return result;
}
