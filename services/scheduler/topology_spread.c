/*
 * PodTopologySpread: pods of a kind are spread over zones, nodes, or what a label names.
 * Source: pkg/scheduler/framework/plugins/podtopologyspread; KEP-895, KEP-3022, KEP-3094, KEP-3243.
 */
#include "scheduler/framework.h"

#include <math.h>

/* One constraint of the pod, with what the cluster looks like to it. */
struct spread {
	str key;
	int32_t max_skew, min_domains;
	struct meta_selector selector;
	bool honour_affinity, honour_taints;
	struct topology_counts counts; /* by value of the key */
	int64_t least;                 /* of the domains */
	size_t domains;
	double weight; /* of the score */
};

static struct spread *parse(struct cycle *c, const char *when, size_t *count);
static struct spread *defaults(struct cycle *c, size_t *count);
static void count_pods(struct cycle *c, struct spread *s, size_t count, bool all_keys);
static bool eligible(const struct cycle *c, const struct spread *s, const struct node_info *n);
static int64_t matching(const struct cycle *c, const struct spread *s, const struct node_info *n);
static bool has_keys(const struct spread *s, size_t count, const struct node_info *n);
static struct meta_selector with_label_keys(
	struct cycle *c, const struct topology_spread_constraint *t);

void prepare_spread(struct cycle *c)
{
	struct spread *s = parse(c, "DoNotSchedule", &c->hard_count);

	count_pods(c, s, c->hard_count, true);
	c->hard = s;
}

bool filter_spread(const struct cycle *c, const struct node_info *n, struct refusal *why)
{
	for (size_t i = 0; i < c->hard_count; i++) {
		const struct spread *s = &c->hard[i];
		str value = node_label(n, s->key);

		if (!value.at) {
			why->for_good = true;
			refuse(why,
				STR("node(s) didn't match pod topology spread constraints "
				    "(missing required label)"));
			return false;
		}
		int64_t self = meta_matches(&s->selector, &c->p->pod->metadata.labels);
		int64_t least = s->min_domains > 0 && s->domains < (size_t)s->min_domains
			? 0
			: s->least;
		if (topology_get(&s->counts, s->key, value) + self - least > s->max_skew) {
			refuse(why, STR("node(s) didn't match pod topology spread constraints"));
			return false;
		}
	}
	return true;
}

void end_spread(struct cycle *c)
{
	for (size_t i = 0; i < c->hard_count; i++)
		topology_free(&c->hard[i].counts);
	for (size_t i = 0; i < c->soft_count; i++)
		topology_free(&c->soft[i].counts);
}

void prepare_spread_scores(struct cycle *c)
{
	struct spread *s = parse(c, "ScheduleAnyway", &c->soft_count);
	bool asked = c->p->pod->spec.topology_spread_constraints.len > 0;

	if (!asked)
		s = defaults(c, &c->soft_count);
	count_pods(c, s, c->soft_count, asked);
	for (size_t i = 0; i < c->soft_count; i++)
		s[i].weight = log((double)s[i].domains + 2);
	c->soft = s;
}

int64_t score_spread(const struct cycle *c, const struct node_info *n)
{
	double score = 0;

	for (size_t i = 0; i < c->soft_count; i++) {
		const struct spread *s = &c->soft[i];
		str value = node_label(n, s->key);

		if (value.at)
			score += (double)topology_get(&s->counts, s->key, value) * s->weight +
				(double)(s->max_skew - 1);
	}
	return (int64_t)(score + 0.5);
}

/* Fewer is better. */
void normalize_spread(const struct cycle *c, int64_t *scores, size_t count)
{
	int64_t least = INT64_MAX, most = 0;

	for (size_t i = 0; i < count; i++) {
		least = scores[i] < least ? scores[i] : least;
		most = scores[i] > most ? scores[i] : most;
	}
	for (size_t i = 0; i < count; i++)
		scores[i] = !c->soft_count ? 0
			: most == 0        ? SCORE_MAX
					   : SCORE_MAX * (most + least - scores[i]) / most;
}

static struct spread *parse(struct cycle *c, const char *when, size_t *count)
{
	const struct pod_spec *spec = &c->p->pod->spec;
	struct spread *all = arena_get(
		c->arena, spec->topology_spread_constraints.len * sizeof(*all) + 1);

