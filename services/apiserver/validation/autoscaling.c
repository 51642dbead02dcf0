/*
 * Horizontal pod autoscalers: pkg/apis/autoscaling/validation.
 */
#include "apiserver/validation/rules.h"

enum { WINDOW_MAX_S = 3600, PERIOD_MAX_S = 1800 };

void check_hpa_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct horizontal_pod_autoscaler_spec *s = o;

	if (s->min_replicas && *s->min_replicas < 1)
		causes_invalid(v->causes, FIELD(p, "minReplicas"),
			cause_i64(v->causes->arena, *s->min_replicas),
			"must be greater than or equal to 1");
	if (s->max_replicas == 0)
		causes_required(
			v->causes, FIELD(p, "maxReplicas"), "must be set and greater than 0");
	else if (s->max_replicas < 0)
		causes_invalid(v->causes, FIELD(p, "maxReplicas"),
			cause_i64(v->causes->arena, s->max_replicas),
			"must be greater than or equal to 1");
	if (s->min_replicas && s->max_replicas < *s->min_replicas)
		causes_invalid(v->causes, FIELD(p, "maxReplicas"),
			cause_i64(v->causes->arena, s->max_replicas),
			"must be greater than or equal to `minReplicas`");
}

static void need_one(struct validation *v, const struct field_path *target, const char *field,
	bool set, const char *message)
{
	if (!set)
		causes_required(v->causes, FIELD(target, field), "%s", message);
}

static void check_resource_target(
	struct validation *v, const struct field_path *p, const struct metric_target *t)
{
	const struct field_path *target = FIELD(p, "target");

	need_one(v, target, "averageUtilization", t->average_utilization || t->average_value,
		"must set either a target raw value or a target utilization");
	if (t->average_utilization && t->average_value)
		causes_forbidden(v->causes, FIELD(target, "averageValue"),
			"may not set both a target raw value and a target utilization");
}

static void check_sources(
	struct validation *v, const struct field_path *p, const struct metric_spec *m)
{
	if (m->object)
		need_one(v, FIELD(FIELD(p, "object"), "target"), "averageValue",
			m->object->target.value || m->object->target.average_value,
			"must set either a target value or averageValue");
	if (m->external) {
		const struct metric_target *t = &m->external->target;
		const struct field_path *target = FIELD(FIELD(p, "external"), "target");

		need_one(v, target, "averageValue", t->value || t->average_value,
			"must set either a target value for metric or a per-pod target");
		if (t->value && t->average_value)
			causes_forbidden(v->causes, FIELD(target, "value"),
				"may not set both a target value for metric and a per-pod target");
	}
	if (m->pods)
		need_one(v, FIELD(FIELD(p, "pods"), "target"), "averageValue",
			m->pods->target.average_value,
			"must specify a positive target averageValue");
	if (m->resource)
		check_resource_target(v, FIELD(p, "resource"), &m->resource->target);
	if (m->container_resource)
		check_resource_target(
			v, FIELD(p, "containerResource"), &m->container_resource->target);
}

static void check_names(
	struct validation *v, const struct field_path *p, const struct metric_spec *m)
{
	if (m->resource)
		need_one(v, FIELD(p, "resource"), "name", m->resource->name.len > 0,
			"must specify a resource name");
	if (!m->container_resource)
		return;
	need_one(v, FIELD(p, "containerResource"), "name", m->container_resource->name.len > 0,
		"must specify a resource name");
	need_one(v, FIELD(p, "containerResource"), "container",
		m->container_resource->container.len > 0, "must specify a container");
}

/* Of the sources exactly the one that the type names. */
void check_metric_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct metric_spec *m = o;
	const struct {
		const char *type, *field;
		bool set;
	} sources[] = {
		{"Object", "object", m->object},
		{"External", "external", m->external},
		{"Pods", "pods", m->pods},
		{"Resource", "resource", m->resource},
		{"ContainerResource", "containerResource", m->container_resource},
	};

	check_names(v, p, m);
	check_sources(v, p, m);
	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		bool named = str_eq(m->type, str_of(sources[i].type));

		if (named && !sources[i].set)
			causes_required(v->causes, FIELD(p, sources[i].field),
				"must populate information for the given metric source");
		if (!named && sources[i].set)
			causes_forbidden(v->causes, FIELD(p, sources[i].field),
				"must populate the given metric source only");
	}
}

static void check_positive(
	struct validation *v, const struct field_path *p, const struct quantity *q)
{
	if (q && quantity_sign(q) <= 0)
		causes_invalid(
			v->causes, p, cause_quantity(v->causes->arena, q), "must be positive");
}

void check_metric_target(struct validation *v, const struct field_path *p, const void *o)
{
	const struct metric_target *t = o;

	if (t->type.len == 0)
		causes_required(v->causes, FIELD(p, "type"), "must specify a metric target type");
	if (!str_eq(t->type, STR("Utilization")) && !str_eq(t->type, STR("Value")) &&
		!str_eq(t->type, STR("AverageValue")))
		causes_invalid(v->causes, FIELD(p, "type"), cause_text(t->type),
			"must be either Utilization, Value, or AverageValue");
	check_positive(v, FIELD(p, "value"), t->value);
	check_positive(v, FIELD(p, "averageValue"), t->average_value);
	if (t->average_utilization && *t->average_utilization < 1)
		causes_invalid(v->causes, FIELD(p, "averageUtilization"),
			cause_i64(v->causes->arena, *t->average_utilization),
			"must be greater than 0");
}

static void check_at_most(
	struct validation *v, const struct field_path *p, int64_t value, int64_t max)
{
	if (value > max)
		causes_invalid(v->causes, p, cause_i64(v->causes->arena, value),
			"must be less than or equal to %lld", (long long)max);
}

void check_scaling_rules(struct validation *v, const struct field_path *p, const void *o)
{
	const struct hpa_scaling_rules *r = o;
	const int32_t *window_s = r->stabilization_window_seconds;

	if (window_s && *window_s < 0)
		causes_invalid(v->causes, FIELD(p, "stabilizationWindowSeconds"),
			cause_i64(v->causes->arena, *window_s),
			"must be greater than or equal to zero");
	if (window_s)
		check_at_most(v, FIELD(p, "stabilizationWindowSeconds"), *window_s, WINDOW_MAX_S);
	if (r->policies.len == 0)
		causes_required(
			v->causes, FIELD(p, "policies"), "must specify at least one Policy");
	if (r->tolerance && quantity_sign(r->tolerance) < 0)
		causes_invalid(v->causes, FIELD(p, "tolerance"),
			cause_quantity(v->causes->arena, r->tolerance),
			"must be greater than or equal to 0");
}

void check_scaling_policy(struct validation *v, const struct field_path *p, const void *o)
{
	const struct hpa_scaling_policy *one = o;

	if (one->value <= 0)
		causes_invalid(v->causes, FIELD(p, "value"),
			cause_i64(v->causes->arena, one->value), "must be greater than zero");
	if (one->period_seconds <= 0)
		causes_invalid(v->causes, FIELD(p, "periodSeconds"),
			cause_i64(v->causes->arena, one->period_seconds),
			"must be greater than zero");
	check_at_most(v, FIELD(p, "periodSeconds"), one->period_seconds, PERIOD_MAX_S);
}
