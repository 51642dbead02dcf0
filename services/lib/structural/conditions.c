#include "lib/structural/conditions.h"

#include "lib/api/meta.h"

struct crd_custom_resource_definition_condition *crd_condition(
	const struct crd_custom_resource_definition *crd, str type)
{
	for (size_t i = 0; i < crd->status.conditions.len; i++)
		if (str_eq(crd->status.conditions.at[i].type, type))
			return &crd->status.conditions.at[i];
	return NULL;
}

bool crd_condition_true(const struct crd_custom_resource_definition *crd, str type)
{
	const struct crd_custom_resource_definition_condition *c = crd_condition(crd, type);

	return c && str_eq(c->status, STR("True"));
}

bool crd_set_condition(struct arena *a, struct crd_custom_resource_definition *crd,
	const struct clock *clock, const struct crd_custom_resource_definition_condition *c)
{
	struct crd_custom_resource_definition_condition *had = crd_condition(crd, c->type), *all;
	size_t len = crd->status.conditions.len;

	if (had) {
		bool turned = !str_eq(had->status, c->status);
		bool same = !turned && str_eq(had->reason, c->reason) &&
			str_eq(had->message, c->message);

		had->status = c->status;
		had->reason = c->reason;
		had->message = c->message;
		if (turned)
			had->last_transition_time = meta_now(clock);
		return !same;
	}
	all = arena_get(a, (len + 1) * sizeof(*all));
	if (len)
		memcpy(all, crd->status.conditions.at, len * sizeof(*all));
	all[len] = *c;
	all[len].last_transition_time = meta_now(clock);
	crd->status.conditions.at = all;
	crd->status.conditions.len = len + 1;
	return true;
}

bool crd_remove_condition(struct crd_custom_resource_definition *crd, str type)
{
	size_t kept = 0, len = crd->status.conditions.len;

	for (size_t i = 0; i < len; i++)
		if (!str_eq(crd->status.conditions.at[i].type, type))
			crd->status.conditions.at[kept++] = crd->status.conditions.at[i];
	crd->status.conditions.len = kept;
	return kept != len;
}
