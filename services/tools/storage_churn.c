/*
 * Writers and watchers at once on the storage, over a given etcd, which may be stopped, killed and
 * compacted meanwhile; then the proof that nothing was lost:
 *
 *	storage_churn URL SECONDS WRITERS WATCHERS
 *
 * Each writer creates, updates and deletes pods of its own, and notes what was acknowledged. Each
 * watcher notes every event: half of them of all pods, half of one pod each. In the end
 *
 *	- revisions rise in every log, so that no event came twice or out of order;
 *	- every acknowledged write is in the log of each watcher whom it concerns;
 *	- all watchers' logs tell the same;
 *	- the log, played from the start, gives what a list from etcd gives.
 *
 * The last line tells what was done. Exit status 1: one of these did not hold. A watcher that is
 * told ERR_GONE begins again with a list, and is counted; what came before is then checked alone.
 */
#include "apiserver/storage/storage.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KEYS = 20, READY_TRIES = 30, IO_THREADS = 2, NAME_BYTES = 32 };

#define NAMESPACE STR("churn")

struct noted {
	int64_t revision;
	enum storage_event_kind kind;
	char name[NAME_BYTES];
};

struct notes_log {
	struct noted *at;
	size_t len, cap;
};

struct world {
	struct storage *storage;
	const struct resource *pods;
	atomic_bool stop;
	_Atomic int64_t final; /* what watchers must have been told before they end */
	_Atomic size_t gone;
};

struct writer {
	struct world *world;
	pthread_t thread;
	int index;
	struct notes_log log;
	size_t refused;
};

struct watcher {
	struct storage_watch watch;
	struct io *io;
	struct notes_log log;
	char name[NAME_BYTES]; /* empty: all */
	int64_t since;         /* the revision of its last list, */
	size_t from;           /* and where in the log that was */
};

struct io {
	struct world *world;
	pthread_t thread;
	struct loop loop;
	struct storage_io *io;
	struct loop_task woken;
	struct watcher *watchers;
	size_t watcher_count;
	int64_t start;
};

static void note(struct notes_log *l, int64_t revision, enum storage_event_kind kind, str name)
{
	if (l->len == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 1024;
		l->at = realloc(l->at, l->cap * sizeof(*l->at));
		if (!l->at)
			abort();
	}
	struct noted *n = &l->at[l->len++];

	*n = (struct noted){.revision = revision, .kind = kind};
	snprintf(n->name, sizeof(n->name), "%.*s", STR_ARG(name));
}

/* --- writers */

static struct pod *make_pod(struct arena *a, str name, int turn)
{
	struct pod *p = object_new(a, api_type(API_POD));

	p->metadata.name = name;
	p->metadata.namespace = NAMESPACE;
	p->spec.node_name = arena_fmt(a, "node-%d", turn % 10);
	p->spec.hostname = arena_fmt(a, "turn-%d", turn);
	return p;
}

/* The next step of one pod: from absent to there, changed a few times, and gone again. */
static int step(struct writer *w, str name, int turn, struct arena *a, struct err *e)
{
	struct storage *s = w->world->storage;
	struct stored *before, *current = NULL;
	int64_t revision;
	int result = storage_fetch(s, w->world->pods, NAMESPACE, name, &before, e);

	if (result < 0 && e->kind != ERR_NOT_FOUND)
		return -1;
	if (result < 0) {
		TRY(storage_create(s, w->world->pods, make_pod(a, name, turn), 0, &revision, e));
		note(&w->log, revision, STORAGE_ADDED, name);
		return 0;
	}
	if (turn % 5 == 4)
		result = storage_delete(s, before, &revision, &current, e);
	else
		result = storage_update(
			s, before, make_pod(a, name, turn), 0, &revision, &current, e);
	counted_drop(&before->counted);
	if (result == 0)
		note(&w->log, revision, turn % 5 == 4 ? STORAGE_DELETED : STORAGE_MODIFIED, name);
	else if (current)
		counted_drop(&current->counted);
	return result;
}

static void *write_on(void *arg)
{
	struct writer *w = arg;
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	for (int turn = 0; !atomic_load(&w->world->stop); turn++) {
		str name = arena_fmt(&a, "pod-%d-%d", w->index, turn % KEYS);

		if (step(w, name, turn / KEYS, &a, &e) < 0)
			w->refused++;
		arena_reset(&a);
	}
	arena_free(&a);
	return NULL;
}

/* --- watchers */

static void told(struct storage_watch *sw, struct storage_event *ev)
{
	note(&CONTAINER_OF(sw, struct watcher, watch)->log, ev->revision, ev->kind, ev->now->name);
}

static void begin_watch(struct watcher *w, int64_t revision, bool with_list);

