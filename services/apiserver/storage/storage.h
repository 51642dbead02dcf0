/*
 * Storage: etcd in upstream's layout, and the watch cache over it; upstream's storage/etcd3,
 * storage/cacher and the storage factory in one. One thread owns the connection to etcd, feeds the
 * cache from one watch on the whole prefix, and batches what others ask of it. Reads come from the
 * cache; how recent it must be, the reader says first (storage_wait). Writes go to etcd and
 * block, so they are for threads that may.
 *
 * Revisions are etcd's; all resources share one order of them.
 *
 * Ownership: struct stored and struct storage_event are counted, immutable, anybody's to share.
 * Threading: any, save what names a loop; watches and waits belong to the thread of their loop.
 *
 * Errors: ERR_EXISTS, ERR_NOT_FOUND, ERR_CONFLICT as said below; ERR_GONE: the revision is
 * compacted; ERR_TIMEOUT: the revision is not there yet; ERR_LIMIT: the object is too large for
 * etcd; ERR_UNAVAILABLE: etcd cannot be reached or is out of space: the client tries again.
 * Whether a write that ended so took place is then unknown, as with upstream.
 *
 * Source: apiserver/pkg/storage/{etcd3,cacher}; KEP-2340, KEP-3157, KEP-4988.
 */
#pragma once

#include "lib/api/resource.h"
#include "lib/base/counted.h"
#include "lib/base/metrics.h"
#include "lib/loop/loop.h"
#include "lib/schema/object.h"

struct storage;
struct snapshot;

struct storage_options {
	struct str_list servers; /* --etcd-servers */
	str ca_pem, cert_pem, key_pem;
	str prefix;                     /* --etcd-prefix, "/registry" */
	int64_t compaction_interval_ns; /* --etcd-compaction-interval; 0: never */
	int64_t history_ns;             /* of events that a watch may begin at: 75 s */
	size_t history_bytes;           /* of each resource */
	const struct clock *clock;
};

/*
 * Starts the thread; the cache fills from then on, however long etcd takes to appear. Its metrics
 * join the registry, unless that is NULL. Resources below are those of the table that are stored,
 * in a version that has a type.
 */
NODISCARD int storage_open(
	const struct storage_options *o, struct metrics *m, struct storage **to, struct err *e);

/* Ends what waits with ERR_CLOSED, then the thread. Nobody else uses it any more but those. */
void storage_close(struct storage *s);

/* False until every resource has been read once, and when etcd has not answered lately;
 * `e` says why. For /readyz. */
NODISCARD int storage_ready(struct storage *s, struct err *e);

/* --- resources that come at run time */

/*
 * Reads what etcd has of a resource and follows it from then on, so that its rows can be served;
 * blocks. `rows` are its versions; the types of all must exist. `stored` is the one of the stored
 * version; the others share its cache. A second attachment to a prefix takes over from the first,
 * which is detached behind it. Not on the store thread, nor on one that has watches.
 */
struct resource;
NODISCARD int storage_attach(struct storage *s, struct resource *rows, size_t count,
	const struct resource *stored, struct err *e);

/* Ends the watches with ERR_CLOSED and forgets the objects; where another attachment has `replaced`
 * it, only when no request can be under way that began before. The cache itself lives until
 * storage_let_go, behind the last request that knows the rows. */
void storage_detach(struct storage *s, const struct resource *row, bool replaced);
void storage_let_go(const struct resource *row);

/* The type of the objects of such a resource, as they are held. */
const struct type *storage_type(const struct resource *row);

/* --- objects */

/* One object as it was at one revision. */
struct stored {
	struct counted counted;
	const struct resource *resource; /* a row with this etcd_prefix, whatever its version */
	const struct type *type;         /* of the stored version */
	str ns, name;                    /* ns absent for cluster-scoped resources */
	int64_t revision;
	str envelope; /* protobuf with k8s\0, or JSON; defaulted, resourceVersion set */
	const struct str_map *labels; /* for selectors */
	const str *
		fields; /* values of the resource's field labels, in their order, not the aliases */
};

/* The object decoded: a new one, the caller's to change. Texts may borrow from `o`. */
NODISCARD int stored_decode(struct arena *a, const struct stored *o, void **to, struct err *e);

/*
 * Its JSON as an object of the stored version: a reference that the caller drops. Kept, as far as
 * memory set aside for it goes, since the next reader will want the same. One text serves both
 * forms: list items of built-in kinds have neither kind nor apiVersion, and are "{" and `rest`.
 */
struct stored_json {
	struct counted counted;
	str with_kind; /* {"kind":"Pod","apiVersion":"v1","metadata":{...}...} */
	str rest;      /* of it, what follows kind and apiVersion: "metadata":{...}...} */
};

/* Who reads: a list's texts take no place from those that somebody has read lately. */
enum stored_reader { READER_OF_ONE, READER_OF_LIST };

NODISCARD int stored_json(struct storage *s, const struct stored *o, enum stored_reader reader,
	struct stored_json **to, struct err *e);

/* A reference, or NULL. */
struct stored *storage_get(struct storage *s, const struct resource *r, str ns, str name);

/* --- lists: one moment of one resource */

