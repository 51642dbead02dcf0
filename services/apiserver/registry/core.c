/*
 * The smaller kinds of core: pkg/registry/core/{namespace,secret,persistentvolume,...}/strategy.go.
 */
#include "apiserver/registry/strategies.h"
#include "lib/api/resource_list.h"

static const str name_label = STR_INIT("kubernetes.io/metadata.name");

void namespace_prepare_create(struct operation *op, void *now)
{
	struct namespace *n = now;
	size_t len = n->spec.finalizers.len;
	bool has = false;

	n->status.phase = STR("Active");
	str_map_set(op->arena, &n->metadata.labels, name_label, n->metadata.name);
	for (size_t i = 0; i < len; i++)
		has |= str_eq(n->spec.finalizers.at[i], STR("kubernetes"));
	if (has)
		return;
	str *all = arena_get(op->arena, (len + 1) * sizeof(*all));
	if (len)
		memcpy(all, n->spec.finalizers.at, len * sizeof(*all));
	all[len] = STR("kubernetes");
	n->spec.finalizers = (struct str_list){all, len + 1};
}

void namespace_prepare_update(struct operation *op, void *now, const void *before)
{
	struct namespace *n = now;
	const struct namespace *old = before;

	if (!str_eq(op->subresource, STR("finalize")))
		n->spec.finalizers = old->spec.finalizers;
	n->status = old->status;
	str_map_set(op->arena, &n->metadata.labels, name_label, n->metadata.name);
}

/* The one range that old clients know is the first of all; where they differ, it is right. */
static void agree_on_ranges(struct operation *op, struct node_spec *s)
{
	bool listed = s->pod_cidrs.len > 0;

	if (!s->pod_cidr.len && listed)
		s->pod_cidr = s->pod_cidrs.at[0];
	if (!s->pod_cidr.len || (listed && str_eq(s->pod_cidrs.at[0], s->pod_cidr)))
		return;
	s->pod_cidrs.at = arena_get(op->arena, sizeof(str));
	s->pod_cidrs.at[0] = s->pod_cidr;
	s->pod_cidrs.len = 1;
}

void node_prepare_create(struct operation *op, void *now)
{
	agree_on_ranges(op, &((struct node *)now)->spec);
}

void node_prepare_update(struct operation *op, void *now, UNUSED const void *before)
{
	agree_on_ranges(op, &((struct node *)now)->spec);
}

/* stringData is write-only. */
static void fold_string_data(struct operation *op, struct secret *s)
{
	for (size_t i = 0; i < s->string_data.len; i++)
		str_map_set(
			op->arena, &s->data, s->string_data.at[i].key, s->string_data.at[i].value);
	s->string_data = (struct str_map){NULL, 0};
}

void secret_prepare_create(struct operation *op, void *now)
{
	fold_string_data(op, now);
}

void secret_prepare_update(struct operation *op, void *now, const void *before)
{
	struct secret *s = now;
	const struct secret *old = before;

	fold_string_data(op, s);
	if (!s->type.len)
		s->type = old->type;
}

void volume_prepare_create(struct operation *op, void *now)
{
	struct persistent_volume *v = now;

	v->status.phase = STR("Pending");
	v->status.last_phase_transition_time = arena_get(
		op->arena, sizeof(*v->status.last_phase_transition_time));
	*v->status.last_phase_transition_time = meta_now(op->registry->o.clock);
}

void claim_prepare_create(struct operation *op, void *now)
{
	struct persistent_volume_claim *c = now;

	(void)op;
	c->status.phase = STR("Pending");
}

/* More requested than allowed can never be used up. */
void resource_quota_warn(struct operation *op, const void *now, const void *before)
{
	static const char *const names[] = {"cpu", "memory", "storage", "ephemeral-storage"};
	const struct quantity_map *hard = &((const struct resource_quota *)now)->spec.hard;

	for (size_t i = 0; !before && i < COUNT_OF(names); i++) {
		str name = arena_fmt(op->arena, "requests.%s", names[i]);
		const struct quantity *request = resource_list_get(hard, name),
				      *limit = resource_list_get(
					      hard, arena_fmt(op->arena, "limits.%s", names[i]));

		if (!request && i < 2) {
			name = str_of(names[i]);
			request = resource_list_get(hard, name);
		}
		if (!request || !limit || quantity_compare(request, limit) <= 0)
			continue;
		str asked = quantity_text(op->arena, request),
		    most = quantity_text(op->arena, limit);

		warnings_add(op->warnings,
			"ResourceQuota %.*s (%.*s) should be less than limits.%s (%.*s)",
			STR_ARG(name), STR_ARG(asked), names[i], STR_ARG(most));
	}
}
