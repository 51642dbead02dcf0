/*
 * deployment-controller: replica sets follow the template of a deployment.
 */
#include "controller-manager/deployment.h"

#include "controller-manager/controllers.h"
#include "controller-manager/dependents.h"
#include "controller-manager/pods.h"

#define PROGRESSING STR("Progressing")

static void deployment_changed(struct controller_run *r, const void *before, const void *now)
{
	run_enqueue(r, now ? now : before);
}

static bool selects(struct arena *a, const void *owner, const struct str_map *labels)
{
	return dependents_match(a, ((const struct deployment *)owner)->spec.selector, labels);
}

static const struct dependents replica_sets = {API_DEPLOYMENT, "Deployment", selects, NULL, NULL};

static void replica_set_changed(struct controller_run *r, const void *before, const void *now)
{
	dependents_changed(r, &replica_sets, before, now);
}

static const struct dependents pods_of_sets = {API_REPLICA_SET, "ReplicaSet", NULL, NULL, NULL};

/* Recreate waits for the last pod to be gone. */
static void pod_changed(struct controller_run *r, const void *before, const void *now)
{
	if (now)
		return;
	struct view *sets = informer_view(informers_of(r->env.informers, API_REPLICA_SET));
	struct view *deployments = informer_view(informers_of(r->env.informers, API_DEPLOYMENT));
	const void *rs = dependents_owner(&pods_of_sets, sets, meta_of(before));
	const struct deployment *d = rs ? dependents_owner(&replica_sets, deployments, meta_of(rs))
					: NULL;

	if (d && str_eq(d->spec.strategy.type, STR("Recreate")))
		run_enqueue(r, d);
	view_drop(deployments);
	view_drop(sets);
}

/* --- scaling */

/* The only set with replicas, or if none has any, the newest; NULL if several have. */
static const struct replica_set **only_or_newest(struct rollout *r)
{
	size_t active = 0, last = 0;

	for (size_t i = 0; i < r->old.len; i++) {
		if (replicas_of(r->old.at[i]) > 0) {
			active++;
			last = i;
		}
	}
	if (r->fresh && replicas_of(r->fresh) > 0)
		return active == 0 ? &r->fresh : NULL;
	if (active == 1)
		return (const struct replica_set **)&r->old.at[last];
	if (active > 1)
		return NULL;
	if (r->fresh)
		return &r->fresh;
	return r->old.len > 0 ? (const struct replica_set **)&r->old.at[r->old.len - 1] : NULL;
}

static bool is_saturated(const struct rollout *r)
{
	int64_t desired;

	return r->fresh &&
		set_number(r->fresh, STR("deployment.kubernetes.io/desired-replicas"), &desired) &&
		replicas_of(r->fresh) == *r->d->spec.replicas && desired == *r->d->spec.replicas &&
		r->fresh->status.available_replicas == *r->d->spec.replicas;
}

/* A deployment that is scaled in the middle of a rollout: all sets get their share, so that the
 * risk stays what it was; what rounding leaves goes to the first. */
static int scale_in_proportion(struct rollout *r, struct err *e)
{
	struct object_list all = rollout_all(r), active = sets_active(r, &all);
	int32_t most = *r->d->spec.replicas > 0 ? *r->d->spec.replicas + deployment_max_surge(r->d)
						: 0;
	int32_t to_add = most - sets_replicas(&active), added = 0;
	int32_t *sizes = arena_get(r->p->arena, active.len * sizeof(*sizes) + 1);

	if (to_add != 0)
		object_list_sort(&active,
			to_add > 0 ? sets_largest_newest_first : sets_largest_oldest_first);
	for (size_t i = 0; i < active.len; i++) {
		int32_t share = to_add ? deployment_proportion(r->d, active.at[i], to_add, added)
				       : 0;

		sizes[i] = replicas_of(active.at[i]) + share;
		added += share;
	}
	for (size_t i = 0; i < active.len; i++) {
		const struct replica_set *rs = active.at[i];

		if (i == 0 && to_add != 0)
			sizes[0] += to_add - added;
		TRY(rollout_scale(r, &rs, sizes[i] < 0 ? 0 : sizes[i], e));
	}
	return 0;
}

