/*
 * What is done for one definition, from what is stored of it now.
 */
#include "apiserver/apiextensions/state.h"

#include "apiserver/admission/admission.h"
#include "lib/api/meta.h"
#include "lib/base/log.h"
#include "lib/structural/conditions.h"

#define FINALIZER "customresourcecleanup.apiextensions.k8s.io"

enum { SYNC_MEMORY_MAX = 1 << 30, SYNC_S = 60 };

/* One pass over one definition. */
struct pass {
	struct extensions *extensions;
	struct entry *entry;
	struct arena arena;
	struct stored *stored; /* a reference */
	struct crd_custom_resource_definition *crd;
	bool changed; /* the status is to be written */
};

static void end_served(struct extensions *x, struct entry *n);

static void set_condition(
	struct pass *p, const char *type, const char *status, const char *reason, str message)
{
	p->changed |= crd_set_condition(&p->arena, p->crd, p->extensions->o.clock,
		&(struct crd_custom_resource_definition_condition){.type = str_of(type),
			.status = str_of(status),
			.reason = str_of(reason),
			.message = message});
}

/* Somebody else may have been quicker: then his event brings us here again. */
static int write_status(struct pass *p, struct err *e)
{
	struct storage *s = p->extensions->o.storage;
	struct stored *current = NULL;
	int64_t revision;
	int result;

	if (p->crd->metadata.finalizers.len == 0 && p->crd->metadata.deletion_timestamp) {
		/* Who hears that it is gone must not find its objects' paths any more. */
		end_served(p->extensions, p->entry);
		result = storage_delete(s, p->stored, &revision, &current, e);
	} else {
		result = storage_update(s, p->stored, p->crd, 0, &revision, &current, e);
	}
	if (current)
		counted_drop(&current->counted);
	return result < 0 && e->kind != ERR_CONFLICT ? -1 : 0;
}

/* --- serving */

static void end_served(struct extensions *x, struct entry *n)
{
	struct definition *d = n->served;

	if (!d)
		return;
	if (n->watching)
		storage_watch_stop(&n->watch);
	n->watching = false;
	n->served = NULL;
	catalog_publish(x);
	storage_detach(x->o.storage, d->stored, false);
	counted_drop(&d->counted);
}

/* The new cache is there before the old one goes. */
static int serve(struct pass *p, struct err *e)
{
	struct extensions *x = p->extensions;
	struct definition *d, *before = p->entry->served;

	TRY(definition_new(p->crd, &d, e));
	if (storage_attach(x->o.storage, d->rows, d->count, d->stored, e) < 0) {
		counted_drop(&d->counted);
		return -1;
	}
	if (p->entry->watching)
		storage_watch_stop(&p->entry->watch);
	p->entry->watching = false;
	p->entry->served = d;
	catalog_publish(x);
	if (before) {
		storage_detach(x->o.storage, before->stored, true);
		counted_drop(&before->counted);
	}
	return 0;
}

static int bring_up(struct pass *p, struct err *e)
{
	struct entry *n = p->entry;
	bool accepted = crd_condition_true(p->crd, STR("NamesAccepted"));

	/* What was established stays so, with the names that it has. */
	if (!accepted && !crd_condition_true(p->crd, STR("Established")))
		return 0;
	if (!n->served || !definition_is_of(n->served, p->crd)) {
		if (serve(p, e) < 0) {
			if (e->kind != ERR_INVALID && e->kind != ERR_LIMIT)
				return -1;
			log_error("%.*s is not served: %s", STR_ARG(n->name), e->text);
			return 0;
		}
	}
	if (accepted)
		set_condition(p, "Established", "True", "InitialNamesAccepted",
			STR("the initial names have been accepted"));
	return 0;
}

/* --- the end */

static void object_gone(struct storage_watch *w, struct storage_event *ev)
{
	struct entry *n = CONTAINER_OF(w, struct entry, watch);

	if (ev->kind == STORAGE_DELETED)
		entry_mark(n->extensions, n);
}

