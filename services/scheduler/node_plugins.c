/*
 * Plugins that look at the node alone: NodeUnschedulable, NodeName, NodePorts, TaintToleration,
 * NodeAffinity, ImageLocality; and DynamicResources, which refuses what it cannot do.
 */
#include "scheduler/framework.h"

static const str unschedulable_taint = STR_INIT("node.kubernetes.io/unschedulable");

static bool ports_clash(const struct container_port *a, const struct container_port *b);
static bool contains(const struct str_list *list, str what) PURE;

bool filter_unschedulable(const struct cycle *c, const struct node_info *n, struct refusal *why)
{
	const struct taint taint = {.key = unschedulable_taint, .effect = STR_INIT("NoSchedule")};

	if (!n->node->spec.unschedulable || taint_tolerated(&taint, &c->p->pod->spec))
		return true;
	why->for_good = true;
	refuse(why, STR("node(s) were unschedulable"));
	return false;
}

bool filter_name(const struct cycle *c, const struct node_info *n, struct refusal *why)
{
	str wanted = c->p->pod->spec.node_name;

	if (!wanted.len || str_eq(wanted, n->name))
		return true;
	why->for_good = true;
	refuse(why, STR("node(s) didn't match the requested node name"));
	return false;
}

/* Nobody here allocates devices: a pod that needs some would start without them. */
bool filter_devices(const struct cycle *c, UNUSED const struct node_info *n, struct refusal *why)
{
	if (c->p->pod->spec.resource_claims.len == 0)
		return true;
	why->for_good = true;
	refuse(why, STR("resource claims are not allocated by this scheduler"));
	return false;
}

bool filter_ports(const struct cycle *c, const struct node_info *n, struct refusal *why)
{
	const struct pod_spec *mine = &c->p->pod->spec;
	bool any = false;

	for (size_t i = 0; i < mine->containers.len; i++)
		for (size_t k = 0; k < mine->containers.at[i].ports.len; k++)
			any |= mine->containers.at[i].ports.at[k].host_port > 0;
	for (const struct pod_info *o = n->pods; any && o; o = o->next)
		for (size_t i = 0; i < o->pod->spec.containers.len; i++)
			for (size_t k = 0; k < o->pod->spec.containers.at[i].ports.len; k++)
				for (size_t m = 0; m < mine->containers.len; m++)
					for (size_t q = 0; q < mine->containers.at[m].ports.len;
						q++)
						if (ports_clash(&mine->containers.at[m].ports.at[q],
							    &o->pod->spec.containers.at[i]
								     .ports.at[k])) {
							refuse(why,
								STR("node(s) didn't have free "
								    "ports for the requested "
								    "pod ports"));
							return false;
						}
	return true;
}

bool filter_taints(const struct cycle *c, const struct node_info *n, struct refusal *why)
{
	for (size_t i = 0; i < n->node->spec.taints.len; i++) {
		const struct taint *t = &n->node->spec.taints.at[i];

		if (str_eq(t->effect, STR("PreferNoSchedule")) ||
			taint_tolerated(t, &c->p->pod->spec))
			continue;
		why->for_good = true;
		refuse(why, arena_fmt(c->arena, "node(s) had untolerated taint(s)"));
		return false;
	}
	return true;
}

int64_t score_taints(const struct cycle *c, const struct node_info *n)
{
	int64_t count = 0;

	for (size_t i = 0; i < n->node->spec.taints.len; i++) {
		const struct taint *t = &n->node->spec.taints.at[i];

		count += str_eq(t->effect, STR("PreferNoSchedule")) &&
			!taint_tolerated(t, &c->p->pod->spec);
	}
	return count;
}

void normalize_taints(const struct cycle *c, int64_t *scores, size_t count)
{
	(void)c;
	normalize_to_max(scores, count, true);
}

bool filter_node_affinity(const struct cycle *c, const struct node_info *n, struct refusal *why)
{
	if (node_suits(n->node, &c->p->pod->spec))
		return true;
	why->for_good = true;
	refuse(why, STR("node(s) didn't match Pod's node affinity/selector"));
	return false;
}

int64_t score_node_affinity(const struct cycle *c, const struct node_info *n)
{
	const struct affinity *f = c->p->pod->spec.affinity;
	int64_t score = 0;

	if (!f || !f->node_affinity)
		return 0;
	const struct node_affinity *a = f->node_affinity;
	for (size_t i = 0; i < a->preferred_during_scheduling_ignored_during_execution.len; i++) {
		const struct preferred_scheduling_term *t =
			&a->preferred_during_scheduling_ignored_during_execution.at[i];

		if (t->weight && node_meets(n->node, &t->preference))
			score += t->weight;
	}
	return score;
}

void normalize_node_affinity(const struct cycle *c, int64_t *scores, size_t count)
{
	(void)c;
	normalize_to_max(scores, count, false);
}

/* Images that a node has already, weighed by their size and by how many nodes have them. */
int64_t score_images(const struct cycle *c, const struct node_info *n)
{
	const int64_t least = 23ll << 20, most_each = 1000ll << 20;
	const struct pod_spec *s = &c->p->pod->spec;
	int64_t sum = 0, most = most_each * (int64_t)s->containers.len;

	for (size_t i = 0; i < s->containers.len; i++)
		for (size_t k = 0; k < n->node->status.images.len; k++) {
			const struct container_image *image = &n->node->status.images.at[k];

			if (contains(&image->names, s->containers.at[i].image))
				sum += image->size_bytes;
		}
	if (sum < least)
		return 0;
	if (sum > most)
		sum = most;
	return SCORE_MAX * (sum - least) / (most - least);
}

static bool ports_clash(const struct container_port *a, const struct container_port *b)
{
	static const str any = STR_INIT("0.0.0.0");
	bool wild = !a->host_ip.len || !b->host_ip.len || str_eq(a->host_ip, any) ||
		str_eq(b->host_ip, any);

	return a->host_port > 0 && a->host_port == b->host_port &&
		str_eq(a->protocol, b->protocol) && (wild || str_eq(a->host_ip, b->host_ip));
}

static bool contains(const struct str_list *list, str what)
{
	for (size_t i = 0; i < list->len; i++)
		if (str_eq(list->at[i], what))
			return true;
	return false;
}