static int scale(struct rollout *r, struct err *e)
{
	const struct replica_set **only = only_or_newest(r);

	if (only)
		return replicas_of(*only) == *r->d->spec.replicas
			? 0
			: rollout_scale(r, only, *r->d->spec.replicas, e);
	if (is_saturated(r)) {
		for (size_t i = 0; i < r->old.len; i++) {
			const struct replica_set *rs = r->old.at[i];

			if (replicas_of(rs) > 0)
				TRY(rollout_scale(r, &rs, 0, e));
		}
		return 0;
	}
	if (!str_eq(r->d->spec.strategy.type, STR("RollingUpdate")))
		return 0;
	return scale_in_proportion(r, e);
}

static int scale_only(struct rollout *r, struct err *e)
{
	TRY(rollout_find_sets(r, false, e));
	TRY(scale(r, e));
	if (r->d->spec.paused)
		TRY(rollout_cleanup(r, e));
	return rollout_tell_counts(r, e);
}

static int was_scaled(struct rollout *r, bool *to, struct err *e)
{
	*to = false;
	TRY(rollout_find_sets(r, false, e));
	struct object_list all = rollout_all(r), active = sets_active(r, &all);

	for (size_t i = 0; i < active.len; i++) {
		int64_t desired;

		if (set_number(active.at[i], STR("deployment.kubernetes.io/desired-replicas"),
			    &desired) &&
			desired != *r->d->spec.replicas)
			*to = true;
	}
	return 0;
}

/* --- a pass */

/* A paused deployment makes no progress, and that is no failure. */
static int tell_pause(struct rollout *r, struct err *e)
{
	const struct deployment_condition *c = deployment_condition(&r->d->status, PROGRESSING);
	bool told = c && str_eq(c->reason, STR("DeploymentPaused"));

	if (!deployment_has_deadline(r->d) ||
		(c && str_eq(c->reason, STR("ProgressDeadlineExceeded"))) ||
		told == r->d->spec.paused)
		return 0;
	deployment_set_condition(r, &r->d->status, PROGRESSING, STR("Unknown"),
		r->d->spec.paused ? STR("DeploymentPaused") : STR("DeploymentResumed"),
		r->d->spec.paused ? STR("Deployment is paused") : STR("Deployment is resumed"));
	return rollout_write_status(r, e);
}

static int refuse_selector(struct rollout *r, struct err *e)
{
	pass_warn(r->p, r->d, "SelectingAll",
		"This deployment is selecting all pods. A non-empty selector is required.");
	if (r->d->status.observed_generation >= r->d->metadata.generation)
		return 0;
	r->d->status.observed_generation = r->d->metadata.generation;
	return rollout_write_status(r, e);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct deployment *seen = pass_get(p, API_DEPLOYMENT, p->ns, p->name);
	struct meta_selector selector;
	bool scaled;

	if (!seen)
		return 0;
	struct rollout r = {.p = p, .d = pass_copy(p, seen)};

	if (!r.d->spec.replicas)
		r.d->spec.replicas = arena_i32(p->arena, 1);
	TRY(meta_selector(p->arena, seen->spec.selector, &selector, e));
	if (meta_selects_everything(&selector))
		return refuse_selector(&r, e);
	struct claim claim = {.p = p, .owner = seen, .selector = &selector};

	TRY(claim_objects(&claim, API_REPLICA_SET, &r.sets, e));
	if (seen->metadata.deletion_timestamp) {
		TRY(rollout_find_sets(&r, false, e));
		return rollout_tell_counts(&r, e);
	}
	TRY(tell_pause(&r, e));
	if (r.d->spec.paused)
		return scale_only(&r, e);
	TRY(was_scaled(&r, &scaled, e));
	if (scaled)
		return scale_only(&r, e);
	if (str_eq(r.d->spec.strategy.type, STR("Recreate")))
		return rollout_recreate(&r, e);
	return rollout_rolling(&r, e);
}

const struct controller deployment_controller = {
	.name = "deployment-controller",
	.account = "deployment-controller",
	.watches = {{API_DEPLOYMENT, deployment_changed}, {API_REPLICA_SET, replica_set_changed},
		{API_POD, pod_changed}},
	.works = {{"deployment", 5, reconcile, .retries_max = 15}},
};
