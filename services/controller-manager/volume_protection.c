/*
 * persistentvolumeclaim-, persistentvolume- and volumeattributesclass-protection-controller: a
 * claim that a pod uses, a volume that is bound, and a class that one of them names stay until that
 * is over, by a finalizer. Source: pkg/controller/volume/{pvc,pv,vac}protection.
 */
#include "controller-manager/controllers.h"
#include "lib/api/pod.h"
#include "lib/client/pass.h"

#include <stdio.h>

#define CLAIM_FINALIZER  STR("kubernetes.io/pvc-protection")
#define VOLUME_FINALIZER STR("kubernetes.io/pv-protection")
#define CLASS_FINALIZER  STR("kubernetes.io/vac-protection")

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

/* --- classes of volume attributes */

enum { CLASS_NAMES = 3 };

struct class_names {
	str at[CLASS_NAMES]; /* those that are not used are empty */
};

static str given(const str *name)
{
	return name ? *name : STR("");
}

/* What a claim asks for, has and is being given. */
static struct class_names classes_of_claim(const struct persistent_volume_claim *c)
{
	const struct modify_volume_status *change = c->status.modify_volume_status;

	return (struct class_names){{given(c->spec.volume_attributes_class_name),
		given(c->status.current_volume_attributes_class_name),
		change ? change->target_volume_attributes_class_name : STR("")}};
}

static struct class_names classes_of_volume(const struct persistent_volume *v)
{
	return (struct class_names){
		{given(v->spec.volume_attributes_class_name), STR(""), STR("")}};
}

static bool names_class(const struct class_names *names, str name)
{
	for (size_t i = 0; i < CLASS_NAMES; i++)
		if (str_eq(names->at[i], name))
			return true;
	return false;
}

/* What was named and is not any more. */
static void wake_classes(
	struct controller_run *r, const struct class_names *before, const struct class_names *now)
{
	for (size_t i = 0; i < CLASS_NAMES; i++)
		if (before->at[i].len > 0 && !names_class(now, before->at[i]))
			run_enqueue_name(r, STR(""), before->at[i]);
}

static void class_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now && needs_work(meta_of(now), CLASS_FINALIZER))
		run_enqueue(r, now);
}

static void claim_names_class(struct controller_run *r, const void *before, const void *now)
{
	struct class_names old = {0}, names = {0};

	if (before)
		old = classes_of_claim(before);
	if (now)
		names = classes_of_claim(now);
	wake_classes(r, &old, &names);
}

static void volume_names_class(struct controller_run *r, const void *before, const void *now)
{
	struct class_names old = {0}, names = {0};

	if (before)
		old = classes_of_volume(before);
	if (now)
		names = classes_of_volume(now);
	wake_classes(r, &old, &names);
}

static bool is_class_used(struct pass *p, str name)
{
	const str everywhere = {NULL, 0};
	struct view_walk claims = pass_list(p, API_PERSISTENT_VOLUME_CLAIM, everywhere);
	struct view_walk volumes = pass_list(p, API_PERSISTENT_VOLUME, everywhere);

	view_each(const struct persistent_volume_claim *, claim, &claims)
	{
		struct class_names names = classes_of_claim(claim);

		if (names_class(&names, name))
			return true;
	}
	view_each(const struct persistent_volume *, volume, &volumes)
	{
		struct class_names names = classes_of_volume(volume);

		if (names_class(&names, name))
			return true;
	}
	return false;
}

static int reconcile_class(struct pass *p, struct err *e)
{
	const struct storage_volume_attributes_class *c = pass_get(
		p, API_STORAGE_VOLUME_ATTRIBUTES_CLASS, STR(""), p->name);

	if (!c || !needs_work(&c->metadata, CLASS_FINALIZER))
		return 0;
	if (c->metadata.deletion_timestamp && is_class_used(p, p->name))
		return 0;
	return put_finalizer(p, c, CLASS_FINALIZER, e);
}

const struct controller vac_protection_controller = {
	.name = "volumeattributesclass-protection-controller",
	.account = "volumeattributesclass-protection-controller",
	.watches = {{API_STORAGE_VOLUME_ATTRIBUTES_CLASS, class_changed},
		{API_PERSISTENT_VOLUME_CLAIM, claim_names_class},
		{API_PERSISTENT_VOLUME, volume_names_class}},
	.works = {{"vacprotection", 1, reconcile_class}},
};
