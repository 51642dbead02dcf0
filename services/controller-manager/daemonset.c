/*
 * daemonset-controller: a pod on every node that fits.
 */
#include "controller-manager/daemonset.h"

#include "controller-manager/controllers.h"
#include "controller-manager/dependents.h"

#include <stdlib.h>

enum { BURST = 250 };

struct daemons {
	struct dependents pods;
};

/* What a pass has found out. */
struct plan {
	struct object_list make; /* nodes */
	struct object_list drop; /* pods */
	struct daemon_set_status status;
};

static bool selects(struct arena *a, const void *owner, const struct str_map *labels)
{
	return dependents_match(a, ((const struct daemon_set *)owner)->spec.selector, labels);
}

static int open_daemons(struct controller_run *r, struct err *e)
{
	struct daemons *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ERR_SYSTEM, "no memory for daemonset-controller");
	s->pods = (struct dependents){
		API_DAEMON_SET, "DaemonSet", selects, expectations_new(r->env.clock), NULL};
	r->state = s;
	return 0;
}

static void set_changed(struct controller_run *r, const void *before, const void *now)
{
	run_enqueue(r, now ? now : before);
}

static void pod_changed(struct controller_run *r, const void *before, const void *now)
{
	dependents_changed(r, &((struct daemons *)r->state)->pods, before, now);
}

/* Sets for which a node has become right or wrong. */
static void node_changed(struct controller_run *r, const void *before, const void *now)
{
	struct view *sets = informer_view(informers_of(r->env.informers, API_DAEMON_SET));
	struct view_walk all = view_all(sets, (str){NULL, 0});

	view_each(const struct daemon_set *, s, &all)
	{
		bool old_make = false, old_keep = false, make = false, keep = false;

		if (before)
			daemon_wanted_on(s, before, &old_make, &old_keep);
		if (now)
			daemon_wanted_on(s, now, &make, &keep);
		if (make != old_make || keep != old_keep)
			run_enqueue(r, s);
	}
	view_drop(sets);
}

/* --- node by node */

static bool is_current(const struct daemon_pass *d, const struct pod *p)
{
	return str_eq(str_map_get(&p->metadata.labels, REVISION_LABEL), d->hash);
}

static int oldest_first(const void *a, const void *b)
{
	const struct pod *x = a, *y = b;
	bool xb = x->spec.node_name.len > 0, yb = y->spec.node_name.len > 0;

	if (xb != yb)
		return xb ? -1 : 1;
	int order = time_compare(&x->metadata.creation_timestamp, &y->metadata.creation_timestamp);

	return order ? order : str_cmp(x->metadata.name, y->metadata.name);
}

static void pods_on(struct daemon_pass *d, str node, struct object_list *to)
{
	for (size_t i = 0; i < d->pods.len; i++) {
		str on = daemon_node_of(d->pods.at[i]);

		if (on.at && str_eq(on, node))
			object_list_add(d->p->arena, to, d->pods.at[i]);
	}
	object_list_sort(to, oldest_first);
}

/* Failed and finished pods go, to be made anew; of several that run, the oldest stays. */
static void look_at_pods(struct daemon_pass *d, const struct node *n, const struct object_list *on,
	struct plan *plan)
{
	bool running = false;

	for (size_t i = 0; i < on->len; i++) {
		const struct pod *pod = on->at[i];

		if (pod->metadata.deletion_timestamp) {
			running = true;
			continue;
		}
		if (str_eq(pod->status.phase, STR("Failed"))) {
			pass_warn(d->p, d->seen, "FailedDaemonPod",
				"Found failed daemon pod %.*s/%.*s on node %.*s, will try to kill "
				"it",
				STR_ARG(pod->metadata.namespace), STR_ARG(pod->metadata.name),
				STR_ARG(n->metadata.name));
			object_list_add(d->p->arena, &plan->drop, pod);
		} else if (str_eq(pod->status.phase, STR("Succeeded"))) {
			pass_event(d->p, d->seen, "SucceededDaemonPod",
				"Found succeeded daemon pod %.*s/%.*s on node %.*s, will try to "
				"delete it",
				STR_ARG(pod->metadata.namespace), STR_ARG(pod->metadata.name),
				STR_ARG(n->metadata.name));
			object_list_add(d->p->arena, &plan->drop, pod);
		} else if (running) {
			object_list_add(d->p->arena, &plan->drop, pod);
		} else {
			running = true;
		}
	}
}

static void count_node(
	struct daemon_pass *d, const struct object_list *on, bool make, struct daemon_set_status *s)
{
	const struct pod *pod = NULL;

	for (size_t i = 0; i < on->len && !pod; i++) {
		if (pod_is_active(on->at[i]))
			pod = on->at[i];
	}
	if (!make) {
		s->number_misscheduled += on->len > 0;
		return;
	}
	s->desired_number_scheduled++;
	if (on->len == 0)
		return;
	s->current_number_scheduled++;
	if (!pod)
		return;
	s->number_ready += pod_is_ready(pod);
	s->number_available += pod_is_available(
		pod, d->seen->spec.min_ready_seconds, pass_now_ns(d->p) / NS_PER_S);
	s->updated_number_scheduled += is_current(d, pod);
}

