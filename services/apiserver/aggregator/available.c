/*
 * Whether API servers behind Services answer: kube-aggregator/pkg/controllers/status/remote.
 */
#include "apiserver/aggregator/state.h"

#include "api/kinds.h"
#include "lib/api/meta.h"
#include "lib/base/log.h"

#include <stdlib.h>

enum {
	CHECK_S = 5,
	CHECK_EVERY_S = 30,
	RETRY_FIRST_MS = 250,
	RETRY_DOUBLINGS = 7,
	CHECKS_AT_ONCE = 32,
	CHECK_MEMORY_MAX = 64 << 20,
	RESOURCES_BYTES_MAX = 4 << 20,
};

/* One pass over one of them. */
struct check {
	struct aggregator *aggregator;
	struct backend *backend;
	struct arena arena;
	struct stored *stored; /* a reference */
	struct apiregistration_api_service *service;
	struct apiregistration_api_service_condition found;
	struct callout callout;
	bool asked;
};

static void say(struct check *k, const char *status, const char *reason, str message)
{
	k->found = (struct apiregistration_api_service_condition){.type = STR("Available"),
		.status = str_of(status),
		.reason = str_of(reason),
		.message = message};
}

/* --- what can be seen without asking */

static struct service *read_service(struct check *k)
{
	const struct apiregistration_service_reference *to = k->service->spec.service;
	struct stored *o = storage_get(k->aggregator->o.storage,
		resource_find(STR(""), STR("v1"), STR("services")), to->namespace, to->name);
	void *found = NULL;
	struct err e;

	if (!o)
		return NULL;
	str envelope = arena_str(&k->arena, o->envelope);

	counted_drop(&o->counted);
	if (object_decode(&k->arena, api_type(API_SERVICE), FORMAT_PROTOBUF, envelope, &found, NULL,
		    &e) < 0)
		log_warning("service %.*s: %s", STR_ARG(to->name), e.text);
	return found;
}

static bool slice_serves(const struct slice_endpoint_slice *s, str port)
{
	bool ready = false, named = false;

	for (size_t i = 0; i < s->endpoints.len; i++)
		ready |= !s->endpoints.at[i].conditions.ready ||
			*s->endpoints.at[i].conditions.ready;
	for (size_t i = 0; i < s->ports.len; i++)
		named |= s->ports.at[i].name && s->ports.at[i].port &&
			str_eq(*s->ports.at[i].name, port);
	return ready && named;
}

/* How many slices there are, and whether one of them serves the port. */
static size_t look_at_slices(struct check *k, str port, bool *serves)
{
	const struct apiregistration_service_reference *to = k->service->spec.service;
	const struct resource *r = resource_find(
		STR("discovery.k8s.io"), STR("v1"), STR("endpointslices"));
	int64_t revision;
	struct snapshot *n = storage_snapshot(k->aggregator->o.storage, r, &revision);
	struct snapshot_walk w = snapshot_walk(n, to->namespace, (str){NULL, 0});
	const struct stored *o;
	size_t count = 0;

	*serves = false;
	while ((o = snapshot_next(&w))) {
		struct err ignored;
		void *slice;

		if (!str_eq(str_map_get(o->labels, STR("kubernetes.io/service-name")), to->name))
			continue;
		count++;
		if (object_decode(&k->arena, api_type(API_SLICE_ENDPOINT_SLICE), FORMAT_PROTOBUF,
			    o->envelope, &slice, NULL, &ignored) == 0)
			*serves |= slice_serves(slice, port);
	}
	snapshot_drop(n);
	return count;
}

/* False with the condition set. */
static bool has_endpoints(struct check *k, const struct service *s)
{
	const struct apiregistration_service_reference *to = k->service->spec.service;
	int32_t wanted = to->port ? *to->port : 443;
	const struct service_port *port = NULL;
	struct arena *a = &k->arena;
	bool serves;

	for (size_t i = 0; i < s->spec.ports.len && !port; i++)
		if (s->spec.ports.at[i].port == wanted)
			port = &s->spec.ports.at[i];
	if (!port) {
		say(k, "False", "ServicePortError",
			arena_fmt(a, "service/%.*s in \"%.*s\" is not listening on port %d",
				STR_ARG(to->name), STR_ARG(to->namespace), wanted));
		return false;
	}
	if (look_at_slices(k, port->name, &serves) == 0) {
		say(k, "False", "EndpointsNotFound",
			arena_fmt(a, "cannot find endpointslices for service/%.*s in \"%.*s\"",
				STR_ARG(to->name), STR_ARG(to->namespace)));
		return false;
	}
	if (!serves)
		say(k, "False", "MissingEndpoints",
			arena_fmt(a,
				"endpointslices for service/%.*s in \"%.*s\" have no addresses "
				"with port name \"%.*s\"",
				STR_ARG(to->name), STR_ARG(to->namespace), STR_ARG(port->name)));
	return serves;
}

