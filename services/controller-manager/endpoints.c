/*
 * endpoints-controller: the Endpoints of a service name the pods that it selects.
 * Source: pkg/controller/endpoint.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/endpoint_pods.h"

enum { ADDRESSES_MAX = 1000 };

#define MANAGED_BY   STR("endpoints.kubernetes.io/managed-by")
#define OVER         STR("endpoints.kubernetes.io/over-capacity")
#define TRIGGER_TIME STR("endpoints.kubernetes.io/last-change-trigger-time")

/* A pod's address with its ports. */
struct place {
	struct endpoint_address address;
	bool ready;
	struct endpoint_port *ports;
	size_t port_count;
};

static void service_changed(struct controller_run *r, const void *before, const void *now)
{
	run_enqueue(r, now ? now : before);
}

static void endpoints_changed(struct controller_run *r, const void *before, const void *now)
{
	if (before && !now)
		run_enqueue(r, before);
}

static bool wants_v6(const struct service *s, const struct pod *pod)
{
	if (s->spec.ip_families.len > 0)
		return str_eq(s->spec.ip_families.at[0], STR("IPv6"));
	if (!endpoint_is_headless(s))
		return str_find_char(s->spec.cluster_ip, ':') >= 0;
	return str_find_char(pod->status.pod_ip, ':') >= 0;
}

static bool make_place(
	struct pass *p, const struct service *s, const struct pod *pod, struct place *to)
{
	struct arena *a = p->arena;
	struct endpoint_target *targets = arena_get(a, (s->spec.ports.len + 1) * sizeof(*targets));
	str ip = endpoint_address(pod, wants_v6(s, pod));
	struct object_reference *ref = arena_get(a, sizeof(*ref));

	if (!ip.at)
		return false;
	*ref = (struct object_reference){.kind = STR("Pod"),
		.namespace = pod->metadata.namespace,
		.name = pod->metadata.name,
		.uid = pod->metadata.uid};
	*to = (struct place){
		.address = {.ip = ip,
			.node_name = pod->spec.node_name.len > 0
				? endpoint_text(a, pod->spec.node_name)
				: NULL,
			.target_ref = ref,
			.hostname = endpoint_has_hostname(pod, s) ? pod->spec.hostname : STR("")},
		.ready = s->spec.publish_not_ready_addresses || pod_is_ready(pod),
		.port_count = endpoint_targets(pod, s, targets),
	};
	to->ports = arena_get(a, to->port_count * sizeof(*to->ports) + 1);
	for (size_t i = 0; i < to->port_count; i++)
		to->ports[i] = (struct endpoint_port){.name = targets[i].port->name,
			.port = targets[i].number,
			.protocol = targets[i].port->protocol,
			.app_protocol = targets[i].port->app_protocol};
	return to->port_count > 0 || (s->spec.ports.len == 0 && endpoint_is_headless(s));
}

static bool same_ports(const struct place *a, const struct endpoint_subset *b)
{
	if (a->port_count != b->ports.len)
		return false;
	for (size_t i = 0; i < a->port_count; i++) {
		if (!struct_equal(api_type(API_ENDPOINT_PORT), &a->ports[i], &b->ports.at[i]))
			return false;
	}
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = str_cmp(x->address.ip, y->address.ip);

	return order ? order : str_cmp(x->address.target_ref->uid, y->address.target_ref->uid);
}

/* Addresses with the same ports share a subset; a service without ports keeps one for each. */
static void add_place(struct endpoints *to, const struct place *at)
{
	struct endpoint_subset *s = NULL;

	for (size_t i = 0; i < to->subsets.len && at->port_count > 0 && !s; i++) {
		if (same_ports(at, &to->subsets.at[i]))
			s = &to->subsets.at[i];
	}
	if (!s) {
		s = &to->subsets.at[to->subsets.len++];
		s->ports.at = at->ports;
		s->ports.len = at->port_count;
	}
	if (at->ready)
		s->addresses.at[s->addresses.len++] = at->address;
	else
		s->not_ready_addresses.at[s->not_ready_addresses.len++] = at->address;
}

