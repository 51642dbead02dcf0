/*
 * persistentvolume-binder-controller, claims: each is bound to the volume that it asks for or to
 * the smallest that fits; what a provisioner is to make is told to it.
 * Source: pkg/controller/volume/persistentvolume/pv_controller.go. Unlike it, no volumes are made
 * here, and claims are looked at when something changed instead of every 15 seconds.
 */
#include "controller-manager/volume_binder.h"

#include "controller-manager/controllers.h"
#include "lib/api/pod.h"

#define SELECTED_NODE STR("volume.kubernetes.io/selected-node")

/* --- who wakes whom */

void binder_wake_claim(struct controller_run *r, str ns, str name)
{
	char key[RUN_KEY_BYTES];

	run_add(r, BINDER_CLAIMS, run_key(key, ns, name));
}

static void wake_unbound_claims(struct controller_run *r)
{
	struct view *claims = informer_view(
		informers_of(r->env.informers, API_PERSISTENT_VOLUME_CLAIM));
	struct view_walk all = view_all(claims, (str){NULL, 0});

	view_each(const struct persistent_volume_claim *, c, &all)
	{
		if (!meta_annotation(&c->metadata, BIND_COMPLETED).at)
			binder_wake_claim(r, c->metadata.namespace, c->metadata.name);
	}
	view_drop(claims);
}

static void claim_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct persistent_volume_claim *c = now ? now : before;

	if (now)
		binder_wake_claim(r, c->metadata.namespace, c->metadata.name);
	if (c->spec.volume_name.len > 0)
		run_add(r, BINDER_VOLUMES, c->spec.volume_name);
}

static void volume_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct persistent_volume *v = now ? now : before;
	const struct object_reference *claim = v->spec.claim_ref;

	if (now)
		run_add(r, BINDER_VOLUMES, v->metadata.name);
	if (claim)
		binder_wake_claim(r, claim->namespace, claim->name);
	else if (now)
		wake_unbound_claims(r);
}

static void class_changed(
	struct controller_run *r, UNUSED const void *before, UNUSED const void *now)
{
	wake_unbound_claims(r);
}

/* --- the state of a claim */

static bool same_modes(const struct str_list *a, const struct str_list *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (!str_eq(a->at[i], b->at[i]))
			return false;
	}
	return true;
}

static bool same_storage(const struct quantity_map *a, const struct quantity_map *b)
{
	const struct quantity *x = volume_storage(a), *y = volume_storage(b);

	return x && y && quantity_equal(x, y);
}

/* Its phase and what it has of the volume (NULL: nothing). A claim that is bound already keeps its
 * capacity, which may differ on purpose while it grows. */
static int set_status(struct pass *p, const struct persistent_volume_claim *c, const char *phase,
	const struct persistent_volume *v, struct err *e)
{
	struct persistent_volume_claim *next = pass_copy(p, c);
	bool enters = !str_eq(c->status.phase, str_of(phase)), changed = enters;

	next->status.phase = str_of(phase);
	if (!v) {
		changed = changed || c->status.access_modes.len > 0 || c->status.capacity.len > 0;
		next->status.access_modes = (struct str_list){NULL, 0};
		next->status.capacity = (struct quantity_map){NULL, 0};
		next->status.current_volume_attributes_class_name = NULL;
	} else {
		changed = changed || !same_modes(&c->status.access_modes, &v->spec.access_modes);
		next->status.access_modes = v->spec.access_modes;
		if (enters && !same_storage(&c->status.capacity, &v->spec.capacity))
			next->status.capacity = v->spec.capacity;
		if (enters && str_eq(c->status.phase, STR("Pending")))
			next->status.current_volume_attributes_class_name =
				v->spec.volume_attributes_class_name;
	}
	return changed ? pass_update_status(p, next, NULL, e) : 0;
}

static int lose(struct pass *p, const struct persistent_volume_claim *c, const char *reason,
	const char *message, struct err *e)
{
	if (str_eq(c->status.phase, STR("Lost")))
		return 0;
	TRY(set_status(p, c, "Lost", NULL, e));
	pass_warn(p, c, reason, "%s", message);
	return 0;
}

/* --- binding: the volume first, so that nobody else takes it */

static int bind_volume(struct pass *p, const struct persistent_volume **v,
	const struct persistent_volume_claim *c, struct err *e)
{
	const struct object_reference *has = (*v)->spec.claim_ref;
	struct object_reference *ref;
	struct persistent_volume *next;
	void *now;

	if (has && volume_is_for(*v, c) && has->uid.len > 0)
		return 0;
	next = pass_copy(p, *v);
	ref = arena_get(p->arena, sizeof(*ref));
	*ref = (struct object_reference){.kind = STR("PersistentVolumeClaim"),
		.api_version = STR("v1"),
		.namespace = c->metadata.namespace,
		.name = c->metadata.name,
		.uid = c->metadata.uid,
		.resource_version = c->metadata.resource_version};
	next->spec.claim_ref = ref;
	if (!volume_is_for(*v, c))
		str_map_set(p->arena, &next->metadata.annotations, BOUND_BY_CONTROLLER, STR("yes"));
	TRY(pass_update(p, next, &now, e));
	*v = now;
	return 0;
}