static void look_at_node(struct daemon_pass *d, const struct node *n, struct plan *plan)
{
	struct object_list on = {0};
	bool make, keep;

	daemon_wanted_on(d->seen, n, &make, &keep);
	pods_on(d, n->metadata.name, &on);
	count_node(d, &on, make, &plan->status);
	if (make && on.len == 0)
		object_list_add(d->p->arena, &plan->make, n);
	else if (keep)
		look_at_pods(d, n, &on, plan);
	else
		for (size_t i = 0; i < on.len; i++)
			object_list_add(d->p->arena, &plan->drop, on.at[i]);
}

/* Pods that wait for a node that is gone. */
static void drop_lost(struct daemon_pass *d, struct plan *plan)
{
	for (size_t i = 0; i < d->pods.len; i++) {
		const struct pod *pod = d->pods.at[i];
		str on = daemon_node_of(pod);

		if (pod->spec.node_name.len == 0 && on.at && !pass_get(d->p, API_NODE, STR(""), on))
			object_list_add(d->p->arena, &plan->drop, pod);
	}
}

/* --- carrying out */

static int create_pods(struct daemon_pass *d, const struct plan *plan, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (pod_create(d->p, daemon_pod_for(d, plan->make.at[i]), d->seen, e) == 0)
			continue;
		bool ends = client_has_cause(e, STR("NamespaceTerminating"));

		for (; i < count; i++)
			expectations_created(d->expectations, d->p->key);
		return ends ? 0 : -1;
	}
	return 0;
}

static int carry_out(struct daemon_pass *d, const struct plan *plan, struct err *e)
{
	size_t make = plan->make.len < BURST ? plan->make.len : BURST,
	       drop = plan->drop.len < BURST ? plan->drop.len : BURST;
	str *names = arena_get(d->p->arena, drop * sizeof(*names) + 1);
	int result;

	for (size_t i = 0; i < drop; i++)
		names[i] = meta_of(plan->drop.at[i])->name;
	expectations_set(d->expectations, d->p->key, (int)make, names, drop);
	result = create_pods(d, plan, make, e);
	for (size_t i = 0; i < drop; i++) {
		struct err failed;

		if (pod_delete(d->p, plan->drop.at[i], d->seen, &failed) == 0)
			continue;
		expectations_deleted(d->expectations, d->p->key, names[i]);
		if (result == 0)
			*e = failed;
		result = -1;
	}
	return result;
}

/* --- rolling update */

static int64_t share(const struct int_or_string *v, int64_t of)
{
	int64_t to;
	struct err e;

	if (!v || int_or_string_scale(v, of, true, &to, &e) < 0)
		return 0;
	return to;
}

/* Old pods that are not available go at once, others as far as enough stay. */
static void replace_in_place(struct daemon_pass *d, int64_t most, struct plan *plan)
{
	int64_t unavailable = plan->status.desired_number_scheduled - plan->status.number_available;
	int64_t now_s = pass_now_ns(d->p) / NS_PER_S;
	struct object_list candidates = {0};

	for (size_t i = 0; i < d->pods.len; i++) {
		const struct pod *pod = d->pods.at[i];

		if (is_current(d, pod) || !pod_is_active(pod))
			continue;
		if (!pod_is_available(pod, d->seen->spec.min_ready_seconds, now_s))
			object_list_add(d->p->arena, &plan->drop, pod);
		else
			object_list_add(d->p->arena, &candidates, pod);
	}
	for (size_t i = 0; i < candidates.len && unavailable < most; i++, unavailable++)
		object_list_add(d->p->arena, &plan->drop, candidates.at[i]);
}

/* With surge a new pod comes first, and the old one goes when that is available. */
static void replace_with_surge(struct daemon_pass *d, int64_t most, struct plan *plan)
{
	int64_t now_s = pass_now_ns(d->p) / NS_PER_S, extra = 0;

	for (size_t i = 0; i < d->pods.len; i++) {
		const struct pod *old = d->pods.at[i], *fresh = NULL;
		str on = daemon_node_of(old);
		const struct node *n = pass_get(d->p, API_NODE, STR(""), on);
		bool available;

		if (is_current(d, old) || !pod_is_active(old) || !n)
			continue;
		for (size_t o = 0; o < d->pods.len; o++) {
			if (is_current(d, d->pods.at[o]) && pod_is_active(d->pods.at[o]) &&
				str_eq(daemon_node_of(d->pods.at[o]), on))
				fresh = d->pods.at[o];
		}
		available = pod_is_available(old, d->seen->spec.min_ready_seconds, now_s);
		if (fresh) {
			extra++;
			if (!available ||
				pod_is_available(fresh, d->seen->spec.min_ready_seconds, now_s))
				object_list_add(d->p->arena, &plan->drop, old);
		} else if (!available || extra < most) {
			extra += available;
			object_list_add(d->p->arena, &plan->make, n);
		}
	}
}