static void ended(struct storage_watch *sw, const struct err *e)
{
	struct watcher *w = CONTAINER_OF(sw, struct watcher, watch);

	if (e->kind != ERR_GONE)
		return;
	atomic_fetch_add(&w->io->world->gone, 1);
	begin_watch(w, 0, true);
}

/* A list begins the log anew: its objects, as if each had just been added. */
static void begin_watch(struct watcher *w, int64_t revision, bool with_list)
{
	struct snapshot *initial;
	struct err e;

	w->watch = (struct storage_watch){.event = told,
		.ended = ended,
		.resource = w->io->world->pods,
		.ns = NAMESPACE,
		.name = w->name[0] ? str_of(w->name) : (str){NULL, 0}};
	if (storage_watch_start(w->io->io, &w->watch, &revision, with_list ? &initial : NULL, &e) <
		0) {
		fprintf(stderr, "starting a watch: %s\n", e.text);
		exit(1);
	}
	w->since = revision;
	w->from = w->log.len;
	if (with_list)
		snapshot_drop(initial);
}

static bool all_told(const struct io *io)
{
	int64_t final = atomic_load(&io->world->final);

	for (size_t i = 0; final && i < io->watcher_count; i++)
		if (storage_watch_revision(&io->watchers[i].watch) < final)
			return false;
	return final != 0;
}

static void nothing(UNUSED struct loop_task *t)
{
}

static void *watch_on(void *arg)
{
	struct io *io = arg;

	for (size_t i = 0; i < io->watcher_count; i++)
		begin_watch(&io->watchers[i], io->start, false);
	while (!all_told(io))
		loop_turn(&io->loop, true);
	storage_io_close(io->io);
	loop_turn(&io->loop, false);
	loop_free(&io->loop);
	return NULL;
}

/* --- the proof */

static int by_revision(const void *a, const void *b)
{
	const struct noted *x = a, *y = b;

	return (x->revision > y->revision) - (x->revision < y->revision);
}

static const struct noted *find(const struct notes_log *l, size_t from, int64_t revision)
{
	const struct noted key = {.revision = revision};

	return bsearch(&key, l->at + from, l->len - from, sizeof(*l->at), by_revision);
}

static bool rises(const struct watcher *w)
{
	for (size_t i = 1; i < w->log.len; i++)
		if (w->log.at[i].revision <= w->log.at[i - 1].revision) {
			fprintf(stderr, "watcher of '%s': %lld behind %lld\n", w->name,
				(long long)w->log.at[i].revision,
				(long long)w->log.at[i - 1].revision);
			return false;
		}
	return true;
}

/* Only what came behind the last list is complete. */
static bool has_all(const struct watcher *w, const struct notes_log *writes)
{
	for (size_t i = 0; i < writes->len; i++) {
		const struct noted *n = &writes->at[i], *got;

		if (n->revision <= w->since || (w->name[0] && strcmp(w->name, n->name) != 0))
			continue;
		got = find(&w->log, w->from, n->revision);
		if (!got || got->kind != n->kind || strcmp(got->name, n->name) != 0) {
			fprintf(stderr, "watcher of '%s' lacks %lld %s\n", w->name,
				(long long)n->revision, n->name);
			return false;
		}
	}
	return true;
}

static bool tells_the_same(const struct watcher *w, const struct watcher *all)
{
	for (size_t i = w->from; i < w->log.len; i++) {
		const struct noted *n = &w->log.at[i];
		const struct noted *other = find(&all->log, all->from, n->revision);

		if (n->revision > all->since && (!other || other->kind != n->kind)) {
			fprintf(stderr, "only the watcher of '%s' has %lld\n", w->name,
				(long long)n->revision);
			return false;
		}
	}
	return true;
}

/* The last event of each pod says whether, and at which revision, it is in the list. */
static bool gives_the_list(struct world *world, const struct watcher *w)
{
	int64_t revision;
	struct snapshot *n = storage_snapshot(world->storage, world->pods, &revision);
	struct snapshot_walk walk = snapshot_walk(n, NAMESPACE, (str){NULL, 0});
	bool good = true;

	for (const struct stored *o; (o = snapshot_next(&walk));) {
		const struct noted *last = NULL;
		struct stored *fetched;
		struct err e;

		for (size_t i = w->log.len; i > w->from && !last; i--)
			if (str_eq(str_of(w->log.at[i - 1].name), o->name))
				last = &w->log.at[i - 1];
		if (last && (last->kind == STORAGE_DELETED || last->revision != o->revision))
			good = false;
		if (storage_fetch(world->storage, world->pods, o->ns, o->name, &fetched, &e) < 0) {
			good = false;
			continue;
		}
		good &= fetched->revision == o->revision;
		counted_drop(&fetched->counted);
	}
	snapshot_drop(n);
	if (!good)
		fprintf(stderr, "the log does not give the list\n");
	return good;
}

