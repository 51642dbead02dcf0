#include "controller-manager/volume_binder.h"

int volume_set_phase(struct pass *p, const struct persistent_volume **v, const char *phase,
	const char *message, struct err *e)
{
	struct persistent_volume *next;
	void *now;

	if (str_eq((*v)->status.phase, str_of(phase)))
		return 0;
	next = pass_copy(p, *v);
	next->status.phase = str_of(phase);
	next->status.message = arena_str(p->arena, str_of(message));
	TRY(pass_update_status(p, next, &now, e));
	*v = now;
	return 0;
}

static int fail(struct pass *p, const struct persistent_volume *v, const char *reason,
	const char *message, struct err *e)
{
	if (str_eq(v->status.phase, STR("Failed")))
		return 0;
	TRY(volume_set_phase(p, &v, "Failed", message, e));
	pass_warn(p, v, reason, "%s", message);
	return 0;
}

/* Whether somebody outside deletes the volume, as provisioners do with theirs. */
static bool has_deleter(const struct persistent_volume *v)
{
	str by = meta_annotation(&v->metadata, STR("pv.kubernetes.io/provisioned-by"));

	return v->spec.persistent_volume_source.csi ||
		meta_annotation(&v->metadata, STR("pv.kubernetes.io/migrated-to")).len > 0 ||
		(by.len > 0 && !str_starts(by, STR("kubernetes.io/")));
}

/* What becomes of a volume whose claim is gone. Nothing here deletes or empties volumes. */
static int reclaim(struct pass *p, const struct persistent_volume *v, struct err *e)
{
	str policy = v->spec.persistent_volume_reclaim_policy;
	str message;

	if (!str_eq(v->status.phase, STR("Failed")))
		TRY(volume_set_phase(p, &v, "Released", "", e));
	if (str_eq(policy, STR("Retain")))
		return 0;
	if (str_eq(policy, STR("Recycle")))
		return fail(
			p, v, "VolumeFailedRecycle", "No recycler plugin found for the volume!", e);
	if (has_deleter(v))
		return 0;
	message = arena_fmt(p->arena,
		"error getting deleter volume plugin for volume \"%.*s\": no deletable volume "
		"plugin matched",
		STR_ARG(v->metadata.name));
	return fail(p, v, "VolumeFailedDelete", message.at, e);
}

/* The claim went to another volume: this one is free again, or kept for the claim's name. */
static int unbind(struct pass *p, const struct persistent_volume *v, struct err *e)
{
	struct persistent_volume *next = pass_copy(p, v);
	struct object_reference *ref;
	void *now;

	if (meta_annotation(&v->metadata, BOUND_BY_CONTROLLER).at) {
		struct str_map kept = {NULL, 0};

		for (size_t i = 0; i < v->metadata.annotations.len; i++) {
			const struct str_entry *a = &v->metadata.annotations.at[i];

			if (!str_eq(a->key, BOUND_BY_CONTROLLER))
				str_map_set(p->arena, &kept, a->key, a->value);
		}
		next->metadata.annotations = kept;
		next->spec.claim_ref = NULL;
	} else {
		ref = arena_get(p->arena, sizeof(*ref));
		*ref = *v->spec.claim_ref;
		ref->uid = STR("");
		next->spec.claim_ref = ref;
	}
	TRY(pass_update(p, next, &now, e));
	v = now;
	return volume_set_phase(p, &v, "Available", "", e);
}

/* The very claim that the volume is bound to; NULL when it is gone. The cache is believed only
 * where it knows the claim or the volume was given up before. */
static int find_claim(struct pass *p, const struct persistent_volume *v,
	const struct persistent_volume_claim **to, struct err *e)
{
	const struct object_reference *r = v->spec.claim_ref;
	const struct persistent_volume_claim *c = pass_get(
		p, API_PERSISTENT_VOLUME_CLAIM, r->namespace, r->name);
	bool given_up = str_eq(v->status.phase, STR("Released")) ||
		str_eq(v->status.phase, STR("Failed"));
	void *live;

	if ((!c && !given_up) || (c && !str_eq(c->metadata.uid, r->uid))) {
		if (pass_fetch(p, API_PERSISTENT_VOLUME_CLAIM, r->namespace, r->name, &live, e) ==
			0)
			c = live;
		else if (e->kind == ERR_NOT_FOUND)
			c = NULL;
		else
			return -1;
	}
	*to = c && str_eq(c->metadata.uid, r->uid) ? c : NULL;
	return 0;
}

static int follow_claim(struct pass *p, const struct persistent_volume *v,
	const struct persistent_volume_claim *c, struct err *e)
{
	str by = meta_annotation(&v->metadata, STR("pv.kubernetes.io/provisioned-by"));

	if (str_eq(c->spec.volume_name, v->metadata.name))
		return volume_set_phase(p, &v, "Bound", "", e);
	if (c->spec.volume_name.len > 0) {
		if (by.at && str_eq(v->spec.persistent_volume_reclaim_policy, STR("Delete")))
			return reclaim(p, v, e);
		return unbind(p, v, e);
	}
	if (!volume_mode_differs(v, c)) {
		binder_wake_claim(p->run, c->metadata.namespace, c->metadata.name);
		return 0;
	}
	pass_warn(p, v, "VolumeMismatch",
		"Cannot bind PersistentVolume to requested PersistentVolumeClaim \"%.*s\" due to "
		"incompatible volumeMode.",
		STR_ARG(c->metadata.name));
	pass_warn(p, c, "VolumeMismatch",
		"Cannot bind PersistentVolume \"%.*s\" to requested PersistentVolumeClaim due to "
		"incompatible volumeMode.",
		STR_ARG(v->metadata.name));
	return 0;
}

int volume_reconcile(struct pass *p, struct err *e)
{
	const struct persistent_volume *v = pass_get(p, API_PERSISTENT_VOLUME, STR(""), p->name);
	const struct persistent_volume_claim *c;

	if (!v)
		return 0;
	if (!v->spec.claim_ref || v->spec.claim_ref->uid.len == 0)
		return volume_set_phase(p, &v, "Available", "", e);
	TRY(find_claim(p, v, &c, e));
	return c ? follow_claim(p, v, c, e) : reclaim(p, v, e);
}