static int bind_claim(struct pass *p, const struct persistent_volume_claim **c,
	const struct persistent_volume *v, struct err *e)
{
	struct persistent_volume_claim *next = pass_copy(p, *c);
	struct str_map *annotations = &next->metadata.annotations;
	bool bound = str_eq((*c)->spec.volume_name, v->metadata.name);
	void *now;

	if (bound && str_map_get(annotations, BIND_COMPLETED).at)
		return 0;
	if (!bound && !str_map_get(annotations, BOUND_BY_CONTROLLER).at)
		str_map_set(p->arena, annotations, BOUND_BY_CONTROLLER, STR("yes"));
	next->spec.volume_name = v->metadata.name;
	str_map_set(p->arena, annotations, BIND_COMPLETED, STR("yes"));
	TRY(pass_update(p, next, &now, e));
	*c = now;
	return 0;
}

static int bind(struct pass *p, const struct persistent_volume *v,
	const struct persistent_volume_claim *c, struct err *e)
{
	TRY(bind_volume(p, &v, c, e));
	TRY(volume_set_phase(p, &v, "Bound", "", e));
	TRY(bind_claim(p, &c, v, e));
	return set_status(p, c, "Bound", v, e);
}

/* --- claims without a volume */

static bool waits_for_pod(struct pass *p, const struct persistent_volume_claim *c)
{
	str name = claim_class(c);
	const struct storage_storage_class *class = name.len > 0
		? pass_get(p, API_STORAGE_STORAGE_CLASS, STR(""), name)
		: NULL;

	return class && class->volume_binding_mode &&
		str_eq(*class->volume_binding_mode, STR("WaitForFirstConsumer"));
}

static const struct storage_storage_class *default_class(struct pass *p)
{
	const struct storage_storage_class *found = NULL;
	struct view_walk all = pass_list(p, API_STORAGE_STORAGE_CLASS, (str){NULL, 0});

	view_each(const struct storage_storage_class *, c, &all)
	{
		const struct object_meta *m = &c->metadata;

		if (!str_eq(meta_annotation(m, STR("storageclass.kubernetes.io/is-default-class")),
			    STR("true")))
			continue;
		if (!found ||
			time_compare(&m->creation_timestamp, &found->metadata.creation_timestamp) >
				0)
			found = c;
	}
	return found;
}

static bool uses(const struct pod *pod, str claim)
{
	for (size_t i = 0; i < pod->spec.volumes.len; i++) {
		const struct persistent_volume_claim_volume_source *v =
			pod->spec.volumes.at[i].volume_source.persistent_volume_claim;

		if (v && str_eq(v->claim_name, claim))
			return true;
	}
	return false;
}

static void tell_waiting(struct pass *p, const struct persistent_volume_claim *c)
{
	struct view_walk all = pass_list(p, API_POD, c->metadata.namespace);
	str names = STR("");
	size_t count = 0;

	view_each(const struct pod *, pod, &all)
	{
		if (pod->spec.node_name.len > 0 || pod_is_finished(pod) ||
			!uses(pod, c->metadata.name))
			continue;
		names = arena_fmt(p->arena, "%.*s%s%.*s", STR_ARG(names), count ? "," : "",
			STR_ARG(pod->metadata.name));
		count++;
	}
	if (count == 0)
		pass_event(p, c, "WaitForFirstConsumer",
			"waiting for first consumer to be created before binding");
	else
		pass_event(p, c, "WaitForPodScheduled", "waiting for pod%s %.*s to be scheduled",
			count > 1 ? "s" : "", STR_ARG(names));
}

/* Tells the provisioner of the class that the claim is its. */
static int ask_provisioner(struct pass *p, const struct persistent_volume_claim *c, struct err *e)
{
	str name = claim_class(c);
	const struct storage_storage_class *class = pass_get(
		p, API_STORAGE_STORAGE_CLASS, STR(""), name);
	struct persistent_volume_claim *next = pass_copy(p, c);

	if (!class) {
		pass_warn(p, c, "ProvisioningFailed",
			"storageclass.storage.k8s.io \"%.*s\" not found", STR_ARG(name));
		return 0;
	}
	if (str_starts(class->provisioner, STR("kubernetes.io/"))) {
		pass_warn(p, c, "ProvisioningFailed", "no volume plugin matched name: %.*s",
			STR_ARG(class->provisioner));
		return 0;
	}
	str_map_set(p->arena, &next->metadata.annotations,
		STR("volume.beta.kubernetes.io/storage-provisioner"), class->provisioner);
	str_map_set(p->arena, &next->metadata.annotations,
		STR("volume.kubernetes.io/storage-provisioner"), class->provisioner);
	if (!object_equal(c, next))
		TRY(pass_update(p, next, NULL, e));
	pass_event(p, c, "ExternalProvisioning",
		"Waiting for a volume to be created either by the external provisioner '%.*s' or "
		"manually by the system administrator. If volume creation is delayed, please "
		"verify that the provisioner is running and correctly registered.",
		STR_ARG(class->provisioner));
	return 0;
}

