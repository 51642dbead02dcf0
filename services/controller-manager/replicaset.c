/*
 * replicaset-controller and replicationcontroller-controller: as many pods as asked for.
 * Source: pkg/controller/replicaset, pkg/controller/replication.
 */
#include "controller-manager/replicaset.h"

#include "controller-manager/controllers.h"
#include "controller-manager/dependents.h"
#include "controller-manager/pods.h"

#include <stdlib.h>

enum { BURST = 500, STATUS_TRIES = 2 };

struct state {
	struct dependents pods;
};

static bool rs_selects(struct arena *a, const void *owner, const struct str_map *labels)
{
	const struct replica_set *rs = owner;

	return dependents_match(a, rs->spec.selector, labels);
}

static bool rc_selects(struct arena *a, const void *owner, const struct str_map *labels)
{
	const struct replication_controller *rc = owner;
	struct meta_selector s = meta_selector_of_map(a, &rc->spec.selector);

	return rc->spec.selector.len > 0 && meta_matches(&s, labels);
}

/* A pod that has become ready is available a while later. */
static void pod_of_owner_changed(struct controller_run *r, const void *owner, int32_t min_ready_s,
	const void *before, const void *now)
{
	run_enqueue(r, owner);
	if (before && now && min_ready_s > 0 && !pod_is_ready(before) && pod_is_ready(now))
		run_enqueue_after(r, owner, min_ready_s * NS_PER_S);
}

static void rs_pod_changed(
	struct controller_run *r, const void *owner, const void *before, const void *now)
{
	pod_of_owner_changed(
		r, owner, ((const struct replica_set *)owner)->spec.min_ready_seconds, before, now);
}

static void rc_pod_changed(
	struct controller_run *r, const void *owner, const void *before, const void *now)
{
	pod_of_owner_changed(r, owner,
		((const struct replication_controller *)owner)->spec.min_ready_seconds, before,
		now);
}

static int open_state(struct controller_run *r, const struct dependents *pods, struct err *e)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ERR_SYSTEM, "no memory for %s", r->table->name);
	s->pods = *pods;
	s->pods.expectations = expectations_new(r->env.clock);
	r->state = s;
	return 0;
}

static int open_rs(struct controller_run *r, struct err *e)
{
	const struct dependents pods = {
		API_REPLICA_SET, "ReplicaSet", rs_selects, NULL, rs_pod_changed};

	return open_state(r, &pods, e);
}

static int open_rc(struct controller_run *r, struct err *e)
{
	const struct dependents pods = {API_REPLICATION_CONTROLLER, "ReplicationController",
		rc_selects, NULL, rc_pod_changed};

	return open_state(r, &pods, e);
}

static void owner_changed(struct controller_run *r, const void *before, const void *now)
{
	struct state *s = r->state;
	char key[RUN_KEY_BYTES];

	if (!now || (before && !str_eq(meta_of(before)->uid, meta_of(now)->uid))) {
		const struct object_meta *m = meta_of(before);

		expectations_forget(s->pods.expectations, run_key(key, m->namespace, m->name));
	}
	run_enqueue(r, now ? now : before);
}

static void pod_changed(struct controller_run *r, const void *before, const void *now)
{
	dependents_changed(r, &((struct state *)r->state)->pods, before, now);
}

/* --- a pass */

static int create_pods(struct replicas *r, size_t count, struct err *e)
{
	struct pass *p = r->p;
	struct pod *next = pod_from_template(p, &r->rs->spec.template, r->owner);

	expectations_set(r->expectations, p->key, (int)count, NULL, 0);
	for (size_t made = 0; made < count; made++) {
		if (pod_create(p, next, r->owner, e) == 0)
			continue;
		bool ends = client_has_cause(e, STR("NamespaceTerminating"));

		for (; made < count; made++)
			expectations_created(r->expectations, p->key);
		return ends ? 0 : -1;
	}
	return 0;
}

/* Pods of the replica sets that the same deployment controls count as neighbours. */
static void find_related(struct replicas *r, struct object_list *to)
{
	const struct owner_reference *ref = meta_controller(&r->rs->metadata);
	struct view_walk sets;

	if (!ref || r->type != API_REPLICA_SET) {
		owned_objects(r->p, r->owner, API_POD, to);
		return;
	}
	sets = pass_by(r->p, API_REPLICA_SET, informer_by_controller, ref->uid, r->p->ns);
	view_each(const void *, set, &sets) owned_objects(r->p, set, API_POD, to);
}

static int delete_pods(struct replicas *r, struct object_list *active, size_t count, struct err *e)
{
	struct object_list related = {0};
	str *names = arena_get(r->p->arena, count * sizeof(*names));
	int result = 0;

	if (count < active->len) {
		find_related(r, &related);
		pods_rank(r->p, active, &related);
	}
	for (size_t i = 0; i < count; i++)
		names[i] = meta_of(active->at[i])->name;
	expectations_set(r->expectations, r->p->key, 0, names, count);
	for (size_t i = 0; i < count; i++) {
		struct err failed;

		if (pod_delete(r->p, active->at[i], r->owner, &failed) == 0)
			continue;
		expectations_deleted(r->expectations, r->p->key, names[i]);
		if (result == 0)
			*e = failed;
		result = -1;
	}
	return result;
}

