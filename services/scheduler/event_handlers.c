#include "scheduler/scheduler.h"

#include "lib/api/causes.h"

static void pod_changed(struct informer_handler *h, const void *before, const void *now);
static void node_changed(struct informer_handler *h, const void *before, const void *now);
static void namespace_changed(struct informer_handler *h, const void *before, const void *now);
static void forget_pod(struct scheduler *s, struct pod_info *p);
static void take_assigned(struct scheduler *s, const struct pod *now);
static void take_waiting(struct scheduler *s, const struct pod *now);
static void renew(struct scheduler *s, struct pod_info *p, struct entry *e);
static struct entry *entry_of(struct informer *i, const struct object_meta *m);
static unsigned node_events(const struct node *before, const struct node *now);
static bool same_field(const void *a, const void *b, const struct type *t, const char *path);
static void happened(struct scheduler *s, unsigned event);

void handlers_set(struct scheduler *s)
{
	s->on_pod.changed = pod_changed;
	s->on_node.changed = node_changed;
	s->on_namespace.changed = namespace_changed;
	informer_handle(s->pods, &s->on_pod);
	informer_handle(s->nodes, &s->on_node);
	informer_handle(s->namespaces, &s->on_namespace);
}

static void pod_changed(struct informer_handler *h, const void *before, const void *now)
{
	struct scheduler *s = CONTAINER_OF(h, struct scheduler, on_pod);
	const struct pod *a = before, *b = now;

	pthread_mutex_lock(&s->lock);
	if (a && (!b || !str_eq(a->metadata.uid, b->metadata.uid))) {
		struct pod_info *old = cache_pod(&s->cache, a->metadata.uid);

		if (old)
			forget_pod(s, old);
	}
	if (b && pod_is_finished(b)) {
		struct pod_info *done = cache_pod(&s->cache, b->metadata.uid);

		if (done)
			forget_pod(s, done);
	} else if (b && b->spec.node_name.len) {
		take_assigned(s, b);
	} else if (b && str_eq(b->spec.scheduler_name, STR(SCHEDULER_NAME))) {
		take_waiting(s, b);
	}
	pthread_mutex_unlock(&s->lock);
}

static void node_changed(struct informer_handler *h, const void *before, const void *now)
{
	struct scheduler *s = CONTAINER_OF(h, struct scheduler, on_node);
	const struct node *a = before, *b = now;

	pthread_mutex_lock(&s->lock);
	if (!b) {
		cache_remove_node(&s->cache, a->metadata.name);
	} else {
		struct entry *e = entry_of(s->nodes, &b->metadata);

		if (e) {
			cache_set_node(&s->cache, e);
			happened(s, a ? node_events(a, b) : EVENT_NODE_ADD);
		}
	}
	pthread_mutex_unlock(&s->lock);
}

static void namespace_changed(struct informer_handler *h, const void *before, const void *now)
{
	struct scheduler *s = CONTAINER_OF(h, struct scheduler, on_namespace);

	(void)before, (void)now;
	pthread_mutex_lock(&s->lock);
	happened(s, EVENT_NAMESPACE);
	pthread_mutex_unlock(&s->lock);
}

static void forget_pod(struct scheduler *s, struct pod_info *p)
{
	bool placed = p->node != NULL;

	queue_drop(&s->queue, p);
	cache_displace(&s->cache, p);
	s->cache.nominated -= p->nominated.len > 0;
	map_remove(&s->cache.pods, p->uid);
	bool freed_room = placed || p->nominated.len;
	pod_info_free(p);
	if (freed_room)
		happened(s, EVENT_POD_DELETE);
}

static void take_assigned(struct scheduler *s, const struct pod *now)
{
	struct pod_info *p = cache_pod(&s->cache, now->metadata.uid);
	struct entry *e = entry_of(s->pods, &now->metadata);
	bool known = p && p->node;
	bool relabelled = p &&
		!same_field(&p->pod->metadata, &now->metadata, &api_schema.types[API_OBJECT_META],
			"labels");

	if (!e)
		return;
	if (!p) {
		p = pod_info_new(e);
		map_put(&s->cache.pods, p->uid, p);
	} else {
		queue_drop(&s->queue, p);
		renew(s, p, e);
	}
	if (p->nominated.len) {
		s->cache.nominated--;
		p->nominated = (str){NULL, 0};
	}
	p->place = POD_BOUND;
	p->assumed = false;
	if (!p->node)
		cache_place(&s->cache, p, p->pod->spec.node_name);
	if (!known)
		happened(s, EVENT_POD_ADD);
	else if (relabelled)
		happened(s, EVENT_POD_UPDATE);
}

static void take_waiting(struct scheduler *s, const struct pod *now)
{
	struct pod_info *p = cache_pod(&s->cache, now->metadata.uid);
	struct entry *e = entry_of(s->pods, &now->metadata);
	int64_t now_ns = clock_system.monotonic_ns(&clock_system);

	if (!e)
		return;
	if (!p) {
		p = pod_info_new(e);
		map_put(&s->cache.pods, p->uid, p);
		queue_push(&s->queue, p, now_ns);
		pthread_cond_signal(&s->more);
		return;
	}
	bool changed = p->pod->metadata.generation != now->metadata.generation ||
		!same_field(&p->pod->metadata, &now->metadata, &api_schema.types[API_OBJECT_META],
			"labels");
	renew(s, p, e);
	if (changed && p->place == POD_UNSCHEDULABLE) {
		queue_push(&s->queue, p, now_ns);
		pthread_cond_signal(&s->more);
	}
}

/* What it takes of its node is counted anew. */
static void renew(struct scheduler *s, struct pod_info *p, struct entry *e)
{
	str node = p->node ? p->node->name : (str){NULL, 0};
	char name[256];

	if (!node.at || node.len >= sizeof(name)) {
		pod_info_renew(p, e);
		return;
	}
	memcpy(name, node.at, node.len);
	node.at = name;
	cache_displace(&s->cache, p);
	pod_info_renew(p, e);
	cache_place(&s->cache, p, p->pod->spec.node_name.len ? p->pod->spec.node_name : node);
}

static struct entry *entry_of(struct informer *i, const struct object_meta *m)
{
	struct view *v = informer_view(i);
	struct entry *e = view_find(v, m->namespace.at ? m->namespace : STR(""), m->name);

	if (e)
		counted_take(&e->counted);
	view_drop(v);
	return e;
}

static unsigned node_events(const struct node *before, const struct node *now)
{
	const struct type *t = object_type(now);
	unsigned events = 0;

	if (!same_field(before, now, t, "status.allocatable"))
		events |= EVENT_NODE_ALLOCATABLE;
	if (!same_field(before, now, t, "metadata.labels"))
		events |= EVENT_NODE_LABELS;
	if (!same_field(before, now, t, "spec.taints") ||
		before->spec.unschedulable != now->spec.unschedulable)
		events |= EVENT_NODE_TAINTS;
	return events;
}

static bool same_field(const void *a, const void *b, const struct type *t, const char *path)
{
	struct arena scratch;

	arena_init(&scratch, ARENA_NO_LIMIT);
	bool same = str_eq(
		cause_field(&scratch, t, a, path).text, cause_field(&scratch, t, b, path).text);
	arena_free(&scratch);
	return same;
}

static void happened(struct scheduler *s, unsigned event)
{
	if (!event)
		return;
	queue_event(&s->queue, event, clock_system.monotonic_ns(&clock_system));
	pthread_cond_signal(&s->more);
}