static bool has_service(struct check *k)
{
	const struct apiregistration_service_reference *to = k->service->spec.service;
	const struct service *s = read_service(k);

	if (!s) {
		say(k, "False", "ServiceNotFound",
			arena_fmt(&k->arena, "service/%.*s in \"%.*s\" is not present",
				STR_ARG(to->name), STR_ARG(to->namespace)));
		return false;
	}
	return !str_eq(s->spec.type, STR("ClusterIP")) || has_endpoints(k, s);
}

/* --- asking */

/* Connections of the proxy are made with this; a new one when the CA has changed. */
static int make_tls(struct check *k, struct err *e)
{
	const struct aggregator_options *o = &k->aggregator->o;
	struct backend *b = k->backend;
	str ca = k->service->spec.ca_bundle;
	struct tls_options t = {
		.cert_pem = o->cert_pem, .key_pem = o->key_pem, .protocols = TLS_HTTP1 | TLS_HTTP2};
	struct cert_roots *roots;

	if (b->tls && str_eq(b->ca_pem, ca))
		return 0;
	if (b->tls)
		tls_context_drop(b->tls);
	b->tls = NULL;
	k->aggregator->changed = true;
	if (k->service->spec.insecure_skip_tls_verify)
		return err_set(
			e, ERR_INVALID, "insecureSkipTLSVerify is not supported: give a caBundle");
	if (!ca.len)
		return err_set(e, ERR_INVALID,
			"no caBundle: the server's certificate could not be verified");
	TRY(cert_roots_read(ca, &roots, e));
	t.roots = roots;
	int result = tls_client_context(&t, &b->tls, e);

	cert_roots_drop(roots);
	if (result == 0)
		backend_set(&b->ca_pem, ca);
	return result;
}

static str path_of(struct check *k)
{
	const struct apiregistration_api_service_spec *s = &k->service->spec;

	return s->group.len
		? arena_fmt(&k->arena, "/apis/%.*s/%.*s", STR_ARG(s->group), STR_ARG(s->version))
		: arena_fmt(&k->arena, "/api/%.*s", STR_ARG(s->version));
}

static void ask(struct check *k)
{
	static const struct call_header headers[] = {
		{STR_INIT("X-Remote-User"), STR_INIT("system:kube-aggregator")},
		{STR_INIT("X-Remote-Group"), STR_INIT(GROUP_MASTERS)},
		{STR_INIT("Accept"), STR_INIT("application/json")},
		{STR_INIT("User-Agent"), STR_INIT("kube-aggregator")},
	};
	const struct apiregistration_service_reference *to = k->service->spec.service;
	const struct aggregator_options *o = &k->aggregator->o;
	const struct callout_target target = {
		.service_ns = to->namespace,
		.service_name = to->name,
		.service_path = path_of(k),
		.service_port = to->port ? *to->port : 0,
		.ca_pem = k->service->spec.ca_bundle,
		.cert_pem = o->cert_pem,
		.key_pem = o->key_pem,
	};
	struct err e;

	if (make_tls(k, &e) < 0) {
		say(k, "False", "FailedDiscoveryCheck", arena_fmt(&k->arena, "%s", e.text));
		return;
	}
	k->callout.headers = headers;
	k->callout.header_count = COUNT_OF(headers);
	k->callout.timeout_ns = CHECK_S * NS_PER_S;
	callout_start(o->callouts, &target, &k->callout);
	k->asked = true;
}

static void keep_resources(struct check *k)
{
	struct backend *b = k->backend;
	str told = buf_str(&k->callout.answer);
	struct err ignored;
	void *list;

	if (told.len > RESOURCES_BYTES_MAX || str_eq(told, buf_str(&b->resources)) ||
		object_decode(&k->arena, api_type(API_API_RESOURCE_LIST), FORMAT_JSON, told, &list,
			NULL, &ignored) < 0)
		return;
	buf_reset(&b->resources);
	buf_add_str(&b->resources, told);
	k->aggregator->changed = true;
}

static void hear(struct check *k)
{
	const struct apiregistration_service_reference *to = k->service->spec.service;
	struct err e;
	int result = callout_wait(&k->callout, &e);
	str url = arena_fmt(&k->arena, "https://%.*s.%.*s.svc:%d%.*s", STR_ARG(to->name),
		STR_ARG(to->namespace), to->port ? *to->port : 443, STR_ARG(path_of(k)));

	if (k->callout.status && (k->callout.status < 200 || k->callout.status >= 300)) {
		say(k, "False", "FailedDiscoveryCheck",
			arena_fmt(&k->arena,
				"failing or missing response from %.*s: bad status from %.*s: %d",
				STR_ARG(url), STR_ARG(url), k->callout.status));
	} else if (result < 0) {
		say(k, "False", "FailedDiscoveryCheck",
			arena_fmt(&k->arena, "failing or missing response from %.*s: %s",
				STR_ARG(url), e.text));
	} else {
		keep_resources(k);
		say(k, "True", "Passed", STR("all checks passed"));
	}
	buf_free(&k->callout.answer);
}

