/*
 * Resources of a pod as a whole, from what its containers ask for: the sum of the containers, or
 * what the start takes at most, if that is more. Init containers that go on (restartPolicy Always)
 * count from their start to the end.
 */
#include "lib/api/defaults/defaults.h"

/* Which of a container's maps is summed. */
typedef const struct quantity_map *chosen_map(const struct container *c);

static const struct quantity_map *requests_of(const struct container *c)
{
	return &c->resources.requests;
}

static const struct quantity_map *limits_of(const struct container *c)
{
	return &c->resources.limits;
}

static bool is_huge_page(str name)
{
	return str_starts(name, STR("hugepages-"));
}

static bool is_pod_level(str name)
{
	return str_eq(name, STR("cpu")) || str_eq(name, STR("memory")) || is_huge_page(name);
}

/* A sum past 38 digits stays what it was; validation refuses such quantities. */
static void add(struct quantity *to, const struct quantity *more)
{
	(void)!quantity_add(to, more);
}

static void add_from(struct quantity *to, bool *found, const struct quantity_map *map, str name)
{
	const struct quantity *q = quantity_map_get(map, name);

	if (q)
		add(to, q);
	*found |= q != NULL;
}

static bool goes_on(const struct container *c)
{
	return c->restart_policy && str_eq(*c->restart_policy, STR("Always"));
}

/* What the containers need together of one resource; false if none names it. */
static bool aggregate(const struct pod_spec *spec, chosen_map *of, str name, struct quantity *to)
{
	struct quantity running = {0}, sum = {0}, peak = {0};
	bool found = false;

	for (size_t i = 0; i < spec->containers.len; i++)
		add_from(&sum, &found, of(&spec->containers.at[i]), name);
	for (size_t i = 0; i < spec->init_containers.len; i++) {
		const struct container *c = &spec->init_containers.at[i];
		struct quantity now = running;

		add_from(&now, &found, of(c), name);
		if (goes_on(c)) {
			add_from(&sum, &found, of(c), name);
			running = now;
		}
		if (quantity_compare(&now, &peak) > 0)
			peak = now;
	}
	*to = quantity_compare(&peak, &sum) > 0 ? peak : sum;
	return found;
}

static void set(struct arena *a, struct quantity_map *map, str name, const struct quantity *q)
{
	struct quantity_entry entry = {.key = name, .value = *q};
	struct quantity_map one = {&entry, 1};

	default_quantities(a, map, &one);
}

/* Adds the aggregate of each resource that the containers' map names, that `wanted` accepts and
 * that is in neither map yet. */
static void aggregate_all(struct arena *a, const struct pod_spec *spec, chosen_map *of,
	bool (*wanted)(str name), const struct quantity_map *given, struct quantity_map *to)
{
	for (size_t i = 0; i < spec->containers.len + spec->init_containers.len; i++) {
		const struct container *c = i < spec->containers.len
			? &spec->containers.at[i]
			: &spec->init_containers.at[i - spec->containers.len];

		for (size_t k = 0; k < of(c)->len; k++) {
			str name = of(c)->at[k].key;
			struct quantity q;

			if (!wanted(name) || quantity_map_get(given, name) ||
				quantity_map_get(to, name))
				continue;
			if (aggregate(spec, of, name, &q))
				set(a, to, name, &q);
		}
	}
}

static bool is_pod_level_overcommit(str name)
{
	return is_pod_level(name) && !is_huge_page(name);
}

void default_pod_resources(struct arena *a, struct pod *pod)
{
	struct resource_requirements *r = pod->spec.resources;

	if (r->limits.len == 0 && r->requests.len == 0)
		return;
	aggregate_all(a, &pod->spec, limits_of, is_huge_page, &r->requests, &r->limits);
	if (r->limits.len == 0)
		return;
	aggregate_all(
		a, &pod->spec, requests_of, is_pod_level_overcommit, &r->requests, &r->requests);
	for (size_t i = 0; i < r->limits.len; i++)
		if (is_pod_level(r->limits.at[i].key))
			set(a, &r->requests, r->limits.at[i].key, &r->limits.at[i].value);
}
