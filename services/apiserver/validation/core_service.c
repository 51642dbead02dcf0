#include "apiserver/validation/rules.h"

enum { AFFINITY_SECONDS_MAX = 86400 };

static void check_ports(struct causes *c, const struct field_path *p, const struct service_spec *s);
static void check_external_name(
	struct causes *c, const struct field_path *p, const struct service_spec *s);
static void check_affinity(
	struct causes *c, const struct field_path *p, const struct service_spec *s);
static void check_cluster_ips(
	struct causes *c, const struct field_path *p, const struct service_spec *s);
static void check_external_ip(struct causes *c, const struct field_path *p, str ip);
static void check_ingress(
	struct causes *c, const struct field_path *p, const struct load_balancer_ingress *i);
static bool is(const struct service_spec *s, const char *type);
static bool headless(const struct service_spec *s);
static struct cause_value shown(struct causes *c, const struct service_spec *s, const char *field);

void check_service_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct service_spec *s = o;
	struct causes *c = v->causes;

	if (!s->ports.len && !headless(s) && !is(s, "ExternalName"))
		causes_required(c, FIELD(p, "ports"), "%s", "");
	if (headless(s) && (is(s, "LoadBalancer") || is(s, "NodePort")))
		causes_invalid(c, FIELD_INDEX(FIELD(p, "clusterIPs"), 0), cause_text(STR("None")),
			"may not be set to 'None' for %.*s services", STR_ARG(s->type));
	check_external_name(c, p, s);
	check_ports(c, FIELD(p, "ports"), s);
	check_affinity(c, p, s);
	for (size_t i = 0; i < s->external_ips.len; i++)
		check_external_ip(
			c, FIELD_INDEX(FIELD(p, "externalIPs"), i), s->external_ips.at[i]);
	if (s->load_balancer_source_ranges.len && !is(s, "LoadBalancer"))
		causes_forbidden(c, FIELD(p, "LoadBalancerSourceRanges"),
			"may only be used when `type` is 'LoadBalancer'");
	if (s->allocate_load_balancer_node_ports && !is(s, "LoadBalancer"))
		causes_forbidden(c, FIELD(p, "allocateLoadBalancerNodePorts"),
			"may only be used when `type` is 'LoadBalancer'");
	if (s->load_balancer_class && !is(s, "LoadBalancer"))
		causes_forbidden(c, FIELD(p, "loadBalancerClass"),
			"may only be used when `type` is 'LoadBalancer'");
	if (s->external_traffic_policy.len && !is(s, "NodePort") && !is(s, "LoadBalancer") &&
		!s->external_ips.len)
		causes_invalid(c, FIELD(p, "externalTrafficPolicy"),
			cause_text(s->external_traffic_policy),
			"may only be set for externally-accessible services");
	if (!is(s, "ExternalName"))
		check_cluster_ips(c, p, s);
}

void update_service(struct validation *v, const void *now, const void *before)
{
	const struct service *a = now, *b = before;
	const struct field_path *spec = FIELD(NULL, "spec");
	const struct service_spec *x = &a->spec, *y = &b->spec;

	if (is(x, "ExternalName") || is(y, "ExternalName"))
		return;
	if (y->cluster_ip.len && !str_eq(x->cluster_ip, y->cluster_ip)) {
		causes_invalid(v->causes, FIELD_INDEX(FIELD(spec, "clusterIPs"), 0),
			shown(v->causes, x, "clusterIPs"),
			x->cluster_ip.len ? "may not change once set"
					  : "primary clusterIP can not be unset");
	}
	if (y->ip_families.len && x->ip_families.len &&
		!str_eq(x->ip_families.at[0], y->ip_families.at[0]))
		causes_invalid(v->causes, FIELD_INDEX(FIELD(spec, "ipFamilies"), 0),
			shown(v->causes, x, "ipFamilies"), "may not change once set");
	if (is(x, "LoadBalancer") && is(y, "LoadBalancer") &&
		!str_eq(x->load_balancer_class ? *x->load_balancer_class : STR(""),
			y->load_balancer_class ? *y->load_balancer_class : STR("")))
		causes_invalid(v->causes, FIELD(spec, "loadBalancerClass"),
			shown(v->causes, x, "loadBalancerClass"), "may not change once set");
}

