#include "apiserver/authorization/node_graph.h"

#include "lib/base/map.h"

#include <pthread.h>
#include <stdlib.h>

#define MIRROR_ANNOTATION "kubernetes.io/config.mirror"

/* Each of these is one block with its texts behind it. */
struct node_graph_node {
	str name;
	struct node_graph_pod *pods;
};

struct node_graph_pod {
	str key, ns; /* key: "ns/name" */
	struct node_graph_node *node;
	struct node_graph_pod *next, *previous; /* of the node */
	size_t ref_count;
	struct object_ref refs[];
};

struct node_graph_volume {
	str name, claim_key; /* "ns/name" */
	size_t ref_count;
	struct object_ref refs[];
};

struct node_graph_attachment {
	str name, node;
};

struct node_graph {
	pthread_rwlock_t lock;
	struct map nodes, pods, volumes, attachments;
};

static void drop_pod(struct node_graph *g, str key);
static struct node_graph_node *node_for(struct node_graph *g, str name);
static size_t text_bytes(const struct object_refs *refs);
static char *place(char *to, str from, str *at);
static char *place_refs(char *to, const struct object_refs *from, struct object_ref *at);
static void *block(size_t bytes);

struct node_graph *node_graph_new(void)
{
	struct node_graph *g = block(sizeof(*g));
	struct map *maps[] = {&g->nodes, &g->pods, &g->volumes, &g->attachments};

	pthread_rwlock_init(&g->lock, NULL);
	for (size_t i = 0; i < COUNT_OF(maps); i++)
		map_init(maps[i]);
	return g;
}

void node_graph_free(struct node_graph *g)
{
	struct map *owning[] = {&g->nodes, &g->pods, &g->volumes, &g->attachments};

	for (size_t i = 0; i < COUNT_OF(owning); i++) {
		map_each (owning[i], n)
			free(n->value);
		map_free(owning[i]);
	}
	pthread_rwlock_destroy(&g->lock);
	free(g);
}

/* A mirror pod can have no references: they would be its node's choice. */
void node_graph_put_pod(struct node_graph *g, const struct pod *p)
{
	struct arena a;
	struct object_refs refs = {.arena = &a};

	arena_init(&a, ARENA_NO_LIMIT);
	if (!str_map_get(&p->metadata.annotations, STR(MIRROR_ANNOTATION)).at)
		pod_refs(p, &refs);
	str key = arena_fmt(
		&a, "%.*s/%.*s", STR_ARG(p->metadata.namespace), STR_ARG(p->metadata.name));
	size_t head = sizeof(struct node_graph_pod) + refs.len * sizeof(struct object_ref);
	struct node_graph_pod *n = block(head + key.len + text_bytes(&refs));
	char *to = place((char *)n + head, key, &n->key);

	n->ns = str_slice(n->key, 0, p->metadata.namespace.len);
	n->ref_count = refs.len;
	place_refs(to, &refs, n->refs);
	arena_free(&a);

	pthread_rwlock_wrlock(&g->lock);
	drop_pod(g, n->key);
	if (p->spec.node_name.len == 0) {
		free(n);
	} else {
		n->node = node_for(g, p->spec.node_name);
		n->next = n->node->pods;
		if (n->next)
			n->next->previous = n;
		n->node->pods = n;
		map_put(&g->pods, n->key, n);
	}
	pthread_rwlock_unlock(&g->lock);
}

void node_graph_remove_pod(struct node_graph *g, str ns, str name)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	pthread_rwlock_wrlock(&g->lock);
	drop_pod(g, arena_fmt(&a, "%.*s/%.*s", STR_ARG(ns), STR_ARG(name)));
	pthread_rwlock_unlock(&g->lock);
	arena_free(&a);
}

void node_graph_put_volume(struct node_graph *g, const struct persistent_volume *v)
{
	const struct object_reference *claim = v->spec.claim_ref;
	struct arena a;
	struct object_refs refs = {.arena = &a};

	pthread_rwlock_wrlock(&g->lock);
	free(map_remove(&g->volumes, v->metadata.name));
	if (claim) {
		arena_init(&a, ARENA_NO_LIMIT);
		volume_refs(v, &refs);
		str key = arena_fmt(
			&a, "%.*s/%.*s", STR_ARG(claim->namespace), STR_ARG(claim->name));
		size_t head = sizeof(struct node_graph_volume) +
			refs.len * sizeof(struct object_ref);
		struct node_graph_volume *n = block(
			head + key.len + v->metadata.name.len + text_bytes(&refs));
		char *to = place((char *)n + head, key, &n->claim_key);

		to = place(to, v->metadata.name, &n->name);
		n->ref_count = refs.len;
		place_refs(to, &refs, n->refs);
		map_put(&g->volumes, n->name, n);
		arena_free(&a);
	}
	pthread_rwlock_unlock(&g->lock);
}

void node_graph_remove_volume(struct node_graph *g, str name)
{
	pthread_rwlock_wrlock(&g->lock);
	free(map_remove(&g->volumes, name));
	pthread_rwlock_unlock(&g->lock);
}

void node_graph_put_attachment(struct node_graph *g, const struct storage_volume_attachment *v)
{
	str name = v->metadata.name, node = v->spec.node_name;
	struct node_graph_attachment *n = block(sizeof(*n) + name.len + node.len);
	char *to = place((char *)(n + 1), name, &n->name);

	place(to, node, &n->node);
	pthread_rwlock_wrlock(&g->lock);
	free(map_remove(&g->attachments, n->name));
	map_put(&g->attachments, n->name, n);
	pthread_rwlock_unlock(&g->lock);
}

