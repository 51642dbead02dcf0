/*
 * Resources that come and go at run time. A cache is made known to the feed first, which from then
 * on puts aside what the watch tells of it; then everything is read at a revision that the watch
 * has reached; then what was put aside since is applied, and the cache is like any other.
 */
#include "apiserver/storage/state.h"

#include <stdlib.h>

enum { LEAVE_S = 65 }; /* no request takes longer */

/* Something that the store thread does while the caller waits. */
struct errand {
	struct loop_task task;
	void (*run)(struct errand *x);
	struct cache *cache;
	struct btree_node *root;
	int64_t revision;
	sem_t done;
};

static void destroy(struct counted *counted)
{
	struct cache *c = CONTAINER_OF(counted, struct cache, counted);
	struct storage *s = c->storage;

	pthread_mutex_lock(&s->io_lock);
	s->slots.taken[c->slot] = false;
	pthread_mutex_unlock(&s->io_lock);
	cache_free(c);
	free((char *)(uintptr_t)c->prefix.at);
	free(c);
}

size_t slot_take(struct storage *s)
{
	size_t slot = 0;

	pthread_mutex_lock(&s->io_lock);
	while (slot < s->slots.len && s->slots.taken[slot])
		slot++;
	if (slot == s->slots.len) {
		s->slots.len = slot ? 2 * slot : 64;
		s->slots.taken = realloc(s->slots.taken, s->slots.len * sizeof(bool));
		if (!s->slots.taken)
			abort();
		memset(s->slots.taken + slot, 0, (s->slots.len - slot) * sizeof(bool));
	}
	s->slots.taken[slot] = true;
	pthread_mutex_unlock(&s->io_lock);
	return slot;
}

static void run_errand(struct loop_task *t)
{
	struct errand *x = CONTAINER_OF(t, struct errand, task);

	x->run(x);
	sem_post(&x->done);
}

static void on_store_thread(struct storage *s, struct errand *x)
{
	x->task.run = run_errand;
	sem_init(&x->done, 0, 0);
	loop_post(&s->loop, &x->task);
	storage_sleep(&x->done);
}

static void join(struct errand *x)
{
	struct cache *c = x->cache;
	struct storage *s = c->storage;

	c->same = map_put(&s->by_key, c->prefix, c);
	if (c->same) { /* the key that the map keeps is the older cache's */
		map_remove(&s->by_key, c->prefix);
		map_put(&s->by_key, c->prefix, c);
	}
	c->next = s->first_cache;
	s->first_cache = c;
	counted_take(&c->counted);
}

static void settle(struct errand *x)
{
	struct cache *c = x->cache;

	if (!c->unfilled) { /* everything was read again meanwhile */
		btree_drop(x->root);
		return;
	}
	cache_replace(c, x->root, x->revision);
	c->filled_at = x->revision;
	c->unfilled = false;
	feed_apply_early(c->storage, c);
}

static void leave_now(struct cache *c)
{
	struct cache **at = &c->storage->first_cache;
	struct storage *s = c->storage;
	bool waited = c->leaving.slot != 0;
	const struct resource *row = c->kind.resource;
	struct cache *first = map_get(&s->by_key, c->prefix);

	while (*at && *at != c)
		at = &(*at)->next;
	*at = c->next;
	if (waited)
		loop_timer_clear(&s->loop, &c->leaving);
	if (first == c) {
		map_remove(&s->by_key, c->prefix);
		if (c->same)
			map_put(&s->by_key, c->same->prefix, c->same);
	} else {
		while (first->same != c)
			first = first->same;
		first->same = c->same;
	}
	feed_detach(s, c);
	feed_forget(s, c);
	cache_replace(c, NULL, s->revision);
	btree_drop(c->filling);
	c->filling = NULL;
	pending_clear(&c->early);
	cache_forget_kept(c);
	counted_drop(&c->counted);
	if (waited)
		resource_drop(row);
}

static void leave(struct errand *x)
{
	leave_now(x->cache);
}

static void leave_due(struct loop_timer *t)
{
	struct cache *c = CONTAINER_OF(t, struct cache, leaving);
	const struct resource *row = c->kind.resource;

	leave_now(c);
	resource_drop(row);
}

/* Its watches end; what began before reads on, as up to date as ever. */
static void end_watches(struct errand *x)
{
	struct cache *c = x->cache;
	struct storage *s = c->storage;

	atomic_store(&c->ending, true);
	feed_detach(s, c);
	resource_take(c->kind.resource);
	c->leaving.due = leave_due;
	loop_timer_set(&s->loop, &c->leaving, s->loop.now_ns + LEAVE_S * NS_PER_S);
}

void attached_leave(struct storage *s)
{
	struct cache *c = s->first_cache;

	while (c) {
		struct cache *next = c->next;

		if (c->attached)
			leave_now(c);
		c = next;
	}
}

static struct cache *new_cache(struct storage *s, const struct resource *stored, struct err *e)
{
	struct cache *c = calloc(1, sizeof(*c));
	struct buf prefix;

	if (!c) {
		err_write(e, ERR_SYSTEM, "no memory for a cache");
		return NULL;
	}
	if (entry_kind_init(&c->kind, stored, e) < 0) {
		free(c);
		return NULL;
	}
	buf_init(&prefix, BUF_NO_LIMIT);
	storage_put_prefix(s, stored, &prefix);
	c->prefix = buf_str(&prefix);
	c->clock = s->options.clock;
	c->storage = s;
	c->attached = c->unfilled = true;
	c->slot = slot_take(s);
	counted_init(&c->counted, destroy);
	pthread_mutex_init(&c->lock, NULL);
	counts_of_cache(s, c);
	return c;
}

int storage_attach(struct storage *s, struct resource *rows, size_t count,
	const struct resource *stored, struct err *e)
{
	struct cache *c = new_cache(s, stored, e);
	struct errand x = {.run = join, .cache = c};

	if (!c)
		return -1;
	on_store_thread(s, &x);
	x.run = settle;
	if (storage_wait_here(s, 0, e) < 0)
		goto fail;
	x.revision = atomic_load_explicit(&s->revision, memory_order_acquire);
	if (storage_read_pages(s, c, x.revision, &x.root, e) < 0)
		goto fail;
	on_store_thread(s, &x);
	for (size_t i = 0; i < count; i++) {
		counted_take(&c->counted);
		rows[i].cache = c;
	}
	counted_drop(&c->counted);
	return 0;
fail:
	x.run = leave;
	on_store_thread(s, &x);
	counted_drop(&c->counted);
	return -1;
}

void storage_detach(struct storage *s, const struct resource *row, bool replaced)
{
	struct errand x = {.run = replaced ? end_watches : leave, .cache = row->cache};

	on_store_thread(s, &x);
}

void storage_let_go(const struct resource *row)
{
	if (row->cache)
		counted_drop(&row->cache->counted);
}

const struct type *storage_type(const struct resource *row)
{
	return row->cache->kind.type;
}
