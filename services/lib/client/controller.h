/*
 * Controllers: a controller is a table: which kinds it watches, what their changes put into its
 * queues, and a function for each queue that brings the world in line for one key. That function
 * gets a pass: an arena, and one moment of every informer that it asks.
 *
 *	static int sync(struct pass *p, struct err *e)
 *	{
 *		const struct boat *b = pass_get(p, API_BOAT, p->ns, p->name);
 *
 *		if (!b)
 *			return 0;
 *		...
 *		return pass_update_status(p, next, e);
 *	}
 *
 * A pass that fails comes again, after a time that doubles; what a client's answer or the cache
 * says is never waited for inside of a pass.
 *
 * Lifetimes: objects from views live as long as the pass; they are not changed but copied. A run
 * and what its `open` made live until the program ends. Threading: `changed` runs on the I/O
 * thread, works on any thread of the crew.
 */
#pragma once

#include "lib/client/events.h"
#include "lib/client/informer.h"
#include "lib/client/work.h"

struct controller_run;
struct pass;

struct controller_watch {
	enum api_type type;

	/* As informer_handler's; NULL: only looked up in passes. */
	void (*changed)(struct controller_run *r, const void *before, const void *now);
};

struct controller_work {
	const char *name; /* of the queue */
	int workers;
	int (*sync)(struct pass *p, struct err *e);
	unsigned retries_max; /* gives up a key after so many failures in a row; 0: never */
	int64_t retry_base_ns, retry_max_ns; /* 0: 5 ms, 1000 s */
};

enum { CONTROLLER_WATCHES_MAX = 12, CONTROLLER_WORKS_MAX = 4 };

struct controller {
	const char *name;      /* "deployment-controller" */
	const char *account;   /* service account, part of the user agent */
	const char *component; /* who its events are from; NULL: account */
	struct controller_watch watches[CONTROLLER_WATCHES_MAX]; /* up to the first without type */
	struct controller_work works[CONTROLLER_WORKS_MAX];      /* up to the first without sync */

	/* May be NULL. Makes run->state, before anything is watched. */
	int (*open)(struct controller_run *r, struct err *e);

	/* May be NULL. Once the caches are filled and before work begins. */
	int (*start)(struct controller_run *r, struct err *e);
};

/* What a run is given. */
struct controller_env {
	struct informers *informers;
	struct crew *crew;
	struct events *events;
	struct client *client;
	const struct clock *clock;
	struct random *random;
	const void *settings; /* the program's, for its controllers */
	int workers;          /* of the first queue; 0: as the table says */
};

struct controller_hook {
	struct informer_handler handler;
	struct controller_run *run;
	void (*changed)(struct controller_run *r, const void *before, const void *now);
};

struct controller_line {
	struct controller_run *run;
	const struct controller_work *work;
	struct queue *queue;
};

struct controller_run {
	const struct controller *table;
	struct controller_env env;
	void *state;
	struct controller_hook hooks[CONTROLLER_WATCHES_MAX];
	struct controller_line lines[CONTROLLER_WORKS_MAX];
};

/* Before informers and crew are started. */
NODISCARD int controller_open(const struct controller *c, const struct controller_env *env,
	struct controller_run **to, struct err *e);

/* Puts a key into the nth queue. */
void run_add(struct controller_run *r, size_t nth, str key);
void run_add_after(struct controller_run *r, size_t nth, str key, int64_t wait_ns);

/* The key of these names, or of an object, into the first queue. */
void run_enqueue_name(struct controller_run *r, str ns, str name);
void run_enqueue(struct controller_run *r, const void *object);
void run_enqueue_after(struct controller_run *r, const void *object, int64_t wait_ns);

enum { RUN_KEY_BYTES = 640 };

/* "ns/name" or "name" in `to`. */
str run_key(char to[static RUN_KEY_BYTES], str ns, str name);
