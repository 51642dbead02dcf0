/*
 * An ordered copy-on-write index of one resource's objects: a B+tree whose nodes are counted. A
 * snapshot is a reference to the root. The writer changes nodes in place that he alone holds, and
 * copies those that a snapshot holds too, so that without snapshots a write costs no copy.
 *
 * Order: of the objects' keys, "ns/name" or "name", byte by byte, as etcd has it.
 *
 * Ownership: a node holds a reference to each object or node below it. Threading: one writer, who
 * excludes those that take references to the root; whoever has one reads on by himself.
 * Memory: nodes are the program's own bookkeeping; a machine without memory for one ends it.
 */
#pragma once

#include "apiserver/storage/storage.h"

struct btree_node;

/* The object's key: its namespace and name lie side by side, with the slash between them. */
static inline str stored_key(const struct stored *o)
{
	return o->ns.at ? str_span(o->ns.at, o->ns.len + 1 + o->name.len) : o->name;
}

/* NULL is an empty tree. Dropping the last reference frees what nobody else holds. */
void btree_take(struct btree_node *root);
void btree_drop(struct btree_node *root);

/* Borrowed; NULL if there is none. */
struct stored *btree_find(const struct btree_node *root, str key);

/* Takes over a reference to `o`. Returns the object that it replaces, whose reference is the
 * caller's, or NULL. */
struct stored *btree_put(struct btree_node **root, struct stored *o);

/* The same for an object that goes. */
struct stored *btree_remove(struct btree_node **root, str key);

size_t btree_count(const struct btree_node *root);

/* How many objects have a smaller key. */
size_t btree_rank(const struct btree_node *root, str key);

/* Sets the walk before the first object whose key is `from` or more. */
void btree_walk(const struct btree_node *root, str from, struct snapshot_walk *to);
const struct stored *btree_next(struct snapshot_walk *w);
