/*
 * endpointslice-controller: the EndpointSlices of a service name the pods that it selects, those
 * that are not ready or going included.
 * Source: pkg/controller/endpointslice, staging/src/k8s.io/endpointslice.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/endpoint_pods.h"
#include "lib/client/expectations.h"

#include <stdlib.h>

#define SERVICE_NAME STR("kubernetes.io/service-name")
#define MANAGED_BY   STR("endpointslice.kubernetes.io/managed-by")
#define MANAGER      STR("endpointslice-controller.k8s.io")
#define ZONE         STR("topology.kubernetes.io/zone")

struct slices {
	struct expectations *expectations;
};

/* Endpoints with the same ports, which may share slices. */
struct group {
	struct slice_endpoint_port *ports;
	size_t port_count;
	struct object_list endpoints; /* struct slice_endpoint */
};

/* What one pass does for one address family. */
struct family {
	struct pass *p;
	const struct service *s;
	bool v6;
	struct object_list groups;
	struct object_list have;                   /* slices of ours of this family */
	struct object_list create, update, delete; /* struct slice_endpoint_slice */
	bool node_missing;
};

static int open_slices(struct controller_run *r, struct err *e)
{
	struct slices *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ERR_SYSTEM, "no memory for endpoint slices");
	s->expectations = expectations_new(r->env.clock);
	r->state = s;
	return 0;
}

static void service_changed(struct controller_run *r, const void *before, const void *now)
{
	run_enqueue(r, now ? now : before);
}

static bool is_ours(const struct object_meta *m)
{
	return str_eq(str_map_get(&m->labels, MANAGED_BY), MANAGER);
}

static void slice_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct object_meta *m = meta_of(now ? now : before);
	struct slices *s = r->state;
	str service = str_map_get(&m->labels, SERVICE_NAME);
	char text[RUN_KEY_BYTES];

	if (!is_ours(m) || service.len == 0)
		return;
	str key = run_key(text, m->namespace, service);

	if (!before)
		expectations_created(s->expectations, key);
	if (!now)
		expectations_deleted(s->expectations, key, m->name);
	run_add(r, 0, key);
}

/* --- what there should be */

static struct group *find_group(
	struct family *f, const struct slice_endpoint_port *ports, size_t count)
{
	for (size_t i = 0; i < f->groups.len; i++) {
		struct group *g = (struct group *)f->groups.at[i];
		bool same = g->port_count == count;

		for (size_t n = 0; n < count && same; n++)
			same = struct_equal(
				api_type(API_SLICE_ENDPOINT_PORT), &g->ports[n], &ports[n]);
		if (same)
			return g;
	}
	struct group *g = arena_get(f->p->arena, sizeof(*g));

	g->port_count = count;
	g->ports = arena_get(f->p->arena, count * sizeof(*g->ports) + 1);
	if (count > 0)
		memcpy(g->ports, ports, count * sizeof(*ports));
	object_list_add(f->p->arena, &f->groups, g);
	return g;
}

static size_t slice_ports(struct family *f, const struct pod *pod, struct slice_endpoint_port *to)
{
	struct arena *a = f->p->arena;
	struct endpoint_target *targets = arena_get(
		a, (f->s->spec.ports.len + 1) * sizeof(*targets));
	size_t count = endpoint_targets(pod, f->s, targets);

	for (size_t i = 0; i < count; i++)
		to[i] = (struct slice_endpoint_port){
			.name = endpoint_text(a, targets[i].port->name),
			.protocol = endpoint_text(a, targets[i].port->protocol),
			.port = arena_i32(a, targets[i].number),
			.app_protocol = targets[i].port->app_protocol,
		};
	return count;
}

static struct slice_endpoint *make_endpoint(struct family *f, const struct pod *pod, str ip)
{
	struct arena *a = f->p->arena;
	struct slice_endpoint *to = arena_get(a, sizeof(*to));
	const struct node *node = pass_get(f->p, API_NODE, STR(""), pod->spec.node_name);
	bool serving = pod_is_ready(pod), terminating = pod->metadata.deletion_timestamp;
	str zone = node ? str_map_get(&node->metadata.labels, ZONE) : (str){NULL, 0};

