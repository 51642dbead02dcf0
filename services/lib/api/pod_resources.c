#include "lib/api/pod_resources.h"

#include "lib/api/pod.h"

struct totals {
	struct arena *arena;
	const struct pod_status *status; /* NULL: specs alone count */
	enum pod_resource_kind kind;
	bool infeasible; /* the resize that is asked for will not come */
};

static struct quantity_map sum(const struct totals *t, const struct pod_spec *s);
static const struct quantity_map *chosen(
	const struct resource_requirements *r, enum pod_resource_kind kind);

struct quantity_map pod_resources_of_containers(
	struct arena *a, const struct pod_spec *s, enum pod_resource_kind kind)
{
	const struct totals t = {.arena = a, .kind = kind};

	return sum(&t, s);
}

bool pod_resource_is_pod_level(str name)
{
	return str_eq(name, STR("cpu")) || str_eq(name, STR("memory")) ||
		str_starts(name, STR("hugepages-"));
}

bool pod_resources_at_pod_level(const struct pod *p)
{
	for (int kind = POD_REQUESTS; p->spec.resources && kind <= POD_LIMITS; kind++) {
		const struct quantity_map *m = chosen(p->spec.resources, kind);

		for (size_t i = 0; i < m->len; i++)
			if (pod_resource_is_pod_level(m->at[i].key))
				return true;
	}
	return false;
}

struct quantity_map pod_resources(struct arena *a, const struct pod *p, enum pod_resource_kind kind)
{
	const struct pod_condition *resize = pod_condition(p, STR("PodResizePending"));
	const struct totals t = {.arena = a,
		.status = &p->status,
		.kind = kind,
		.infeasible = resize && str_eq(resize->reason, STR("Infeasible"))};
	struct quantity_map all = sum(&t, &p->spec);

	if (p->spec.resources) {
		const struct quantity_map *own = chosen(p->spec.resources, kind);

		for (size_t i = 0; i < own->len; i++)
			if (pod_resource_is_pod_level(own->at[i].key))
				resource_list_set(a, &all, own->at[i].key, own->at[i].value);
	}
	if (kind == POD_REQUESTS)
		return resource_list_add(a, &all, &p->spec.overhead);
	const struct quantity_map nothing = {0};
	struct quantity_map limited = resource_list_excess(a, &all, &nothing),
			    overhead = resource_list_mask(a, &p->spec.overhead, &limited);

	return resource_list_add(a, &all, &overhead);
}

static const struct quantity_map *chosen(
	const struct resource_requirements *r, enum pod_resource_kind kind)
{
	return kind == POD_REQUESTS ? &r->requests : &r->limits;
}

static bool goes_on(const struct container *c)
{
	return c->restart_policy && str_eq(*c->restart_policy, STR("Always"));
}

static const struct container_status *status_of(const struct pod_status *s, str name)
{
	for (size_t i = 0; i < s->container_statuses.len; i++)
		if (str_eq(s->container_statuses.at[i].name, name))
			return &s->container_statuses.at[i];
	for (size_t i = 0; i < s->init_container_statuses.len; i++)
		if (str_eq(s->init_container_statuses.at[i].name, name))
			return &s->init_container_statuses.at[i];
	return NULL;
}

/* What counts of one container. */
static struct quantity_map effective(const struct totals *t, const struct container *c, bool init)
{
	struct quantity_map spec = *chosen(&c->resources, t->kind);
	const struct container_status *s = t->status && (!init || goes_on(c))
		? status_of(t->status, c->name)
		: NULL;

	if (!s || !s->resources)
		return spec;
	struct quantity_map real = *chosen(s->resources, t->kind);

	if (t->kind == POD_REQUESTS)
		real = resource_list_max(t->arena, &real, &s->allocated_resources);
	return t->infeasible ? real : resource_list_max(t->arena, &spec, &real);
}

static struct quantity_map sum(const struct totals *t, const struct pod_spec *s)
{
	struct quantity_map all = {0}, sidecars = {0}, peak = {0};

	for (size_t i = 0; i < s->containers.len; i++) {
		struct quantity_map own = effective(t, &s->containers.at[i], false);

		all = resource_list_add(t->arena, &all, &own);
	}
	for (size_t i = 0; i < s->init_containers.len; i++) {
		const struct container *c = &s->init_containers.at[i];
		struct quantity_map own = effective(t, c, true),
				    now = resource_list_add(t->arena, &sidecars, &own);

		if (goes_on(c)) {
			all = resource_list_add(t->arena, &all, &own);
			sidecars = now;
		}
		peak = resource_list_max(t->arena, &peak, &now);
	}
	return resource_list_max(t->arena, &all, &peak);
}
