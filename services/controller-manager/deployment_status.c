#include "controller-manager/deployment.h"

#define PROGRESSING STR("Progressing")
#define AVAILABLE   STR("Available")
#define FAILURE     STR("ReplicaFailure")
#define TIMED_OUT   STR("ProgressDeadlineExceeded")
#define NEW_DONE    STR("NewReplicaSetAvailable")

const struct deployment_condition *deployment_condition(const struct deployment_status *s, str type)
{
	for (size_t i = 0; i < s->conditions.len; i++) {
		if (str_eq(s->conditions.at[i].type, type))
			return &s->conditions.at[i];
	}
	return NULL;
}

/* Room for one more, the one of this type left out. */
static struct deployment_condition *others(
	struct rollout *r, const struct deployment_status *s, str type, size_t *len)
{
	struct deployment_condition *to = arena_get(
		r->p->arena, (s->conditions.len + 1) * sizeof(*to));

	*len = 0;
	for (size_t i = 0; i < s->conditions.len; i++) {
		if (!str_eq(s->conditions.at[i].type, type))
			to[(*len)++] = s->conditions.at[i];
	}
	return to;
}

static void remove_condition(struct rollout *r, struct deployment_status *s, str type)
{
	size_t len;

	s->conditions.at = others(r, s, type, &len);
	s->conditions.len = len;
}

static void put_condition(
	struct rollout *r, struct deployment_status *s, struct deployment_condition c)
{
	const struct deployment_condition *old = deployment_condition(s, c.type);
	size_t len;

	if (old && str_eq(old->status, c.status) && str_eq(old->reason, c.reason))
		return;
	if (old && str_eq(old->status, c.status))
		c.last_transition_time = old->last_transition_time;
	struct deployment_condition *all = others(r, s, c.type, &len);

	all[len] = c;
	s->conditions.at = all;
	s->conditions.len = len + 1;
}

void deployment_set_condition(struct rollout *r, struct deployment_status *s, str type, str status,
	str reason, str message)
{
	put_condition(r, s,
		(struct deployment_condition){
			.type = type,
			.status = status,
			.last_update_time = pass_now(r->p),
			.last_transition_time = pass_now(r->p),
			.reason = reason,
			.message = message,
		});
}

bool deployment_has_deadline(const struct deployment *d)
{
	return d->spec.progress_deadline_seconds && *d->spec.progress_deadline_seconds != INT32_MAX;
}

bool deployment_complete(const struct deployment *d, const struct deployment_status *s)
{
	return s->updated_replicas == *d->spec.replicas && s->replicas == *d->spec.replicas &&
		s->available_replicas == *d->spec.replicas &&
		s->observed_generation >= d->metadata.generation;
}

int rollout_write_status(struct rollout *r, struct err *e)
{
	void *now;

	TRY(pass_update_status(r->p, r->d, &now, e));
	r->d = now;
	return 0;
}

static struct deployment_status counts(struct rollout *r)
{
	struct object_list all = rollout_all(r);
	const struct deployment *d = r->d;
	struct deployment_status s = {
		.observed_generation = d->metadata.generation,
		.updated_replicas = r->fresh ? r->fresh->status.replicas : 0,
		.collision_count = d->status.collision_count,
		.terminating_replicas = arena_i32(r->p->arena, 0),
	};

	s.conditions.at = d->status.conditions.at;
	s.conditions.len = d->status.conditions.len;
	for (size_t i = 0; i < all.len; i++) {
		const struct replica_set_status *rs =
			&((const struct replica_set *)all.at[i])->status;

		s.replicas += rs->replicas;
		s.ready_replicas += rs->ready_replicas;
		s.available_replicas += rs->available_replicas;
		if (!rs->terminating_replicas)
			s.terminating_replicas = NULL;
		else if (s.terminating_replicas)
			*s.terminating_replicas += *rs->terminating_replicas;
	}
	s.unavailable_replicas = sets_replicas(&all) - s.available_replicas;
	if (s.unavailable_replicas < 0)
		s.unavailable_replicas = 0;
	if (s.available_replicas >= *d->spec.replicas - deployment_max_unavailable(d))
		deployment_set_condition(r, &s, AVAILABLE, STR("True"),
			STR("MinimumReplicasAvailable"),
			STR("Deployment has minimum availability."));
	else
		deployment_set_condition(r, &s, AVAILABLE, STR("False"),
			STR("MinimumReplicasUnavailable"),
			STR("Deployment does not have minimum availability."));
	return s;
}

static bool same_status(const struct deployment *d, const struct deployment_status *s)
{
	return struct_equal(api_type(API_DEPLOYMENT_STATUS), &d->status, s);
}

