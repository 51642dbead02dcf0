#include "controller-manager/discovery.h"

#include <stdlib.h>

#define ACCEPT_DISCOVERY STR("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
#define ACCEPT_METADATA \
	STR("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
#define ACCEPT_METADATA_LIST \
	STR("application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")

struct verb_row {
	str name;
	unsigned verb;
};

static const struct verb_row verbs[] = {
	{STR_INIT("create"), VERB_CREATE},
	{STR_INIT("delete"), VERB_DELETE},
	{STR_INIT("deletecollection"), VERB_DELETECOLLECTION},
	{STR_INIT("get"), VERB_GET},
	{STR_INIT("list"), VERB_LIST},
	{STR_INIT("patch"), VERB_PATCH},
	{STR_INIT("update"), VERB_UPDATE},
	{STR_INIT("watch"), VERB_WATCH},
};

static unsigned verbs_of(const struct str_list *names)
{
	unsigned all = 0;

	for (size_t i = 0; i < names->len; i++) {
		for (size_t v = 0; v < COUNT_OF(verbs); v++)
			all |= str_eq(verbs[v].name, names->at[i]) ? verbs[v].verb : 0;
	}
	return all;
}

static bool is_there(const struct discovered *d, str group, str plural)
{
	for (size_t i = 0; i < d->len; i++) {
		if (str_eq(d->at[i].plural, plural) && str_eq(d->at[i].group, group))
			return true;
	}
	return false;
}

static void add_version(struct arena *a, struct discovered *d, size_t *cap, str group,
	const struct discovery_api_version_discovery *v)
{
	for (size_t i = 0; i < v->resources.len; i++) {
		const struct discovery_api_resource_discovery *r = &v->resources.at[i];
		void *at = d->at;

		if (is_there(d, group, r->resource) || !r->response_kind)
			continue;
		if (arena_grow(a, &at, d->len, cap, sizeof(*d->at)) < 0)
			abort();
		d->at = at;
		d->at[d->len++] = (struct resource){
			.group = group,
			.version = v->version,
			.plural = r->resource,
			.singular = r->singular_resource,
			.kind = r->response_kind->kind,
			.verbs = verbs_of(&r->verbs),
			.namespaced = str_eq(r->scope, STR("Namespaced")),
		};
	}
}

static int add_path(struct client *c, struct arena *a, str path, struct discovered *d, size_t *cap,
	struct err *e)
{
	const struct client_request r = {
		.method = STR("GET"), .path = path, .accept = ACCEPT_DISCOVERY};
	void *found;
	str answer;

	TRY(client_raw(c, a, &r, &answer, e));
	TRY(object_decode(a, api_type(API_DISCOVERY_API_GROUP_DISCOVERY_LIST), FORMAT_JSON, answer,
		&found, NULL, e));
	const struct discovery_api_group_discovery_list *l = found;

	for (size_t g = 0; g < l->items.len; g++) {
		str group = l->items.at[g].metadata.name;

		for (size_t v = 0; v < l->items.at[g].versions.len; v++) {
			const struct discovery_api_version_discovery *one =
				&l->items.at[g].versions.at[v];

			if (str_eq(one->freshness, STR("Stale"))) {
				d->failing = arena_fmt(a, "%.*s%s%.*s/%.*s", STR_ARG(d->failing),
					d->failing_count > 0 ? ", " : "", STR_ARG(group),
					STR_ARG(one->version));
				d->failing_count++;
			}
			add_version(a, d, cap, group, one);
		}
	}
	return 0;
}

int discover(struct client *c, struct arena *a, struct discovered *to, struct err *e)
{
	struct discovered d = {.failing = STR("")};
	size_t cap = 0;

	TRY(add_path(c, a, STR("/api"), &d, &cap, e));
	TRY(add_path(c, a, STR("/apis"), &d, &cap, e));
	*to = d;
	return 0;
}

static int ask(struct client *c, struct arena *a, struct target t, str accept, enum api_type type,
	void **to, struct err *e)
{
	const struct client_request r = {
		.method = STR("GET"), .path = client_path(a, t), .accept = accept};
	str answer;

	TRY(client_raw(c, a, &r, &answer, e));
	return object_decode(a, api_type(type), FORMAT_PROTOBUF, answer, to, NULL, e);
}

int list_metadata(struct client *c, struct arena *a, const struct resource *r, str ns,
	struct partial_object_metadata_list **to, struct err *e)
{
	const struct target t = {.resource = r, .ns = ns};
	void *found;

	TRY(ask(c, a, t, ACCEPT_METADATA_LIST, API_PARTIAL_OBJECT_METADATA_LIST, &found, e));
	*to = found;
	return 0;
}

int get_metadata(struct client *c, struct arena *a, struct target t,
	struct partial_object_metadata **to, struct err *e)
{
	void *found;

	TRY(ask(c, a, t, ACCEPT_METADATA, API_PARTIAL_OBJECT_METADATA, &found, e));
	*to = found;
	return 0;
}
