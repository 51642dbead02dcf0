/*
 * persistentvolumeclaim-protection-controller and persistentvolume-protection-controller: a claim
 * that a pod uses, and a volume that is bound, stay until that is over, by a finalizer.
 * Source: pkg/controller/volume/{pvcprotection,pvprotection}.
 */
#include "controller-manager/controllers.h"
#include "lib/api/pod.h"
#include "lib/client/pass.h"

#include <stdio.h>

#define CLAIM_FINALIZER  STR("kubernetes.io/pvc-protection")
#define VOLUME_FINALIZER STR("kubernetes.io/pv-protection")

enum { CLAIM_NAME_BYTES = 512 };

static bool needs_work(const struct object_meta *m, str finalizer)
{
	return (m->deletion_timestamp != NULL) == meta_has_finalizer(m, finalizer);
}

/* --- claims */

static void claim_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now && needs_work(meta_of(now), CLAIM_FINALIZER))
		run_enqueue(r, now);
}

/* The claim that a volume of a pod is; empty: none. */
static str claim_name(const struct pod *pod, const struct volume *v, char to[CLAIM_NAME_BYTES])
{
	if (v->volume_source.persistent_volume_claim)
		return v->volume_source.persistent_volume_claim->claim_name;
	if (!v->volume_source.ephemeral)
		return STR("");
	int len = snprintf(
		to, CLAIM_NAME_BYTES, "%.*s-%.*s", STR_ARG(pod->metadata.name), STR_ARG(v->name));

	return len < CLAIM_NAME_BYTES ? str_span(to, (size_t)len) : STR("");
}

static void wake_claims(struct controller_run *r, const struct pod *pod)
{
	char name[CLAIM_NAME_BYTES];

	for (size_t i = 0; i < pod->spec.volumes.len; i++) {
		str claim = claim_name(pod, &pod->spec.volumes.at[i], name);

		if (claim.len > 0)
			run_enqueue_name(r, pod->metadata.namespace, claim);
	}
}

static bool may_free_claims(const struct pod *pod)
{
	return pod->spec.node_name.len == 0 || pod->metadata.deletion_timestamp ||
		pod_is_finished(pod);
}

static void pod_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct pod *old = before, *pod = now;

	if (pod && may_free_claims(pod))
		wake_claims(r, pod);
	if (old && (!pod || !str_eq(old->metadata.uid, pod->metadata.uid)))
		wake_claims(r, old);
}

/* Only waits to be collected: its volumes are not in use any more. */
static bool is_shut_down(const struct pod *pod)
{
	const int64_t *grace = pod->metadata.deletion_grace_period_seconds;

	return pod->metadata.deletion_timestamp && grace && *grace == 0;
}

static bool uses(const struct pod *pod, const struct persistent_volume_claim *c)
{
	char name[CLAIM_NAME_BYTES];

	if (pod->spec.node_name.len == 0)
		return false;
	for (size_t i = 0; i < pod->spec.volumes.len; i++) {
		const struct volume *v = &pod->spec.volumes.at[i];

		if (!str_eq(claim_name(pod, v, name), c->metadata.name))
			continue;
		if (!v->volume_source.ephemeral ||
			(!is_shut_down(pod) && meta_controlled_by(&c->metadata, &pod->metadata)))
			return true;
	}
	return false;
}

/* The cache may not know of a pod yet: before a claim goes, the server is asked. */
static int is_used(
	struct pass *p, const struct persistent_volume_claim *c, bool *used, struct err *e)
{
	struct view_walk all = pass_list(p, API_POD, c->metadata.namespace);
	struct target pods = {.resource = meta_resource(API_POD), .ns = c->metadata.namespace};
	void *answer;

	*used = true;
	view_each(const struct pod *, pod, &all)
	{
		if (uses(pod, c))
			return 0;
	}
	TRY(client_list(p->run->env.client, p->arena, pods, &answer, e));
	const struct pod_list *live = answer;

	for (size_t i = 0; i < live->items.len; i++) {
		if (uses(&live->items.at[i], c))
			return 0;
	}
	*used = false;
	return 0;
}

/* Adds the finalizer to what lives, takes it from what is free to go. */
static int put_finalizer(struct pass *p, const void *object, str finalizer, struct err *e)
{
	void *next = pass_copy(p, object);
	struct object_meta *m = meta_of(next);

	if (!m->deletion_timestamp)
		meta_add_finalizer(p->arena, m, finalizer);
	else
		meta_remove_finalizer(p->arena, m, finalizer);
	return pass_ignore_missing(pass_update(p, next, NULL, e), e);
}

static int reconcile_claim(struct pass *p, struct err *e)
{
	const struct persistent_volume_claim *c = pass_get(
		p, API_PERSISTENT_VOLUME_CLAIM, p->ns, p->name);
	bool used = false;

	if (!c || !needs_work(&c->metadata, CLAIM_FINALIZER))
		return 0;
	if (c->metadata.deletion_timestamp)
		TRY(is_used(p, c, &used, e));
	return used ? 0 : put_finalizer(p, c, CLAIM_FINALIZER, e);
}

const struct controller pvc_protection_controller = {
	.name = "persistentvolumeclaim-protection-controller",
	.account = "pvc-protection-controller",
	.watches = {{API_PERSISTENT_VOLUME_CLAIM, claim_changed}, {API_POD, pod_changed}},
	.works = {{"pvcprotection", 1, reconcile_claim}},
};

/* --- volumes */

static void volume_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now && needs_work(meta_of(now), VOLUME_FINALIZER))
		run_enqueue(r, now);
}

static int reconcile_volume(struct pass *p, struct err *e)
{
	const struct persistent_volume *v = pass_get(p, API_PERSISTENT_VOLUME, STR(""), p->name);

	if (!v || !needs_work(&v->metadata, VOLUME_FINALIZER))
		return 0;
	if (v->metadata.deletion_timestamp && str_eq(v->status.phase, STR("Bound")))
		return 0;
	return put_finalizer(p, v, VOLUME_FINALIZER, e);
}

const struct controller pv_protection_controller = {
	.name = "persistentvolume-protection-controller",
	.account = "pv-protection-controller",
	.watches = {{API_PERSISTENT_VOLUME, volume_changed}},
	.works = {{"pvprotection", 1, reconcile_volume}},
};
