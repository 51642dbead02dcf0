/*
 * Services: pkg/registry/core/service/{strategy,storage/alloc}.go.
 */
#include "apiserver/registry/strategies.h"

static int allocate_address(
	struct operation *op, struct service *now, const struct service *old, struct err *e);
static int allocate_ports(struct operation *op, struct service *now, struct err *e);
static bool is(const struct service *s, const char *type);

int service_allocate(struct operation *op, void *now, const void *before, struct err *e)
{
	struct service *s = now;
	const struct service *old = before;

	if (!is(s, "ExternalName"))
		TRY(allocate_address(op, s, old, e));
	else
		s->spec.internal_traffic_policy = NULL;
	if (service_takes_ports(s) && allocate_ports(op, s, e) < 0) {
		service_release(op, now, before);
		return -1;
	}
	return 0;
}

/* `now` NULL: the object has gone. Else a write failed: what it took beyond `before` goes back. */
void service_release(struct operation *op, const void *now, const void *before)
{
	const struct service *a = now, *b = before;
	str taken = a ? a->spec.cluster_ip : STR(""), kept = b ? b->spec.cluster_ip : STR("");

	if (a && taken.len && !str_eq(taken, STR("None")) && !str_eq(taken, kept))
		ip_release(op, taken);
	if (!a && kept.len && !str_eq(kept, STR("None")))
		ip_release(op, kept);
}

static int allocate_address(
	struct operation *op, struct service *now, const struct service *old, struct err *e)
{
	struct service_spec *s = &now->spec;
	bool had = old && old->spec.cluster_ip.len;
	str policy = STR("SingleStack");

	if (s->cluster_ip.len && !s->cluster_ips.len) {
		s->cluster_ips.at = arena_get(op->arena, sizeof(str));
		s->cluster_ips.at[s->cluster_ips.len++] = s->cluster_ip;
	}
	if (!s->ip_families.len) {
		s->ip_families.at = arena_get(op->arena, sizeof(str));
		s->ip_families.at[s->ip_families.len++] = STR("IPv4");
	}
	if (!s->ip_family_policy) {
		s->ip_family_policy = arena_get(op->arena, sizeof(str));
		*s->ip_family_policy = policy;
	}
	if (str_eq(s->cluster_ip, STR("None")) ||
		(had && str_eq(s->cluster_ip, old->spec.cluster_ip)))
		return 0;
	if (op->dry_run && !s->cluster_ip.len)
		return 0;
	TRY(ip_allocate(op, now, &s->cluster_ip, e));
	s->cluster_ips.at = arena_get(op->arena, sizeof(str));
	s->cluster_ips.at[0] = s->cluster_ip;
	s->cluster_ips.len = 1;
	return 0;
}

static int allocate_ports(struct operation *op, struct service *now, struct err *e)
{
	struct service_spec *s = &now->spec;

	for (size_t i = 0; i < s->ports.len; i++)
		TRY(node_port_allocate(
			op, now, &s->ports.at[i].node_port, s->ports.at[i].protocol, e));
	if (str_eq(s->external_traffic_policy, STR("Local")) && is(now, "LoadBalancer"))
		TRY(node_port_allocate(op, now, &s->health_check_node_port, STR("TCP"), e));
	return 0;
}

static bool is(const struct service *s, const char *type)
{
	return str_eq(s->spec.type, str_of(type));
}
