#include "lib/client/informer.h"

#include "lib/client/reflector.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

/* What changed in a batch, told once the batch can be seen. */
struct change {
	struct entry *before, *now;
};

struct informer {
	struct reflector reflector;
	struct informers *set;
	struct loop_task start, stop;
	sem_t *stopped;
	struct informer_handler *handlers;
	view_key *indexes[VIEW_INDEXES_MAX];
	size_t index_count;
	struct view_writer writer, filling; /* what readers see; what is being listed */
	bool is_filling, started;
	struct change *changes;
	size_t change_count, change_cap;
	struct informer *next;

	pthread_mutex_t lock;
	struct view *view;
	atomic_bool synced;
};

/* A handler that comes to an informer which has started. */
struct joining {
	struct loop_task task;
	struct informer *informer;
	struct informer_handler *handler;
};

struct informers {
	struct client *client;
	const struct informer_index *indexes;
	size_t index_count;
	pthread_mutex_t lock; /* of the list */
	struct informer *first;
};

static struct informer *make(struct informers *s, const struct resource *r, bool metadata);
static void run_start(struct loop_task *t);
static void run_stop(struct loop_task *t);
static const struct reflector_sink sink;

bool informer_by_controller(const void *object, size_t nth, str *key)
{
	const struct owner_reference *r = meta_controller(meta_of(object));

	*key = r ? r->uid : STR("");
	return nth == 0;
}

