/*
 * Pods: pkg/registry/core/pod/strategy.go.
 */
#include "apiserver/registry/strategies.h"
#include "lib/api/pod.h"

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

	(void)op;
	p->spec = old->spec;
	p->metadata.owner_references.at = old->metadata.owner_references.at;
	p->metadata.owner_references.len = old->metadata.owner_references.len;
	p->metadata.deletion_timestamp = NULL;
	if (!p->status.qos_class.len)
		p->status.qos_class = old->status.qos_class.len ? old->status.qos_class
								: pod_qos(&p->spec);
	if (p->status.observed_generation < old->status.observed_generation)
		p->status.observed_generation = old->status.observed_generation;
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
