/*
 * Resources of a pod as a whole, where it gives some of them, from what its containers ask for.
 */
#include "lib/api/pod_resources.h"

#include "lib/api/defaults/defaults.h"

/* Adds what the containers together have of each resource that `given` and `to` lack. */
static void fill(struct arena *a, const struct pod_spec *spec, enum pod_resource_kind kind,
	bool huge_pages, const struct quantity_map *given, struct quantity_map *to)
{
	struct quantity_map all = pod_resources_of_containers(a, spec, kind);

	for (size_t i = 0; i < all.len; i++) {
		str name = all.at[i].key;

		if (pod_resource_is_pod_level(name) &&
			str_starts(name, STR("hugepages-")) == huge_pages &&
			!resource_list_get(given, name) && !resource_list_get(to, name))
			resource_list_set(a, to, name, all.at[i].value);
	}
}

void default_pod_resources(struct arena *a, struct pod *pod)
{
	struct resource_requirements *r = pod->spec.resources;

	if (r->limits.len == 0 && r->requests.len == 0)
		return;
	fill(a, &pod->spec, POD_LIMITS, true, &r->requests, &r->limits);
	if (r->limits.len == 0)
		return;
	fill(a, &pod->spec, POD_REQUESTS, false, &r->requests, &r->requests);
	for (size_t i = 0; i < r->limits.len; i++)
		if (pod_resource_is_pod_level(r->limits.at[i].key) &&
			!resource_list_get(&r->requests, r->limits.at[i].key))
			resource_list_set(
				a, &r->requests, r->limits.at[i].key, r->limits.at[i].value);
}
