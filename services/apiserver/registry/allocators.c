/*
 * Addresses and node ports of Services.
 *
 * An address is taken by creating the IPAddress object of its name, so that etcd decides between
 * several API servers (pkg/registry/core/service/ipallocator, KEP-1880). Addresses nobody asked for
 * come from above the band that is kept for those who do (KEP-3070).
 *
 * Node ports are free when no Service in the cache has them; two API servers that serve one cluster
 * may give the same one in the same instant, which upstream's bitmap object prevents.
 */
#include "apiserver/registry/strategies.h"
#include "lib/os/net.h"

#include <arpa/inet.h>

enum {
	IP_TRIES = 512,
	BAND_MIN = 16,
	BAND_MAX = 256,
	PORT_TRIES = 512,
};

/* An IPv4 range: the first address and how many, without network and broadcast address. */
struct range {
	uint32_t base;
	uint32_t size;
};

static int parse_range(str text, struct range *to, struct err *e);
static int take(struct operation *op, const struct service *s, str ip, struct err *e);
static int refuse(struct operation *op, const struct service *s, const char *field,
	struct cause_value value, const char *why, struct err *e);
static str ip_text(struct arena *a, uint32_t ip);
static bool port_taken(struct operation *op, const struct service *but, int32_t port, str protocol);
static bool service_has_port(const struct service *s, int32_t port, str protocol);

int ip_allocate(struct operation *op, const struct service *s, str *ip, struct err *e)
{
	struct random *random = op->registry->o.random;
	struct range r;
	struct err why;

	TRY(parse_range(op->registry->o.service_cluster_ip_range, &r, e));
	if (ip->len) {
		struct net_address at;

		if (net_address_parse(*ip, 0, &at, &why) < 0)
			return 0; /* validation says so */
		uint32_t value = ntohl(at.v4.sin_addr.s_addr);
		if (at.any.sa_family != AF_INET || value <= r.base || value - r.base > r.size)
			return refuse(op, s, "clusterIPs", cause_text(*ip),
				arena_fmt(op->arena,
					"failed to allocate IP %.*s: the provided IP (%.*s) is not "
					"in "
					"the valid range. The range of valid IPs is %.*s",
					STR_ARG(*ip), STR_ARG(*ip),
					STR_ARG(op->registry->o.service_cluster_ip_range))
					.at,
				e);
		if (op->dry_run || take(op, s, *ip, &why) == 0)
			return 0;
		return refuse(op, s, "clusterIPs", cause_text(*ip),
			arena_fmt(op->arena,
				"failed to allocate IP %.*s: provided IP is already allocated",
				STR_ARG(*ip))
				.at,
			e);
	}
	uint32_t band = r.size / 16;
	band = band < BAND_MIN ? BAND_MIN : band > BAND_MAX ? BAND_MAX : band;
	if (r.size <= band)
		band = 0;
	for (int i = 0; i < IP_TRIES; i++) {
		uint32_t offset = band + 1 + (uint32_t)random_below(random, r.size - band);
		str candidate = ip_text(op->arena, r.base + offset);

		if (take(op, s, candidate, &why) == 0) {
			*ip = candidate;
			return 0;
		}
		if (why.kind != ERR_EXISTS)
			return store_fail(op, s->metadata.name, &why, e);
	}
	return status_fail(op->arena, e, STATUS_INTERNAL_ERROR,
		"Internal error occurred: failed to allocate a serviceIP: range is full");
}

void ip_release(struct operation *op, str ip)
{
	const struct resource *r = resource_find(
		STR("networking.k8s.io"), STR("v1"), STR("ipaddresses"));
	struct storage *s = op->registry->o.storage;
	struct stored *held = NULL, *current = NULL;
	int64_t revision;
	struct err e;

	if (op->dry_run || storage_fetch(s, r, STR(""), ip, &held, &e) < 0)
		return;
	if (storage_delete(s, held, &revision, &current, &e) < 0 && current)
		counted_drop(&current->counted);
	counted_drop(&held->counted);
}

int node_port_allocate(
	struct operation *op, const struct service *s, int32_t *port, str protocol, struct err *e)
{
	str high = op->registry->o.service_node_port_range, low = str_cut(&high, '-');
	int64_t first, last;

