/*
 * What api-churn's writers, watchers and proof share; churn.c tells what it is for.
 *
 * Threads: a writer its own; a watcher its transport's; the proof comes when both have ended.
 */
#pragma once

#include "lib/base/hash.h"
#include "lib/client/client.h"
#include "lib/codec/json.h"

#include <pthread.h>
#include <semaphore.h>

enum {
	KEYS = 4,
	KINDS = 2,
	PAUSE_MS = 20, /* before a client whose call has failed tries again */
};

enum word { RELISTED, LISTED, ADDED, MODIFIED, DELETED };

extern const char *const churn_words[];
extern const char *const churn_plurals[KINDS];

struct noted {
	int64_t revision;
	uint64_t uid;
	int key; /* of writer * KEYS + n */
	enum word word;
};

struct story {
	struct noted *at;
	size_t len, cap;
};

/* What is known of an object; uid 0: there is none. */
struct known {
	uint64_t uid;
	int64_t revision, turn;
};

struct world {
	const struct kubeconfig *config;
	const char *ns;
	struct writer *writers;
	struct watcher *watchers;
	size_t writer_count, watcher_count;
	struct hash_key hash;
	atomic_bool stop, ending;
	_Atomic size_t bad;
	sem_t complete;       /* by each watcher that has been told all */
	pthread_mutex_t lock; /* for waiting on: */
	pthread_cond_t moved; /* a counter of a writer, what a watcher has seen */
};

struct writer {
	struct world *world;
	struct transport *transport;
	pthread_t thread;
	struct arena arena;
	struct story log; /* acknowledged writes; deletions have no revision */
	struct known known[KEYS];
	int index;
	int64_t turn;
	_Atomic size_t acked, refused; /* refused: 5xx or no answer */
	_Atomic int64_t revision;      /* of the last acknowledged write */
	size_t answered;               /* by 5xx */
};

struct watcher {
	struct world *world;
	struct transport *transport;
	struct call call;
	struct loop_timer again;
	struct loop_task begin, check;
	struct arena arena;
	struct buf lines;
	struct story log;
	int index, kind, key; /* key < 0: all */
	int64_t revision;     /* to go on from; 0: list */
	_Atomic int64_t seen;
	int64_t final; /* the last that it must be told */
	size_t lists, watches;
	bool is_complete;
};

/* Something that must not be: the run has failed and ends. */
void churn_bad(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool churn_goes_on(struct world *w);

/* Somebody's counter has changed: who waits for that looks again. */
void churn_moved(struct world *w);

void churn_note(struct story *l, struct noted what);

/* A text among an object's members; absent if it is not there. */
str churn_member(const struct json_item *object, const char *name);

/* An object in JSON; false if it is none of ours. */
bool churn_read(struct world *w, const struct json_item *o, int *key, struct known *to);

void *churn_write(void *writer);
void churn_watcher_init(struct watcher *w, struct world *world, int index);
bool churn_prove(struct world *world);