struct informers *informers_new(const struct informers_options *o)
{
	struct informers *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->client = o->client;
	s->indexes = o->indexes;
	s->index_count = o->index_count;
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void informers_free(struct informers *s)
{
	while (s->first)
		informers_remove(s, s->first);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct informer *informers_find(struct informers *s, enum api_type type)
{
	struct informer *i;

	pthread_mutex_lock(&s->lock);
	for (i = s->first; i && i->reflector.type != api_type(type); i = i->next)
		;
	pthread_mutex_unlock(&s->lock);
	return i;
}

struct informer *informers_of(struct informers *s, enum api_type type)
{
	struct informer *i = informers_find(s, type);

	return i ? i : make(s, meta_resource(type), false);
}

struct informer *informers_add_metadata(struct informers *s, const struct resource *resource)
{
	return make(s, resource, true);
}

void informers_remove(struct informers *s, struct informer *i)
{
	struct informer **at = &s->first;
	sem_t stopped;

	pthread_mutex_lock(&s->lock);
	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	pthread_mutex_unlock(&s->lock);
	if (i->started) {
		sem_init(&stopped, 0, 0);
		i->stopped = &stopped;
		i->stop.run = run_stop;
		loop_post(transport_loop(client_transport(s->client)), &i->stop);
		while (sem_wait(&stopped) < 0)
			;
		sem_destroy(&stopped);
	}
	view_writer_free(&i->writer);
	view_writer_free(&i->filling);
	view_drop(i->view);
	pthread_mutex_destroy(&i->lock);
	free(i->changes);
	free(i);
}

static void link_handler(struct informer *i, struct informer_handler *h)
{
	struct informer_handler **at = &i->handlers;

	while (*at)
		at = &(*at)->next;
	h->next = NULL;
	*at = h;
}

/* On the I/O thread: what is there is new to this handler. */
static void run_join(struct loop_task *t)
{
	struct joining *j = CONTAINER_OF(t, struct joining, task);
	struct view_walk all = view_all(&j->informer->writer.next, (str){NULL, 0});

	view_each(const void *, object, &all) j->handler->changed(j->handler, NULL, object);
	link_handler(j->informer, j->handler);
	free(j);
}

void informer_handle(struct informer *i, struct informer_handler *h)
{
	if (!i->started) {
		link_handler(i, h);
		return;
	}
	struct joining *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	*j = (struct joining){{.run = run_join}, i, h};
	loop_post(transport_loop(client_transport(i->set->client)), &j->task);
}

void informer_start(struct informer *i)
{
	if (i->started)
		return;
	i->started = true;
	i->start.run = run_start;
	loop_post(transport_loop(client_transport(i->set->client)), &i->start);
}

void informers_start(struct informers *s)
{
	for (struct informer *i = s->first; i; i = i->next)
		informer_start(i);
}

bool informer_synced(const struct informer *i)
{
	return atomic_load_explicit(&i->synced, memory_order_acquire);
}

static bool all_synced(void *set)
{
	struct informers *s = set;
	bool all = true;

	pthread_mutex_lock(&s->lock);
	for (struct informer *i = s->first; i && all; i = i->next)
		all = !i->started || informer_synced(i);
	pthread_mutex_unlock(&s->lock);
	return all;
}

int informers_wait(struct informers *s, struct err *e)
{
	return transport_wait_until(client_transport(s->client), all_synced, s, e);
}

struct view *informer_view(struct informer *i)
{
	pthread_mutex_lock(&i->lock);
	struct view *v = i->view;

	view_take(v);
	pthread_mutex_unlock(&i->lock);
	return v;
}

const struct resource *informer_resource(const struct informer *i)
{
	return i->reflector.resource;
}

size_t informer_index_of(const struct informer *i, view_key *key)
{
	size_t at = 0;

	while (i->indexes[at] != key) {
		at++;
		assert(at < i->index_count);
	}
	return at;
}

static struct informer *make(struct informers *s, const struct resource *r, bool metadata)
{
	struct informer *i = calloc(1, sizeof(*i));

	if (!i)
		abort();
	i->set = s;
	i->reflector = (struct reflector){
		.client = s->client,
		.resource = r,
		.type = api_type(metadata ? API_PARTIAL_OBJECT_METADATA : r->type),
		.accept = metadata ? STR("application/vnd.kubernetes.protobuf"
					 ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
				   : MEDIA_PROTOBUF,
		.sink = &sink,
	};
	for (size_t at = 0; at < s->index_count && !metadata; at++) {
		if (s->indexes[at].type == r->type)
			i->indexes[i->index_count++] = s->indexes[at].key;
	}
	view_writer_init(&i->writer, i->indexes, i->index_count);
	view_writer_init(&i->filling, i->indexes, i->index_count);
	pthread_mutex_init(&i->lock, NULL);
	i->view = view_publish(&i->writer);
	pthread_mutex_lock(&s->lock);
	i->next = s->first;
	s->first = i;
	pthread_mutex_unlock(&s->lock);
	return i;
}

/* --- on the I/O thread */

static void run_start(struct loop_task *t)
{
	reflector_start(&CONTAINER_OF(t, struct informer, start)->reflector);
}

static void run_stop(struct loop_task *t)
{
	struct informer *i = CONTAINER_OF(t, struct informer, stop);

	reflector_stop(&i->reflector);
	sem_post(i->stopped);
}

static struct informer *of(struct reflector *r)
{
	return CONTAINER_OF(r, struct informer, reflector);
}

/* Takes over both references. */
static void note_change(struct informer *i, struct entry *before, struct entry *now)
{
	if (i->change_count == i->change_cap) {
		i->change_cap = i->change_cap ? 2 * i->change_cap : 16;
		i->changes = realloc(i->changes, i->change_cap * sizeof(*i->changes));
		if (!i->changes)
			abort();
	}
	i->changes[i->change_count++] = (struct change){before, now};
}

static void on_restart(struct reflector *r)
{
	struct informer *i = of(r);

	view_writer_free(&i->filling);
	view_writer_init(&i->filling, i->indexes, i->index_count);
	i->is_filling = true;
}

static struct entry *taken(struct entry *e)
{
	if (e)
		counted_take(&e->counted);
	return e;
}

static void on_put(struct reflector *r, void *object)
{
	struct informer *i = of(r);
	struct entry *e = entry_new(object);

	if (i->is_filling) {
		struct entry *before = view_put(&i->filling, e);

		if (before)
			entry_drop(before);
		return;
	}
	note_change(i, view_put(&i->writer, taken(e)), e);
}

static void on_removed(struct reflector *r, const void *object)
{
	struct informer *i = of(r);
	const struct object_meta *m = meta_of(object);
	struct entry *before = view_remove(
		i->is_filling ? &i->filling : &i->writer, m->namespace, m->name);

	if (!before)
		return;
	if (i->is_filling)
		entry_drop(before);
	else
		note_change(i, before, NULL);
}

/* What the new list has, and what it no longer has. */
static void on_complete(struct reflector *r)
{
	struct informer *i = of(r);
	struct view_walk w = view_all(&i->filling.next, (str){NULL, 0});

	view_each(const void *, object, &w)
	{
		const struct object_meta *m = meta_of(object);
		struct entry *now = view_find(&i->filling.next, m->namespace, m->name);
		struct entry *before = view_find(&i->writer.next, m->namespace, m->name);

		if (!before || !str_eq(before->meta->resource_version, m->resource_version))
			note_change(i, taken(before), taken(now));
	}
	w = view_all(&i->writer.next, (str){NULL, 0});
	view_each(const void *, object, &w)
	{
		const struct object_meta *m = meta_of(object);

		if (!view_find(&i->filling.next, m->namespace, m->name))
			note_change(
				i, taken(view_find(&i->writer.next, m->namespace, m->name)), NULL);
	}
	view_writer_free(&i->writer);
	i->writer = i->filling;
	view_writer_init(&i->filling, i->indexes, i->index_count);
	i->is_filling = false;
}

static void publish(struct informer *i)
{
	struct view *now = view_publish(&i->writer), *before;

	pthread_mutex_lock(&i->lock);
	before = i->view;
	i->view = now;
	pthread_mutex_unlock(&i->lock);
	view_drop(before);
}

static void on_settled(struct reflector *r)
{
	struct informer *i = of(r);

	if (i->change_count > 0)
		publish(i);
	for (size_t at = 0; at < i->change_count; at++) {
		struct change c = i->changes[at];

		for (struct informer_handler *h = i->handlers; h; h = h->next)
			h->changed(h, c.before ? c.before->object : NULL,
				c.now ? c.now->object : NULL);
		if (c.before)
			entry_drop(c.before);
		if (c.now)
			entry_drop(c.now);
	}
	i->change_count = 0;
	if (!i->is_filling && !informer_synced(i)) {
		atomic_store_explicit(&i->synced, true, memory_order_release);
		transport_notify(client_transport(i->set->client));
	}
}

static const struct reflector_sink sink = {
	.restart = on_restart,
	.complete = on_complete,
	.put = on_put,
	.removed = on_removed,
	.settled = on_settled,
};
