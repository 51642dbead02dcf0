/*
 * APIServices that nobody has to make: kube-aggregator/pkg/controllers/autoregister and
 * pkg/controlplane/controller/crdregistration.
 */
#include "apiserver/aggregator/state.h"

#include "api/kinds.h"
#include "lib/api/meta.h"

#define MANAGED_LABEL "kube-aggregator.kubernetes.io/automanaged"

enum { CUSTOM_GROUP_PRIORITY = 1000, CUSTOM_VERSION_PRIORITY = 100, REGISTER_S = 30 };

static const struct {
	str group, version;
	struct priority priority;
} built_in[] = {
	{STR_INIT(""), STR_INIT("v1"), {18000, 1}},
	{STR_INIT("admissionregistration.k8s.io"), STR_INIT("v1"), {16700, 15}},
	{STR_INIT("apiextensions.k8s.io"), STR_INIT("v1"), {16700, 15}},
	{STR_INIT("apps"), STR_INIT("v1"), {17800, 15}},
	{STR_INIT("authentication.k8s.io"), STR_INIT("v1"), {17700, 15}},
	{STR_INIT("authorization.k8s.io"), STR_INIT("v1"), {17600, 15}},
	{STR_INIT("autoscaling"), STR_INIT("v1"), {17500, 15}},
	{STR_INIT("autoscaling"), STR_INIT("v2"), {17500, 30}},
	{STR_INIT("batch"), STR_INIT("v1"), {17400, 15}},
	{STR_INIT("certificates.k8s.io"), STR_INIT("v1"), {17300, 15}},
	{STR_INIT("coordination.k8s.io"), STR_INIT("v1"), {16500, 15}},
	{STR_INIT("discovery.k8s.io"), STR_INIT("v1"), {16200, 15}},
	{STR_INIT("events.k8s.io"), STR_INIT("v1"), {17750, 15}},
	{STR_INIT("flowcontrol.apiserver.k8s.io"), STR_INIT("v1"), {16100, 21}},
	{STR_INIT("networking.k8s.io"), STR_INIT("v1"), {17200, 15}},
	{STR_INIT("node.k8s.io"), STR_INIT("v1"), {16300, 15}},
	{STR_INIT("policy"), STR_INIT("v1"), {17100, 15}},
	{STR_INIT("rbac.authorization.k8s.io"), STR_INIT("v1"), {17000, 15}},
	{STR_INIT("resource.k8s.io"), STR_INIT("v1"), {16200, 21}},
	{STR_INIT("scheduling.k8s.io"), STR_INIT("v1"), {16600, 15}},
	{STR_INIT("storage.k8s.io"), STR_INIT("v1"), {16800, 15}},
};

struct priority aggregation_priority(const struct aggregation *n, str group, str version)
{
	const struct aggregated *s = aggregation_find(n, group, version);

	/* Upstream shows its own group in front of all and has no APIService for it. */
	if (str_eq(group, STR("apiregistration.k8s.io")))
		return (struct priority){20000, 100};
	if (s)
		return (struct priority){s->group_priority, s->version_priority};
	for (size_t i = 0; i < COUNT_OF(built_in); i++)
		if (str_eq(built_in[i].group, group) && str_eq(built_in[i].version, version))
			return built_in[i].priority;
	return (struct priority){CUSTOM_GROUP_PRIORITY, CUSTOM_VERSION_PRIORITY};
}

/* What one pass wants to be there. */
struct registration {
	struct aggregator *aggregator;
	struct arena arena;
	str *wanted;
	size_t count;
};

static bool is_served(str group, str version)
{
	for (size_t i = 0; i < api_resource_count; i++)
		if (str_eq(api_resources[i].group, group) &&
			str_eq(api_resources[i].version, version) &&
			registry_serves(&api_resources[i]))
			return true;
	return false;
}

static int create(struct registration *p, struct apiregistration_api_service *s, struct err *e)
{
	struct aggregator *g = p->aggregator;
	struct warnings warnings = {.arena = &p->arena};
	struct operation op = {.registry = g->o.registry,
		.arena = &p->arena,
		.resource = g->resource,
		.subresource = STR(""),
		.ns = STR(""),
		.user = g->user,
		.deadline_ns = g->o.clock->monotonic_ns(g->o.clock) + REGISTER_S * NS_PER_S,
		.warnings = &warnings};
	void *made, *options = object_new(&p->arena, api_type(API_CREATE_OPTIONS));
	int result = registry_create(&op, s, options, &made, e);

	operation_end(&op);
	return result < 0 && e->kind != ERR_EXISTS ? -1 : 0;
}