static bool prove(struct world *world, struct writer *writers, size_t writer_count,
	struct watcher *watchers, size_t watcher_count)
{
	bool good = true;

	for (size_t i = 0; i < watcher_count; i++) {
		good &= rises(&watchers[i]);
		good &= tells_the_same(&watchers[i], &watchers[0]);
		for (size_t k = 0; k < writer_count && good; k++)
			good = has_all(&watchers[i], &writers[k].log);
	}
	return good && gives_the_list(world, &watchers[0]);
}

/* --- */

static int64_t wait_until_told(struct world *w)
{
	struct snapshot *n;
	int64_t revision;
	struct err e;

	for (int tries = 0; tries < READY_TRIES; tries++) {
		if (storage_wait_here(w->storage, 0, &e) < 0)
			continue;
		n = storage_snapshot(w->storage, w->pods, &revision);
		snapshot_drop(n);
		return revision;
	}
	fprintf(stderr, "etcd: %s\n", e.text);
	exit(1);
}

static void run(struct world *w, int seconds, struct writer *writers, size_t writer_count,
	struct io ios[IO_THREADS])
{
	for (size_t i = 0; i < IO_THREADS; i++)
		pthread_create(&ios[i].thread, NULL, watch_on, &ios[i]);
	for (size_t i = 0; i < writer_count; i++)
		pthread_create(&writers[i].thread, NULL, write_on, &writers[i]);
	nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
	atomic_store(&w->stop, true);
	for (size_t i = 0; i < writer_count; i++)
		pthread_join(writers[i].thread, NULL);
	atomic_store(&w->final, wait_until_told(w));
	for (size_t i = 0; i < IO_THREADS; i++)
		loop_post(&ios[i].loop, &ios[i].woken);
	for (size_t i = 0; i < IO_THREADS; i++)
		pthread_join(ios[i].thread, NULL);
}

static void prepare(struct world *w, struct watcher *watchers, size_t watcher_count,
	size_t writer_count, int64_t start, struct io ios[IO_THREADS])
{
	size_t half = watcher_count / 2;
	struct err e;

	for (size_t i = 0; i < IO_THREADS; i++) {
		ios[i] = (struct io){.world = w,
			.watchers = watchers + i * half,
			.watcher_count = i ? watcher_count - half : half,
			.start = start,
			.woken.run = nothing};
		if (loop_init(&ios[i].loop, &clock_system, &e) < 0 ||
			storage_io_open(w->storage, &ios[i].loop, &ios[i].io, &e) < 0)
			exit(1);
		for (size_t k = 0; k < ios[i].watcher_count; k++)
			ios[i].watchers[k].io = &ios[i];
	}
	for (size_t i = 1; i < watcher_count; i += 2)
		snprintf(watchers[i].name, NAME_BYTES, "pod-%zu-%zu", i % writer_count,
			(i / writer_count) % KEYS);
}

int main(int argc, char **argv)
{
	static str url;
	struct storage_options o = {.clock = &clock_system,
		.prefix = STR("/registry"),
		.servers = {.at = &url, .len = 1}};
	struct world w = {.pods = resource_find(STR(""), STR("v1"), STR("pods"))};
	struct io ios[IO_THREADS];
	size_t writer_count, watcher_count, acknowledged = 0, refused = 0;
	struct err e;

	if (argc != 5)
		return 2;
	url = str_of(argv[1]);
	writer_count = strtoul(argv[3], NULL, 10);
	watcher_count = strtoul(argv[4], NULL, 10);

	struct writer *writers = calloc(writer_count, sizeof(*writers));
	struct watcher *watchers = calloc(watcher_count, sizeof(*watchers));

	if (!writers || !watchers || storage_open(&o, NULL, &w.storage, &e) < 0)
		return 1;
	for (size_t i = 0; i < writer_count; i++)
		writers[i] = (struct writer){.world = &w, .index = (int)i};

	int64_t start = wait_until_told(&w);

	prepare(&w, watchers, watcher_count, writer_count, start, ios);
	printf("begun at %lld\n", (long long)start);
	fflush(stdout);
	run(&w, (int)strtol(argv[2], NULL, 10), writers, writer_count, ios);

	bool good = prove(&w, writers, writer_count, watchers, watcher_count);

	for (size_t i = 0; i < writer_count; i++) {
		acknowledged += writers[i].log.len;
		refused += writers[i].refused;
		free(writers[i].log.at);
	}
	printf("%s: %zu writes acknowledged, %zu refused; %zu events, %zu watches begun again\n",
		good ? "good" : "BAD", acknowledged, refused, watchers[0].log.len, (size_t)w.gone);
	for (size_t i = 0; i < watcher_count; i++)
		free(watchers[i].log.at);
	storage_close(w.storage);
	free(writers);
	free(watchers);
	return !good;
}
