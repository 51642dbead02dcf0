#include "apiserver/storage/state.h"
#include "lib/base/log.h"

#include <stdlib.h>

enum {
	HISTORY_S = 75,
	HISTORY_BYTES = 8 << 20,
	JSON_BYTES_MAX = 28 << 20, /* of 10,000 pods of 2 KB */
};

static str clean_prefix(struct arena *a, str prefix);
static int make_caches(struct storage *s, struct err *e);
static int add_cache(struct storage *s, const struct resource *r, struct err *e);
static int start(struct storage *s, struct err *e);
static void *run(void *arg);
static void run_close(struct loop_task *t);
static void etcd_changed(struct etcd *c, void *owner);
static void free_all(struct storage *s);

int storage_open(
	const struct storage_options *o, struct metrics *m, struct storage **to, struct err *e)
{
	struct storage *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ERR_SYSTEM, "no memory for the storage");
	s->options = *o;
	s->metrics = m;
	if (!s->options.history_ns)
		s->options.history_ns = HISTORY_S * NS_PER_S;
	if (!s->options.history_bytes)
		s->options.history_bytes = HISTORY_BYTES;
	arena_init(&s->arena, ARENA_NO_LIMIT);
	s->options.prefix = clean_prefix(&s->arena, o->prefix);
	map_init(&s->by_prefix);
	map_init(&s->by_key);
	entry_scratch_init(&s->scratch);
	pthread_mutex_init(&s->io_lock, NULL);
	pthread_mutex_init(&s->lease.lock, NULL);
	s->json = json_cache_new(JSON_BYTES_MAX, o->clock);
	if (loop_init(&s->loop, o->clock, e) < 0) {
		free_all(s);
		return -1;
	}
	if (make_caches(s, e) < 0 || start(s, e) < 0) {
		loop_free(&s->loop);
		free_all(s);
		return -1;
	}
	*to = s;
	return 0;
}

/* What was posted after the loop had stopped finds the storage closing, and ends. */
void storage_close(struct storage *s)
{
	loop_post(&s->loop, &s->close_task);
	pthread_join(s->thread, NULL);
	loop_turn(&s->loop, false);
	loop_free(&s->loop);
	free_all(s);
}

int storage_ready(struct storage *s, struct err *e)
{
	if (!atomic_load_explicit(&s->up, memory_order_acquire))
		return err_set(e, ERR_UNAVAILABLE, "etcd cannot be reached");
	if (atomic_load_explicit(&s->revision, memory_order_acquire) == 0)
		return err_set(e, ERR_UNAVAILABLE, "the watch cache is being filled");
	return 0;
}

struct cache *storage_cache(struct storage *s, const struct resource *r)
{
	return r->cache ? r->cache : map_get(&s->by_prefix, r->etcd_prefix);
}

/* As upstream takes it: one slash in front, none behind. */
static str clean_prefix(struct arena *a, str prefix)
{
	while (str_starts(prefix, STR("/")))
		prefix = str_slice(prefix, 1, SIZE_MAX);
	while (str_ends(prefix, STR("/")))
		prefix.len--;
	return arena_fmt(a, "/%.*s", STR_ARG(prefix));
}

/*
 * Rows that share a prefix share a cache; its row is the one whose type is stored. What is stored
 * in a version that has no type here is not served, and has none.
 */
static int make_caches(struct storage *s, struct err *e)
{
	for (size_t i = 0; i < api_resource_count; i++) {
		const struct resource *r = &api_resources[i];

		if (r->etcd_prefix.at && !storage_cache(s, r) && entry_stored_type(r))
			TRY(add_cache(s, r, e));
	}
	return 0;
}

static int add_cache(struct storage *s, const struct resource *r, struct err *e)
{
	struct cache *c = arena_get(&s->arena, sizeof(*c));

	for (size_t i = 0; i < api_resource_count; i++) {
		const struct resource *other = &api_resources[i];

		if (str_eq(other->etcd_prefix, r->etcd_prefix) &&
			entry_stored_type(other) == api_type(other->type))
			r = other;
	}
	TRY(entry_kind_init(&c->kind, r, e));

	struct buf prefix;

	buf_init(&prefix, BUF_NO_LIMIT);
	storage_put_prefix(s, r, &prefix);
	c->prefix = arena_str(&s->arena, buf_str(&prefix));
	buf_free(&prefix);
	c->clock = s->options.clock;
	c->storage = s;
	c->slot = slot_take(s);
	c->next = s->first_cache;
	s->first_cache = c;
	pthread_mutex_init(&c->lock, NULL);
	map_put(&s->by_prefix, r->etcd_prefix, c);
	map_put(&s->by_key, c->prefix, c);
	return 0;
}

/* The rows say /registry; the option may say otherwise. */
void storage_put_prefix(const struct storage *s, const struct resource *r, struct buf *to)
{
	str tail = str_slice(r->etcd_prefix, sizeof("/registry") - 1, SIZE_MAX);

	buf_add_fmt(to, "%.*s%.*s/", STR_ARG(s->options.prefix), STR_ARG(tail));
}

static int start(struct storage *s, struct err *e)
{
	struct etcd_options o = {.loop = &s->loop,
		.endpoints = s->options.servers,
		.ca_pem = s->options.ca_pem,
		.cert_pem = s->options.cert_pem,
		.key_pem = s->options.key_pem,
		.changed = etcd_changed,
		.owner = s};
	int result;

	s->close_task.run = run_close;
	counts_init(s);
	TRY(etcd_open(&o, &s->etcd, e));
	wait_init(s);
	feed_start(s);
	if (s->options.compaction_interval_ns > 0)
		compact_start(s);
	result = pthread_create(&s->thread, NULL, run, s);
	if (result == 0)
		return 0;
	atomic_store(&s->closing, true);
	etcd_close(s->etcd);
	feed_stop(s);
	loop_turn(&s->loop, false);
	return err_set_errno(e, result, "starting the store thread");
}

static void *run(void *arg)
{
	struct storage *s = arg;

	loop_run(&s->loop);
	return NULL;
}

static void run_close(struct loop_task *t)
{
	struct storage *s = CONTAINER_OF(t, struct storage, close_task);
	struct err e;

	err_write(&e, ERR_CLOSED, "the storage is closed");
	atomic_store(&s->closing, true);
	etcd_close(s->etcd);
	wait_close(s, &e);
	attached_leave(s);
	feed_stop(s);
	loop_stop(&s->loop);
}

static void etcd_changed(struct etcd *c, void *owner)
{
	struct storage *s = owner;

	atomic_store_explicit(&s->up, etcd_is_up(c), memory_order_release);
	if (etcd_is_up(c))
		log_info("etcd is connected");
	else
		log_warning("etcd is lost: %s", etcd_error(c)->text);
}

static void free_all(struct storage *s)
{
	for (struct cache *c = s->first_cache; c; c = c->next)
		cache_free(c);
	map_free(&s->by_prefix);
	map_free(&s->by_key);
	free(s->slots.taken);
	json_cache_free(s->json);
	entry_scratch_free(&s->scratch);
	arena_free(&s->arena);
	pthread_mutex_destroy(&s->io_lock);
	pthread_mutex_destroy(&s->lease.lock);
	free(s);
}
