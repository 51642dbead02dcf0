#include "controller-manager/horizontal.h"
#include "controller-manager/horizontal_metrics.h"
#include "lib/api/pod.h"
#include "lib/api/pod_resources.h"
#include "lib/base/log.h"

#include <stdlib.h>

/* What one metric asks for. */
struct proposal {
	int32_t replicas;
	str name; /* of the metric, for people */
	struct metric_status status;
};

/* The first metric that failed, which is what ScalingActive tells. */
struct blame {
	const char *reason;
	str text;
	struct err why;
	size_t count;
};

typedef int compute_fn(
	struct hpa_pass *h, const struct metric_spec *m, struct proposal *to, struct err *e);

struct source {
	str type;
	const char *reason; /* when it fails */
	compute_fn *compute;
};

static compute_fn of_object, of_pods, of_resource, of_container, of_external;
static int put_in_context(const struct metric_spec *m, struct err *e);

static const struct source sources[] = {
	{STR_INIT("Object"), "FailedGetObjectMetric", of_object},
	{STR_INIT("Pods"), "FailedGetPodsMetric", of_pods},
	{STR_INIT("Resource"), "FailedGetResourceMetric", of_resource},
	{STR_INIT("ContainerResource"), "FailedGetContainerResourceMetric", of_container},
	{STR_INIT("External"), "FailedGetExternalMetric", of_external},
};

/* --- the selector */

static void list_pods(struct hpa_pass *h)
{
	struct view_walk all = pass_list(h->p, API_POD, h->p->ns);

	view_each(const struct pod *, pod, &all)
	{
		if (selector_matches(&h->selector, &pod->metadata.labels))
			object_list_add(h->p->arena, &h->pods, pod);
	}
}

static str selector_text(struct arena *a, const struct selector *s)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	selector_put(&b, s);
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

static int refuse_selector(struct hpa_pass *h, const char *event, const char *reason, struct err *e)
{
	pass_warn(h->p, h->seen, event, "%s", e->text);
	hpa_condition(h, "ScalingActive", false, reason, "%s", e->text);
	return -1;
}

static int select_pods(struct hpa_pass *h, struct err *e)
{
	str given = h->scale.object->status.selector, others;

	if (given.len == 0) {
		pass_warn(h->p, h->seen, "SelectorRequired", "selector is required");
		hpa_condition(h, "ScalingActive", false, "InvalidSelector",
			"the HPA target's scale is missing a selector");
		return err_set(e, ERR_INVALID, "selector is required");
	}
	if (selector_parse(h->p->arena, given, (str){NULL, 0}, &h->selector, e) < 0) {
		err_prefix(e,
			"couldn't convert selector into a corresponding internal selector object");
		return refuse_selector(h, "InvalidSelector", "InvalidSelector", e);
	}
	h->selector_text = selector_text(h->p->arena, &h->selector);
	list_pods(h);
	if (hpa_record_selects(h, &others) <= 1)
		return 0;
	err_write(e, ERR_INVALID, "pods by selector %.*s are controlled by multiple HPAs: %.*s",
		STR_ARG(given), STR_ARG(others));
	return refuse_selector(h, "AmbiguousSelector", "AmbiguousSelector", e);
}

/* --- all metrics */

static int compute(struct hpa_pass *h, const struct metric_spec *m, struct proposal *to,
	struct blame *b, struct err *e)
{
	const struct source *s = NULL;

	for (size_t i = 0; i < COUNT_OF(sources); i++)
		if (str_eq(sources[i].type, m->type))
			s = &sources[i];
	*to = (struct proposal){0};
	if (s && s->compute(h, m, to, e) == 0) {
		to->status.type = m->type;
		return 0;
	}
	if (!s)
		err_write(e, ERR_INVALID, "unknown metric source type \"%.*s\"", STR_ARG(m->type));
	const char *reason = s ? s->reason : "InvalidMetricSourceType";

	pass_warn(h->p, h->seen, reason, "%s", e->text);
	if (b->count == 0) {
		b->reason = reason;
		b->text = arena_fmt(h->p->arena, "%s", e->text);
	}
	if (s)
		(void)put_in_context(m, e);
	if (b->count++ == 0)
		b->why = *e;
	return -1;
}

