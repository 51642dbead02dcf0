/*
 * The storage's inside, shared by the files of this folder: which file does what stands in the
 * README.
 *
 * Threads: `feed`, `wait`, `write`, `compact` work on the storage's own thread, the store thread;
 * what others may touch is atomic or stands below the lock that guards it.
 */
#pragma once

#include "apiserver/storage/btree.h"
#include "apiserver/storage/entry.h"
#include "lib/base/map.h"
#include "lib/etcd/etcd.h"

#include <pthread.h>
#include <semaphore.h>

struct snapshot {
	struct counted counted;
	struct btree_node *root;
	struct cache *cache;
	int64_t revision;
	int64_t last_event; /* that it holds: the moment is the same from there to `revision` */
};

struct history_slot {
	struct storage_event *event;
	int64_t at_ns;
};

/* Events in their order, as a ring; all since `from` are there. */
struct history {
	struct history_slot *slots;
	size_t first, len, cap;
	size_t bytes;
	int64_t from;
};

enum { KEPT_MAX = 8 };

/* What the watch told, until the answer is complete. */
struct pending_event {
	struct cache *cache;
	struct stored *now;  /* NULL: deleted, */
	struct stored *last; /* which leaves its last state, if it was there */
	str key;             /* of a deletion; freed */
	int64_t revision;
};

struct pending_events {
	struct pending_event *at;
	size_t len, cap;
};

/* All objects below one prefix of etcd. */
struct cache {
	struct counted counted;
	struct cache *next;          /* of all; the store thread's, as the next three */
	struct cache *same;          /* of the same prefix, which comes behind or leaves */
	bool attached;               /* came at run time: */
	bool unfilled;               /* it is being read meanwhile, */
	struct pending_events early; /* and this happened since */
	struct loop_timer leaving;   /* another one serves its prefix now */
	atomic_bool ending;          /* nobody begins to watch it any more */
	int64_t filled_at;
	size_t slot; /* among a thread's indexes of watches */
	struct storage *storage;
	struct entry_kind kind;
	str prefix;                 /* "/registry/pods/" */
	struct btree_node *filling; /* while the whole is being read; the store thread's */
	struct series *objects, *resource_objects, *events; /* NULL: not counted */
	const struct clock *clock;

	pthread_mutex_t lock;
	struct btree_node *root;
	int64_t last_event; /* in `root` */
	struct history history;
	struct {
		struct snapshot *snapshot;
		int64_t until_ns;
	} kept[KEPT_MAX];
};

/* What one turn of the store thread tells the I/O threads. */
struct batch {
	struct counted counted;
	struct storage_event **events;
	size_t len, cap;
	int64_t revision;       /* everything up to here is told then */
	bool restarted;         /* there is a gap before: watches end */
	struct cache *detached; /* a reference: its watches end */
};

struct json_cache;

struct storage {
	struct storage_options options;
	struct metrics *metrics; /* NULL: nothing is counted */
	size_t first_metric;
	pthread_t thread;
	struct loop loop;
	struct etcd *etcd;
	struct cache *first_cache;
	struct map by_prefix; /* "/registry/pods", as rows have it: the cache; built-in ones */
	struct map by_key;    /* "/registry/pods/", as keys have it; the store thread's */
	struct arena arena;   /* of what lives as long as this */
	struct json_cache *json;

	_Atomic int64_t revision; /* up to which all caches are complete; 0: not filled yet */
	_Atomic bool up;
	atomic_bool closing;
	struct loop_task close_task;

	/* The store thread's. */
	struct entry_scratch scratch;
	struct etcd_watch watch;
	struct fill {
		struct etcd_call call;
		struct buf next_key;
		int64_t revision, limit;
		bool under_way;
	} fill;
	struct loop_timer retry_fill;
	struct pending_events pending; /* of an answer that is not complete */
	struct batch *batch;
	struct loop_task flush;
	struct loop_timer trim;

	struct {
		struct storage_wait *next, *asking, *behind;
		bool under_way; /* the question to etcd */
		struct etcd_call call;
		struct loop_task ask;
		struct loop_timer expiry, progress;
	} wait;

	struct {
		struct etcd_call call;
		struct loop_timer timer;
		int64_t version, revision;
	} compact;