	to->addresses = (struct str_list){endpoint_text(a, ip), 1};
	to->conditions = (struct slice_endpoint_conditions){
		.ready = arena_bool(
			a, f->s->spec.publish_not_ready_addresses || (serving && !terminating)),
		.serving = arena_bool(a, serving),
		.terminating = arena_bool(a, terminating),
	};
	to->target_ref = arena_get(a, sizeof(*to->target_ref));
	*to->target_ref = (struct object_reference){.kind = STR("Pod"),
		.namespace = pod->metadata.namespace,
		.name = pod->metadata.name,
		.uid = pod->metadata.uid};
	if (pod->spec.node_name.len > 0)
		to->node_name = endpoint_text(a, pod->spec.node_name);
	if (zone.len > 0)
		to->zone = endpoint_text(a, zone);
	if (endpoint_has_hostname(pod, f->s))
		to->hostname = endpoint_text(a, pod->spec.hostname);
	return to;
}

static void add_pod(struct family *f, const struct pod *pod)
{
	struct slice_endpoint_port *ports = arena_get(
		f->p->arena, (f->s->spec.ports.len + 1) * sizeof(*ports));
	str ip = endpoint_address(pod, f->v6);

	if (!endpoint_belongs(pod, true) || !ip.at)
		return;
	if (!f->s->spec.publish_not_ready_addresses && pod->spec.node_name.len > 0 &&
		!pass_get(f->p, API_NODE, STR(""), pod->spec.node_name)) {
		f->node_missing = true;
		return;
	}
	struct group *g = find_group(f, ports, slice_ports(f, pod, ports));

	object_list_add(f->p->arena, &g->endpoints, make_endpoint(f, pod, ip));
}

/* --- what there is */

static bool has_ports(const struct slice_endpoint_slice *s, const struct group *g)
{
	bool same = s->ports.len == g->port_count;

	for (size_t i = 0; i < g->port_count && same; i++)
		same = struct_equal(
			api_type(API_SLICE_ENDPOINT_PORT), &s->ports.at[i], &g->ports[i]);
	return same;
}

/* The same pod, at the same address, on the same node. */
static bool same_place(const struct slice_endpoint *a, const struct slice_endpoint *b)
{
	return a->target_ref && b->target_ref && str_eq(a->target_ref->uid, b->target_ref->uid) &&
		a->addresses.len == 1 && b->addresses.len == 1 &&
		str_eq(a->addresses.at[0], b->addresses.at[0]);
}

/* Takes the wanted endpoint that stands for this one out of the group; NULL if none does. */
static const struct slice_endpoint *take_wanted(struct group *g, const struct slice_endpoint *have)
{
	for (size_t i = 0; i < g->endpoints.len; i++) {
		const struct slice_endpoint *w = g->endpoints.at[i];

		if (!same_place(w, have))
			continue;
		g->endpoints.at[i] = g->endpoints.at[--g->endpoints.len];
		return w;
	}
	return NULL;
}

static struct str_map slice_labels(struct family *f)
{
	struct str_map m = endpoint_labels(f->p, f->s);

	str_map_set(f->p->arena, &m, SERVICE_NAME, f->s->metadata.name);
	str_map_set(f->p->arena, &m, MANAGED_BY, MANAGER);
	return m;
}

/* Keeps what is still wanted, as it is now; empty slices stay in the list with no endpoint. */
static struct slice_endpoint_slice *keep_wanted(
	struct family *f, struct group *g, const struct slice_endpoint_slice *have)
{
	struct slice_endpoint_slice *next = pass_copy(f->p, have);
	int64_t most = ((const struct settings *)f->p->run->env.settings)->max_endpoints_per_slice;
	size_t room = (size_t)most > have->endpoints.len ? (size_t)most : have->endpoints.len;

	next->endpoints.at = arena_get(f->p->arena, room * sizeof(*next->endpoints.at));
	next->endpoints.len = 0;
	for (size_t i = 0; i < have->endpoints.len; i++) {
		const struct slice_endpoint *w = take_wanted(g, &have->endpoints.at[i]);

		if (w)
			next->endpoints.at[next->endpoints.len++] = *w;
	}
	next->metadata.labels = slice_labels(f);
	return next;
}

static struct slice_endpoint_slice *new_slice(struct family *f, const struct group *g)
{
	struct arena *a = f->p->arena;
	int64_t most = ((const struct settings *)f->p->run->env.settings)->max_endpoints_per_slice;
	struct slice_endpoint_slice *s = pass_new(
		f->p, API_SLICE_ENDPOINT_SLICE, f->s->metadata.namespace, STR(""));

