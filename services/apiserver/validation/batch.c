#include "apiserver/validation/rules.h"
#include "lib/value/cron.h"

enum {
	CRON_NAME_MAX = 52,
	MANAGED_BY_MAX = 63,
	PARALLELISM_INDEXED_MAX = 100000,
	FAILURE_RULES_MAX = 20,
	SUCCESS_RULES_MAX = 20,
};

static void check_indexed(struct causes *c, const struct field_path *p, const struct job_spec *s);
static void check_job_restart(
	struct causes *c, const struct field_path *p, const struct job_spec *s);
static void check_failure_rule(struct causes *c, const struct field_path *p,
	const struct job_spec *s, const struct pod_failure_policy_rule *r);

void check_job_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct job_spec *s = o;
	struct causes *c = v->causes;
	bool indexed = s->completion_mode && str_eq(*s->completion_mode, STR("Indexed"));
	bool whole = object_type(v->root) == &api_schema.types[API_JOB];

	check_job_restart(c, FIELD(FIELD(FIELD(p, "template"), "spec"), "restartPolicy"), s);
	if (s->max_failed_indexes && !s->backoff_limit_per_index)
		causes_required(
			c, FIELD(p, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
	check_indexed(c, p, s);
	if (s->managed_by && s->managed_by->len > MANAGED_BY_MAX)
		causes_too_long(c, FIELD(p, "managedBy"), MANAGED_BY_MAX);
	for (size_t i = 0; s->pod_failure_policy && i < s->pod_failure_policy->rules.len; i++)
		check_failure_rule(c, FIELD_INDEX(FIELD(FIELD(p, "podFailurePolicy"), "rules"), i),
			s, &s->pod_failure_policy->rules.at[i]);
	if (s->pod_failure_policy && s->pod_failure_policy->rules.len > FAILURE_RULES_MAX)
		causes_too_many(c, FIELD(FIELD(p, "podFailurePolicy"), "rules"),
			s->pod_failure_policy->rules.len, FAILURE_RULES_MAX);
	if (s->success_policy && indexed && !s->success_policy->rules.len)
		causes_required(c, FIELD(FIELD(p, "successPolicy"), "rules"),
			"at least one rules must be specified when the successPolicy is specified");
	if (s->success_policy && s->success_policy->rules.len > SUCCESS_RULES_MAX)
		causes_too_many(c, FIELD(FIELD(p, "successPolicy"), "rules"),
			s->success_policy->rules.len, SUCCESS_RULES_MAX);
	if (!whole)
		return;
	if (!s->selector)
		causes_required(c, FIELD(p, "selector"), "%s", "");
	else
		check_selects_template(c, p, s->selector, &s->template.metadata);
}

void check_cron_job(struct validation *v, const struct field_path *p, const void *o)
{
	const struct cron_job *j = o;

	if (!v->before && j->metadata.name.len > CRON_NAME_MAX)
		causes_invalid(v->causes, FIELD(FIELD(p, "metadata"), "name"),
			cause_text(j->metadata.name), "must be no more than 52 characters");
}

void check_cron_job_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct cron_job_spec *s = o;
	struct cron schedule;
	struct err e;

	if (!s->schedule.len)
		causes_required(v->causes, FIELD(p, "schedule"), "%s", "");
	else if (str_find(s->schedule, STR("TZ")) >= 0)
		causes_invalid(v->causes, FIELD(p, "schedule"), cause_text(s->schedule),
			s->time_zone
				? "cannot use both timeZone field and TZ or CRON_TZ in schedule"
				: "cannot use TZ or CRON_TZ in schedule, use timeZone field "
				  "instead");
	else if (cron_parse(s->schedule, &schedule, &e) < 0)
		causes_invalid(
			v->causes, FIELD(p, "schedule"), cause_text(s->schedule), "%s", e.text);
	if (s->time_zone && !s->time_zone->len)
		causes_invalid(v->causes, FIELD(p, "timeZone"), cause_text(*s->time_zone),
			"timeZone must be nil or non-empty string");
}

void check_job_template(struct validation *v, const struct field_path *p, const void *o)
{
	const struct job_template_spec *t = o;
	static const str allowed[] = {STR_INIT("nil"), STR_INIT("false")};
	struct causes *c = v->causes;

	check_template_metadata(c, p, &t->metadata);
	if (t->spec.selector)
		causes_invalid(c, FIELD(FIELD(p, "spec"), "selector"),
			cause_struct(
				c->arena, &api_schema.types[API_LABEL_SELECTOR], t->spec.selector),
			"`selector` will be auto-generated");
	if (t->spec.manual_selector && *t->spec.manual_selector)
		causes_not_supported(c, FIELD(FIELD(p, "spec"), "manualSelector"), cause_bool(true),
			allowed, COUNT_OF(allowed));
}

