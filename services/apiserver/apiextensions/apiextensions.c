#include "apiserver/apiextensions/state.h"

#include "lib/base/log.h"

#include <stdlib.h>

enum { RETRY_MS = 500 };

static void changed(struct storage_watch *w, struct storage_event *ev);
static void ended(struct storage_watch *w, const struct err *e);
static void work(struct loop_task *t);
static void work_again(struct loop_timer *t);
static void stop(struct loop_task *t);
static void *run(void *arg);

static struct entry *find_entry(struct extensions *x, str name)
{
	struct entry *n = x->entries;

	while (n && !str_eq(n->name, name))
		n = n->next;
	return n;
}

static struct entry *make_entry(struct extensions *x, str name)
{
	struct entry *n = find_entry(x, name);
	char *copy;

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	copy = malloc(name.len + 1);
	if (!n || !copy)
		abort();
	memcpy(copy, name.at, name.len);
	n->name = str_span(copy, name.len);
	n->extensions = x;
	n->next = x->entries;
	x->entries = n;
	return n;
}

static void free_entry(struct entry *n)
{
	free((char *)(uintptr_t)n->name.at);
	free(n);
}

void entry_mark(struct extensions *x, struct entry *n)
{
	n->dirty = true;
	loop_defer(&x->loop, &x->work);
}

void entries_mark_group(struct extensions *x, str group)
{
	for (struct entry *n = x->entries; n; n = n->next) {
		str other = n->name;

		str_cut(&other, '.');
		if (str_eq(other, group) && !n->gone)
			entry_mark(x, n);
	}
}

/* --- the catalog */

static void destroy_catalog(struct counted *counted)
{
	struct catalog *c = CONTAINER_OF(counted, struct catalog, counted);

	for (size_t i = 0; i < c->count; i++)
		resource_drop(c->rows[i]);
	free(c->rows);
	free(c);
}

static int compare_rows(const void *a, const void *b)
{
	const struct resource *one = *(const struct resource *const *)a;
	const struct resource *other = *(const struct resource *const *)b;
	int order = str_cmp(one->group, other->group);

	if (order == 0)
		order = version_compare(one->version, other->version);
	return order ? order : str_cmp(one->plural, other->plural);
}

void catalog_publish(struct extensions *x)
{
	struct catalog *c = calloc(1, sizeof(*c)), *before;
	size_t rows = 0;

	for (const struct entry *n = x->entries; n; n = n->next)
		rows += n->served ? n->served->count : 0;
	if (c)
		c->rows = calloc(rows + 1, sizeof(*c->rows));
	if (!c || !c->rows)
		abort();
	counted_init(&c->counted, destroy_catalog);
	for (const struct entry *n = x->entries; n; n = n->next) {
		for (size_t i = 0; n->served && i < n->served->count; i++) {
			if (!n->served->versions[i].version->served)
				continue;
			resource_take(&n->served->rows[i]);
			c->rows[c->count++] = &n->served->rows[i];
		}
	}
	qsort(c->rows, c->count, sizeof(*c->rows), compare_rows);
	pthread_mutex_lock(&x->lock);
	c->serial = atomic_load(&x->serial) + 1;
	before = x->catalog;
	x->catalog = c;
	atomic_store(&x->serial, c->serial);
	if (x->listener && !x->listener->posted) {
		x->listener->posted = true;
		loop_post(x->listener->loop, &x->listener->task);
	}
	pthread_mutex_unlock(&x->lock);
	if (before)
		counted_drop(&before->counted);
}

void extensions_listen(struct extensions *x, struct extensions_listener *l)
{
	pthread_mutex_lock(&x->lock);
	x->listener = l;
	pthread_mutex_unlock(&x->lock);
}

void extensions_told(struct extensions *x, struct extensions_listener *l)
{
	pthread_mutex_lock(&x->lock);
	l->posted = false;
	pthread_mutex_unlock(&x->lock);
}

struct catalog *extensions_catalog(struct extensions *x)
{
	struct catalog *c;

	pthread_mutex_lock(&x->lock);
	c = x->catalog;
	counted_take(&c->counted);
	pthread_mutex_unlock(&x->lock);
	return c;
}

int64_t extensions_serial(struct extensions *x)
{
	return atomic_load(&x->serial);
}

const struct resource *extensions_find(struct extensions *x, str group, str version, str plural)
{
	struct catalog *c = extensions_catalog(x);
	const struct resource *found = NULL;

	for (size_t i = 0; i < c->count && !found; i++) {
		const struct resource *r = c->rows[i];

		if (str_eq(r->plural, plural) && str_eq(r->group, group) &&
			str_eq(r->version, version))
			found = r;
	}
	if (found)
		resource_take(found);
	counted_drop(&c->counted);
	return found;
}

/* --- the thread */

