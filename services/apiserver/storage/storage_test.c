#include "apiserver/storage/state.h"
#include "lib/base/test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Caches and watches without etcd: what it would say is told to the feed, on the store thread.
 * Time is ours. What needs etcd is in tests/storage.
 */

enum {
	HANG_S = 120,
	FIRST = 10,
	VALUE_BYTES = 1024,
	STORM = 3000,
	STORM_WATCHES = 40,
	STORM_THREADS = 2,
};

struct world {
	struct clock_fake clock;
	struct metrics *metrics;
	struct storage *storage;
	const struct resource *pods, *nodes;
	struct loop loop; /* of the test's thread, which is an I/O thread */
	struct storage_io *io;
	int64_t revision;
};

/* --- the store thread, on which the test acts */

struct errand {
	struct loop_task task;
	void (*run)(struct world *w, const void *what);
	struct world *world;
	const void *what;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
};

static void run_errand(struct loop_task *t)
{
	struct errand *a = CONTAINER_OF(t, struct errand, task);

	a->run(a->world, a->what);
	pthread_mutex_lock(&a->lock);
	a->is_done = true;
	pthread_cond_signal(&a->done);
	pthread_mutex_unlock(&a->lock);
}

static void on_store(
	struct world *w, void (*run)(struct world *w, const void *what), const void *what)
{
	struct errand a = {.task.run = run_errand, .run = run, .world = w, .what = what};

	pthread_mutex_init(&a.lock, NULL);
	pthread_cond_init(&a.done, NULL);
	loop_post(&w->storage->loop, &a.task);
	pthread_mutex_lock(&a.lock);
	while (!a.is_done)
		pthread_cond_wait(&a.done, &a.lock);
	pthread_mutex_unlock(&a.lock);
	pthread_cond_destroy(&a.done);
	pthread_mutex_destroy(&a.lock);
}

/* An empty etcd at revision FIRST. */
static void fill(struct world *w, UNUSED const void *what)
{
	struct pb_writer p;
	struct buf answer;

	buf_init(&answer, BUF_NO_LIMIT);
	pb_write_start(&p, &answer);

	size_t mark = pb_mark(&p);

	pb_put_u64(&p, 3, FIRST);
	pb_put_length(&p, 1, mark);
	pb_write_end(&p);
	w->storage->fill.call.done(&w->storage->fill.call, buf_str(&answer), NULL);
	buf_free(&answer);
}

/* One event: a pod (or node, without namespace) that is there now, or gone. */
struct change {
	const char *ns, *name, *node;
	bool gone;
};

static void change(struct world *w, const void *what)
{
	const struct etcd_watch_events *events = w->storage->watch.events;
	const struct change *c = what;
	char key[VALUE_BYTES], value[VALUE_BYTES];
	struct etcd_event ev = {.deleted = c->gone, .kv.mod_revision = ++w->revision};

	if (c->ns) {
		snprintf(key, sizeof(key), "/registry/pods/%s/%s", c->ns, c->name);
		snprintf(value, sizeof(value),
			"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\","
			"\"namespace\":\"%s\",\"labels\":{\"app\":\"%s\"}},"
			"\"spec\":{\"nodeName\":\"%s\"}}",
			c->name, c->ns, c->name, c->node);
	} else {
		snprintf(key, sizeof(key), "/registry/minions/%s", c->name);
		snprintf(value, sizeof(value),
			"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"%s\"}}",
			c->name);
	}
	ev.kv.key = str_of(key);
	ev.kv.value = str_of(value);
	events->event(&w->storage->watch, &ev);
	events->complete(&w->storage->watch, w->revision);
}

static void pass(struct world *w, const void *by_ns)
{
	clock_fake_advance(&w->clock, *(const int64_t *)by_ns);
}

static void put_pod(struct world *w, const char *ns, const char *name, const char *node)
{
	on_store(w, change, &(struct change){.ns = ns, .name = name, .node = node});
}

static void remove_pod(struct world *w, const char *ns, const char *name)
{
	on_store(w, change, &(struct change){.ns = ns, .name = name, .node = "", .gone = true});
}

