/*
 * disruption-controller: how many pods of a disruption budget may be evicted now.
 * Source: pkg/controller/disruption.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/pods.h"

enum { EVICTION_S = 120 }; /* an eviction that did not happen within this is forgotten */

struct budget {
	struct pass *p;
	const struct pod_disruption_budget *b;
	struct object_list pods;
	int64_t expected, desired;
};

static void budget_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now)
		run_enqueue(r, now);
}

static bool selects(struct arena *a, const struct pod_disruption_budget *b, const struct pod *p)
{
	struct meta_selector s;
	struct err e;

	return meta_selector(a, b->spec.selector, &s, &e) == 0 &&
		meta_matches(&s, &p->metadata.labels);
}

static void pod_changed(struct controller_run *r, const void *before, const void *now)
{
	struct view *budgets = informer_view(
		informers_of(r->env.informers, API_POD_DISRUPTION_BUDGET));
	struct view_walk all = view_all(budgets, meta_of(now ? now : before)->namespace);
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	view_each(const struct pod_disruption_budget *, b, &all)
	{
		if ((now && selects(&a, b, now)) || (before && selects(&a, b, before)))
			run_enqueue(r, b);
		arena_reset(&a);
	}
	arena_free(&a);
	view_drop(budgets);
}

static int32_t count_of(const int32_t *replicas)
{
	return replicas ? *replicas : 1;
}

/* A replica set that a deployment controls has the deployment's size. */
static bool scale_of_set(struct pass *p, const struct replica_set *rs, str *uid, int32_t *replicas)
{
	const struct owner_reference *r = meta_controller(&rs->metadata);
	const struct deployment *d = r && str_eq(r->kind, STR("Deployment"))
		? pass_get(p, API_DEPLOYMENT, rs->metadata.namespace, r->name)
		: NULL;

	if (r && str_eq(r->kind, STR("Deployment")) && (!d || !str_eq(d->metadata.uid, r->uid)))
		return false;
	*uid = d ? d->metadata.uid : rs->metadata.uid;
	*replicas = d ? count_of(d->spec.replicas) : count_of(rs->spec.replicas);
	return true;
}

/* The controller's own size; false if it is of a kind that is not known, or gone. */
static bool find_scale(struct pass *p, const struct pod *pod, const struct owner_reference *r,
	str *uid, int32_t *replicas)
{
	const void *owner = NULL;

	*uid = r->uid;
	if (str_eq(r->kind, STR("ReplicaSet"))) {
		owner = pass_get(p, API_REPLICA_SET, pod->metadata.namespace, r->name);
		return owner && str_eq(meta_of(owner)->uid, r->uid) &&
			scale_of_set(p, owner, uid, replicas);
	}
	if (str_eq(r->kind, STR("StatefulSet"))) {
		const struct stateful_set *s = pass_get(
			p, API_STATEFUL_SET, pod->metadata.namespace, r->name);

		owner = s;
		*replicas = s ? count_of(s->spec.replicas) : 0;
	} else if (str_eq(r->kind, STR("ReplicationController"))) {
		const struct replication_controller *rc = pass_get(
			p, API_REPLICATION_CONTROLLER, pod->metadata.namespace, r->name);

		owner = rc;
		*replicas = rc ? count_of(rc->spec.replicas) : 0;
	}
	return owner && str_eq(meta_of(owner)->uid, r->uid);
}

/* Each controller of a pod counts once. */
static int expected_scale(struct budget *b, struct err *e)
{
	struct object_list seen = {0};

	for (size_t i = 0; i < b->pods.len; i++) {
		const struct pod *pod = b->pods.at[i];
		const struct owner_reference *r = meta_controller(&pod->metadata);
		str *uid = arena_get(b->p->arena, sizeof(*uid));
		bool counted = false;
		int32_t replicas = 0;

		if (!r)
			continue;
		if (!find_scale(b->p, pod, r, uid, &replicas))
			return err_set(e, ERR_NOT_FOUND, "found no controllers for pod \"%.*s\"",
				STR_ARG(pod->metadata.name));
		for (size_t s = 0; s < seen.len && !counted; s++)
			counted = str_eq(*(const str *)seen.at[s], *uid);
		if (counted)
			continue;
		object_list_add(b->p->arena, &seen, uid);
		b->expected += replicas;
	}
	return 0;
}

static int find_expected(struct budget *b, struct err *e)
{
	const struct pod_disruption_budget_spec *s = &b->b->spec;
	int64_t part;

	if (s->max_unavailable) {
		TRY(expected_scale(b, e));
		TRY(int_or_string_scale(s->max_unavailable, b->expected, true, &part, e));
		b->desired = b->expected > part ? b->expected - part : 0;
	} else if (s->min_available && s->min_available->is_text) {
		TRY(expected_scale(b, e));
		TRY(int_or_string_scale(s->min_available, b->expected, true, &b->desired, e));
	} else if (s->min_available) {
		b->expected = (int64_t)b->pods.len;
		b->desired = s->min_available->number;
	}
	return 0;
}

static const struct time_value *eviction_time(const struct budget *b, str pod)
{
	for (size_t i = 0; i < b->b->status.disrupted_pods.len; i++) {
		if (str_eq(b->b->status.disrupted_pods.at[i].key, pod))
			return &b->b->status.disrupted_pods.at[i].value;
	}
	return NULL;
}

