#include "apiserver/admission/limits.h"
#include "apiserver/admission/plugins.h"

/* LimitRanger: what a namespace's LimitRanges set and demand. */

static bool concerns(const struct admission_attributes *t)
{
	const struct object_meta *old = t->old ? meta_of(t->old) : NULL;
	bool pod = admission_is(t, "", "pods");

	if (old && old->deletion_timestamp)
		return false;
	if (t->subresource.len > 0)
		return pod && t->operation == ADMIT_UPDATE && str_eq(t->subresource, STR("resize"));
	return pod ? t->operation == ADMIT_CREATE : admission_is(t, "", "persistentvolumeclaims");
}

int limit_ranger_mutate(struct admission *n, struct admission_attributes *t, struct err *e)
{
	struct admission_list limits = {0};

	if (!concerns(t) || !admission_is(t, "", "pods"))
		return 0;
	TRY(admission_list(n, t, "", "limitranges", t->ns, &limits, e));
	for (size_t i = 0; i < limits.len; i++)
		limits_apply(t->arena, limits.at[i], t->object);
	return 0;
}

int limit_ranger_validate(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	struct admission_list limits = {0};

	if (!concerns(t))
		return 0;
	TRY(admission_list(n, t, "", "limitranges", t->ns, &limits, e));
	for (size_t i = 0; i < limits.len; i++) {
		struct admission_faults f = {.arena = t->arena};

		if (admission_is(t, "", "pods"))
			limits_check_pod(limits.at[i], t->object, &f);
		else
			limits_check_claim(limits.at[i], t->object, &f);
		if (f.texts.len > 0)
			return admission_forbid(t, e, "%.*s", STR_ARG(admission_faults_text(&f)));
	}
	return 0;
}