static void begin(struct test *t, struct world *w)
{
	static str url = STR_INIT("http://127.0.0.1:1");
	struct storage_options o = {.prefix = STR("/registry"),
		.servers = {.at = &url, .len = 1},
		.history_ns = 75 * NS_PER_S,
		.history_bytes = 16 << 10};
	struct err e;

	alarm(HANG_S);
	*w = (struct world){.pods = resource_find(STR(""), STR("v1"), STR("pods")),
		.nodes = resource_find(STR(""), STR("v1"), STR("nodes")),
		.revision = FIRST};
	clock_fake_init(&w->clock, 0);
	o.clock = &w->clock.clock;
	w->metrics = metrics_new(NULL, 0);
	REQUIRE_OK(storage_open(&o, w->metrics, &w->storage, &e), &e);
	REQUIRE_OK(loop_init(&w->loop, &clock_system, &e), &e);
	REQUIRE_OK(storage_io_open(w->storage, &w->loop, &w->io, &e), &e);
}

static void begin_filled(struct test *t, struct world *w)
{
	begin(t, w);
	on_store(w, fill, NULL);
}

static void end(struct world *w)
{
	storage_io_close(w->io);
	loop_turn(&w->loop, false);
	loop_free(&w->loop);
	storage_close(w->storage);
	metrics_free(w->metrics);
}

/* --- watches that write down what they are told */

struct noting {
	struct storage_watch watch;
	char text[1024];
	size_t len;
	struct storage_watch *stops; /* at the next event */
};