int rollout_tell_counts(struct rollout *r, struct err *e)
{
	struct deployment_status s = counts(r);

	if (same_status(r->d, &s))
		return 0;
	r->d->status = s;
	return rollout_write_status(r, e);
}

/* --- progress */

static bool progresses(const struct deployment_status *old, const struct deployment_status *s)
{
	return s->updated_replicas > old->updated_replicas ||
		s->replicas - s->updated_replicas < old->replicas - old->updated_replicas ||
		s->ready_replicas > old->ready_replicas ||
		s->available_replicas > old->available_replicas;
}

/* Seconds until the deadline for progress; negative: it is over. */
static int64_t time_left_s(struct rollout *r, const struct deployment_condition *c)
{
	return c->last_update_time.seconds + *r->d->spec.progress_deadline_seconds -
		pass_now_ns(r->p) / NS_PER_S;
}

static bool timed_out(struct rollout *r)
{
	const struct deployment_condition *c = deployment_condition(&r->d->status, PROGRESSING);

	if (!c || str_eq(c->reason, NEW_DONE))
		return false;
	return str_eq(c->reason, TIMED_OUT) || time_left_s(r, c) < 0;
}

static str message(struct rollout *r, const char *what)
{
	if (!r->fresh)
		return arena_fmt(
			r->p->arena, "Deployment \"%.*s\" %s", STR_ARG(r->d->metadata.name), what);
	return arena_fmt(
		r->p->arena, "ReplicaSet \"%.*s\" %s", STR_ARG(r->fresh->metadata.name), what);
}

static void judge_progress(struct rollout *r, struct deployment_status *s)
{
	const struct deployment_condition *now = deployment_condition(&r->d->status, PROGRESSING);

	if (s->replicas == s->updated_replicas && now && str_eq(now->reason, NEW_DONE))
		return;
	if (deployment_complete(r->d, s)) {
		deployment_set_condition(r, s, PROGRESSING, STR("True"), NEW_DONE,
			message(r, "has successfully progressed."));
	} else if (progresses(&r->d->status, s)) {
		struct deployment_condition c = {
			.type = PROGRESSING,
			.status = STR("True"),
			.last_update_time = pass_now(r->p),
			.last_transition_time = now && str_eq(now->status, STR("True"))
				? now->last_transition_time
				: pass_now(r->p),
			.reason = STR("ReplicaSetUpdated"),
			.message = message(r, "is progressing."),
		};

		remove_condition(r, s, PROGRESSING);
		put_condition(r, s, c);
	} else if (timed_out(r)) {
		deployment_set_condition(r, s, PROGRESSING, STR("False"), TIMED_OUT,
			message(r, "has timed out progressing."));
	}
}

static const struct replica_set_condition *failure_of(const struct replica_set *rs)
{
	for (size_t i = 0; rs && i < rs->status.conditions.len; i++) {
		if (str_eq(rs->status.conditions.at[i].type, FAILURE))
			return &rs->status.conditions.at[i];
	}
	return NULL;
}

static void pass_on_failure(struct rollout *r, struct deployment_status *s)
{
	const struct replica_set_condition *c = failure_of(r->fresh);

	for (size_t i = 0; i < r->old.len && !c; i++)
		c = failure_of(r->old.at[i]);
	if (!c) {
		remove_condition(r, s, FAILURE);
		return;
	}
	put_condition(r, s,
		(struct deployment_condition){
			.type = FAILURE,
			.status = c->status,
			.last_update_time = c->last_transition_time,
			.last_transition_time = c->last_transition_time,
			.reason = c->reason,
			.message = c->message,
		});
}

/* Nothing moves: look again when the deadline is over. */
static void look_again(struct rollout *r, const struct deployment_status *s)
{
	const struct deployment_condition *c = deployment_condition(&r->d->status, PROGRESSING);

	if (!deployment_has_deadline(r->d) || !c || deployment_complete(r->d, s) ||
		str_eq(c->reason, TIMED_OUT))
		return;
	int64_t left_s = time_left_s(r, c);

	pass_again(r->p, ((left_s > 0 ? left_s : 0) + 1) * NS_PER_S);
}

int rollout_tell_progress(struct rollout *r, struct err *e)
{
	struct deployment_status s = counts(r);

	if (deployment_has_deadline(r->d))
		judge_progress(r, &s);
	else
		remove_condition(r, &s, PROGRESSING);
	pass_on_failure(r, &s);
	if (same_status(r->d, &s)) {
		look_again(r, &s);
		return 0;
	}
	r->d->status = s;
	return rollout_write_status(r, e);
}
