/*
 * InterPodAffinity: near some pods, far from others.
 * Source: pkg/scheduler/framework/plugins/interpodaffinity.
 */
#include "scheduler/framework.h"

static bool term_takes(const struct cycle *c, const struct affinity_term *t, const struct pod *p);
static bool all_take(
	const struct cycle *c, const struct affinity_terms *terms, const struct pod *p);
static void count_existing(struct cycle *c, const struct node_info *n);
static void count_wanted(struct cycle *c, const struct node_info *n);
static void count_preferred(struct cycle *c, const struct node_info *n, const struct pod_info *o);
static bool meets_affinity(const struct cycle *c, const struct node_info *n);

void prepare_pod_affinity(struct cycle *c)
{
	const struct pod_info *p = c->p;

	topology_init(&c->affine);
	topology_init(&c->anti_affine);
	topology_init(&c->refused);
	topology_init(&c->preferred);
	for (size_t i = 0; i < c->cache->len; i++) {
		const struct node_info *n = c->cache->list[i];

		if (n->with_anti_affinity)
			count_existing(c, n);
		if (p->affinity.len || p->anti_affinity.len)
			count_wanted(c, n);
	}
	c->first_of_kind = !c->affine.map.len && all_take(c, &p->affinity, p->pod);
}

bool filter_pod_affinity(const struct cycle *c, const struct node_info *n, struct refusal *why)
{
	const struct affinity_terms *anti = &c->p->anti_affinity;

	if (!meets_affinity(c, n)) {
		why->for_good = true;
		refuse(why, STR("node(s) didn't match pod affinity rules"));
		return false;
	}
	for (size_t i = 0; i < anti->len; i++) {
		str value = node_label(n, anti->at[i].topology_key);

		if (value.at &&
			topology_get(&c->anti_affine, anti->at[i].topology_key, value) > 0) {
			refuse(why, STR("node(s) didn't match pod anti-affinity rules"));
			return false;
		}
	}
	for (size_t i = 0; c->refused.map.len && i < n->node->metadata.labels.len; i++) {
		const struct str_entry *label = &n->node->metadata.labels.at[i];

		if (topology_get(&c->refused, label->key, label->value) > 0) {
			refuse(why,
				STR("node(s) didn't satisfy existing pods anti-affinity rules"));
			return false;
		}
	}
	return true;
}

void prepare_pod_affinity_scores(struct cycle *c)
{
	bool mine = c->p->prefers.len || c->p->avoids.len;

	for (size_t i = 0; i < c->cache->len; i++) {
		const struct node_info *n = c->cache->list[i];

		if (!mine && !n->with_affinity)
			continue;
		for (const struct pod_info *o = n->pods; o; o = o->next)
			count_preferred(c, n, o);
	}
}

int64_t score_pod_affinity(const struct cycle *c, const struct node_info *n)
{
	int64_t score = 0;

	for (size_t i = 0; c->preferred.map.len && i < n->node->metadata.labels.len; i++)
		score += topology_get(&c->preferred, n->node->metadata.labels.at[i].key,
			n->node->metadata.labels.at[i].value);
	return score;
}

void normalize_pod_affinity(const struct cycle *c, int64_t *scores, size_t count)
{
	int64_t least = INT64_MAX, most = INT64_MIN;

	(void)c;
	for (size_t i = 0; i < count; i++) {
		least = scores[i] < least ? scores[i] : least;
		most = scores[i] > most ? scores[i] : most;
	}
	for (size_t i = 0; i < count; i++)
		scores[i] = most > least ? SCORE_MAX * (scores[i] - least) / (most - least) : 0;
}

/* Pods there that would not have this one near. */
static void count_existing(struct cycle *c, const struct node_info *n)
{
	for (const struct pod_info *o = n->pods; o; o = o->next)
		for (size_t i = 0; i < o->anti_affinity.len; i++) {
			const struct affinity_term *t = &o->anti_affinity.at[i];
			str value = node_label(n, t->topology_key);

			if (value.at && term_takes(c, t, c->p->pod))
				topology_add(c->arena, &c->refused, t->topology_key, value, 1);
		}
}

/* Pods there that this one wants near, or far. */
static void count_wanted(struct cycle *c, const struct node_info *n)
{
	const struct affinity_terms *near = &c->p->affinity, *far = &c->p->anti_affinity;

	for (const struct pod_info *o = n->pods; o; o = o->next) {
		for (size_t i = 0; near->len && i < near->len && all_take(c, near, o->pod); i++) {
			str value = node_label(n, near->at[i].topology_key);

			if (value.at)
				topology_add(
					c->arena, &c->affine, near->at[i].topology_key, value, 1);
		}
		for (size_t i = 0; i < far->len; i++) {
			str value = node_label(n, far->at[i].topology_key);

			if (value.at && term_takes(c, &far->at[i], o->pod))
				topology_add(c->arena, &c->anti_affine, far->at[i].topology_key,
					value, 1);
		}
	}
}

/* Both ways: what this pod prefers, and what pods there prefer of it. */
static void count_preferred(struct cycle *c, const struct node_info *n, const struct pod_info *o)
{
	const struct affinity_terms *const near[] = {&c->p->prefers, &c->p->avoids};
	const struct affinity_terms *const theirs[] = {&o->prefers, &o->avoids, &o->affinity};

	for (size_t side = 0; side < COUNT_OF(near); side++)
		for (size_t i = 0; i < near[side]->len; i++) {
			const struct affinity_term *t = &near[side]->at[i];
			str value = node_label(n, t->topology_key);

			if (value.at && term_takes(c, t, o->pod))
				topology_add(c->arena, &c->preferred, t->topology_key, value,
					side ? -t->weight : t->weight);
		}
	for (size_t side = 0; side < COUNT_OF(theirs); side++)
		for (size_t i = 0; i < theirs[side]->len; i++) {
			const struct affinity_term *t = &theirs[side]->at[i];
			str value = node_label(n, t->topology_key);
			int64_t weight = side == 2 ? 1 : side ? -t->weight : t->weight;

			if (value.at && term_takes(c, t, c->p->pod))
				topology_add(
					c->arena, &c->preferred, t->topology_key, value, weight);
		}
}

static bool meets_affinity(const struct cycle *c, const struct node_info *n)
{
	const struct affinity_terms *near = &c->p->affinity;
	bool found = true;

	for (size_t i = 0; i < near->len; i++) {
		str value = node_label(n, near->at[i].topology_key);

		if (!value.at)
			return false;
		found &= topology_get(&c->affine, near->at[i].topology_key, value) > 0;
	}
	/* The first of a group that wants to be together may go anywhere. */
	return found || c->first_of_kind;
}

static bool term_takes(const struct cycle *c, const struct affinity_term *t, const struct pod *p)
{
	str ns = p->metadata.namespace;
	bool named = false;

	for (size_t i = 0; i < t->names.len && !named; i++)
		named = str_eq(t->names.at[i], ns);
	if (!named && !t->namespaces.nothing && c->namespaces) {
		const struct namespace *n = view_get(c->namespaces, STR(""), ns);

		named = n && meta_matches(&t->namespaces, &n->metadata.labels);
	}
	return named && meta_matches(&t->selector, &p->metadata.labels);
}

static bool all_take(const struct cycle *c, const struct affinity_terms *terms, const struct pod *p)
{
	for (size_t i = 0; i < terms->len; i++)
		if (!term_takes(c, &terms->at[i], p))
			return false;
	return terms->len > 0;
}