static void add(struct noting *n, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void add(struct noting *n, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	n->len += (size_t)vsnprintf(n->text + n->len, sizeof(n->text) - n->len, fmt, args);
	va_end(args);
}

static void note_event(struct storage_watch *w, struct storage_event *ev)
{
	struct noting *n = CONTAINER_OF(w, struct noting, watch);
	static const char marks[] = {
		[STORAGE_ADDED] = '+', [STORAGE_MODIFIED] = '*', [STORAGE_DELETED] = '-'};

	add(n, "%c%.*s@%lld ", marks[ev->kind], STR_ARG(ev->now->name),
		(long long)ev->now->revision);
	if (n->stops)
		storage_watch_stop(n->stops);
	n->stops = NULL;
}

static void note_end(struct storage_watch *w, const struct err *e)
{
	add(CONTAINER_OF(w, struct noting, watch), "ended %d", e->kind);
}

static struct noting *watch(struct test *t, struct world *w, const char *ns, const char *name,
	const char *node, int64_t after)
{
	struct noting *n = arena_get(&t->arena, sizeof(*n));
	struct err e;

	n->watch = (struct storage_watch){.event = note_event,
		.ended = note_end,
		.resource = w->pods,
		.ns = str_of(ns),
		.name = str_of(name),
		.node = str_of(node)};
	REQUIRE_OK(storage_watch_start(w->io, &n->watch, &after, NULL, &e), &e);
	return n;
}

/* Until all that has happened is told. */
static void turn(struct world *w, const struct noting *n)
{
	while (storage_watch_revision(&n->watch) < w->revision)
		loop_turn(&w->loop, true);
}

static str told(struct test *t, struct noting *n)
{
	str text = arena_str(&t->arena, str_span(n->text, n->len));

	n->len = 0;
	return text;
}

TEST(storage_watches_are_told_what_concerns_them)
{
	struct world w;

	begin_filled(t, &w);

	struct noting *all = watch(t, &w, NULL, NULL, NULL, FIRST);
	struct noting *in_a = watch(t, &w, "a", NULL, NULL, FIRST);
	struct noting *named = watch(t, &w, "a", "x", NULL, FIRST);
	struct noting *anywhere = watch(t, &w, NULL, "x", NULL, FIRST);
	struct noting *on_n1 = watch(t, &w, NULL, NULL, "n1", FIRST);
	struct noting *on_n1_in_b = watch(t, &w, "b", NULL, "n1", FIRST);

	put_pod(&w, "a", "x", "");
	put_pod(&w, "b", "x", "n1");
	put_pod(&w, "a", "y", "n1");
	put_pod(&w, "a", "y", "n2");
	on_store(&w, change, &(struct change){.name = "x"});
	remove_pod(&w, "b", "x");
	remove_pod(&w, "b", "never");
	turn(&w, all);
	CHECK_STR(told(t, all), "+x@11 +x@12 +y@13 *y@14 -x@16 ");
	CHECK_STR(told(t, in_a), "+x@11 +y@13 *y@14 ");
	CHECK_STR(told(t, named), "+x@11 ");
	CHECK_STR(told(t, anywhere), "+x@11 +x@12 -x@16 ");
	CHECK_STR(told(t, on_n1), "+x@12 +y@13 *y@14 -x@16 ");
	CHECK_STR(told(t, on_n1_in_b), "+x@12 -x@16 ");
	end(&w);
	CHECK_STR(told(t, all), "ended 12");
}

TEST(storage_watch_begins_in_the_past)
{
	struct noting *n;
	struct world w;
	struct err e;

	begin_filled(t, &w);
	put_pod(&w, "a", "x", "n1");
	put_pod(&w, "a", "y", "n2");
	put_pod(&w, "a", "x", "n3");
	n = watch(t, &w, NULL, NULL, NULL, 11);
	CHECK_INT(storage_watch_revision(&n->watch), 11);
	put_pod(&w, "a", "z", "");
	turn(&w, n);
	CHECK_STR(told(t, n), "+y@12 *x@13 +z@14 ");
	n = watch(t, &w, NULL, NULL, "n1", FIRST);
	turn(&w, n);
	CHECK_STR(told(t, n), "+x@11 *x@13 ");
	n = watch(t, &w, NULL, NULL, NULL, 100);
	put_pod(&w, "a", "z", "n1");
	loop_turn(&w.loop, true);
	CHECK_STR(told(t, n), "");

	/* Before the cache began, and before what it holds. */
	struct storage_watch gone = {.resource = w.pods};
	int64_t revision = FIRST - 1;

	CHECK_FAILS(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e, ERR_GONE,
		"too old resource version: 9 (10)");
	for (int i = 0; i < 100; i++)
		put_pod(&w, "a", "x", i % 2 ? "n1" : "n2");
	revision = 12;
	CHECK_FAILS(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e, ERR_GONE, "too old");
	revision = w.revision - 3;
	REQUIRE_OK(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e);
	storage_watch_stop(&gone);
	end(&w);
}

TEST(storage_history_ends_with_time)
{
	int64_t first_ns = 70 * NS_PER_S, more_ns = 20 * NS_PER_S, revision = FIRST;
	struct storage_watch gone = {.resource = resource_find(STR(""), STR("v1"), STR("pods"))};
	struct world w;
	struct err e;

	begin_filled(t, &w);
	put_pod(&w, "a", "x", "");
	on_store(&w, pass, &first_ns);
	put_pod(&w, "a", "x", "n");
	REQUIRE_OK(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e);
	storage_watch_stop(&gone);
	on_store(&w, pass, &more_ns);
	put_pod(&w, "a", "x", "m");
	CHECK_FAILS(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e, ERR_GONE, "too old");
	end(&w);
}

TEST(storage_watches_may_be_stopped_while_they_are_told)
{
	struct world w;

	begin_filled(t, &w);

	struct noting *n[4];

	for (size_t i = 0; i < COUNT_OF(n); i++)
		n[i] = watch(t, &w, NULL, NULL, NULL, FIRST);
	/* The newest is told first. */
	n[3]->stops = &n[2]->watch;
	n[1]->stops = &n[1]->watch;
	put_pod(&w, "a", "x", "");
	turn(&w, n[0]);
	put_pod(&w, "a", "x", "n");
	turn(&w, n[0]);
	CHECK_STR(told(t, n[0]), "+x@11 *x@12 ");
	CHECK_STR(told(t, n[1]), "+x@11 ");
	CHECK_STR(told(t, n[2]), "");
	CHECK_STR(told(t, n[3]), "+x@11 *x@12 ");
	storage_watch_stop(&n[0]->watch);
	storage_watch_stop(&n[3]->watch);
	end(&w);
}

TEST(storage_snapshots_are_moments)
{
	struct snapshot *first, *second, *again;
	struct world w;
	int64_t revision;
	struct err e;

	begin_filled(t, &w);
	put_pod(&w, "a", "x", "");
	put_pod(&w, "a-b", "x", "");
	on_store(&w, change, &(struct change){.name = "node"});
	first = storage_snapshot(w.storage, w.pods, &revision);
	CHECK_INT(revision, 13);
	snapshot_keep(first);
	remove_pod(&w, "a", "x");
	put_pod(&w, "b", "y", "");
	second = storage_snapshot(w.storage, w.pods, &revision);
	CHECK_INT(revision, 15);
	CHECK_INT(snapshot_count(first, (str){NULL, 0}), 2);
	CHECK_INT(snapshot_count(first, STR("a")), 1);
	CHECK_INT(snapshot_count(second, STR("a")), 0);
	CHECK_INT(snapshot_count(second, STR("b")), 1);
	CHECK_INT(snapshot_count(second, STR("none")), 0);

	struct snapshot_walk walk = snapshot_walk(first, (str){NULL, 0}, STR("a-b/x"));

	CHECK_BYTES(snapshot_next(&walk)->ns, STR("a"));
	CHECK(!snapshot_next(&walk));
	walk = snapshot_walk(first, STR("a-b"), (str){NULL, 0});
	CHECK_BYTES(snapshot_next(&walk)->ns, STR("a-b"));
	CHECK(!snapshot_next(&walk));

	/* What was kept is found again by any revision at which nothing had changed yet. */
	REQUIRE_OK(storage_snapshot_at(w.storage, w.pods, 12, &again, &e), &e);
	CHECK(again == first);
	snapshot_drop(again);
	REQUIRE_OK(storage_snapshot_at(w.storage, w.pods, 15, &again, &e), &e);
	CHECK_INT(snapshot_count(again, (str){NULL, 0}), 2);
	snapshot_drop(again);
	snapshot_drop(first);
	snapshot_drop(second);
	end(&w);
}

TEST(storage_entries_hold_what_selectors_ask_for)
{
	struct stored *o;
	struct stored_json *json, *again;
	struct world w;
	struct err e;
	void *pod;

	begin_filled(t, &w);
	put_pod(&w, "a", "x", "n1");
	CHECK(!storage_get(w.storage, w.pods, STR("a"), STR("none")));
	o = storage_get(w.storage, w.pods, STR("a"), STR("x"));
	REQUIRE(o);
	CHECK_INT(o->revision, 11);
	CHECK_BYTES(o->ns, STR("a"));
	CHECK_BYTES(str_map_get(o->labels, STR("app")), STR("x"));
	for (size_t i = 0; o->resource->labels[i].name.at; i++) {
		if (str_eq(o->resource->labels[i].name, STR("spec.nodeName")))
			CHECK_BYTES(o->fields[i], STR("n1"));
		if (str_eq(o->resource->labels[i].name, STR("spec.restartPolicy")))
			CHECK_BYTES(o->fields[i], STR("Always"));
	}
	REQUIRE_OK(stored_decode(&t->arena, o, &pod, &e), &e);
	CHECK_BYTES(((struct pod *)pod)->metadata.resource_version, STR("11"));
	REQUIRE_OK(stored_json(w.storage, o, &json, &e), &e);
	CHECK(str_starts(json->with_kind,
		STR("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\",")));
	CHECK(str_starts(json->rest, STR("\"metadata\":{\"name\":\"x\",")));
	REQUIRE_OK(stored_json(w.storage, o, &again, &e), &e);
	CHECK(again == json);
	counted_drop(&json->counted);
	counted_drop(&again->counted);
	counted_drop(&o->counted);
	end(&w);
}

TEST(storage_json_that_is_kept_is_bounded)
{
	struct json_cache *j = json_cache_new(64 << 10);
	struct stored_json *json, *found;
	size_t kept = 0;
	struct world w;
	struct err e;

	begin_filled(t, &w);
	for (int i = 0; i < 400; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);
		put_pod(&w, "a", name, "n1");

		struct stored *o = storage_get(w.storage, w.pods, STR("a"), str_of(name));

		REQUIRE_OK(stored_json(w.storage, o, &json, &e), &e);
		json_cache_put(j, o, json);
		json_cache_put(j, o, json);
		counted_drop(&json->counted);
		counted_drop(&o->counted);
	}
	for (int i = 0; i < 400; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);

		struct stored *o = storage_get(w.storage, w.pods, STR("a"), str_of(name));

		found = json_cache_get(j, o);
		if (found) {
			kept += found->with_kind.len;
			CHECK(str_find(found->with_kind, str_of(name)) > 0);
			counted_drop(&found->counted);
		}
		counted_drop(&o->counted);
	}
	CHECK(kept > 16 << 10);
	CHECK(kept < 64 << 10);
	json_cache_free(j);
	end(&w);
}

