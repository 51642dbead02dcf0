#include "apiserver/admission/plugins.h"

/* Priority: a pod's class becomes a number; one class at most is the default. */

static int default_class(struct admission *n, const struct admission_attributes *t,
	const struct priority_class **to, struct err *e)
{
	struct admission_list all = {0};

	*to = NULL;
	TRY(admission_list(n, t, "scheduling.k8s.io", "priorityclasses", (str){NULL, 0}, &all, e));
	for (size_t i = 0; i < all.len; i++) {
		const struct priority_class *c = all.at[i];

		if (c->global_default && (!*to || c->value < (*to)->value))
			*to = c;
	}
	return 0;
}

/* `*to` NULL: no class is named and none is the default. */
static int class_of(struct admission *n, const struct admission_attributes *t, const struct pod *p,
	const struct priority_class **to, struct err *e)
{
	if (p->spec.priority_class_name.len == 0)
		return default_class(n, t, to, e);
	TRY(admission_get(n, t, "scheduling.k8s.io", "priorityclasses", (str){NULL, 0},
		p->spec.priority_class_name, to, e));
	if (!*to)
		return admission_forbid(t, e, "no PriorityClass with name %.*s was found",
			STR_ARG(p->spec.priority_class_name));
	return 0;
}

static str *text(struct arena *a, str s)
{
	str *to = arena_get(a, sizeof(*to));

	*to = s;
	return to;
}

int priority_mutate(struct admission *n, struct admission_attributes *t, struct err *e)
{
	struct pod *p = t->object;
	const struct pod *old = t->old;
	const struct priority_class *c;

	if (t->operation == ADMIT_UPDATE) {
		if (!p->spec.priority)
			p->spec.priority = old->spec.priority;
		if (!p->spec.preemption_policy)
			p->spec.preemption_policy = old->spec.preemption_policy;
		return 0;
	}
	TRY(class_of(n, t, p, &c, e));
	int32_t value = c ? c->value : 0;
	const str *policy = c ? c->preemption_policy : text(t->arena, STR("PreemptLowerPriority"));

	if (c)
		p->spec.priority_class_name = c->metadata.name;
	if (p->spec.priority && *p->spec.priority != value)
		return admission_forbid(t, e,
			"the integer value of priority (%d) must not be provided in pod spec; "
			"priority admission controller computed %d from the given PriorityClass "
			"name",
			*p->spec.priority, value);
	p->spec.priority = arena_i32(t->arena, value);
	if (!policy)
		return 0;
	if (p->spec.preemption_policy && !str_eq(*p->spec.preemption_policy, *policy))
		return admission_forbid(t, e,
			"the string value of PreemptionPolicy (%.*s) must not be provided in pod "
			"spec; priority admission controller computed %.*s from the given "
			"PriorityClass name",
			STR_ARG(*p->spec.preemption_policy), STR_ARG(*policy));
	p->spec.preemption_policy = text(t->arena, *policy);
	return 0;
}

int priority_validate(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct priority_class *c = t->object, *other;

	if (!c->global_default)
		return 0;
	TRY(default_class(n, t, &other, e));
	if (other &&
		(t->operation == ADMIT_CREATE || !str_eq(other->metadata.name, c->metadata.name)))
		return admission_forbid(t, e,
			"PriorityClass %.*s is already marked as default. Only one default can "
			"exist",
			STR_ARG(other->metadata.name));
	return 0;
}
