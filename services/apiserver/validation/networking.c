#include "apiserver/validation/rules.h"
#include "lib/os/net.h"

static void check_path(
	struct causes *c, const struct field_path *p, const struct http_ingress_path *h);
static void check_cidr(struct causes *c, const struct field_path *p, str cidr);

void check_ingress_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct ingress_spec *s = o;

	if (!s->rules.len && !s->default_backend)
		causes_invalid(v->causes, p, cause_json(s->rules.at ? STR("[]") : STR("null")),
			"either `defaultBackend` or `rules` must be specified");
}

void check_ingress_rule(struct validation *v, const struct field_path *p, const void *o)
{
	const struct ingress_rule *r = o;
	const struct field_path *host = FIELD(p, "host");
	struct net_address at;
	struct err e;

	if (r->host.len && net_address_parse(r->host, 0, &at, &e) == 0)
		causes_invalid(v->causes, host, cause_text(r->host),
			"must be a DNS name, not an IP address");
	else if (str_find_char(r->host, '*') >= 0)
		check_name(v->causes, host, NAME_WILDCARD_SUBDOMAIN, r->host);
	else if (r->host.len)
		check_name(v->causes, host, NAME_DNS1123_SUBDOMAIN, r->host);
	if (r->ingress_rule_value.http && !r->ingress_rule_value.http->paths.len)
		causes_required(v->causes, FIELD(FIELD(p, "http"), "paths"), "%s", "");
}

void check_ingress_path(struct validation *v, const struct field_path *p, const void *o)
{
	const struct http_ingress_path *h = o;

	if (!h->path_type)
		causes_required(v->causes, FIELD(p, "pathType"), "pathType must be specified");
	else
		check_path(v->causes, FIELD(p, "path"), h);
}

void check_ingress_backend(struct validation *v, const struct field_path *p, const void *o)
{
	const struct ingress_backend *b = o;
	const struct field_path *service = FIELD(p, "service");
	struct causes *c = v->causes;

	if (b->service && b->resource) {
		causes_invalid(
			c, p, cause_text(STR("")), "cannot set both resource and service backends");
		return;
	}
	if (!b->service) {
		if (!b->resource)
			causes_invalid(c, p, cause_text(STR("")),
				"resource or service backend is required");
		return;
	}
	if (!b->service->name.len)
		causes_required(c, FIELD(service, "name"), "%s", "");
	else
		check_name(c, FIELD(service, "name"), NAME_DNS1035_LABEL, b->service->name);
	if (b->service->port.name.len && b->service->port.number)
		causes_invalid(
			c, p, cause_text(STR("")), "cannot set both port name & port number");
	else if (b->service->port.name.len)
		check_name(
			c, FIELD(FIELD(service, "port"), "name"), NAME_PORT, b->service->port.name);
	else if (b->service->port.number)
		check_port(c, FIELD(FIELD(service, "port"), "number"), b->service->port.number);
	else
		causes_required(c, p, "port name or number is required");
}

void check_policy_port(struct validation *v, const struct field_path *p, const void *o)
{
	const struct network_policy_port *n = o;
	struct causes *c = v->causes;

	if (n->port)
		check_port_or_name(c, FIELD(p, "port"), n->port);
	if (!n->end_port)
		return;
	struct cause_value end = cause_i64(c->arena, *n->end_port);
	if (!n->port)
		causes_invalid(c, FIELD(p, "endPort"), end,
			"may not be specified when `port` is not specified");
	else if (n->port->is_text)
		causes_invalid(c, FIELD(p, "endPort"), end,
			"may not be specified when `port` is non-numeric");
	else if (*n->end_port < n->port->number)
		causes_invalid(c, FIELD(p, "endPort"), cause_i64(c->arena, n->port->number),
			"must be greater than or equal to `port`");
}

void check_policy_peer(struct validation *v, const struct field_path *p, const void *o)
{
	const struct network_policy_peer *n = o;

	if (!n->pod_selector && !n->namespace_selector && !n->ip_block)
		causes_required(v->causes, p, "must specify a peer");
	else if (n->ip_block && (n->pod_selector || n->namespace_selector))
		causes_forbidden(v->causes, p, "may not specify both ipBlock and another peer");
}

