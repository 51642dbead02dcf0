#include "apiserver/aggregator/state.h"

#include "api/kinds.h"
#include "apiserver/callout/service.h"
#include "lib/base/log.h"

#include <stdlib.h>

enum { RETRY_MS = 500 };

static void changed(struct storage_watch *w, struct storage_event *ev);
static void ended(struct storage_watch *w, const struct err *e);
static void work(struct loop_task *t);
static void work_again(struct loop_timer *t);
static void catalog_changed(struct loop_task *t);
static void stop(struct loop_task *t);
static void *run(void *arg);
static int follow_all(struct aggregator *g, struct err *e);

int aggregator_open(const struct aggregator_options *o, struct aggregator **to, struct err *e)
{
	static str groups[] = {STR_INIT(GROUP_MASTERS)};
	struct aggregator *g = calloc(1, sizeof(*g));
	struct err why;
	int failed;

	if (!g)
		return err_set(e, ERR_SYSTEM, "no memory for aggregation");
	g->o = *o;
	g->resource = resource_find(STR("apiregistration.k8s.io"), STR("v1"), STR("apiservices"));
	g->user = user_new(&(struct user){.name = STR("system:apiserver"), .groups = {groups, 1}});
	g->work.run = work;
	g->stop.run = stop;
	g->again.due = work_again;
	pthread_mutex_init(&g->lock, NULL);
	if (loop_init(&g->loop, o->clock, e) < 0) {
		free(g);
		return -1;
	}
	g->listener = (struct extensions_listener){.task.run = catalog_changed, .loop = &g->loop};
	if (register_all(g, true, &why) < 0)
		log_warning("registering APIServices: %s", why.text);
	g->registers = true;
	aggregation_publish(g);
	if (storage_io_open(o->storage, &g->loop, &g->io, e) < 0 || follow_all(g, e) < 0) {
		aggregator_close(g);
		return -1;
	}
	extensions_listen(o->extensions, &g->listener);
	failed = pthread_create(&g->thread, NULL, run, g);
	if (failed) {
		g->thread = 0;
		aggregator_close(g);
		return err_set_errno(e, failed, "starting the thread of aggregation");
	}
	*to = g;
	return 0;
}

void aggregator_close(struct aggregator *g)
{
	extensions_listen(g->o.extensions, NULL);
	if (g->thread) {
		loop_post(&g->loop, &g->stop);
		pthread_join(g->thread, NULL);
	}
	for (size_t i = 0; i < FOLLOWED; i++)
		if (g->followed[i].on)
			storage_watch_stop(&g->followed[i].watch);
	if (g->io)
		storage_io_close(g->io);
	loop_turn(&g->loop, false);
	if (g->again.slot)
		loop_timer_clear(&g->loop, &g->again);
	loop_undefer(&g->loop, &g->work);
	loop_free(&g->loop);
	while (g->backends) {
		struct backend *b = g->backends;

		g->backends = b->next;
		backend_forget(b);
	}
	counted_drop(&g->now->counted);
	pthread_mutex_destroy(&g->lock);
	counted_drop(&g->user->counted);
	free(g);
}

int aggregator_resolve(
	struct aggregator *g, struct arena *a, const struct aggregated *s, str *to, struct err *e)
{
	const struct service_ask ask = {
		.storage = g->o.storage,
		.ns = s->service_ns,
		.name = s->service_name,
		.port = s->service_port,
		.endpoints = g->o.endpoint_routing,
		.turn = __atomic_fetch_add(&g->turn, 1, __ATOMIC_RELAXED),
	};

	return service_resolve(a, &ask, to, e);
}

/* --- backends */

void backend_set(str *to, str value)
{
	char *copy;

	if (str_eq(*to, value) && !to->at == !value.at)
		return;
	free((char *)(uintptr_t)to->at);
	*to = (str){NULL, 0};
	if (!value.at)
		return;
	copy = malloc(value.len + 1);
	if (!copy)
		abort();
	memcpy(copy, value.at, value.len);
	*to = str_span(copy, value.len);
}

void backend_forget(struct backend *b)
{
	backend_set(&b->name, (str){NULL, 0});
	backend_set(&b->ns, (str){NULL, 0});
	backend_set(&b->service, (str){NULL, 0});
	backend_set(&b->ca_pem, (str){NULL, 0});
	if (b->tls)
		tls_context_drop(b->tls);
	buf_free(&b->resources);
	free(b);
}

static struct backend *find_backend(struct aggregator *g, str name)
{
	struct backend *b = g->backends;

	while (b && !str_eq(b->name, name))
		b = b->next;
	return b;
}

static struct backend *make_backend(struct aggregator *g, str name)
{
	struct backend *b = find_backend(g, name);