/* --- one of them */

static struct apiregistration_api_service_condition *available_of(
	struct apiregistration_api_service *s)
{
	for (size_t i = 0; i < s->status.conditions.len; i++)
		if (str_eq(s->status.conditions.at[i].type, STR("Available")))
			return &s->status.conditions.at[i];
	return NULL;
}

/* False: it says so already. */
static bool set_condition(struct check *k)
{
	struct apiregistration_api_service *s = k->service;
	struct apiregistration_api_service_condition *had = available_of(s), *all;
	size_t len = s->status.conditions.len;

	k->found.last_transition_time = meta_now(k->aggregator->o.clock);
	if (had && str_eq(had->status, k->found.status)) {
		k->found.last_transition_time = had->last_transition_time;
		if (str_eq(had->reason, k->found.reason) && str_eq(had->message, k->found.message))
			return false;
	}
	if (had) {
		*had = k->found;
		return true;
	}
	all = arena_get(&k->arena, (len + 1) * sizeof(*all));
	if (len)
		memcpy(all, s->status.conditions.at, len * sizeof(*all));
	all[len] = k->found;
	s->status.conditions.at = all;
	s->status.conditions.len = len + 1;
	return true;
}

/* Somebody else was quicker: his event makes it dirty again. */
static void write_condition(struct check *k)
{
	struct stored *current = NULL;
	int64_t revision;
	struct err e;

	if (!set_condition(k))
		return;
	if (storage_update(k->aggregator->o.storage, k->stored, k->service, 0, &revision, &current,
		    &e) == 0)
		k->backend->own_revision = revision;
	else if (e.kind != ERR_CONFLICT)
		log_warning("status of APIService %.*s: %s", STR_ARG(k->backend->name), e.text);
	if (current)
		counted_drop(&current->counted);
}

/* False: there is nothing to check. */
static bool begin(struct check *k)
{
	struct backend *b = k->backend;
	struct err e;
	void *service;

	b->dirty = false;
	k->stored = storage_get(
		k->aggregator->o.storage, k->aggregator->resource, (str){NULL, 0}, b->name);
	if (!k->stored) {
		b->gone = true;
		return false;
	}
	arena_init(&k->arena, CHECK_MEMORY_MAX);
	if (stored_decode(&k->arena, k->stored, &service, &e) < 0) {
		log_warning("APIService %.*s: %s", STR_ARG(b->name), e.text);
		arena_free(&k->arena);
		counted_drop(&k->stored->counted);
		return false;
	}
	k->service = service;
	const struct apiregistration_service_reference *to = k->service->spec.service;

	backend_set(&b->ns, to ? to->namespace : (str){NULL, 0});
	backend_set(&b->service, to ? to->name : (str){NULL, 0});
	if (!to)
		say(k, "True", "Local", STR("Local APIServices are always available"));
	else if (has_service(k))
		ask(k);
	return true;
}

/* What says Available is served: it is published before the condition is written. */
static void conclude(struct check *k)
{
	struct backend *b = k->backend;

	if (k->asked)
		hear(k);
	bool available = str_eq(k->found.status, STR("True"));

	k->aggregator->changed |= !b->checked || b->available != available;
	b->checked = true;
	b->available = available;
}

static void end(struct check *k)
{
	struct backend *b = k->backend;
	int64_t now_ns = k->aggregator->o.clock->monotonic_ns(k->aggregator->o.clock);

	write_condition(k);
	b->check_at_ns = 0;
	if (k->service->spec.service)
		b->check_at_ns = now_ns + CHECK_EVERY_S * NS_PER_S;
	if (!str_eq(k->found.reason, STR("FailedDiscoveryCheck")))
		b->failures = 0;
	else if (b->failures++ < RETRY_DOUBLINGS)
		b->check_at_ns = now_ns +
			((int64_t)RETRY_FIRST_MS << (b->failures - 1)) * NS_PER_MS;
	counted_drop(&k->stored->counted);
	arena_free(&k->arena);
}

void check_backends(struct aggregator *g)
{
	struct backend *b = g->backends;

	while (b) {
		struct check *all = calloc(CHECKS_AT_ONCE, sizeof(*all));
		size_t count = 0;

		if (!all)
			abort();
		for (; b && count < CHECKS_AT_ONCE; b = b->next) {
			all[count] = (struct check){.aggregator = g, .backend = b};
			if (b->dirty && begin(&all[count]))
				count++;
		}
		for (size_t i = 0; i < count; i++)
			conclude(&all[i]);
		if (count && g->changed)
			aggregation_publish(g);
		for (size_t i = 0; i < count; i++)
			end(&all[i]);
		free(all);
	}
}
