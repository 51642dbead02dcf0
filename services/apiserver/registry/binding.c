/*
 * Bindings and evictions: pkg/registry/core/pod/storage/{storage,eviction}.go.
 */
#include "apiserver/registry/strategies.h"
#include "lib/api/pod.h"

#include <stdarg.h>
#include <stdio.h>

enum { DISRUPTED_MAX = 2000 };

static change_function assign, condemn, spend;
static int create_bound(struct operation *op, const struct binding *b, void **to, struct err *e);
static int evict(struct operation *op, const struct eviction *v, const struct pod *p, void **to,
	struct err *e);
static int guard(struct operation *op, const struct pod *p, struct err *e);
static int find_budget(struct operation *op, const struct pod *p, struct pod_disruption_budget **to,
	struct err *e);
static int too_many(struct operation *op, struct err *e, int32_t retry_s, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

int create_binding(struct operation *op, void *object, void **to, struct err *e)
{
	struct binding *b = object;

	op->resource = resource_find(STR(""), STR("v1"), STR("pods"));
	op->name = b->metadata.name;
	return create_bound(op, b, to, e);
}

int create_pod_binding(struct operation *op, void *object, void **to, struct err *e)
{
	struct binding *b = object;

	if (!str_eq(b->metadata.name, op->name))
		return status_fail(op->arena, e, STATUS_BAD_REQUEST,
			"name in URL does not match name in Binding object");
	return create_bound(op, b, to, e);
}

int create_eviction(struct operation *op, void *object, void **to, struct err *e)
{
	const struct eviction *v = object;
	struct stored *stored;
	void *pod;

	if (!str_eq(v->metadata.name, op->name))
		return status_fail(op->arena, e, STATUS_BAD_REQUEST,
			"name in URL does not match name in Eviction object");
	TRY(store_read(op, true, &stored, e));
	int read = store_decode(op, stored, &pod, e);
	counted_drop(&stored->counted);
	TRY(read);
	return evict(op, v, pod, to, e);
}

static int create_bound(struct operation *op, const struct binding *b, void **to, struct err *e)
{
	static const str kinds[] = {STR_INIT("Node"), STR_INIT("<empty>")};
	const struct field_path *target = FIELD(NULL, "target");
	struct causes c;
	void *bound;

	causes_init(&c, op->arena);
	if (b->target.kind.len && !str_eq(b->target.kind, STR("Node")))
		causes_not_supported(&c, FIELD(target, "kind"), cause_text(b->target.kind), kinds,
			COUNT_OF(kinds));
	if (!b->target.name.len)
		causes_required(&c, FIELD(target, "name"), "%s", "");
	if (c.len)
		return status_invalid(op->arena, e,
			(struct status_subject){STR(""), STR("Binding"), b->metadata.name}, &c);
	TRY(store_modify(op, assign, b, &bound, e));
	struct status *s = status_success(op->arena, (struct status_subject){0}, STR(""));

	s->details = NULL;
	s->code = 201;
	*to = s;
	return 0;
}

static int assign(struct operation *op, void *object, const void *with, struct err *e)
{
	const struct binding *b = with;
	struct pod *p = object;
	struct status_subject s = {STR(""), STR("pods/binding"), op->name};

	TRY(registry_check_uid(op->arena, op->resource, &p->metadata, b->metadata.uid, e));
	if (p->metadata.deletion_timestamp)
		return status_conflict(op->arena, e, s,
			"pod %.*s is being deleted, cannot be assigned to a host",
			STR_ARG(op->name));
	if (p->spec.node_name.len)
		return status_conflict(op->arena, e, s,
			"pod %.*s is already assigned to node \"%.*s\"", STR_ARG(op->name),
			STR_ARG(p->spec.node_name));
	if (p->spec.scheduling_gates.len)
		return status_conflict(op->arena, e, s,
			"pod %.*s has non-empty .spec.schedulingGates", STR_ARG(op->name));
	p->spec.node_name = b->target.name;
	p->status.nominated_node_name = STR("");
	for (size_t i = 0; i < b->metadata.annotations.len; i++)
		str_map_set(op->arena, &p->metadata.annotations, b->metadata.annotations.at[i].key,
			b->metadata.annotations.at[i].value);
	for (size_t i = 0; i < b->metadata.labels.len; i++)
		str_map_set(op->arena, &p->metadata.labels, b->metadata.labels.at[i].key,
			b->metadata.labels.at[i].value);
	p->metadata.generation++;
	pod_set_condition(op->arena, p,
		(struct pod_condition){.type = STR("PodScheduled"), .status = STR("True")},
		op->registry->o.clock);
	return 0;
}

static int evict(struct operation *op, const struct eviction *v, const struct pod *p, void **to,
	struct err *e)
{
	struct delete_options *options = v->delete_options
		? v->delete_options
		: object_new(op->arena, api_type(API_DELETE_OPTIONS));
	bool counts = !pod_is_finished(p) && !str_eq(p->status.phase, STR("Pending")) &&
		!p->metadata.deletion_timestamp;
	void *marked, *deleted;
	bool gone;

	if (options->dry_run.len)
		op->dry_run = true;
	if (counts)
		TRY(guard(op, p, e));
	TRY(store_modify(op, condemn, NULL, &marked, e));
	struct operation deletion = *op;
	deletion.subresource = STR("");
	TRY(registry_delete(&deletion, options, &deleted, &gone, e));
	struct status *s = status_success(op->arena, (struct status_subject){0}, STR(""));

	s->details = NULL;
	s->code = 201;
	*to = s;
	return 0;
}

static int condemn(struct operation *op, void *object, const void *with, struct err *e)
{
	(void)with, (void)e;
	pod_set_condition(op->arena, object,
		(struct pod_condition){
			.type = STR("DisruptionTarget"),
			.status = STR("True"),
			.reason = STR("EvictionByEvictionAPI"),
			.message = STR("Eviction API: evicting"),
		},
		op->registry->o.clock);
	return 0;
}

/* Asks the budget that covers the pod for one more disruption. */
static int guard(struct operation *op, const struct pod *p, struct err *e)
{
	struct pod_disruption_budget *b;
	struct operation on = *op;
	void *spent;

	TRY(find_budget(op, p, &b, e));
	if (!b)
		return 0;
	if (!pod_is_ready(p)) {
		str policy = b->spec.unhealthy_pod_eviction_policy
			? *b->spec.unhealthy_pod_eviction_policy
			: STR("");

		if (str_eq(policy, STR("AlwaysAllow")) ||
			(b->status.current_healthy >= b->status.desired_healthy &&
				b->status.desired_healthy > 0))
			return 0;
	}
	on.resource = resource_find(STR("policy"), STR("v1"), STR("poddisruptionbudgets"));
	on.name = b->metadata.name;
	on.subresource = STR("status");
	return store_modify(&on, spend, p, &spent, e);
}

static int spend(struct operation *op, void *object, const void *with, struct err *e)
{
	struct pod_disruption_budget *b = object;
	const struct pod *p = with;
	struct pod_disruption_budget_status *s = &b->status;
	struct status_subject subject = {
		STR("policy"), STR("poddisruptionbudget"), b->metadata.name};

	if (s->observed_generation < b->metadata.generation)
		return too_many(op, e, 10,
			"The disruption budget %.*s is still being processed by the server.",
			STR_ARG(b->metadata.name));
	if (s->disruptions_allowed < 0)
		return status_forbidden(
			op->arena, e, subject, "pdb disruptions allowed is negative");
	if (s->disrupted_pods.len > DISRUPTED_MAX)
		return status_forbidden(op->arena, e, subject,
			"DisruptedPods map too big - too many evictions not confirmed by PDB "
			"controller");
	if (!s->disruptions_allowed && s->current_healthy <= s->desired_healthy)
		return too_many(op, e, 0,
			"The disruption budget %.*s needs %d healthy pods and has %d currently",
			STR_ARG(b->metadata.name), s->desired_healthy, s->current_healthy);
	if (!s->disruptions_allowed)
		return too_many(op, e, 0,
			"The disruption budget %.*s does not allow evicting pods currently",
			STR_ARG(b->metadata.name));
	s->disruptions_allowed--;
	struct time_entry *all = arena_get(op->arena, (s->disrupted_pods.len + 1) * sizeof(*all));
	size_t at = 0;
	while (at < s->disrupted_pods.len &&
		str_cmp(s->disrupted_pods.at[at].key, p->metadata.name) < 0) {
		all[at] = s->disrupted_pods.at[at];
		at++;
	}
	all[at] = (struct time_entry){p->metadata.name, meta_now(op->registry->o.clock)};
	for (size_t i = at; i < s->disrupted_pods.len; i++)
		all[i + 1] = s->disrupted_pods.at[i];
	s->disrupted_pods.at = all;
	s->disrupted_pods.len++;
	return 0;
}

static int find_budget(
	struct operation *op, const struct pod *p, struct pod_disruption_budget **to, struct err *e)
{
	const struct resource *r = resource_find(
		STR("policy"), STR("v1"), STR("poddisruptionbudgets"));
	int64_t revision;
	struct snapshot *n = storage_snapshot(op->registry->o.storage, r, &revision);
	struct snapshot_walk w = snapshot_walk(n, op->ns, (str){NULL, 0});
	const struct stored *stored;
	size_t found = 0;
	int result = 0;

	*to = NULL;
	while (result == 0 && (stored = snapshot_next(&w))) {
		struct pod_disruption_budget *b;
		struct meta_selector selector;

		counted_take((struct counted *)(uintptr_t)&stored->counted);
		result = store_decode(op, (struct stored *)(uintptr_t)stored, (void **)&b, e);
		counted_drop((struct counted *)(uintptr_t)&stored->counted);
		if (result == 0 && meta_selector(op->arena, b->spec.selector, &selector, e) == 0 &&
			meta_matches(&selector, &p->metadata.labels)) {
			*to = b;
			found++;
		}
	}
	snapshot_drop(n);
	TRY(result);
	if (found > 1)
		return status_fail(op->arena, e, STATUS_INTERNAL_ERROR,
			"This pod has more than one PodDisruptionBudget, which the eviction "
			"subresource does not support.");
	return 0;
}

static int too_many(struct operation *op, struct err *e, int32_t retry_s, const char *fmt, ...)
{
	va_list args;
	char text[256];

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	status_fail(op->arena, e, STATUS_TOO_MANY_REQUESTS,
		"Cannot evict pod as it would violate the pod's disruption budget.");
	status_add_cause(op->arena, e, STR("DisruptionBudget"), arena_str(op->arena, str_of(text)),
		(str){NULL, 0});
	status_retry_after(op->arena, e, retry_s);
	return -1;
}
