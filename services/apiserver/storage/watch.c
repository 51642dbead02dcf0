#include "apiserver/storage/state.h"

#include <stdlib.h>

/*
 * The fan-out. The store thread leaves one batch a turn in each I/O thread's inbox; there every
 * event goes to the watches whose bucket it falls into: those of its name, its node, its namespace,
 * and those of all. Five thousand kubelets that watch their own pods cost an event of one pod no
 * more than one.
 *
 * A watch begins under the cache's lock with the history or a snapshot, and remembers how far that
 * reached: what is in the inbox up to there it knows already.
 */

/* Watches that are narrowed alike; the key says to what. */
struct watch_bucket {
	str key;
	struct storage_watch *first;
};

struct watch_index {
	struct map buckets;
	size_t watches;
};

/* The past of a watch, told before anything else is. */
struct replay {
	struct storage_watch *watch;
	int64_t after;
	struct replay *next;
	size_t len;
	struct storage_event *events[];
};

struct storage_io {
	struct storage *storage;
	struct loop *loop;
	struct loop_task arrived, release, replay;
	struct storage_io *next;
	struct watch_index **indexes; /* by the caches' slots; NULL where nobody watched yet */
	size_t index_count;
	struct replay *replays, **replays_end;
	struct storage_watch *cursor; /* the next of the bucket being told */
	int64_t revision;             /* told up to */

	pthread_mutex_t lock;
	struct batch **inbox;
	size_t inbox_len, inbox_cap;
};

static void inbox_put(struct storage_io *io, struct batch *b);
static void arrived(struct loop_task *t);
static void tell_batch(struct storage_io *io, const struct batch *b);
static void tell_event(struct storage_io *io, struct storage_event *ev);
static void tell_bucket(struct storage_io *io, struct watch_index *index, str a, char between,
	str b, struct storage_event *ev);
static bool concerns(
	const struct storage_watch *w, const struct entry_kind *k, const struct storage_event *ev);
static void end_all(struct storage_io *io, int64_t before, const struct err *e);
static void end_index(struct watch_index *x, int64_t before, const struct err *e);
static void join(struct storage_io *io, struct cache *c, struct storage_watch *w);
static struct watch_index *index_of(struct storage_io *io, const struct cache *c);
static struct watch_index *make_index(struct storage_io *io, const struct cache *c);
static void put_bucket_key(struct buf *to, str a, char between, str b);
static int begin_replay(struct storage_io *io, struct cache *c, struct storage_watch *w,
	int64_t revision, struct err *e);
static void replay_all(struct loop_task *t);
static void replay_one(struct storage_io *io, struct replay *p);
static void forget_replay(struct storage_io *io, const struct storage_watch *w);
static void release_io(struct loop_task *t);

int storage_io_open(struct storage *s, struct loop *l, struct storage_io **to, struct err *e)
{
	struct storage_io *io = calloc(1, sizeof(*io));

	if (!io)
		return err_set(e, ERR_SYSTEM, "no memory for the watches of a thread");
	io->storage = s;
	io->loop = l;
	io->arrived.run = arrived;
	io->release.run = release_io;
	io->replay.run = replay_all;
	io->replays_end = &io->replays;
	pthread_mutex_init(&io->lock, NULL);
	pthread_mutex_lock(&s->io_lock);
	io->next = s->ios;
	s->ios = io;
	pthread_mutex_unlock(&s->io_lock);
	*to = io;
	return 0;
}

void storage_io_close(struct storage_io *io)
{
	struct storage *s = io->storage;
	struct storage_io **at = &s->ios;
	struct err e;

	pthread_mutex_lock(&s->io_lock);
	while (*at != io)
		at = &(*at)->next;
	*at = io->next;
	pthread_mutex_unlock(&s->io_lock);
	err_write(&e, ERR_CLOSED, "the storage is closed");
	end_all(io, INT64_MAX, &e);
	loop_undefer(io->loop, &io->replay);
	/* The inbox may be posted already: what frees it comes behind. */
	loop_post(io->loop, &io->release);
}

