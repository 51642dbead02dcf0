/*
 * job-controller: pods that run to their end, so many of them.
 */
#include "controller-manager/job.h"

#include "controller-manager/controllers.h"
#include "controller-manager/dependents.h"
#include "lib/base/map.h"

#include <stdlib.h>

static struct jobs *jobs_of(struct controller_run *r);

static bool selects(struct arena *a, const void *owner, const struct str_map *labels)
{
	return dependents_match(a, ((const struct job *)owner)->spec.selector, labels);
}

static int open_jobs(struct controller_run *r, struct err *e)
{
	struct jobs *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ERR_SYSTEM, "no memory for job-controller");
	s->expectations = expectations_new(r->env.clock);
	pthread_mutex_init(&s->lock, NULL);
	s->released = calloc(1, sizeof(*s->released));
	s->backoffs = calloc(1, sizeof(*s->backoffs));
	if (!s->released || !s->backoffs)
		abort();
	map_init(s->released);
	map_init(s->backoffs);
	r->state = s;
	return 0;
}

static struct jobs *jobs_of(struct controller_run *r)
{
	return r->state;
}

static bool is_finished(const struct job *j)
{
	const struct job_condition *done = job_condition(j, STR("Complete")),
				   *failed = job_condition(j, STR("Failed"));

	return (done && str_eq(done->status, STR("True"))) ||
		(failed && str_eq(failed->status, STR("True")));
}

static void job_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct job *old = before, *j = now;

	run_enqueue(r, now ? now : before);
	if (old && j && j->spec.active_deadline_seconds && j->status.start_time &&
		!(old->spec.active_deadline_seconds &&
			*old->spec.active_deadline_seconds == *j->spec.active_deadline_seconds))
		run_enqueue(r, j);
}

static void forget_released(struct jobs *s, str uid)
{
	pthread_mutex_lock(&s->lock);
	free(map_remove(s->released, uid));
	pthread_mutex_unlock(&s->lock);
}

static void pod_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct dependents d = {API_JOB, "Job", selects, jobs_of(r)->expectations, NULL};
	const struct object_meta *m = meta_of(now ? now : before);

	if (!now || !meta_has_finalizer(m, STR(JOB_FINALIZER)))
		forget_released(jobs_of(r), m->uid);
	dependents_changed(r, &d, before, now);
}

/* --- pods of jobs that are gone or done keep no finalizer */

static int drop_finalizer(struct pass *p, const struct pod *pod, struct err *e)
{
	int patched = pass_patch(p, pod, STR(""), PATCH_STRATEGIC,
		STR("{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"" JOB_FINALIZER
		    "\"]}}"),
		NULL, e);

	return pass_ignore_missing(patched, e);
}

static int drop_orphans(struct pass *p, struct err *e)
{
	struct view_walk pods = pass_list(p, API_POD, p->ns);

	view_each(const struct pod *, pod, &pods)
	{
		const struct owner_reference *r = meta_controller(&pod->metadata);

		if (!meta_has_finalizer(&pod->metadata, STR(JOB_FINALIZER)))
			continue;
		if (r && !(str_eq(r->kind, STR("Job")) && str_eq(r->name, p->name)))
			continue;
		const struct job *j = r ? pass_get(p, API_JOB, p->ns, r->name) : NULL;

		if (!j || !str_eq(j->metadata.uid, r->uid) || is_finished(j))
			TRY(drop_finalizer(p, pod, e));
	}
	return 0;
}

/* --- counting */

static void count_pods(struct job_pass *j)
{
	for (size_t i = 0; i < j->pods.len; i++) {
		const struct pod *pod = j->pods.at[i];

		if (pod_is_active(pod)) {
			object_list_add(j->p->arena, &j->active, pod);
			j->ready += pod_is_ready(pod);
		}
		j->terminating += pod_is_terminating(pod);
	}
}

static bool is_new(struct job_pass *j, const struct str_list *uncounted, const struct pod *pod)
{
	for (size_t i = 0; i < uncounted->len; i++) {
		if (str_eq(uncounted->at[i], pod->metadata.uid))
			return false;
	}
	return job_pod_has_finalizer(j, pod);
}

