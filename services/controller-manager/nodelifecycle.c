/*
 * node-lifecycle-controller: nodes that give no sign of life become Unknown, the conditions of a
 * node become taints, pods of a node that is not ready are not ready.
 * Source: pkg/controller/nodelifecycle.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/pods.h"
#include "controller-manager/taints.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/client/throttle.h"

#include <stdlib.h>

enum { TAINTS, MONITOR, TAINTS_MAX = 64, SMALL_ZONE = 3, RETRY_S = 1 };

#define MONITOR_KEY STR("monitor")
#define READY       STR("Ready")
#define NOT_READY   STR("node.kubernetes.io/not-ready")
#define UNREACHABLE STR("node.kubernetes.io/unreachable")
#define NO_SCHEDULE STR("NoSchedule")
#define NO_EXECUTE  STR("NoExecute")
#define LEASES      STR("kube-node-lease")

/* A condition that is a taint while it has this status. */
struct condition_taint {
	str condition, status, key;
};

static const struct condition_taint condition_taints[] = {
	{STR_INIT("Ready"), STR_INIT("False"), STR_INIT("node.kubernetes.io/not-ready")},
	{STR_INIT("Ready"), STR_INIT("Unknown"), STR_INIT("node.kubernetes.io/unreachable")},
	{STR_INIT("MemoryPressure"), STR_INIT("True"),
		STR_INIT("node.kubernetes.io/memory-pressure")},
	{STR_INIT("DiskPressure"), STR_INIT("True"), STR_INIT("node.kubernetes.io/disk-pressure")},
	{STR_INIT("NetworkUnavailable"), STR_INIT("True"),
		STR_INIT("node.kubernetes.io/network-unavailable")},
	{STR_INIT("PIDPressure"), STR_INIT("True"), STR_INIT("node.kubernetes.io/pid-pressure")},
};

#define UNSCHEDULABLE STR("node.kubernetes.io/unschedulable")

static const str judged[] = {STR_INIT("Ready"), STR_INIT("MemoryPressure"),
	STR_INIT("DiskPressure"), STR_INIT("PIDPressure")};

/* What was last heard of a node, by our own clock. */
struct health {
	int64_t heard_ns;
	struct time_value heartbeat, renewed;
	bool had_ready, seen, retry_pods;
	char name[];
};

struct zone {
	struct throttle throttle;
	bool known;
	size_t ready, not_ready;
	char name[];
};

struct node_records {
	struct map nodes, zones; /* struct health, struct zone */
};

static int look_at_all(struct pass *p, struct err *e);
static int put_condition_taints(struct pass *p, struct err *e);

static int open_lifecycle(struct controller_run *r, struct err *e)
{
	struct node_records *l = calloc(1, sizeof(*l));

	if (!l)
		return err_set(e, ERR_SYSTEM, "no memory for node-lifecycle-controller");
	map_init(&l->nodes);
	map_init(&l->zones);
	r->state = l;
	return 0;
}

static int start(struct controller_run *r, UNUSED struct err *e)
{
	run_add(r, MONITOR, MONITOR_KEY);
	return 0;
}

static void node_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now)
		run_enqueue(r, now);
}

/* --- taints by condition */

static bool by_condition(str key)
{
	for (size_t i = 0; i < COUNT_OF(condition_taints); i++) {
		if (str_eq(condition_taints[i].key, key))
			return true;
	}
	return str_eq(key, UNSCHEDULABLE);
}

static bool has_taint(const struct taint *all, size_t count, const struct taint *t)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(all[i].key, t->key) && str_eq(all[i].effect, t->effect))
			return true;
	}
	return false;
}

static size_t wanted_taints(const struct node *n, struct taint to[TAINTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < n->spec.taints.len && count < TAINTS_MAX / 2; i++) {
		const struct taint *t = &n->spec.taints.at[i];

		if (!str_eq(t->effect, NO_SCHEDULE) || !by_condition(t->key))
			to[count++] = *t;
	}
	for (size_t i = 0; i < COUNT_OF(condition_taints); i++) {
		const struct node_condition *c = node_condition(n, condition_taints[i].condition);

		if (c && str_eq(c->status, condition_taints[i].status))
			to[count++] = (struct taint){
				.key = condition_taints[i].key, .effect = NO_SCHEDULE};
	}
	if (n->spec.unschedulable)
		to[count++] = (struct taint){.key = UNSCHEDULABLE, .effect = NO_SCHEDULE};
	return count;
}