	if (b)
		return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	backend_set(&b->name, name);
	buf_init(&b->resources, BUF_NO_LIMIT);
	b->next = g->backends;
	g->backends = b;
	return b;
}

static void forget_gone(struct aggregator *g)
{
	for (struct backend **at = &g->backends; *at;) {
		struct backend *b = *at;

		if (!b->gone || b->dirty) {
			b->gone = false;
			at = &b->next;
			continue;
		}
		*at = b->next;
		backend_forget(b);
	}
}

/* --- what is published */

static void destroy(struct counted *counted)
{
	struct aggregation *n = CONTAINER_OF(counted, struct aggregation, counted);

	for (size_t i = 0; i < n->count; i++)
		if (n->at[i].tls)
			tls_context_drop(n->at[i].tls);
	arena_free(&n->arena);
	free(n);
}

static bool is_available(const struct apiregistration_api_service *s)
{
	for (size_t i = 0; i < s->status.conditions.len; i++)
		if (str_eq(s->status.conditions.at[i].type, STR("Available")))
			return str_eq(s->status.conditions.at[i].status, STR("True"));
	return false;
}

static void add(struct aggregator *g, struct aggregation *n, const struct stored *o)
{
	const struct apiregistration_api_service *s;
	struct backend *b = find_backend(g, o->name);
	struct aggregated *to = &n->at[n->count];
	str json = arena_str(&n->arena, o->envelope);
	struct stored copy = *o;
	struct err ignored;
	void *decoded, *list;

	copy.envelope = json;
	if (stored_decode(&n->arena, &copy, &decoded, &ignored) < 0)
		return;
	n->count++;
	s = decoded;
	*to = (struct aggregated){.name = s->metadata.name,
		.group = s->spec.group,
		.version = s->spec.version,
		.group_priority = s->spec.group_priority_minimum,
		.version_priority = s->spec.version_priority,
		.available = b && b->checked ? b->available : is_available(s)};
	if (!s->spec.service)
		return;
	to->remote = true;
	to->service_ns = s->spec.service->namespace;
	to->service_name = s->spec.service->name;
	to->service_port = s->spec.service->port ? *s->spec.service->port : 443;
	if (b && b->tls) {
		tls_context_take(b->tls);
		to->tls = b->tls;
	}
	if (b && b->resources.len &&
		object_decode(&n->arena, api_type(API_API_RESOURCE_LIST), FORMAT_JSON,
			arena_str(&n->arena, buf_str(&b->resources)), &list, NULL, &ignored) == 0)
		to->resources = list;
}

void aggregation_publish(struct aggregator *g)
{
	const str all = {NULL, 0};
	struct aggregation *n = calloc(1, sizeof(*n)), *before;
	const struct stored *o;
	int64_t revision;

	if (!n)
		abort();
	counted_init(&n->counted, destroy);
	arena_init(&n->arena, ARENA_NO_LIMIT);
	struct snapshot *now = storage_snapshot(g->o.storage, g->resource, &revision);
	struct snapshot_walk w = snapshot_walk(now, all, all);

	n->at = arena_get(&n->arena, (snapshot_count(now, all) + 1) * sizeof(*n->at));
	while ((o = snapshot_next(&w)))
		add(g, n, o);
	snapshot_drop(now);
	g->changed = false;
	pthread_mutex_lock(&g->lock);
	n->serial = atomic_load(&g->serial) + 1;
	before = g->now;
	g->now = n;
	atomic_store(&g->serial, n->serial);
	pthread_mutex_unlock(&g->lock);
	if (before)
		counted_drop(&before->counted);
}

struct aggregation *aggregator_take(struct aggregator *g)
{
	struct aggregation *n;

	pthread_mutex_lock(&g->lock);
	n = g->now;
	counted_take(&n->counted);
	pthread_mutex_unlock(&g->lock);
	return n;
}

int64_t aggregator_serial(struct aggregator *g)
{
	return atomic_load(&g->serial);
}

const struct aggregated *aggregation_find(const struct aggregation *n, str group, str version)
{
	for (size_t i = 0; i < n->count; i++)
		if (str_eq(n->at[i].group, group) && str_eq(n->at[i].version, version))
			return &n->at[i];
	return NULL;
}

/* --- the thread */

static void mark(struct aggregator *g, struct backend *b)
{
	b->dirty = true;
	loop_defer(&g->loop, &g->work);
}

