#include "apiserver/storage/state.h"

#include <stdlib.h>

enum { HISTORY_FIRST = 64, KEEP_NS_S = 300 };

static void destroy_snapshot(struct counted *c);
static void destroy_event(struct counted *c);
static struct storage_event *new_event(struct stored *now, struct stored *before, int64_t revision);
static void history_add(struct storage *s, struct history *h, struct storage_event *ev);
static void history_shift(struct history *h);
static size_t event_bytes(const struct storage_event *ev);
static struct snapshot *find_kept(struct cache *c, int64_t revision);

struct snapshot *snapshot_new(struct btree_node *root, int64_t revision)
{
	struct snapshot *n = malloc(sizeof(*n));

	if (!n)
		abort();
	*n = (struct snapshot){.root = root, .revision = revision, .last_event = revision};
	counted_init(&n->counted, destroy_snapshot);
	return n;
}

/* While events of one answer are being applied, this cache may be ahead of the whole. */
struct snapshot *cache_snapshot(struct storage *s, struct cache *c)
{
	int64_t seen = atomic_load_explicit(&s->revision, memory_order_acquire);
	struct snapshot *n = snapshot_new(c->root, seen > c->last_event ? seen : c->last_event);

	btree_take(c->root);
	n->cache = c;
	n->last_event = c->last_event;
	return n;
}

struct snapshot *storage_snapshot(struct storage *s, const struct resource *r, int64_t *revision)
{
	struct cache *c = storage_cache(s, r);
	struct snapshot *n;

	pthread_mutex_lock(&c->lock);
	n = cache_snapshot(s, c);
	pthread_mutex_unlock(&c->lock);
	*revision = n->revision;
	return n;
}

struct snapshot *cache_snapshot_at(struct storage *s, struct cache *c, int64_t revision)
{
	struct snapshot *n;

	pthread_mutex_lock(&c->lock);
	n = find_kept(c, revision);
	if (n)
		counted_take(&n->counted);
	else if (c->last_event <= revision && revision <= s->revision)
		n = cache_snapshot(s, c);
	pthread_mutex_unlock(&c->lock);
	return n;
}

void snapshot_keep(struct snapshot *n)
{
	struct cache *c = n->cache;
	struct snapshot *out = NULL;
	size_t at = 0;

	if (!c)
		return;

	int64_t now_ns = c->clock->monotonic_ns(c->clock);

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < KEPT_MAX; i++) {
		if (c->kept[i].snapshot && c->kept[i].snapshot->root == n->root) {
			at = i;
			break;
		}
		if (c->kept[i].until_ns < c->kept[at].until_ns)
			at = i;
	}
	out = c->kept[at].snapshot;
	counted_take(&n->counted);
	c->kept[at].snapshot = n;
	c->kept[at].until_ns = now_ns + KEEP_NS_S * NS_PER_S;
	pthread_mutex_unlock(&c->lock);
	if (out)
		snapshot_drop(out);
}

void snapshot_drop(struct snapshot *n)
{
	counted_drop(&n->counted);
}

struct stored *storage_get(struct storage *s, const struct resource *r, str ns, str name)
{
	struct cache *c = storage_cache(s, r);
	struct stored *o;
	struct buf key;

	buf_init(&key, BUF_NO_LIMIT);
	if (r->namespaced) {
		buf_add_str(&key, ns);
		buf_add_char(&key, '/');
	}
	buf_add_str(&key, name);
	pthread_mutex_lock(&c->lock);
	o = btree_find(c->root, buf_str(&key));
	if (o)
		counted_take(&o->counted);
	pthread_mutex_unlock(&c->lock);
	buf_free(&key);
	return o;
}

struct storage_event *cache_apply(struct storage *s, struct cache *c, str key, struct stored *now,
	struct stored *last, int64_t revision)
{
	struct storage_event *ev = NULL;
	struct stored *before;

	before = now ? btree_put(&c->root, now) : btree_remove(&c->root, key);
	if (now) {
		counted_take(&now->counted);
		ev = new_event(now, before, revision);
	} else if (before) {
		ev = new_event(last, before, revision);
		ev->kind = STORAGE_DELETED;
	} else if (last) {
		counted_drop(&last->counted);
	}
	if (ev)
		history_add(s, &c->history, ev);
	c->last_event = revision;
	count_objects(c);
	return ev;
}

void cache_replace(struct cache *c, struct btree_node *root, int64_t revision)
{
	struct btree_node *old;

	pthread_mutex_lock(&c->lock);
	old = c->root;
	c->root = root;
	c->last_event = revision;
	while (c->history.len > 0)
		history_shift(&c->history);
	c->history.from = revision;
	count_objects(c);
	pthread_mutex_unlock(&c->lock);
	btree_drop(old);
}

bool cache_trim(struct storage *s, struct cache *c)
{
	int64_t now_ns = s->loop.now_ns;
	bool more;

	pthread_mutex_lock(&c->lock);
	while (c->history.len > 0 &&
		c->history.slots[c->history.first].at_ns + s->options.history_ns < now_ns)
		history_shift(&c->history);
	more = c->history.len > 0;
	for (size_t i = 0; i < KEPT_MAX; i++) {
		if (c->kept[i].snapshot && c->kept[i].until_ns < now_ns) {
			snapshot_drop(c->kept[i].snapshot);
			c->kept[i].snapshot = NULL;
			c->kept[i].until_ns = 0;
		}
		more |= c->kept[i].snapshot != NULL;
	}
	pthread_mutex_unlock(&c->lock);
	return more;
}