/* The present one; revision is that of the last event of any resource that the cache has seen. */
struct snapshot *storage_snapshot(struct storage *s, const struct resource *r, int64_t *revision);

/*
 * As it was at `revision`, for continue tokens and resourceVersionMatch=Exact: from the cache while
 * it is kept, else read from etcd, which blocks. ERR_GONE when that is compacted.
 */
NODISCARD int storage_snapshot_at(struct storage *s, const struct resource *r, int64_t revision,
	struct snapshot **to, struct err *e);

/* Keeps this moment for storage_snapshot_at, five minutes at most: a continue token names it. */
void snapshot_keep(struct snapshot *n);

void snapshot_drop(struct snapshot *n);

/* Objects in the order of etcd's keys, of one namespace (or absent: all),
 * from behind `after` on ("ns/name" or "name"; absent: from the start). */
struct snapshot_walk {
	const struct snapshot *snapshot;
	const void *at[16];
	uint8_t slot[16];
	int depth;
	str ns;
};

struct snapshot_walk snapshot_walk(const struct snapshot *n, str ns, str after);

/* Borrowed until the snapshot is dropped; NULL at the end. */
const struct stored *snapshot_next(struct snapshot_walk *w);

/* How many objects are in `ns`, or in all. */
size_t snapshot_count(const struct snapshot *n, str ns);

/* --- how recent */

/*
 * Waits until the cache holds everything that was acknowledged before the call (revision 0), or the
 * given revision. `done` runs on the loop: `e` is NULL, ERR_TIMEOUT after three seconds, or
 * ERR_UNAVAILABLE. Waits that begin together share one question to etcd.
 */
struct storage_wait {
	void (*done)(struct storage_wait *w, const struct err *e);
	struct loop *loop;
	int64_t revision;

	/* The storage's own. */
	struct storage *storage;
	struct storage_wait *next;
	struct loop_task task;
	struct err error;
	int64_t deadline_ns;
};

void storage_wait(struct storage *s, struct storage_wait *w);

/* The same for a thread that may block. */
NODISCARD int storage_wait_here(struct storage *s, int64_t revision, struct err *e);

/* --- writes; blocking. Objects are of the stored version and carry their namespace and name. */

/* ERR_EXISTS. `ttl_s` 0: for ever. `*revision` is the object's first. */
NODISCARD int storage_create(struct storage *s, const struct resource *r, const void *object,
	int64_t ttl_s, int64_t *revision, struct err *e);

/*
 * Puts `object` in the place of `before` if nobody has changed that since; ERR_CONFLICT otherwise,
 * with `*current` the object as it is (the caller drops it) or NULL when it is gone.
 */
NODISCARD int storage_update(struct storage *s, const struct stored *before, const void *object,
	int64_t ttl_s, int64_t *revision, struct stored **current, struct err *e);

/* In the same manner. `*revision` is that of the deletion. */
NODISCARD int storage_delete(struct storage *s, const struct stored *before, int64_t *revision,
	struct stored **current, struct err *e);

/* From etcd itself, past the cache; ERR_NOT_FOUND. A reference. */
NODISCARD int storage_fetch(struct storage *s, const struct resource *r, str ns, str name,
	struct stored **to, struct err *e);

/* --- watches */

enum storage_event_kind { STORAGE_ADDED, STORAGE_MODIFIED, STORAGE_DELETED };

struct storage_event {
	struct counted counted;
	enum storage_event_kind kind;
	struct stored *now;    /* DELETED: its last state with the revision of the deletion */
	struct stored *before; /* NULL if ADDED */
	int64_t revision;
};

/* One I/O thread's end of the fan-out; made on its loop. */
struct storage_io;

NODISCARD int storage_io_open(
	struct storage *s, struct loop *l, struct storage_io **to, struct err *e);

/* Before storage_close. Watches end with ERR_CLOSED; the memory goes with the loop's next turn. */
void storage_io_close(struct storage_io *io);

/*
 * A watch on one resource, narrowed to a namespace, one name, and (pods) one node; absent: all.
 * Events come in the order of their revisions, none lost or doubled, many in one turn of the loop.
 * An object that a pod's node narrows away, or lets in, shows in `before` and `now` as it is: what
 * the client is told the watcher decides.
 */
struct storage_watch {
	void (*event)(struct storage_watch *w, struct storage_event *ev);

	/* The watch is over: ERR_GONE (the client must list again), ERR_CLOSED (shutting down). */
	void (*ended)(struct storage_watch *w, const struct err *e);

	const struct resource *resource;
	str ns, name, node;

	/* The storage's own. */
	struct storage_io *io;
	struct watch_bucket *bucket;
	struct storage_watch *next, *previous;
	int64_t after;
	bool replaying; /* events of the past wait to be told */
};

/*
 * Events after `revision` on. With `initial` not NULL the watch begins with the present moment
 * instead: `*initial` is that snapshot and `*revision` its revision. ERR_GONE when events after
 * `revision` are no longer held.
 */
NODISCARD int storage_watch_start(struct storage_io *io, struct storage_watch *w, int64_t *revision,
	struct snapshot **initial, struct err *e);
void storage_watch_stop(struct storage_watch *w);

/* The newest revision up to which this watcher has been told everything: for bookmarks. */
int64_t storage_watch_revision(const struct storage_watch *w);