static int manage(struct replicas *r, struct object_list *active, struct err *e)
{
	size_t wanted = r->rs->spec.replicas ? (size_t)*r->rs->spec.replicas : 1;

	if (active->len < wanted)
		return create_pods(
			r, wanted - active->len < BURST ? wanted - active->len : BURST, e);
	if (active->len > wanted)
		return delete_pods(
			r, active, active->len - wanted < BURST ? active->len - wanted : BURST, e);
	return 0;
}

static void set_failure(
	struct replicas *r, size_t active, const struct err *failure, struct replica_set_status *s)
{
	struct replica_set_condition *kept = arena_get(
		r->p->arena, (s->conditions.len + 1) * sizeof(*kept));
	bool had = false;
	size_t len = 0;

	for (size_t i = 0; i < s->conditions.len; i++) {
		bool is_failure = str_eq(s->conditions.at[i].type, STR("ReplicaFailure"));

		had = had || is_failure;
		if (!is_failure || failure)
			kept[len++] = s->conditions.at[i];
	}
	if (failure && !had) {
		size_t wanted = (size_t)*r->rs->spec.replicas;

		kept[len++] = (struct replica_set_condition){
			.type = STR("ReplicaFailure"),
			.status = STR("True"),
			.last_transition_time = pass_now(r->p),
			.reason = active < wanted ? STR("FailedCreate") : STR("FailedDelete"),
			.message = arena_fmt(r->p->arena, "%s", failure->text),
		};
	}
	s->conditions.at = kept;
	s->conditions.len = len;
}

void replicas_status(struct replicas *r, const struct object_list *active, size_t terminating,
	const struct err *failure, struct replica_set_status *to)
{
	const struct replica_set *rs = r->rs;
	struct meta_selector labels = meta_selector_of_map(
		r->p->arena, &rs->spec.template.metadata.labels);
	struct replica_set_status s = rs->status;

	s.replicas = (int32_t)active->len;
	s.fully_labeled_replicas = s.ready_replicas = s.available_replicas = 0;
	for (size_t i = 0; i < active->len; i++) {
		const struct pod *pod = active->at[i];

		s.fully_labeled_replicas += meta_matches(&labels, &pod->metadata.labels);
		s.ready_replicas += pod_is_ready(pod);
		s.available_replicas += pod_is_available(
			pod, rs->spec.min_ready_seconds, pass_now_ns(r->p) / NS_PER_S);
	}
	s.terminating_replicas = r->counts_terminating
		? arena_i32(r->p->arena, (int32_t)terminating)
		: NULL;
	set_failure(r, active->len, failure, &s);
	*to = s;
}

static bool needs_writing(const struct replica_set *rs, const struct replica_set_status *s)
{
	return rs->metadata.generation != rs->status.observed_generation ||
		!struct_equal(api_type(API_REPLICA_SET_STATUS), &rs->status, s);
}

static size_t count_terminating(struct replicas *r, const struct meta_selector *selector)
{
	struct view_walk own = pass_by(
		r->p, API_POD, informer_by_controller, meta_of(r->owner)->uid, r->p->ns);
	size_t count = 0;

	view_each(const struct pod *, pod, &own)
		count += pod_is_terminating(pod) && meta_matches(selector, &pod->metadata.labels);
	return count;
}

int replicas_reconcile(struct replicas *r, struct err *e)
{
	const struct replica_set *rs = r->rs;
	struct meta_selector selector;
	struct object_list active = {0};
	struct replica_set_status s;
	struct err failure;
	bool failed = false, met = expectations_met(r->expectations, r->p->key);

	if (meta_selector(r->p->arena, rs->spec.selector, &selector, e) < 0)
		return 0;
	struct claim claim = {
		.p = r->p, .owner = r->owner, .selector = &selector, .wanted = pod_is_active};

	TRY(claim_objects(&claim, API_POD, &active, e));
	if (met && !rs->metadata.deletion_timestamp)
		failed = manage(r, &active, &failure) < 0;
	replicas_status(r, &active, r->counts_terminating ? count_terminating(r, &selector) : 0,
		failed ? &failure : NULL, &s);
	if (needs_writing(rs, &s)) {
		s.observed_generation = rs->metadata.generation;
		TRY(r->write_status(r, &s, e));
	}
	if (failed) {
		*e = failure;
		return -1;
	}
	if (rs->spec.min_ready_seconds > 0 && s.ready_replicas != s.available_replicas) {
		int64_t left_s = pods_next_available_s(
			&active, rs->spec.min_ready_seconds, pass_now_ns(r->p) / NS_PER_S);

		pass_again(r->p, (left_s ? left_s : rs->spec.min_ready_seconds) * NS_PER_S);
	}
	return 0;
}

