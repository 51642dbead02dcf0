#include "apiserver/storage/world_test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	STORM = 3000,
	STORM_WATCHES = 40,
	STORM_THREADS = 2,
};

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

	world_begin_filled(t, &w);

	struct noting *all = watch(t, &w, NULL, NULL, NULL, WORLD_FIRST);
	struct noting *in_a = watch(t, &w, "a", NULL, NULL, WORLD_FIRST);
	struct noting *named = watch(t, &w, "a", "x", NULL, WORLD_FIRST);
	struct noting *anywhere = watch(t, &w, NULL, "x", NULL, WORLD_FIRST);
	struct noting *on_n1 = watch(t, &w, NULL, NULL, "n1", WORLD_FIRST);
	struct noting *on_n1_in_b = watch(t, &w, "b", NULL, "n1", WORLD_FIRST);

	world_put_pod(&w, "a", "x", "");
	world_put_pod(&w, "b", "x", "n1");
	world_put_pod(&w, "a", "y", "n1");
	world_put_pod(&w, "a", "y", "n2");
	world_change(&w, &(struct world_change){.name = "x"});
	world_remove_pod(&w, "b", "x");
	world_remove_pod(&w, "b", "never");
	turn(&w, all);
	CHECK_STR(told(t, all), "+x@11 +x@12 +y@13 *y@14 -x@16 ");
	CHECK_STR(told(t, in_a), "+x@11 +y@13 *y@14 ");
	CHECK_STR(told(t, named), "+x@11 ");
	CHECK_STR(told(t, anywhere), "+x@11 +x@12 -x@16 ");
	CHECK_STR(told(t, on_n1), "+x@12 +y@13 *y@14 -x@16 ");
	CHECK_STR(told(t, on_n1_in_b), "+x@12 -x@16 ");
	world_end(&w);
	CHECK_STR(told(t, all), "ended 12");
}

TEST(storage_changes_of_one_revision_are_told_each)
{
	struct noting *n;
	struct world w;

	world_begin_filled(t, &w);
	n = watch(t, &w, NULL, NULL, NULL, WORLD_FIRST);
	world_put_pod(&w, "a", "y", "");
	world_change(&w, &(struct world_change){.ns = "a", .name = "x", .node = "", .more = true});
	world_change(&w, &(struct world_change){.name = "n", .more = true});
	world_change(&w, &(struct world_change){.ns = "a", .name = "y", .gone = true, .node = ""});
	turn(&w, n);
	CHECK_STR(told(t, n), "+y@11 +x@12 -y@12 ");
	world_end(&w);
}

TEST(storage_watch_begins_in_the_past)
{
	struct noting *n;
	struct world w;
	struct err e;

	world_begin_filled(t, &w);
	world_put_pod(&w, "a", "x", "n1");
	world_put_pod(&w, "a", "y", "n2");
	world_put_pod(&w, "a", "x", "n3");
	n = watch(t, &w, NULL, NULL, NULL, 11);
	CHECK_INT(storage_watch_revision(&n->watch), 11);
	world_put_pod(&w, "a", "z", "");
	turn(&w, n);
	CHECK_STR(told(t, n), "+y@12 *x@13 +z@14 ");
	n = watch(t, &w, NULL, NULL, "n1", WORLD_FIRST);
	turn(&w, n);
	CHECK_STR(told(t, n), "+x@11 *x@13 ");
	n = watch(t, &w, NULL, NULL, NULL, 100);
	world_put_pod(&w, "a", "z", "n1");
	loop_turn(&w.loop, true);
	CHECK_STR(told(t, n), "");

	/* Before the cache began, and before what it holds. */
	struct storage_watch gone = {.resource = w.pods};
	int64_t revision = WORLD_FIRST - 1;

	CHECK_FAILS(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e, ERR_GONE,
		"too old resource version: 9 (10)");
	for (int i = 0; i < 100; i++)
		world_put_pod(&w, "a", "x", i % 2 ? "n1" : "n2");
	revision = 12;
	CHECK_FAILS(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e, ERR_GONE, "too old");
	revision = w.revision - 3;
	REQUIRE_OK(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e);
	storage_watch_stop(&gone);
	world_end(&w);
}

TEST(storage_history_ends_with_time)
{
	int64_t first_ns = 70 * NS_PER_S, more_ns = 20 * NS_PER_S, revision = WORLD_FIRST;
	struct storage_watch gone = {.resource = resource_find(STR(""), STR("v1"), STR("pods"))};
	struct world w;
	struct err e;

	world_begin_filled(t, &w);
	world_put_pod(&w, "a", "x", "");
	world_pass(&w, first_ns);
	world_put_pod(&w, "a", "x", "n");
	REQUIRE_OK(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e);
	storage_watch_stop(&gone);
	world_pass(&w, more_ns);
	world_put_pod(&w, "a", "x", "m");
	CHECK_FAILS(storage_watch_start(w.io, &gone, &revision, NULL, &e), &e, ERR_GONE, "too old");
	world_end(&w);
}

TEST(storage_watches_may_be_stopped_while_they_are_told)
{
	struct world w;

	world_begin_filled(t, &w);

	struct noting *n[4];

	for (size_t i = 0; i < COUNT_OF(n); i++)
		n[i] = watch(t, &w, NULL, NULL, NULL, WORLD_FIRST);
	/* The newest is told first. */
	n[3]->stops = &n[2]->watch;
	n[1]->stops = &n[1]->watch;
	world_put_pod(&w, "a", "x", "");
	turn(&w, n[0]);
	world_put_pod(&w, "a", "x", "n");
	turn(&w, n[0]);
	CHECK_STR(told(t, n[0]), "+x@11 *x@12 ");
	CHECK_STR(told(t, n[1]), "+x@11 ");
	CHECK_STR(told(t, n[2]), "");
	CHECK_STR(told(t, n[3]), "+x@11 *x@12 ");
	storage_watch_stop(&n[0]->watch);
	storage_watch_stop(&n[3]->watch);
	world_end(&w);
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
	int64_t newest = WORLD_FIRST;
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
		storage_watch_revision(&g->counters[0].watch) < WORLD_FIRST + STORM) {
		if (begun < STORM_WATCHES) {
			int64_t after = atomic_load(&s->revision) - 2;
			struct counter *c = &g->counters[begun];

			g->torn |= !begin_counter(c, io, g->world->pods, begun % 2 == 0,
				after < WORLD_FIRST ? WORLD_FIRST : after);
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

	world_begin_filled(t, &w);
	for (size_t i = 0; i < STORM_THREADS; i++) {
		storms[i] = (struct storm){.world = &w};
		pthread_create(&storms[i].thread, NULL, watch_storm, &storms[i]);
	}
	for (int i = 0; i < STORM; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i % 100);
		world_put_pod(&w, "a", name, i % 2 ? "n1" : "n2");
	}
	for (size_t i = 0; i < STORM_THREADS; i++) {
		pthread_join(storms[i].thread, NULL);
		CHECK(!storms[i].torn);
		for (size_t k = 0; k < STORM_WATCHES; k++) {
			CHECK(!storms[i].counters[k].broken);
			CHECK_INT(storms[i].counters[k].expected, WORLD_FIRST + STORM + 1);
		}
	}
	world_end(&w);
}