	pthread_mutex_t io_lock;
	struct storage_io *ios;
	struct {
		bool *taken; /* by cache.slot */
		size_t len;
	} slots;

	struct lease_manager {
		pthread_mutex_t lock;
		int64_t id, expires_ns;
		int objects;
	} lease;
};

/* The cache of a resource; NULL if it is not stored. */
struct cache *storage_cache(struct storage *s, const struct resource *r);

/* cache.c. The caller has the cache's lock: */
struct snapshot *cache_snapshot(struct storage *s, struct cache *c);

/*
 * Changes the tree and adds to the history. `now` NULL: the object is gone, `last` is its last
 * state. Takes the references over. Returns a reference to the event, NULL if nothing changed.
 */
struct storage_event *cache_apply(struct storage *s, struct cache *c, str key, struct stored *now,
	struct stored *last, int64_t revision);

/* These take it themselves. A root is taken over. */
void cache_replace(struct cache *c, struct btree_node *root, int64_t revision);
struct snapshot *snapshot_new(struct btree_node *root, int64_t revision);

/* The moment at `revision`, if it is the present one or kept; a reference or NULL. */
struct snapshot *cache_snapshot_at(struct storage *s, struct cache *c, int64_t revision);

/* Forgets what is too old; false when nothing is left that will be. */
bool cache_trim(struct storage *s, struct cache *c);
void cache_free(struct cache *c);
void cache_forget_kept(struct cache *c);

/* storage.c: of keys in etcd, whatever the option says. */
void storage_put_prefix(const struct storage *s, const struct resource *r, struct buf *to);

/* The first event behind `revision` as an index counted from history.first; -1: no longer held. */
ptrdiff_t history_find(const struct history *h, int64_t revision);

/* attach.c: a place for a cache in each thread's indexes; those that wait to leave do so now. */
size_t slot_take(struct storage *s);
void attached_leave(struct storage *s);

/* feed.c */
void pending_add(struct pending_events *list, const struct pending_event *p);
void pending_clear(struct pending_events *list);
void feed_detach(struct storage *s, struct cache *c);
void feed_forget(struct storage *s, const struct cache *c);
void feed_apply_early(struct storage *s, struct cache *c);
void feed_start(struct storage *s);
void feed_stop(struct storage *s);

/* watch.c: hands the batch to every I/O thread. */
void watch_post(struct storage *s, struct batch *b);

/* wait.c: until somebody posts; destroys the semaphore. */
void storage_sleep(sem_t *until);

void wait_init(struct storage *s);
void wait_check(struct storage *s); /* the cache has moved on */
void wait_close(struct storage *s, const struct err *e);

/*
 * write.c: a request to etcd from a thread that waits for the answer. Frees the message; the
 * answer replaces what the buffer held.
 */
NODISCARD int storage_ask(struct storage *s, enum etcd_method method, struct buf *message,
	struct buf *answer, struct err *e);

/* All of a cache at a revision, as a tree. */
NODISCARD int storage_read_pages(struct storage *s, struct cache *c, int64_t revision,
	struct btree_node **root, struct err *e);

/* The key in etcd. */
void storage_key(const struct cache *c, str ns, str name, struct buf *to);

/* lease.c: one that lasts `ttl_s` at least; blocks. */
NODISCARD int lease_get(struct storage *s, int64_t ttl_s, int64_t *id, struct err *e);

/* counts.c */
enum count_operation { COUNT_CREATE, COUNT_UPDATE, COUNT_DELETE, COUNT_GET, COUNT_LIST };

void counts_init(struct storage *s);
void counts_of_cache(struct storage *s, struct cache *c);
int64_t count_begin(const struct storage *s);
void count_request(struct storage *s, const struct cache *c, enum count_operation op,
	int64_t began_ns, bool failed);
void count_objects(struct cache *c);
void count_event(struct cache *c);
void count_undecodable(struct storage *s, const struct cache *c);
void count_lease(struct storage *s, int objects);

/* compact.c */
void compact_start(struct storage *s);

/* json_cache.c */
struct json_cache *json_cache_new(size_t bytes_max, const struct clock *clock);
void json_cache_free(struct json_cache *j);
struct stored_json *json_cache_get(struct json_cache *j, const struct stored *o);
void json_cache_put(struct json_cache *j, const struct stored *o, enum stored_reader reader,
	struct stored_json *text);