/* Pods that are on their way out count as gone; those whose eviction came to nothing do not. */
static void count_healthy(struct budget *b, struct pod_disruption_budget_status *to)
{
	int64_t now_s = pass_now_ns(b->p) / NS_PER_S;

	to->disrupted_pods.at = arena_get(
		b->p->arena, b->pods.len * sizeof(*to->disrupted_pods.at) + 1);
	for (size_t i = 0; i < b->pods.len; i++) {
		const struct pod *pod = b->pods.at[i];
		const struct time_value *since = eviction_time(b, pod->metadata.name);

		if (pod->metadata.deletion_timestamp)
			continue;
		if (since && since->seconds + EVICTION_S > now_s) {
			to->disrupted_pods.at[to->disrupted_pods.len++] = (struct time_entry){
				pod->metadata.name, *since};
			pass_again(b->p, (since->seconds + EVICTION_S - now_s) * NS_PER_S);
			continue;
		}
		to->current_healthy += pod_is_ready(pod);
	}
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(meta_of(a)->name, meta_of(b)->name);
}

/* The one condition that says whether anything is allowed. */
static void put_condition(struct budget *b, struct pod_disruption_budget_status *s, str status,
	str reason, str message)
{
	const struct pod_disruption_budget_status *old = &b->b->status;
	struct condition *all = arena_get(b->p->arena, (old->conditions.len + 1) * sizeof(*all));
	struct condition c = {.type = STR("DisruptionAllowed"),
		.status = status,
		.reason = reason,
		.message = message,
		.observed_generation = b->b->metadata.generation,
		.last_transition_time = pass_now(b->p)};
	size_t len = 0;

	for (size_t i = 0; i < old->conditions.len; i++) {
		const struct condition *have = &old->conditions.at[i];

		if (!str_eq(have->type, c.type))
			all[len++] = *have;
		else if (str_eq(have->status, status))
			c.last_transition_time = have->last_transition_time;
	}
	all[len++] = c;
	s->conditions.at = all;
	s->conditions.len = len;
}

static int write_status(
	struct budget *b, const struct pod_disruption_budget_status *s, struct err *e)
{
	struct pod_disruption_budget *next = pass_copy(b->p, b->b);

	if (struct_equal(api_type(API_POD_DISRUPTION_BUDGET_STATUS), s, &b->b->status))
		return 0;
	next->status = *s;
	return pass_update_status(b->p, next, NULL, e);
}

static int fail_safe(struct budget *b, const struct err *why, struct err *e)
{
	struct pod_disruption_budget_status s = b->b->status;

	pass_warn(b->p, b->b, "CalculateExpectedPodCountFailed",
		"Failed to calculate the number of expected pods: %s", why->text);
	s.disruptions_allowed = 0;
	put_condition(
		b, &s, STR("False"), STR("SyncFailed"), arena_fmt(b->p->arena, "%s", why->text));
	TRY(write_status(b, &s, e));
	*e = *why;
	return -1;
}

static void find_pods(struct budget *b, const struct meta_selector *selector)
{
	struct view_walk all = pass_list(b->p, API_POD, b->p->ns);

	view_each(const struct pod *, pod, &all)
	{
		if (meta_matches(selector, &pod->metadata.labels) && !pod_is_finished(pod))
			object_list_add(b->p->arena, &b->pods, pod);
	}
	object_list_sort(&b->pods, by_name);
}

static int reconcile(struct pass *p, struct err *e)
{
	struct budget b = {.p = p, .b = pass_get(p, API_POD_DISRUPTION_BUDGET, p->ns, p->name)};
	struct pod_disruption_budget_status s = {0};
	struct meta_selector selector;
	struct err why;
	int64_t allowed;

	if (!b.b)
		return 0;
	TRY(meta_selector(p->arena, b.b->spec.selector, &selector, e));
	find_pods(&b, &selector);
	if (b.pods.len == 0)
		pass_event(p, b.b, "NoPods", "No matching pods found");
	if (find_expected(&b, &why) < 0)
		return fail_safe(&b, &why, e);
	count_healthy(&b, &s);
	allowed = s.current_healthy - b.desired;
	if (b.expected <= 0 || allowed < 0)
		allowed = 0;
	s.expected_pods = (int32_t)b.expected;
	s.desired_healthy = (int32_t)b.desired;
	s.disruptions_allowed = (int32_t)allowed;
	s.observed_generation = b.b->metadata.generation;
	if (allowed > 0)
		put_condition(&b, &s, STR("True"), STR("SufficientPods"), STR(""));
	else
		put_condition(&b, &s, STR("False"), STR("InsufficientPods"), STR(""));
	return write_status(&b, &s, e);
}

const struct controller disruption_controller = {
	.name = "disruption-controller",
	.account = "disruption-controller",
	.component = "controllermanager",
	.watches = {{API_POD_DISRUPTION_BUDGET, budget_changed}, {API_POD, pod_changed},
		{API_REPLICA_SET, NULL}, {API_DEPLOYMENT, NULL}, {API_STATEFUL_SET, NULL},
		{API_REPLICATION_CONTROLLER, NULL}},
	.works = {{"disruption", 1, reconcile}},
};
