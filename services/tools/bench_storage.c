/*
 * What the storage costs, over a given etcd that is otherwise empty:
 *
 *	bench_storage URL PODS
 *
 * Creates PODS pods (tests/data/bench/pod.json under other names) from 50 threads, reads them back
 * by a second storage as a server that starts does, and changes some of them before 500 watchers.
 * Times are CPU time of this process per operation, etcd's own apart; memory is RssAnon.
 */
#include "apiserver/storage/storage.h"
#include "lib/os/file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	THREADS = 50,
	WATCHERS = 500,
	CHANGES = 2000,
	FILE_BYTES_MAX = 1 << 20,
	READY_TRIES = 60,
};

struct bench {
	struct storage *storage;
	const struct resource *pods;
	const struct pod *model;
	size_t pod_count;
	_Atomic size_t next;
};

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t wall_ns(void)
{
	return clock_system.monotonic_ns(&clock_system);
}

static void fail(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", what, e->text);
	exit(1);
}

static double anonymous_mib(void)
{
	const str label = STR("RssAnon:");
	long long kib = 0;
	struct arena a;
	struct err e;
	str status;

	arena_init(&a, ARENA_NO_LIMIT);
	if (file_read(&a, "/proc/self/status", FILE_BYTES_MAX, &status, &e) < 0)
		fail("/proc/self/status", &e);
	ptrdiff_t at = str_find(status, label);

	if (at >= 0)
		kib = strtoll(status.at + at + label.len, NULL, 10);
	arena_free(&a);
	return (double)kib / 1024;
}

static void show(const char *what, int64_t cpu, int64_t wall, size_t count)
{
	printf("%-52s %8.2f us CPU %10.0f /s\n", what, (double)cpu / 1000 / (double)count,
		(double)count / ((double)wall / (double)NS_PER_S));
}

static struct storage *open_filled(str *url, struct err *e)
{
	struct storage_options o = {.clock = &clock_system,
		.prefix = STR("/registry"),
		.servers = {.at = url, .len = 1}};
	struct storage *s;

	if (storage_open(&o, NULL, &s, e) < 0)
		fail("opening", e);
	for (int tries = 0; storage_wait_here(s, 0, e) < 0; tries++)
		if (tries == READY_TRIES)
			fail("waiting for etcd", e);
	return s;
}

static struct pod pod_of(const struct bench *b, struct arena *a, size_t i)
{
	struct pod p = *b->model;

	p.metadata.name = arena_fmt(a, "bench-%07zu", i);
	p.spec.node_name = arena_fmt(a, "node-%zu", i % 100);
	return p;
}

static void *create_some(void *arg)
{
	struct bench *b = arg;
	struct arena a;
	int64_t revision;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	for (size_t i; (i = atomic_fetch_add(&b->next, 1)) < b->pod_count;) {
		struct pod p = pod_of(b, &a, i);

		if (storage_create(b->storage, b->pods, &p, 0, &revision, &e) < 0 &&
			e.kind != ERR_EXISTS)
			fail("creating", &e);
		arena_reset(&a);
	}
	arena_free(&a);
	return NULL;
}

static void *update_some(void *arg)
{
	struct bench *b = arg;
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	for (size_t i; (i = atomic_fetch_add(&b->next, 1)) < CHANGES;) {
		struct pod p = pod_of(b, &a, i % b->pod_count);
		struct stored *before = storage_get(
			b->storage, b->pods, p.metadata.namespace, p.metadata.name);
		struct stored *current = NULL;
		int64_t revision;

		p.spec.hostname = arena_fmt(&a, "%lld", (long long)wall_ns());
		if (storage_update(b->storage, before, &p, 0, &revision, &current, &e) < 0 &&
			e.kind != ERR_CONFLICT)
			fail("updating", &e);
		if (current)
			counted_drop(&current->counted);
		counted_drop(&before->counted);
		arena_reset(&a);
	}
	arena_free(&a);
	return NULL;
}