int storage_watch_start(struct storage_io *io, struct storage_watch *w, int64_t *revision,
	struct snapshot **initial, struct err *e)
{
	struct storage *s = io->storage;
	struct cache *c = storage_cache(s, w->resource);
	int result = 0;

	w->io = io;
	w->replaying = false;
	pthread_mutex_lock(&c->lock);
	if (atomic_load_explicit(&s->revision, memory_order_acquire) == 0 ||
		atomic_load(&c->ending)) {
		result = err_set(e, ERR_UNAVAILABLE, "storage is (re)initializing");
	} else if (initial) {
		*initial = cache_snapshot(s, c);
		*revision = w->after = (*initial)->revision;
	} else {
		result = begin_replay(io, c, w, *revision, e);
	}
	pthread_mutex_unlock(&c->lock);
	if (result == 0)
		join(io, c, w);
	return result;
}

void storage_watch_stop(struct storage_watch *w)
{
	struct storage_io *io = w->io;
	struct watch_bucket *b = w->bucket;
	struct watch_index *x = index_of(io, storage_cache(io->storage, w->resource));

	if (w->replaying)
		forget_replay(io, w);
	if (io->cursor == w)
		io->cursor = w->next;
	*(w->previous ? &w->previous->next : &b->first) = w->next;
	if (w->next)
		w->next->previous = w->previous;
	x->watches--;
	if (!b->first) {
		map_remove(&x->buckets, b->key);
		free((char *)(uintptr_t)b->key.at);
		free(b);
	}
	w->io = NULL;
}

int64_t storage_watch_revision(const struct storage_watch *w)
{
	return w->replaying || w->after > w->io->revision ? w->after : w->io->revision;
}

void watch_post(struct storage *s, struct batch *b)
{
	pthread_mutex_lock(&s->io_lock);
	for (struct storage_io *io = s->ios; io; io = io->next)
		inbox_put(io, b);
	pthread_mutex_unlock(&s->io_lock);
}

static void inbox_put(struct storage_io *io, struct batch *b)
{
	pthread_mutex_lock(&io->lock);
	if (io->inbox_len == io->inbox_cap) {
		io->inbox_cap = io->inbox_cap ? io->inbox_cap * 2 : 4;
		io->inbox = realloc(io->inbox, io->inbox_cap * sizeof(struct batch *));
		if (!io->inbox)
			abort();
	}
	counted_take(&b->counted);
	io->inbox[io->inbox_len++] = b;
	if (io->inbox_len == 1)
		loop_post(io->loop, &io->arrived);
	pthread_mutex_unlock(&io->lock);
}

static void arrived(struct loop_task *t)
{
	struct storage_io *io = CONTAINER_OF(t, struct storage_io, arrived);
	struct batch **inbox;
	size_t len;

	replay_all(&io->replay);
	pthread_mutex_lock(&io->lock);
	inbox = io->inbox;
	len = io->inbox_len;
	io->inbox = NULL;
	io->inbox_len = io->inbox_cap = 0;
	pthread_mutex_unlock(&io->lock);
	for (size_t i = 0; i < len; i++) {
		tell_batch(io, inbox[i]);
		counted_drop(&inbox[i]->counted);
	}
	free(inbox);
}

static void tell_batch(struct storage_io *io, const struct batch *b)
{
	struct err e;

	for (size_t i = 0; i < b->len; i++)
		tell_event(io, b->events[i]);
	if (b->restarted) {
		err_write(&e, ERR_GONE, "etcd has compacted what comes next");
		end_all(io, b->revision, &e);
	}
	if (b->detached && index_of(io, b->detached)) {
		err_write(&e, ERR_CLOSED, "the resource is gone");
		end_index(index_of(io, b->detached), INT64_MAX, &e);
	}
	if (b->revision > io->revision)
		io->revision = b->revision;
}

