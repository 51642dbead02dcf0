#include "apiserver/authorization/state.h"
#include "apiserver/authorization/view.h"
#include "lib/base/log.h"
#include "lib/codec/pb.h"

#include <stdlib.h>

/* Objects as the storage tells of them, into RBAC's index and the nodes' graph. */

struct feed_kind {
	const char *group, *resource;
	bool for_nodes; /* else RBAC's */
	void (*put)(struct feed *f, const void *object);
	void (*remove)(struct feed *f, str ns, str name);
	void (*clear)(struct feed *f); /* before all is told anew */
};

static void put_entry(struct feed *f, const void *object);
static void remove_entry(struct feed *f, str ns, str name);
static void put_pod(struct feed *f, const void *object);
static void remove_pod(struct feed *f, str ns, str name);
static void put_volume(struct feed *f, const void *object);
static void remove_volume(struct feed *f, str ns, str name);
static void put_attachment(struct feed *f, const void *object);
static void remove_attachment(struct feed *f, str ns, str name);
static void clear_entries(struct feed *f);
static void clear_pods(struct feed *f);
static void clear_volumes(struct feed *f);
static void clear_attachments(struct feed *f);

static const struct feed_kind kinds[] = {
	{"rbac.authorization.k8s.io", "roles", false, put_entry, remove_entry, clear_entries},
	{"rbac.authorization.k8s.io", "clusterroles", false, put_entry, remove_entry,
		clear_entries},
	{"rbac.authorization.k8s.io", "rolebindings", false, put_entry, remove_entry,
		clear_entries},
	{"rbac.authorization.k8s.io", "clusterrolebindings", false, put_entry, remove_entry,
		clear_entries},
	{"", "pods", true, put_pod, remove_pod, clear_pods},
	{"", "persistentvolumes", true, put_volume, remove_volume, clear_volumes},
	{"storage.k8s.io", "volumeattachments", true, put_attachment, remove_attachment,
		clear_attachments},
};

static_assert(COUNT_OF(kinds) == FEEDS_MAX, "a feed for each kind");

static void wait_for_cache(struct loop_task *t);
static void cache_is_there(struct storage_wait *w, const struct err *e);
static void start(struct feed *f);
static void event(struct storage_watch *w, struct storage_event *ev);
static void ended(struct storage_watch *w, const struct err *e);
static bool has_node(const struct stored *pod);
static bool same_references(const struct stored *before, const struct stored *now);
static void take(struct feed *f, const struct stored *o);
static void publish(struct loop_task *t);

void feeds_start(struct authorizer *z)
{
	bool nodes = false;

	for (size_t i = 0; i < z->options.mode_count; i++)
		nodes |= z->options.modes[i] == AUTHZ_NODE;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct feed *f = &z->feeds[z->feed_count];

		if (kinds[i].for_nodes && !nodes)
			continue;
		*f = (struct feed){
			.watch = {.event = event,
				.ended = ended,
				.resource = resource_find(str_of(kinds[i].group), STR("v1"),
					str_of(kinds[i].resource))},
			.authorizer = z,
			.kind = &kinds[i],
		};
		z->feed_count++;
	}
	z->start.run = wait_for_cache;
	z->publish.run = publish;
	loop_post(z->options.loop, &z->start);
}

void feeds_stop(struct authorizer *z)
{
	z->closing = true;
	for (size_t i = 0; i < z->feed_count; i++)
		if (z->feeds[i].running)
			storage_watch_stop(&z->feeds[i].watch);
}

static void wait_for_cache(struct loop_task *t)
{
	struct authorizer *z = CONTAINER_OF(t, struct authorizer, start);

	z->wait = (struct storage_wait){.done = cache_is_there, .loop = z->options.loop};
	storage_wait(z->options.storage, &z->wait);
}

/* A wait that failed has taken its time: etcd is not there yet. */
static void cache_is_there(struct storage_wait *w, const struct err *e)
{
	struct authorizer *z = CONTAINER_OF(w, struct authorizer, wait);

	if (z->closing || (e && e->kind == ERR_CLOSED))
		return;
	if (e) {
		wait_for_cache(&z->start);
		return;
	}
	for (size_t i = 0; i < z->feed_count; i++)
		start(&z->feeds[i]);
	publish(&z->publish);
	atomic_store(&z->ready, true);
}

static void start(struct feed *f)
{
	struct authorizer *z = f->authorizer;
	const str all = {NULL, 0};
	struct snapshot *initial;
	const struct stored *o;
	int64_t revision = 0;
	struct err e;

	if (storage_watch_start(z->options.io, &f->watch, &revision, &initial, &e) < 0) {
		log_error("watching %s for authorization: %s", f->kind->resource, e.text);
		return;
	}
	f->running = true;
	f->kind->clear(f);
	struct snapshot_walk w = snapshot_walk(initial, all, all);

	while ((o = snapshot_next(&w)))
		take(f, o);
	snapshot_drop(initial);
}

static void event(struct storage_watch *w, struct storage_event *ev)
{
	struct feed *f = CONTAINER_OF(w, struct feed, watch);

	bool unbound = f->kind->put == put_pod && !has_node(ev->now);

	if (ev->kind == STORAGE_DELETED || unbound)
		f->kind->remove(f, ev->now->ns, ev->now->name);
	else if (!f->kind->for_nodes || !ev->before || !same_references(ev->before, ev->now))
		take(f, ev->now);
	if (!f->kind->for_nodes)
		loop_defer(f->authorizer->options.loop, &f->authorizer->publish);
}

