/*
 * horizontal-pod-autoscaler-controller: as many replicas of a target as its metrics ask for. Each
 * autoscaler is looked at once a period, whatever comes of it.
 */
#include "controller-manager/horizontal.h"

#include "lib/base/log.h"

#define NAME "horizontal-pod-autoscaler-controller"

static const struct settings *settings_of(const struct hpa_pass *h)
{
	return pass_settings(h->p);
}

static void autoscaler_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now)
		run_enqueue_after(r, now, manager_of(r)->settings.hpa_sync_period_ns);
	else
		run_enqueue(r, before);
}

/* --- status */

static struct horizontal_pod_autoscaler_condition *condition_of(struct hpa_pass *h, str type)
{
	struct horizontal_pod_autoscaler_status *s = &h->next->status;

	for (size_t i = 0; i < s->conditions.len; i++)
		if (str_eq(s->conditions.at[i].type, type))
			return &s->conditions.at[i];
	size_t bytes = (s->conditions.len + 1) * sizeof(*s->conditions.at);
	struct horizontal_pod_autoscaler_condition *more = arena_get(h->p->arena, bytes);

	if (s->conditions.len > 0)
		memcpy(more, s->conditions.at, bytes - sizeof(*more));
	s->conditions.at = more;
	more[s->conditions.len].type = type;
	return &more[s->conditions.len++];
}

void hpa_condition(
	struct hpa_pass *h, const char *type, bool truth, const char *reason, const char *fmt, ...)
{
	struct horizontal_pod_autoscaler_condition *c = condition_of(h, str_of(type));
	str status = truth ? STR("True") : STR("False");
	va_list args;

	if (!str_eq(c->status, status))
		c->last_transition_time = pass_now(h->p);
	c->status = status;
	c->reason = str_of(reason);
	va_start(args, fmt);
	c->message = arena_vfmt(h->p->arena, fmt, args);
	va_end(args);
}

static int write_status(struct hpa_pass *h, struct err *e)
{
	if (struct_equal(api_type(API_HORIZONTAL_POD_AUTOSCALER_STATUS), &h->seen->status,
		    &h->next->status))
		return 0;
	if (pass_update_status(h->p, h->next, NULL, e) == 0)
		return 0;
	pass_warn(h->p, h->seen, "FailedUpdateStatus", "%s", e->text);
	return err_context(e, "failed to update status for %.*s", STR_ARG(h->p->name));
}

/* The failure stays what it is; one to write the status is told beside it. */
static int fail(struct hpa_pass *h)
{
	struct err why;

	if (write_status(h, &why) < 0)
		log_warning(NAME ": %s", why.text);
	return -1;
}

static void set_counts(struct hpa_pass *h, int32_t desired)
{
	struct horizontal_pod_autoscaler_status *s = &h->next->status;

	s->observed_generation = NULL;
	s->current_replicas = h->current;
	s->desired_replicas = desired;
}

/* --- one autoscaler */

static int get_scale(struct hpa_pass *h, struct err *e)
{
	const struct cross_version_object_reference *of = &h->seen->spec.scale_target_ref;

	if (hpa_scale_get(h->p, of, &h->scale, e) == 0) {
		hpa_condition(h, "AbleToScale", true, "SucceededGetScale",
			"the HPA controller was able to get the target's current scale");
		return 0;
	}
	pass_warn(h->p, h->seen, "FailedGetScale", "%s", e->text);
	hpa_condition(h, "AbleToScale", false, "FailedGetScale",
		"the HPA controller was unable to get the target's current scale: %s", e->text);
	(void)fail(h);
	return err_context(e, "failed to query scale subresource for %.*s/%.*s/%.*s",
		STR_ARG(of->kind), STR_ARG(h->p->ns), STR_ARG(of->name));
}

static struct hpa_bounds bounds_of(const struct hpa_pass *h)
{
	return (struct hpa_bounds){.min = h->min,
		.max = h->seen->spec.max_replicas,
		.current = h->current,
		.behavior = h->seen->spec.behavior,
		.down_window_ns = settings_of(h)->hpa_downscale_stabilization_ns,
		.now_ns = pass_now_ns(h->p)};
}

