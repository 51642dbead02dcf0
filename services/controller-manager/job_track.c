#include "controller-manager/job.h"

#include "lib/base/map.h"
#include "lib/codec/json.h"

#include <stdlib.h>

enum { UNCOUNTED_MAX = 500 };

const struct job_condition *job_condition(const struct job *j, str type)
{
	for (size_t i = 0; i < j->status.conditions.len; i++) {
		if (str_eq(j->status.conditions.at[i].type, type))
			return &j->status.conditions.at[i];
	}
	return NULL;
}

bool job_set_condition(struct job_pass *j, str type, str status, str reason, str message)
{
	struct job_condition *c = (struct job_condition *)job_condition(j->job, type);
	size_t len = j->job->status.conditions.len;
	struct job_condition *all;

	if (c && str_eq(c->status, status) && str_eq(c->reason, reason) &&
		str_eq(c->message, message))
		return false;
	if (!c) {
		/* What never was is not told to be over. */
		if (str_eq(status, STR("False")))
			return false;
		all = arena_get(j->p->arena, (len + 1) * sizeof(*all));
		if (len > 0)
			memcpy(all, j->job->status.conditions.at, len * sizeof(*all));
		j->job->status.conditions.at = all;
		j->job->status.conditions.len = len + 1;
		c = &all[len];
	}
	*c = (struct job_condition){
		.type = type,
		.status = status,
		.last_probe_time = pass_now(j->p),
		.last_transition_time = pass_now(j->p),
		.reason = reason,
		.message = message,
	};
	return true;
}

static bool is_released(struct jobs *jobs, str uid)
{
	pthread_mutex_lock(&jobs->lock);
	bool released = map_get(jobs->released, uid) != NULL;

	pthread_mutex_unlock(&jobs->lock);
	return released;
}

bool job_pod_has_finalizer(struct job_pass *j, const struct pod *p)
{
	return meta_has_finalizer(&p->metadata, STR(JOB_FINALIZER)) &&
		!is_released(j->jobs, p->metadata.uid);
}

bool job_pod_is_failed(const struct job *j, const struct pod *p)
{
	bool only_failed = j->spec.pod_failure_policy ||
		(j->spec.pod_replacement_policy &&
			str_eq(*j->spec.pod_replacement_policy, STR("Failed")));

	if (str_eq(p->status.phase, STR("Failed")))
		return true;
	return !only_failed && p->metadata.deletion_timestamp && !pod_is_finished(p);
}

static bool is_among(const struct str_list *l, str uid)
{
	for (size_t i = 0; i < l->len; i++) {
		if (str_eq(l->at[i], uid))
			return true;
	}
	return false;
}

static void add_uid(struct arena *a, struct str_list *l, str uid)
{
	str *all = arena_get(a, (l->len + 1) * sizeof(*all));

	if (l->len > 0)
		memcpy(all, l->at, l->len * sizeof(*all));
	all[l->len] = uid;
	*l = (struct str_list){all, l->len + 1};
}

bool job_pod_is_kept(struct job_pass *j, const struct pod *p)
{
	int64_t index = job_pod_index(p);
	int32_t failures;

	if (!j->per_index || !job_pod_is_failed(j->job, p) || j->finished ||
		job_indexes_has(&j->lost, index) || job_indexes_has(&j->done, index))
		return false;
	failures = job_index_failures(j->p->arena, j->job, p);
	for (size_t i = 0; i < j->pods.len; i++) {
		const struct pod *other = j->pods.at[i];

		if (other == p || job_pod_index(other) != index)
			continue;
		if (!pod_is_finished(other) && !other->metadata.deletion_timestamp)
			return false;
		if (job_pod_is_failed(j->job, other) &&
			job_index_failures(j->p->arena, j->job, other) > failures)
			return false;
	}
	return true;
}

/* Takes a finished pod into account. Whether its finalizer may go. */
static bool note_pod(struct job_pass *j, const struct pod *pod, bool *changed)
{
	struct uncounted_terminated_pods *u = j->job->status.uncounted_terminated_pods;
	bool failed = job_pod_is_failed(j->job, pod);
	bool unfinished_success = j->finished &&
		str_eq(j->finished->type, STR("SuccessCriteriaMet"));
	int64_t index = job_pod_index(pod);
	str uid = pod->metadata.uid, message;

	if (job_pod_is_kept(j, pod))
		return false;
	if (!pod_is_finished(pod) && !failed && !j->finished && !pod->metadata.deletion_timestamp)
		return false;
	if (str_eq(pod->status.phase, STR("Succeeded")) && !is_among(&u->failed, uid)) {
		if (!j->indexed && !is_among(&u->succeeded, uid)) {
			add_uid(j->p->arena, &u->succeeded, uid);
			*changed = true;
		}
	} else if (failed || (j->finished && !unfinished_success)) {
		if (!is_among(&u->failed, uid) &&
			(!j->indexed || (index >= 0 && (size_t)index < j->done.len)) &&
			job_failure_action(j->p->arena, j->job, pod, &message) != JOB_IGNORE) {
			add_uid(j->p->arena, &u->failed, uid);
			*changed = true;
		}
	} else if (!pod_is_finished(pod)) {
		return pod->metadata.deletion_timestamp != NULL || j->finished;
	}
	return true;
}

static int write_status(struct job_pass *j, struct err *e)
{
	void *now;

	TRY(pass_update_status(j->p, j->job, &now, e));
	j->job = now;
	if (!j->job->status.uncounted_terminated_pods)
		j->job->status.uncounted_terminated_pods = arena_get(
			j->p->arena, sizeof(*j->job->status.uncounted_terminated_pods));
	return 0;
}

