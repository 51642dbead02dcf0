#include "lib/api/defaults/defaults.h"

enum { CLIENT_IP_TIMEOUT_SECONDS = 10800 };

void default_replication_controller(UNUSED struct arena *a, void *o)
{
	struct replication_controller *rc = o;
	const struct str_map *labels = NULL;

	if (rc->spec.template)
		labels = &rc->spec.template->metadata.labels;
	if (!labels || !labels->at)
		return;
	if (rc->spec.selector.len == 0)
		rc->spec.selector = *labels;
	if (rc->metadata.labels.len == 0)
		rc->metadata.labels = *labels;
}

static void default_affinity(struct arena *a, struct service_spec *spec)
{
	const struct session_affinity_config *config = spec->session_affinity_config;

	default_text(&spec->session_affinity, STR("None"));
	if (str_eq(spec->session_affinity, STR("None")))
		spec->session_affinity_config = NULL;
	if (!str_eq(spec->session_affinity, STR("ClientIP")) ||
		(config && config->client_ip && config->client_ip->timeout_seconds))
		return;
	spec->session_affinity_config = arena_get(a, sizeof(*spec->session_affinity_config));
	spec->session_affinity_config->client_ip = arena_get(
		a, sizeof(*spec->session_affinity_config->client_ip));
	spec->session_affinity_config->client_ip->timeout_seconds = arena_i32(
		a, CLIENT_IP_TIMEOUT_SECONDS);
}

static void default_port(struct service_port *port)
{
	struct int_or_string *target = &port->target_port;

	default_text(&port->protocol, STR("TCP"));
	if (target->is_text ? target->text.len == 0 : target->number == 0)
		*target = (struct int_or_string){.number = port->port};
}

static void default_ingress(struct arena *a, struct load_balancer_ingress *ingress)
{
	if (ingress->ip.len > 0 && !ingress->ip_mode)
		ingress->ip_mode = default_str(a, STR("VIP"));
}

void default_service(struct arena *a, void *o)
{
	struct service *service = o;
	struct service_spec *spec = &service->spec;

	default_affinity(a, spec);
	default_text(&spec->type, STR("ClusterIP"));
	for (size_t i = 0; i < spec->ports.len; i++)
		default_port(&spec->ports.at[i]);

	bool balanced = str_eq(spec->type, STR("LoadBalancer"));
	bool on_nodes = balanced || str_eq(spec->type, STR("NodePort"));
	bool in_cluster = str_eq(spec->type, STR("ClusterIP"));

	if (on_nodes || (in_cluster && spec->external_ips.len > 0))
		default_text(&spec->external_traffic_policy, STR("Cluster"));
	if (!spec->internal_traffic_policy && (on_nodes || in_cluster))
		spec->internal_traffic_policy = default_str(a, STR("Cluster"));
	if (!balanced)
		return;
	if (!spec->allocate_load_balancer_node_ports)
		spec->allocate_load_balancer_node_ports = arena_bool(a, true);
	for (size_t i = 0; i < service->status.load_balancer.ingress.len; i++)
		default_ingress(a, &service->status.load_balancer.ingress.at[i]);
}

void default_namespace(struct arena *a, void *o)
{
	static const str key = STR_INIT("kubernetes.io/metadata.name");
	struct namespace *ns = o;
	struct str_map *labels = &ns->metadata.labels;
	struct str_entry *with = arena_get(a, (labels->len + 1) * sizeof(*with));
	size_t len = 0, at = 0;

	if (ns->metadata.name.len == 0)
		return;
	while (at < labels->len && str_cmp(labels->at[at].key, key) < 0)
		with[len++] = labels->at[at++];
	with[len++] = (struct str_entry){key, ns->metadata.name};
	if (at < labels->len && str_eq(labels->at[at].key, key))
		at++;
	while (at < labels->len)
		with[len++] = labels->at[at++];
	*labels = (struct str_map){with, len};
}

void default_node_status(UNUSED struct arena *a, void *o)
{
	struct node_status *status = o;

	if (!status->allocatable.at)
		status->allocatable = status->capacity;
}

void default_limit_range_item(struct arena *a, void *o)
{
	struct limit_range_item *item = o;

	if (!str_eq(item->type, STR("Container")))
		return;
	resource_list_default(a, &item->default_, &item->max);
	resource_list_default(a, &item->default_request, &item->default_);
	resource_list_default(a, &item->default_request, &item->min);
}
