#include "controller-manager/job.h"

#define FAILURES_KEY STR("batch.kubernetes.io/job-index-failure-count")

static bool exit_code_matches(
	const struct pod_failure_policy_on_exit_codes_requirement *r, int32_t code)
{
	bool among = false;

	for (size_t i = 0; i < r->values.len; i++)
		among = among || r->values.at[i] == code;
	return str_eq(r->operator, STR("In")) ? among : code != 0 && !among;
}

static const struct container_status *match_codes(
	const struct pod *p, const struct pod_failure_policy_on_exit_codes_requirement *r)
{
	const struct pod_status *s = &p->status;

	for (size_t i = 0; i < s->container_statuses.len + s->init_container_statuses.len; i++) {
		const struct container_status *c = i < s->container_statuses.len
			? &s->container_statuses.at[i]
			: &s->init_container_statuses.at[i - s->container_statuses.len];
		const struct container_state_terminated *t = c->state.terminated;

		if (t && t->exit_code != 0 &&
			(!r->container_name || str_eq(*r->container_name, c->name)) &&
			exit_code_matches(r, t->exit_code))
			return c;
	}
	return NULL;
}

static const struct pod_condition *match_conditions(
	const struct pod *p, const struct pod_failure_policy_rule *r)
{
	for (size_t i = 0; i < r->on_pod_conditions.len; i++) {
		const struct pod_condition *c = pod_condition(p, r->on_pod_conditions.at[i].type);

		if (c && str_eq(c->status, r->on_pod_conditions.at[i].status))
			return c;
	}
	return NULL;
}

static enum job_action action_of(str name)
{
	if (str_eq(name, STR("Ignore")))
		return JOB_IGNORE;
	if (str_eq(name, STR("FailJob")))
		return JOB_FAIL;
	return str_eq(name, STR("FailIndex")) ? JOB_FAIL_INDEX : JOB_COUNT;
}

enum job_action job_failure_action(
	struct arena *a, const struct job *j, const struct pod *p, str *message)
{
	const struct pod_failure_policy *policy = j->spec.pod_failure_policy;

	for (size_t i = 0; policy && i < policy->rules.len; i++) {
		const struct pod_failure_policy_rule *r = &policy->rules.at[i];
		const struct container_status *container = r->on_exit_codes
			? match_codes(p, r->on_exit_codes)
			: NULL;
		const struct pod_condition *c = r->on_exit_codes ? NULL : match_conditions(p, r);

		if (container)
			*message = arena_fmt(a,
				"Container %.*s for pod %.*s/%.*s failed with exit code %d "
				"matching %.*s rule at index %zu",
				STR_ARG(container->name), STR_ARG(p->metadata.namespace),
				STR_ARG(p->metadata.name), container->state.terminated->exit_code,
				STR_ARG(r->action), i);
		else if (c)
			*message = arena_fmt(a,
				"Pod %.*s/%.*s has condition %.*s matching %.*s rule at index %zu",
				STR_ARG(p->metadata.namespace), STR_ARG(p->metadata.name),
				STR_ARG(c->type), STR_ARG(r->action), i);
		if (container || c)
			return action_of(r->action);
	}
	return JOB_COUNT;
}

bool job_success_met(
	struct arena *a, const struct job *j, const struct job_indexes *done, str *message)
{
	const struct success_policy *policy = j->spec.success_policy;

	for (size_t i = 0; policy && i < policy->rules.len; i++) {
		const struct success_policy_rule *r = &policy->rules.at[i];
		size_t have = done->count, wanted = 0;

		if (r->succeeded_indexes) {
			struct job_indexes x = job_indexes_read(
				a, *r->succeeded_indexes, done->len);

			wanted = x.count;
			have = 0;
			for (size_t at = 0; at < x.len; at++)
				have += x.at[at] && done->at[at];
		}
		if (r->succeeded_count)
			wanted = (size_t)*r->succeeded_count;
		if (wanted > 0 && have >= wanted) {
			*message = arena_fmt(a, "Matched rules at index %zu", i);
			return true;
		}
	}
	return false;
}

int32_t job_index_failures(struct arena *a, const struct job *j, const struct pod *p)
{
	str text = meta_annotation(&p->metadata, FAILURES_KEY), message;
	int64_t before = 0;

	if (text.len > 0 && !str_to_i64(text, &before))
		before = 0;
	return (int32_t)before + (job_failure_action(a, j, p, &message) != JOB_IGNORE);
}