static void check_ports(struct causes *c, const struct field_path *p, const struct service_spec *s)
{
	for (size_t i = 0; i < s->ports.len; i++) {
		const struct service_port *port = &s->ports.at[i];
		const struct field_path *here = FIELD_INDEX(p, i);

		if (!port->name.len && s->ports.len > 1)
			causes_required(c, FIELD(here, "name"), "%s", "");
		else if (port->name.len)
			check_name(c, FIELD(here, "name"), NAME_DNS1123_LABEL, port->name);
		check_port(c, FIELD(here, "port"), port->port);
		check_port_or_name(c, FIELD(here, "targetPort"), &port->target_port);
		if (port->node_port && is(s, "ClusterIP"))
			causes_forbidden(c, FIELD(here, "nodePort"),
				"may not be used when `type` is 'ClusterIP'");
		for (size_t k = 0; k < i; k++) {
			const struct service_port *other = &s->ports.at[k];

			if (!str_eq(port->protocol, other->protocol))
				continue;
			if (port->name.len && str_eq(port->name, other->name))
				causes_duplicate(c, FIELD(here, "name"), cause_text(port->name));
			if (port->node_port && port->node_port == other->node_port)
				causes_duplicate(c, FIELD(here, "nodePort"),
					cause_i64(c->arena, port->node_port));
			if (port->port == other->port)
				causes_duplicate(c, here,
					cause_json(arena_fmt(c->arena,
						"{\"protocol\":\"%.*s\",\"port\":%d}",
						STR_ARG(port->protocol), port->port)));
		}
	}
}

static void check_external_name(
	struct causes *c, const struct field_path *p, const struct service_spec *s)
{
	str name = s->external_name;

	if (!is(s, "ExternalName"))
		return;
	if (s->cluster_ips.len)
		causes_forbidden(
			c, FIELD(p, "clusterIPs"), "may not be set for ExternalName services");
	if (s->ip_families.len)
		causes_forbidden(
			c, FIELD(p, "ipFamilies"), "may not be set for ExternalName services");
	if (s->ip_family_policy)
		causes_forbidden(
			c, FIELD(p, "ipFamilyPolicy"), "may not be set for ExternalName services");
	if (!name.len) {
		causes_required(c, FIELD(p, "externalName"), "%s", "");
		return;
	}
	if (name.at[name.len - 1] == '.')
		name.len--;
	check_name(c, FIELD(p, "externalName"), NAME_DNS1123_SUBDOMAIN, name);
}

static void check_affinity(
	struct causes *c, const struct field_path *p, const struct service_spec *s)
{
	const struct session_affinity_config *config = s->session_affinity_config;
	const struct field_path *at = FIELD(p, "sessionAffinityConfig");

	if (str_eq(s->session_affinity, STR("None")) && config)
		causes_forbidden(c, at, "must not be set when session affinity is None");
	if (!str_eq(s->session_affinity, STR("ClientIP")))
		return;
	if (!config || !config->client_ip || !config->client_ip->timeout_seconds) {
		causes_required(c, at, "when session affinity type is ClientIP");
		return;
	}
	int32_t seconds = *config->client_ip->timeout_seconds;
	if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)
		causes_invalid(c, FIELD(FIELD(at, "clientIP"), "timeoutSeconds"),
			cause_i64(c->arena, seconds), "must be greater than 0 and less than %d",
			AFFINITY_SECONDS_MAX);
}

static void check_cluster_ips(
	struct causes *c, const struct field_path *p, const struct service_spec *s)
{
	const struct field_path *at = FIELD(p, "clusterIPs");

