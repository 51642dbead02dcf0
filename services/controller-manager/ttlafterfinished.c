/*
 * ttl-after-finished-controller: jobs that have ended are deleted when their time is over.
 * Source: pkg/controller/ttlafterfinished.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/job.h"

static void job_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	const struct job *j = now;

	if (j && j->spec.ttl_seconds_after_finished && !j->metadata.deletion_timestamp)
		run_enqueue(r, j);
}

/* When the job ended; not set while it runs. */
static struct time_value end_time(const struct job *j)
{
	static const str ends[] = {STR_INIT("Complete"), STR_INIT("Failed")};

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		const struct job_condition *c = job_condition(j, ends[i]);

		if (c && str_eq(c->status, STR("True")))
			return c->last_transition_time;
	}
	return (struct time_value){.set = false};
}

static int64_t left_ns(struct pass *p, const struct job *j, const struct time_value *end)
{
	return (end->seconds + *j->spec.ttl_seconds_after_finished) * NS_PER_S - pass_now_ns(p);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct job *j = pass_get(p, API_JOB, p->ns, p->name);
	struct client_delete how = {.propagation = STR("Foreground")};
	void *found;

	/* The server is asked in the end: the time may have been prolonged. */
	for (int looks = 0; looks < 2; looks++) {
		if (!j || j->metadata.deletion_timestamp || !j->spec.ttl_seconds_after_finished)
			return 0;
		struct time_value end = end_time(j);

		if (!end.set)
			return 0;
		if (left_ns(p, j, &end) > 0) {
			pass_again(p, left_ns(p, j, &end));
			return 0;
		}
		if (looks == 0) {
			if (pass_fetch(p, API_JOB, p->ns, p->name, &found, e) < 0)
				return pass_ignore_missing(-1, e);
			j = found;
		}
	}
	how.uid = j->metadata.uid;
	return pass_ignore_missing(
		client_delete(p->run->env.client, p->arena, target_of(j), &how, e), e);
}

const struct controller ttl_after_finished_controller = {
	.name = "ttl-after-finished-controller",
	.account = "ttl-after-finished-controller",
	.watches = {{API_JOB, job_changed}},
	.works = {{"ttl_jobs_to_delete", 5, reconcile}},
};
