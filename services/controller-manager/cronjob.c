/*
 * cronjob-controller: jobs by a schedule.
 * Source: pkg/controller/cronjob/cronjob_controllerv2.go.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/job.h"
#include "lib/value/cron.h"

enum { MISSED_MAX = 100, LATE_MS = 100 };

#define SCHEDULED_KEY STR("batch.kubernetes.io/cronjob-scheduled-timestamp")

struct cron_pass {
	struct pass *p;
	struct cron_job *c; /* a copy */
	struct object_list jobs;
	struct cron schedule;
	int64_t now_s;
	bool changed;
};

static void cron_job_changed(struct controller_run *r, const void *before, const void *now)
{
	run_enqueue(r, now ? now : before);
}

static void job_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct object_meta *m = meta_of(now ? now : before);
	const struct owner_reference *o = meta_controller(m);

	if (o && str_eq(o->kind, STR("CronJob")))
		run_enqueue_name(r, m->namespace, o->name);
}

static bool is_true(const struct job *j, str type)
{
	const struct job_condition *c = job_condition(j, type);

	return c && str_eq(c->status, STR("True"));
}

static str end_of(const struct job *j)
{
	if (is_true(j, STR("Complete")))
		return STR("Complete");
	return is_true(j, STR("Failed")) ? STR("Failed") : (str){NULL, 0};
}

static const struct job *find_job(const struct cron_pass *c, str uid)
{
	for (size_t i = 0; i < c->jobs.len; i++) {
		if (str_eq(meta_of(c->jobs.at[i])->uid, uid))
			return c->jobs.at[i];
	}
	return NULL;
}

static void drop_active(struct cron_pass *c, size_t at)
{
	struct cron_job_status *s = &c->c->status;

	s->active.len--;
	memmove(&s->active.at[at], &s->active.at[at + 1],
		(s->active.len - at) * sizeof(*s->active.at));
	c->changed = true;
}

static void note_success(struct cron_pass *c, const struct job *j)
{
	struct cron_job_status *s = &c->c->status;

	if (!j->status.completion_time ||
		(s->last_successful_time &&
			time_compare(s->last_successful_time, j->status.completion_time) >= 0))
		return;
	s->last_successful_time = j->status.completion_time;
	c->changed = true;
}

/* Jobs that have ended, or are gone, are active no more. */
static int update_active(struct cron_pass *c, struct err *e)
{
	struct cron_job_status *s = &c->c->status;

	for (size_t i = 0; i < c->jobs.len; i++) {
		if (is_true(c->jobs.at[i], STR("Complete")))
			note_success(c, c->jobs.at[i]);
	}
	for (size_t i = s->active.len; i > 0; i--) {
		const struct object_reference *r = &s->active.at[i - 1];
		const struct job *j = find_job(c, r->uid);
		void *found;

		if (j && end_of(j).at) {
			pass_event(c->p, c->c, "SawCompletedJob",
				"Saw completed job: %.*s, condition: %.*s",
				STR_ARG(j->metadata.name), STR_ARG(end_of(j)));
			drop_active(c, i - 1);
		} else if (!j) {
			if (pass_fetch(c->p, API_JOB, r->namespace, r->name, &found, e) == 0)
				continue;
			if (e->kind != ERR_NOT_FOUND)
				return -1;
			pass_event(c->p, c->c, "MissingJob", "Active job went missing: %.*s",
				STR_ARG(r->name));
			drop_active(c, i - 1);
		}
	}
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct job *x = a, *y = b;
	const struct time_value none = {0};
	const struct time_value *xs = x->status.start_time ? x->status.start_time : &none,
				*ys = y->status.start_time ? y->status.start_time : &none;
	int order = time_compare(xs, ys);

	return order ? order : str_cmp(x->metadata.name, y->metadata.name);
}