void check_ip_block(struct validation *v, const struct field_path *p, const void *o)
{
	const struct ip_block *b = o;

	if (!b->cidr.len)
		causes_required(v->causes, FIELD(p, "cidr"), "%s", "");
	else
		check_cidr(v->causes, FIELD(p, "cidr"), b->cidr);
	for (size_t i = 0; i < b->except.len; i++)
		check_cidr(v->causes, FIELD_INDEX(FIELD(p, "except"), i), b->except.at[i]);
}

void check_endpoint_slice(struct validation *v, const struct field_path *p, const void *o)
{
	enum { ENDPOINTS_MAX = 1000, PORTS_MAX = 20000 };
	const struct slice_endpoint_slice *s = o;
	struct causes *c = v->causes;

	if (s->endpoints.len > ENDPOINTS_MAX)
		causes_too_many(c, FIELD(p, "endpoints"), s->endpoints.len, ENDPOINTS_MAX);
	if (s->ports.len > PORTS_MAX)
		causes_too_many(c, FIELD(p, "ports"), s->ports.len, PORTS_MAX);
	for (size_t i = 0; i < s->endpoints.len; i++) {
		const struct field_path *at = FIELD(
			FIELD_INDEX(FIELD(p, "endpoints"), i), "addresses");

		if (!s->endpoints.at[i].addresses.len)
			causes_required(c, at, "must contain at least 1 address");
		for (size_t k = 0; k < s->endpoints.at[i].addresses.len; k++)
			if (str_eq(s->address_type, STR("FQDN")))
				check_name(c, FIELD_INDEX(at, k), NAME_DNS1123_SUBDOMAIN,
					s->endpoints.at[i].addresses.at[k]);
			else
				check_ip(c, FIELD_INDEX(at, k), s->endpoints.at[i].addresses.at[k]);
	}
}

void update_service_cidr(struct validation *v, const void *now, const void *before)
{
	static const char why[] = "field is immutable";
	const struct service_cidr *a = now, *b = before;
	const struct type *spec = &api_schema.types[API_SERVICE_CIDR_SPEC];
	const struct field_path *p = FIELD(FIELD(NULL, "spec"), "cidrs");
	size_t kept = b->spec.cidrs.len;
	bool second = kept == 1 && a->spec.cidrs.len == 2; /* makes it dual stack */

	if (a->spec.cidrs.len != kept && !second) {
		causes_invalid(v->causes, p, cause_field(v->causes->arena, spec, &a->spec, "cidrs"),
			"%s", why);
		return;
	}
	for (size_t i = 0; i < kept; i++)
		if (!str_eq(a->spec.cidrs.at[i], b->spec.cidrs.at[i]))
			causes_invalid(v->causes, FIELD_INDEX(p, i),
				cause_text(a->spec.cidrs.at[i]), "%s", why);
}

static void check_path(
	struct causes *c, const struct field_path *p, const struct http_ingress_path *h)
{
	static const str refused[] = {STR_INIT("//"), STR_INIT("/./"), STR_INIT("/../"),
		STR_INIT("%2f"), STR_INIT("%2F")};
	static const str endings[] = {STR_INIT("/.."), STR_INIT("/.")};
	bool exact = str_eq(*h->path_type, STR("Exact")) || str_eq(*h->path_type, STR("Prefix"));

	if ((exact || h->path.len) && !str_starts(h->path, STR("/")))
		causes_invalid(c, p, cause_text(h->path), "must be an absolute path");
	for (size_t i = 0; exact && i < COUNT_OF(refused); i++)
		if (str_find(h->path, refused[i]) >= 0)
			causes_invalid(c, p, cause_text(h->path), "must not contain '%.*s'",
				STR_ARG(refused[i]));
	for (size_t i = 0; exact && i < COUNT_OF(endings); i++)
		if (str_ends(h->path, endings[i]))
			causes_invalid(c, p, cause_text(h->path), "cannot end with '%.*s'",
				STR_ARG(endings[i]));
}

static void check_cidr(struct causes *c, const struct field_path *p, str cidr)
{
	struct net_address at;
	struct err e;
	str bits = cidr, host = str_cut(&bits, '/');
	int64_t count;

	if (!bits.at || net_address_parse(host, 0, &at, &e) < 0 || !str_to_i64(bits, &count) ||
		count < 0 || count > (at.any.sa_family == AF_INET ? 32 : 128))
		causes_invalid(c, p, cause_text(cidr),
			"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}
