#include "controller-manager/deployment.h"
#include "controller-manager/pods.h"

struct object_list rollout_all(struct rollout *r)
{
	struct object_list all = {0};

	for (size_t i = 0; i < r->old.len; i++)
		object_list_add(r->p->arena, &all, r->old.at[i]);
	if (r->fresh)
		object_list_add(r->p->arena, &all, r->fresh);
	return all;
}

struct object_list sets_active(struct rollout *r, const struct object_list *sets)
{
	struct object_list active = {0};

	for (size_t i = 0; i < sets->len; i++) {
		if (replicas_of(sets->at[i]) > 0)
			object_list_add(r->p->arena, &active, sets->at[i]);
	}
	return active;
}

int rollout_scale(struct rollout *r, const struct replica_set **rs, int32_t to, struct err *e)
{
	struct replica_set *next = pass_copy(r->p, *rs);
	int32_t from = replicas_of(*rs);
	bool noted = rollout_note_size(r, next);
	void *now;

	if (from == to && !noted)
		return 0;
	next->spec.replicas = arena_i32(r->p->arena, to);
	TRY(pass_update(r->p, next, &now, e));
	if (from != to)
		pass_event(r->p, r->d, "ScalingReplicaSet",
			"Scaled %s replica set %.*s from %d to %d", from < to ? "up" : "down",
			STR_ARG(next->metadata.name), from, to);
	*rs = now;
	return 0;
}

/* One of the old ones, by its place in the list. */
static int scale_old(struct rollout *r, size_t at, int32_t to, struct err *e)
{
	const struct replica_set *rs = r->old.at[at];

	TRY(rollout_scale(r, &rs, to, e));
	r->old.at[at] = rs;
	return 0;
}

static int scale_fresh(struct rollout *r, bool *scaled, struct err *e)
{
	struct object_list all = rollout_all(r);
	int32_t have = replicas_of(r->fresh), want = *r->d->spec.replicas;

	*scaled = false;
	if (have == want)
		return 0;
	if (have < want)
		want = deployment_new_replicas(r->d, r->fresh, sets_replicas(&all));
	*scaled = have != want;
	return *scaled ? rollout_scale(r, &r->fresh, want, e) : 0;
}

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* Replicas of old sets that never became available go first: nobody misses them. */
static int drop_unhealthy(struct rollout *r, int32_t most, int32_t *dropped, struct err *e)
{
	*dropped = 0;
	for (size_t i = 0; i < r->old.len && *dropped < most; i++) {
		const struct replica_set *rs = r->old.at[i];
		int32_t unhealthy = replicas_of(rs) - rs->status.available_replicas;
		int32_t drop = smaller(most - *dropped, unhealthy);

		if (replicas_of(rs) == 0 || unhealthy == 0)
			continue;
		if (drop < 0)
			return err_set(e, ERR_CONFLICT,
				"when cleaning up unhealthy replicas, got invalid request to scale "
				"down %.*s/%.*s %d -> %d",
				STR_ARG(rs->metadata.namespace), STR_ARG(rs->metadata.name),
				replicas_of(rs), replicas_of(rs) - drop);
		TRY(scale_old(r, i, replicas_of(rs) - drop, e));
		*dropped += drop;
	}
	return 0;
}

static int32_t sets_available(const struct object_list *sets)
{
	int32_t sum = 0;

	for (size_t i = 0; i < sets->len; i++)
		sum += ((const struct replica_set *)sets->at[i])->status.available_replicas;
	return sum;
}

/* As many as leave enough available. */
static int scale_down_old(struct rollout *r, int32_t min_available, int32_t *dropped, struct err *e)
{
	struct object_list all = rollout_all(r);
	int32_t most = sets_available(&all) - min_available;

	for (size_t i = 0; i < r->old.len && *dropped < most; i++) {
		int32_t have = replicas_of(r->old.at[i]), drop = smaller(have, most - *dropped);

		if (have == 0)
			continue;
		TRY(scale_old(r, i, have - drop, e));
		*dropped += drop;
	}
	return 0;
}

