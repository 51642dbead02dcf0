#include "apiserver/storage/btree.h"

#include <stdlib.h>

enum {
	FANOUT = 64,
	MERGE_BELOW = FANOUT / 4,
};

/* A leaf is allocated without room for `low`. */
struct btree_node {
	_Atomic uint32_t references;
	uint16_t len;
	bool is_leaf;
	size_t total; /* objects below */
	union {
		struct stored *objects[FANOUT];
		struct btree_node *children[FANOUT];
	};
	const struct stored *low[]; /* the first object below each child, which holds it */
};

static struct btree_node *new_node(bool is_leaf);
static void own(struct btree_node **at);
static size_t child_of(const struct btree_node *n, str key);
static size_t leaf_slot(const struct btree_node *n, str key, bool *found);
static struct stored *put(struct btree_node *n, struct stored *o, struct btree_node **split);
static struct stored *put_leaf(struct btree_node *n, struct stored *o, struct btree_node **split);
static struct btree_node *split_off(struct btree_node *n, size_t from);
static void insert_child(
	struct btree_node *n, size_t at, struct btree_node *child, struct btree_node **split);
static struct stored *remove_key(struct btree_node *n, str key);
static void tidy_child(struct btree_node *n, size_t at);
static void remove_child(struct btree_node *n, size_t at);
static const struct stored *first_of(const struct btree_node *n);

void btree_take(struct btree_node *root)
{
	if (root)
		atomic_fetch_add_explicit(&root->references, 1, memory_order_relaxed);
}