static int follow(struct aggregator *g, enum followed which, struct err *e)
{
	static const struct {
		str group, plural;
	} rows[] = {
		[FOLLOW_API_SERVICES] = {STR_INIT("apiregistration.k8s.io"),
			STR_INIT("apiservices")},
		[FOLLOW_SERVICES] = {STR_INIT(""), STR_INIT("services")},
		[FOLLOW_SLICES] = {STR_INIT("discovery.k8s.io"), STR_INIT("endpointslices")},
	};
	const str all = {NULL, 0};
	struct following *f = &g->followed[which];
	struct snapshot *initial;
	const struct stored *o;
	int64_t revision;

	if (f->on)
		return 0;
	f->aggregator = g;
	f->watch = (struct storage_watch){.event = changed,
		.ended = ended,
		.resource = resource_find(rows[which].group, STR("v1"), rows[which].plural)};
	TRY(storage_watch_start(g->io, &f->watch, &revision, &initial, e));
	f->on = true;
	struct snapshot_walk w = snapshot_walk(initial, all, all);

	while (which == FOLLOW_API_SERVICES && (o = snapshot_next(&w)))
		make_backend(g, o->name);
	snapshot_drop(initial);
	/* What has changed while nobody watched. */
	for (struct backend *b = g->backends; b; b = b->next)
		mark(g, b);
	return 0;
}

static int follow_all(struct aggregator *g, struct err *e)
{
	for (int i = 0; i < FOLLOWED; i++)
		TRY(follow(g, (enum followed)i, e));
	return 0;
}

static void api_service_changed(struct aggregator *g, struct storage_event *ev)
{
	struct backend *b = make_backend(g, ev->now->name);

	g->changed = g->registers = true;
	loop_defer(&g->loop, &g->work);
	if (ev->revision != b->own_revision)
		mark(g, b);
}

static void changed(struct storage_watch *w, struct storage_event *ev)
{
	struct following *f = CONTAINER_OF(w, struct following, watch);
	struct aggregator *g = f->aggregator;
	str name = ev->now->name;

	if (f == &g->followed[FOLLOW_API_SERVICES]) {
		api_service_changed(g, ev);
		return;
	}
	if (f == &g->followed[FOLLOW_SLICES])
		name = str_map_get(ev->now->labels, STR("kubernetes.io/service-name"));
	for (struct backend *b = g->backends; b; b = b->next)
		if (b->service.at && str_eq(b->service, name) && str_eq(b->ns, ev->now->ns))
			mark(g, b);
}

static void ended(struct storage_watch *w, const struct err *e)
{
	struct following *f = CONTAINER_OF(w, struct following, watch);

	f->on = false;
	if (e->kind != ERR_CLOSED)
		loop_timer_set(&f->aggregator->loop, &f->aggregator->again,
			f->aggregator->loop.now_ns + RETRY_MS * NS_PER_MS);
}

static void set_timer(struct aggregator *g, bool soon)
{
	int64_t now_ns = g->o.clock->monotonic_ns(g->o.clock);
	int64_t at_ns = soon ? now_ns + RETRY_MS * NS_PER_MS : 0;

	for (const struct backend *b = g->backends; b; b = b->next)
		if (b->check_at_ns && (!at_ns || b->check_at_ns < at_ns))
			at_ns = b->check_at_ns;
	if (at_ns)
		loop_timer_set(&g->loop, &g->again, at_ns);
}

/* Blocks this thread, which does nothing else. */
static void work(struct loop_task *t)
{
	struct aggregator *g = CONTAINER_OF(t, struct aggregator, work);
	bool again = false;
	struct err e;

	if (g->registers) {
		again = register_all(g, false, &e) < 0;
		g->registers = again;
		if (again)
			log_warning("registering APIServices: %s", e.text);
	}
	check_backends(g);
	forget_gone(g);
	if (g->changed)
		aggregation_publish(g);
	set_timer(g, again);
}

static void work_again(struct loop_timer *t)
{
	struct aggregator *g = CONTAINER_OF(t, struct aggregator, again);
	int64_t now_ns = g->o.clock->monotonic_ns(g->o.clock);
	struct err e;

	if (follow_all(g, &e) < 0) {
		log_warning("watching APIServices: %s", e.text);
		loop_timer_set(&g->loop, &g->again, now_ns + RETRY_MS * NS_PER_MS);
		return;
	}
	for (struct backend *b = g->backends; b; b = b->next)
		b->dirty |= b->check_at_ns && b->check_at_ns <= now_ns;
	loop_defer(&g->loop, &g->work);
}

static void catalog_changed(struct loop_task *t)
{
	struct aggregator *g = CONTAINER_OF(t, struct aggregator, listener.task);

	extensions_told(g->o.extensions, &g->listener);
	g->registers = true;
	loop_defer(&g->loop, &g->work);
}

static void stop(struct loop_task *t)
{
	loop_stop(&CONTAINER_OF(t, struct aggregator, stop)->loop);
}

static void *run(void *arg)
{
	struct aggregator *g = arg;

	loop_run(&g->loop);
	return NULL;
}
