#include "apiserver/validation/rules.h"

static void check_workload_selector(struct causes *c, const struct field_path *p,
	const struct label_selector *s, const char *kind);
static void check_count_or_percent(
	struct causes *c, const struct field_path *p, const struct int_or_string *v);
static int32_t count_or_percent(const struct int_or_string *v) PURE;
static struct cause_value shown(struct causes *c, const struct int_or_string *v);

void check_deployment_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct deployment_spec *s = o;
	struct causes *c = v->causes;

	check_workload_selector(c, FIELD(p, "selector"), s->selector, "deployment");
	check_selects_template(c, p, s->selector, &s->template.metadata);
	check_always(c, p, &s->template.spec, "ReplicaSet");
	if (s->progress_deadline_seconds && *s->progress_deadline_seconds <= s->min_ready_seconds)
		causes_invalid(c, FIELD(p, "progressDeadlineSeconds"),
			cause_i64(c->arena, *s->progress_deadline_seconds),
			"must be greater than minReadySeconds");
}

void check_deployment_strategy(struct validation *v, const struct field_path *p, const void *o)
{
	const struct deployment_strategy *s = o;
	const struct rolling_update_deployment *r = s->rolling_update;
	const struct field_path *at = FIELD(p, "rollingUpdate");
	struct causes *c = v->causes;

	if (str_eq(s->type, STR("Recreate")) && r)
		causes_forbidden(c, at, "may not be specified when strategy `type` is 'Recreate'");
	if (!str_eq(s->type, STR("RollingUpdate")))
		return;
	if (!r || !r->max_unavailable || !r->max_surge) {
		causes_required(c, at, "this should be defaulted and never be nil");
		return;
	}
	check_count_or_percent(c, FIELD(at, "maxUnavailable"), r->max_unavailable);
	check_count_or_percent(c, FIELD(at, "maxSurge"), r->max_surge);
	if (!count_or_percent(r->max_unavailable) && !count_or_percent(r->max_surge))
		causes_invalid(c, FIELD(at, "maxUnavailable"), shown(c, r->max_unavailable),
			"may not be 0 when `maxSurge` is 0");
	if (r->max_unavailable->is_text && count_or_percent(r->max_unavailable) > 100)
		causes_invalid(c, FIELD(at, "maxUnavailable"), shown(c, r->max_unavailable),
			"must not be greater than 100%%");
}

void check_replica_set_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct replica_set_spec *s = o;

	check_workload_selector(v->causes, FIELD(p, "selector"), s->selector, "deployment");
	check_selects_template(v->causes, p, s->selector, &s->template.metadata);
	check_always(v->causes, p, &s->template.spec, "ReplicaSet");
}

void check_daemon_set_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct daemon_set_spec *s = o;
	struct causes *c = v->causes;

	check_selects_template(c, p, s->selector, &s->template.metadata);
	if (s->selector && !s->selector->match_labels.len && !s->selector->match_expressions.len)
		causes_invalid(c, FIELD(p, "selector"),
			cause_struct(c->arena, &api_schema.types[API_LABEL_SELECTOR], s->selector),
			"empty selector is invalid for daemonset");
	check_always(c, p, &s->template.spec, "DaemonSet");
}

