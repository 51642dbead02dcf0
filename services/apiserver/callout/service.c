#include "apiserver/callout/service.h"

#include "api/kinds.h"

static int find_endpoint(struct arena *a, const struct service_ask *ask, const struct service *s,
	const struct service_port *port, str *to, struct err *e);

static int read_service(
	struct arena *a, const struct service_ask *ask, struct service **to, struct err *e)
{
	const struct resource *r = resource_find(STR(""), STR("v1"), STR("services"));
	struct stored *o = storage_get(ask->storage, r, ask->ns, ask->name);
	void *found;

	if (!o)
		return err_set(e, ERR_NOT_FOUND, "service \"%.*s\" not found", STR_ARG(ask->name));
	str envelope = arena_str(a, o->envelope);

	counted_drop(&o->counted);
	TRY(object_decode(a, api_type(API_SERVICE), FORMAT_PROTOBUF, envelope, &found, NULL, e));
	*to = found;
	return 0;
}

static const struct service_port *find_port(const struct service *s, int32_t port)
{
	for (size_t i = 0; i < s->spec.ports.len; i++)
		if (s->spec.ports.at[i].port == port)
			return &s->spec.ports.at[i];
	return NULL;
}

static str join(struct arena *a, str host, int32_t port)
{
	bool v6 = str_find_char(host, ':') >= 0;

	return arena_fmt(a, "%s%.*s%s:%d", v6 ? "[" : "", STR_ARG(host), v6 ? "]" : "", port);
}

int service_resolve(struct arena *a, const struct service_ask *ask, str *to, struct err *e)
{
	struct service *s;

	TRY(read_service(a, ask, &s, e));
	if (str_eq(s->spec.type, STR("ExternalName"))) {
		if (ask->endpoints)
			return err_set(
				e, ERR_UNAVAILABLE, "unsupported service type \"ExternalName\"");
		*to = join(a, s->spec.external_name, ask->port);
		return 0;
	}
	if (!ask->endpoints && str_eq(s->spec.cluster_ip, STR("None")))
		return err_set(
			e, ERR_UNAVAILABLE, "cannot route to service with ClusterIP \"None\"");
	const struct service_port *port = find_port(s, ask->port);

	if (!port)
		return err_set(e, ERR_UNAVAILABLE, "no service port %d found for service \"%.*s\"",
			ask->port, STR_ARG(ask->name));
	if (ask->endpoints)
		return find_endpoint(a, ask, s, port, to, e);
	*to = join(a, s->spec.cluster_ip, port->port);
	return 0;
}

/* One that is ready, from that on whose turn it is. */
static bool pick(struct arena *a, const struct slice_endpoint_slice *s, str port_name,
	unsigned turn, str *to)
{
	for (size_t i = 0; i < s->ports.len; i++) {
		const struct slice_endpoint_port *p = &s->ports.at[i];

		if (!p->port || !str_eq(p->name ? *p->name : STR(""), port_name))
			continue;
		for (size_t k = 0; k < s->endpoints.len; k++) {
			const struct slice_endpoint *one =
				&s->endpoints.at[(turn + k) % s->endpoints.len];

			if (one->addresses.len == 0 ||
				(one->conditions.ready && !*one->conditions.ready))
				continue;
			*to = join(a, one->addresses.at[0], *p->port);
			return true;
		}
	}
	return false;
}

static int find_endpoint(struct arena *a, const struct service_ask *ask, const struct service *s,
	const struct service_port *port, str *to, struct err *e)
{
	const struct resource *r = resource_find(
		STR("discovery.k8s.io"), STR("v1"), STR("endpointslices"));
	int64_t revision;
	struct snapshot *n = storage_snapshot(ask->storage, r, &revision);
	struct snapshot_walk w = snapshot_walk(n, ask->ns, (str){NULL, 0});
	const struct stored *o;
	bool found = false;

	while (!found && (o = snapshot_next(&w))) {
		str label = str_map_get(o->labels, STR("kubernetes.io/service-name"));
		struct err ignored;
		void *slice;

		if (!str_eq(label, s->metadata.name) ||
			object_decode(a, api_type(API_SLICE_ENDPOINT_SLICE), FORMAT_PROTOBUF,
				o->envelope, &slice, NULL, &ignored) < 0)
			continue;
		found = pick(a, slice, port->name, ask->turn, to);
	}
	snapshot_drop(n);
	if (!found)
		return err_set(e, ERR_UNAVAILABLE, "no endpoints available for service \"%.*s\"",
			STR_ARG(s->metadata.name));
	return 0;
}