	if (!high.at || !str_to_i64(low, &first) || !str_to_i64(high, &last) || last < first)
		return err_set(e, ERR_INTERNAL, "the node port range %.*s is no range",
			STR_ARG(op->registry->o.service_node_port_range));
	if (*port && (*port < first || *port > last))
		return refuse(op, s, "ports[0].nodePort", cause_i64(op->arena, *port),
			arena_fmt(op->arena,
				"provided port is not in the valid range. The range of valid ports "
				"is %.*s",
				STR_ARG(op->registry->o.service_node_port_range))
				.at,
			e);
	if (*port) {
		if (port_taken(op, s, *port, protocol))
			return refuse(op, s, "ports[0].nodePort", cause_i64(op->arena, *port),
				"provided port is already allocated", e);
		return 0;
	}
	for (int i = 0; i < PORT_TRIES; i++) {
		uint64_t width = (uint64_t)(last - first + 1);
		int32_t candidate = (int32_t)first +
			(int32_t)random_below(op->registry->o.random, width);

		if (service_has_port(s, candidate, protocol) ||
			port_taken(op, s, candidate, protocol))
			continue;
		*port = candidate;
		return 0;
	}
	return status_fail(op->arena, e, STATUS_INTERNAL_ERROR,
		"Internal error occurred: failed to allocate a nodePort: range is full");
}

static int parse_range(str text, struct range *to, struct err *e)
{
	str bits = text, host = str_cut(&bits, '/');
	struct net_address at;
	int64_t prefix;

	if (!bits.at || net_address_parse(host, 0, &at, e) < 0 || at.any.sa_family != AF_INET ||
		!str_to_i64(bits, &prefix) || prefix < 8 || prefix > 30)
		return err_set(
			e, ERR_INTERNAL, "the service range %.*s is no IPv4 range", STR_ARG(text));
	uint32_t mask = 0xffffffffu << (32 - prefix);
	to->base = ntohl(at.v4.sin_addr.s_addr) & mask;
	to->size = ~mask - 1;
	return 0;
}

static int take(struct operation *op, const struct service *s, str ip, struct err *e)
{
	const struct resource *r = resource_find(
		STR("networking.k8s.io"), STR("v1"), STR("ipaddresses"));
	struct ip_address *o = object_new(op->arena, api_type(API_IP_ADDRESS));
	int64_t revision;

	o->metadata.name = ip;
	metadata_fill(op->arena, &o->metadata, op->registry->o.random, op->registry->o.clock);
	str_map_set(op->arena, &o->metadata.labels, STR("ipaddress.kubernetes.io/ip-family"),
		STR("IPv4"));
	str_map_set(op->arena, &o->metadata.labels, STR("ipaddress.kubernetes.io/managed-by"),
		STR("ipallocator.k8s.io"));
	o->spec.parent_ref = arena_get(op->arena, sizeof(*o->spec.parent_ref));
	o->spec.parent_ref->resource = STR("services");
	o->spec.parent_ref->namespace = op->ns;
	o->spec.parent_ref->name = s->metadata.name;
	return storage_create(op->registry->o.storage, r, o, 0, &revision, e);
}

static int refuse(struct operation *op, const struct service *s, const char *field,
	struct cause_value value, const char *why, struct err *e)
{
	struct causes c;

	causes_init(&c, op->arena);
	causes_invalid(&c, FIELD(FIELD(NULL, "spec"), field), value, "%s", why);
	return status_invalid(op->arena, e,
		(struct status_subject){STR(""), STR("Service"), s->metadata.name}, &c);
}

static str ip_text(struct arena *a, uint32_t ip)
{
	return arena_fmt(a, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static bool port_taken(struct operation *op, const struct service *but, int32_t port, str protocol)
{
	const struct resource *r = resource_find(STR(""), STR("v1"), STR("services"));
	int64_t revision;
	struct snapshot *n = storage_snapshot(op->registry->o.storage, r, &revision);
	struct snapshot_walk w = snapshot_walk(n, (str){NULL, 0}, (str){NULL, 0});
	const struct stored *stored;
	bool taken = false;
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	while (!taken && (stored = snapshot_next(&w))) {
		struct service *other;

		if (str_eq(stored->name, but->metadata.name) && str_eq(stored->ns, op->ns))
			continue;
		arena_reset(&a);
		if (stored_decode(&a, stored, (void **)&other, &e) == 0)
			taken = service_has_port(other, port, protocol);
	}
	arena_free(&a);
	snapshot_drop(n);
	return taken;
}

static bool service_has_port(const struct service *s, int32_t port, str protocol)
{
	for (size_t i = 0; i < s->spec.ports.len; i++)
		if (s->spec.ports.at[i].node_port == port &&
			str_eq(s->spec.ports.at[i].protocol, protocol))
			return true;
	return s->spec.health_check_node_port == port;
}
