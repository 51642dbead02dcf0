#include "apiserver/admission/plugins.h"

/* DefaultTolerationSeconds, TaintNodesByCondition, ExtendedResourceToleration. */

enum { TOLERATED_S = 300 };

#define NOT_READY   "node.kubernetes.io/not-ready"
#define UNREACHABLE "node.kubernetes.io/unreachable"

static bool tolerates(const struct pod_spec *s, const char *taint)
{
	for (size_t i = 0; i < s->tolerations.len; i++) {
		const struct toleration *o = &s->tolerations.at[i];

		if ((o->key.len == 0 || str_eq(o->key, str_of(taint))) &&
			(o->effect.len == 0 || str_eq(o->effect, STR("NoExecute"))))
			return true;
	}
	return false;
}

void tolerations_default(struct arena *a, struct pod_spec *s)
{
	static const char *const taints[] = {NOT_READY, UNREACHABLE};
	bool tolerated[COUNT_OF(taints)];

	for (size_t i = 0; i < COUNT_OF(taints); i++)
		tolerated[i] = tolerates(s, taints[i]);
	for (size_t i = 0; i < COUNT_OF(taints); i++)
		if (!tolerated[i])
			ADMISSION_ADD(a, &s->tolerations,
				((struct toleration){.key = str_of(taints[i]),
					.operator= STR("Exists"),
					.effect = STR("NoExecute"),
					.toleration_seconds = arena_i64(a, TOLERATED_S)}));
}

int default_toleration_seconds(
	UNUSED struct admission *n, struct admission_attributes *t, UNUSED struct err *e)
{
	struct pod *p = t->object;

	tolerations_default(t->arena, &p->spec);
	return 0;
}

/* A new node takes no pods until a controller has seen it ready. */
int taint_nodes_by_condition(
	UNUSED struct admission *n, struct admission_attributes *t, UNUSED struct err *e)
{
	struct node *o = t->object;

	for (size_t i = 0; i < o->spec.taints.len; i++)
		if (str_eq(o->spec.taints.at[i].key, STR(NOT_READY)) &&
			str_eq(o->spec.taints.at[i].effect, STR("NoSchedule")))
			return 0;
	ADMISSION_ADD(t->arena, &o->spec.taints,
		((struct taint){.key = STR(NOT_READY), .effect = STR("NoSchedule")}));
	return 0;
}

/* "example.com/gpu", but not kubernetes.io's own and not quotas' "requests.". */
static bool is_extended(str name)
{
	ptrdiff_t slash = str_find_char(name, '/');

	return slash > 0 && str_find(name, STR("kubernetes.io/")) < 0 &&
		!str_starts(name, STR("requests."));
}

static void tolerate_resources(struct arena *a, struct pod_spec *s, const struct container *c)
{
	for (size_t i = 0; i < c->resources.requests.len; i++) {
		str name = c->resources.requests.at[i].key;
		bool found = false;

		for (size_t j = 0; j < s->tolerations.len; j++)
			found |= str_eq(s->tolerations.at[j].key, name) &&
				str_eq(s->tolerations.at[j].operator, STR("Exists")) &&
				s->tolerations.at[j].effect.len == 0;
		if (is_extended(name) && !found)
			ADMISSION_ADD(a, &s->tolerations,
				((struct toleration){.key = name, .operator= STR("Exists")}));
	}
}

int extended_resource_toleration(
	UNUSED struct admission *n, struct admission_attributes *t, UNUSED struct err *e)
{
	struct pod *p = t->object;

	for (size_t i = 0; i < p->spec.containers.len; i++)
		tolerate_resources(t->arena, &p->spec, &p->spec.containers.at[i]);
	for (size_t i = 0; i < p->spec.init_containers.len; i++)
		tolerate_resources(t->arena, &p->spec, &p->spec.init_containers.at[i]);
	return 0;
}
