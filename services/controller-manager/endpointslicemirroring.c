/*
 * endpointslice-mirroring-controller: Endpoints that people write for a service without a selector
 * are mirrored to EndpointSlices.
 * Source: pkg/controller/endpointslicemirroring.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/endpoint_pods.h"
#include "lib/client/expectations.h"

#define SERVICE_NAME STR("kubernetes.io/service-name")
#define MANAGED_BY   STR("endpointslice.kubernetes.io/managed-by")
#define MANAGER      STR("endpointslicemirroring-controller.k8s.io")
#define SKIP         STR("endpointslice.kubernetes.io/skip-mirror")
#define LEADER       STR("control-plane.alpha.kubernetes.io/leader")

static const str own_annotations[] = {
	STR_INIT("kubectl.kubernetes.io/last-applied-configuration"),
	STR_INIT("endpoints.kubernetes.io/last-change-trigger-time"),
};

struct mirror {
	struct pass *p;
	const struct endpoints *e;
	struct object_list wanted; /* struct slice_endpoint_slice */
	struct object_list have;
};

static int open_mirrors(struct controller_run *r, UNUSED struct err *e)
{
	r->state = expectations_new(r->env.clock);
	return 0;
}

static void changed(struct controller_run *r, const void *before, const void *now)
{
	run_enqueue(r, now ? now : before);
}

static bool is_mirror(const struct object_meta *m)
{
	return str_eq(str_map_get(&m->labels, MANAGED_BY), MANAGER);
}

static void slice_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct object_meta *m = meta_of(now ? now : before);
	str service = str_map_get(&m->labels, SERVICE_NAME);
	char text[RUN_KEY_BYTES];

	if (!is_mirror(m) || service.len == 0)
		return;
	str key = run_key(text, m->namespace, service);

	if (!before)
		expectations_created(r->state, key);
	if (!now)
		expectations_deleted(r->state, key, m->name);
	run_add(r, 0, key);
}

static bool is_mirrored(struct pass *p, const struct endpoints *e)
{
	const struct service *s = pass_get(p, API_SERVICE, p->ns, p->name);

	return e && s && s->spec.selector.len == 0 &&
		!str_eq(str_map_get(&e->metadata.labels, SKIP), STR("true")) &&
		!str_map_get(&e->metadata.annotations, LEADER).at;
}

static void put_metadata(struct mirror *m, struct object_meta *to)
{
	const struct str_map *from = &m->e->metadata.annotations;

	to->labels = m->e->metadata.labels;
	str_map_set(m->p->arena, &to->labels, SERVICE_NAME, m->p->name);
	str_map_set(m->p->arena, &to->labels, MANAGED_BY, MANAGER);
	to->annotations = (struct str_map){
		arena_get(m->p->arena, from->len * sizeof(*from->at) + 1), 0};
	for (size_t i = 0; i < from->len; i++) {
		bool own = false;

		for (size_t o = 0; o < COUNT_OF(own_annotations); o++)
			own = own || str_eq(own_annotations[o], from->at[i].key);
		if (!own)
			to->annotations.at[to->annotations.len++] = from->at[i];
	}
}

static struct slice_endpoint_slice *slice_for(
	struct mirror *m, const struct endpoint_subset *from, bool v6, size_t room)
{
	struct arena *a = m->p->arena;
	struct slice_endpoint_slice *s = pass_new(
		m->p, API_SLICE_ENDPOINT_SLICE, m->p->ns, STR(""));

	s->metadata.generate_name = arena_fmt(a, "%.*s-", STR_ARG(m->p->name));
	put_metadata(m, &s->metadata);
	meta_add_owner(a, &s->metadata, meta_controller_ref(a, m->e));
	s->address_type = v6 ? STR("IPv6") : STR("IPv4");
	s->ports.at = arena_get(a, from->ports.len * sizeof(*s->ports.at) + 1);
	s->ports.len = from->ports.len;
	for (size_t i = 0; i < from->ports.len; i++)
		s->ports.at[i] = (struct slice_endpoint_port){
			.name = endpoint_text(a, from->ports.at[i].name),
			.protocol = endpoint_text(a, from->ports.at[i].protocol),
			.port = arena_i32(a, from->ports.at[i].port),
			.app_protocol = from->ports.at[i].app_protocol,
		};
	s->endpoints.at = arena_get(a, room * sizeof(*s->endpoints.at));
	object_list_add(a, &m->wanted, s);
	return s;
}

static void add_address(struct mirror *m, struct slice_endpoint_slice *s,
	const struct endpoint_address *from, bool ready)
{
	struct arena *a = m->p->arena;

	s->endpoints.at[s->endpoints.len++] = (struct slice_endpoint){
		.addresses = {endpoint_text(a, from->ip), 1},
		.conditions = {.ready = arena_bool(a, ready)},
		.target_ref = from->target_ref,
		.node_name = from->node_name,
		.hostname = from->hostname.len > 0 ? endpoint_text(a, from->hostname) : NULL,
	};
}

