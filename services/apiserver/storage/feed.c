#include "apiserver/storage/state.h"
#include "lib/base/log.h"

#include <stdlib.h>

/*
 * From etcd into the caches: everything once, page by page at one revision, then one watch on the
 * whole prefix. When the watch cannot go on, because what it missed is compacted, all is read again
 * and the watchers have to.
 */

enum {
	PAGE_KEYS = 500,
	PAGE_KEYS_MIN = 1,
	RETRY_FILL_MS = 1000,
	TRIM_S = 15,
	BATCH_FIRST = 16,
};

static void begin_fill(struct loop_timer *t);
static void ask_page(struct storage *s);
static void got_page(struct etcd_call *call, str answer, const struct err *e);
static void fill_failed(struct storage *s, const struct err *e);
static void drop_filling(struct storage *s);
static void finish_fill(struct storage *s);
static struct cache *route(struct storage *s, str key, str *rest);
static void watch_event(struct etcd_watch *w, const struct etcd_event *ev);
static void tell_cache(struct storage *s, struct cache *c, str rest, const struct etcd_event *ev);
static void watch_complete(struct etcd_watch *w, int64_t revision);
static void watch_again(struct etcd_watch *w);
static void watch_ended(struct etcd_watch *w, const struct err *e);
static void apply_revision(
	struct storage *s, struct batch *b, struct pending_event *first, struct pending_event *end);
static void apply_event(struct storage *s, struct batch *b, struct pending_event *p);
static struct stored *last_state(struct storage *s, const struct pending_event *p);
static struct batch *batch_of_turn(struct storage *s);
static void batch_add(struct batch *b, struct storage_event *ev);
static void destroy_batch(struct counted *c);
static void flush(struct loop_task *t);
static void trim(struct loop_timer *t);

static const struct etcd_watch_events watch_events = {.event = watch_event,
	.complete = watch_complete,
	.again = watch_again,
	.ended = watch_ended};

void feed_start(struct storage *s)
{
	struct buf end;

	/* The prefix, with its last character one higher, is where it ends. */
	buf_init(&end, BUF_NO_LIMIT);
	buf_add_str(&end, s->options.prefix);
	buf_add_char(&end, '/' + 1);
	s->watch.key = arena_fmt(&s->arena, "%.*s/", STR_ARG(s->options.prefix));
	s->watch.end = arena_str(&s->arena, buf_str(&end));
	s->watch.events = &watch_events;
	buf_free(&end);
	buf_init(&s->fill.next_key, BUF_NO_LIMIT);
	s->fill.call.done = got_page;
	s->flush.run = flush;
	s->trim.due = trim;
	s->retry_fill.due = begin_fill;
	begin_fill(&s->retry_fill);
}

void feed_stop(struct storage *s)
{
	pending_clear(&s->pending);
	free(s->pending.at);
	buf_free(&s->fill.next_key);
	loop_undefer(&s->loop, &s->flush);
	if (s->batch)
		counted_drop(&s->batch->counted);
	s->batch = NULL;
}

static void begin_fill(struct loop_timer *t)
{
	struct storage *s = CONTAINER_OF(t, struct storage, retry_fill);

	s->fill.revision = 0;
	s->fill.limit = PAGE_KEYS;
	buf_reset(&s->fill.next_key);
	buf_add_str(&s->fill.next_key, s->watch.key);
	ask_page(s);
}

static void ask_page(struct storage *s)
{
	const struct etcd_range r = {.key = buf_str(&s->fill.next_key),
		.end = s->watch.end,
		.limit = s->fill.limit,
		.revision = s->fill.revision};
	struct buf request;

	buf_init(&request, BUF_NO_LIMIT);
	etcd_put_range(&request, &r);
	etcd_start(s->etcd, &s->fill.call, ETCD_RANGE, &request);
}