static int put_condition_taints(struct pass *p, struct err *e)
{
	const struct node *n = pass_get(p, API_NODE, STR(""), p->name);
	struct taint wanted[TAINTS_MAX];

	if (!n)
		return 0;
	size_t count = wanted_taints(n, wanted);
	bool same = count == n->spec.taints.len;

	for (size_t i = 0; i < count && same; i++)
		same = has_taint(n->spec.taints.at, n->spec.taints.len, &wanted[i]);
	return same ? 0 : node_set_taints(p, n, wanted, count, e);
}

/* --- signs of life */

static struct health *health_of(struct node_records *l, const struct node *n)
{
	struct health *h = map_get(&l->nodes, n->metadata.name);

	if (h)
		return h;
	h = calloc(1, sizeof(*h) + n->metadata.name.len);
	if (!h)
		abort();
	memcpy(h->name, n->metadata.name.at, n->metadata.name.len);
	map_put(&l->nodes, str_span(h->name, n->metadata.name.len), h);
	return h;
}

static void listen(struct pass *p, const struct node *n, struct health *h)
{
	const struct node_condition *ready = node_condition(n, READY);
	const struct lease *lease = pass_get(p, API_LEASE, LEASES, n->metadata.name);
	struct time_value beat = ready ? ready->last_heartbeat_time : (struct time_value){0};
	int64_t now_ns = p->run->env.clock->monotonic_ns(p->run->env.clock);

	if (!h->seen || h->had_ready != (ready != NULL) || time_compare(&beat, &h->heartbeat) != 0)
		h->heard_ns = now_ns;
	if (lease && lease->spec.renew_time &&
		time_compare(&h->renewed, lease->spec.renew_time) < 0) {
		h->heard_ns = now_ns;
		h->renewed = *lease->spec.renew_time;
	}
	h->seen = true;
	h->had_ready = ready != NULL;
	h->heartbeat = beat;
}

static struct node_condition *add_condition(struct pass *p, struct node *n)
{
	size_t len = n->status.conditions.len;
	struct node_condition *all = arena_get(p->arena, (len + 1) * sizeof(*all));

	if (len > 0)
		memcpy(all, n->status.conditions.at, len * sizeof(*all));
	n->status.conditions.at = all;
	n->status.conditions.len = len + 1;
	return &all[len];
}

/* Nothing was heard for too long: nobody knows how the node is. */
static int tell_unknown(struct pass *p, const struct node **node, struct err *e)
{
	struct node *next = pass_copy(p, *node);
	bool changed = false;
	void *now;

	for (size_t i = 0; i < COUNT_OF(judged); i++) {
		struct node_condition *c = (struct node_condition *)node_condition(next, judged[i]);

		if (!c) {
			c = add_condition(p, next);
			*c = (struct node_condition){.type = judged[i],
				.reason = STR("NodeStatusNeverUpdated"),
				.message = STR("Kubelet never posted node status."),
				.last_heartbeat_time = next->metadata.creation_timestamp};
		} else if (str_eq(c->status, STR("Unknown"))) {
			continue;
		} else {
			c->reason = STR("NodeStatusUnknown");
			c->message = STR("Kubelet stopped posting node status.");
		}
		c->status = STR("Unknown");
		c->last_transition_time = pass_now(p);
		changed = true;
	}
	if (!changed)
		return 0;
	TRY(pass_update_status(p, next, &now, e));
	*node = now;
	return 0;
}

