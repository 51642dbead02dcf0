/*
 * Rows of pods and of what makes them.
 */
#include "apiserver/endpoints/printers.h"

#include "api/kinds.h"
#include "apiserver/endpoints/convert_autoscaler.h"
#include "lib/value/quantity.h"

#define COLUMNS_CONTAINERS \
	{"Containers", "string", NULL, 1}, \
	{ \
		"Images", "string", NULL, 1 \
	}
#define COLUMN_SELECTOR \
	{ \
		"Selector", "string", NULL, 1 \
	}

static const struct column pod_columns[] = {COLUMN_NAME, {"Ready", "string", NULL, 0},
	{"Status", "string", NULL, 0}, {"Restarts", "string", NULL, 0}, COLUMN_AGE,
	{"IP", "string", NULL, 1}, {"Node", "string", NULL, 1},
	{"Nominated Node", "string", NULL, 1}, {"Readiness Gates", "string", NULL, 1}, COLUMNS_END};
static const struct column template_columns[] = {COLUMN_NAME, {"Containers", "string", NULL, 0},
	{"Images", "string", NULL, 0}, {"Pod Labels", "string", NULL, 0}, COLUMNS_END};
static const struct column replica_columns[] = {COLUMN_NAME, {"Desired", "integer", NULL, 0},
	{"Current", "integer", NULL, 0}, {"Ready", "integer", NULL, 0}, COLUMN_AGE,
	COLUMNS_CONTAINERS, COLUMN_SELECTOR, COLUMNS_END};
static const struct column daemon_columns[] = {COLUMN_NAME, {"Desired", "integer", NULL, 0},
	{"Current", "integer", NULL, 0}, {"Ready", "integer", NULL, 0},
	{"Up-to-date", "integer", NULL, 0}, {"Available", "integer", NULL, 0},
	{"Node Selector", "string", NULL, 0}, COLUMN_AGE, COLUMNS_CONTAINERS, COLUMN_SELECTOR,
	COLUMNS_END};
static const struct column deployment_columns[] = {COLUMN_NAME, {"Ready", "string", NULL, 0},
	{"Up-to-date", "string", NULL, 0}, {"Available", "string", NULL, 0}, COLUMN_AGE,
	COLUMNS_CONTAINERS, COLUMN_SELECTOR, COLUMNS_END};
static const struct column stateful_columns[] = {
	COLUMN_NAME, {"Ready", "string", NULL, 0}, COLUMN_AGE, COLUMNS_CONTAINERS, COLUMNS_END};
static const struct column job_columns[] = {COLUMN_NAME, {"Status", "string", NULL, 0},
	{"Completions", "string", NULL, 0}, {"Duration", "string", NULL, 0}, COLUMN_AGE,
	COLUMNS_CONTAINERS, COLUMN_SELECTOR, COLUMNS_END};
static const struct column cron_columns[] = {COLUMN_NAME, {"Schedule", "string", NULL, 0},
	{"Timezone", "string", NULL, 0}, {"Suspend", "boolean", NULL, 0},
	{"Active", "integer", NULL, 0}, {"Last Schedule", "string", NULL, 0}, COLUMN_AGE,
	COLUMNS_CONTAINERS, COLUMN_SELECTOR, COLUMNS_END};