static void fill_cache(struct storage *s, struct cache *c, str rest, const struct etcd_kv *kv)
{
	struct stored *o, *before;
	struct err why;

	if (entry_read(&s->scratch, &c->kind, rest, kv->value, kv->mod_revision, &o, &why) < 0) {
		log_error("%s", why.text);
		count_undecodable(s, c);
		return;
	}
	before = btree_put(&c->filling, o);
	if (before)
		counted_drop(&before->counted);
}

static void got_page(struct etcd_call *call, str answer, const struct err *e)
{
	struct storage *s = CONTAINER_OF(call, struct storage, fill.call);
	struct etcd_range_answer a;
	struct etcd_kv kv = {0};
	struct err why;

	if (e && e->kind == ERR_LIMIT && s->fill.limit > PAGE_KEYS_MIN) {
		s->fill.limit /= 2;
		ask_page(s);
		return;
	}
	if (!e && etcd_read_range(answer, &a, &why) < 0)
		e = &why;
	if (e) {
		fill_failed(s, e);
		return;
	}
	if (s->fill.revision == 0)
		s->fill.revision = a.revision;
	while (etcd_next_kv(&a, &kv)) {
		str rest;

		for (struct cache *c = route(s, kv.key, &rest); c; c = c->same)
			fill_cache(s, c, rest, &kv);
	}
	if (!a.more || !kv.key.at) {
		finish_fill(s);
		return;
	}
	buf_reset(&s->fill.next_key);
	buf_add_str(&s->fill.next_key, kv.key);
	buf_add_char(&s->fill.next_key, '\0');
	ask_page(s);
}

static void fill_failed(struct storage *s, const struct err *e)
{
	drop_filling(s);
	if (e->kind == ERR_CLOSED)
		return;
	log_warning("reading %.*s from etcd: %s", STR_ARG(s->watch.key), e->text);
	loop_timer_set(&s->loop, &s->retry_fill, s->loop.now_ns + RETRY_FILL_MS * NS_PER_MS);
}

static void drop_filling(struct storage *s)
{
	for (struct cache *c = s->first_cache; c; c = c->next) {
		btree_drop(c->filling);
		c->filling = NULL;
	}
}

static void finish_fill(struct storage *s)
{
	bool again = s->revision != 0;

	for (struct cache *c = s->first_cache; c; c = c->next) {
		cache_replace(c, c->filling, s->fill.revision);
		c->filling = NULL;
		c->filled_at = s->fill.revision;
		c->unfilled = false;
		pending_clear(&c->early);
	}
	atomic_store_explicit(&s->revision, s->fill.revision, memory_order_release);
	buf_free(&s->fill.next_key);
	if (again) {
		batch_of_turn(s)->restarted = true;
		s->batch->revision = s->fill.revision;
	}
	s->watch.next_revision = s->fill.revision + 1;
	etcd_watch_start(s->etcd, &s->watch);
	wait_check(s);
}

/*
 * "/registry/pods/ns/name": the cache of pods, and "ns/name". A resource's prefix has one part
 * behind the whole prefix, or two: services/specs, or group and resource. What nobody here knows
 * belongs to others.
 */
static struct cache *route(struct storage *s, str key, str *rest)
{
	enum { PARTS_MAX = 2 };
	size_t at = s->watch.key.len;

	if (!str_starts(key, s->watch.key))
		return NULL;
	for (int part = 0; part < PARTS_MAX; part++) {
		ptrdiff_t slash = str_find_char(str_slice(key, at, SIZE_MAX), '/');
		struct cache *c;

		if (slash < 0)
			return NULL;
		at += (size_t)slash + 1;
		c = map_get(&s->by_key, str_slice(key, 0, at));
		if (!c)
			continue;
		*rest = str_slice(key, at, SIZE_MAX);

		ptrdiff_t inner = str_find_char(*rest, '/');
		bool fits = c->kind.resource->namespaced
			? inner > 0 && (size_t)inner + 1 < rest->len &&
				str_find_char(str_slice(*rest, (size_t)inner + 1, SIZE_MAX), '/') <
					0
			: inner < 0 && rest->len > 0;

		return fits ? c : NULL;
	}
	return NULL;
}