void check_daemon_set_strategy(struct validation *v, const struct field_path *p, const void *o)
{
	const struct daemon_set_update_strategy *s = o;
	const struct rolling_update_daemon_set *r = s->rolling_update;
	const struct field_path *at = FIELD(p, "rollingUpdate");
	struct causes *c = v->causes;

	if (!str_eq(s->type, STR("RollingUpdate")))
		return;
	if (!r || !r->max_unavailable || !r->max_surge) {
		causes_required(c, at, "%s", "");
		return;
	}
	check_count_or_percent(c, FIELD(at, "maxUnavailable"), r->max_unavailable);
	check_count_or_percent(c, FIELD(at, "maxSurge"), r->max_surge);
	if (count_or_percent(r->max_unavailable) && count_or_percent(r->max_surge))
		causes_invalid(c, FIELD(at, "maxSurge"), shown(c, r->max_surge),
			"may not be set when maxUnavailable is non-zero");
	if (!count_or_percent(r->max_unavailable) && !count_or_percent(r->max_surge))
		causes_required(c, FIELD(at, "maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

void check_stateful_set_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct stateful_set_spec *s = o;
	struct causes *c = v->causes;

	check_workload_selector(c, FIELD(p, "selector"), s->selector, "statefulset");
	check_selects_template(c, p, s->selector, &s->template.metadata);
	check_always(c, p, &s->template.spec, "StatefulSet");
	if (!str_eq(s->pod_management_policy, STR("OrderedReady")) &&
		!str_eq(s->pod_management_policy, STR("Parallel")))
		causes_invalid(c, FIELD(p, "podManagementPolicy"),
			cause_text(s->pod_management_policy),
			"must be 'OrderedReady' or 'Parallel'");
	if (str_eq(s->update_strategy.type, STR("OnDelete")) && s->update_strategy.rolling_update)
		causes_invalid(c, FIELD(FIELD(p, "updateStrategy"), "rollingUpdate"),
			cause_struct(c->arena,
				&api_schema.types[API_ROLLING_UPDATE_STATEFUL_SET_STRATEGY],
				s->update_strategy.rolling_update),
			"only allowed for updateStrategy 'RollingUpdate'");
}

void update_stateful_set(struct validation *v, const void *now, const void *before)
{
	const struct stateful_set *a = now, *b = before;
	struct stateful_set_spec next = a->spec;

	next.replicas = b->spec.replicas;
	next.template = b->spec.template;
	next.update_strategy = b->spec.update_strategy;
	next.min_ready_seconds = b->spec.min_ready_seconds;
	next.ordinals = b->spec.ordinals;
	next.revision_history_limit = b->spec.revision_history_limit;
	next.persistent_volume_claim_retention_policy =
		b->spec.persistent_volume_claim_retention_policy;
	if (!struct_equal(&api_schema.types[API_STATEFUL_SET_SPEC], &next, &b->spec))
		causes_forbidden(v->causes, FIELD(NULL, "spec"),
			"updates to statefulset spec for fields other than 'replicas', 'ordinals', "
			"'template', 'updateStrategy', 'revisionHistoryLimit', "
			"'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
			"forbidden");
}

/* The pods of a workload that keeps a number of them run for ever. */
void check_always(
	struct causes *c, const struct field_path *p, const struct pod_spec *s, const char *kind)
{
	static const str always[] = {STR_INIT("Always")};
	const struct field_path *spec = FIELD(FIELD(p, "template"), "spec");

	if (!str_eq(s->restart_policy, always[0]))
		causes_not_supported(
			c, FIELD(spec, "restartPolicy"), cause_text(s->restart_policy), always, 1);
	if (s->active_deadline_seconds)
		causes_forbidden(c, FIELD(spec, "activeDeadlineSeconds"),
			"activeDeadlineSeconds in %s is not Supported", kind);
}

static void check_workload_selector(struct causes *c, const struct field_path *p,
	const struct label_selector *s, const char *kind)
{
	struct meta_selector parsed;
	struct err e;

	if (!s)
		causes_required(c, p, "%s", "");
	else if (!s->match_labels.len && !s->match_expressions.len)
		causes_invalid(c, p,
			cause_struct(c->arena, &api_schema.types[API_LABEL_SELECTOR], s),
			"empty selector is invalid for %s", kind);
	else if (meta_selector(c->arena, s, &parsed, &e) < 0)
		causes_invalid(c, p,
			cause_struct(c->arena, &api_schema.types[API_LABEL_SELECTOR], s),
			"invalid label selector");
}

static void check_count_or_percent(
	struct causes *c, const struct field_path *p, const struct int_or_string *v)
{
	if (v->is_text)
		check_name(c, p, NAME_PERCENT, v->text);
	else
		check_not_negative(c, p, v->number);
}

static int32_t count_or_percent(const struct int_or_string *v)
{
	str digits = str_slice(v->text, 0, v->text.len ? v->text.len - 1 : 0);
	int64_t percent;

	if (!v->is_text)
		return v->number;
	return str_to_i64(digits, &percent) && percent <= INT32_MAX ? (int32_t)percent : 0;
}

static struct cause_value shown(struct causes *c, const struct int_or_string *v)
{
	return v->is_text ? cause_text(v->text) : cause_i64(c->arena, v->number);
}