int hpa_wanted(struct hpa_pass *h, int32_t *replicas, str *metric, struct err *e)
{
	const struct horizontal_pod_autoscaler_spec *spec = &h->seen->spec;
	struct horizontal_pod_autoscaler_status *status = &h->next->status;
	struct proposal best = {0}, one;
	struct blame b = {0};

	TRY(select_pods(h, e));
	status->current_metrics.at = arena_get(
		h->p->arena, (spec->metrics.len + 1) * sizeof(*status->current_metrics.at));
	status->current_metrics.len = spec->metrics.len;
	for (size_t i = 0; i < spec->metrics.len; i++) {
		if (compute(h, &spec->metrics.at[i], &one, &b, e) < 0)
			continue;
		status->current_metrics.at[i] = one.status;
		if (best.replicas == 0 || one.replicas > best.replicas)
			best = one;
	}
	if (b.count > 0) {
		*e = b.why;
		err_prefix(e, "invalid metrics (%zu invalid out of %zu), first error is", b.count,
			spec->metrics.len);
	}
	if (b.count == spec->metrics.len || (b.count > 0 && best.replicas < h->current)) {
		hpa_condition(h, "ScalingActive", false, b.reason,
			"the HPA was unable to compute the replica count: %.*s", STR_ARG(b.text));
		return -1;
	}
	if (b.count > 0)
		log_warning("horizontal-pod-autoscaler-controller: %s", e->text);
	hpa_condition(h, "ScalingActive", true, "ValidMetricFound",
		"the HPA was able to successfully calculate a replica count from %.*s",
		STR_ARG(best.name));
	*replicas = best.replicas;
	*metric = best.name;
	return 0;
}

/* --- pods and what was measured of them */

static struct hpa_tolerance tolerance_of(const struct hpa_pass *h)
{
	const struct settings *s = pass_settings(h->p);
	const struct horizontal_pod_autoscaler_behavior *b = h->seen->spec.behavior;
	struct hpa_tolerance t = {s->hpa_tolerance, s->hpa_tolerance};

	if (b && b->scale_down->tolerance)
		t.down = (double)quantity_scaled(b->scale_down->tolerance, QUANTITY_NANO) / 1e9;
	if (b && b->scale_up->tolerance)
		t.up = (double)quantity_scaled(b->scale_up->tolerance, QUANTITY_NANO) / 1e9;
	return t;
}

static struct hpa_readiness readiness_of(const struct hpa_pass *h, str resource)
{
	const struct settings *s = pass_settings(h->p);

	return (struct hpa_readiness){.cpu = str_eq(resource, STR("cpu")),
		.initialization_ns = s->hpa_cpu_initialization_ns,
		.delay_ns = s->hpa_readiness_delay_ns,
		.now_ns = pass_now_ns(h->p)};
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct hpa_sample *)a)->name, ((const struct hpa_sample *)b)->name);
}

/* The measurements become samples of the target's pods; what is over stays foreign. */
static int join(struct hpa_pass *h, struct hpa_samples *measured, const struct hpa_readiness *r,
	struct err *e)
{
	size_t foreign = measured->len;
	struct hpa_samples all = {0};

	if (h->pods.len == 0)
		return err_set(e, ERR_NOT_FOUND,
			"no pods returned by selector while calculating replica count");
	qsort(measured->at, measured->len, sizeof(*measured->at), by_name);
	all.at = arena_get(h->p->arena, (foreign + h->pods.len) * sizeof(*all.at));
	for (size_t i = 0; i < h->pods.len; i++) {
		const struct pod *pod = h->pods.at[i];
		struct hpa_sample s = {.name = pod->metadata.name};
		struct hpa_sample *found = measured->len == 0
			? NULL
			: bsearch(&s, measured->at, measured->len, sizeof(s), by_name);

		if (found) {
			s = *found;
			found->measured = false;
		}
		s.pod = pod;
		s.group = hpa_group(&s, r);
		all.at[all.len++] = s;
	}
	for (size_t i = 0; i < measured->len; i++) {
		if (measured->at[i].measured) {
			all.at[all.len] = measured->at[i];
			all.at[all.len++].group = HPA_FOREIGN;
		}
	}
	*measured = all;
	return 0;
}