static void watch_event(struct etcd_watch *w, const struct etcd_event *ev)
{
	struct storage *s = CONTAINER_OF(w, struct storage, watch);
	str rest;

	for (struct cache *c = route(s, ev->kv.key, &rest); c; c = c->same)
		tell_cache(s, c, rest, ev);
}

static void tell_cache(struct storage *s, struct cache *c, str rest, const struct etcd_event *ev)
{
	struct pending_event p = {.revision = ev->kv.mod_revision, .cache = c};
	struct err e;

	if (p.revision <= c->filled_at)
		return;
	count_event(p.cache);
	if (!ev->deleted &&
		entry_read(&s->scratch, &p.cache->kind, rest, ev->kv.value, p.revision, &p.now,
			&e) < 0) {
		log_error("%s", e.text);
		count_undecodable(s, p.cache);
	}
	if (!p.now) {
		char *copy = malloc(rest.len);

		if (!copy)
			abort();
		memcpy(copy, rest.at, rest.len);
		p.key = str_span(copy, rest.len);
	}
	pending_add(&s->pending, &p);
}

static void watch_complete(struct etcd_watch *w, int64_t revision)
{
	struct storage *s = CONTAINER_OF(w, struct storage, watch);
	struct batch *b = batch_of_turn(s);

	for (size_t i = 0, end; i < s->pending.len; i = end) {
		end = i + 1;
		while (end < s->pending.len &&
			s->pending.at[end].revision == s->pending.at[i].revision)
			end++;
		apply_revision(s, b, &s->pending.at[i], &s->pending.at[end]);
	}
	s->pending.len = 0;
	if (b->len > 0 && s->trim.slot == 0)
		loop_timer_set(&s->loop, &s->trim, s->loop.now_ns + TRIM_S * NS_PER_S);
	if (revision > s->revision)
		atomic_store_explicit(&s->revision, revision, memory_order_release);
	b->revision = s->revision;
}

/* Whoever looks at a cache sees all of a revision in it, or nothing. */
static void apply_revision(
	struct storage *s, struct batch *b, struct pending_event *first, struct pending_event *end)
{
	for (struct pending_event *p = first; p < end; p++) {
		if (p->cache->unfilled) {
			pending_add(&p->cache->early, p);
			p->cache = NULL;
		} else if (!p->now) {
			p->last = last_state(s, p);
		}
	}
	for (struct pending_event *p = first; p < end; p++) {
		struct cache *c = p->cache;

		if (!c)
			continue;
		pthread_mutex_lock(&c->lock);
		for (struct pending_event *same = p; same < end; same++)
			if (same->cache == c)
				apply_event(s, b, same);
		pthread_mutex_unlock(&c->lock);
	}
}

static void apply_event(struct storage *s, struct batch *b, struct pending_event *p)
{
	str key = p->now ? stored_key(p->now) : p->key;
	struct storage_event *ev = cache_apply(s, p->cache, key, p->now, p->last, p->revision);

	if (ev)
		batch_add(b, ev);
	free((char *)(uintptr_t)p->key.at);
	p->cache = NULL;
}

static void watch_again(struct etcd_watch *w)
{
	struct storage *s = CONTAINER_OF(w, struct storage, watch);

	pending_clear(&s->pending);
}

static void watch_ended(struct etcd_watch *w, const struct err *e)
{
	struct storage *s = CONTAINER_OF(w, struct storage, watch);

	pending_clear(&s->pending);
	if (e->kind == ERR_CLOSED)
		return;
	log_warning("the watch of etcd cannot go on, reading all again: %s", e->text);
	begin_fill(&s->retry_fill);
}

/* What a watcher of the deletion is told: the object as it was, with the deletion's revision. */
static struct stored *last_state(struct storage *s, const struct pending_event *p)
{
	struct stored *before = btree_find(p->cache->root, p->key), *last;
	struct err e;

	if (!before)
		return NULL;
	if (entry_restamp(&s->scratch, &p->cache->kind, before, p->revision, &last, &e) == 0)
		return last;
	log_error("%s", e.text);
	counted_take(&before->counted);
	return before;
}