/* Once more on what the server has, if the cache was behind. */
static int write_rs_status(struct replicas *r, const struct replica_set_status *s, struct err *e)
{
	struct replica_set *next = pass_copy(r->p, r->rs);
	void *now;

	for (int tries = 1;; tries++) {
		next->status = *s;
		if (pass_update_status(r->p, next, NULL, e) == 0)
			return 0;
		if (tries == STATUS_TRIES)
			return -1;
		TRY(pass_fetch(r->p, API_REPLICA_SET, r->p->ns, r->p->name, &now, e));
		next = now;
	}
}

static void put_rc_status(
	struct pass *p, struct replication_controller *rc, const struct replica_set_status *s)
{
	struct replication_controller_condition *conditions = arena_get(
		p->arena, s->conditions.len * sizeof(*conditions) + 1);

	for (size_t i = 0; i < s->conditions.len; i++)
		conditions[i] = (struct replication_controller_condition){
			.type = s->conditions.at[i].type,
			.status = s->conditions.at[i].status,
			.last_transition_time = s->conditions.at[i].last_transition_time,
			.reason = s->conditions.at[i].reason,
			.message = s->conditions.at[i].message,
		};
	rc->status.replicas = s->replicas;
	rc->status.fully_labeled_replicas = s->fully_labeled_replicas;
	rc->status.ready_replicas = s->ready_replicas;
	rc->status.available_replicas = s->available_replicas;
	rc->status.observed_generation = s->observed_generation;
	rc->status.conditions.at = conditions;
	rc->status.conditions.len = s->conditions.len;
}

static int write_rc_status(struct replicas *r, const struct replica_set_status *s, struct err *e)
{
	struct replication_controller *next = pass_copy(r->p, r->owner);
	void *now;

	for (int tries = 1;; tries++) {
		put_rc_status(r->p, next, s);
		if (pass_update_status(r->p, next, NULL, e) == 0)
			return 0;
		if (tries == STATUS_TRIES)
			return -1;
		TRY(pass_fetch(r->p, API_REPLICATION_CONTROLLER, r->p->ns, r->p->name, &now, e));
		next = now;
	}
}

static const struct replica_set *rs_of_rc(struct pass *p, const struct replication_controller *rc)
{
	struct replica_set *rs = object_new(p->arena, api_type(API_REPLICA_SET));
	const struct replication_controller_status *s = &rc->status;
	struct replica_set_condition *conditions = arena_get(
		p->arena, s->conditions.len * sizeof(*conditions) + 1);

	for (size_t i = 0; i < s->conditions.len; i++)
		conditions[i] = (struct replica_set_condition){
			.type = s->conditions.at[i].type,
			.status = s->conditions.at[i].status,
			.last_transition_time = s->conditions.at[i].last_transition_time,
			.reason = s->conditions.at[i].reason,
			.message = s->conditions.at[i].message,
		};
	rs->metadata = rc->metadata;
	rs->spec.replicas = rc->spec.replicas;
	rs->spec.min_ready_seconds = rc->spec.min_ready_seconds;
	rs->spec.selector = arena_get(p->arena, sizeof(*rs->spec.selector));
	rs->spec.selector->match_labels = rc->spec.selector;
	if (rc->spec.template)
		rs->spec.template = *rc->spec.template;
	rs->status = (struct replica_set_status){
		.replicas = s->replicas,
		.fully_labeled_replicas = s->fully_labeled_replicas,
		.ready_replicas = s->ready_replicas,
		.available_replicas = s->available_replicas,
		.observed_generation = s->observed_generation,
	};
	rs->status.conditions.at = conditions;
	rs->status.conditions.len = s->conditions.len;
	return rs;
}

static int reconcile_rs(struct pass *p, struct err *e)
{
	struct state *s = pass_state(p);
	const struct replica_set *rs = pass_get(p, API_REPLICA_SET, p->ns, p->name);
	struct replicas r = {
		p, rs, rs, s->pods.expectations, API_REPLICA_SET, true, write_rs_status};

	if (!rs) {
		expectations_forget(s->pods.expectations, p->key);
		return 0;
	}
	return replicas_reconcile(&r, e);
}

static int reconcile_rc(struct pass *p, struct err *e)
{
	struct state *s = pass_state(p);
	const struct replication_controller *rc = pass_get(
		p, API_REPLICATION_CONTROLLER, p->ns, p->name);

	if (!rc) {
		expectations_forget(s->pods.expectations, p->key);
		return 0;
	}
	struct replicas r = {p, rc, rs_of_rc(p, rc), s->pods.expectations,
		API_REPLICATION_CONTROLLER, false, write_rc_status};

	return replicas_reconcile(&r, e);
}

const struct controller replicaset_controller = {
	.name = "replicaset-controller",
	.account = "replicaset-controller",
	.watches = {{API_REPLICA_SET, owner_changed}, {API_POD, pod_changed}},
	.works = {{"replicaset", 5, reconcile_rs}},
	.open = open_rs,
};

const struct controller replication_controller_controller = {
	.name = "replicationcontroller-controller",
	.account = "replication-controller",
	.watches = {{API_REPLICATION_CONTROLLER, owner_changed}, {API_POD, pod_changed}},
	.works = {{"replicationmanager", 5, reconcile_rc}},
	.open = open_rc,
};