	s->metadata.generate_name = arena_fmt(a, "%.*s-", STR_ARG(f->s->metadata.name));
	s->metadata.labels = slice_labels(f);
	meta_add_owner(a, &s->metadata, meta_controller_ref(a, f->s));
	s->address_type = f->v6 ? STR("IPv6") : STR("IPv4");
	s->ports.at = g ? g->ports : NULL;
	s->ports.len = g ? g->port_count : 0;
	s->endpoints.at = arena_get(a, (size_t)most * sizeof(*s->endpoints.at));
	return s;
}

static void fill_slice(struct slice_endpoint_slice *s, struct group *g, size_t most)
{
	while (s->endpoints.len < most && g->endpoints.len > 0)
		s->endpoints.at[s->endpoints.len++] = *(
			const struct slice_endpoint *)g->endpoints.at[--g->endpoints.len];
}

/* Changed slices are filled first, then the others, then new ones are made. */
static void settle_group(struct family *f, struct group *g)
{
	size_t most =
		(size_t)((const struct settings *)f->p->run->env.settings)->max_endpoints_per_slice;
	struct object_list kept = {0};
	size_t left = 0;

	for (size_t i = 0; i < f->have.len; i++) {
		const struct slice_endpoint_slice *have = f->have.at[i];

		if (has_ports(have, g))
			object_list_add(f->p->arena, &kept, keep_wanted(f, g, have));
		else
			f->have.at[left++] = have;
	}
	f->have.len = left;
	for (size_t i = 0; i < kept.len; i++)
		fill_slice((struct slice_endpoint_slice *)kept.at[i], g, most);
	for (size_t i = 0; i < kept.len; i++) {
		const struct slice_endpoint_slice *s = kept.at[i];

		object_list_add(f->p->arena, s->endpoints.len > 0 ? &f->update : &f->delete, s);
	}
	while (g->endpoints.len > 0) {
		struct slice_endpoint_slice *s = new_slice(f, g);

		fill_slice(s, g, most);
		object_list_add(f->p->arena, &f->create, s);
	}
}

/* A slice that would be deleted takes what would be created: watchers never see neither. */
static void recycle(struct family *f)
{
	while (f->create.len > 0 && f->delete.len > 0) {
		const struct slice_endpoint_slice *fresh = f->create.at[--f->create.len];
		struct slice_endpoint_slice *reused = pass_copy(
			f->p, f->delete.at[--f->delete.len]);

		reused->endpoints.at = fresh->endpoints.at;
		reused->endpoints.len = fresh->endpoints.len;
		reused->ports.at = fresh->ports.at;
		reused->ports.len = fresh->ports.len;
		reused->metadata.labels = fresh->metadata.labels;
		object_list_add(f->p->arena, &f->update, reused);
	}
}

/* A service without endpoints keeps one empty slice, which says so. */
static void keep_placeholder(struct family *f)
{
	if (f->create.len + f->update.len > 0)
		return;
	object_list_add(f->p->arena, &f->create, new_slice(f, NULL));
}

/* --- writing */

static int by_place(const void *a, const void *b)
{
	const struct slice_endpoint *x = a, *y = b;

	return str_cmp(x->addresses.at[0], y->addresses.at[0]);
}

/* In the order of addresses, so that the same endpoints make the same slice. */
static void sort_endpoints(const struct object_list *slices)
{
	for (size_t i = 0; i < slices->len; i++) {
		const struct slice_endpoint_slice *s = slices->at[i];

		if (s->endpoints.len > 1)
			qsort(s->endpoints.at, s->endpoints.len, sizeof(*s->endpoints.at),
				by_place);
	}
}