static void tell_event(struct storage_io *io, struct storage_event *ev)
{
	const struct stored *o = ev->now;
	struct cache *c = storage_cache(io->storage, o->resource);
	struct watch_index *x = index_of(io, c);
	int field = c->kind.node_field;
	const str none = STR("");

	if (!x || x->watches == 0)
		return;
	tell_bucket(io, x, none, 'a', none, ev);
	if (o->ns.at)
		tell_bucket(io, x, o->ns, 'n', none, ev);
	tell_bucket(io, x, o->ns, '/', o->name, ev);
	if (o->ns.at)
		tell_bucket(io, x, none, '/', o->name, ev);
	if (field < 0)
		return;

	str node = o->fields[field];
	str before = ev->before ? ev->before->fields[field] : node;

	if (node.len > 0)
		tell_bucket(io, x, node, '@', none, ev);
	if (before.len > 0 && !str_eq(node, before))
		tell_bucket(io, x, before, '@', none, ev);
}

/* A watch that is stopped meanwhile moves the cursor on; with the last one its bucket goes. */
static void tell_bucket(struct storage_io *io, struct watch_index *x, str a, char between, str b,
	struct storage_event *ev)
{
	char space[512];
	struct buf key = {.at = space, .cap = sizeof(space), .limit_bytes = sizeof(space)};
	const struct watch_bucket *bucket;
	const struct entry_kind *k;

	put_bucket_key(&key, a, between, b);
	bucket = map_get(&x->buckets, buf_str(&key));
	if (!bucket)
		return;
	k = &storage_cache(io->storage, ev->now->resource)->kind;
	for (struct storage_watch *w = bucket->first; w; w = io->cursor) {
		io->cursor = w->next;
		if (ev->revision > w->after && concerns(w, k, ev))
			w->event(w, ev);
	}
}

static bool concerns(
	const struct storage_watch *w, const struct entry_kind *k, const struct storage_event *ev)
{
	const struct stored *o = ev->now;

	if ((w->ns.at && !str_eq(w->ns, o->ns)) || (w->name.at && !str_eq(w->name, o->name)))
		return false;
	return !w->node.at || k->node_field < 0 || str_eq(w->node, o->fields[k->node_field]) ||
		(ev->before && str_eq(w->node, ev->before->fields[k->node_field]));
}

/* Watches that know less than `before`. */
static void end_all(struct storage_io *io, int64_t before, const struct err *e)
{
	for (size_t i = 0; i < io->index_count; i++)
		if (io->indexes[i])
			end_index(io->indexes[i], before, e);
}

/* From the start again after each, since `ended` may stop any other. */
static void end_index(struct watch_index *x, int64_t before, const struct err *e)
{
	struct storage_watch *found;

	do {
		found = NULL;
		map_each (&x->buckets, entry) {
			const struct watch_bucket *b = entry->value;

			for (struct storage_watch *w = b->first; w && !found; w = w->next)
				if (w->after < before)
					found = w;
			if (found)
				break;
		}
		if (found) {
			storage_watch_stop(found);
			found->ended(found, e);
		}
	} while (found);
}

/* The narrowest of what it asks for decides on the bucket; concerns() looks at the rest. */
static void join(struct storage_io *io, struct cache *c, struct storage_watch *w)
{
	struct watch_index *x = make_index(io, c);
	const str none = STR("");
	struct buf key;

	buf_init(&key, BUF_NO_LIMIT);
	if (w->name.at)
		put_bucket_key(&key, w->ns, '/', w->name);
	else if (w->node.at && c->kind.node_field >= 0 && w->node.len > 0)
		put_bucket_key(&key, w->node, '@', none);
	else if (w->ns.at)
		put_bucket_key(&key, w->ns, 'n', none);
	else
		put_bucket_key(&key, none, 'a', none);
	w->bucket = map_get(&x->buckets, buf_str(&key));
	if (w->bucket) {
		buf_free(&key);
	} else {
		w->bucket = calloc(1, sizeof(*w->bucket));
		if (!w->bucket)
			abort();
		w->bucket->key = buf_str(&key);
		map_put(&x->buckets, w->bucket->key, w->bucket);
	}
	w->previous = NULL;
	w->next = w->bucket->first;
	if (w->next)
		w->next->previous = w;
	w->bucket->first = w;
	x->watches++;
}