static void plan_update(struct daemon_pass *d, struct plan *plan)
{
	const struct daemon_set_update_strategy *u = &d->seen->spec.update_strategy;
	int64_t desired = plan->status.desired_number_scheduled;
	int64_t surge = u->rolling_update ? share(u->rolling_update->max_surge, desired) : 0;
	int64_t unavailable = u->rolling_update ? share(u->rolling_update->max_unavailable, desired)
						: 1;

	if (surge > 0)
		replace_with_surge(d, surge, plan);
	else
		replace_in_place(d, unavailable > 0 ? unavailable : 1, plan);
}

/* With surge two pods of one node are no mistake while one of them is old. */
static bool surges(const struct daemon_set *s)
{
	const struct rolling_update_daemon_set *u = s->spec.update_strategy.rolling_update;

	return u && share(u->max_surge, 100) > 0;
}

/* --- a pass */

static bool is_live(const void *daemon_pass, str hash)
{
	const struct daemon_pass *d = daemon_pass;

	for (size_t i = 0; i < d->pods.len; i++) {
		const struct pod *pod = d->pods.at[i];

		if (str_eq(str_map_get(&pod->metadata.labels, REVISION_LABEL), hash))
			return true;
	}
	return false;
}

static int write_status(struct daemon_pass *d, struct plan *plan, struct err *e)
{
	struct daemon_set *next = pass_copy(d->p, d->seen);
	struct daemon_set_status *s = &plan->status;

	s->number_unavailable = s->desired_number_scheduled - s->number_available;
	s->observed_generation = d->seen->metadata.generation;
	s->conditions.at = d->seen->status.conditions.at;
	s->conditions.len = d->seen->status.conditions.len;
	s->collision_count = *d->history.collisions > 0 ? d->history.collisions : NULL;
	if (s->number_ready != s->number_available)
		pass_again(d->p, NS_PER_S);
	if (struct_equal(api_type(API_DAEMON_SET_STATUS), s, &d->seen->status))
		return 0;
	next->status = *s;
	return pass_update_status(d->p, next, NULL, e);
}

static void look_around(struct daemon_pass *d, struct plan *plan)
{
	struct view_walk nodes = pass_list(d->p, API_NODE, (str){NULL, 0});

	view_each(const struct node *, n, &nodes) look_at_node(d, n, plan);
	if (surges(d->seen))
		plan->drop.len = 0;
	drop_lost(d, plan);
}

static int run_pass(struct daemon_pass *d, struct err *e)
{
	bool rolling = str_eq(d->seen->spec.update_strategy.type, STR("RollingUpdate"));
	bool met = expectations_met(d->expectations, d->p->key);
	struct plan plan = {0};
	struct err failure;
	int done = 0;

	TRY(history_find(&d->history, e));
	d->hash = revision_hash(d->history.latest);
	look_around(d, &plan);
	if (met) {
		if (rolling && plan.make.len + plan.drop.len == 0)
			plan_update(d, &plan);
		done = carry_out(d, &plan, &failure);
	}
	TRY(write_status(d, &plan, e));
	if (done < 0) {
		*e = failure;
		return -1;
	}
	return d->seen->spec.revision_history_limit
		? history_truncate(
			  &d->history, *d->seen->spec.revision_history_limit, is_live, d, e)
		: 0;
}

static int reconcile(struct pass *p, struct err *e)
{
	struct daemons *state = pass_state(p);
	const struct daemon_set *seen = pass_get(p, API_DAEMON_SET, p->ns, p->name);
	struct meta_selector selector;

	if (!seen) {
		expectations_forget(state->pods.expectations, p->key);
		return 0;
	}
	TRY(meta_selector(p->arena, seen->spec.selector, &selector, e));
	if (meta_selects_everything(&selector)) {
		pass_warn(p, seen, "SelectingAll",
			"This daemon set is selecting all pods. A non-empty selector is required.");
		return 0;
	}
	struct claim claim = {.p = p, .owner = seen, .selector = &selector};
	struct daemon_pass d = {.p = p,
		.expectations = state->pods.expectations,
		.seen = seen,
		.history = {.p = p,
			.owner = seen,
			.template = &seen->spec.template,
			.selector = &selector,
			.labels = &seen->spec.template.metadata.labels,
			.collisions = arena_i32(p->arena,
				seen->status.collision_count ? *seen->status.collision_count : 0)}};

	TRY(claim_objects(&claim, API_POD, &d.pods, e));
	if (seen->metadata.deletion_timestamp)
		return 0;
	return run_pass(&d, e);
}

const struct controller daemonset_controller = {
	.name = "daemonset-controller",
	.account = "daemon-set-controller",
	.component = "daemonset-controller",
	.watches = {{API_DAEMON_SET, set_changed}, {API_POD, pod_changed}, {API_NODE, node_changed},
		{API_CONTROLLER_REVISION, NULL}},
	.works = {{"daemonset", 2, reconcile}},
	.open = open_daemons,
};