static int64_t finish_s(const struct pod *pod, int64_t now_s)
{
	int64_t latest_s = 0;

	for (size_t i = 0; i < pod->status.container_statuses.len; i++) {
		const struct container_state_terminated *t =
			pod->status.container_statuses.at[i].state.terminated;

		if (t && t->finished_at.set && t->finished_at.seconds > latest_s)
			latest_s = t->finished_at.seconds;
	}
	return latest_s ? latest_s : now_s;
}

static void find_backoff(struct job_pass *j)
{
	pthread_mutex_lock(&j->jobs->lock);
	const struct job_backoff *b = map_get(j->jobs->backoffs, j->p->key);

	if (b)
		j->backoff = *b;
	pthread_mutex_unlock(&j->jobs->lock);
}

struct kept_backoff {
	struct job_backoff backoff;
	char key[];
};

static void keep_backoff(struct jobs *s, str key, const struct job_backoff *b)
{
	pthread_mutex_lock(&s->lock);
	struct job_backoff *kept = map_get(s->backoffs, key);

	if (!b && kept) {
		(void)map_remove(s->backoffs, key);
		free(CONTAINER_OF(kept, struct kept_backoff, backoff));
	} else if (b && !kept) {
		struct kept_backoff *k = calloc(1, sizeof(*k) + key.len);

		if (!k)
			abort();
		memcpy(k->key, key.at, key.len);
		k->backoff = *b;
		map_put(s->backoffs, str_span(k->key, key.len), &k->backoff);
	} else if (b) {
		*kept = *b;
	}
	pthread_mutex_unlock(&s->lock);
}

static void count_finished(struct job_pass *j)
{
	const struct uncounted_terminated_pods *u = j->job->status.uncounted_terminated_pods;
	int64_t now_s = pass_now_ns(j->p) / NS_PER_S;
	str message;

	j->succeeded = j->job->status.succeeded + (int32_t)u->succeeded.len;
	j->failed = j->job->status.failed + (int32_t)u->failed.len;
	find_backoff(j);
	for (size_t i = 0; i < j->pods.len; i++) {
		const struct pod *pod = j->pods.at[i];

		if (str_eq(pod->status.phase, STR("Succeeded")) && is_new(j, &u->succeeded, pod)) {
			j->succeeded++;
			j->backoff = (struct job_backoff){0};
		} else if (job_pod_is_failed(j->job, pod) && is_new(j, &u->failed, pod)) {
			j->failed += job_failure_action(j->p->arena, j->job, pod, &message) !=
				JOB_IGNORE;
			if (!job_pod_is_kept(j, pod))
				j->backoff.failures++;
			j->backoff.last_s = finish_s(pod, now_s);
		}
	}
}

static void count_indexes(struct job_pass *j)
{
	size_t completions = (size_t)*j->job->spec.completions;
	const struct job_status *s = &j->job->status;
	str message;

	j->done = job_indexes_read(j->p->arena, s->completed_indexes, completions);
	j->lost = job_indexes_read(
		j->p->arena, s->failed_indexes ? *s->failed_indexes : STR(""), completions);
	for (size_t i = 0; i < j->pods.len; i++) {
		const struct pod *pod = j->pods.at[i];
		int64_t index = job_pod_index(pod);

		if (str_eq(pod->status.phase, STR("Succeeded")) && job_pod_has_finalizer(j, pod))
			job_indexes_add(&j->done, index);
		if (j->per_index && job_pod_is_failed(j->job, pod) &&
			(job_index_failures(j->p->arena, j->job, pod) >
					*j->job->spec.backoff_limit_per_index ||
				job_failure_action(j->p->arena, j->job, pod, &message) ==
					JOB_FAIL_INDEX))
			job_indexes_add(&j->lost, index);
	}
	j->succeeded = (int32_t)j->done.count;
}

/* --- what the job comes to */

static void finish(struct job_pass *j, str type, str reason, str message)
{
	j->finished = arena_get(j->p->arena, sizeof(*j->finished));
	*j->finished = (struct job_condition){.type = type, .reason = reason, .message = message};
}

static bool condition_is_true(const struct job *j, str type)
{
	const struct job_condition *c = job_condition(j, type);

	return c && str_eq(c->status, STR("True"));
}