static int mark_pods_not_ready(struct pass *p, const struct node *n, struct err *e)
{
	struct view_walk pods = pass_by(p, API_POD, pod_by_node, n->metadata.name, (str){NULL, 0});

	view_each(const struct pod *, pod, &pods)
	{
		struct pod *next;

		if (!pod_is_ready(pod))
			continue;
		next = pass_copy(p, pod);
		for (size_t i = 0; i < next->status.conditions.len; i++) {
			struct pod_condition *c = &next->status.conditions.at[i];

			if (str_eq(c->type, READY)) {
				c->status = STR("False");
				c->last_transition_time = pass_now(p);
			}
		}
		pass_warn(p, pod, "NodeNotReady", "Node is not ready");
		TRY(pass_ignore_missing(pass_update_status(p, next, NULL, e), e));
	}
	return 0;
}

static str ready_status(const struct node *n)
{
	const struct node_condition *c = node_condition(n, READY);

	return c ? c->status : STR("Unknown");
}

static int look_at(struct pass *p, const struct node **n, struct err *e)
{
	const struct settings *s = pass_settings(p);
	struct health *h = health_of(pass_state(p), *n);
	bool was_ready = str_eq(ready_status(*n), STR("True"));
	int64_t grace_ns = node_condition(*n, READY) ? s->node_monitor_grace_ns
						     : s->node_startup_grace_ns;

	listen(p, *n, h);
	if (p->run->env.clock->monotonic_ns(p->run->env.clock) > h->heard_ns + grace_ns)
		TRY(tell_unknown(p, n, e));
	bool is_ready = str_eq(ready_status(*n), STR("True"));

	if (was_ready && !is_ready) {
		pass_event(p, *n, "NodeNotReady", "Node %.*s status is now: NodeNotReady",
			STR_ARG((*n)->metadata.name));
		h->retry_pods = true;
	}
	if (is_ready)
		h->retry_pods = false;
	else if (!str_eq(ready_status(*n), STR("Unknown")))
		h->retry_pods = true;
	if (h->retry_pods) {
		TRY(mark_pods_not_ready(p, *n, e));
		h->retry_pods = false;
	}
	return 0;
}

/* --- eviction: NoExecute taints, so many at a time */

static struct zone *zone_of(struct pass *p, const struct node *n)
{
	struct node_records *l = pass_state(p);
	str region = str_map_get(&n->metadata.labels, STR("topology.kubernetes.io/region")),
	    zone = str_map_get(&n->metadata.labels, STR("topology.kubernetes.io/zone"));
	str name = arena_fmt(p->arena, "%.*s:%.*s", STR_ARG(region), STR_ARG(zone));
	struct zone *z = map_get(&l->zones, name);

	if (z)
		return z;
	z = calloc(1, sizeof(*z) + name.len);
	if (!z)
		abort();
	memcpy(z->name, name.at, name.len);
	map_put(&l->zones, str_span(z->name, name.len), z);
	return z;
}

/* Half a zone is gone: more likely it is the network. All of it: so is what runs there. */
static double eviction_rate(const struct settings *s, const struct zone *z, size_t nodes)
{
	size_t all = z->ready + z->not_ready;

	if (z->ready > 0 && z->not_ready >= SMALL_ZONE &&
		(double)z->not_ready >= s->unhealthy_zone_threshold * (double)all)
		return nodes > (size_t)s->large_cluster_size_threshold
			? s->secondary_node_eviction_rate
			: 0;
	return s->node_eviction_rate;
}

static bool may_evict(struct pass *p, struct zone *z, size_t nodes)
{
	int64_t now_ns = p->run->env.clock->monotonic_ns(p->run->env.clock);
	double rate = eviction_rate(pass_settings(p), z, nodes);

	if (!z->known)
		throttle_init(&z->throttle, rate, 1, now_ns);
	z->known = true;
	z->throttle.per_s = rate;
	if (rate <= 0)
		return false;
	return throttle_try(&z->throttle, now_ns);
}