/* By the metrics, as far as bounds and rates allow. */
static int desire(struct hpa_pass *h, int32_t *replicas, str *reason, struct err *e)
{
	const struct hpa_bounds b = bounds_of(h);
	struct hpa_verdict v;
	int32_t wanted;
	str metric;

	if (hpa_wanted(h, &wanted, &metric, e) < 0) {
		set_counts(h, h->next->status.desired_replicas);
		pass_warn(h->p, h->seen, "FailedComputeMetricsReplicas", "%s", e->text);
		(void)fail(h);
		return err_context(e,
			"failed to compute desired number of replicas based on listed metrics for "
			"%.*s/%.*s/%.*s",
			STR_ARG(h->seen->spec.scale_target_ref.kind), STR_ARG(h->p->ns),
			STR_ARG(h->seen->spec.scale_target_ref.name));
	}
	*reason = wanted > h->current ? arena_fmt(h->p->arena, "%.*s above target", STR_ARG(metric))
		: wanted < h->current ? STR("All metrics below target")
				      : STR("");
	hpa_decide(&h->record->history, &b, wanted, &v);
	hpa_condition(h, "AbleToScale", true, v.able_reason, "%s", v.able_message);
	hpa_condition(h, "ScalingLimited", v.limited, v.limit_reason, "%s", v.limit_message);
	*replicas = v.replicas;
	return 0;
}

static int rescale(struct hpa_pass *h, int32_t replicas, str reason, struct err *e)
{
	const struct hpa_bounds b = bounds_of(h);

	if (hpa_scale_put(h->p, &h->scale, replicas, e) < 0) {
		pass_warn(h->p, h->seen, "FailedRescale", "New size: %d; reason: %.*s; error: %s",
			(int)replicas, STR_ARG(reason), e->text);
		hpa_condition(h, "AbleToScale", false, "FailedUpdateScale",
			"the HPA controller was unable to update the target scale: %s", e->text);
		set_counts(h, h->next->status.desired_replicas);
		(void)fail(h);
		return err_context(e, "failed to rescale %.*s/%.*s/%.*s",
			STR_ARG(h->seen->spec.scale_target_ref.kind), STR_ARG(h->p->ns),
			STR_ARG(h->seen->spec.scale_target_ref.name));
	}
	hpa_condition(h, "AbleToScale", true, "SucceededRescale",
		"the HPA controller was able to update the target scale to %d", (int)replicas);
	pass_event(h->p, h->seen, "SuccessfulRescale", "New size: %d; reason: %.*s", (int)replicas,
		STR_ARG(reason));
	hpa_scaled(&h->record->history, &b, replicas);
	h->next->status.last_scale_time = arena_get(
		h->p->arena, sizeof(*h->next->status.last_scale_time));
	*h->next->status.last_scale_time = pass_now(h->p);
	return 0;
}

static int reconcile(struct hpa_pass *h, struct err *e)
{
	const struct horizontal_pod_autoscaler_spec *spec = &h->seen->spec;
	int32_t replicas;
	str reason = STR("");

	TRY(get_scale(h, e));
	h->current = replicas = h->scale.object->spec.replicas;
	h->min = spec->min_replicas ? *spec->min_replicas : 1;
	h->next->status.current_metrics.at = NULL;
	h->next->status.current_metrics.len = 0;
	hpa_history_begin(&h->record->history, h->current, pass_now_ns(h->p));
	if (h->current == 0) {
		hpa_condition(h, "ScalingActive", false, "ScalingDisabled",
			"scaling is disabled since the replica count of the target is zero");
	} else if (h->current > spec->max_replicas) {
		reason = STR("Current number of replicas above Spec.MaxReplicas");
		replicas = spec->max_replicas;
	} else if (h->current < h->min) {
		reason = STR("Current number of replicas below Spec.MinReplicas");
		replicas = h->min;
	} else {
		TRY(desire(h, &replicas, &reason, e));
	}
	if (replicas != h->current)
		TRY(rescale(h, replicas, reason, e));
	set_counts(h, replicas);
	return write_status(h, e);
}

static int look(struct pass *p, UNUSED struct err *e)
{
	struct hpa_pass h = {.p = p};
	struct err why;

	h.seen = pass_get(p, API_HORIZONTAL_POD_AUTOSCALER, p->ns, p->name);
	if (!h.seen) {
		hpa_record_drop(p);
		return 0;
	}
	h.next = pass_copy(p, h.seen);
	h.record = hpa_record(p);
	if (reconcile(&h, &why) < 0)
		log_warning(NAME ": %s", why.text);
	pass_again(p, settings_of(&h)->hpa_sync_period_ns);
	return 0;
}

const struct controller horizontal_pod_autoscaler_controller = {
	.name = NAME,
	.account = "horizontal-pod-autoscaler",
	.watches = {{API_HORIZONTAL_POD_AUTOSCALER, autoscaler_changed}, {API_POD, NULL}},
	.works = {{"horizontalpodautoscaler", 5, look}},
	.open = hpa_records_open,
};