static bool restarted_too_often(const struct job_pass *j)
{
	int64_t restarts = 0;

	if (!str_eq(j->job->spec.template.spec.restart_policy, STR("OnFailure")))
		return false;
	for (size_t i = 0; i < j->pods.len; i++) {
		const struct pod *pod = j->pods.at[i];

		if (!str_eq(pod->status.phase, STR("Running")) &&
			!str_eq(pod->status.phase, STR("Pending")))
			continue;
		for (size_t c = 0; c < pod->status.container_statuses.len; c++)
			restarts += pod->status.container_statuses.at[c].restart_count;
		for (size_t c = 0; c < pod->status.init_container_statuses.len; c++)
			restarts += pod->status.init_container_statuses.at[c].restart_count;
	}
	return *j->job->spec.backoff_limit == 0 ? restarts > 0
						: restarts >= *j->job->spec.backoff_limit;
}

static bool deadline_is_over(struct job_pass *j)
{
	const int64_t *limit_s = j->job->spec.active_deadline_seconds;
	int64_t left_s;

	if (!limit_s || !j->job->status.start_time || job_suspended(j->job))
		return false;
	left_s = j->job->status.start_time->seconds + *limit_s - pass_now_ns(j->p) / NS_PER_S;
	if (left_s > 0)
		pass_again(j->p, left_s * NS_PER_S);
	return left_s <= 0;
}

static void judge_failures(struct job_pass *j)
{
	str message;

	for (size_t i = 0; i < j->pods.len && !j->finished; i++) {
		if (str_eq(((const struct pod *)j->pods.at[i])->status.phase, STR("Failed")) &&
			job_failure_action(j->p->arena, j->job, j->pods.at[i], &message) ==
				JOB_FAIL)
			finish(j, STR("FailureTarget"), STR("PodFailurePolicy"), message);
	}
	if (j->finished)
		return;
	if (j->failed > *j->job->spec.backoff_limit || restarted_too_often(j))
		finish(j, STR("FailureTarget"), STR("BackoffLimitExceeded"),
			STR("Job has reached the specified backoff limit"));
	else if (deadline_is_over(j))
		finish(j, STR("FailureTarget"), STR("DeadlineExceeded"),
			STR("Job was active longer than specified deadline"));
}

static void judge_indexes(struct job_pass *j)
{
	const int32_t *most = j->job->spec.max_failed_indexes;
	str message;

	if (j->per_index && most && j->lost.count > (size_t)*most)
		finish(j, STR("FailureTarget"), STR("MaxFailedIndexesExceeded"),
			STR("Job has exceeded the specified maximal number of failed indexes"));
	else if (j->per_index && j->lost.count > 0 && j->lost.count + j->done.count >= j->done.len)
		finish(j, STR("FailureTarget"), STR("FailedIndexes"),
			STR("Job has failed indexes"));
	else if (job_success_met(j->p->arena, j->job, &j->done, &message))
		finish(j, STR("SuccessCriteriaMet"), STR("SuccessPolicy"), message);
}

static void judge(struct job_pass *j)
{
	const struct job_condition *c;

	if (condition_is_true(j->job, STR("SuccessCriteriaMet"))) {
		c = job_condition(j->job, STR("SuccessCriteriaMet"));
		finish(j, c->type, c->reason, c->message);
	} else if (condition_is_true(j->job, STR("FailureTarget"))) {
		c = job_condition(j->job, STR("FailureTarget"));
		finish(j, c->type, c->reason, c->message);
	} else {
		judge_failures(j);
	}
	if (!j->finished && j->indexed)
		judge_indexes(j);
}

static bool is_complete(const struct job_pass *j)
{
	if (j->job->status.active > 0)
		return false;
	if (!j->job->spec.completions)
		return j->succeeded > 0;
	return j->succeeded >= *j->job->spec.completions;
}

/* --- a pass */

static bool tell_suspension(struct job_pass *j)
{
	if (job_suspended(j->job)) {
		if (!job_set_condition(j, STR("Suspended"), STR("True"), STR("JobSuspended"),
			    STR("Job suspended")))
			return false;
		pass_event(j->p, j->job, "Suspended", "Job suspended");
		j->job->status.start_time = NULL;
		return true;
	}
	if (!job_set_condition(
		    j, STR("Suspended"), STR("False"), STR("JobResumed"), STR("Job resumed")))
		return false;
	pass_event(j->p, j->job, "Resumed", "Job resumed");
	j->job->status.start_time = arena_get(j->p->arena, sizeof(struct time_value));
	*j->job->status.start_time = pass_now(j->p);
	return true;
}