/* The taint that a node should have, instead of the other; none when it is ready. */
static int swap_taints(struct pass *p, const struct node *n, str key, struct err *e)
{
	struct taint wanted[TAINTS_MAX];
	struct time_value now = pass_now(p);
	size_t count = 0;
	bool changed = false;

	for (size_t i = 0; i < n->spec.taints.len && count < TAINTS_MAX - 1; i++) {
		const struct taint *t = &n->spec.taints.at[i];
		bool ours = str_eq(t->effect, NO_EXECUTE) &&
			(str_eq(t->key, NOT_READY) || str_eq(t->key, UNREACHABLE));

		changed = changed || (ours && !str_eq(t->key, key));
		if (!ours || str_eq(t->key, key))
			wanted[count++] = *t;
	}
	if (key.len > 0 && !node_taint(n, key, NO_EXECUTE)) {
		wanted[count++] = (struct taint){
			.key = key, .effect = NO_EXECUTE, .time_added = &now};
		changed = true;
	}
	return changed ? node_set_taints(p, n, wanted, count, e) : 0;
}

static int evict(struct pass *p, const struct node *n, bool all_gone, size_t nodes, struct err *e)
{
	str status = ready_status(n);
	str key = str_eq(status, STR("True"))  ? STR("")
		: str_eq(status, STR("False")) ? NOT_READY
					       : UNREACHABLE;
	bool has = node_taint(n, NOT_READY, NO_EXECUTE) || node_taint(n, UNREACHABLE, NO_EXECUTE);

	struct zone *z = zone_of(p, n);

	/* When no node is heard of, the fault is ours. */
	if (all_gone)
		return swap_taints(p, n, STR(""), e);
	if (key.len == 0 || has)
		return swap_taints(p, n, key, e);
	if (!may_evict(p, z, nodes)) {
		pass_again(p, RETRY_S * NS_PER_S);
		return 0;
	}
	if (swap_taints(p, n, key, e) == 0)
		return 0;
	z->throttle.tokens += 1;
	pass_again(p, RETRY_S * NS_PER_S);
	return -1;
}

static void count_zones(struct pass *p, const struct object_list *nodes, bool *all_gone)
{
	struct node_records *l = pass_state(p);

	map_each (&l->zones, entry) {
		struct zone *z = entry->value;

		z->ready = z->not_ready = 0;
	}
	*all_gone = nodes->len > 0;
	for (size_t i = 0; i < nodes->len; i++) {
		struct zone *z = zone_of(p, nodes->at[i]);
		bool ready = str_eq(ready_status(nodes->at[i]), STR("True"));

		z->ready += ready;
		z->not_ready += !ready;
		*all_gone = *all_gone && !ready;
	}
}

static void forget_deleted(struct pass *p)
{
	struct node_records *l = pass_state(p);
	bool removed = true;

	while (removed) {
		removed = false;
		map_each (&l->nodes, entry) {
			if (pass_get(p, API_NODE, STR(""), entry->key))
				continue;
			free(map_remove(&l->nodes, entry->key));
			removed = true;
			break;
		}
	}
}

static int look_at_all(struct pass *p, UNUSED struct err *e)
{
	const struct settings *s = pass_settings(p);
	struct view_walk all = pass_list(p, API_NODE, (str){NULL, 0});
	struct object_list nodes = {0};
	bool all_gone;
	struct err failed;

	pass_again(p, s->node_monitor_period_ns);
	forget_deleted(p);
	view_each(const struct node *, n, &all)
	{
		if (look_at(p, &n, &failed) < 0)
			log_warning("node %.*s: %s", STR_ARG(n->metadata.name), failed.text);
		object_list_add(p->arena, &nodes, n);
	}
	count_zones(p, &nodes, &all_gone);
	for (size_t i = 0; i < nodes.len; i++) {
		if (evict(p, nodes.at[i], all_gone, nodes.len, &failed) < 0 &&
			failed.kind != ERR_CONFLICT)
			log_warning(
				"node %.*s: %s", STR_ARG(meta_of(nodes.at[i])->name), failed.text);
	}
	return 0;
}

const struct controller node_lifecycle_controller = {
	.name = "node-lifecycle-controller",
	.account = "node-controller",
	.watches = {{API_NODE, node_changed}, {API_LEASE, NULL}, {API_POD, NULL}},
	.works = {[TAINTS] = {"node_lifecycle_controller", 8, put_condition_taints},
		[MONITOR] = {"node_lifecycle_monitor", 1, look_at_all}},
	.open = open_lifecycle,
	.start = start,
};