void pending_clear(struct pending_events *list)
{
	for (size_t i = 0; i < list->len; i++) {
		if (list->at[i].now)
			counted_drop(&list->at[i].now->counted);
		free((char *)(uintptr_t)list->at[i].key.at);
	}
	list->len = 0;
}

void pending_add(struct pending_events *list, const struct pending_event *p)
{
	if (list->len == list->cap) {
		list->cap = list->cap ? list->cap * 2 : BATCH_FIRST;
		list->at = realloc(list->at, list->cap * sizeof(*p));
		if (!list->at)
			abort();
	}
	list->at[list->len++] = *p;
}

/* Nobody watches a cache that is only just filled. */
void feed_apply_early(struct storage *s, struct cache *c)
{
	for (size_t i = 0; i < c->early.len; i++) {
		struct pending_event *p = &c->early.at[i];
		struct storage_event *ev;

		if (p->revision <= c->filled_at) {
			if (p->now)
				counted_drop(&p->now->counted);
		} else {
			if (!p->now)
				p->last = last_state(s, p);
			pthread_mutex_lock(&c->lock);
			ev = cache_apply(s, c, p->now ? stored_key(p->now) : p->key, p->now,
				p->last, p->revision);
			pthread_mutex_unlock(&c->lock);
			if (ev)
				counted_drop(&ev->counted);
		}
		free((char *)(uintptr_t)p->key.at);
	}
	c->early.len = 0;
}

/* What is pending for a cache that goes has nobody to tell. */
void feed_forget(struct storage *s, const struct cache *c)
{
	for (size_t i = 0; i < s->pending.len; i++) {
		struct pending_event *p = &s->pending.at[i];

		if (p->cache != c)
			continue;
		if (p->now)
			counted_drop(&p->now->counted);
		free((char *)(uintptr_t)p->key.at);
		memmove(p, p + 1, (--s->pending.len - i) * sizeof(*p));
		i--;
	}
}

/* Its watches end with the turn's batch. */
void feed_detach(struct storage *s, struct cache *c)
{
	struct batch *b;

	if (s->batch && s->batch->detached) {
		loop_undefer(&s->loop, &s->flush);
		flush(&s->flush);
	}
	b = batch_of_turn(s);
	counted_take(&c->counted);
	b->detached = c;
	b->revision = s->revision;
}

static struct batch *batch_of_turn(struct storage *s)
{
	if (!s->batch) {
		s->batch = calloc(1, sizeof(*s->batch));
		if (!s->batch)
			abort();
		counted_init(&s->batch->counted, destroy_batch);
		loop_defer(&s->loop, &s->flush);
	}
	return s->batch;
}

static void batch_add(struct batch *b, struct storage_event *ev)
{
	if (b->len == b->cap) {
		b->cap = b->cap ? b->cap * 2 : BATCH_FIRST;
		b->events = realloc(b->events, b->cap * sizeof(struct storage_event *));
		if (!b->events)
			abort();
	}
	b->events[b->len++] = ev;
}

static void destroy_batch(struct counted *c)
{
	struct batch *b = CONTAINER_OF(c, struct batch, counted);

	for (size_t i = 0; i < b->len; i++)
		counted_drop(&b->events[i]->counted);
	if (b->detached)
		counted_drop(&b->detached->counted);
	free(b->events);
	free(b);
}

static void flush(struct loop_task *t)
{
	struct storage *s = CONTAINER_OF(t, struct storage, flush);
	struct batch *b = s->batch;

	s->batch = NULL;
	watch_post(s, b);
	counted_drop(&b->counted);
	wait_check(s);
}

static void trim(struct loop_timer *t)
{
	struct storage *s = CONTAINER_OF(t, struct storage, trim);
	bool more = false;

	for (struct cache *c = s->first_cache; c; c = c->next)
		more |= cache_trim(s, c);
	if (more)
		loop_timer_set(&s->loop, t, s->loop.now_ns + TRIM_S * NS_PER_S);
}