/* One slice for each family, with as many addresses as are mirrored of a subset. */
static void mirror_subset(struct mirror *m, const struct endpoint_subset *from)
{
	size_t most =
		(size_t)((const struct settings *)m->p->run->env.settings)->mirroring_max_endpoints;
	size_t ready = from->addresses.len, all = ready + from->not_ready_addresses.len;
	struct slice_endpoint_slice *slices[2] = {NULL, NULL};

	for (size_t i = 0, mirrored = 0; i < all && mirrored < most; i++, mirrored++) {
		const struct endpoint_address *at = i < ready
			? &from->addresses.at[i]
			: &from->not_ready_addresses.at[i - ready];
		bool v6 = str_find_char(at->ip, ':') >= 0;

		if (!slices[v6])
			slices[v6] = slice_for(m, from, v6, all);
		add_address(m, slices[v6], at, i < ready);
	}
}

static void find_slices(struct mirror *m)
{
	struct view_walk all = pass_list(m->p, API_SLICE_ENDPOINT_SLICE, m->p->ns);

	view_each(const struct slice_endpoint_slice *, s, &all)
	{
		if (is_mirror(&s->metadata) && !s->metadata.deletion_timestamp &&
			str_eq(str_map_get(&s->metadata.labels, SERVICE_NAME), m->p->name))
			object_list_add(m->p->arena, &m->have, s);
	}
}

static bool same_ports(const struct slice_endpoint_slice *a, const struct slice_endpoint_slice *b)
{
	bool same = a->ports.len == b->ports.len && str_eq(a->address_type, b->address_type);

	for (size_t i = 0; i < a->ports.len && same; i++)
		same = struct_equal(
			api_type(API_SLICE_ENDPOINT_PORT), &a->ports.at[i], &b->ports.at[i]);
	return same;
}

/* A slice that is there with the same ports takes the endpoints over. */
static int reuse(
	struct mirror *m, const struct slice_endpoint_slice *wanted, bool *reused, struct err *e)
{
	*reused = false;
	for (size_t i = 0; i < m->have.len; i++) {
		const struct slice_endpoint_slice *have = m->have.at[i];
		struct slice_endpoint_slice *next;

		if (!same_ports(have, wanted))
			continue;
		m->have.at[i] = m->have.at[--m->have.len];
		*reused = true;
		next = pass_copy(m->p, have);
		next->endpoints.at = wanted->endpoints.at;
		next->endpoints.len = wanted->endpoints.len;
		next->metadata.labels = wanted->metadata.labels;
		next->metadata.annotations = wanted->metadata.annotations;
		return object_equal(have, next) ? 0 : pass_update(m->p, next, NULL, e);
	}
	return 0;
}

static int write_slices(struct mirror *m, struct err *e)
{
	struct object_list create = {0};
	str *gone;

	for (size_t i = 0; i < m->wanted.len; i++) {
		bool reused;

		TRY(reuse(m, m->wanted.at[i], &reused, e));
		if (!reused)
			object_list_add(m->p->arena, &create, m->wanted.at[i]);
	}
	gone = arena_get(m->p->arena, m->have.len * sizeof(*gone) + 1);
	for (size_t i = 0; i < m->have.len; i++)
		gone[i] = meta_of(m->have.at[i])->name;
	expectations_set(pass_state(m->p), m->p->key, (int)create.len, gone, m->have.len);
	for (size_t i = 0; i < create.len; i++) {
		if (pass_create(m->p, create.at[i], NULL, e) == 0)
			continue;
		expectations_forget(pass_state(m->p), m->p->key);
		return client_has_cause(e, STR("NamespaceTerminating")) ? 0 : -1;
	}
	for (size_t i = 0; i < m->have.len; i++)
		TRY(pass_ignore_missing(pass_delete(m->p, m->have.at[i], e), e));
	return 0;
}

static int reconcile(struct pass *p, struct err *e)
{
	struct mirror m = {.p = p, .e = pass_get(p, API_ENDPOINTS, p->ns, p->name)};

	if (!expectations_met(pass_state(p), p->key))
		return 0;
	find_slices(&m);
	if (is_mirrored(p, m.e)) {
		for (size_t i = 0; i < m.e->subsets.len; i++)
			mirror_subset(&m, &m.e->subsets.at[i]);
	}
	return write_slices(&m, e);
}

const struct controller endpointslice_mirroring_controller = {
	.name = "endpointslice-mirroring-controller",
	.account = "endpointslicemirroring-controller",
	.watches = {{API_ENDPOINTS, changed}, {API_SERVICE, changed},
		{API_SLICE_ENDPOINT_SLICE, slice_changed}},
	.works = {{"endpoint_slice_mirroring", 5, reconcile, .retries_max = 15,
		.retry_base_ns = NS_PER_S, .retry_max_ns = 100 * NS_PER_S}},
	.open = open_mirrors,
};
