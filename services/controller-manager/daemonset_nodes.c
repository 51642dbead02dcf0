#include "controller-manager/daemonset.h"
#include "controller-manager/taints.h"

#define NAME_FIELD STR("metadata.name")

struct toleration_row {
	str key, effect;
};

/* What daemons tolerate whatever they say: they are there to mend it. */
static const struct toleration_row tolerated[] = {
	{STR_INIT("node.kubernetes.io/not-ready"), STR_INIT("NoExecute")},
	{STR_INIT("node.kubernetes.io/unreachable"), STR_INIT("NoExecute")},
	{STR_INIT("node.kubernetes.io/disk-pressure"), STR_INIT("NoSchedule")},
	{STR_INIT("node.kubernetes.io/memory-pressure"), STR_INIT("NoSchedule")},
	{STR_INIT("node.kubernetes.io/pid-pressure"), STR_INIT("NoSchedule")},
	{STR_INIT("node.kubernetes.io/unschedulable"), STR_INIT("NoSchedule")},
	{STR_INIT("node.kubernetes.io/network-unavailable"), STR_INIT("NoSchedule")},
};

static bool fits(const struct pod_spec *s, const struct node *n)
{
	return node_suits(n, s) &&
		(s->node_name.len == 0 || str_eq(s->node_name, n->metadata.name));
}

static bool daemon_tolerates(const struct daemon_set *s, const struct taint *t)
{
	const struct pod_spec *spec = &s->spec.template.spec;

	for (size_t i = 0; i < COUNT_OF(tolerated); i++) {
		bool counts = i + 1 < COUNT_OF(tolerated) || spec->host_network;

		if (counts && str_eq(tolerated[i].key, t->key) &&
			str_eq(tolerated[i].effect, t->effect))
			return true;
	}
	return taint_tolerated(t, spec);
}

void daemon_wanted_on(const struct daemon_set *s, const struct node *n, bool *make, bool *keep)
{
	*make = *keep = fits(&s->spec.template.spec, n);
	for (size_t i = 0; i < n->spec.taints.len; i++) {
		const struct taint *t = &n->spec.taints.at[i];
		bool schedule = str_eq(t->effect, STR("NoSchedule")),
		     execute = str_eq(t->effect, STR("NoExecute"));

		if ((!schedule && !execute) || daemon_tolerates(s, t))
			continue;
		*make = false;
		*keep = *keep && !execute;
	}
}

str daemon_node_of(const struct pod *p)
{
	const struct node_selector *required = node_affinity_required(&p->spec);

	if (p->spec.node_name.len > 0)
		return p->spec.node_name;
	for (size_t i = 0; required && i < required->node_selector_terms.len; i++) {
		const struct node_selector_term *t = &required->node_selector_terms.at[i];

		for (size_t f = 0; f < t->match_fields.len; f++) {
			if (str_eq(t->match_fields.at[f].key, NAME_FIELD) &&
				t->match_fields.at[f].values.len == 1)
				return t->match_fields.at[f].values.at[0];
		}
	}
	return (str){NULL, 0};
}

/* The node's name takes the place of whatever fields were asked for; expressions stay. */
static void bind_by_affinity(struct arena *a, struct pod_spec *s, str node)
{
	struct node_selector *required = (struct node_selector *)node_affinity_required(s);
	struct node_selector_requirement *name = arena_get(a, sizeof(*name));
	str *value = arena_get(a, sizeof(*value));

	*value = node;
	*name = (struct node_selector_requirement){
		.key = NAME_FIELD, .operator= STR("In"), .values = {value, 1}};
	if (!s->affinity)
		s->affinity = arena_get(a, sizeof(*s->affinity));
	if (!s->affinity->node_affinity)
		s->affinity->node_affinity = arena_get(a, sizeof(*s->affinity->node_affinity));
	if (!required || required->node_selector_terms.len == 0) {
		required = arena_get(a, sizeof(*required));
		required->node_selector_terms.at = arena_get(
			a, sizeof(*required->node_selector_terms.at));
		required->node_selector_terms.len = 1;
		s->affinity->node_affinity->required_during_scheduling_ignored_during_execution =
			required;
	}
	for (size_t i = 0; i < required->node_selector_terms.len; i++) {
		required->node_selector_terms.at[i].match_fields.at = name;
		required->node_selector_terms.at[i].match_fields.len = 1;
	}
}

struct pod *daemon_pod_for(struct daemon_pass *d, const struct node *n)
{
	struct arena *a = d->p->arena;
	struct pod *pod = pod_from_template(d->p, &d->seen->spec.template, d->seen);
	struct pod_spec *s = &pod->spec;
	struct toleration *all = arena_get(
		a, (s->tolerations.len + COUNT_OF(tolerated)) * sizeof(*all));
	size_t len = s->tolerations.len;

	if (len > 0)
		memcpy(all, s->tolerations.at, len * sizeof(*all));
	for (size_t i = 0; i < COUNT_OF(tolerated); i++) {
		if (i + 1 < COUNT_OF(tolerated) || s->host_network)
			all[len++] = (struct toleration){.key = tolerated[i].key,
				.operator= STR("Exists"),
				.effect = tolerated[i].effect};
	}
	s->tolerations.at = all;
	s->tolerations.len = len;
	bind_by_affinity(a, s, n->metadata.name);
	str_map_set(a, &pod->metadata.labels, REVISION_LABEL, d->hash);
	str_map_set(a, &pod->metadata.labels, STR("pod-template-generation"),
		arena_fmt(a, "%lld", (long long)d->seen->metadata.generation));
	return pod;
}