static void fill(struct pass *p, const struct service *s, struct endpoints *to, bool *over)
{
	struct object_list pods = {0}, places = {0};

	endpoint_selected(p, s, &pods);
	for (size_t i = 0; i < pods.len; i++) {
		struct place *at = arena_get(p->arena, sizeof(*at));

		if (endpoint_belongs(pods.at[i], s->spec.publish_not_ready_addresses) &&
			make_place(p, s, pods.at[i], at))
			object_list_add(p->arena, &places, at);
	}
	object_list_sort(&places, by_address);
	*over = places.len > ADDRESSES_MAX;
	if (*over)
		places.len = ADDRESSES_MAX;
	to->subsets.at = arena_get(p->arena, places.len * sizeof(*to->subsets.at) + 1);
	to->subsets.len = 0;
	for (size_t i = 0; i < places.len; i++) {
		size_t bytes = places.len * sizeof(struct endpoint_address);

		to->subsets.at[i].addresses.at = arena_get(p->arena, bytes);
		to->subsets.at[i].not_ready_addresses.at = arena_get(p->arena, bytes);
	}
	for (size_t i = 0; i < places.len; i++)
		add_place(to, places.at[i]);
}

static int write_endpoints(struct pass *p, const struct service *s, const struct endpoints *seen,
	const struct endpoints *next, struct err *e)
{
	if (seen ? pass_update(p, next, NULL, e) == 0 : pass_create(p, next, NULL, e) == 0)
		return 0;
	if (client_has_cause(e, STR("NamespaceTerminating")))
		return 0;
	if (seen)
		pass_warn(p, next, "FailedToUpdateEndpoint",
			"Failed to update endpoint %.*s/%.*s: %s", STR_ARG(s->metadata.namespace),
			STR_ARG(s->metadata.name), e->text);
	else
		pass_warn(p, next, "FailedToCreateEndpoint",
			"Failed to create endpoint for service %.*s/%.*s: %s",
			STR_ARG(s->metadata.namespace), STR_ARG(s->metadata.name), e->text);
	return -1;
}

static int delete_endpoints(struct pass *p, struct err *e)
{
	const struct target t = {
		.resource = meta_resource(API_ENDPOINTS), .ns = p->ns, .name = p->name};

	return pass_ignore_missing(client_delete(p->run->env.client, p->arena, t, NULL, e), e);
}

static void drop_annotation(struct pass *p, struct object_meta *m, str key)
{
	struct str_map to = {arena_get(p->arena, m->annotations.len * sizeof(*to.at) + 1), 0};

	for (size_t i = 0; i < m->annotations.len; i++) {
		if (!str_eq(m->annotations.at[i].key, key))
			to.at[to.len++] = m->annotations.at[i];
	}
	m->annotations = to;
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct service *s = pass_get(p, API_SERVICE, p->ns, p->name);
	bool over;

	if (!s)
		return delete_endpoints(p, e);
	if (str_eq(s->spec.type, STR("ExternalName")) || s->spec.selector.len == 0)
		return 0;
	const struct endpoints *seen = pass_get(p, API_ENDPOINTS, p->ns, p->name);
	struct endpoints *next = seen ? pass_copy(p, seen)
				      : pass_new(p, API_ENDPOINTS, p->ns, p->name);

	fill(p, s, next, &over);
	next->metadata.labels = endpoint_labels(p, s);
	str_map_set(p->arena, &next->metadata.labels, MANAGED_BY, STR("endpoint-controller"));
	if (over)
		str_map_set(p->arena, &next->metadata.annotations, OVER, STR("truncated"));
	else
		drop_annotation(p, &next->metadata, OVER);
	drop_annotation(p, &next->metadata, TRIGGER_TIME);
	if (seen && object_equal(seen, next))
		return 0;
	return write_endpoints(p, s, seen, next, e);
}

const struct controller endpoints_controller = {
	.name = "endpoints-controller",
	.account = "endpoint-controller",
	.watches = {{API_SERVICE, service_changed}, {API_POD, endpoint_pod_changed},
		{API_ENDPOINTS, endpoints_changed}},
	.works = {{"endpoint", 5, reconcile, .retries_max = 15}},
};