static void note_released(struct jobs *jobs, str uid)
{
	char *text = calloc(1, uid.len + 1);

	if (!text)
		abort();
	memcpy(text, uid.at, uid.len);
	pthread_mutex_lock(&jobs->lock);
	if (map_get(jobs->released, uid))
		free(text);
	else
		map_put(jobs->released, str_span(text, uid.len), text);
	pthread_mutex_unlock(&jobs->lock);
}

static int release_pod(struct job_pass *j, const struct pod *pod, struct err *e)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("{\"metadata\":{\"uid\":"));
	json_put_str(&b, pod->metadata.uid);
	buf_add_str(&b, STR(",\"$deleteFromPrimitiveList/finalizers\":[\"" JOB_FINALIZER "\"]}}"));
	int patched = pass_patch(j->p, pod, STR(""), PATCH_STRATEGIC, buf_str(&b), NULL, e);

	buf_free(&b);
	TRY(pass_ignore_missing(patched, e));
	note_released(j->jobs, pod->metadata.uid);
	return 0;
}

/* Uids whose pods have no finalizer any more go to the counters. */
static bool count_released(struct job_pass *j, struct str_list *uids, int32_t *counter)
{
	struct str_list left = {arena_get(j->p->arena, uids->len * sizeof(str) + 1), 0};
	bool changed = false;

	for (size_t i = 0; i < uids->len; i++) {
		bool held = false;

		for (size_t at = 0; at < j->pods.len && !held; at++)
			held = str_eq(meta_of(j->pods.at[at])->uid, uids->at[i]) &&
				job_pod_has_finalizer(j, j->pods.at[at]);
		if (held) {
			left.at[left.len++] = uids->at[i];
			continue;
		}
		if (counter)
			++*counter;
		changed = true;
	}
	*uids = left;
	return changed;
}

static bool count_all_released(struct job_pass *j)
{
	struct job_status *s = &j->job->status;
	struct uncounted_terminated_pods *u = s->uncounted_terminated_pods;
	bool changed = count_released(j, &u->succeeded, j->indexed ? NULL : &s->succeeded);

	return count_released(j, &u->failed, &s->failed) || changed;
}

static bool put_indexes(struct job_pass *j)
{
	struct job_status *s = &j->job->status;
	str done = job_indexes_text(j->p->arena, &j->done);
	bool changed = !str_eq(done, s->completed_indexes);

	if (!j->indexed)
		return false;
	s->succeeded = (int32_t)j->done.count;
	s->completed_indexes = done;
	if (j->per_index) {
		str lost = job_indexes_text(j->p->arena, &j->lost);

		changed = changed || !s->failed_indexes || !str_eq(lost, *s->failed_indexes);
		s->failed_indexes = arena_get(j->p->arena, sizeof(str));
		*s->failed_indexes = lost;
	}
	return changed;
}

/* Conditions that announce the end, written before any finalizer goes. */
static bool announce(struct job_pass *j)
{
	struct job_condition *c = j->finished;
	bool fails, changed;

	if (!c)
		return false;
	fails = str_eq(c->type, STR("FailureTarget"));
	if (!fails && !str_eq(c->type, STR("SuccessCriteriaMet")))
		return false;
	changed = job_set_condition(j, c->type, STR("True"), c->reason, c->message);
	c->type = fails ? STR("Failed") : STR("Complete");
	return changed;
}

/* The end itself, once nothing is left to count. */
static bool conclude(struct job_pass *j)
{
	const struct uncounted_terminated_pods *u = j->job->status.uncounted_terminated_pods;
	const struct job_condition *c = j->finished;

	if (!c || u->succeeded.len + u->failed.len > 0 || j->terminating > 0)
		return false;
	(void)job_set_condition(j, c->type, STR("True"), c->reason, c->message);
	if (str_eq(c->type, STR("Complete"))) {
		j->job->status.completion_time = arena_get(j->p->arena, sizeof(struct time_value));
		*j->job->status.completion_time = pass_now(j->p);
	}
	return true;
}

static void tell_end(struct job_pass *j)
{
	const struct job_condition *c = j->finished;

	if (!str_eq(c->type, STR("Complete"))) {
		char reason[64];
		size_t len = c->reason.len < sizeof(reason) ? c->reason.len : sizeof(reason) - 1;

		memcpy(reason, c->reason.at, len);
		reason[len] = '\0';
		pass_warn(j->p, j->job, reason, "%.*s", STR_ARG(c->message));
		return;
	}
	if (j->job->spec.completions && j->job->status.succeeded > *j->job->spec.completions)
		pass_warn(j->p, j->job, "TooManySucceededPods",
			"Too many succeeded pods running after completion count reached");
	pass_event(j->p, j->job, "Completed", "Job completed");
}

int job_track(struct job_pass *j, bool changed, struct err *e)
{
	const struct uncounted_terminated_pods *u = j->job->status.uncounted_terminated_pods;
	struct object_list releases = {0};
	bool ended;

	changed |= count_all_released(j);
	for (size_t i = 0; i < j->pods.len; i++) {
		if (u->succeeded.len + u->failed.len >= UNCOUNTED_MAX)
			break;
		if (job_pod_has_finalizer(j, j->pods.at[i]) && note_pod(j, j->pods.at[i], &changed))
			object_list_add(j->p->arena, &releases, j->pods.at[i]);
	}
	changed |= put_indexes(j);
	changed |= announce(j);
	if (changed)
		TRY(write_status(j, e));
	for (size_t i = 0; i < releases.len; i++)
		TRY(release_pod(j, releases.at[i], e));
	changed = count_all_released(j);
	ended = conclude(j);
	if (changed || ended)
		TRY(write_status(j, e));
	if (ended)
		tell_end(j);
	return 0;
}
