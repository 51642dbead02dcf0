#include "controller-manager/endpoint_pods.h"

#define HEADLESS_LABEL STR("service.kubernetes.io/headless")

static bool same_addresses(const struct pod_status *a, const struct pod_status *b)
{
	if (a->pod_ips.len != b->pod_ips.len)
		return false;
	for (size_t i = 0; i < a->pod_ips.len; i++) {
		if (!str_eq(a->pod_ips.at[i].ip, b->pod_ips.at[i].ip))
			return false;
	}
	return true;
}

/* What of a pod its endpoints show. */
static bool same_for_endpoints(const struct pod *a, const struct pod *b)
{
	return str_eq(a->spec.node_name, b->spec.node_name) &&
		str_eq(a->spec.hostname, b->spec.hostname) &&
		str_eq(a->spec.subdomain, b->spec.subdomain) &&
		str_eq(a->status.phase, b->status.phase) &&
		!a->metadata.deletion_timestamp == !b->metadata.deletion_timestamp &&
		pod_is_ready(a) == pod_is_ready(b) && same_addresses(&a->status, &b->status);
}

static bool same_labels(const struct str_map *a, const struct str_map *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (!str_eq(a->at[i].key, b->at[i].key) || !str_eq(a->at[i].value, b->at[i].value))
			return false;
	}
	return true;
}

static bool selects(const struct service *s, const struct pod *p)
{
	const struct str_map *wanted = &s->spec.selector;

	for (size_t i = 0; i < wanted->len; i++) {
		str value = str_map_get(&p->metadata.labels, wanted->at[i].key);

		if (!value.at || !str_eq(value, wanted->at[i].value))
			return false;
	}
	return wanted->len > 0;
}

void endpoint_pod_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct pod *old = before, *p = now;
	bool labels_moved;

	if (old && p) {
		labels_moved = !same_labels(&old->metadata.labels, &p->metadata.labels);
		if (!labels_moved && same_for_endpoints(old, p))
			return;
	}
	struct view *services = informer_view(informers_of(r->env.informers, API_SERVICE));
	struct view_walk all = view_all(services, meta_of(now ? now : before)->namespace);

	view_each(const struct service *, s, &all)
	{
		if ((old && selects(s, old)) || (p && selects(s, p)))
			run_enqueue(r, s);
	}
	view_drop(services);
}

bool endpoint_belongs(const struct pod *p, bool include_terminating)
{
	if (pod_is_finished(p) || p->status.pod_ips.len == 0)
		return false;
	return include_terminating || !p->metadata.deletion_timestamp;
}

static bool find_in(const struct container *c, const struct service_port *port, int32_t *number)
{
	for (size_t i = 0; i < c->ports.len; i++) {
		const struct container_port *have = &c->ports.at[i];

		if (str_eq(have->name, port->target_port.text) &&
			str_eq(have->protocol, port->protocol)) {
			*number = have->container_port;
			return true;
		}
	}
	return false;
}

static bool find_port(const struct pod *p, const struct service_port *port, int32_t *number)
{
	if (!port->target_port.is_text) {
		*number = port->target_port.number;
		return true;
	}
	for (size_t i = 0; i < p->spec.containers.len; i++) {
		if (find_in(&p->spec.containers.at[i], port, number))
			return true;
	}
	for (size_t i = 0; i < p->spec.init_containers.len; i++) {
		const struct container *c = &p->spec.init_containers.at[i];

		if (c->restart_policy && str_eq(*c->restart_policy, STR("Always")) &&
			find_in(c, port, number))
			return true;
	}
	return false;
}

size_t endpoint_targets(const struct pod *p, const struct service *s, struct endpoint_target *to)
{
	size_t count = 0;

	for (size_t i = 0; i < s->spec.ports.len; i++) {
		to[count].port = &s->spec.ports.at[i];
		if (find_port(p, to[count].port, &to[count].number))
			count++;
	}
	return count;
}

str endpoint_address(const struct pod *p, bool v6)
{
	for (size_t i = 0; i < p->status.pod_ips.len; i++) {
		str ip = p->status.pod_ips.at[i].ip;

		if ((str_find_char(ip, ':') >= 0) == v6)
			return ip;
	}
	return (str){NULL, 0};
}

bool endpoint_has_hostname(const struct pod *p, const struct service *s)
{
	return p->spec.hostname.len > 0 && str_eq(p->spec.subdomain, s->metadata.name) &&
		str_eq(p->metadata.namespace, s->metadata.namespace);
}

bool endpoint_is_headless(const struct service *s)
{
	return s->spec.cluster_ip.len == 0 || str_eq(s->spec.cluster_ip, STR("None"));
}

void endpoint_selected(struct pass *p, const struct service *s, struct object_list *to)
{
	struct view_walk pods = pass_list(p, API_POD, s->metadata.namespace);

	view_each(const struct pod *, pod, &pods)
	{
		if (selects(s, pod))
			object_list_add(p->arena, to, pod);
	}
}

struct str_map endpoint_labels(struct pass *p, const struct service *s)
{
	const struct str_map *from = &s->metadata.labels;
	struct str_map to = {arena_get(p->arena, from->len * sizeof(*to.at) + 1), 0};

	for (size_t i = 0; i < from->len; i++) {
		if (!str_eq(from->at[i].key, HEADLESS_LABEL))
			to.at[to.len++] = from->at[i];
	}
	if (endpoint_is_headless(s))
		str_map_set(p->arena, &to, HEADLESS_LABEL, STR(""));
	return to;
}

str *endpoint_text(struct arena *a, str s)
{
	str *to = arena_get(a, sizeof(*to));

	*to = s;
	return to;
}