/* The job ends: what still runs is deleted. It is not over before all of that is seen. */
static int end_pods(struct job_pass *j, bool met, struct err *e)
{
	size_t deleted;
	int result = job_delete_active(j, &deleted, e);

	if (deleted != j->active.len || !met)
		j->finished = NULL;
	j->job->status.active = (int32_t)(j->active.len - deleted);
	j->terminating += (int32_t)deleted;
	j->ready = 0;
	return result;
}

static int32_t number(const int32_t *n)
{
	return n ? *n : -1;
}

static int manage(struct job_pass *j, bool met, bool *changed, struct err *e)
{
	int result = 0;

	j->job->status.active = (int32_t)j->active.len;
	judge(j);
	if (j->finished)
		return end_pods(j, met, e);
	bool managed = met && !j->job->metadata.deletion_timestamp;

	if (managed)
		result = job_manage_pods(j, e);
	if (is_complete(j))
		finish(j, STR("SuccessCriteriaMet"), STR("CompletionsReached"),
			STR("Reached expected number of succeeded pods"));
	else if (managed)
		*changed |= tell_suspension(j);
	return result;
}

static int run_pass(struct job_pass *j, bool met, struct err *e)
{
	const struct job_status before = j->job->status;
	bool changed = !before.uncounted_terminated_pods;
	struct err failure;

	if (changed)
		j->job->status.uncounted_terminated_pods = arena_get(
			j->p->arena, sizeof(*j->job->status.uncounted_terminated_pods));
	count_pods(j);
	if (j->indexed)
		count_indexes(j);
	count_finished(j);
	if (j->indexed)
		j->succeeded = (int32_t)j->done.count;
	if (!j->job->status.start_time && !job_suspended(j->job)) {
		j->job->status.start_time = arena_get(j->p->arena, sizeof(struct time_value));
		*j->job->status.start_time = pass_now(j->p);
		changed = true;
	}
	int managed = manage(j, met, &changed, &failure);

	changed = changed || j->job->status.active != before.active ||
		number(before.ready) != j->ready || number(before.terminating) != j->terminating;
	j->job->status.ready = arena_i32(j->p->arena, j->ready);
	j->job->status.terminating = arena_i32(j->p->arena, j->terminating);
	if (job_track(j, changed, e) < 0)
		return e->kind == ERR_CONFLICT ? -1 : err_context(e, "tracking status");
	keep_backoff(j->jobs, j->p->key, j->backoff.failures > 0 ? &j->backoff : NULL);
	if (managed < 0)
		*e = failure;
	return managed;
}

static int reconcile(struct pass *p, struct err *e)
{
	struct jobs *s = pass_state(p);
	const struct job *seen = pass_get(p, API_JOB, p->ns, p->name);
	struct meta_selector selector;

	if (!seen || is_finished(seen)) {
		if (!seen)
			expectations_forget(s->expectations, p->key);
		keep_backoff(s, p->key, NULL);
		return drop_orphans(p, e);
	}
	if (seen->spec.managed_by &&
		!str_eq(*seen->spec.managed_by, STR("kubernetes.io/job-controller")))
		return 0;
	bool met = expectations_met(s->expectations, p->key);
	struct job_pass j = {.p = p,
		.jobs = s,
		.job = pass_copy(p, seen),
		.indexed = seen->spec.completion_mode &&
			str_eq(*seen->spec.completion_mode, STR("Indexed")) &&
			seen->spec.completions,
		.per_index = seen->spec.backoff_limit_per_index != NULL};
	struct claim claim = {
		.p = p, .owner = seen, .selector = &selector, .finalizer = JOB_FINALIZER};

	TRY(meta_selector(p->arena, seen->spec.selector, &selector, e));
	TRY(claim_objects(&claim, API_POD, &j.pods, e));
	return run_pass(&j, met, e);
}

const struct controller job_controller = {
	.name = "job-controller",
	.account = "job-controller",
	.watches = {{API_JOB, job_changed}, {API_POD, pod_changed}},
	.works = {{"job", 5, reconcile, .retry_base_ns = NS_PER_S, .retry_max_ns = 60 * NS_PER_S}},
	.open = open_jobs,
};