TEST(storage_counts_what_it_holds)
{
	struct buf text;
	struct world w;

	begin_filled(t, &w);
	put_pod(&w, "a", "x", "");
	put_pod(&w, "a", "y", "");
	remove_pod(&w, "a", "x");
	buf_init(&text, BUF_NO_LIMIT);
	metrics_write(w.metrics, &text);

	str all = test_take(t, &text);

	CHECK(str_find(all, STR("apiserver_storage_objects{resource=\"pods\"} 1\n")) > 0);
	CHECK(str_find(all, STR("apiserver_storage_objects{resource=\"deployments.apps\"} 0\n")) >
		0);
	CHECK(str_find(all,
		      STR("apiserver_storage_events_received_total{group=\"\","
			  "resource=\"pods\"} 3\n")) > 0);
	end(&w);
}

/* --- waits */

struct waiting {
	struct storage_wait wait;
	struct err error;
	bool done;
};

static void wait_done(struct storage_wait *w, const struct err *e)
{
	struct waiting *g = CONTAINER_OF(w, struct waiting, wait);

	g->done = true;
	g->error.kind = ERR_NONE;
	if (e)
		g->error = *e;
}

static void wait_for(struct world *w, struct waiting *g, int64_t revision)
{
	*g = (struct waiting){.wait = {.done = wait_done, .loop = &w->loop, .revision = revision}};
	storage_wait(w->storage, &g->wait);
}