void cache_forget_kept(struct cache *c)
{
	struct snapshot *kept[KEPT_MAX];

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < KEPT_MAX; i++) {
		kept[i] = c->kept[i].snapshot;
		c->kept[i].snapshot = NULL;
		c->kept[i].until_ns = 0;
	}
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < KEPT_MAX; i++)
		if (kept[i])
			snapshot_drop(kept[i]);
}

void cache_free(struct cache *c)
{
	while (c->history.len > 0)
		history_shift(&c->history);
	free(c->history.slots);
	cache_forget_kept(c);
	btree_drop(c->root);
	btree_drop(c->filling);
	pending_clear(&c->early);
	free(c->early.at);
	pthread_mutex_destroy(&c->lock);
}

ptrdiff_t history_find(const struct history *h, int64_t revision)
{
	size_t low = 0, high = h->len;

	if (revision < h->from)
		return -1;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (h->slots[(h->first + middle) & (h->cap - 1)].event->revision <= revision)
			low = middle + 1;
		else
			high = middle;
	}
	return (ptrdiff_t)low;
}

struct snapshot_walk snapshot_walk(const struct snapshot *n, str ns, str after)
{
	struct snapshot_walk w = {.snapshot = n, .ns = ns};
	struct buf from;

	/* The key right behind `after`; or the first of the namespace. */
	buf_init(&from, BUF_NO_LIMIT);
	if (after.at) {
		buf_add_str(&from, after);
		buf_add_char(&from, '\0');
	} else if (ns.at) {
		buf_add_str(&from, ns);
		buf_add_char(&from, '/');
	}
	btree_walk(n->root, buf_str(&from), &w);
	buf_free(&from);
	return w;
}

const struct stored *snapshot_next(struct snapshot_walk *w)
{
	const struct stored *o = btree_next(w);

	return o && w->ns.at && !str_eq(o->ns, w->ns) ? NULL : o;
}

/* A slash comes right before the digit 0: so ends what begins with the namespace and a slash. */
size_t snapshot_count(const struct snapshot *n, str ns)
{
	struct buf edge;
	size_t count;

	if (!ns.at)
		return btree_count(n->root);
	buf_init(&edge, BUF_NO_LIMIT);
	buf_add_str(&edge, ns);
	buf_add_char(&edge, '0');
	count = btree_rank(n->root, buf_str(&edge));
	edge.at[ns.len] = '/';
	count -= btree_rank(n->root, buf_str(&edge));
	buf_free(&edge);
	return count;
}

static void destroy_snapshot(struct counted *c)
{
	struct snapshot *n = CONTAINER_OF(c, struct snapshot, counted);

	btree_drop(n->root);
	free(n);
}

static void destroy_event(struct counted *c)
{
	struct storage_event *ev = CONTAINER_OF(c, struct storage_event, counted);

	counted_drop(&ev->now->counted);
	if (ev->before)
		counted_drop(&ev->before->counted);
	free(ev);
}

/* Takes the references over. */
static struct storage_event *new_event(struct stored *now, struct stored *before, int64_t revision)
{
	struct storage_event *ev = malloc(sizeof(*ev));

	if (!ev)
		abort();
	*ev = (struct storage_event){.kind = before ? STORAGE_MODIFIED : STORAGE_ADDED,
		.now = now,
		.before = before,
		.revision = revision};
	counted_init(&ev->counted, destroy_event);
	return ev;
}

static void history_add(struct storage *s, struct history *h, struct storage_event *ev)
{
	if (h->len == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : HISTORY_FIRST;
		struct history_slot *slots = calloc(cap, sizeof(*slots));

		if (!slots)
			abort();
		for (size_t i = 0; i < h->len; i++)
			slots[i] = h->slots[(h->first + i) & (h->cap - 1)];
		free(h->slots);
		h->slots = slots;
		h->first = 0;
		h->cap = cap;
	}
	counted_take(&ev->counted);
	h->slots[(h->first + h->len++) & (h->cap - 1)] = (struct history_slot){ev, s->loop.now_ns};
	h->bytes += event_bytes(ev);
	while (h->len > 0 &&
		(h->bytes > s->options.history_bytes ||
			h->slots[h->first].at_ns + s->options.history_ns < s->loop.now_ns))
		history_shift(h);
}

static void history_shift(struct history *h)
{
	struct storage_event *ev = h->slots[h->first].event;

	h->from = ev->revision;
	h->bytes -= event_bytes(ev);
	h->first = (h->first + 1) & (h->cap - 1);
	h->len--;
	counted_drop(&ev->counted);
}

/* What the event alone keeps alive, or nearly: its state before. */
static size_t event_bytes(const struct storage_event *ev)
{
	enum { OVERHEAD_BYTES = 512 };
	const struct stored *held = ev->before ? ev->before : ev->now;

	return sizeof(*ev) + OVERHEAD_BYTES + held->envelope.len;
}

static struct snapshot *find_kept(struct cache *c, int64_t revision)
{
	for (size_t i = 0; i < KEPT_MAX; i++) {
		struct snapshot *n = c->kept[i].snapshot;

		if (n && n->last_event <= revision && revision <= n->revision)
			return n;
	}
	return NULL;
}
