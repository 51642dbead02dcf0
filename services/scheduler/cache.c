#include "scheduler/cache.h"

#include <stdlib.h>

/* What a container that says nothing is taken to need, when nodes are compared. */
enum { GUESS_CPU_MILLI = 100 };
#define GUESS_MEMORY (200ll << 20)

static struct node_info *node_of(struct cache *c, str name);
static void drop_unused(struct cache *c, struct node_info *n);
static void free_node(struct node_info *n);
static void clear_scalars(struct resources *r);
static void compute(struct pod_info *p);
static void add_list(struct arena *a, struct resources *to, const struct quantity_map *m);
static void add_resources(
	struct arena *a, struct resources *to, const struct resources *by, int sign);
static void raise_to(struct arena *a, struct resources *to, const struct resources *by);
static void add_scalar(struct arena *a, struct resources *to, str name, int64_t value, bool most);
static void sum_requests(struct pod_info *p);
static void sum_scored(struct pod_info *p);
static void parse_terms(struct pod_info *p);
static struct affinity_terms parse_required(
	struct arena *a, const struct pod_affinity_term *terms, size_t count, str ns);
static struct affinity_terms parse_preferred(
	struct arena *a, const struct weighted_pod_affinity_term *terms, size_t count, str ns);
static struct affinity_term parse_term(struct arena *a, const struct pod_affinity_term *t, str ns);
static void count_on(struct node_info *n, const struct pod_info *p, int sign);

void cache_init(struct cache *c)
{
	*c = (struct cache){.len = 0};
	map_init(&c->nodes);
	map_init(&c->pods);
}

void cache_free(struct cache *c)
{
	map_each (&c->pods, e)
		pod_info_free(e->value);
	map_each (&c->nodes, e) {
		struct node_info *n = e->value;

		if (n->entry)
			entry_drop(n->entry);
		free_node(n);
	}
	map_free(&c->pods);
	map_free(&c->nodes);
	free(c->list);
}

struct pod_info *pod_info_new(struct entry *pod)
{
	struct pod_info *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	char *uid = strndup(pod->meta->uid.at, pod->meta->uid.len);
	if (!uid)
		abort();
	p->uid = str_span(uid, pod->meta->uid.len);
	arena_init(&p->arena, ARENA_NO_LIMIT);
	p->entry = pod;
	p->pod = pod->object;
	compute(p);
	return p;
}

void pod_info_free(struct pod_info *p)
{
	entry_drop(p->entry);
	arena_free(&p->arena);
	free((void *)(uintptr_t)p->uid.at);
	free(p);
}

void pod_info_renew(struct pod_info *p, struct entry *pod)
{
	char nominated[256];
	size_t len = p->nominated.len < sizeof(nominated) ? p->nominated.len : 0;

	if (len)
		memcpy(nominated, p->nominated.at, len);
	entry_drop(p->entry);
	arena_free(&p->arena);
	arena_init(&p->arena, ARENA_NO_LIMIT);
	p->entry = pod;
	p->pod = pod->object;
	p->nominated = len ? arena_str(&p->arena, str_span(nominated, len)) : (str){NULL, 0};
	compute(p);
}

struct pod_info *cache_pod(const struct cache *c, str uid)
{
	return map_get(&c->pods, uid);
}

void cache_place(struct cache *c, struct pod_info *p, str node)
{
	struct node_info *n = node_of(c, node);

	p->node = n;
	p->next = n->pods;
	if (p->next)
		p->next->previous = p;
	n->pods = p;
	count_on(n, p, 1);
}

void cache_displace(struct cache *c, struct pod_info *p)
{
	struct node_info *n = p->node;

	if (!n)
		return;
	*(p->previous ? &p->previous->next : &n->pods) = p->next;
	if (p->next)
		p->next->previous = p->previous;
	p->node = NULL;
	p->next = p->previous = NULL;
	count_on(n, p, -1);
	drop_unused(c, n);
}

void cache_set_node(struct cache *c, struct entry *node)
{
	struct node_info *n = node_of(c, node->meta->name);
	struct arena scratch;

	if (!n->entry) {
		if (c->len == c->cap) {
			c->cap = c->cap ? 2 * c->cap : 64;
			c->list = realloc(c->list, c->cap * sizeof(struct node_info *));
			if (!c->list)
				abort();
		}
		n->index = c->len;
		c->list[c->len++] = n;
	} else {
		entry_drop(n->entry);
	}
	n->entry = node;
	n->node = node->object;
	n->allocatable.cpu_milli = n->allocatable.memory = 0;
	n->allocatable.ephemeral = n->allocatable.pods = 0;
	clear_scalars(&n->allocatable);
	arena_init(&scratch, ARENA_NO_LIMIT);
	struct resources r = {0};
	add_list(&scratch, &r, &n->node->status.allocatable);
	add_resources(NULL, &n->allocatable, &r, 1);
	n->allocatable.pods = r.pods;
	arena_free(&scratch);
}

void cache_remove_node(struct cache *c, str name)
{
	struct node_info *n = map_get(&c->nodes, name);

	if (!n || !n->entry)
		return;
	c->list[n->index] = c->list[--c->len];
	c->list[n->index]->index = n->index;
	entry_drop(n->entry);
	n->entry = NULL;
	n->node = NULL;
	drop_unused(c, n);
}

