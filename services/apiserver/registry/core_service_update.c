/*
 * What an update of a Service leaves out or leaves behind: patchAllocatedValues of
 * pkg/registry/core/service/storage, dropTypeDependentFields of its strategy.
 */
#include "apiserver/registry/strategies.h"

static void keep_allocated(struct service_spec *now, const struct service_spec *old);
static void drop_unneeded(struct service_spec *now, const struct service_spec *old);

void service_prepare_update(UNUSED struct operation *op, void *now, const void *before)
{
	struct service *s = now;
	const struct service *old = before;

	keep_allocated(&s->spec, &old->spec);
	drop_unneeded(&s->spec, &old->spec);
	if (!str_eq(s->spec.type, STR("LoadBalancer")))
		s->status.load_balancer = (struct load_balancer_status){0};
}

bool service_takes_ports(const struct service *s)
{
	bool wanted = !s->spec.allocate_load_balancer_node_ports ||
		*s->spec.allocate_load_balancer_node_ports;

	return str_eq(s->spec.type, STR("NodePort")) ||
		(str_eq(s->spec.type, STR("LoadBalancer")) && wanted);
}

static bool is_balanced(const struct service_spec *s)
{
	return str_eq(s->type, STR("LoadBalancer"));
}

static bool has_address(const struct service_spec *s)
{
	return !str_eq(s->type, STR("ExternalName"));
}

static bool has_health_port(const struct service_spec *s)
{
	return is_balanced(s) && str_eq(s->external_traffic_policy, STR("Local"));
}

static bool may_have_ports(const struct service_spec *s)
{
	return str_eq(s->type, STR("NodePort")) || is_balanced(s);
}

static bool is_exposed(const struct service_spec *s)
{
	return may_have_ports(s) || (has_address(s) && s->external_ips.len > 0);
}

static bool same_list(const struct str_list *a, const struct str_list *b)
{
	bool same = a->len == b->len;

	for (size_t i = 0; same && i < a->len; i++)
		same = str_eq(a->at[i], b->at[i]);
	return same;
}

static bool same_text(const str *a, const str *b)
{
	return str_eq(a ? *a : STR(""), b ? *b : STR(""));
}

static bool has_node_port(const struct service_spec *s, int32_t port)
{
	for (size_t i = 0; i < s->ports.len; i++)
		if (s->ports.at[i].node_port == port)
			return true;
	return false;
}

/* By the port's name, unless another port has the number already. */
static void keep_node_port(
	struct service_port *p, const struct service_spec *now, const struct service_spec *old)
{
	for (size_t i = 0; i < old->ports.len && !p->node_port; i++)
		if (str_eq(old->ports.at[i].name, p->name) &&
			!has_node_port(now, old->ports.at[i].node_port))
			p->node_port = old->ports.at[i].node_port;
}

static void keep_allocated(struct service_spec *now, const struct service_spec *old)
{
	if (has_address(now) && has_address(old)) {
		if (!now->cluster_ip.len)
			now->cluster_ip = old->cluster_ip;
		if (!now->cluster_ips.len)
			now->cluster_ips = old->cluster_ips;
		if (!now->ip_families.len)
			now->ip_families = old->ip_families;
		if (!now->ip_family_policy)
			now->ip_family_policy = old->ip_family_policy;
	}
	for (size_t i = 0; i < now->ports.len; i++)
		if (may_have_ports(now) && may_have_ports(old))
			keep_node_port(&now->ports.at[i], now, old);
	if (has_health_port(now) && has_health_port(old) && !now->health_check_node_port)
		now->health_check_node_port = old->health_check_node_port;
}

static bool adds_node_ports(const struct service_spec *now, const struct service_spec *old)
{
	for (size_t i = 0; i < now->ports.len; i++)
		if (now->ports.at[i].node_port && !has_node_port(old, now->ports.at[i].node_port))
			return true;
	return false;
}

/* Fields that the new type has no use for go, if the client did not change them as well: then it is
 * told that they do not fit. */
static void drop_unneeded(struct service_spec *now, const struct service_spec *old)
{
	if (has_address(old) && !has_address(now)) {
		if (str_eq(old->cluster_ip, now->cluster_ip) &&
			same_list(&old->cluster_ips, &now->cluster_ips)) {
			now->cluster_ip = STR("");
			now->cluster_ips = (struct str_list){NULL, 0};
		}
		if (same_list(&old->ip_families, &now->ip_families))
			now->ip_families = (__typeof__(now->ip_families)){NULL, 0};
		if (same_text(old->ip_family_policy, now->ip_family_policy))
			now->ip_family_policy = NULL;
	}
	if (may_have_ports(old) && !may_have_ports(now) && !adds_node_ports(now, old))
		for (size_t i = 0; i < now->ports.len; i++)
			now->ports.at[i].node_port = 0;
	if (has_health_port(old) && !has_health_port(now) &&
		old->health_check_node_port == now->health_check_node_port)
		now->health_check_node_port = 0;
	if (is_balanced(old) && !is_balanced(now)) {
		const bool *had = old->allocate_load_balancer_node_ports,
			   *has = now->allocate_load_balancer_node_ports;

		if (had && has && *had == *has)
			now->allocate_load_balancer_node_ports = NULL;
		if (same_text(old->load_balancer_class, now->load_balancer_class))
			now->load_balancer_class = NULL;
	}
	if (is_exposed(old) && !is_exposed(now) &&
		str_eq(old->external_traffic_policy, now->external_traffic_policy))
		now->external_traffic_policy = STR("");
}