static int add_request(
	const struct pod *p, const struct container *c, str resource, int64_t *sum, struct err *e)
{
	const struct quantity *q = resource_list_get(&c->resources.requests, resource);

	if (!q)
		return err_set(e, ERR_INVALID,
			"missing request for %.*s in container %.*s of Pod %.*s", STR_ARG(resource),
			STR_ARG(c->name), STR_ARG(p->metadata.name));
	if (__builtin_add_overflow(*sum, quantity_milli(q), sum))
		*sum = INT64_MAX;
	return 0;
}

static bool stays(const struct container *c)
{
	return c->restart_policy && str_eq(*c->restart_policy, STR("Always"));
}

/* Of one container, or if that is empty of all that run. */
static int request_of(const struct pod *p, str resource, str container, int64_t *to, struct err *e)
{
	const struct pod_spec *s = &p->spec;
	int64_t sum = 0;

	for (size_t i = 0; i < s->containers.len + s->init_containers.len; i++) {
		bool first = i < s->containers.len;
		const struct container *c = first ? &s->containers.at[i]
						  : &s->init_containers.at[i - s->containers.len];

		if (!first && !stays(c))
			continue;
		if (container.len > 0 && !str_eq(c->name, container))
			continue;
		TRY(add_request(p, c, resource, &sum, e));
		if (container.len > 0) {
			*to = sum;
			return 0;
		}
	}
	if (container.len > 0)
		return err_set(e, ERR_NOT_FOUND, "container %.*s not found in Pod %.*s",
			STR_ARG(container), STR_ARG(p->metadata.name));
	*to = sum;
	return 0;
}

static int pod_level_request(
	struct hpa_pass *h, const struct pod *p, str resource, int64_t *to, struct err *e)
{
	struct quantity_map all = pod_resources(h->p->arena, p, POD_REQUESTS);
	const struct quantity *q = resource_list_get(&all, resource);

	if (!q)
		return err_set(e, ERR_INVALID, "missing pod-level request for %.*s in Pod %.*s",
			STR_ARG(resource), STR_ARG(p->metadata.name));
	*to = quantity_milli(q);
	return 0;
}

static int set_requests(
	struct hpa_pass *h, struct hpa_samples *s, str resource, str container, struct err *e)
{
	for (size_t i = 0; i < s->len; i++) {
		const struct pod *p = s->at[i].pod;

		if (!p)
			continue;
		if (container.len == 0 && pod_resources_at_pod_level(p))
			TRY(pod_level_request(h, p, resource, &s->at[i].request, e));
		else
			TRY(request_of(p, resource, container, &s->at[i].request, e));
	}
	return 0;
}

static struct quantity *milli(struct hpa_pass *h, int64_t value, enum quantity_format format)
{
	struct quantity *q = arena_get(h->p->arena, sizeof(*q));

	*q = quantity_of(value, QUANTITY_MILLI, format);
	return q;
}

/* --- Resource and ContainerResource */

static int usage_of(struct hpa_pass *h, const struct metric_target *t, str resource, str container,
	struct hpa_usage *u, struct err *e)
{
	const struct hpa_readiness r = readiness_of(h, resource);
	const struct hpa_tolerance tolerance = tolerance_of(h);
	struct hpa_target target = {0};
	struct hpa_samples s;

	if (hpa_fetch_resource(h->p, h->selector_text, resource, container, &s, e) < 0)
		return err_context(e, "unable to get metrics for resource %.*s", STR_ARG(resource));
	TRY(join(h, &s, &r, e));
	if (t->average_value) {
		target.value = quantity_milli(t->average_value);
	} else {
		target.utilization = *t->average_utilization;
		TRY(set_requests(h, &s, resource, container, e));
	}
	return hpa_average(&s, &target, h->current, &tolerance, u, e);
}