static int go_without(
	struct pass *p, const struct persistent_volume_claim *c, bool waits, struct err *e)
{
	const struct storage_storage_class *class = claim_class(c).at ? NULL : default_class(p);

	if (class) {
		struct persistent_volume_claim *next = pass_copy(p, c);

		next->spec.storage_class_name = arena_get(p->arena, sizeof(str));
		*next->spec.storage_class_name = class->metadata.name;
		return pass_update(p, next, NULL, e);
	}
	if (waits && !meta_annotation(&c->metadata, SELECTED_NODE).at)
		tell_waiting(p, c);
	else if (claim_class(c).len > 0)
		return ask_provisioner(p, c, e);
	else
		pass_event(p, c, "FailedBinding",
			"no persistent volumes available for this claim and no storage class is "
			"set");
	return set_status(p, c, "Pending", NULL, e);
}

static int seek(struct pass *p, const struct persistent_volume_claim *c, struct err *e)
{
	struct volume_wish wish = {.claim = c, .kept_only = waits_for_pod(p, c)};
	const struct persistent_volume *best = NULL;
	struct view_walk all = pass_list(p, API_PERSISTENT_VOLUME, (str){NULL, 0});
	struct meta_selector selector;

	if (c->spec.selector) {
		TRY(meta_selector(p->arena, c->spec.selector, &selector, e));
		wish.selector = &selector;
	}
	view_each(const struct persistent_volume *, v, &all) best = volume_better(&wish, best, v);
	return best ? bind(p, best, c, e) : go_without(p, c, wish.kept_only, e);
}

/* --- claims that name a volume */

static int bind_named(struct pass *p, const struct persistent_volume_claim *c, struct err *e)
{
	const struct persistent_volume *v = pass_get(
		p, API_PERSISTENT_VOLUME, STR(""), c->spec.volume_name);
	struct err why;

	if (!v)
		return set_status(p, c, "Pending", NULL, e);
	if (volume_is_for(v, c))
		return bind(p, v, c, e);
	if (v->spec.claim_ref) {
		pass_warn(p, c, "FailedBinding",
			"volume \"%.*s\" already bound to a different claim.",
			STR_ARG(v->metadata.name));
		return set_status(p, c, "Pending", NULL, e);
	}
	if (volume_check(v, c, &why) == 0)
		return bind(p, v, c, e);
	pass_warn(p, c, "VolumeMismatch", "Cannot bind to requested volume \"%.*s\": %s",
		STR_ARG(v->metadata.name), why.text);
	return set_status(p, c, "Pending", NULL, e);
}

static int keep_bound(struct pass *p, const struct persistent_volume_claim *c, struct err *e)
{
	const struct persistent_volume *v = pass_get(
		p, API_PERSISTENT_VOLUME, STR(""), c->spec.volume_name);

	if (c->spec.volume_name.len == 0)
		return lose(p, c, "ClaimLost",
			"Bound claim has lost reference to PersistentVolume. Data on the volume "
			"is lost!",
			e);
	if (!v)
		return lose(p, c, "ClaimLost",
			"Bound claim has lost its PersistentVolume. Data on the volume is lost!",
			e);
	if (v->spec.claim_ref && !str_eq(v->spec.claim_ref->uid, c->metadata.uid))
		return lose(p, c, "ClaimMisbound",
			"Two claims are bound to the same volume, this one is bound incorrectly",
			e);
	return bind(p, v, c, e);
}

static int reconcile_claim(struct pass *p, struct err *e)
{
	const struct persistent_volume_claim *c = pass_get(
		p, API_PERSISTENT_VOLUME_CLAIM, p->ns, p->name);

	if (!c)
		return 0;
	if (meta_annotation(&c->metadata, BIND_COMPLETED).at)
		return keep_bound(p, c, e);
	return c->spec.volume_name.len > 0 ? bind_named(p, c, e) : seek(p, c, e);
}

const struct controller pv_binder_controller = {
	.name = "persistentvolume-binder-controller",
	.account = "persistent-volume-binder",
	.component = "persistentvolume-controller",
	.watches = {{API_PERSISTENT_VOLUME_CLAIM, claim_changed},
		{API_PERSISTENT_VOLUME, volume_changed}, {API_STORAGE_STORAGE_CLASS, class_changed},
		{API_POD, NULL}},
	.works = {{"claims", 1, reconcile_claim}, {"volumes", 1, volume_reconcile}},
};
