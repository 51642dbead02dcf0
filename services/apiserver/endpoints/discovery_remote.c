#include "apiserver/endpoints/discovery_remote.h"

static struct group_version_kind *kind_of(
	struct arena *a, const struct aggregated *s, const struct api_resource *r)
{
	struct group_version_kind *k = arena_get(a, sizeof(*k));

	k->group = r->group.len ? r->group : s->group;
	k->version = r->version.len ? r->version : s->version;
	k->kind = r->kind;
	return k;
}

/* Subresources stand beside what they belong to: "boats/status". */
static void add_subs(
	struct arena *a, const struct aggregated *s, struct discovery_api_resource_discovery *to)
{
	const struct api_resource_list *list = s->resources;

	to->subresources.at = arena_get(
		a, (list->resources.len + 1) * sizeof(struct discovery_api_subresource_discovery));
	for (size_t i = 0; i < list->resources.len; i++) {
		const struct api_resource *r = &list->resources.at[i];
		str rest = r->name;

		if (!str_eq(str_cut(&rest, '/'), to->resource) || !rest.at)
			continue;
		to->subresources.at[to->subresources.len++] =
			(struct discovery_api_subresource_discovery){.subresource = rest,
				.response_kind = kind_of(a, s, r),
				.verbs = r->verbs.items};
	}
}

struct discovery_api_version_discovery discovery_of_remote(
	struct arena *a, const struct aggregated *s)
{
	struct discovery_api_version_discovery v = {
		.version = s->version, .freshness = s->available ? STR("Current") : STR("Stale")};
	const struct api_resource_list *list = s->resources;

	if (!list)
		return v;
	v.resources.at = arena_get(
		a, (list->resources.len + 1) * sizeof(struct discovery_api_resource_discovery));
	for (size_t i = 0; i < list->resources.len; i++) {
		const struct api_resource *r = &list->resources.at[i];

		if (str_find_char(r->name, '/') >= 0)
			continue;
		struct discovery_api_resource_discovery *to = &v.resources.at[v.resources.len++];

		*to = (struct discovery_api_resource_discovery){.resource = r->name,
			.response_kind = kind_of(a, s, r),
			.scope = r->namespaced ? STR("Namespaced") : STR("Cluster"),
			.singular_resource = r->singular_name,
			.verbs = r->verbs.items,
			.short_names = r->short_names,
			.categories = r->categories};
		add_subs(a, s, to);
	}
	return v;
}