static struct watch_index *index_of(struct storage_io *io, const struct cache *c)
{
	return c->slot < io->index_count ? io->indexes[c->slot] : NULL;
}

static struct watch_index *make_index(struct storage_io *io, const struct cache *c)
{
	if (c->slot >= io->index_count) {
		size_t count = c->slot + 16;

		io->indexes = realloc(io->indexes, count * sizeof(*io->indexes));
		if (!io->indexes)
			abort();
		memset(io->indexes + io->index_count, 0,
			(count - io->index_count) * sizeof(*io->indexes));
		io->index_count = count;
	}
	if (!io->indexes[c->slot]) {
		io->indexes[c->slot] = calloc(1, sizeof(struct watch_index));
		if (!io->indexes[c->slot])
			abort();
		map_init(&io->indexes[c->slot]->buckets);
	}
	return io->indexes[c->slot];
}

static void put_bucket_key(struct buf *to, str a, char between, str b)
{
	buf_add_str(to, a);
	buf_add_char(to, between);
	buf_add_str(to, b);
}

/* Under the cache's lock. Told at the end of the turn, when the caller has its watch. */
static int begin_replay(struct storage_io *io, struct cache *c, struct storage_watch *w,
	int64_t revision, struct err *e)
{
	const struct history *h = &c->history;
	ptrdiff_t from = history_find(h, revision);
	struct replay *p;

	if (from < 0)
		return err_set(e, ERR_GONE, "too old resource version: %lld (%lld)",
			(long long)revision, (long long)h->from);
	w->after = revision;
	if ((size_t)from == h->len)
		return 0;
	p = calloc(1, sizeof(*p) + (h->len - (size_t)from) * sizeof(struct storage_event *));
	if (!p)
		abort();
	p->watch = w;
	p->after = c->last_event;
	for (size_t i = (size_t)from; i < h->len; i++) {
		struct storage_event *ev = h->slots[(h->first + i) & (h->cap - 1)].event;

		if (!concerns(w, &c->kind, ev))
			continue;
		counted_take(&ev->counted);
		p->events[p->len++] = ev;
	}
	w->replaying = true;
	*io->replays_end = p;
	io->replays_end = &p->next;
	loop_defer(io->loop, &io->replay);
	return 0;
}

static void replay_all(struct loop_task *t)
{
	struct storage_io *io = CONTAINER_OF(t, struct storage_io, replay);

	while (io->replays) {
		struct replay *p = io->replays;

		io->replays = p->next;
		if (!io->replays)
			io->replays_end = &io->replays;
		replay_one(io, p);
	}
}

/* The watch may be stopped by what it is told: its stopping clears `watch`. */
static void replay_one(struct storage_io *io, struct replay *p)
{
	p->next = io->replays;
	io->replays = p;
	for (size_t i = 0; i < p->len; i++) {
		if (p->watch)
			p->watch->event(p->watch, p->events[i]);
		counted_drop(&p->events[i]->counted);
	}
	io->replays = p->next;
	if (p->watch) {
		p->watch->replaying = false;
		p->watch->after = p->after;
	}
	free(p);
}

static void forget_replay(struct storage_io *io, const struct storage_watch *w)
{
	for (struct replay *p = io->replays; p; p = p->next)
		if (p->watch == w)
			p->watch = NULL;
}

static void release_io(struct loop_task *t)
{
	struct storage_io *io = CONTAINER_OF(t, struct storage_io, release);

	for (struct replay *p = io->replays, *next; p; p = next) {
		next = p->next;
		for (size_t i = 0; i < p->len; i++)
			counted_drop(&p->events[i]->counted);
		free(p);
	}
	for (size_t i = 0; i < io->inbox_len; i++)
		counted_drop(&io->inbox[i]->counted);
	free(io->inbox);
	for (size_t i = 0; i < io->index_count; i++) {
		if (io->indexes[i])
			map_free(&io->indexes[i]->buckets);
		free(io->indexes[i]);
	}
	free(io->indexes);
	pthread_mutex_destroy(&io->lock);
	free(io);
}