void btree_drop(struct btree_node *root)
{
	if (!root || atomic_fetch_sub_explicit(&root->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < root->len; i++) {
		if (root->is_leaf)
			counted_drop(&root->objects[i]->counted);
		else
			btree_drop(root->children[i]);
	}
	free(root);
}

struct stored *btree_find(const struct btree_node *n, str key)
{
	bool found;

	if (!n)
		return NULL;
	while (!n->is_leaf)
		n = n->children[child_of(n, key)];

	size_t at = leaf_slot(n, key, &found);

	return found ? n->objects[at] : NULL;
}

struct stored *btree_put(struct btree_node **root, struct stored *o)
{
	struct btree_node *split = NULL;
	struct stored *before;

	if (!*root)
		*root = new_node(true);
	own(root);
	before = put(*root, o, &split);
	if (split) {
		struct btree_node *top = new_node(false);

		top->children[0] = *root;
		top->children[1] = split;
		top->low[0] = first_of(*root);
		top->low[1] = first_of(split);
		top->len = 2;
		top->total = (*root)->total + split->total;
		*root = top;
	}
	return before;
}

struct stored *btree_remove(struct btree_node **root, str key)
{
	struct stored *before;

	if (!btree_find(*root, key))
		return NULL;
	own(root);
	before = remove_key(*root, key);
	while (!(*root)->is_leaf && (*root)->len == 1) {
		struct btree_node *only = (*root)->children[0];

		btree_take(only);
		btree_drop(*root);
		*root = only;
	}
	if ((*root)->len == 0) {
		btree_drop(*root);
		*root = NULL;
	}
	return before;
}

size_t btree_count(const struct btree_node *root)
{
	return root ? root->total : 0;
}

size_t btree_rank(const struct btree_node *n, str key)
{
	size_t rank = 0;
	bool found;

	if (!n)
		return 0;
	while (!n->is_leaf) {
		size_t at = child_of(n, key);

		for (size_t i = 0; i < at; i++)
			rank += n->children[i]->total;
		n = n->children[at];
	}
	return rank + leaf_slot(n, key, &found);
}

void btree_walk(const struct btree_node *n, str from, struct snapshot_walk *to)
{
	bool found;

	to->depth = 0;
	if (!n)
		return;
	for (; !n->is_leaf; n = n->children[to->slot[to->depth++]]) {
		to->at[to->depth] = n;
		to->slot[to->depth] = (uint8_t)child_of(n, from);
	}
	to->at[to->depth] = n;
	to->slot[to->depth++] = (uint8_t)leaf_slot(n, from, &found);
}

const struct stored *btree_next(struct snapshot_walk *w)
{
	const struct btree_node *n;

	while (w->depth > 0 &&
		w->slot[w->depth - 1] == ((const struct btree_node *)w->at[w->depth - 1])->len) {
		/* Up, and on to the next child there. */
		if (--w->depth > 0)
			w->slot[w->depth - 1]++;
	}
	if (w->depth == 0)
		return NULL;
	while (!(n = w->at[w->depth - 1])->is_leaf) {
		w->at[w->depth] = n->children[w->slot[w->depth - 1]];
		w->slot[w->depth++] = 0;
	}
	return n->objects[w->slot[w->depth - 1]++];
}

static struct btree_node *new_node(bool is_leaf)
{
	struct btree_node *n = calloc(1, sizeof(*n) + (is_leaf ? 0 : FANOUT * sizeof(n->low[0])));

	if (!n)
		abort();
	atomic_init(&n->references, 1);
	n->is_leaf = is_leaf;
	return n;
}

/* What a snapshot holds too is copied before it is changed. */
static void own(struct btree_node **at)
{
	struct btree_node *shared = *at;

	if (atomic_load_explicit(&shared->references, memory_order_acquire) == 1)
		return;

	struct btree_node *n = new_node(shared->is_leaf);

	n->len = shared->len;
	n->total = shared->total;
	memcpy(n->children, shared->children, n->len * sizeof(n->children[0]));
	if (!n->is_leaf)
		memcpy(n->low, shared->low, n->len * sizeof(n->low[0]));
	for (size_t i = 0; i < n->len; i++) {
		if (n->is_leaf)
			counted_take(&n->objects[i]->counted);
		else
			btree_take(n->children[i]);
	}
	btree_drop(shared);
	*at = n;
}

/* The last child that begins at `key` or before; the first for smaller keys. */
static size_t child_of(const struct btree_node *n, str key)
{
	size_t low = 1, high = n->len;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (str_cmp(stored_key(n->low[middle]), key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/* The first object with this key or a greater one. */
static size_t leaf_slot(const struct btree_node *n, str key, bool *found)
{
	size_t low = 0, high = n->len;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_cmp(stored_key(n->objects[middle]), key);

		if (order < 0) {
			low = middle + 1;
			continue;
		}
		*found |= order == 0;
		high = middle;
	}
	return low;
}

/* `n` is owned. What does not fit any more is left in `split`, to stand behind it. */
static struct stored *put(struct btree_node *n, struct stored *o, struct btree_node **split)
{
	struct btree_node *below = NULL;
	struct stored *before;
	size_t at;

	if (n->is_leaf)
		return put_leaf(n, o, split);
	at = child_of(n, stored_key(o));
	own(&n->children[at]);
	before = put(n->children[at], o, &below);
	n->low[at] = first_of(n->children[at]);
	n->total += !before;
	if (below)
		insert_child(n, at + 1, below, split);
	return before;
}

static struct stored *put_leaf(struct btree_node *n, struct stored *o, struct btree_node **split)
{
	bool found;
	size_t at = leaf_slot(n, stored_key(o), &found);

	if (found) {
		struct stored *before = n->objects[at];

		n->objects[at] = o;
		return before;
	}
	if (n->len == FANOUT) {
		/* Keys that come in order fill their leaves. */
		*split = split_off(n, at == FANOUT ? FANOUT : FANOUT / 2);
		if (at >= n->len) {
			at -= n->len;
			n = *split;
		}
	}
	memmove(&n->objects[at + 1], &n->objects[at], (n->len - at) * sizeof(n->objects[0]));
	n->objects[at] = o;
	n->len++;
	n->total++;
	return NULL;
}

/* The rest from `from` on, as a node of its own. */
static struct btree_node *split_off(struct btree_node *n, size_t from)
{
	struct btree_node *rest = new_node(n->is_leaf);

	rest->len = (uint16_t)(n->len - from);
	memcpy(rest->children, &n->children[from], rest->len * sizeof(n->children[0]));
	if (!n->is_leaf)
		memcpy(rest->low, &n->low[from], rest->len * sizeof(n->low[0]));
	for (size_t i = 0; i < rest->len; i++)
		rest->total += n->is_leaf ? 1 : rest->children[i]->total;
	n->len = (uint16_t)from;
	n->total -= rest->total;
	return rest;
}

static void insert_child(
	struct btree_node *n, size_t at, struct btree_node *child, struct btree_node **split)
{
	if (n->len == FANOUT) {
		/* `total` has counted what is below `child` already, wherever it goes. */
		size_t from = at == FANOUT ? FANOUT : FANOUT / 2;

		*split = split_off(n, from);
		if (at >= from) {
			n->total -= child->total;
			n = *split;
			n->total += child->total;
			at -= from;
		}
	}
	memmove(&n->children[at + 1], &n->children[at], (n->len - at) * sizeof(n->children[0]));
	memmove(&n->low[at + 1], &n->low[at], (n->len - at) * sizeof(n->low[0]));
	n->children[at] = child;
	n->low[at] = first_of(child);
	n->len++;
}

/* `n` is owned, and the key is there. */
static struct stored *remove_key(struct btree_node *n, str key)
{
	struct stored *before;
	size_t at;
	bool found;

	n->total--;
	if (n->is_leaf) {
		at = leaf_slot(n, key, &found);
		before = n->objects[at];
		n->len--;
		memmove(&n->objects[at], &n->objects[at + 1],
			(n->len - at) * sizeof(n->objects[0]));
		return before;
	}
	at = child_of(n, key);
	own(&n->children[at]);
	before = remove_key(n->children[at], key);
	tidy_child(n, at);
	return before;
}

/* An empty child goes; a sparse one joins its neighbour if both fit into one. */
static void tidy_child(struct btree_node *n, size_t at)
{
	struct btree_node *child = n->children[at];

	if (child->len == 0) {
		remove_child(n, at);
		btree_drop(child);
		return;
	}
	n->low[at] = first_of(child);
	if (child->len >= MERGE_BELOW || n->len == 1)
		return;

	size_t left = at > 0 ? at - 1 : at;
	struct btree_node *from = n->children[left + 1];

	if (n->children[left]->len + from->len > FANOUT)
		return;
	own(&n->children[left]);
	own(&n->children[left + 1]);
	from = n->children[left + 1];

	struct btree_node *into = n->children[left];

	memcpy(&into->children[into->len], from->children, from->len * sizeof(from->children[0]));
	if (!into->is_leaf)
		memcpy(&into->low[into->len], from->low, from->len * sizeof(from->low[0]));
	into->len = (uint16_t)(into->len + from->len);
	into->total += from->total;
	from->len = 0;
	n->low[left] = first_of(into);
	remove_child(n, left + 1);
	btree_drop(from);
}

static void remove_child(struct btree_node *n, size_t at)
{
	n->len--;
	memmove(&n->children[at], &n->children[at + 1], (n->len - at) * sizeof(n->children[0]));
	memmove(&n->low[at], &n->low[at + 1], (n->len - at) * sizeof(n->low[0]));
}

static const struct stored *first_of(const struct btree_node *n)
{
	return n->is_leaf ? n->objects[0] : n->low[0];
}
