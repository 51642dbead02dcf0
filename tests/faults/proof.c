#include "churn.h"

#include <stdlib.h>

static int by_revision(const void *a, const void *b)
{
	const struct noted *x = a, *y = b;

	return (x->revision > y->revision) - (x->revision < y->revision);
}

/* Every event that any watcher of the kind was told, once, in order. */
static struct story gather(struct world *world, int kind)
{
	struct story all = {0}, once = {0};

	for (size_t i = 0; i < world->watcher_count; i++) {
		const struct watcher *w = &world->watchers[i];

		for (size_t k = 0; w->kind == kind && k < w->log.len; k++)
			if (w->log.at[k].word >= ADDED)
				churn_note(&all, w->log.at[k]);
	}
	if (all.len)
		qsort(all.at, all.len, sizeof(*all.at), by_revision);
	for (size_t i = 0; i < all.len; i++) {
		const struct noted *n = &all.at[i], *last = i ? &all.at[i - 1] : NULL;

		if (!last || last->revision != n->revision)
			churn_note(&once, *n);
		else if (last->key != n->key || last->uid != n->uid || last->word != n->word)
			churn_bad(world, "watchers tell different things of revision %lld",
				(long long)n->revision);
	}
	free(all.at);
	return once;
}

/* The first behind a revision. */
static size_t after(const struct story *l, int64_t revision)
{
	size_t low = 0, high = l->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->at[middle].revision <= revision)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void complain(const struct watcher *w, const struct noted *n, const char *why)
{
	churn_bad(w->world, "watcher %d of %s: %s churn-%d-%d at %lld: %s", w->index,
		churn_plurals[w->kind], churn_words[n->word], n->key / KEYS, n->key % KEYS,
		(long long)n->revision, why);
}

static bool concerns(const struct watcher *w, const struct noted *n)
{
	return w->key < 0 || w->key == n->key;
}

static void play(const struct watcher *w, const struct noted *n, struct known *state)
{
	struct known *o = &state[n->key];

	if ((n->word == ADDED) != !o->uid)
		complain(w, n, "does not fit the state before");
	else if (n->word != ADDED && o->uid != n->uid)
		complain(w, n, "is of another object");
	*o = (struct known){.uid = n->word == DELETED ? 0 : n->uid, .revision = n->revision};
}

/* Between two lists a watcher's log is a stretch of what all were told. `state`: what it holds. */
static void replay(const struct watcher *w, const struct story *truth, struct known *state)
{
	size_t keys = w->world->writer_count * KEYS, at = 0;

	for (size_t i = 0; i < w->log.len; i++) {
		const struct noted *n = &w->log.at[i];

		if (n->word == RELISTED) {
			memset(state, 0, keys * sizeof(*state));
			at = after(truth, n->revision);
			continue;
		}
		if (n->word == LISTED) {
			state[n->key] = (struct known){.uid = n->uid, .revision = n->revision};
			continue;
		}
		while (at < truth->len && !concerns(w, &truth->at[at]))
			at++;
		if (at == truth->len || truth->at[at].revision > n->revision) {
			complain(w, n, "was told twice or out of order");
			continue;
		}
		while (truth->at[at].revision < n->revision) {
			if (concerns(w, &truth->at[at]))
				complain(w, &truth->at[at], "was lost");
			at++;
		}
		at++;
		play(w, n, state);
	}
}

static bool was_deleted(const struct writer *w, uint64_t uid)
{
	for (size_t i = 0; i < w->log.len; i++)
		if (w->log.at[i].word == DELETED && w->log.at[i].uid == uid)
			return true;
	return false;
}

/* A write that nobody was told lies before the next list of all who should have been. */
static void find_in_list(const struct watcher *w, const struct writer *from, const struct noted *n)
{
	size_t i = 0;

	if (!concerns(w, n))
		return;
	while (i < w->log.len &&
		!(w->log.at[i].word == RELISTED && w->log.at[i].revision >= n->revision))
		i++;
	if (i == w->log.len) {
		complain(w, n, "was acknowledged and is not told");
		return;
	}
	for (i++; i < w->log.len && w->log.at[i].word == LISTED; i++)
		if (w->log.at[i].uid == n->uid && w->log.at[i].revision >= n->revision)
			return;
	if (!was_deleted(from, n->uid))
		complain(w, n, "was acknowledged and is not in the list");
}

static void find_writes(struct world *world, const struct writer *from, const struct story *truth)
{
	for (size_t i = 0; i < from->log.len; i++) {
		const struct noted *n = &from->log.at[i];
		size_t at = after(truth, n->revision);
		const struct noted *told = at ? &truth->at[at - 1] : NULL;

		if (n->word == DELETED)
			continue; /* without a revision: the states show it */
		if (told && told->revision == n->revision) {
			if (told->uid != n->uid || told->word != n->word)
				churn_bad(world, "revision %lld is told as something else",
					(long long)n->revision);
			continue;
		}
		for (size_t k = 0; k < world->watcher_count; k++)
			if (world->watchers[k].kind == from->index % KINDS)
				find_in_list(&world->watchers[k], from, n);
	}
}

static void compare_end(const struct watcher *w, const struct known *state)
{
	struct world *world = w->world;

	for (size_t i = 0; i < world->writer_count * KEYS; i++) {
		const struct known *known = &world->writers[i / KEYS].known[i % KEYS];
		struct noted n = {known->revision, known->uid, (int)i, LISTED};

		if ((int)(i / KEYS) % KINDS != w->kind || !concerns(w, &n))
			continue;
		if (state[i].uid != known->uid || state[i].revision < known->revision)
			complain(w, &n, "is not what the watcher holds in the end");
	}
}

bool churn_prove(struct world *world)
{
	struct known *state = calloc(world->writer_count * KEYS, sizeof(*state));

	if (!state)
		abort();
	for (int kind = 0; kind < KINDS; kind++) {
		struct story truth = gather(world, kind);

		for (size_t i = 0; i < world->watcher_count; i++) {
			if (world->watchers[i].kind != kind)
				continue;
			replay(&world->watchers[i], &truth, state);
			compare_end(&world->watchers[i], state);
		}
		for (size_t i = 0; i < world->writer_count; i++)
			if ((int)i % KINDS == kind)
				find_writes(world, &world->writers[i], &truth);
		free(truth.at);
	}
	free(state);
	return atomic_load(&world->bad) == 0;
}
