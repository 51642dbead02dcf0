/*
 * Writers and watchers at once on an API server, whose processes may be killed meanwhile; then the
 * proof that nothing was lost:
 *
 *	api-churn KUBECONFIG NAMESPACE WRITERS WATCHERS
 *
 * Each writer creates, patches, replaces and deletes objects of its own, config maps or pods (which
 * a scheduler may bind), one at a time, and notes what was acknowledged. After a 5xx or no answer
 * it reads what became of the write: all of it or nothing. Half of the watchers are of a whole
 * kind, half of one object. As client-go's reflectors do, they go on from the revision seen last,
 * and list anew when they are told that it is gone.
 *
 * Lines from stdin: "acked" is answered once every writer has been acknowledged a write since and
 * the watchers of whole kinds have been told of it, "refused" once every writer has been refused.
 * The end of stdin ends the writing. Then
 *
 *	- no writer has read less than it was acknowledged, and every 5xx said Retry-After;
 *	- between two lists each watcher was told every event of those that any was told, in order
 *	  of revision, none twice, each fitting the state before;
 *	- every acknowledged write was told, or is in the list that bridges the gap;
 *	- what watchers hold in the end is what the writers have written.
 *
 * The last line tells what was done. Exit status 1: one of these did not hold.
 */
#include "churn.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	PER_CONNECTION = 10,
	PATIENCE_S = 60, /* for what must come */
};

const char *const churn_words[] = {"RELISTED", "LISTED", "ADDED", "MODIFIED", "DELETED"};
const char *const churn_plurals[KINDS] = {"configmaps", "pods"};

void churn_bad(struct world *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("api-churn: BAD: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	atomic_fetch_add(&w->bad, 1);
}

void churn_note(struct story *l, struct noted what)
{
	if (l->len == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 1024;
		l->at = realloc(l->at, l->cap * sizeof(*l->at));
		if (!l->at)
			abort();
	}
	l->at[l->len++] = what;
}

void churn_moved(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	pthread_cond_broadcast(&w->moved);
	pthread_mutex_unlock(&w->lock);
}

str churn_member(const struct json_item *object, const char *name)
{
	struct json_item m;

	return json_member(object, str_of(name), &m) ? m.text : (str){NULL, 0};
}

bool churn_read(struct world *w, const struct json_item *o, int *key, struct known *to)
{
	struct json_item metadata, labels;
	int64_t writer, nth;

	*to = (struct known){.turn = -1};
	if (!json_member(o, STR("metadata"), &metadata))
		return false;
	str rest = churn_member(&metadata, "name");

	if (!str_eq(str_cut(&rest, '-'), STR("churn")) ||
		!str_to_i64(str_cut(&rest, '-'), &writer) || !str_to_i64(rest, &nth))
		return false;
	*key = (int)(writer * KEYS + nth);
	to->uid = hash_keyed(w->hash, churn_member(&metadata, "uid"));
	if (json_member(&metadata, STR("labels"), &labels))
		if (!str_to_i64(churn_member(&labels, "turn"), &to->turn))
			return false;
	return str_to_i64(churn_member(&metadata, "resourceVersion"), &to->revision);
}

bool churn_goes_on(struct world *w)
{
	return atomic_load(&w->bad) == 0;
}

/* --- what the caller asks for */

static struct timespec in_patience(void)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += PATIENCE_S;
	return at;
}

typedef bool condition(struct world *w, const void *of);

static bool wait_until(struct world *w, condition *holds, const void *of)
{
	struct timespec until = in_patience();
	int late = 0;

	pthread_mutex_lock(&w->lock);
	while (!holds(w, of) && !late && churn_goes_on(w))
		late = pthread_cond_timedwait(&w->moved, &w->lock, &until);
	pthread_mutex_unlock(&w->lock);
	return !late && churn_goes_on(w);
}

static bool all_acked(struct world *w, const void *before)
{
	for (size_t i = 0; i < w->writer_count; i++)
		if (atomic_load(&w->writers[i].acked) == ((const size_t *)before)[i])
			return false;
	return true;
}

static bool all_refused(struct world *w, const void *before)
{
	for (size_t i = 0; i < w->writer_count; i++)
		if (atomic_load(&w->writers[i].refused) == ((const size_t *)before)[i])
			return false;
	return true;
}

static bool all_told(struct world *w, const void *revisions)
{
	for (size_t i = 0; i < w->watcher_count; i++) {
		const struct watcher *x = &w->watchers[i];

		if (x->key < 0 && atomic_load(&x->seen) < ((const int64_t *)revisions)[x->kind])
			return false;
	}
	return true;
}

static void wait_acked(struct world *w, size_t *before)
{
	int64_t revisions[KINDS] = {0};

	for (size_t i = 0; i < w->writer_count; i++)
		before[i] = atomic_load(&w->writers[i].acked);
	if (!wait_until(w, all_acked, before))
		churn_bad(w, "not every writer was acknowledged a write");
	for (size_t i = 0; i < w->writer_count; i++) {
		int64_t revision = atomic_load(&w->writers[i].revision);

		if (revision > revisions[i % KINDS])
			revisions[i % KINDS] = revision;
	}
	if (!wait_until(w, all_told, revisions))
		churn_bad(w, "not every watcher was told");
}