int64_t scalar_of(const struct resources *r, str name)
{
	for (size_t i = 0; i < r->scalar_count; i++)
		if (str_eq(r->scalars[i].name, name))
			return r->scalars[i].value;
	return 0;
}

static struct node_info *node_of(struct cache *c, str name)
{
	struct node_info *n = map_get(&c->nodes, name);

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	char *copy = malloc(name.len + 1);
	if (!n || !copy)
		abort();
	memcpy(copy, name.at, name.len);
	n->name = str_span(copy, name.len);
	map_put(&c->nodes, n->name, n);
	return n;
}

static void drop_unused(struct cache *c, struct node_info *n)
{
	if (n->entry || n->pods)
		return;
	map_remove(&c->nodes, n->name);
	free_node(n);
}

static void free_node(struct node_info *n)
{
	clear_scalars(&n->allocatable);
	clear_scalars(&n->requested);
	free(n->allocatable.scalars);
	free(n->requested.scalars);
	free((void *)(uintptr_t)n->name.at);
	free(n);
}

static void clear_scalars(struct resources *r)
{
	for (size_t i = 0; i < r->scalar_count; i++)
		free((void *)(uintptr_t)r->scalars[i].name.at);
	r->scalar_count = 0;
}

static void count_on(struct node_info *n, const struct pod_info *p, int sign)
{
	bool anti = p->anti_affinity.len > 0,
	     any = anti || p->affinity.len || p->prefers.len || p->avoids.len;

	add_resources(NULL, &n->requested, &p->requests, sign);
	n->requested.pods += sign;
	n->scored_cpu_milli += sign * p->scored_cpu_milli;
	n->scored_memory += sign * p->scored_memory;
	n->with_affinity += (size_t)(any ? sign : 0);
	n->with_anti_affinity += (size_t)(anti ? sign : 0);
}

static void compute(struct pod_info *p)
{
	p->priority = p->pod->spec.priority ? *p->pod->spec.priority : 0;
	p->requests = (struct resources){0};
	p->affinity = p->anti_affinity = p->prefers = p->avoids = (struct affinity_terms){NULL, 0};
	sum_requests(p);
	sum_scored(p);
	parse_terms(p);
}

static bool is_sidecar(const struct container *c)
{
	return c->restart_policy && str_eq(*c->restart_policy, STR("Always"));
}

/* Containers run together with the sidecars that started before them; inits run alone. */
static void sum_requests(struct pod_info *p)
{
	const struct pod_spec *s = &p->pod->spec;
	struct resources sidecars = {0}, inits = {0};

	for (size_t i = 0; i < s->init_containers.len; i++) {
		const struct container *c = &s->init_containers.at[i];
		struct resources alone = {0};

		add_list(&p->arena, &alone, &c->resources.requests);
		if (is_sidecar(c)) {
			add_resources(&p->arena, &sidecars, &alone, 1);
			raise_to(&p->arena, &inits, &sidecars);
		} else {
			add_resources(&p->arena, &alone, &sidecars, 1);
			raise_to(&p->arena, &inits, &alone);
		}
	}
	for (size_t i = 0; i < s->containers.len; i++)
		add_list(&p->arena, &p->requests, &s->containers.at[i].resources.requests);
	add_resources(&p->arena, &p->requests, &sidecars, 1);
	raise_to(&p->arena, &p->requests, &inits);
	if (s->resources)
		for (size_t i = 0; i < s->resources->requests.len; i++) {
			struct quantity_map one = {&s->resources->requests.at[i], 1};

			if (str_eq(one.at->key, STR("cpu")))
				p->requests.cpu_milli = 0;
			else if (str_eq(one.at->key, STR("memory")))
				p->requests.memory = 0;
			add_list(&p->arena, &p->requests, &one);
		}
	add_list(&p->arena, &p->requests, &s->overhead);
	p->requests.pods = 0;
}

static void sum_scored(struct pod_info *p)
{
	const struct pod_spec *s = &p->pod->spec;

	p->scored_cpu_milli = p->scored_memory = 0;
	for (size_t i = 0; i < s->containers.len; i++) {
		struct resources r = {0};

		add_list(&p->arena, &r, &s->containers.at[i].resources.requests);
		p->scored_cpu_milli += r.cpu_milli ? r.cpu_milli : GUESS_CPU_MILLI;
		p->scored_memory += r.memory ? r.memory : GUESS_MEMORY;
	}
	if (p->scored_cpu_milli < p->requests.cpu_milli)
		p->scored_cpu_milli = p->requests.cpu_milli;
	if (p->scored_memory < p->requests.memory)
		p->scored_memory = p->requests.memory;
}

