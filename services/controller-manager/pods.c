#include "controller-manager/pods.h"

#include "lib/base/map.h"
#include "lib/codec/json.h"
#include "lib/value/name.h"

#include <math.h>
#include <stdlib.h>

#define DELETION_COST STR("controller.kubernetes.io/pod-deletion-cost")

/* A pod with what it is ranked by. */
struct ranked {
	const struct pod *pod;
	int64_t cost;
	size_t neighbours;
	int32_t restarts, sidecar_restarts;
	int64_t now_ns;
};

static int compare_ranked(const void *a, const void *b);

bool pod_is_active(const void *pod)
{
	const struct pod *p = pod;

	return !pod_is_finished(p) && !p->metadata.deletion_timestamp;
}

bool pod_is_terminating(const void *pod)
{
	const struct pod *p = pod;

	return !pod_is_finished(p) && p->metadata.deletion_timestamp;
}

bool pod_is_available(const struct pod *p, int32_t min_ready_s, int64_t now_s)
{
	const struct pod_condition *c = pod_condition(p, STR("Ready"));

	if (!c || !str_eq(c->status, STR("True")))
		return false;
	return min_ready_s == 0 ||
		(c->last_transition_time.set &&
			c->last_transition_time.seconds + min_ready_s <= now_s);
}

int64_t pods_next_available_s(const struct object_list *pods, int32_t min_ready_s, int64_t now_s)
{
	int64_t next_s = 0;

	for (size_t i = 0; i < pods->len; i++) {
		const struct pod_condition *c = pod_condition(pods->at[i], STR("Ready"));

		if (!c || !str_eq(c->status, STR("True")) || !c->last_transition_time.set)
			continue;
		int64_t left_s = c->last_transition_time.seconds + min_ready_s - now_s;

		if (left_s > 0 && (next_s == 0 || left_s < next_s))
			next_s = left_s;
	}
	return next_s;
}

static str name_prefix(struct arena *a, str name)
{
	str prefix = arena_fmt(a, "%.*s-", STR_ARG(name));
	struct name_faults faults;

	if (name_check(NAME_DNS1123_SUBDOMAIN, name_of_prefix(a, prefix), &faults))
		return prefix;
	return name;
}

struct pod *pod_from_template(struct pass *p, const struct pod_template_spec *t, const void *owner)
{
	struct pod *made = pass_new(p, API_POD, meta_of(owner)->namespace, STR(""));

	made->metadata.labels = t->metadata.labels;
	made->metadata.annotations = t->metadata.annotations;
	made->metadata.finalizers = t->metadata.finalizers;
	made->metadata.generate_name = name_prefix(p->arena, meta_of(owner)->name);
	meta_add_owner(p->arena, &made->metadata, meta_controller_ref(p->arena, owner));
	struct_copy(p->arena, api_type(API_POD_SPEC), &t->spec, &made->spec, false);
	return made;
}

int pod_create(struct pass *p, const struct pod *pod, const void *owner, struct err *e)
{
	void *now;

	if (pod->metadata.labels.len == 0)
		return err_set(e, ERR_INVALID, "unable to create pods, no labels");
	if (pass_create(p, pod, &now, e) < 0) {
		if (!client_has_cause(e, STR("NamespaceTerminating")))
			pass_warn(p, owner, "FailedCreate", "Error creating: %s", e->text);
		return -1;
	}
	str name = meta_of(now)->name;

	pass_event(p, owner, "SuccessfulCreate", "Created pod: %.*s", STR_ARG(name));
	return 0;
}

int pod_delete(struct pass *p, const struct pod *pod, const void *owner, struct err *e)
{
	if (client_delete(p->run->env.client, p->arena, target_of(pod), NULL, e) < 0) {
		if (e->kind == ERR_NOT_FOUND)
			return 0;
		pass_warn(p, owner, "FailedDelete", "Error deleting: %s", e->text);
		return err_context(e, "unable to delete pods");
	}
	pass_event(p, owner, "SuccessfulDelete", "Deleted pod: %.*s", STR_ARG(pod->metadata.name));
	return 0;
}

bool pod_by_node(const void *object, size_t nth, str *key)
{
	str node = ((const struct pod *)object)->spec.node_name;

	*key = node.len > 0 ? node : STR("");
	return nth == 0;
}

int pod_mark(struct pass *p, const struct pod *pod, bool failed, const char *type,
	const char *reason, const char *message, struct err *e)
{
	struct time_value now = pass_now(p);
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_fmt(&b, "{\"metadata\":{\"uid\":\"%.*s\"},\"status\":{%s\"conditions\":[{",
		STR_ARG(pod->metadata.uid), failed ? "\"phase\":\"Failed\"," : "");
	buf_add_fmt(&b, "\"type\":\"%s\",\"status\":\"True\",\"reason\":\"%s\",\"message\":", type,
		reason);
	json_put_str(&b, str_of(message));
	buf_add_str(&b, STR(",\"lastTransitionTime\":\""));
	time_put(&b, &now);
	buf_add_str(&b, STR("\"}]}}"));
	int marked = pass_patch(p, pod, STR("status"), PATCH_STRATEGIC, buf_str(&b), NULL, e);

	buf_free(&b);
	return marked;
}

