/*
 * Pods: pkg/registry/core/pod/strategy.go.
 */
#include "apiserver/registry/strategies.h"
#include "lib/api/pod.h"

static void agree_on_addresses(struct arena *a, struct pod_status *s);
static void keep_observed_generations(struct pod_status *s, const struct pod_status *old);
static void mark_gated(struct operation *op, struct pod *p);

void pod_prepare_create(struct operation *op, void *now)
{
	struct pod *p = now;

	p->metadata.generation = 1;
	p->status.phase = STR("Pending");
	p->status.qos_class = pod_qos(&p->spec);
	if (p->spec.scheduling_gates.len)
		mark_gated(op, p);
}

void pod_prepare_update(struct operation *op, void *now, const void *before)
{
	struct pod *p = now;
	const struct pod *old = before;

	(void)op;
	p->status = old->status;
}

/* A kubelet reports; it changes neither what the pod is nor whose. */
void pod_prepare_status(struct operation *op, void *now, const void *before)
{
	struct pod *p = now;
	const struct pod *old = before;

	p->spec = old->spec;
	p->metadata.owner_references.at = old->metadata.owner_references.at;
	p->metadata.owner_references.len = old->metadata.owner_references.len;
	p->metadata.deletion_timestamp = NULL;
	agree_on_addresses(op->arena, &p->status);
	keep_observed_generations(&p->status, &old->status);
	if (!p->status.qos_class.len)
		p->status.qos_class = old->status.qos_class.len ? old->status.qos_class
								: pod_qos(&p->spec);
}

int64_t pod_grace(struct operation *op, const void *now, const struct delete_options *o)
{
	const struct pod *p = now;
	int64_t seconds = 0;

	(void)op;
	if (o->grace_period_seconds)
		seconds = *o->grace_period_seconds;
	else if (p->spec.termination_grace_period_seconds)
		seconds = *p->spec.termination_grace_period_seconds;
	if (!p->spec.node_name.len || pod_is_finished(p))
		seconds = 0;
	return seconds < 0 ? 1 : seconds;
}

/* The one address that old clients know is the first of all; where they differ, it is right. */
static void agree_on_addresses(struct arena *a, struct pod_status *s)
{
	bool listed = s->pod_ips.len > 0;

	if (!s->pod_ip.len && listed)
		s->pod_ip = s->pod_ips.at[0].ip;
	if (!s->pod_ip.len || (listed && str_eq(s->pod_ips.at[0].ip, s->pod_ip)))
		return;
	s->pod_ips.at = arena_get(a, sizeof(*s->pod_ips.at));
	s->pod_ips.at[0].ip = s->pod_ip;
	s->pod_ips.len = 1;
}

/* Of several conditions of a type the nth inherits from the nth. */
static void keep_observed_generations(struct pod_status *s, const struct pod_status *old)
{
	if (s->observed_generation == 0)
		s->observed_generation = old->observed_generation;
	for (size_t i = 0; i < s->conditions.len; i++) {
		struct pod_condition *c = &s->conditions.at[i];
		size_t nth = 0;

		if (c->observed_generation)
			continue;
		for (size_t k = 0; k < i; k++)
			nth += str_eq(s->conditions.at[k].type, c->type);
		for (size_t k = 0; k < old->conditions.len; k++)
			if (str_eq(old->conditions.at[k].type, c->type) && nth-- == 0)
				c->observed_generation = old->conditions.at[k].observed_generation;
	}
}

static void mark_gated(struct operation *op, struct pod *p)
{
	pod_set_condition(op->arena, p,
		(struct pod_condition){
			.type = STR("PodScheduled"),
			.status = STR("False"),
			.reason = STR("SchedulingGated"),
			.message = STR("Scheduling is blocked due to non-empty scheduling gates"),
		},
		op->registry->o.clock);
}