static void on_threads(struct bench *b, void *(*work)(void *))
{
	pthread_t threads[THREADS];

	atomic_store(&b->next, 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, b);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void create_all(struct bench *b)
{
	int64_t cpu = cpu_ns(), wall = wall_ns();

	on_threads(b, create_some);
	show("create, 50 in flight, cache and all", cpu_ns() - cpu, wall_ns() - wall, b->pod_count);
}

static void walk_all(struct bench *b)
{
	int64_t cpu = cpu_ns(), wall = wall_ns(), revision;
	struct snapshot *n = storage_snapshot(b->storage, b->pods, &revision);
	struct snapshot_walk w = snapshot_walk(n, (str){NULL, 0}, (str){NULL, 0});
	size_t count = 0, bytes = 0;

	for (const struct stored *o; (o = snapshot_next(&w)); count++)
		bytes += o->envelope.len;
	snapshot_drop(n);
	printf("%zu pods of %zu bytes; a walk over all: %.2f ms CPU\n", count, bytes / count,
		(double)(cpu_ns() - cpu) / 1e6);
	(void)wall;
}

static void json_all(struct bench *b, const char *what)
{
	int64_t cpu = cpu_ns(), wall = wall_ns(), revision;
	struct snapshot *n = storage_snapshot(b->storage, b->pods, &revision);
	struct snapshot_walk w = snapshot_walk(n, (str){NULL, 0}, (str){NULL, 0});
	struct stored_json *json;
	struct err e;

	for (const struct stored *o; (o = snapshot_next(&w));) {
		if (stored_json(b->storage, o, READER_OF_LIST, &json, &e) < 0)
			fail("JSON", &e);
		counted_drop(&json->counted);
	}
	show(what, cpu_ns() - cpu, wall_ns() - wall, snapshot_count(n, (str){NULL, 0}));
	snapshot_drop(n);
}

/* --- watchers */

struct counting_watch {
	struct storage_watch watch;
	size_t told;
};

struct fan_out {
	struct bench *bench;
	struct loop loop;
	struct storage_io *io;
	struct counting_watch watches[WATCHERS];
	char nodes[WATCHERS][16];
	pthread_t thread;
	int64_t cpu;
	_Atomic int64_t until;
	struct loop_task wake;
};

static void told(struct storage_watch *w, UNUSED struct storage_event *ev)
{
	CONTAINER_OF(w, struct counting_watch, watch)->told++;
}

static void ended(UNUSED struct storage_watch *w, UNUSED const struct err *e)
{
}

static void nothing(UNUSED struct loop_task *t)
{
}

static void *fan(void *arg)
{
	struct fan_out *f = arg;
	struct timespec now;

	while (!f->until || storage_watch_revision(&f->watches[0].watch) < f->until)
		loop_turn(&f->loop, true);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	f->cpu = now.tv_sec * NS_PER_S + now.tv_nsec;
	storage_io_close(f->io);
	loop_turn(&f->loop, false);
	loop_free(&f->loop);
	return NULL;
}

static int64_t newest(struct bench *b)
{
	int64_t revision;
	struct err e;

	if (storage_wait_here(b->storage, 0, &e) < 0)
		fail("waiting for etcd", &e);
	snapshot_drop(storage_snapshot(b->storage, b->pods, &revision));
	return revision;
}

static void watch_all(struct bench *b, bool narrow, const char *what)
{
	struct fan_out *f = calloc(1, sizeof(*f));
	int64_t revision = newest(b), wall;
	size_t events = 0;
	struct err e;

	if (!f)
		exit(1);
	f->bench = b;
	f->wake.run = nothing;
	if (loop_init(&f->loop, &clock_system, &e) < 0 ||
		storage_io_open(b->storage, &f->loop, &f->io, &e) < 0)
		fail("an I/O thread", &e);
	for (size_t i = 0; i < WATCHERS; i++) {
		struct storage_watch *w = &f->watches[i].watch;

		snprintf(f->nodes[i], sizeof(f->nodes[i]), "node-%zu", i);
		*w = (struct storage_watch){.event = told,
			.ended = ended,
			.resource = b->pods,
			.node = narrow ? str_of(f->nodes[i]) : (str){NULL, 0}};
		if (storage_watch_start(f->io, w, &revision, NULL, &e) < 0)
			fail("a watch", &e);
	}
	pthread_create(&f->thread, NULL, fan, f);
	wall = wall_ns();
	on_threads(b, update_some);
	f->until = newest(b);
	loop_post(&f->loop, &f->wake);
	pthread_join(f->thread, NULL);
	wall = wall_ns() - wall;
	for (size_t i = 0; i < WATCHERS; i++)
		events += f->watches[i].told;
	show(what, f->cpu, wall, narrow ? CHANGES : events);
	free(f);
}

int main(int argc, char **argv)
{
	static str url;
	struct bench b = {.pods = resource_find(STR(""), STR("v1"), STR("pods"))};
	struct arena a;
	struct err e;
	void *model = NULL;
	str text;

	if (argc != 3) {
		fprintf(stderr, "usage: bench_storage URL PODS\n");
		return 2;
	}
	arena_init(&a, ARENA_NO_LIMIT);
	if (file_read(&a, "tests/data/bench/pod.json", FILE_BYTES_MAX, &text, &e) < 0 ||
		object_decode(&a, api_type(API_POD), FORMAT_JSON, text, &model, NULL, &e) < 0)
		fail("the model", &e);
	object_default(&a, model);
	b.model = model;
	b.pod_count = strtoul(argv[2], NULL, 10);
	url = str_of(argv[1]);
	b.storage = open_filled(&url, &e);
	printf("empty: %.1f MiB\n", anonymous_mib());
	create_all(&b);
	newest(&b);
	storage_close(b.storage);

	double before = anonymous_mib();
	int64_t cpu = cpu_ns(), wall = wall_ns();

	b.storage = open_filled(&url, &e);
	show("fill: decode, default, encode an object", cpu_ns() - cpu, wall_ns() - wall,
		b.pod_count);
	printf("filled: %.1f MiB more\n", anonymous_mib() - before);
	walk_all(&b);
	watch_all(&b, false, "an event told to one of 500 watchers");
	watch_all(&b, true, "an event among 500 watchers of one node each");
	json_all(&b, "JSON of an object, cold");
	printf("at the end: %.1f MiB more\n", anonymous_mib() - before);
	storage_close(b.storage);
	arena_free(&a);
	return 0;
}