	if (s->cluster_ip.len && !s->cluster_ips.len)
		causes_required(c, at, "%s", "");
	else if (s->cluster_ip.len && !str_eq(s->cluster_ip, s->cluster_ips.at[0]))
		causes_invalid(
			c, at, shown(c, s, "clusterIPs"), "first value must match `clusterIP`");
	else if (!s->cluster_ip.len && s->cluster_ips.len)
		causes_invalid(c, at, shown(c, s, "clusterIPs"),
			"must be empty when `clusterIP` is not specified");
	if (s->cluster_ips.len > 2)
		causes_invalid(c, at, shown(c, s, "clusterIPs"), "may only hold up to 2 values");
	for (size_t i = 0; i < s->cluster_ips.len; i++) {
		str ip = s->cluster_ips.at[i];

		if (!str_eq(ip, STR("None")))
			check_ip(c, FIELD_INDEX(at, i), ip);
		else if (s->cluster_ips.len > 1)
			causes_invalid(c, at, shown(c, s, "clusterIPs"),
				"'None' must be the first and only value");
	}
	for (size_t i = 0; i < s->ip_families.len; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(s->ip_families.at[i], s->ip_families.at[k]))
				causes_duplicate(c, FIELD_INDEX(FIELD(p, "ipFamilies"), i),
					cause_text(s->ip_families.at[i]));
}

static void check_external_ip(struct causes *c, const struct field_path *p, str ip)
{
	static const struct {
		str prefix;
		const char *why;
	} refused[] = {
		{STR_INIT("0.0.0.0"), "may not be unspecified (0.0.0.0)"},
		{STR_INIT("127."), "may not be in the loopback range (127.0.0.0/8, ::1/128)"},
		{STR_INIT("169.254."),
			"may not be in the link-local range (169.254.0.0/16, fe80::/10)"},
		{STR_INIT("224.0.0."),
			"may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"},
	};

	check_ip(c, p, ip);
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (str_starts(ip, refused[i].prefix))
			causes_invalid(c, p, cause_text(ip), "%s", refused[i].why);
}

void update_service_status(struct validation *v, const void *now, UNUSED const void *before)
{
	const struct service *s = now;
	const struct load_balancer_status *balancer = &s->status.load_balancer;
	const struct field_path *p = FIELD(FIELD(FIELD(NULL, "status"), "loadBalancer"), "ingress");

	if (balancer->ingress.len && !is(&s->spec, "LoadBalancer")) {
		causes_forbidden(
			v->causes, p, "may only be used when `spec.type` is 'LoadBalancer'");
		return;
	}
	for (size_t i = 0; i < balancer->ingress.len; i++)
		check_ingress(v->causes, FIELD_INDEX(p, i), &balancer->ingress.at[i]);
}

static void check_ingress(
	struct causes *c, const struct field_path *p, const struct load_balancer_ingress *i)
{
	static const str modes[] = {STR_INIT("Proxy"), STR_INIT("VIP")};
	const struct field_path *mode = FIELD(p, "ipMode");

	if (i->ip.len)
		check_ip(c, FIELD(p, "ip"), i->ip);
	if (i->ip_mode && !i->ip.len)
		causes_forbidden(c, mode, "may not be specified when `ip` is not set");
	else if (i->ip_mode && !str_eq(*i->ip_mode, modes[0]) && !str_eq(*i->ip_mode, modes[1]))
		causes_not_supported(c, mode, cause_text(*i->ip_mode), modes, COUNT_OF(modes));
	if (i->hostname.len)
		check_name(c, FIELD(p, "hostname"), NAME_DNS1123_SUBDOMAIN, i->hostname);
}

static bool is(const struct service_spec *s, const char *type)
{
	return str_eq(s->type, str_of(type));
}

static bool headless(const struct service_spec *s)
{
	return s->cluster_ips.len == 1 && str_eq(s->cluster_ips.at[0], STR("None"));
}

static struct cause_value shown(struct causes *c, const struct service_spec *s, const char *field)
{
	return cause_field(c->arena, &api_schema.types[API_SERVICE_SPEC], s, field);
}