/* --- ranking */

static bool is_sidecar(const struct pod *p, str container)
{
	for (size_t i = 0; i < p->spec.init_containers.len; i++) {
		const struct container *c = &p->spec.init_containers.at[i];

		if (str_eq(c->name, container))
			return c->restart_policy && str_eq(*c->restart_policy, STR("Always"));
	}
	return false;
}

static void count_restarts(struct ranked *r)
{
	const struct pod_status *s = &r->pod->status;

	for (size_t i = 0; i < s->container_statuses.len; i++) {
		if (s->container_statuses.at[i].restart_count > r->restarts)
			r->restarts = s->container_statuses.at[i].restart_count;
	}
	for (size_t i = 0; i < s->init_container_statuses.len; i++) {
		const struct container_status *c = &s->init_container_statuses.at[i];

		if (c->restart_count > r->sidecar_restarts && is_sidecar(r->pod, c->name))
			r->sidecar_restarts = c->restart_count;
	}
}

/* As helper.GetDeletionCostFromPodAnnotations: what is malformed costs nothing. */
static int64_t deletion_cost(const struct pod *p)
{
	str text = meta_annotation(&p->metadata, DELETION_COST);
	int64_t cost;

	if (text.len == 0 || text.at[0] == '+' || (text.len > 1 && text.at[0] == '0') ||
		!str_to_i64(text, &cost) || cost < INT32_MIN || cost > INT32_MAX)
		return 0;
	return cost;
}

void pods_rank(struct pass *p, struct object_list *pods, const struct object_list *related)
{
	struct ranked *all = arena_get(p->arena, pods->len * sizeof(*all) + 1);
	size_t *counts = arena_get(p->arena, (related->len + 1) * sizeof(*counts)), used = 0;
	struct map on_node;

	map_init(&on_node);
	for (size_t i = 0; i < related->len; i++) {
		const struct pod *r = related->at[i];
		size_t *count = map_get(&on_node, r->spec.node_name);

		if (!pod_is_active(r))
			continue;
		if (!count) {
			count = &counts[used++];
			map_put(&on_node, r->spec.node_name, count);
		}
		++*count;
	}
	for (size_t i = 0; i < pods->len; i++) {
		const struct pod *pod = pods->at[i];
		const size_t *count = map_get(&on_node, pod->spec.node_name);

		all[i] = (struct ranked){.pod = pod,
			.cost = deletion_cost(pod),
			.neighbours = count ? *count : 0,
			.now_ns = pass_now_ns(p)};
		count_restarts(&all[i]);
	}
	map_free(&on_node);
	qsort(all, pods->len, sizeof(*all), compare_ranked);
	for (size_t i = 0; i < pods->len; i++)
		pods->at[i] = all[i].pod;
}

static int by_number(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int phase_order(const struct pod *p)
{
	return str_eq(p->status.phase, STR("Running"))    ? 2
		: str_eq(p->status.phase, STR("Unknown")) ? 1
							  : 0;
}

static int64_t age_rank(const struct time_value *t, int64_t now_ns)
{
	int64_t age_ns = now_ns - t->seconds * NS_PER_S;

	return age_ns > 0 ? (int64_t)log2((double)age_ns) : -1;
}

/* The younger first; a time that is not set is the youngest. 0: both the same. */
static int by_age(const struct ranked *x, const struct time_value *a, const struct ranked *y,
	const struct time_value *b)
{
	if (time_compare(a, b) == 0)
		return 0;
	if (!a->set || !b->set)
		return a->set ? 1 : -1;
	int order = by_number(age_rank(a, x->now_ns), age_rank(b, y->now_ns));

	return order ? order : str_cmp(x->pod->metadata.uid, y->pod->metadata.uid);
}

static struct time_value ready_time(const struct pod *p)
{
	const struct pod_condition *c = pod_condition(p, STR("Ready"));

	return c ? c->last_transition_time : (struct time_value){.set = false};
}

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	bool ready = pod_is_ready(x->pod);
	int order = by_number(x->pod->spec.node_name.len > 0, y->pod->spec.node_name.len > 0);

	if (order == 0)
		order = by_number(phase_order(x->pod), phase_order(y->pod));
	if (order == 0)
		order = by_number(ready, pod_is_ready(y->pod));
	if (order == 0)
		order = by_number(x->cost, y->cost);
	if (order == 0)
		order = by_number((int64_t)y->neighbours, (int64_t)x->neighbours);
	if (order == 0 && ready) {
		struct time_value since = ready_time(x->pod), other = ready_time(y->pod);

		order = by_age(x, &since, y, &other);
	}
	if (order == 0)
		order = by_number(y->restarts, x->restarts);
	if (order == 0)
		order = by_number(y->sidecar_restarts, x->sidecar_restarts);
	if (order == 0)
		order = by_age(x, &x->pod->metadata.creation_timestamp, y,
			&y->pod->metadata.creation_timestamp);
	return order;
}
