#include "apiserver/bootstrap.h"

#include "api/kinds.h"
#include "apiserver/authorization/bootstrap_policy.h"
#include "apiserver/storage/storage.h"
#include "lib/api/meta.h"
#include "lib/os/net.h"

#include <arpa/inet.h>

static const str namespaces[] = {STR_INIT("kube-system"), STR_INIT("kube-public"),
	STR_INIT("kube-node-lease"), STR_INIT("default")};

static const struct {
	str name;
	int32_t value;
	str description;
} priorities[] = {
	{STR_INIT("system-node-critical"), 2000001000,
		STR_INIT("Used for system critical pods that must not be moved from their current "
			 "node.")},
	{STR_INIT("system-cluster-critical"), 2000000000,
		STR_INIT("Used for system critical pods that must run in the cluster, but can be "
			 "moved to another node if necessary.")},
};

/* The work of one start. */
struct bootstrapping {
	const struct bootstrap_options *o;
	struct arena arena;
	struct user *user;
};

static int make_all(struct bootstrapping *b, struct err *e);
static int make_namespaces(struct bootstrapping *b, struct err *e);
static int make_priorities(struct bootstrapping *b, struct err *e);
static int make_range(struct bootstrapping *b, struct err *e);
static int make_service(struct bootstrapping *b, struct err *e);
static int make_endpoints(struct bootstrapping *b, struct err *e);
static int make_slice(struct bootstrapping *b, struct err *e);
static int make_trust(struct bootstrapping *b, struct err *e);

/* What is to stand there, given what does; the object given to `ensure` is in the setting. */
typedef int next_function(
	struct updater *u, struct arena *a, const void *before, void **next, struct err *e);
static next_function set_object, unite_trust;

/* With `next` NULL, what stands there stays. */
static int ensure(struct bootstrapping *b, const char *group, const char *plural, void *object,
	next_function *next, struct err *e);

int bootstrap(const struct bootstrap_options *o, struct err *e)
{
	struct str_list groups = {(str[]){STR(GROUP_MASTERS)}, 1};
	struct bootstrapping b = {
		.o = o,
		.user = user_new(&(struct user){.name = STR("system:apiserver"), .groups = groups}),
	};

	arena_init(&b.arena, ARENA_NO_LIMIT);
	int result = make_all(&b, e);
	arena_free(&b.arena);
	counted_drop(&b.user->counted);
	return result;
}

str bootstrap_service_address(struct arena *a, str range)
{
	struct net_address at;
	struct err e;

	if (net_address_parse(str_cut(&range, '/'), 0, &at, &e) < 0)
		return STR("");
	uint32_t ip = ntohl(at.v4.sin_addr.s_addr) + 1;
	return arena_fmt(a, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static int make_all(struct bootstrapping *b, struct err *e)
{
	const struct bootstrap_options *o = b->o;

	TRY(make_namespaces(b, e));
	TRY(make_priorities(b, e));
	if (o->rbac)
		TRY(bootstrap_policy_ensure(o->storage, o->clock, o->random, e));
	TRY(make_range(b, e));
	TRY(make_service(b, e));
	TRY(make_endpoints(b, e));
	TRY(make_slice(b, e));
	return make_trust(b, e);
}

static int make_namespaces(struct bootstrapping *b, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(namespaces); i++) {
		struct namespace *n = object_new(&b->arena, api_type(API_NAMESPACE));

		n->metadata.name = namespaces[i];
		TRY(ensure(b, "", "namespaces", n, NULL, e));
	}
	return 0;
}

static int make_priorities(struct bootstrapping *b, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(priorities); i++) {
		struct priority_class *c = object_new(&b->arena, api_type(API_PRIORITY_CLASS));

		c->metadata.name = priorities[i].name;
		c->value = priorities[i].value;
		c->description = priorities[i].description;
		TRY(ensure(b, "scheduling.k8s.io", "priorityclasses", c, NULL, e));
	}
	return 0;
}

static int make_range(struct bootstrapping *b, struct err *e)
{
	struct service_cidr *r = object_new(&b->arena, api_type(API_SERVICE_CIDR));

	r->metadata.name = STR("kubernetes");
	r->spec.cidrs.at = arena_get(&b->arena, sizeof(str));
	r->spec.cidrs.at[0] = b->o->service_cluster_ip_range;
	r->spec.cidrs.len = 1;
	return ensure(b, "networking.k8s.io", "servicecidrs", r, NULL, e);
}

static int make_service(struct bootstrapping *b, struct err *e)
{
	struct service *s = object_new(&b->arena, api_type(API_SERVICE));
	struct service_port *p = arena_get(&b->arena, sizeof(*p));

	s->metadata.name = STR("kubernetes");
	s->metadata.namespace = STR("default");
	str_map_set(&b->arena, &s->metadata.labels, STR("provider"), STR("kubernetes"));
	str_map_set(&b->arena, &s->metadata.labels, STR("component"), STR("apiserver"));
	p->name = STR("https");
	p->port = 443;
	p->protocol = STR("TCP");
	p->target_port.number = b->o->secure_port;
	s->spec.ports.at = p;
	s->spec.ports.len = 1;
	s->spec.type = STR("ClusterIP");
	s->spec.session_affinity = STR("None");
	s->spec.cluster_ip = bootstrap_service_address(&b->arena, b->o->service_cluster_ip_range);
	return ensure(b, "", "services", s, NULL, e);
}