static int reconcile_old(struct rollout *r, bool *scaled, struct err *e)
{
	struct object_list all = rollout_all(r);
	int32_t min_available = *r->d->spec.replicas - deployment_max_unavailable(r->d);
	int32_t fresh_unavailable = replicas_of(r->fresh) - r->fresh->status.available_replicas;
	int32_t most = sets_replicas(&all) - min_available - fresh_unavailable;
	int32_t unhealthy = 0, dropped = 0;

	*scaled = false;
	if (sets_replicas(&r->old) == 0 || most <= 0)
		return 0;
	TRY(drop_unhealthy(r, most, &unhealthy, e));
	TRY(scale_down_old(r, min_available, &dropped, e));
	*scaled = unhealthy + dropped > 0;
	return 0;
}

static int cleanup_if_complete(struct rollout *r, struct err *e)
{
	if (deployment_complete(r->d, &r->d->status))
		TRY(rollout_cleanup(r, e));
	return rollout_tell_progress(r, e);
}

int rollout_rolling(struct rollout *r, struct err *e)
{
	bool scaled;

	TRY(rollout_find_sets(r, true, e));
	TRY(scale_fresh(r, &scaled, e));
	if (!scaled)
		TRY(reconcile_old(r, &scaled, e));
	if (scaled)
		return rollout_tell_progress(r, e);
	return cleanup_if_complete(r, e);
}

/* --- Recreate */

static bool old_pods_run(struct rollout *r)
{
	struct object_list pods = {0};

	for (size_t i = 0; i < r->old.len; i++) {
		const struct replica_set *rs = r->old.at[i];

		if (rs->status.replicas > 0)
			return true;
		owned_objects(r->p, rs, API_POD, &pods);
	}
	for (size_t i = 0; i < pods.len; i++) {
		if (!pod_is_finished(pods.at[i]))
			return true;
	}
	return false;
}

int rollout_recreate(struct rollout *r, struct err *e)
{
	bool scaled = false;

	TRY(rollout_find_sets(r, false, e));
	for (size_t i = 0; i < r->old.len; i++) {
		if (replicas_of(r->old.at[i]) == 0)
			continue;
		TRY(scale_old(r, i, 0, e));
		scaled = true;
	}
	if (scaled || old_pods_run(r))
		return rollout_tell_progress(r, e);
	if (!r->fresh)
		TRY(rollout_find_sets(r, true, e));
	TRY(rollout_scale(r, &r->fresh, *r->d->spec.replicas, e));
	return cleanup_if_complete(r, e);
}

/* --- history */

static int by_revision(const void *a, const void *b)
{
	int64_t x = 0, y = 0;

	(void)set_number(a, REVISION_KEY, &x);
	(void)set_number(b, REVISION_KEY, &y);
	return x == y ? sets_oldest_first(a, b) : (x > y) - (x < y);
}

int rollout_cleanup(struct rollout *r, struct err *e)
{
	const int32_t *limit = r->d->spec.revision_history_limit;
	struct object_list alive = {0};

	if (!limit || *limit == INT32_MAX)
		return 0;
	for (size_t i = 0; i < r->old.len; i++) {
		if (!meta_of(r->old.at[i])->deletion_timestamp)
			object_list_add(r->p->arena, &alive, r->old.at[i]);
	}
	object_list_sort(&alive, by_revision);
	for (size_t i = 0; i + (size_t)*limit < alive.len; i++) {
		const struct replica_set *rs = alive.at[i];

		if (rs->status.replicas != 0 || replicas_of(rs) != 0 ||
			rs->metadata.generation > rs->status.observed_generation)
			continue;
		TRY(pass_ignore_missing(pass_delete(r->p, rs, e), e));
	}
	return 0;
}
