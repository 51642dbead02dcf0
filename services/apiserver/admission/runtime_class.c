#include "apiserver/admission/plugins.h"

#include "lib/value/quote.h"

/* RuntimeClass: a class says what its pods cost beside their containers, and where they may run.
 * PodTopologyLabels: a pod carries where its node stands. */

static int class_of(struct admission *n, const struct admission_attributes *t,
	struct node_runtime_class **to, struct err *e)
{
	const struct pod *p = t->object;
	const str cluster = {NULL, 0};
	char name[QUOTE_MAX];

	*to = NULL;
	if (!p->spec.runtime_class_name)
		return 0;
	TRY(admission_get(n, t, "node.k8s.io", "runtimeclasses", cluster,
		*p->spec.runtime_class_name, to, e));
	if (!*to)
		TRY(admission_fetch(n, t, "node.k8s.io", "runtimeclasses", cluster,
			*p->spec.runtime_class_name, to, e));
	if (!*to)
		return admission_forbid(t, e, "pod rejected: RuntimeClass %s not found",
			quote(name, *p->spec.runtime_class_name));
	return 0;
}

static bool same(const struct quantity_map *a, const struct quantity_map *b)
{
	bool equal = a->len == b->len;

	for (size_t i = 0; equal && i < a->len; i++)
		equal = str_eq(a->at[i].key, b->at[i].key) &&
			quantity_equal(&a->at[i].value, &b->at[i].value);
	return equal;
}

static int mismatch(const struct admission_attributes *t, struct err *e)
{
	return admission_forbid(
		t, e, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

/* Whether `wide` tolerates all that `narrow` does. */
bool toleration_covers(const struct toleration *wide, const struct toleration *narrow)
{
	bool exists = str_eq(wide->operator, STR("Exists"));

	if (struct_equal(api_type(API_TOLERATION), wide, narrow))
		return true;
	if (!str_eq(wide->key, narrow->key) && (wide->key.len > 0 || !exists))
		return false;
	if (!str_eq(wide->effect, narrow->effect) && wide->effect.len > 0)
		return false;
	if (str_eq(wide->effect, STR("NoExecute")) && wide->toleration_seconds &&
		(!narrow->toleration_seconds ||
			*narrow->toleration_seconds > *wide->toleration_seconds))
		return false;
	if (exists)
		return true;
	return (wide->operator.len == 0 || str_eq(wide->operator, STR("Equal"))) &&
		str_eq(narrow->operator, STR("Equal")) && str_eq(wide->value, narrow->value);
}

/* Both lists in their order, without those that another one covers. */
static void merge_tolerations(
	struct arena *a, struct pod_spec *s, const struct toleration *more, size_t more_len)
{
	size_t count = s->tolerations.len + more_len, kept = 0;
	struct toleration *all = arena_get(a, count * sizeof(*all) + 1);
	struct toleration *merged = arena_get(a, count * sizeof(*merged) + 1);

	for (size_t i = 0; i < count; i++)
		all[i] = i < s->tolerations.len ? s->tolerations.at[i]
						: more[i - s->tolerations.len];
	for (size_t i = 0; i < count; i++) {
		bool redundant = false;

		for (size_t j = 0; j < kept; j++)
			redundant |= toleration_covers(&merged[j], &all[i]);
		for (size_t j = i + 1; j < count; j++)
			redundant |= !struct_equal(api_type(API_TOLERATION), &all[i], &all[j]) &&
				toleration_covers(&all[j], &all[i]);
		if (!redundant)
			merged[kept++] = all[i];
	}
	s->tolerations.at = merged;
	s->tolerations.len = kept;
}

static int set_scheduling(const struct admission_attributes *t, struct pod_spec *s,
	const struct node_scheduling *from, struct err *e)
{
	for (size_t i = 0; i < from->node_selector.len; i++) {
		const struct str_entry *n = &from->node_selector.at[i];
		str own = str_map_get(&s->node_selector, n->key);

		if (own.at && !str_eq(own, n->value))
			return admission_forbid(t, e,
				"conflict: runtimeClass.scheduling.nodeSelector[%.*s] = %.*s; "
				"pod.spec.nodeSelector[%.*s] = %.*s",
				STR_ARG(n->key), STR_ARG(n->value), STR_ARG(n->key), STR_ARG(own));
		str_map_set(t->arena, &s->node_selector, n->key, n->value);
	}
	merge_tolerations(t->arena, s, from->tolerations.at, from->tolerations.len);
	return 0;
}

int runtime_class_mutate(struct admission *n, struct admission_attributes *t, struct err *e)
{
	struct pod *p = t->object;
	struct node_runtime_class *c;

	TRY(class_of(n, t, &c, e));
	if (c && c->overhead) {
		if (p->spec.overhead.len > 0 && !same(&p->spec.overhead, &c->overhead->pod_fixed))
			return mismatch(t, e);
		p->spec.overhead = c->overhead->pod_fixed;
	}
	return c && c->scheduling ? set_scheduling(t, &p->spec, c->scheduling, e) : 0;
}

int runtime_class_validate(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct pod *p = t->object;
	struct node_runtime_class *c;

	TRY(class_of(n, t, &c, e));
	if (c && c->overhead)
		return same(&p->spec.overhead, &c->overhead->pod_fixed) ? 0 : mismatch(t, e);
	if (p->spec.overhead.at)
		return admission_forbid(t, e,
			"pod rejected: Pod Overhead set without corresponding RuntimeClass defined "
			"Overhead");
	return 0;
}

int pod_topology_labels(struct admission *n, struct admission_attributes *t, struct err *e)
{
	static const char *const copied[] = {
		"topology.kubernetes.io/region", "topology.kubernetes.io/zone"};
	struct pod *p = t->object;
	struct binding *b = t->object;
	bool binding = str_eq(t->subresource, STR("binding"));
	str name = binding ? b->target.name : p->spec.node_name;
	struct object_meta *m = binding ? &b->metadata : &p->metadata;
	struct node *o;

	if ((t->subresource.len > 0 && !binding) || name.len == 0 ||
		(binding && !str_eq(b->target.kind, STR("Node"))))
		return 0;
	TRY(admission_get(n, t, "", "nodes", (str){NULL, 0}, name, &o, e));
	for (size_t i = 0; o && i < COUNT_OF(copied); i++) {
		str value = str_map_get(&o->metadata.labels, str_of(copied[i]));

		if (value.at)
			str_map_set(t->arena, &m->labels, str_of(copied[i]), value);
	}
	return 0;
}