static void turn_until_done(struct world *w, const struct waiting *g)
{
	while (!g->done)
		loop_turn(&w->loop, true);
}

/* The store thread has seen what was posted before. */
static void nothing(UNUSED struct world *w, UNUSED const void *what)
{
}

TEST(storage_waits_end_with_the_revision_or_the_time)
{
	int64_t by_ns = 4 * NS_PER_S;
	struct waiting present, soon, never, unasked;
	struct world w;

	begin_filled(t, &w);
	wait_for(&w, &present, FIRST);
	turn_until_done(&w, &present);
	CHECK_INT(present.error.kind, ERR_NONE);

	wait_for(&w, &soon, 11);
	wait_for(&w, &never, 99);
	wait_for(&w, &unasked, 0);
	put_pod(&w, "a", "x", "");
	turn_until_done(&w, &soon);
	CHECK_INT(soon.error.kind, ERR_NONE);
	CHECK(!never.done);
	on_store(&w, pass, &by_ns);
	on_store(&w, nothing, NULL);
	turn_until_done(&w, &never);
	CHECK_INT(never.error.kind, ERR_TIMEOUT);
	CHECK_STR(str_of(never.error.text), "Too large resource version: 99, current: 11");
	turn_until_done(&w, &unasked);
	CHECK_INT(unasked.error.kind, ERR_UNAVAILABLE);

	/* What waits when the storage is closed hears so. */
	wait_for(&w, &never, 99);
	storage_io_close(w.io);
	storage_close(w.storage);
	turn_until_done(&w, &never);
	CHECK_INT(never.error.kind, ERR_CLOSED);
	loop_free(&w.loop);
	metrics_free(w.metrics);
}