/* What was known stays until it is told anew. */
static void ended(struct storage_watch *w, const struct err *e)
{
	struct feed *f = CONTAINER_OF(w, struct feed, watch);

	f->running = false;
	if (e->kind != ERR_CLOSED && !f->authorizer->closing) {
		log_warning("watching %s for authorization ended: %s", f->kind->resource, e->text);
		start(f);
		loop_defer(f->authorizer->options.loop, &f->authorizer->publish);
	}
}

/* The bytes of a message's field; absent if it has none. */
static str field_of(str message, uint32_t number)
{
	struct pb_reader r = pb_read(message);
	struct pb_field f;
	struct err e;

	while (pb_more(&r) && pb_next(&r, &f, &e) == 0)
		if (f.number == number && f.wire == PB_BYTES)
			return f.bytes;
	return (str){NULL, 0};
}

enum pod_fields { SPEC = 2, SPEC_NODE_NAME = 10, POD_RESOURCE_CLAIMS = 39 };

/* What a pod names is for the node that runs it. */
static bool has_node(const struct stored *pod)
{
	str version, kind, message;
	struct err e;

	return object_open(pod->envelope, &version, &kind, &message, &e) < 0 ||
		field_of(field_of(message, SPEC), SPEC_NODE_NAME).len;
}

/* Most changes are of a pod's status, which names nothing but claims made for the pod. */
static bool same_references(const struct stored *before, const struct stored *now)
{
	str version, kind, old_message, message;
	struct err e;

	if (object_open(before->envelope, &version, &kind, &old_message, &e) < 0 ||
		object_open(now->envelope, &version, &kind, &message, &e) < 0)
		return false;
	str spec = field_of(message, SPEC);

	return spec.at && str_eq(spec, field_of(old_message, SPEC)) &&
		!field_of(spec, POD_RESOURCE_CLAIMS).at;
}

static void take(struct feed *f, const struct stored *o)
{
	struct arena a;
	void *object;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	if (stored_decode(&a, o, &object, &e) < 0)
		log_error("%s \"%.*s\" cannot be read and is left out of authorization: %s",
			f->kind->resource, STR_ARG(o->name), e.text);
	else
		f->kind->put(f, object);
	arena_free(&a);
}

static void publish(struct loop_task *t)
{
	struct authorizer *z = CONTAINER_OF(t, struct authorizer, publish);
	struct rbac_entry **entries = calloc(z->entries.len + 1, sizeof(*entries));
	size_t count = 0;

	if (!entries)
		abort();
	map_each (&z->entries, n)
		entries[count++] = n->value;
	struct rbac_index *next = rbac_index_new(entries, count), *before;

	free(entries);
	pthread_mutex_lock(&z->lock);
	before = z->index;
	z->index = next;
	pthread_mutex_unlock(&z->lock);
	rbac_index_drop(before);
}

static str entry_key(struct arena *a, const struct feed *f, str ns, str name)
{
	return arena_fmt(a, "%s %.*s/%.*s", f->kind->resource, STR_ARG(ns), STR_ARG(name));
}

static void put_entry(struct feed *f, const void *object)
{
	const struct object_meta *m = rbac_view((void *)object).meta;

	remove_entry(f, m->namespace, m->name);
	struct rbac_entry *n = rbac_entry_new(object);

	map_put(&f->authorizer->entries, entry_key(&n->arena, f, n->ns, n->name), n);
}

static void remove_entry(struct feed *f, str ns, str name)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	struct rbac_entry *n = map_remove(&f->authorizer->entries, entry_key(&a, f, ns, name));

	if (n)
		counted_drop(&n->counted);
	arena_free(&a);
}

static void put_pod(struct feed *f, const void *object)
{
	node_graph_put_pod(f->authorizer->graph, object);
}

static void remove_pod(struct feed *f, str ns, str name)
{
	node_graph_remove_pod(f->authorizer->graph, ns, name);
}

static void put_volume(struct feed *f, const void *object)
{
	node_graph_put_volume(f->authorizer->graph, object);
}

static void remove_volume(struct feed *f, UNUSED str ns, str name)
{
	node_graph_remove_volume(f->authorizer->graph, name);
}

static void put_attachment(struct feed *f, const void *object)
{
	node_graph_put_attachment(f->authorizer->graph, object);
}

static void remove_attachment(struct feed *f, UNUSED str ns, str name)
{
	node_graph_remove_attachment(f->authorizer->graph, name);
}

static void clear_entries(struct feed *f)
{
	struct map *entries = &f->authorizer->entries;
	str resource = str_of(f->kind->resource);
	struct map left;

	map_init(&left);
	map_each (entries, n) {
		if (str_starts(n->key, resource) && n->key.at[resource.len] == ' ')
			counted_drop(&((struct rbac_entry *)n->value)->counted);
		else
			map_put(&left, n->key, n->value);
	}
	map_free(entries);
	*entries = left;
}

static void clear_pods(struct feed *f)
{
	node_graph_clear_pods(f->authorizer->graph);
}

static void clear_volumes(struct feed *f)
{
	node_graph_clear_volumes(f->authorizer->graph);
}

static void clear_attachments(struct feed *f)
{
	node_graph_clear_attachments(f->authorizer->graph);
}