static int watch_definitions(struct extensions *x, struct err *e)
{
	const str all = {NULL, 0};
	struct snapshot *initial;
	const struct stored *o;
	int64_t revision;

	x->watch = (struct storage_watch){
		.event = changed, .ended = ended, .resource = x->resource};
	TRY(storage_watch_start(x->io, &x->watch, &revision, &initial, e));
	x->watching = true;
	struct snapshot_walk w = snapshot_walk(initial, all, all);

	while ((o = snapshot_next(&w)))
		entry_mark(x, make_entry(x, o->name));
	snapshot_drop(initial);
	/* What went while nobody watched. */
	for (struct entry *n = x->entries; n; n = n->next)
		entry_mark(x, n);
	return 0;
}

static void changed(struct storage_watch *w, struct storage_event *ev)
{
	struct extensions *x = CONTAINER_OF(w, struct extensions, watch);

	entry_mark(x, make_entry(x, ev->now->name));
}

static void ended(struct storage_watch *w, const struct err *e)
{
	struct extensions *x = CONTAINER_OF(w, struct extensions, watch);

	x->watching = false;
	if (e->kind != ERR_CLOSED)
		loop_timer_set(&x->loop, &x->again, x->loop.now_ns + RETRY_MS * NS_PER_MS);
}

static void forget_gone(struct extensions *x)
{
	for (struct entry **at = &x->entries; *at;) {
		struct entry *n = *at;

		if (!n->gone || n->dirty) {
			n->gone = false;
			at = &n->next;
			continue;
		}
		*at = n->next;
		free_entry(n);
	}
}

/* Blocks this thread, which does nothing else. */
static void work(struct loop_task *t)
{
	struct extensions *x = CONTAINER_OF(t, struct extensions, work);
	bool again = false;
	struct err e;

	for (struct entry *n = x->entries; n; n = n->next) {
		if (!n->dirty)
			continue;
		n->dirty = false;
		if (definition_sync(x, n, &e) == 0)
			continue;
		log_warning("definition %.*s: %s", STR_ARG(n->name), e.text);
		n->dirty = again = true;
	}
	forget_gone(x);
	if (again)
		loop_timer_set(&x->loop, &x->again, x->loop.now_ns + RETRY_MS * NS_PER_MS);
}

static void work_again(struct loop_timer *t)
{
	struct extensions *x = CONTAINER_OF(t, struct extensions, again);
	struct err e;

	if (!x->watching && watch_definitions(x, &e) < 0) {
		log_warning("watching definitions: %s", e.text);
		loop_timer_set(&x->loop, &x->again, x->loop.now_ns + RETRY_MS * NS_PER_MS);
	}
	loop_defer(&x->loop, &x->work);
}

static void stop(struct loop_task *t)
{
	loop_stop(&CONTAINER_OF(t, struct extensions, stop)->loop);
}

static void *run(void *arg)
{
	struct extensions *x = arg;

	loop_run(&x->loop);
	return NULL;
}

int extensions_open(const struct extensions_options *o, struct extensions **to, struct err *e)
{
	static str groups[] = {STR_INIT(GROUP_MASTERS)};
	struct extensions *x = calloc(1, sizeof(*x));
	int failed;

	if (!x)
		return err_set(e, ERR_SYSTEM, "no memory for custom resources");
	x->o = *o;
	x->resource = resource_find(
		STR("apiextensions.k8s.io"), STR("v1"), STR("customresourcedefinitions"));
	x->user = user_new(&(struct user){.name = STR("system:apiserver"), .groups = {groups, 1}});
	x->work.run = work;
	x->stop.run = stop;
	x->again.due = work_again;
	pthread_mutex_init(&x->lock, NULL);
	if (loop_init(&x->loop, o->clock, e) < 0) {
		free(x);
		return -1;
	}
	catalog_publish(x);
	if (storage_io_open(o->storage, &x->loop, &x->io, e) < 0 || watch_definitions(x, e) < 0) {
		extensions_close(x);
		return -1;
	}
	/* Those that were there before are served from the first request on. */
	loop_undefer(&x->loop, &x->work);
	work(&x->work);
	failed = pthread_create(&x->thread, NULL, run, x);
	if (failed) {
		x->thread = 0;
		extensions_close(x);
		return err_set_errno(e, failed, "starting the thread of custom resources");
	}
	*to = x;
	return 0;
}

void extensions_close(struct extensions *x)
{
	if (x->thread) {
		loop_post(&x->loop, &x->stop);
		pthread_join(x->thread, NULL);
	}
	while (x->entries) {
		struct entry *n = x->entries;

		if (n->watching)
			storage_watch_stop(&n->watch);
		if (n->served) {
			storage_detach(x->o.storage, n->served->stored, false);
			counted_drop(&n->served->counted);
		}
		x->entries = n->next;
		free_entry(n);
	}
	if (x->watching)
		storage_watch_stop(&x->watch);
	if (x->io)
		storage_io_close(x->io);
	loop_turn(&x->loop, false);
	loop_free(&x->loop);
	counted_drop(&x->catalog->counted);
	pthread_mutex_destroy(&x->lock);
	counted_drop(&x->user->counted);
	free(x);
}
