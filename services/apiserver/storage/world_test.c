#include "apiserver/storage/world_test.h"

#include <stdio.h>
#include <unistd.h>

enum { HANG_S = 120, VALUE_BYTES = 1024 };

/* --- what runs on the store thread */

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

/* An empty etcd at revision WORLD_FIRST. */
static void fill(struct world *w, UNUSED const void *what)
{
	struct pb_writer p;
	struct buf answer;

	buf_init(&answer, BUF_NO_LIMIT);
	pb_write_start(&p, &answer);

	size_t mark = pb_mark(&p);

	pb_put_u64(&p, 3, WORLD_FIRST);
	pb_put_length(&p, 1, mark);
	pb_write_end(&p);
	w->storage->fill.call.done(&w->storage->fill.call, buf_str(&answer), NULL);
	buf_free(&answer);
}

static void change(struct world *w, const void *what)
{
	const struct etcd_watch_events *events = w->storage->watch.events;
	const struct world_change *c = what;
	char key[VALUE_BYTES], value[VALUE_BYTES];
	struct etcd_event ev = {.deleted = c->gone};

	w->revision += !w->in_revision;
	w->in_revision = c->more;
	ev.kv.mod_revision = w->revision;
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
	if (!c->more)
		events->complete(&w->storage->watch, w->revision);
}

static void pass(struct world *w, const void *by_ns)
{
	clock_fake_advance(&w->clock, *(const int64_t *)by_ns);
}

static void nothing(UNUSED struct world *w, UNUSED const void *what)
{
}

void world_change(struct world *w, const struct world_change *c)
{
	on_store(w, change, c);
}

void world_put_pod(struct world *w, const char *ns, const char *name, const char *node)
{
	world_change(w, &(struct world_change){.ns = ns, .name = name, .node = node});
}

void world_remove_pod(struct world *w, const char *ns, const char *name)
{
	world_change(w, &(struct world_change){.ns = ns, .name = name, .node = "", .gone = true});
}

/* Timers are looked at before what was posted: once more round. */
void world_pass(struct world *w, int64_t by_ns)
{
	on_store(w, pass, &by_ns);
	on_store(w, nothing, NULL);
}

void world_begin(struct test *t, struct world *w)
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
		.revision = WORLD_FIRST};
	clock_fake_init(&w->clock, 0);
	o.clock = &w->clock.clock;
	w->metrics = metrics_new(NULL, 0);
	REQUIRE_OK(storage_open(&o, w->metrics, &w->storage, &e), &e);
	REQUIRE_OK(loop_init(&w->loop, &clock_system, &e), &e);
	REQUIRE_OK(storage_io_open(w->storage, &w->loop, &w->io, &e), &e);
}

void world_begin_filled(struct test *t, struct world *w)
{
	world_begin(t, w);
	on_store(w, fill, NULL);
}

void world_end(struct world *w)
{
	storage_io_close(w->io);
	loop_turn(&w->loop, false);
	loop_free(&w->loop);
	storage_close(w->storage);
	metrics_free(w->metrics);
}
