/*
 * statefulset-controller: pods with names, in order.
 */
#include "controller-manager/statefulset.h"

#include "controller-manager/controllers.h"
#include "controller-manager/dependents.h"

static bool selects(struct arena *a, const void *owner, const struct str_map *labels)
{
	return dependents_match(a, ((const struct stateful_set *)owner)->spec.selector, labels);
}

/* A pod that has become ready is available a while later. */
static void pod_of_set_changed(
	struct controller_run *r, const void *owner, const void *before, const void *now)
{
	const struct stateful_set *s = owner;

	run_enqueue(r, owner);
	if (before && now && s->spec.min_ready_seconds > 0 && !pod_is_ready(before) &&
		pod_is_ready(now))
		run_enqueue_after(r, owner, s->spec.min_ready_seconds * NS_PER_S);
}

static const struct dependents pods_of_sets = {
	API_STATEFUL_SET, "StatefulSet", selects, NULL, pod_of_set_changed};

static void set_changed(struct controller_run *r, const void *before, const void *now)
{
	run_enqueue(r, now ? now : before);
}

static void pod_changed(struct controller_run *r, const void *before, const void *now)
{
	dependents_changed(r, &pods_of_sets, before, now);
}

/* --- how pods stand */

static str revision_of(const struct pod *p)
{
	return str_map_get(&p->metadata.labels, REVISION_LABEL);
}

static bool runs_and_is_ready(const struct pod *p)
{
	return str_eq(p->status.phase, STR("Running")) && pod_is_ready(p);
}

static bool is_available(const struct stateful *s, const struct pod *p)
{
	return runs_and_is_ready(p) &&
		pod_is_available(p, s->seen->spec.min_ready_seconds, pass_now_ns(s->p) / NS_PER_S);
}

static bool is_healthy(const struct pod *p)
{
	return runs_and_is_ready(p) && !p->metadata.deletion_timestamp;
}

static void count(struct stateful *s, const struct pod *p)
{
	s->status.replicas++;
	s->status.ready_replicas += runs_and_is_ready(p);
	s->status.available_replicas += is_available(s, p);
	if (p->metadata.deletion_timestamp)
		return;
	s->status.current_replicas += str_eq(revision_of(p), s->current);
	s->status.updated_replicas += str_eq(revision_of(p), s->update);
}

static int largest_first(const void *a, const void *b)
{
	const struct pod *x = a, *y = b;

	/* Of the same set: the longer name has the larger ordinal. */
	if (x->metadata.name.len != y->metadata.name.len)
		return x->metadata.name.len < y->metadata.name.len ? 1 : -1;
	return str_cmp(y->metadata.name, x->metadata.name);
}

static void sort_pods(struct stateful *s, const struct object_list *pods)
{
	s->slots = arena_get(s->p->arena, (size_t)s->replicas * sizeof(*s->slots) + 1);
	for (size_t i = 0; i < pods->len; i++) {
		const struct pod *p = pods->at[i];
		int64_t ordinal = stateful_ordinal(s->seen, p);

		count(s, p);
		if (ordinal >= s->start && ordinal < (int64_t)s->start + s->replicas)
			s->slots[ordinal - s->start] = p;
		else if (ordinal >= 0)
			object_list_add(s->p->arena, &s->condemned, p);
	}
	object_list_sort(&s->condemned, largest_first);
}

/* --- making pods, in order */

/* `*wait`: nothing behind this one may be touched now. */
static int settle_slot(struct stateful *s, int32_t i, bool *wait, struct err *e)
{
	const struct pod *p = s->slots[i];
	int32_t ordinal = s->start + i;

	*wait = s->monotonic;
	if (!p)
		return stateful_create(s, ordinal, e);
	if (pod_is_finished(p)) {
		*wait = true;
		if (p->metadata.deletion_timestamp)
			return 0;
		pass_warn(s->p, s->seen, "RecreatingFailedPod",
			"StatefulSet %.*s/%.*s is recreating failed Pod %.*s", STR_ARG(s->p->ns),
			STR_ARG(s->p->name), STR_ARG(p->metadata.name));
		return stateful_delete(s, p, e);
	}
	if (p->metadata.deletion_timestamp || !runs_and_is_ready(p))
		return 0;
	if (!is_available(s, p)) {
		pass_again(s->p, NS_PER_S);
		return 0;
	}
	*wait = false;
	if (stateful_is_itself(s, p, ordinal))
		return 0;
	return stateful_mend(s, p, ordinal, e);
}

static const struct pod *first_unhealthy(const struct stateful *s)
{
	for (int32_t i = 0; i < s->replicas; i++) {
		if (!s->slots[i] || !is_healthy(s->slots[i]))
			return s->slots[i];
	}
	for (size_t i = s->condemned.len; i > 0; i--) {
		if (!is_healthy(s->condemned.at[i - 1]))
			return s->condemned.at[i - 1];
	}
	return NULL;
}

static int drop_condemned(struct stateful *s, bool *wait, struct err *e)
{
	const struct pod *unhealthy = first_unhealthy(s);

	for (size_t i = 0; i < s->condemned.len; i++) {
		const struct pod *p = s->condemned.at[i];

		if (p->metadata.deletion_timestamp) {
			*wait = *wait || s->monotonic;
			if (s->monotonic)
				return 0;
			continue;
		}
		if (!runs_and_is_ready(p) && s->monotonic && p != unhealthy) {
			*wait = true;
			return 0;
		}
		TRY(stateful_delete(s, p, e));
		s->status.current_replicas -= str_eq(revision_of(p), s->current);
		s->status.updated_replicas -= str_eq(revision_of(p), s->update);
		if (s->monotonic) {
			*wait = true;
			return 0;
		}
	}
	return 0;
}