static int make_endpoints(struct bootstrapping *b, struct err *e)
{
	struct endpoints *p = object_new(&b->arena, api_type(API_ENDPOINTS));
	struct endpoint_subset *s = arena_get(&b->arena, sizeof(*s));

	p->metadata.name = STR("kubernetes");
	p->metadata.namespace = STR("default");
	str_map_set(&b->arena, &p->metadata.labels, STR("endpointslice.kubernetes.io/skip-mirror"),
		STR("true"));
	s->addresses.at = arena_get(&b->arena, sizeof(*s->addresses.at));
	s->addresses.at[0].ip = b->o->advertise_address;
	s->addresses.len = 1;
	s->ports.at = arena_get(&b->arena, sizeof(*s->ports.at));
	s->ports.at[0].name = STR("https");
	s->ports.at[0].port = b->o->secure_port;
	s->ports.at[0].protocol = STR("TCP");
	s->ports.len = 1;
	p->subsets.at = s;
	p->subsets.len = 1;
	return ensure(b, "", "endpoints", p, set_object, e);
}

static int make_slice(struct bootstrapping *b, struct err *e)
{
	struct slice_endpoint_slice *s = object_new(&b->arena, api_type(API_SLICE_ENDPOINT_SLICE));
	struct slice_endpoint *p = arena_get(&b->arena, sizeof(*p));
	struct slice_endpoint_port *port = arena_get(&b->arena, sizeof(*port));
	str *texts = arena_get(&b->arena, 3 * sizeof(*texts));

	s->metadata.name = STR("kubernetes");
	s->metadata.namespace = STR("default");
	str_map_set(&b->arena, &s->metadata.labels, STR("kubernetes.io/service-name"),
		STR("kubernetes"));
	s->address_type = STR("IPv4");
	texts[0] = b->o->advertise_address;
	texts[1] = STR("https");
	texts[2] = STR("TCP");
	p->addresses = (struct str_list){&texts[0], 1};
	p->conditions.ready = arena_bool(&b->arena, true);
	port->name = &texts[1];
	port->protocol = &texts[2];
	port->port = arena_i32(&b->arena, b->o->secure_port);
	s->endpoints.at = p;
	s->endpoints.len = 1;
	s->ports.at = port;
	s->ports.len = 1;
	return ensure(b, "discovery.k8s.io", "endpointslices", s, set_object, e);
}

static int make_trust(struct bootstrapping *b, struct err *e)
{
	struct config_map *m = object_new(&b->arena, api_type(API_CONFIG_MAP));

	m->metadata.name = STR("extension-apiserver-authentication");
	m->metadata.namespace = STR("kube-system");
	return ensure(b, "", "configmaps", m, unite_trust, e);
}

/* An object to put in the place of whatever is there. */
struct setting {
	struct updater updater;
	const struct bootstrapping *bootstrapping;
	void *object;
};

/* What stands there keeps what it has been given: addresses above all. */
static bool is_there(struct bootstrapping *b, const struct resource *r, const struct object_meta *m)
{
	struct stored *o = storage_get(b->o->storage, r, m->namespace, m->name);

	if (o)
		counted_drop(&o->counted);
	return o != NULL;
}

static int ensure(struct bootstrapping *b, const char *group, const char *plural, void *object,
	next_function *next, struct err *e)
{
	struct object_meta *m = meta_of(object);
	struct warnings warnings = {.arena = &b->arena};
	struct operation op = {
		.registry = b->o->registry,
		.arena = &b->arena,
		.resource = resource_find(str_of(group), STR("v1"), str_of(plural)),
		.subresource = STR(""),
		.ns = m->namespace.at ? m->namespace : STR(""),
		.user = b->user,
		.warnings = &warnings,
	};
	struct setting setting = {.updater = {next, true}, .bootstrapping = b, .object = object};
	void *made, *options = object_new(&b->arena, api_type(API_CREATE_OPTIONS));
	bool created;
	int result;

	if (!next && is_there(b, op.resource, m))
		return 0;
	object_default(&b->arena, object);
	if (next) {
		op.name = m->name;
		options = object_new(&b->arena, api_type(API_UPDATE_OPTIONS));
		result = registry_update(&op, &setting.updater, options, &made, &created, e);
	} else {
		result = registry_create(&op, object, options, &made, e);
	}
	operation_end(&op);
	if (result < 0 && e->kind == ERR_EXISTS)
		return 0;
	return result < 0 ? err_context(e, "making %s %.*s", plural, STR_ARG(m->name)) : 0;
}

static int set_object(
	struct updater *u, struct arena *a, const void *before, void **next, struct err *e)
{
	const struct setting *s = CONTAINER_OF(u, struct setting, updater);

	(void)before, (void)e;
	*next = object_copy(a, s->object, false);
	return 0;
}

static int unite_trust(
	struct updater *u, struct arena *a, const void *before, void **next, struct err *e)
{
	const struct setting *s = CONTAINER_OF(u, struct setting, updater);
	const struct bootstrap_options *o = s->bootstrapping->o;
	struct config_map *m = object_copy(a, before ? before : s->object, false);
	const struct config_map *old = before;

	(void)e;
	m->data = (struct str_map){NULL, 0};
	trust_unite(a, &o->trust, old ? &old->data : NULL, o->clock->wall_ns(o->clock) / NS_PER_S,
		&m->data);
	*next = m;
	return 0;
}
