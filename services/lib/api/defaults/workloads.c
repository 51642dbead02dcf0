/*
 * Defaults of apps, batch and autoscaling.
 */
#include "lib/api/defaults/defaults.h"

enum { JOB_BACKOFF_LIMIT = 6, SCALE_PERIOD_SECONDS = 15, SCALE_PERCENT = 100, SCALE_UP_PODS = 4 };

void default_deployment_strategy(struct arena *a, void *o)
{
	struct deployment_strategy *s = o;

	default_text(&s->type, STR("RollingUpdate"));
	if (!str_eq(s->type, STR("RollingUpdate")))
		return;
	if (!s->rolling_update)
		s->rolling_update = arena_get(a, sizeof(*s->rolling_update));
	if (!s->rolling_update->max_unavailable)
		s->rolling_update->max_unavailable = default_percent(a, STR("25%"));
	if (!s->rolling_update->max_surge)
		s->rolling_update->max_surge = default_percent(a, STR("25%"));
}

void default_daemon_set_strategy(struct arena *a, void *o)
{
	struct daemon_set_update_strategy *s = o;

	default_text(&s->type, STR("RollingUpdate"));
	if (!str_eq(s->type, STR("RollingUpdate")))
		return;
	if (!s->rolling_update)
		s->rolling_update = arena_get(a, sizeof(*s->rolling_update));
	if (!s->rolling_update->max_unavailable)
		s->rolling_update->max_unavailable = default_number(a, 1);
	if (!s->rolling_update->max_surge)
		s->rolling_update->max_surge = default_number(a, 0);
}

void default_stateful_set_strategy(struct arena *a, void *o)
{
	struct stateful_set_update_strategy *s = o;

	if (s->type.len == 0) {
		s->type = STR("RollingUpdate");
		if (!s->rolling_update)
			s->rolling_update = arena_get(a, sizeof(*s->rolling_update));
	}
	if (str_eq(s->type, STR("RollingUpdate")) && s->rolling_update &&
		!s->rolling_update->partition)
		s->rolling_update->partition = arena_i32(a, 0);
}

void default_job(struct arena *a, void *o)
{
	struct job *job = o;
	struct job_spec *spec = &job->spec;
	const struct str_map *labels = &spec->template.metadata.labels;

	if (!spec->completions && !spec->parallelism)
		spec->completions = arena_i32(a, 1);
	if (!spec->parallelism)
		spec->parallelism = arena_i32(a, 1);
	if (!spec->backoff_limit)
		spec->backoff_limit = arena_i32(
			a, spec->backoff_limit_per_index ? INT32_MAX : JOB_BACKOFF_LIMIT);
	if (labels->at && job->metadata.labels.len == 0)
		job->metadata.labels = *labels;
	if (!spec->completion_mode)
		spec->completion_mode = default_str(a, STR("NonIndexed"));
	if (!spec->suspend)
		spec->suspend = arena_bool(a, false);
	if (!spec->pod_replacement_policy)
		spec->pod_replacement_policy = default_str(
			a, spec->pod_failure_policy ? STR("Failed") : STR("TerminatingOrFailed"));
	if (!spec->manual_selector)
		spec->manual_selector = arena_bool(a, false);
}

/* `pods` is 0 for no policy by pods. */
static void default_rules(struct arena *a, struct hpa_scaling_rules **to, int32_t pods)
{
	struct hpa_scaling_rules *rules = *to;

	if (!rules)
		*to = rules = arena_get(a, sizeof(*rules));
	if (!rules->select_policy)
		rules->select_policy = default_str(a, STR("Max"));
	if (rules->policies.at)
		return;
	rules->policies.at = arena_get(a, 2 * sizeof(*rules->policies.at));
	if (pods)
		rules->policies.at[rules->policies.len++] = (struct hpa_scaling_policy){
			.type = STR("Pods"), .value = pods, .period_seconds = SCALE_PERIOD_SECONDS};
	rules->policies.at[rules->policies.len++] = (struct hpa_scaling_policy){
		.type = STR("Percent"),
		.value = SCALE_PERCENT,
		.period_seconds = SCALE_PERIOD_SECONDS};
}

void default_autoscaler_behavior(struct arena *a, void *o)
{
	struct horizontal_pod_autoscaler_behavior *b = o;

	default_rules(a, &b->scale_up, SCALE_UP_PODS);
	if (!b->scale_up->stabilization_window_seconds)
		b->scale_up->stabilization_window_seconds = arena_i32(a, 0);
	default_rules(a, &b->scale_down, 0);
}
