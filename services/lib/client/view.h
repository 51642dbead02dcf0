/*
 * View: one moment of a cache of objects: immutable, counted, shared between threads. What changes
 * it makes a new view, which shares all but a path of nodes with the old one; readers pin the one
 * they began with.
 *
 * A view is a few ordered trees over the same entries: by namespace and name, and one for each
 * index, whose key comes first: the pods of a node, the objects of an owner.
 *
 * Ownership: view_take and view_drop; an object lives as long as a view that holds it, or until
 * entry_drop. Threading: a view any; a view_writer one thread at a time.
 */
#pragma once

#include "lib/api/meta.h"
#include "lib/base/counted.h"

/* One object, decoded once, in memory of its own. */
struct entry {
	struct counted counted;
	const void *object;
	const struct object_meta *meta;
};

/*
 * Copies the object, its texts too, into one block; the maker holds the first reference.
 */
struct entry *entry_new(const void *object);

static inline void entry_drop(struct entry *e)
{
	counted_drop(&e->counted);
}

/* The nth key of an object; false if there is none. Keys live in the object. */
typedef bool view_key(const void *object, size_t nth, str *key);

enum { VIEW_INDEXES_MAX = 6, VIEW_DEPTH_MAX = 192 };

struct view_node;

struct view {
	struct counted counted;
	struct view_node *by_name, *by_index[VIEW_INDEXES_MAX];
	size_t len;
};

static inline void view_take(struct view *v)
{
	counted_take(&v->counted);
}

static inline void view_drop(struct view *v)
{
	counted_drop(&v->counted);
}

/* NULL if there is none. ns is empty for cluster-scoped objects. */
struct entry *view_find(const struct view *v, str ns, str name);
const void *view_get(const struct view *v, str ns, str name);

/* Objects in the order of namespace and name. */
struct view_walk {
	const struct view_node *path[VIEW_DEPTH_MAX];
	size_t depth;
	str key, ns; /* absent: any */
};

/* All, or those of one namespace (ns absent: all). */
struct view_walk view_all(const struct view *v, str ns);

/* Those with this key in an index; of one namespace, or all. */
struct view_walk view_by(const struct view *v, size_t index, str key, str ns);

/* NULL at the end. */
const void *view_next(struct view_walk *w);

#define view_each(type, object, walk) for (type object; (object = view_next(walk));)

/* --- for who fills it */

struct view_writer {
	view_key *const *indexes;
	size_t index_count;
	struct view next;      /* what the next view will be */
	uint64_t random_state; /* shapes the trees */
};

void view_writer_init(struct view_writer *w, view_key *const *indexes, size_t index_count);
void view_writer_free(struct view_writer *w);

/* Takes over the reference. Returns what it replaces, with its reference, or NULL. */
struct entry *view_put(struct view_writer *w, struct entry *e);

/* Returns the entry with its reference, or NULL. */
struct entry *view_remove(struct view_writer *w, str ns, str name);

/* The moment now; a reference. */
struct view *view_publish(struct view_writer *w);