static int resource_value(struct hpa_pass *h, const struct metric_target *t, str resource,
	str container, struct proposal *to, struct metric_value_status *v, struct err *e)
{
	bool binary = str_eq(resource, STR("memory"));
	struct hpa_usage u;

	if (!t->average_value && !t->average_utilization)
		return err_set(e, ERR_INVALID,
			"invalid resource metric source: neither an average utilization target "
			"nor an average value (usage) target was set");
	if (usage_of(h, t, resource, container, &u, e) < 0)
		return err_context(e, "failed to get %.*s %s", STR_ARG(resource),
			t->average_value ? "usage" : "utilization");
	to->replicas = u.replicas;
	v->average_value = milli(h, u.average, binary ? QUANTITY_BINARY : QUANTITY_DECIMAL);
	if (!t->average_value)
		v->average_utilization = arena_i32(h->p->arena, u.utilization);
	to->name = t->average_value
		? arena_fmt(h->p->arena, "%.*s resource", STR_ARG(resource))
		: arena_fmt(h->p->arena, "%.*s %sresource utilization (percentage of request)",
			  STR_ARG(resource), container.len > 0 ? "container " : "");
	return 0;
}

static int of_resource(
	struct hpa_pass *h, const struct metric_spec *m, struct proposal *to, struct err *e)
{
	struct resource_metric_status *s = arena_get(h->p->arena, sizeof(*s));

	s->name = m->resource->name;
	to->status.resource = s;
	return resource_value(h, &m->resource->target, s->name, STR(""), to, &s->current, e);
}

static int of_container(
	struct hpa_pass *h, const struct metric_spec *m, struct proposal *to, struct err *e)
{
	struct container_resource_metric_status *s = arena_get(h->p->arena, sizeof(*s));

	s->name = m->container_resource->name;
	s->container = m->container_resource->container;
	to->status.container_resource = s;
	return resource_value(
		h, &m->container_resource->target, s->name, s->container, to, &s->current, e);
}

/* --- Pods, Object, External */

static int metric_of(
	struct hpa_pass *h, const struct metric_identifier *m, struct hpa_metric *to, struct err *e)
{
	struct meta_selector s;

	TRY(meta_selector(h->p->arena, m->selector, &s, e));
	to->name = m->name;
	to->selector = selector_text(h->p->arena, &s.selector);
	return 0;
}

static int of_pods(
	struct hpa_pass *h, const struct metric_spec *m, struct proposal *to, struct err *e)
{
	const struct hpa_readiness r = readiness_of(h, STR(""));
	const struct hpa_tolerance tolerance = tolerance_of(h);
	const struct hpa_target target = {.value = quantity_milli(m->pods->target.average_value)};
	struct pods_metric_status *s = arena_get(h->p->arena, sizeof(*s));
	struct hpa_samples samples;
	struct hpa_metric metric;
	struct hpa_usage u;

	TRY(metric_of(h, &m->pods->metric, &metric, e));
	if (hpa_fetch_pods(h->p, h->selector_text, &metric, &samples, e) < 0)
		return err_context(e, "unable to get metric %.*s", STR_ARG(metric.name));
	TRY(join(h, &samples, &r, e));
	TRY(hpa_average(&samples, &target, h->current, &tolerance, &u, e));
	to->replicas = u.replicas;
	to->name = arena_fmt(h->p->arena, "pods metric %.*s", STR_ARG(metric.name));
	s->metric = m->pods->metric;
	s->current.average_value = milli(h, u.average, QUANTITY_DECIMAL);
	to->status.pods = s;
	return 0;
}

/* What a value for all pods, or one to be shared by them, asks for. */
static int judge_value(struct hpa_pass *h, const struct metric_target *t, int64_t usage,
	struct proposal *to, struct metric_value_status *v, struct err *e)
{
	const struct hpa_tolerance tolerance = tolerance_of(h);
	int64_t ready = 0;