static int write_slices(struct family *f, struct err *e)
{
	for (size_t i = 0; i < f->create.len; i++) {
		if (pass_create(f->p, f->create.at[i], NULL, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < f->update.len; i++) {
		const struct slice_endpoint_slice *next = f->update.at[i];
		const struct slice_endpoint_slice *have = pass_get(f->p, API_SLICE_ENDPOINT_SLICE,
			next->metadata.namespace, next->metadata.name);

		if (!object_equal(have, next))
			TRY(pass_update(f->p, next, NULL, e));
	}
	for (size_t i = 0; i < f->delete.len; i++)
		TRY(pass_ignore_missing(pass_delete(f->p, f->delete.at[i], e), e));
	return 0;
}

/* What the cache has to show before the next pass. */
static void expect(const struct family *f, size_t count)
{
	struct slices *state = pass_state(f->p);
	struct object_list gone = {0};
	size_t creations = 0;

	for (size_t i = 0; i < count; i++) {
		creations += f[i].create.len;
		for (size_t n = 0; n < f[i].delete.len; n++)
			object_list_add(f->p->arena, &gone, f[i].delete.at[n]);
	}
	str *names = arena_get(f->p->arena, gone.len * sizeof(*names) + 1);

	for (size_t i = 0; i < gone.len; i++)
		names[i] = meta_of(gone.at[i])->name;
	expectations_set(state->expectations, f->p->key, (int)creations, names, gone.len);
}

static void find_slices(struct family *f)
{
	struct view_walk all = pass_list(f->p, API_SLICE_ENDPOINT_SLICE, f->s->metadata.namespace);
	str type = f->v6 ? STR("IPv6") : STR("IPv4");

	view_each(const struct slice_endpoint_slice *, s, &all)
	{
		if (is_ours(&s->metadata) && str_eq(s->address_type, type) &&
			str_eq(str_map_get(&s->metadata.labels, SERVICE_NAME),
				f->s->metadata.name) &&
			!s->metadata.deletion_timestamp)
			object_list_add(f->p->arena, &f->have, s);
	}
}

static void settle_family(struct family *f, const struct object_list *pods)
{
	find_slices(f);
	for (size_t i = 0; i < pods->len; i++)
		add_pod(f, pods->at[i]);
	for (size_t i = 0; i < f->groups.len; i++)
		settle_group(f, (struct group *)f->groups.at[i]);
	for (size_t i = 0; i < f->have.len; i++)
		object_list_add(f->p->arena, &f->delete, f->have.at[i]);
	keep_placeholder(f);
	recycle(f);
	sort_endpoints(&f->create);
	sort_endpoints(&f->update);
}

static int reconcile_families(struct pass *p, const struct service *s, struct err *e)
{
	struct slices *state = pass_state(p);
	size_t count = s->spec.ip_families.len > 0 ? s->spec.ip_families.len : 1;
	struct family *f = arena_get(p->arena, count * sizeof(*f));
	struct object_list pods = {0};
	bool node_missing = false;

	endpoint_selected(p, s, &pods);
	for (size_t i = 0; i < count; i++) {
		f[i].p = p;
		f[i].s = s;
		f[i].v6 = s->spec.ip_families.len > 0
			? str_eq(s->spec.ip_families.at[i], STR("IPv6"))
			: str_find_char(s->spec.cluster_ip, ':') >= 0;
		settle_family(&f[i], &pods);
		node_missing = node_missing || f[i].node_missing;
	}
	expect(f, count);
	for (size_t i = 0; i < count; i++) {
		if (write_slices(&f[i], e) == 0)
			continue;
		expectations_forget(state->expectations, p->key);
		return client_has_cause(e, STR("NamespaceTerminating")) ? 0 : -1;
	}
	return node_missing ? err_set(e, ERR_NOT_FOUND, "a pod's node is not known yet") : 0;
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct service *s = pass_get(p, API_SERVICE, p->ns, p->name);
	struct slices *state = pass_state(p);

	if (!s) {
		expectations_forget(state->expectations, p->key);
		return 0;
	}
	if (str_eq(s->spec.type, STR("ExternalName")) || s->spec.selector.len == 0 ||
		s->metadata.deletion_timestamp || !expectations_met(state->expectations, p->key))
		return 0;
	if (reconcile_families(p, s, e) == 0)
		return 0;
	if (e->kind != ERR_CONFLICT)
		pass_warn(p, s, "FailedToUpdateEndpointSlices",
			"Error updating Endpoint Slices for Service %.*s/%.*s: %s", STR_ARG(p->ns),
			STR_ARG(p->name), e->text);
	return -1;
}

const struct controller endpointslice_controller = {
	.name = "endpointslice-controller",
	.account = "endpointslice-controller",
	.component = "endpoint-slice-controller",
	.watches = {{API_SERVICE, service_changed}, {API_POD, endpoint_pod_changed},
		{API_SLICE_ENDPOINT_SLICE, slice_changed}, {API_NODE, NULL}},
	.works = {{"endpoint_slice", 5, reconcile, .retries_max = 15, .retry_base_ns = NS_PER_S,
		.retry_max_ns = 100 * NS_PER_S}},
	.open = open_slices,
};