static int delete_job(struct cron_pass *c, const struct job *j, struct err *e)
{
	const struct client_delete how = {.propagation = STR("Background")};

	if (client_delete(c->p->run->env.client, c->p->arena, target_of(j), &how, e) < 0 &&
		e->kind != ERR_NOT_FOUND) {
		pass_warn(c->p, c->c, "FailedDelete", "Deleted job: %s", e->text);
		return -1;
	}
	for (size_t i = c->c->status.active.len; i > 0; i--) {
		if (str_eq(c->c->status.active.at[i - 1].uid, j->metadata.uid))
			drop_active(c, i - 1);
	}
	pass_event(c->p, c->c, "SuccessfulDelete", "Deleted job %.*s", STR_ARG(j->metadata.name));
	return 0;
}

static int trim_history(struct cron_pass *c, str end, const int32_t *limit, struct err *e)
{
	struct object_list ended = {0};

	if (!limit)
		return 0;
	for (size_t i = 0; i < c->jobs.len; i++) {
		if (str_eq(end_of(c->jobs.at[i]), end))
			object_list_add(c->p->arena, &ended, c->jobs.at[i]);
	}
	object_list_sort(&ended, by_start);
	for (size_t i = 0; i + (size_t)*limit < ended.len; i++)
		TRY(delete_job(c, ended.at[i], e));
	return 0;
}

/* --- time */

static void come_back(struct cron_pass *c)
{
	int64_t next_s = cron_next(&c->schedule, c->now_s);

	if (next_s > 0)
		pass_again(c->p, next_s * NS_PER_S - pass_now_ns(c->p) + LATE_MS * NS_PER_MS);
}

/* The latest time that has come since the last start; 0: none. */
static int64_t due_time(struct cron_pass *c)
{
	const int64_t *deadline_s = c->c->spec.starting_deadline_seconds;
	int64_t from_s = c->c->status.last_schedule_time
		? c->c->status.last_schedule_time->seconds
		: c->c->metadata.creation_timestamp.seconds;
	int64_t due_s = 0, missed = 0;

	if (deadline_s && c->now_s - *deadline_s > from_s)
		from_s = c->now_s - *deadline_s;
	for (int64_t at_s = cron_next(&c->schedule, from_s); at_s > 0 && at_s <= c->now_s;
		at_s = cron_next(&c->schedule, at_s)) {
		due_s = at_s;
		if (++missed == MISSED_MAX + 1)
			pass_warn(c->p, c->c, "TooManyMissedTimes",
				"too many missed start times. Set or decrease "
				".spec.startingDeadlineSeconds or check clock skew");
		/* What was missed long ago is not walked through one by one. */
		if (missed > MISSED_MAX && c->now_s - at_s > 86400)
			at_s = c->now_s - 86400;
	}
	return due_s;
}

/* --- starting */

static int replace_active(struct cron_pass *c, struct err *e)
{
	for (size_t i = c->c->status.active.len; i > 0; i--) {
		const struct job *j = find_job(c, c->c->status.active.at[i - 1].uid);

		if (j)
			TRY(delete_job(c, j, e));
	}
	return 0;
}

static struct job *make_job(struct cron_pass *c, int64_t due_s)
{
	struct arena *a = c->p->arena;
	const struct job_template_spec *from = &c->c->spec.job_template;
	struct time_value due = time_from_seconds(due_s);
	struct job *j = pass_new(c->p, API_JOB, c->p->ns,
		arena_fmt(a, "%.*s-%lld", STR_ARG(c->p->name), (long long)(due_s / 60)));
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	time_put(&b, &due);
	j->metadata.labels = from->metadata.labels;
	j->metadata.annotations = from->metadata.annotations;
	str_map_set(a, &j->metadata.annotations, SCHEDULED_KEY, arena_str(a, buf_str(&b)));
	buf_free(&b);
	meta_add_owner(a, &j->metadata, meta_controller_ref(a, c->c));
	j->spec = from->spec;
	return j;
}

static void note_active(struct cron_pass *c, const struct job *j)
{
	struct cron_job_status *s = &c->c->status;
	struct object_reference *all = arena_get(c->p->arena, (s->active.len + 1) * sizeof(*all));

	if (s->active.len > 0)
		memcpy(all, s->active.at, s->active.len * sizeof(*all));
	all[s->active.len] = events_reference(j);
	s->active.at = all;
	s->active.len++;
	c->changed = true;
}