/* Somebody else was quicker: his event brings us here again. */
static int settle(struct stored *current, int result, const struct err *e)
{
	if (current)
		counted_drop(&current->counted);
	return result < 0 && e->kind != ERR_CONFLICT ? -1 : 0;
}

static bool same_spec(const struct apiregistration_api_service_spec *one,
	const struct apiregistration_api_service_spec *other)
{
	return !one->service && str_eq(one->group, other->group) &&
		str_eq(one->version, other->version) &&
		one->group_priority_minimum == other->group_priority_minimum &&
		one->version_priority == other->version_priority;
}

/* One that carries our label is ours to put right. */
static int put_right(struct registration *p, struct stored *o,
	const struct apiregistration_api_service *wanted, struct err *e)
{
	struct apiregistration_api_service *s;
	struct stored *current = NULL;
	int64_t revision;
	void *decoded;

	if (!str_eq(str_map_get(o->labels, STR(MANAGED_LABEL)),
		    str_map_get(&wanted->metadata.labels, STR(MANAGED_LABEL))))
		return 0;
	TRY(stored_decode(&p->arena, o, &decoded, e));
	s = decoded;
	if (same_spec(&s->spec, &wanted->spec))
		return 0;
	s->spec = wanted->spec;
	int result = storage_update(p->aggregator->o.storage, o, s, 0, &revision, &current, e);

	return settle(current, result, e);
}

static int want(struct registration *p, str group, str version, struct priority priority,
	const char *how, struct err *e)
{
	struct aggregator *g = p->aggregator;
	struct apiregistration_api_service *s = object_new(
		&p->arena, api_type(API_APIREGISTRATION_API_SERVICE));
	int result;

	s->metadata.name = arena_fmt(&p->arena, "%.*s.%.*s", STR_ARG(version), STR_ARG(group));
	for (size_t i = 0; i < p->count; i++)
		if (str_eq(p->wanted[i], s->metadata.name))
			return 0;
	p->wanted[p->count++] = s->metadata.name;
	str_map_set(&p->arena, &s->metadata.labels, STR(MANAGED_LABEL), str_of(how));
	s->spec.group = group;
	s->spec.version = version;
	s->spec.group_priority_minimum = priority.group;
	s->spec.version_priority = priority.version;
	struct stored *o = storage_get(g->o.storage, g->resource, (str){NULL, 0}, s->metadata.name);

	if (!o)
		return create(p, s, e);
	result = put_right(p, o, s, e);
	counted_drop(&o->counted);
	return result;
}

/* What is labelled as ours and not wanted any more. */
static int remove_rest(struct registration *p, bool starting, struct err *e)
{
	struct storage *s = p->aggregator->o.storage;
	int64_t revision;
	struct snapshot *n = storage_snapshot(s, p->aggregator->resource, &revision);
	struct snapshot_walk w = snapshot_walk(n, (str){NULL, 0}, (str){NULL, 0});
	const struct stored *o;
	int result = 0;

	while (result == 0 && (o = snapshot_next(&w))) {
		str how = str_map_get(o->labels, STR(MANAGED_LABEL));
		bool ours = str_eq(how, STR("true")) || (starting && str_eq(how, STR("onstart")));
		struct stored *current = NULL;

		for (size_t i = 0; ours && i < p->count; i++)
			ours = !str_eq(p->wanted[i], o->name);
		if (!ours)
			continue;
		result = storage_delete(s, o, &revision, &current, e);
		result = settle(current, result, e);
	}
	snapshot_drop(n);
	return result;
}

static int run(struct registration *p, const struct catalog *c, bool starting, struct err *e)
{
	const struct priority custom = {CUSTOM_GROUP_PRIORITY, CUSTOM_VERSION_PRIORITY};

	p->wanted = arena_get(&p->arena, (COUNT_OF(built_in) + c->count) * sizeof(str));
	for (size_t i = 0; starting && i < COUNT_OF(built_in); i++)
		if (is_served(built_in[i].group, built_in[i].version))
			TRY(want(p, built_in[i].group, built_in[i].version, built_in[i].priority,
				"onstart", e));
	for (size_t i = 0; i < c->count; i++)
		TRY(want(p, c->rows[i]->group, c->rows[i]->version, custom, "true", e));
	return remove_rest(p, starting, e);
}

int register_all(struct aggregator *g, bool starting, struct err *e)
{
	struct registration p = {.aggregator = g};
	struct catalog *c = extensions_catalog(g->o.extensions);

	arena_init(&p.arena, ARENA_NO_LIMIT);
	int result = run(&p, c, starting, e);

	arena_free(&p.arena);
	counted_drop(&c->counted);
	return result;
}