static void objects_ended(struct storage_watch *w, UNUSED const struct err *e)
{
	struct entry *n = CONTAINER_OF(w, struct entry, watch);

	n->watching = false;
	entry_mark(n->extensions, n);
}

/* Begins before the objects are counted, so that none goes unseen. */
static int watch_objects(struct pass *p, struct err *e)
{
	struct entry *n = p->entry;
	struct snapshot *initial;
	int64_t revision;

	if (n->watching)
		return 0;
	n->watch = (struct storage_watch){
		.event = object_gone, .ended = objects_ended, .resource = n->served->stored};
	TRY(storage_watch_start(p->extensions->io, &n->watch, &revision, &initial, e));
	snapshot_drop(initial);
	n->watching = true;
	return 0;
}

static int delete_objects(struct pass *p, size_t *left, struct err *e)
{
	struct extensions *x = p->extensions;
	const struct selector everything = {.len = 0};
	const struct registry_selection which = {&everything, &everything};
	struct object_list deleted;
	struct warnings warnings = {.arena = &p->arena};
	struct operation op = {.registry = x->o.registry,
		.arena = &p->arena,
		.resource = p->entry->served->stored,
		.user = x->user,
		.deadline_ns = x->o.clock->monotonic_ns(x->o.clock) + SYNC_S * NS_PER_S,
		.warnings = &warnings};
	struct delete_options *options = object_new(&p->arena, api_type(API_DELETE_OPTIONS));
	struct snapshot *n;
	int64_t revision;

	int result = registry_delete_collection(&op, options, &which, &deleted, e);

	operation_end(&op);
	TRY(result);
	TRY(storage_wait_here(x->o.storage, 0, e));
	n = storage_snapshot(x->o.storage, op.resource, &revision);
	*left = snapshot_count(n, (str){NULL, 0});
	snapshot_drop(n);
	return 0;
}

static int tear_down(struct pass *p, struct err *e)
{
	struct entry *n = p->entry;
	size_t left = 0;

	if (!meta_has_finalizer(&p->crd->metadata, STR(FINALIZER)))
		return 0;
	if (n->served) {
		atomic_store(&n->served->terminating, true);
		TRY(watch_objects(p, e));
		TRY(delete_objects(p, &left, e));
		if (left) {
			set_condition(p, "Terminating", "True", "InstanceDeletionInProgress",
				STR("CustomResource deletion is in progress"));
			return 0;
		}
		set_condition(p, "Terminating", "False", "InstanceDeletionCompleted",
			STR("removed all instances"));
	} else {
		set_condition(p, "Terminating", "False", "NeverEstablished",
			STR("resource was never established"));
	}
	p->changed |= meta_remove_finalizer(&p->arena, &p->crd->metadata, STR(FINALIZER));
	return 0;
}

static int run(struct pass *p, struct err *e)
{
	void *crd;

	TRY(stored_decode(&p->arena, p->stored, &crd, e));
	p->crd = crd;
	p->changed |= names_accept(&p->arena, p->extensions, p->crd);
	p->changed |= approval_check(&p->arena, p->extensions->o.clock, p->crd);
	TRY(bring_up(p, e));
	if (p->crd->metadata.deletion_timestamp)
		TRY(tear_down(p, e));
	return p->changed ? write_status(p, e) : 0;
}

int definition_sync(struct extensions *x, struct entry *n, struct err *e)
{
	struct pass p = {.extensions = x, .entry = n};
	int result;

	p.stored = storage_get(x->o.storage, x->resource, (str){NULL, 0}, n->name);
	if (!p.stored) {
		n->gone = true;
		definition_end(x, n);
		return 0;
	}
	arena_init(&p.arena, SYNC_MEMORY_MAX);
	result = run(&p, e);
	counted_drop(&p.stored->counted);
	arena_free(&p.arena);
	return result;
}

/* Others of the group may have wanted its names. */
void definition_end(struct extensions *x, struct entry *n)
{
	str group = n->name;

	end_served(x, n);
	str_cut(&group, '.');
	entries_mark_group(x, group);
}