static int start(struct cron_pass *c, int64_t due_s, struct err *e)
{
	struct job *j = make_job(c, due_s);
	void *made;

	if (pass_create(c->p, j, &made, e) < 0) {
		if (client_has_cause(e, STR("NamespaceTerminating")))
			return 0;
		if (e->kind == ERR_EXISTS) {
			TRY(pass_fetch(c->p, API_JOB, c->p->ns, j->metadata.name, &made, e));
			if (end_of(made).at || !meta_controlled_by(meta_of(made), &c->c->metadata))
				return 0;
		} else {
			pass_warn(c->p, c->c, "FailedCreate", "Error creating job: %s", e->text);
			return -1;
		}
	} else {
		pass_event(c->p, c->c, "SuccessfulCreate", "Created job %.*s",
			STR_ARG(j->metadata.name));
	}
	note_active(c, made);
	c->c->status.last_schedule_time = arena_get(c->p->arena, sizeof(struct time_value));
	*c->c->status.last_schedule_time = time_from_seconds(due_s);
	return 0;
}

static bool knows_zone(const struct cron_job *c)
{
	return !c->spec.time_zone || str_eq(*c->spec.time_zone, STR("UTC")) ||
		str_eq(*c->spec.time_zone, STR("Etc/UTC"));
}

static int start_if_due(struct cron_pass *c, struct err *e)
{
	const struct cron_job_spec *s = &c->c->spec;
	struct err bad;

	if (!knows_zone(c->c)) {
		pass_warn(c->p, c->c, "UnknownTimeZone",
			"invalid timeZone: \"%.*s\": only UTC is known here",
			STR_ARG(*s->time_zone));
		return 0;
	}
	if (cron_parse(s->schedule, &c->schedule, &bad) < 0) {
		pass_warn(c->p, c->c, "UnparseableSchedule", "unparseable schedule: \"%.*s\" : %s",
			STR_ARG(s->schedule), bad.text);
		return 0;
	}
	if (s->suspend && *s->suspend)
		return 0;
	come_back(c);
	int64_t due_s = due_time(c);

	if (!due_s)
		return 0;
	if (s->starting_deadline_seconds && due_s + *s->starting_deadline_seconds < c->now_s) {
		pass_warn(c->p, c->c, "MissSchedule", "Missed scheduled time to start a job: %lld",
			(long long)due_s);
		return 0;
	}
	if (str_eq(s->concurrency_policy, STR("Forbid")) && c->c->status.active.len > 0) {
		pass_event(c->p, c->c, "JobAlreadyActive",
			"Not starting job because prior execution is running and concurrency "
			"policy is Forbid");
		return 0;
	}
	if (str_eq(s->concurrency_policy, STR("Replace")))
		TRY(replace_active(c, e));
	return start(c, due_s, e);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct cron_job *seen = pass_get(p, API_CRON_JOB, p->ns, p->name);
	struct cron_pass c = {.p = p, .now_s = pass_now_ns(p) / NS_PER_S};

	if (!seen)
		return 0;
	c.c = pass_copy(p, seen);
	owned_objects(p, seen, API_JOB, &c.jobs);
	TRY(update_active(&c, e));
	TRY(trim_history(&c, STR("Complete"), seen->spec.successful_jobs_history_limit, e));
	TRY(trim_history(&c, STR("Failed"), seen->spec.failed_jobs_history_limit, e));
	if (!seen->metadata.deletion_timestamp)
		TRY(start_if_due(&c, e));
	return c.changed ? pass_update_status(p, c.c, NULL, e) : 0;
}

const struct controller cronjob_controller = {
	.name = "cronjob-controller",
	.account = "cronjob-controller",
	.watches = {{API_CRON_JOB, cron_job_changed}, {API_JOB, job_changed}},
	.works = {{"cronjob", 5, reconcile}},
};