static const struct column revision_columns[] = {COLUMN_NAME, {"Controller", "string", NULL, 0},
	{"Revision", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column budget_columns[] = {COLUMN_NAME, {"Min Available", "string", NULL, 0},
	{"Max Unavailable", "string", NULL, 0}, {"Allowed Disruptions", "integer", NULL, 0},
	COLUMN_AGE, COLUMNS_END};
static const struct column scale_columns[] = {{"Name", "string", NULL, 0},
	{"Desired", "integer", NULL, 0}, {"Available", "integer", NULL, 0}, COLUMN_AGE,
	COLUMNS_END};

static const struct column autoscaler_columns[] = {COLUMN_NAME, {"Reference", "string", NULL, 0},
	{"Targets", "string", NULL, 0}, {"MinPods", "string", NULL, 0},
	{"MaxPods", "string", NULL, 0}, {"Replicas", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};

static void print_pod(struct cells *c, const void *object);
static void print_template(struct cells *c, const void *object);
static void print_controller(struct cells *c, const void *object);
static void print_replica_set(struct cells *c, const void *object);
static void print_daemon_set(struct cells *c, const void *object);
static void print_deployment(struct cells *c, const void *object);
static void print_stateful_set(struct cells *c, const void *object);
static void print_job(struct cells *c, const void *object);
static void print_cron_job(struct cells *c, const void *object);
static void print_revision(struct cells *c, const void *object);
static void print_budget(struct cells *c, const void *object);
static void print_scale(struct cells *c, const void *object);
static void print_autoscaler(struct cells *c, const void *object);
static void print_autoscaler_v1(struct cells *c, const void *object);

const struct printer printers_workloads[] = {
	{API_POD, pod_columns, print_pod},
	{API_POD_TEMPLATE, template_columns, print_template},
	{API_REPLICATION_CONTROLLER, replica_columns, print_controller},
	{API_REPLICA_SET, replica_columns, print_replica_set},
	{API_DAEMON_SET, daemon_columns, print_daemon_set},
	{API_DEPLOYMENT, deployment_columns, print_deployment},
	{API_STATEFUL_SET, stateful_columns, print_stateful_set},
	{API_JOB, job_columns, print_job},
	{API_CRON_JOB, cron_columns, print_cron_job},
	{API_CONTROLLER_REVISION, revision_columns, print_revision},
	{API_POD_DISRUPTION_BUDGET, budget_columns, print_budget},
	{API_AUTOSCALING_V1_SCALE, scale_columns, print_scale},
	{API_HORIZONTAL_POD_AUTOSCALER, autoscaler_columns, print_autoscaler},
	{API_AUTOSCALING_V1_HORIZONTAL_POD_AUTOSCALER, autoscaler_columns, print_autoscaler_v1},
	{.print = NULL},
};

/* --- pods */

/* What the status column is made of. */
struct pod_summary {
	str reason;
	int64_t ready, total, restarts;
	struct time_value last_restart;
	bool initializing;
};

static void count_restarts(struct pod_summary *s, const struct container_status *c)
{
	const struct container_state_terminated *t = c->last_state.terminated;

	s->restarts += c->restart_count;
	if (t && time_compare(&s->last_restart, &t->finished_at) < 0)
		s->last_restart = t->finished_at;
}

static bool is_sidecar(const struct pod *p, str name)
{
	for (size_t i = 0; i < p->spec.init_containers.len; i++) {
		const struct container *c = &p->spec.init_containers.at[i];

		if (str_eq(c->name, name))
			return c->restart_policy && str_eq(*c->restart_policy, STR("Always"));
	}
	return false;
}

static str end_reason(
	struct arena *a, const char *prefix, const struct container_state_terminated *t)
{
	if (t->reason.len)
		return arena_fmt(a, "%s%.*s", prefix, STR_ARG(t->reason));
	if (t->signal)
		return arena_fmt(a, "%sSignal:%d", prefix, (int)t->signal);
	return arena_fmt(a, "%sExitCode:%d", prefix, (int)t->exit_code);
}

/* Init containers in order, up to the first that has not done its part. */
static void summarize_inits(
	struct arena *a, const struct pod *p, struct pod_summary *s, struct pod_summary *sidecars)
{
	for (size_t i = 0; i < p->status.init_container_statuses.len; i++) {
		const struct container_status *c = &p->status.init_container_statuses.at[i];
		const struct container_state *state = &c->state;
		bool sidecar = is_sidecar(p, c->name);

		count_restarts(s, c);
		if (sidecar)
			count_restarts(sidecars, c);
		if (state->terminated && state->terminated->exit_code == 0)
			continue;
		if (sidecar && c->started && *c->started) {
			s->ready += c->ready;
			continue;
		}
		s->initializing = true;
		if (state->terminated)
			s->reason = end_reason(a, "Init:", state->terminated);
		else if (state->waiting && state->waiting->reason.len &&
			!str_eq(state->waiting->reason, STR("PodInitializing")))
			s->reason = arena_fmt(a, "Init:%.*s", STR_ARG(state->waiting->reason));
		else
			s->reason = arena_fmt(a, "Init:%zu/%zu", i, p->spec.init_containers.len);
		return;
	}
}

static bool condition_true(const struct pod *p, const char *type)
{
	for (size_t i = 0; i < p->status.conditions.len; i++) {
		const struct pod_condition *c = &p->status.conditions.at[i];

		if (str_eq(c->type, str_of(type)))
			return str_eq(c->status, STR("True"));
	}
	return false;
}

static void summarize_containers(struct arena *a, const struct pod *p, struct pod_summary *s)
{
	bool running = false;
	str failure = {NULL, 0};

	for (size_t i = p->status.container_statuses.len; i > 0; i--) {
		const struct container_status *c = &p->status.container_statuses.at[i - 1];
		const struct container_state *state = &c->state;

		count_restarts(s, c);
		if (state->waiting && state->waiting->reason.len) {
			s->reason = state->waiting->reason;
		} else if (state->terminated) {
			s->reason = end_reason(a, "", state->terminated);
			if (state->terminated->exit_code)
				failure = s->reason;
		} else if (c->ready && state->running) {
			running = true;
			s->ready++;
		}
	}
	if (!str_eq(s->reason, STR("Completed")))
		return;
	if (running && condition_true(p, "Ready"))
		s->reason = STR("Running");
	else if (failure.len)
		s->reason = failure;
	else if (running)
		s->reason = STR("NotReady");
}

static struct pod_summary summarize(struct arena *a, const struct pod *p)
{
	struct pod_summary sidecars = {.restarts = 0};
	struct pod_summary s = {
		.reason = p->status.reason.len ? p->status.reason : p->status.phase,
		.total = (int64_t)p->spec.containers.len,
	};
	bool ended = str_eq(p->status.phase, STR("Succeeded")) ||
		str_eq(p->status.phase, STR("Failed"));

	for (size_t i = 0; i < p->status.conditions.len; i++) {
		const struct pod_condition *c = &p->status.conditions.at[i];

		if (str_eq(c->type, STR("PodScheduled")) &&
			str_eq(c->reason, STR("SchedulingGated")))
			s.reason = c->reason;
	}
	for (size_t i = 0; i < p->spec.init_containers.len; i++)
		s.total += is_sidecar(p, p->spec.init_containers.at[i].name);
	summarize_inits(a, p, &s, &sidecars);
	if (!s.initializing || condition_true(p, "Initialized")) {
		s.restarts = sidecars.restarts;
		s.last_restart = sidecars.last_restart;
		summarize_containers(a, p, &s);
	}
	if (p->metadata.deletion_timestamp && str_eq(p->status.reason, STR("NodeLost")))
		s.reason = STR("Unknown");
	else if (p->metadata.deletion_timestamp && !ended)
		s.reason = STR("Terminating");
	return s;
}

static void cell_restarts(struct cells *c, const struct pod_summary *s)
{
	struct buf age;

	if (!s->restarts || !s->last_restart.set) {
		cell_fmt(c, "%lld", (long long)s->restarts);
		return;
	}
	buf_init(&age, BUF_NO_LIMIT);
	put_age(&age, c->now_s - s->last_restart.seconds);
	cell_fmt(c, "%lld (%.*s ago)", (long long)s->restarts, (int)age.len, age.at);
	buf_free(&age);
}

static void cell_gates(struct cells *c, const struct pod *p)
{
	size_t held = 0, all = p->spec.readiness_gates.len;

	if (!all) {
		cell_text(c, STR("<none>"));
		return;
	}
	for (size_t i = 0; i < all; i++)
		held += condition_true(
			p, arena_str(c->arena, p->spec.readiness_gates.at[i].condition_type).at);
	cell_fmt(c, "%zu/%zu", held, all);
}

static void print_pod(struct cells *c, const void *object)
{
	const struct pod *p = object;
	struct pod_summary s = summarize(c->arena, p);
	bool succeeded = str_eq(p->status.phase, STR("Succeeded"));

	if (succeeded || str_eq(p->status.phase, STR("Failed"))) {
		c->condition = STR("Completed");
		c->condition_reason = p->status.phase;
	}
	cell_text(c, p->metadata.name);
	cell_fmt(c, "%lld/%lld", (long long)s.ready, (long long)s.total);
	cell_text(c, s.reason);
	cell_restarts(c, &s);
	cell_age(c, &p->metadata.creation_timestamp);
	cell_text_or_none(c, p->status.pod_ips.len ? p->status.pod_ips.at[0].ip : STR(""));
	cell_text_or_none(c, p->spec.node_name);
	cell_text_or_none(c, p->status.nominated_node_name);
	cell_gates(c, p);
}

/* --- what makes them */

static void cell_containers(struct cells *c, const struct pod_spec *s)
{
	struct buf names, images;

	buf_init(&names, BUF_NO_LIMIT);
	buf_init(&images, BUF_NO_LIMIT);
	for (size_t i = 0; i < s->containers.len; i++) {
		buf_add_fmt(&names, "%s%.*s", i ? "," : "", STR_ARG(s->containers.at[i].name));
		buf_add_fmt(&images, "%s%.*s", i ? "," : "", STR_ARG(s->containers.at[i].image));
	}
	cell_text(c, buf_str(&names));
	cell_text(c, buf_str(&images));
	buf_free(&names);
	buf_free(&images);
}

static int32_t value_of(const int32_t *number)
{
	return number ? *number : 0;
}

static void print_template(struct cells *c, const void *object)
{
	const struct pod_template *t = object;

	cell_text(c, t->metadata.name);
	cell_containers(c, &t->template.spec);
	cell_labels(c, &t->template.metadata.labels);
}

static void cell_replicas(
	struct cells *c, str name, const int32_t *desired, int32_t current, int32_t ready)
{
	cell_text(c, name);
	cell_number(c, value_of(desired));
	cell_number(c, current);
	cell_number(c, ready);
}

static void print_controller(struct cells *c, const void *object)
{
	static const struct pod_spec nothing;
	const struct replication_controller *r = object;

	cell_replicas(c, r->metadata.name, r->spec.replicas, r->status.replicas,
		r->status.ready_replicas);
	cell_age(c, &r->metadata.creation_timestamp);
	cell_containers(c, r->spec.template ? &r->spec.template->spec : &nothing);
	cell_labels(c, &r->spec.selector);
}

static void print_replica_set(struct cells *c, const void *object)
{
	const struct replica_set *r = object;

	cell_replicas(c, r->metadata.name, r->spec.replicas, r->status.replicas,
		r->status.ready_replicas);
	cell_age(c, &r->metadata.creation_timestamp);
	cell_containers(c, &r->spec.template.spec);
	cell_selector(c, r->spec.selector);
}

static void print_daemon_set(struct cells *c, const void *object)
{
	const struct daemon_set *d = object;

	cell_text(c, d->metadata.name);
	cell_number(c, d->status.desired_number_scheduled);
	cell_number(c, d->status.current_number_scheduled);
	cell_number(c, d->status.number_ready);
	cell_number(c, d->status.updated_number_scheduled);
	cell_number(c, d->status.number_available);
	cell_labels(c, &d->spec.template.spec.node_selector);
	cell_age(c, &d->metadata.creation_timestamp);
	cell_containers(c, &d->spec.template.spec);
	cell_selector(c, d->spec.selector);
}

static void print_deployment(struct cells *c, const void *object)
{
	const struct deployment *d = object;

	cell_text(c, d->metadata.name);
	cell_fmt(c, "%d/%d", (int)d->status.ready_replicas, (int)value_of(d->spec.replicas));
	cell_number(c, d->status.updated_replicas);
	cell_number(c, d->status.available_replicas);
	cell_age(c, &d->metadata.creation_timestamp);
	cell_containers(c, &d->spec.template.spec);
	cell_selector(c, d->spec.selector);
}

static void print_stateful_set(struct cells *c, const void *object)
{
	const struct stateful_set *s = object;

	cell_text(c, s->metadata.name);
	cell_fmt(c, "%d/%d", (int)s->status.ready_replicas, (int)value_of(s->spec.replicas));
	cell_age(c, &s->metadata.creation_timestamp);
	cell_containers(c, &s->spec.template.spec);
}

static str job_status(const struct job *j)
{
	static const struct {
		const char *condition, *shown;
	} order[] = {{"Complete", "Complete"}, {"Failed", "Failed"}, {NULL, "Terminating"},
		{"Suspended", "Suspended"}, {"FailureTarget", "FailureTarget"},
		{"SuccessCriteriaMet", "SuccessCriteriaMet"}};

	for (size_t i = 0; i < COUNT_OF(order); i++) {
		if (!order[i].condition && j->metadata.deletion_timestamp)
			return str_of(order[i].shown);
		for (size_t k = 0; order[i].condition && k < j->status.conditions.len; k++) {
			const struct job_condition *c = &j->status.conditions.at[k];

			if (str_eq(c->type, str_of(order[i].condition)) &&
				str_eq(c->status, STR("True")))
				return str_of(order[i].shown);
		}
	}
	return STR("Running");
}

static void print_job(struct cells *c, const void *object)
{
	const struct job *j = object;
	int32_t parallel = value_of(j->spec.parallelism);
	struct buf took;

	cell_text(c, j->metadata.name);
	cell_text(c, job_status(j));
	if (j->spec.completions)
		cell_fmt(c, "%d/%d", (int)j->status.succeeded, (int)*j->spec.completions);
	else if (parallel > 1)
		cell_fmt(c, "%d/1 of %d", (int)j->status.succeeded, (int)parallel);
	else
		cell_fmt(c, "%d/1", (int)j->status.succeeded);
	buf_init(&took, BUF_NO_LIMIT);
	if (j->status.start_time)
		put_age(&took,
			(j->status.completion_time ? j->status.completion_time->seconds
						   : c->now_s) -
				j->status.start_time->seconds);
	cell_text(c, buf_str(&took));
	buf_free(&took);
	cell_age(c, &j->metadata.creation_timestamp);
	cell_containers(c, &j->spec.template.spec);
	cell_selector(c, j->spec.selector);
}

static void print_cron_job(struct cells *c, const void *object)
{
	const struct cron_job *j = object;
	const struct job_spec *job = &j->spec.job_template.spec;

	cell_text(c, j->metadata.name);
	cell_text(c, j->spec.schedule);
	cell_text(c, j->spec.time_zone ? *j->spec.time_zone : STR("<none>"));
	cell_text(c,
		!j->spec.suspend           ? STR("<unset>")
			: *j->spec.suspend ? STR("True")
					   : STR("False"));
	cell_number(c, (int64_t)j->status.active.len);
	if (j->status.last_schedule_time)
		cell_age(c, j->status.last_schedule_time);
	else
		cell_text(c, STR("<none>"));
	cell_age(c, &j->metadata.creation_timestamp);
	cell_containers(c, &job->template.spec);
	cell_selector(c, job->selector);
}

static void print_revision(struct cells *c, const void *object)
{
	const struct controller_revision *r = object;
	const struct owner_reference *owner = NULL;

	for (size_t i = 0; i < r->metadata.owner_references.len; i++)
		if (r->metadata.owner_references.at[i].controller &&
			*r->metadata.owner_references.at[i].controller)
			owner = &r->metadata.owner_references.at[i];
	cell_text(c, r->metadata.name);
	if (owner) {
		str version = owner->api_version, group = str_cut(&version, '/');
		char lower[64];
		size_t len = owner->kind.len < sizeof(lower) ? owner->kind.len : sizeof(lower);

		for (size_t i = 0; i < len; i++)
			lower[i] = (char)(owner->kind.at[i] | 0x20);
		cell_fmt(c, "%.*s%s%.*s/%.*s", (int)len, lower, version.at ? "." : "",
			version.at ? (int)group.len : 0, group.at, STR_ARG(owner->name));
	} else {
		cell_text(c, STR("<none>"));
	}
	cell_number(c, r->revision);
	cell_age(c, &r->metadata.creation_timestamp);
}

static void cell_amount(struct cells *c, const struct int_or_string *v)
{
	if (!v)
		cell_text(c, STR("N/A"));
	else if (v->is_text)
		cell_text(c, v->text);
	else
		cell_fmt(c, "%d", (int)v->number);
}

static void print_budget(struct cells *c, const void *object)
{
	const struct pod_disruption_budget *b = object;

	cell_text(c, b->metadata.name);
	cell_amount(c, b->spec.min_available);
	cell_amount(c, b->spec.max_unavailable);
	cell_number(c, b->status.disruptions_allowed);
	cell_age(c, &b->metadata.creation_timestamp);
}

static void print_scale(struct cells *c, const void *object)
{
	const struct autoscaling_v1_scale *s = object;

	cell_text(c, s->metadata.name);
	cell_number(c, s->spec.replicas);
	cell_number(c, s->status.replicas);
	cell_age(c, &s->metadata.creation_timestamp);
}

/* --- autoscalers */

enum { TARGETS_MAX = 2 };

static const struct metric_target *target_of_metric(const struct metric_spec *m)
{
	return m->object      ? &m->object->target
		: m->pods     ? &m->pods->target
		: m->resource ? &m->resource->target
		: m->external ? &m->external->target
			      : &m->container_resource->target;
}

/* NULL as long as nothing is known. */
static const struct metric_value_status *value_of_metric(const struct metric_status *m)
{
	return m->object                ? &m->object->current
		: m->pods               ? &m->pods->current
		: m->resource           ? &m->resource->current
		: m->external           ? &m->external->current
		: m->container_resource ? &m->container_resource->current
					: NULL;
}

static void put_quantity(struct buf *b, const struct quantity *q, const char *otherwise)
{
	if (q)
		quantity_put(b, q);
	else
		buf_add_str(b, str_of(otherwise));
}

static void put_percent(struct buf *b, const int32_t *percent, const char *otherwise)
{
	if (percent)
		buf_add_fmt(b, "%d%%", (int)*percent);
	else
		buf_add_str(b, str_of(otherwise));
}

static void put_metric(
	struct buf *b, const struct metric_spec *m, const struct metric_value_status *now)
{
	static const struct metric_value_status unknown;
	const struct metric_target *t = target_of_metric(m);
	bool named = m->resource || m->container_resource;

	now = now ? now : &unknown;
	if (named)
		buf_add_fmt(b, "%.*s: ",
			STR_ARG(m->resource ? m->resource->name : m->container_resource->name));
	if (named && !t->average_value) {
		put_percent(b, now->average_utilization, "<unknown>");
		buf_add_char(b, '/');
		put_percent(b, t->average_utilization, "<auto>");
		return;
	}
	put_quantity(b, t->average_value ? now->average_value : now->value, "<unknown>");
	buf_add_char(b, '/');
	put_quantity(b, t->average_value ? t->average_value : t->value, "<unset>");
	if (t->average_value && !named && !m->pods)
		buf_add_str(b, STR(" (avg)"));
}

static void cell_targets(struct cells *c, const struct horizontal_pod_autoscaler *h)
{
	size_t shown = h->spec.metrics.len < TARGETS_MAX ? h->spec.metrics.len : TARGETS_MAX;
	struct buf b;

	if (shown == 0) {
		cell_text(c, STR("<none>"));
		return;
	}
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < shown; i++) {
		bool known = i < h->status.current_metrics.len;

		buf_add_str(&b, i ? STR(", ") : STR(""));
		put_metric(&b, &h->spec.metrics.at[i],
			known ? value_of_metric(&h->status.current_metrics.at[i]) : NULL);
	}
	if (h->spec.metrics.len > shown)
		buf_add_fmt(&b, " + %zu more...", h->spec.metrics.len - shown);
	cell_text(c, buf_str(&b));
	buf_free(&b);
}

static void print_autoscaler(struct cells *c, const void *object)
{
	const struct horizontal_pod_autoscaler *h = object;

	cell_text(c, h->metadata.name);
	cell_fmt(c, "%.*s/%.*s", STR_ARG(h->spec.scale_target_ref.kind),
		STR_ARG(h->spec.scale_target_ref.name));
	cell_targets(c, h);
	if (h->spec.min_replicas)
		cell_fmt(c, "%d", (int)*h->spec.min_replicas);
	else
		cell_text(c, STR("<unset>"));
	cell_number(c, h->spec.max_replicas);
	cell_number(c, h->status.current_replicas);
	cell_age(c, &h->metadata.creation_timestamp);
}

/* With what its annotations say. */
static void print_autoscaler_v1(struct cells *c, const void *object)
{
	struct horizontal_pod_autoscaler *h = object_new(
		c->arena, api_type(API_HORIZONTAL_POD_AUTOSCALER));
	struct err ignored;

	if (autoscaler_from_v1(c->arena, object, h, &ignored) == 0)
		print_autoscaler(c, h);
}