static void wait_refused(struct world *w, size_t *before)
{
	for (size_t i = 0; i < w->writer_count; i++)
		before[i] = atomic_load(&w->writers[i].refused);
	if (!wait_until(w, all_refused, before))
		churn_bad(w, "not every writer was refused");
}

static void obey(struct world *w)
{
	size_t *before = calloc(w->writer_count, sizeof(*before));
	char line[32];

	if (!before)
		abort();
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "acked\n") == 0)
			wait_acked(w, before);
		else if (strcmp(line, "refused\n") == 0)
			wait_refused(w, before);
		if (!churn_goes_on(w))
			break;
		fputs(line, stdout);
		fflush(stdout);
	}
	free(before);
}

/* --- */

static struct transport *connect_one(const struct world *w)
{
	struct transport_options o = {.config = w->config, .clock = &clock_system};
	struct transport *t;
	struct err e;

	if (transport_open(&o, &t, &e) < 0) {
		fprintf(stderr, "api-churn: %s\n", e.text);
		exit(1);
	}
	return t;
}

static void start(struct world *w)
{
	for (size_t i = 0; i < w->watcher_count; i++) {
		struct watcher *x = &w->watchers[i];

		churn_watcher_init(x, w, (int)i);
		x->transport = i % PER_CONNECTION ? x[-1].transport : connect_one(w);
		loop_post(transport_loop(x->transport), &x->begin);
	}
	for (size_t i = 0; i < w->writer_count; i++) {
		struct writer *x = &w->writers[i];

		*x = (struct writer){.world = w, .index = (int)i};
		x->transport = i % PER_CONNECTION ? x[-1].transport : connect_one(w);
		arena_init(&x->arena, ARENA_NO_LIMIT);
		pthread_create(&x->thread, NULL, churn_write, x);
	}
}

static void finish(struct world *w)
{
	int64_t final[KINDS] = {0};
	struct timespec until;

	atomic_store(&w->stop, true);
	for (size_t i = 0; i < w->writer_count; i++)
		pthread_join(w->writers[i].thread, NULL);
	for (size_t i = 0; i < w->writer_count * KEYS; i++) {
		int64_t revision = w->writers[i / KEYS].known[i % KEYS].revision;

		if (revision > final[i / KEYS % KINDS])
			final[i / KEYS % KINDS] = revision;
	}
	for (size_t i = 0; i < w->watcher_count; i++) {
		struct watcher *x = &w->watchers[i];

		x->final = x->key < 0 ? final[x->kind]
				      : w->writers[x->key / KEYS].known[x->key % KEYS].revision;
	}
	atomic_store(&w->ending, true);
	for (size_t i = 0; i < w->watcher_count; i++)
		loop_post(transport_loop(w->watchers[i].transport), &w->watchers[i].check);
	until = in_patience();
	for (size_t i = 0; i < w->watcher_count && churn_goes_on(w); i++)
		if (sem_timedwait(&w->complete, &until) < 0)
			churn_bad(w, "not every watcher was told all");
	for (size_t i = 0; i < w->writer_count; i += PER_CONNECTION)
		transport_close(w->writers[i].transport);
	for (size_t i = 0; i < w->watcher_count; i += PER_CONNECTION)
		transport_close(w->watchers[i].transport);
}

static void tell(struct world *w, bool good)
{
	size_t acked = 0, refused = 0, answered = 0, events = 0, lists = 0, watches = 0;

	for (size_t i = 0; i < w->writer_count; i++) {
		acked += atomic_load(&w->writers[i].acked);
		refused += atomic_load(&w->writers[i].refused);
		answered += w->writers[i].answered;
	}
	for (size_t i = 0; i < w->watcher_count; i++) {
		events += w->watchers[i].log.len;
		lists += w->watchers[i].lists;
		watches += w->watchers[i].watches;
	}
	printf("%s: %zu writes acknowledged; %zu requests refused, %zu of them by 5xx; %zu events; "
	       "%zu lists, %zu watches\n",
		good ? "good" : "BAD", acked, refused, answered, events, lists, watches);
}

int main(int argc, char **argv)
{
	struct kubeconfig config;
	struct world w = {.config = &config, .hash = hash_key_random()};
	struct arena a;
	struct err e;

	if (argc != 5) {
		fprintf(stderr, "usage: api-churn KUBECONFIG NAMESPACE WRITERS WATCHERS\n");
		return 2;
	}
	arena_init(&a, ARENA_NO_LIMIT);
	if (kubeconfig_read(&a, argv[1], (str){NULL, 0}, &config, &e) < 0) {
		fprintf(stderr, "api-churn: %s\n", e.text);
		return 1;
	}
	w.ns = argv[2];
	w.writer_count = strtoul(argv[3], NULL, 10);
	w.watcher_count = strtoul(argv[4], NULL, 10);
	w.writers = calloc(w.writer_count, sizeof(*w.writers));
	w.watchers = calloc(w.watcher_count, sizeof(*w.watchers));
	if (!w.writers || !w.watchers)
		return 1;
	sem_init(&w.complete, 0, 0);
	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.moved, NULL);
	start(&w);
	obey(&w);
	finish(&w);

	bool good = churn_prove(&w);

	tell(&w, good);
	return !good;
}