TEST(storage_that_is_not_filled_says_so)
{
	struct storage_watch early = {.resource = resource_find(STR(""), STR("v1"), STR("pods"))};
	int64_t revision = 0, by_ns = 4 * NS_PER_S;
	struct waiting waiting;
	struct world w;
	struct err e;

	begin(t, &w);
	CHECK_FAILS(storage_watch_start(w.io, &early, &revision, NULL, &e), &e, ERR_UNAVAILABLE,
		"initializing");
	CHECK_FAILS(storage_ready(w.storage, &e), &e, ERR_UNAVAILABLE, "etcd");
	wait_for(&w, &waiting, 5);
	on_store(&w, pass, &by_ns);
	on_store(&w, nothing, NULL);
	turn_until_done(&w, &waiting);
	CHECK_INT(waiting.error.kind, ERR_UNAVAILABLE);
	end(&w);
}

/* --- a storm: watches begin at any moment while events come */

struct counter {
	struct storage_watch watch;
	int64_t expected; /* the next revision */
	bool broken;
};

struct storm {
	struct world *world;
	pthread_t thread;
	struct counter counters[STORM_WATCHES];
	_Atomic size_t begun;
	bool torn;
};

static void count_told(struct storage_watch *w, struct storage_event *ev)
{
	struct counter *c = CONTAINER_OF(w, struct counter, watch);

	c->broken |= ev->revision != c->expected++;
}

static void count_end(UNUSED struct storage_watch *w, UNUSED const struct err *e)
{
}

/* Every other one begins with a list, which must be of exactly its revision. */
static bool begin_counter(struct counter *c, struct storage_io *io, const struct resource *pods,
	bool with_list, int64_t after)
{
	struct snapshot *n = NULL;
	int64_t newest = FIRST;
	struct err e;

	c->watch = (struct storage_watch){
		.event = count_told, .ended = count_end, .resource = pods};
	if (storage_watch_start(io, &c->watch, &after, with_list ? &n : NULL, &e) < 0)
		return false;
	c->expected = after + 1;
	if (!n)
		return true;

	struct snapshot_walk walk = snapshot_walk(n, (str){NULL, 0}, (str){NULL, 0});

	for (const struct stored *o; (o = snapshot_next(&walk));)
		newest = o->revision > newest ? o->revision : newest;
	snapshot_drop(n);
	return newest == after;
}

static void *watch_storm(void *arg)
{
	struct storm *g = arg;
	struct storage *s = g->world->storage;
	struct storage_io *io;
	struct loop loop;
	struct err e;
	size_t begun = 0;

	if (loop_init(&loop, &clock_system, &e) < 0 || storage_io_open(s, &loop, &io, &e) < 0)
		abort();
	while (begun < STORM_WATCHES ||
		storage_watch_revision(&g->counters[0].watch) < FIRST + STORM) {
		if (begun < STORM_WATCHES) {
			int64_t after = atomic_load(&s->revision) - 2;
			struct counter *c = &g->counters[begun];

			g->torn |= !begin_counter(c, io, g->world->pods, begun % 2 == 0,
				after < FIRST ? FIRST : after);
			atomic_store(&g->begun, ++begun);
		}
		loop_turn(&loop, begun == STORM_WATCHES);
	}
	storage_io_close(io);
	loop_turn(&loop, false);
	loop_free(&loop);
	return NULL;
}

TEST(storage_watches_begun_in_a_storm_miss_nothing)
{
	static struct storm storms[STORM_THREADS];
	struct world w;

	begin_filled(t, &w);
	for (size_t i = 0; i < STORM_THREADS; i++) {
		storms[i] = (struct storm){.world = &w};
		pthread_create(&storms[i].thread, NULL, watch_storm, &storms[i]);
	}
	for (int i = 0; i < STORM; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i % 100);
		put_pod(&w, "a", name, i % 2 ? "n1" : "n2");
	}
	for (size_t i = 0; i < STORM_THREADS; i++) {
		pthread_join(storms[i].thread, NULL);
		CHECK(!storms[i].torn);
		for (size_t k = 0; k < STORM_WATCHES; k++) {
			CHECK(!storms[i].counters[k].broken);
			CHECK_INT(storms[i].counters[k].expected, FIRST + STORM + 1);
		}
	}
	end(&w);
}