	*count = 0;
	for (size_t i = 0; i < spec->topology_spread_constraints.len; i++) {
		const struct topology_spread_constraint *t =
			&spec->topology_spread_constraints.at[i];

		if (!str_eq(t->when_unsatisfiable, str_of(when)))
			continue;
		struct spread *s = &all[(*count)++];
		*s = (struct spread){
			.key = t->topology_key,
			.max_skew = t->max_skew,
			.min_domains = t->min_domains ? *t->min_domains : 1,
			.selector = with_label_keys(c, t),
			.honour_affinity = !t->node_affinity_policy ||
				str_eq(*t->node_affinity_policy, STR("Honor")),
			.honour_taints = t->node_taints_policy &&
				str_eq(*t->node_taints_policy, STR("Honor")),
		};
	}
	return all;
}

/* Pods of a controller that says nothing are spread a little all the same. */
static struct spread *defaults(struct cycle *c, size_t *count)
{
	struct spread *all = arena_get(c->arena, 2 * sizeof(*all));
	const struct str_map *labels = &c->p->pod->metadata.labels;
	struct meta_selector selector = meta_selector_of_map(c->arena, labels);

	*count = 0;
	if (!meta_controller(&c->p->pod->metadata) || !labels->len)
		return all;
	all[(*count)++] = (struct spread){.key = STR("kubernetes.io/hostname"),
		.max_skew = 3,
		.selector = selector,
		.honour_affinity = true};
	all[(*count)++] = (struct spread){.key = STR("topology.kubernetes.io/zone"),
		.max_skew = 5,
		.selector = selector,
		.honour_affinity = true};
	return all;
}

static void count_pods(struct cycle *c, struct spread *s, size_t count, bool all_keys)
{
	for (size_t i = 0; i < count; i++) {
		topology_init(&s[i].counts);
		for (size_t k = 0; k < c->cache->len; k++) {
			const struct node_info *n = c->cache->list[k];
			str value = node_label(n, s[i].key);

			if (!value.at || !eligible(c, &s[i], n) ||
				(all_keys && !has_keys(s, count, n)))
				continue;
			topology_add(
				c->arena, &s[i].counts, s[i].key, value, matching(c, &s[i], n));
		}
		s[i].least = INT64_MAX;
		s[i].domains = s[i].counts.map.len;
		map_each (&s[i].counts.map, e) {
			int64_t pods = *(const int64_t *)e->value;

			s[i].least = pods < s[i].least ? pods : s[i].least;
		}
	}
}

static bool eligible(const struct cycle *c, const struct spread *s, const struct node_info *n)
{
	if (s->honour_affinity && !node_suits(n->node, &c->p->pod->spec))
		return false;
	for (size_t i = 0; s->honour_taints && i < n->node->spec.taints.len; i++) {
		const struct taint *t = &n->node->spec.taints.at[i];

		if (!str_eq(t->effect, STR("PreferNoSchedule")) &&
			!taint_tolerated(t, &c->p->pod->spec))
			return false;
	}
	return true;
}

static int64_t matching(const struct cycle *c, const struct spread *s, const struct node_info *n)
{
	int64_t count = 0;

	for (const struct pod_info *p = n->pods; p; p = p->next)
		count += !p->pod->metadata.deletion_timestamp &&
			str_eq(p->pod->metadata.namespace, c->p->pod->metadata.namespace) &&
			meta_matches(&s->selector, &p->pod->metadata.labels);
	return count;
}

static bool has_keys(const struct spread *s, size_t count, const struct node_info *n)
{
	for (size_t i = 0; i < count; i++)
		if (!node_label(n, s[i].key).at)
			return false;
	return true;
}

/* matchLabelKeys: the pod's own values of these labels are asked for as well. */
static struct meta_selector with_label_keys(
	struct cycle *c, const struct topology_spread_constraint *t)
{
	struct label_selector all = t->label_selector ? *t->label_selector
						      : (struct label_selector){0};
	struct meta_selector to;
	struct err e;

	for (size_t i = 0; i < t->match_label_keys.len; i++) {
		str value = str_map_get(&c->p->pod->metadata.labels, t->match_label_keys.at[i]);

		if (value.at)
			str_map_set(c->arena, &all.match_labels, t->match_label_keys.at[i], value);
	}
	if (meta_selector(c->arena, t->label_selector ? &all : NULL, &to, &e) < 0)
		to = (struct meta_selector){.nothing = true};
	return to;
}
