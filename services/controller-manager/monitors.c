#include "controller-manager/monitors.h"

#include "controller-manager/discovery.h"

#include <pthread.h>
#include <stdlib.h>

struct followed {
	struct monitor monitor; /* texts in `arena` */
	struct informer_handler handler;
	struct monitors *all;
	struct informer *informer;
	struct arena arena;
	struct followed *next;
};

struct monitors {
	struct informers *informers;
	struct monitor_listener *listeners;
	pthread_mutex_t lock; /* of the list */
	struct followed *first;
};

static void follow_one(struct monitors *m, const struct resource *r);
static void drop_gone(struct monitors *m, const struct discovered *d);
static struct followed *find(struct monitors *m, const struct resource *r);
static bool is_wanted(const struct resource *r);

struct monitors *monitors_new(struct informers *s)
{
	struct monitors *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->informers = s;
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

static void free_one(struct followed *f)
{
	arena_free(&f->arena);
	free(f);
}

void monitors_free(struct monitors *m)
{
	while (m->first) {
		struct followed *f = m->first;

		m->first = f->next;
		free_one(f);
	}
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void monitors_listen(struct monitors *m, struct monitor_listener *l)
{
	l->next = m->listeners;
	m->listeners = l;
}

int monitors_follow(struct monitors *m, struct client *c, struct arena *a, struct err *e)
{
	struct discovered d;

	TRY(discover(c, a, &d, e));
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < d.len; i++)
		if (is_wanted(&d.at[i]) && !find(m, &d.at[i]))
			follow_one(m, &d.at[i]);
	if (d.failing_count == 0)
		drop_gone(m, &d);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

bool monitors_find(
	struct monitors *m, struct arena *a, str api_version, str kind, struct resource *to)
{
	bool found = false;

	pthread_mutex_lock(&m->lock);
	for (const struct followed *f = m->first; f && !found; f = f->next) {
		const struct resource *r = &f->monitor.resource;

		found = str_eq(f->monitor.api_version, api_version) && str_eq(r->kind, kind);
		if (found)
			*to = (struct resource){
				.group = arena_str(a, r->group),
				.version = arena_str(a, r->version),
				.plural = arena_str(a, r->plural),
				.namespaced = r->namespaced,
			};
	}
	pthread_mutex_unlock(&m->lock);
	return found;
}

int monitors_view(struct monitors *m, str group, str plural, struct view **to, struct err *e)
{
	const struct followed *f;
	int result = 0;

	pthread_mutex_lock(&m->lock);
	for (f = m->first; f; f = f->next)
		if (str_eq(f->monitor.resource.plural, plural) &&
			str_eq(f->monitor.resource.group, group))
			break;
	if (f && !informer_synced(f->informer))
		result = err_set(e, ERR_UNAVAILABLE, "%.*s.%.*s is not filled yet", STR_ARG(plural),
			STR_ARG(group));
	else
		*to = f ? informer_view(f->informer) : NULL;
	pthread_mutex_unlock(&m->lock);
	return result;
}

static void object_changed(struct informer_handler *h, const void *before, const void *now)
{
	struct followed *f = CONTAINER_OF(h, struct followed, handler);

	for (struct monitor_listener *l = f->all->listeners; l; l = l->next)
		l->changed(l, &f->monitor, before, now);
}

static bool is_wanted(const struct resource *r)
{
	const unsigned needed = VERB_DELETE | VERB_LIST | VERB_WATCH;
	bool core = r->group.len == 0 || str_eq(r->group, STR("events.k8s.io"));

	return (r->verbs & needed) == needed && !(core && str_eq(r->plural, STR("events")));
}

static bool same_resource(const struct resource *a, const struct resource *b)
{
	return str_eq(a->group, b->group) && str_eq(a->version, b->version) &&
		str_eq(a->plural, b->plural);
}

/* The cache that other controllers use, where there is one; else one of metadata. */
static void follow_one(struct monitors *m, const struct resource *r)
{
	struct followed *f = calloc(1, sizeof(*f));
	const struct resource *known = resource_find(r->group, r->version, r->plural);

	if (!f)
		abort();
	arena_init(&f->arena, ARENA_NO_LIMIT);
	f->all = m;
	f->handler.changed = object_changed;
	f->monitor.resource = (struct resource){
		.group = arena_str(&f->arena, r->group),
		.version = arena_str(&f->arena, r->version),
		.plural = arena_str(&f->arena, r->plural),
		.kind = arena_str(&f->arena, r->kind),
		.namespaced = r->namespaced,
		.verbs = r->verbs,
	};
	f->monitor.api_version = r->group.len == 0
		? f->monitor.resource.version
		: arena_fmt(&f->arena, "%.*s/%.*s", STR_ARG(r->group), STR_ARG(r->version));
	if (known)
		f->informer = informers_find(m->informers, known->type);
	if (!f->informer)
		f->informer = informers_add_metadata(m->informers, &f->monitor.resource);
	f->next = m->first;
	m->first = f;
	informer_handle(f->informer, &f->handler);
	informer_start(f->informer);
}

static bool is_listed(const struct discovered *d, const struct resource *r)
{
	for (size_t i = 0; i < d->len; i++)
		if (same_resource(&d->at[i], r) && is_wanted(&d->at[i]))
			return true;
	return false;
}

static struct followed *find(struct monitors *m, const struct resource *r)
{
	for (struct followed *f = m->first; f; f = f->next)
		if (same_resource(&f->monitor.resource, r))
			return f;
	return NULL;
}

/* Resources of built-in kinds never go; one that did was a custom one, with a cache of its own. */
static void drop_gone(struct monitors *m, const struct discovered *d)
{
	for (struct followed **at = &m->first; *at;) {
		struct followed *f = *at;
		const struct resource *r = &f->monitor.resource;

		if (is_listed(d, r) || resource_find(r->group, r->version, r->plural)) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		informers_remove(m->informers, f->informer);
		free_one(f);
	}
}