static void add_list(struct arena *a, struct resources *to, const struct quantity_map *m)
{
	for (size_t i = 0; i < m->len; i++) {
		str name = m->at[i].key;
		const struct quantity *q = &m->at[i].value;

		if (str_eq(name, STR("cpu")))
			to->cpu_milli += quantity_milli(q);
		else if (str_eq(name, STR("memory")))
			to->memory += quantity_value(q);
		else if (str_eq(name, STR("ephemeral-storage")))
			to->ephemeral += quantity_value(q);
		else if (str_eq(name, STR("pods")))
			to->pods += quantity_value(q);
		else
			add_scalar(a, to, name, quantity_value(q), false);
	}
}

static void add_resources(
	struct arena *a, struct resources *to, const struct resources *by, int sign)
{
	to->cpu_milli += sign * by->cpu_milli;
	to->memory += sign * by->memory;
	to->ephemeral += sign * by->ephemeral;
	for (size_t i = 0; i < by->scalar_count; i++)
		add_scalar(a, to, by->scalars[i].name, sign * by->scalars[i].value, false);
}

static void raise_to(struct arena *a, struct resources *to, const struct resources *by)
{
	to->cpu_milli = to->cpu_milli > by->cpu_milli ? to->cpu_milli : by->cpu_milli;
	to->memory = to->memory > by->memory ? to->memory : by->memory;
	to->ephemeral = to->ephemeral > by->ephemeral ? to->ephemeral : by->ephemeral;
	for (size_t i = 0; i < by->scalar_count; i++)
		add_scalar(a, to, by->scalars[i].name, by->scalars[i].value, true);
}

/* In the arena, or (NULL) in memory of a node, whose names are those of some pod or of the node
 * itself: kept as copies there. */
static void add_scalar(struct arena *a, struct resources *to, str name, int64_t value, bool most)
{
	for (size_t i = 0; i < to->scalar_count; i++)
		if (str_eq(to->scalars[i].name, name)) {
			int64_t *at = &to->scalars[i].value;

			*at = !most ? *at + value : *at > value ? *at : value;
			return;
		}
	if (to->scalar_count == to->scalar_cap) {
		size_t cap = to->scalar_cap ? 2 * to->scalar_cap : 4;
		struct scalar *grown = a ? arena_get(a, cap * sizeof(*grown))
					 : realloc(to->scalars, cap * sizeof(*grown));

		if (!grown)
			abort();
		if (a && to->scalar_count)
			memcpy(grown, to->scalars, to->scalar_count * sizeof(*grown));
		to->scalars = grown;
		to->scalar_cap = cap;
	}
	if (!a) {
		char *copy = strndup(name.at, name.len);

		if (!copy)
			abort();
		name.at = copy;
	}
	to->scalars[to->scalar_count++] = (struct scalar){name, value};
}

static void parse_terms(struct pod_info *p)
{
	const struct affinity *f = p->pod->spec.affinity;
	str ns = p->pod->metadata.namespace;

	if (f && f->pod_affinity) {
		p->affinity = parse_required(&p->arena,
			f->pod_affinity->required_during_scheduling_ignored_during_execution.at,
			f->pod_affinity->required_during_scheduling_ignored_during_execution.len,
			ns);
		p->prefers = parse_preferred(&p->arena,
			f->pod_affinity->preferred_during_scheduling_ignored_during_execution.at,
			f->pod_affinity->preferred_during_scheduling_ignored_during_execution.len,
			ns);
	}
	if (f && f->pod_anti_affinity) {
		const struct pod_anti_affinity *n = f->pod_anti_affinity;

		p->anti_affinity = parse_required(&p->arena,
			n->required_during_scheduling_ignored_during_execution.at,
			n->required_during_scheduling_ignored_during_execution.len, ns);
		p->avoids = parse_preferred(&p->arena,
			n->preferred_during_scheduling_ignored_during_execution.at,
			n->preferred_during_scheduling_ignored_during_execution.len, ns);
	}
}

static struct affinity_terms parse_required(
	struct arena *a, const struct pod_affinity_term *terms, size_t count, str ns)
{
	struct affinity_terms to = {arena_get(a, count * sizeof(*to.at) + 1), count};

	for (size_t i = 0; i < count; i++)
		to.at[i] = parse_term(a, &terms[i], ns);
	return to;
}

static struct affinity_terms parse_preferred(
	struct arena *a, const struct weighted_pod_affinity_term *terms, size_t count, str ns)
{
	struct affinity_terms to = {arena_get(a, count * sizeof(*to.at) + 1), count};

	for (size_t i = 0; i < count; i++) {
		to.at[i] = parse_term(a, &terms[i].pod_affinity_term, ns);
		to.at[i].weight = terms[i].weight;
	}
	return to;
}

static struct affinity_term parse_term(struct arena *a, const struct pod_affinity_term *t, str ns)
{
	struct affinity_term to = {.names = t->namespaces, .topology_key = t->topology_key};
	struct err e;

	if (meta_selector(a, t->label_selector, &to.selector, &e) < 0)
		to.selector = (struct meta_selector){.nothing = true};
	if (meta_selector(a, t->namespace_selector, &to.namespaces, &e) < 0)
		to.namespaces = (struct meta_selector){.nothing = true};
	if (!t->namespaces.len && !t->namespace_selector) {
		to.names.at = arena_get(a, sizeof(str));
		to.names.at[0] = ns;
		to.names.len = 1;
	}
	return to;
}