void node_graph_remove_attachment(struct node_graph *g, str name)
{
	pthread_rwlock_wrlock(&g->lock);
	free(map_remove(&g->attachments, name));
	pthread_rwlock_unlock(&g->lock);
}

static void empty(struct map *m)
{
	map_each (m, n)
		free(n->value);
	map_free(m);
	map_init(m);
}

/* In one step: pods and nodes point to each other. */
void node_graph_clear_pods(struct node_graph *g)
{
	pthread_rwlock_wrlock(&g->lock);
	empty(&g->nodes);
	empty(&g->pods);
	pthread_rwlock_unlock(&g->lock);
}

void node_graph_clear_volumes(struct node_graph *g)
{
	pthread_rwlock_wrlock(&g->lock);
	empty(&g->volumes);
	pthread_rwlock_unlock(&g->lock);
}

void node_graph_clear_attachments(struct node_graph *g)
{
	pthread_rwlock_wrlock(&g->lock);
	empty(&g->attachments);
	pthread_rwlock_unlock(&g->lock);
}

bool node_graph_has_pod(struct node_graph *g, str node, str ns, str name)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	pthread_rwlock_rdlock(&g->lock);
	const struct node_graph_pod *p = map_get(
		&g->pods, arena_fmt(&a, "%.*s/%.*s", STR_ARG(ns), STR_ARG(name)));
	bool found = p && str_eq(p->node->name, node);

	pthread_rwlock_unlock(&g->lock);
	arena_free(&a);
	return found;
}

static bool refers(const struct object_ref *refs, size_t count, str own_ns, enum ref_kind kind,
	str ns, str name)
{
	for (size_t i = 0; i < count; i++)
		if (refs[i].kind == kind && str_eq(refs[i].name, name) &&
			str_eq(refs[i].ns.at ? refs[i].ns : own_ns, ns))
			return true;
	return false;
}

static bool claims(const struct node_graph_node *n, str claim_key)
{
	str name = claim_key, ns = str_cut(&name, '/');

	for (const struct node_graph_pod *p = n->pods; p; p = p->next)
		if (refers(p->refs, p->ref_count, p->ns, REF_CLAIM, ns, name))
			return true;
	return false;
}

/* Volumes are looked through only where no pod names the secret itself. */
static bool has_ref(struct node_graph *g, str node, enum ref_kind kind, str ns, str name)
{
	const struct node_graph_node *n = map_get(&g->nodes, node);

	if (!n)
		return false;
	for (const struct node_graph_pod *p = n->pods; p; p = p->next)
		if (refers(p->refs, p->ref_count, p->ns, kind, ns, name))
			return true;
	if (kind != REF_SECRET)
		return false;
	map_each (&g->volumes, v) {
		const struct node_graph_volume *volume = v->value;

		if (refers(volume->refs, volume->ref_count, STR(""), kind, ns, name) &&
			claims(n, volume->claim_key))
			return true;
	}
	return false;
}

bool node_graph_has_ref(struct node_graph *g, str node, enum ref_kind kind, str ns, str name)
{
	pthread_rwlock_rdlock(&g->lock);
	bool found = has_ref(g, node, kind, ns, name);

	pthread_rwlock_unlock(&g->lock);
	return found;
}

bool node_graph_has_volume(struct node_graph *g, str node, str name)
{
	pthread_rwlock_rdlock(&g->lock);
	const struct node_graph_node *n = map_get(&g->nodes, node);
	const struct node_graph_volume *v = map_get(&g->volumes, name);
	bool found = n && v && claims(n, v->claim_key);

	pthread_rwlock_unlock(&g->lock);
	return found;
}

bool node_graph_has_attachment(struct node_graph *g, str node, str name)
{
	pthread_rwlock_rdlock(&g->lock);
	const struct node_graph_attachment *n = map_get(&g->attachments, name);
	bool found = n && str_eq(n->node, node);

	pthread_rwlock_unlock(&g->lock);
	return found;
}

/* A node without pods goes with the last. */
static void drop_pod(struct node_graph *g, str key)
{
	struct node_graph_pod *p = map_remove(&g->pods, key);

	if (!p)
		return;
	struct node_graph_node *n = p->node;

	if (p->previous)
		p->previous->next = p->next;
	else
		n->pods = p->next;
	if (p->next)
		p->next->previous = p->previous;
	if (!n->pods) {
		map_remove(&g->nodes, n->name);
		free(n);
	}
	free(p);
}

static struct node_graph_node *node_for(struct node_graph *g, str name)
{
	struct node_graph_node *n = map_get(&g->nodes, name);

	if (!n) {
		n = block(sizeof(*n) + name.len);
		place((char *)(n + 1), name, &n->name);
		map_put(&g->nodes, n->name, n);
	}
	return n;
}

static size_t text_bytes(const struct object_refs *refs)
{
	size_t bytes = 0;

	for (size_t i = 0; i < refs->len; i++)
		bytes += refs->at[i].ns.len + refs->at[i].name.len;
	return bytes;
}

static char *place(char *to, str from, str *at)
{
	if (from.len > 0)
		memcpy(to, from.at, from.len);
	*at = str_span(from.at ? to : NULL, from.len);
	return to + from.len;
}

static char *place_refs(char *to, const struct object_refs *from, struct object_ref *at)
{
	for (size_t i = 0; i < from->len; i++) {
		at[i].kind = from->at[i].kind;
		to = place(to, from->at[i].ns, &at[i].ns);
		to = place(to, from->at[i].name, &at[i].name);
	}
	return to;
}

static void *block(size_t bytes)
{
	void *at = calloc(1, bytes);

	if (!at)
		abort();
	return at;
}
