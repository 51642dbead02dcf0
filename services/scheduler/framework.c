#include "scheduler/framework.h"

/* In the order of upstream's default profile. */
const struct plugin plugins[] = {
	{"NodeUnschedulable", 0, EVENT_NODE_ADD | EVENT_NODE_TAINTS,
		.filter = filter_unschedulable},
	{"NodeName", 0, EVENT_NODE_ADD, .filter = filter_name},
	{"TaintToleration", 3, EVENT_NODE_ADD | EVENT_NODE_TAINTS, .filter = filter_taints,
		.score = score_taints, .normalize = normalize_taints},
	{"NodeAffinity", 2, EVENT_NODE_ADD | EVENT_NODE_LABELS, .filter = filter_node_affinity,
		.score = score_node_affinity, .normalize = normalize_node_affinity},
	{"NodePorts", 0, EVENT_NODE_ADD | EVENT_POD_DELETE, .filter = filter_ports},
	{"NodeResourcesFit", 1,
		EVENT_NODE_ADD | EVENT_NODE_ALLOCATABLE | EVENT_POD_DELETE | EVENT_POD_UPDATE,
		.filter = filter_resources, .score = score_least_allocated},
	{"PodTopologySpread", 2,
		EVENT_NODE_ADD | EVENT_NODE_LABELS | EVENT_NODE_TAINTS | EVENT_POD_ADD |
			EVENT_POD_UPDATE | EVENT_POD_DELETE,
		prepare_spread, filter_spread, prepare_spread_scores, score_spread,
		normalize_spread},
	{"InterPodAffinity", 2,
		EVENT_NODE_ADD | EVENT_NODE_LABELS | EVENT_POD_ADD | EVENT_POD_UPDATE |
			EVENT_POD_DELETE | EVENT_NAMESPACE,
		prepare_pod_affinity, filter_pod_affinity, prepare_pod_affinity_scores,
		score_pod_affinity, normalize_pod_affinity},
	{"DynamicResources", 0, 0, .filter = filter_devices},
	{"NodeResourcesBalancedAllocation", 1, 0, .score = score_balanced},
	{"ImageLocality", 1, 0, .score = score_images},
};

const size_t plugin_count = COUNT_OF(plugins);

static struct node_info *pick(struct node_info *const *feasible, const int64_t *scores,
	size_t count, struct random *random);

void framework_pre_filter(struct cycle *c)
{
	for (size_t i = 0; i < plugin_count; i++)
		if (plugins[i].pre_filter)
			plugins[i].pre_filter(c);
}

bool framework_filter(
	const struct cycle *c, const struct node_info *n, struct refusal *why, unsigned *blamed)
{
	*why = (struct refusal){.count = 0};
	for (size_t i = 0; i < plugin_count; i++)
		if (plugins[i].filter && !plugins[i].filter(c, n, why)) {
			*blamed |= 1u << i;
			return false;
		}
	return true;
}

struct node_info *framework_best(
	struct cycle *c, struct node_info *const *feasible, size_t count, struct random *random)
{
	int64_t *total = arena_get(c->arena, count * sizeof(*total));
	int64_t *scores = arena_get(c->arena, count * sizeof(*scores));

	if (count == 1)
		return feasible[0];
	c->feasible = feasible;
	c->feasible_count = count;
	for (size_t i = 0; i < plugin_count; i++) {
		const struct plugin *p = &plugins[i];

		if (!p->score)
			continue;
		if (p->pre_score)
			p->pre_score(c);
		for (size_t k = 0; k < count; k++)
			scores[k] = p->score(c, feasible[k]);
		if (p->normalize)
			p->normalize(c, scores, count);
		for (size_t k = 0; k < count; k++)
			total[k] += scores[k] * p->weight;
	}
	return pick(feasible, total, count, random);
}

void framework_end(struct cycle *c)
{
	topology_free(&c->affine);
	topology_free(&c->anti_affine);
	topology_free(&c->refused);
	topology_free(&c->preferred);
	end_spread(c);
}

void refuse(struct refusal *why, str reason)
{
	if (why->count < REASONS_MAX)
		why->reasons[why->count++] = reason;
}

void normalize_to_max(int64_t *scores, size_t count, bool reverse)
{
	int64_t most = 0;

	for (size_t i = 0; i < count; i++)
		most = scores[i] > most ? scores[i] : most;
	for (size_t i = 0; i < count; i++) {
		int64_t score = most ? scores[i] * SCORE_MAX / most : 0;

		scores[i] = reverse ? SCORE_MAX - score : score;
	}
}

str node_label(const struct node_info *n, str key)
{
	return str_map_get(&n->node->metadata.labels, key);
}

void topology_init(struct topology_counts *t)
{
	map_init(&t->map);
}

void topology_free(struct topology_counts *t)
{
	map_free(&t->map);
}

/* Key and value in one text, with a NUL between, which neither can hold. */
static str pair(struct arena *a, str key, str value)
{
	char *at = arena_get(a, key.len + value.len + 1);

	memcpy(at, key.at, key.len);
	if (value.len)
		memcpy(at + key.len + 1, value.at, value.len);
	return str_span(at, key.len + value.len + 1);
}

void topology_add(struct arena *a, struct topology_counts *t, str key, str value, int64_t by)
{
	str both = pair(a, key, value);
	int64_t *count = map_get(&t->map, both);

	if (!count) {
		count = arena_i64(a, 0);
		map_put(&t->map, both, count);
	}
	*count += by;
}

int64_t topology_get(const struct topology_counts *t, str key, str value)
{
	char both[1024];

	if (!t->map.len || key.len + value.len + 1 > sizeof(both))
		return 0;
	memcpy(both, key.at, key.len);
	both[key.len] = 0;
	if (value.len)
		memcpy(both + key.len + 1, value.at, value.len);
	const int64_t *count = map_get(&t->map, str_span(both, key.len + value.len + 1));
	return count ? *count : 0;
}

static struct node_info *pick(struct node_info *const *feasible, const int64_t *scores,
	size_t count, struct random *random)
{
	size_t best = 0, ties = 1;

	for (size_t i = 1; i < count; i++) {
		if (scores[i] > scores[best]) {
			best = i;
			ties = 1;
		} else {
			ties += scores[i] == scores[best];
		}
	}
	/* One number is drawn, however many are equal. */
	size_t chosen = best, skip = ties > 1 ? random_below(random, ties) : 0;

	while (skip)
		skip -= scores[++chosen] == scores[best];
	return feasible[chosen];
}