/* While a job is suspended and has not started, what decides where its pods go may change. */
void update_job(struct validation *v, const void *now, const void *before)
{
	const struct job *a = now, *b = before;
	const struct field_path *p = FIELD(NULL, "spec");
	bool waiting = b->spec.suspend && *b->spec.suspend && !b->status.start_time;
	struct pod_template_spec next = a->spec.template;

	if (waiting) {
		next.spec.affinity = b->spec.template.spec.affinity;
		next.spec.node_selector = b->spec.template.spec.node_selector;
		next.spec.tolerations = b->spec.template.spec.tolerations;
		next.spec.scheduling_gates = b->spec.template.spec.scheduling_gates;
		next.metadata.labels = b->spec.template.metadata.labels;
		next.metadata.annotations = b->spec.template.metadata.annotations;
	}
	if (!struct_equal(&api_schema.types[API_POD_TEMPLATE_SPEC], &next, &b->spec.template))
		causes_invalid(v->causes, FIELD(p, "template"),
			cause_struct(v->causes->arena, &api_schema.types[API_POD_TEMPLATE_SPEC],
				&a->spec.template),
			"field is immutable");
	bool indexed = a->spec.completion_mode && str_eq(*a->spec.completion_mode, STR("Indexed"));
	const int32_t *x = a->spec.completions, *y = b->spec.completions;
	const int32_t *parallel = a->spec.parallelism;
	if ((!x != !y || (x && *x != *y)) && !(indexed && x && y && parallel && *x == *parallel))
		causes_invalid(v->causes, FIELD(p, "completions"),
			x ? cause_i64(v->causes->arena, *x) : cause_json(STR("null")),
			indexed ? "can only be modified in tandem with parallelism"
				: "field is immutable");
}

static void check_indexed(struct causes *c, const struct field_path *p, const struct job_spec *s)
{
	bool indexed = s->completion_mode && str_eq(*s->completion_mode, STR("Indexed"));

	if (indexed && !s->completions)
		causes_required(c, FIELD(p, "completions"), "when completion mode is Indexed");
	if (indexed && s->parallelism && *s->parallelism > PARALLELISM_INDEXED_MAX)
		causes_invalid(c, FIELD(p, "parallelism"), cause_i64(c->arena, *s->parallelism),
			"must be less than or equal to %d when completion mode is Indexed",
			PARALLELISM_INDEXED_MAX);
	if (indexed && s->max_failed_indexes && s->completions &&
		*s->max_failed_indexes > *s->completions)
		causes_invalid(c, FIELD(p, "maxFailedIndexes"),
			cause_i64(c->arena, *s->max_failed_indexes),
			"must be less than or equal to completions");
	if (indexed)
		return;
	if (s->backoff_limit_per_index)
		causes_invalid(c, FIELD(p, "backoffLimitPerIndex"),
			cause_i64(c->arena, *s->backoff_limit_per_index),
			"requires indexed completion mode");
	if (s->max_failed_indexes)
		causes_invalid(c, FIELD(p, "maxFailedIndexes"),
			cause_i64(c->arena, *s->max_failed_indexes),
			"requires indexed completion mode");
	if (s->success_policy)
		causes_invalid(c, FIELD(p, "successPolicy"),
			cause_struct(
				c->arena, &api_schema.types[API_SUCCESS_POLICY], s->success_policy),
			"requires indexed completion mode");
}

static void check_job_restart(
	struct causes *c, const struct field_path *p, const struct job_spec *s)
{
	static const str allowed[] = {STR_INIT("OnFailure"), STR_INIT("Never")};
	str policy = s->template.spec.restart_policy;

	if (!policy.len || str_eq(policy, STR("Always")))
		causes_required(c, p, "valid values: \"OnFailure\", \"Never\"");
	else if (!str_eq(policy, allowed[0]) && !str_eq(policy, allowed[1]))
		causes_not_supported(c, p, cause_text(policy), allowed, COUNT_OF(allowed));
	else if (s->pod_failure_policy && !str_eq(policy, STR("Never")))
		causes_invalid(c, p, cause_text(policy),
			"only \"Never\" is supported when podFailurePolicy is specified");
}

static void check_failure_rule(struct causes *c, const struct field_path *p,
	const struct job_spec *s, const struct pod_failure_policy_rule *r)
{
	const struct cause_value none = {CAUSE_NO_VALUE, {NULL, 0}};

	if (str_eq(r->action, STR("FailIndex")) && !s->backoff_limit_per_index)
		causes_invalid(c, FIELD(p, "action"), cause_text(r->action),
			"requires the backoffLimitPerIndex to be set");
	if (r->on_exit_codes && r->on_pod_conditions.len)
		causes_invalid(c, p, none,
			"specifying both OnExitCodes and OnPodConditions is not supported");
	if (!r->on_exit_codes && !r->on_pod_conditions.len)
		causes_invalid(c, p, none,
			"specifying one of OnExitCodes and OnPodConditions is required");
	if (!r->on_exit_codes)
		return;
	const struct field_path *values = FIELD(FIELD(p, "onExitCodes"), "values");
	if (!r->on_exit_codes->values.len)
		causes_invalid(
			c, values, cause_json(STR("null")), "at least one value is required");
	for (size_t i = 0; i < r->on_exit_codes->values.len; i++)
		if (!r->on_exit_codes->values.at[i] &&
			str_eq(r->on_exit_codes->operator, STR("In")))
			causes_invalid(c, FIELD_INDEX(values, i), cause_i64(c->arena, 0),
				"must not be 0 for the In operator");
}