/* From the largest ordinal down to the partition, one at a time. */
static int roll(struct stateful *s, struct err *e)
{
	const struct rolling_update_stateful_set_strategy *u =
		s->seen->spec.update_strategy.rolling_update;
	int32_t last = u && u->partition ? *u->partition : 0;

	for (int32_t i = s->replicas - 1; i >= last; i--) {
		const struct pod *p = s->slots[i];

		if (!p)
			return 0;
		if (!str_eq(revision_of(p), s->update) && !p->metadata.deletion_timestamp) {
			TRY(stateful_delete(s, p, e));
			s->status.current_replicas--;
			return 0;
		}
		if (!is_healthy(p) || !is_available(s, p))
			return 0;
	}
	return 0;
}

static int settle(struct stateful *s, struct err *e)
{
	bool wait = false;

	if (s->seen->metadata.deletion_timestamp)
		return 0;
	for (int32_t i = 0; i < s->replicas; i++) {
		TRY(settle_slot(s, i, &wait, e));
		if (wait)
			return 0;
	}
	TRY(drop_condemned(s, &wait, e));
	return wait || !s->rolling ? 0 : roll(s, e);
}

/* --- revisions and status */

static int find_revisions(struct stateful *s, struct err *e)
{
	str current = s->seen->status.current_revision;

	TRY(history_find(&s->history, e));
	s->update = s->history.latest->metadata.name;
	s->update_template = &s->seen->spec.template;
	s->current = s->update;
	s->current_template = s->update_template;
	for (size_t i = 0; i < s->history.revisions.len; i++) {
		const struct controller_revision *r = s->history.revisions.at[i];

		if (!str_eq(r->metadata.name, current))
			continue;
		s->current = r->metadata.name;
		return history_template(&s->history, r, &s->current_template, e);
	}
	return 0;
}

static bool is_live(const void *stateful, str hash)
{
	const struct stateful *s = stateful;

	for (size_t i = 0; i < s->history.revisions.len; i++) {
		const struct controller_revision *r = s->history.revisions.at[i];

		if (str_eq(revision_hash(r), hash) &&
			(str_eq(r->metadata.name, s->current) ||
				str_eq(r->metadata.name, s->update)))
			return true;
	}
	return false;
}

static int write_status(struct stateful *s, struct err *e)
{
	struct stateful_set *next = pass_copy(s->p, s->seen);

	s->status.current_revision = s->current;
	s->status.update_revision = s->update;
	if (s->rolling && s->status.updated_replicas == s->status.replicas &&
		s->status.ready_replicas == s->status.replicas) {
		s->status.current_replicas = s->status.updated_replicas;
		s->status.current_revision = s->update;
	}
	s->status.observed_generation = s->seen->metadata.generation;
	if (struct_equal(api_type(API_STATEFUL_SET_STATUS), &s->status, &s->seen->status))
		return 0;
	next->status = s->status;
	return pass_update_status(s->p, next, NULL, e);
}

static int run_pass(struct stateful *s, const struct object_list *pods, struct err *e)
{
	struct err failure;

	s->history.collisions = arena_i32(s->p->arena,
		s->seen->status.collision_count ? *s->seen->status.collision_count : 0);
	TRY(find_revisions(s, e));
	s->status.collision_count = s->history.collisions;
	s->status.conditions.at = s->seen->status.conditions.at;
	s->status.conditions.len = s->seen->status.conditions.len;
	sort_pods(s, pods);
	int settled = settle(s, &failure);

	TRY(write_status(s, e));
	if (settled < 0) {
		*e = failure;
		return -1;
	}
	return s->seen->spec.revision_history_limit
		? history_truncate(
			  &s->history, *s->seen->spec.revision_history_limit, is_live, s, e)
		: 0;
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct stateful_set *seen = pass_get(p, API_STATEFUL_SET, p->ns, p->name);
	struct object_list pods = {0};
	struct meta_selector selector;

	if (!seen)
		return 0;
	TRY(meta_selector(p->arena, seen->spec.selector, &selector, e));
	struct claim claim = {.p = p, .owner = seen, .selector = &selector};
	struct stateful s = {.p = p,
		.seen = seen,
		.start = seen->spec.ordinals ? seen->spec.ordinals->start : 0,
		.replicas = seen->spec.replicas ? *seen->spec.replicas : 1,
		.monotonic = !str_eq(seen->spec.pod_management_policy, STR("Parallel")),
		.rolling = str_eq(seen->spec.update_strategy.type, STR("RollingUpdate")),
		.history = {.p = p,
			.owner = seen,
			.template = &seen->spec.template,
			.selector = &selector,
			.labels = &seen->spec.template.metadata.labels}};

	TRY(claim_objects(&claim, API_POD, &pods, e));
	return run_pass(&s, &pods, e);
}

const struct controller statefulset_controller = {
	.name = "statefulset-controller",
	.account = "statefulset-controller",
	.watches = {{API_STATEFUL_SET, set_changed}, {API_POD, pod_changed},
		{API_CONTROLLER_REVISION, NULL}, {API_PERSISTENT_VOLUME_CLAIM, NULL}},
	.works = {{"statefulset", 5, reconcile}},
};