	if (t->average_value && (!t->value || str_eq(t->type, STR("AverageValue")))) {
		to->replicas = hpa_of_share(&usage, quantity_milli(t->average_value),
			h->scale.object->status.replicas, &tolerance);
		v->average_value = milli(h, usage, QUANTITY_DECIMAL);
		return 0;
	}
	for (size_t i = 0; i < h->pods.len; i++) {
		const struct pod *p = h->pods.at[i];

		ready += str_eq(p->status.phase, STR("Running")) && pod_is_ready(p);
	}
	if (h->pods.len == 0)
		return err_set(e, ERR_NOT_FOUND,
			"unable to calculate ready pods: no pods returned by selector "
			"while calculating replica count");
	to->replicas = hpa_of_value(usage, quantity_milli(t->value), h->current, ready, &tolerance);
	v->value = milli(h, usage, QUANTITY_DECIMAL);
	return 0;
}

static int of_object(
	struct hpa_pass *h, const struct metric_spec *m, struct proposal *to, struct err *e)
{
	const struct object_metric_source *o = m->object;
	struct object_metric_status *s = arena_get(h->p->arena, sizeof(*s));
	struct hpa_metric metric;
	int64_t usage;

	if (!o->target.value && !o->target.average_value)
		return err_set(e, ERR_INVALID,
			"invalid object metric source: neither a value target nor an average "
			"value target was set");
	TRY(metric_of(h, &o->metric, &metric, e));
	if (hpa_fetch_object(h->p, &o->described_object, &metric, &usage, e) < 0) {
		str why = arena_fmt(h->p->arena, "%s", e->text);

		return err_set(e, ERR_NOT_FOUND,
			"unable to get metric %.*s: %.*s on %.*s %.*s/%.*s", STR_ARG(metric.name),
			STR_ARG(why), STR_ARG(o->described_object.kind), STR_ARG(h->p->ns),
			STR_ARG(o->described_object.name));
	}
	s->metric = o->metric;
	s->described_object = o->described_object;
	to->status.object = s;
	to->name = arena_fmt(h->p->arena, "%.*s metric %.*s", STR_ARG(o->described_object.kind),
		STR_ARG(metric.name));
	return judge_value(h, &o->target, usage, to, &s->current, e);
}

static int of_external(
	struct hpa_pass *h, const struct metric_spec *m, struct proposal *to, struct err *e)
{
	const struct external_metric_source *x = m->external;
	struct external_metric_status *s = arena_get(h->p->arena, sizeof(*s));
	struct hpa_metric metric;
	int64_t usage;

	if (!x->target.value && !x->target.average_value)
		return err_set(e, ERR_INVALID,
			"invalid external metric source: neither a value target nor an average "
			"value target was set");
	TRY(metric_of(h, &x->metric, &metric, e));
	str shown = x->metric.selector ? metric.selector : STR("nil");

	if (hpa_fetch_external(h->p, &metric, &usage, e) < 0)
		return err_context(e, "unable to get external metric %.*s/%.*s/%.*s",
			STR_ARG(h->p->ns), STR_ARG(metric.name), STR_ARG(shown));
	s->metric = x->metric;
	to->status.external = s;
	to->name = arena_fmt(
		h->p->arena, "external metric %.*s(%.*s)", STR_ARG(metric.name), STR_ARG(shown));
	return judge_value(h, &x->target, usage, to, &s->current, e);
}

/* --- in front of what went wrong with a metric */

static int put_in_context(const struct metric_spec *m, struct err *e)
{
	if (m->object) {
		if (m->object->target.average_value && !m->object->target.value)
			err_prefix(e, "failed to get %.*s object metric",
				STR_ARG(m->object->metric.name));
		return err_context(e, "failed to get object metric value");
	}
	if (m->pods)
		return err_context(e, "failed to get pods metric value");
	if (m->resource)
		return err_context(
			e, "failed to get %.*s resource metric value", STR_ARG(m->resource->name));
	if (m->container_resource)
		return err_context(e, "failed to get %.*s container metric value",
			STR_ARG(m->container_resource->container));
	str name = m->external->metric.name;

	if (m->external->target.average_value)
		err_prefix(e, "failed to get %.*s external metric", STR_ARG(name));
	else
		err_prefix(e, "failed to get external metric %.*s", STR_ARG(name));
	return err_context(e, "failed to get %.*s external metric value", STR_ARG(name));
}
