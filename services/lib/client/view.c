#include "lib/client/view.h"

#include "lib/base/hash.h"

#include <stdlib.h>

/*
 * A treap: a search tree by key that is a heap by a random rank, so that it is balanced whatever
 * comes in whatever order. Nodes are never changed once they can be seen; a change copies the path.
 */
struct view_node {
	_Atomic uint32_t references;
	uint32_t rank;
	struct view_node *left, *right;
	struct entry *entry;
	str key; /* of an index; absent in the tree by name */
};

/* What is looked for: absent parts come before everything. */
struct place {
	str key, ns, name;
};

static struct view_node *with(struct view_node *n, const struct view_node *leaf);
static struct view_node *without(struct view_node *n, const struct place *p);
static struct view_walk seek(const struct view_node *root, str key, str ns);
static void drop_node(struct view_node *n);

/* --- entries */

static void destroy_entry(struct counted *c)
{
	free(CONTAINER_OF(c, struct entry, counted));
}

struct entry *entry_new(const void *object)
{
	struct arena measure;

	arena_init(&measure, ARENA_NO_LIMIT);
	(void)object_copy(&measure, object, true);
	size_t bytes = measure.used_bytes;

	arena_free(&measure);
	struct entry *e = malloc(sizeof(*e) + bytes);
	struct arena own;

	if (!e)
		abort();
	counted_init(&e->counted, destroy_entry);
	arena_init_in(&own, e + 1, bytes);
	e->object = object_copy(&own, object, true);
	e->meta = meta_of(e->object);
	return e;
}

/* --- reading */

static int compare(const struct place *p, const struct view_node *n)
{
	const struct object_meta *m = n->entry->meta;
	int order = str_cmp(p->key, n->key);

	if (order == 0)
		order = str_cmp(p->ns, m->namespace);
	return order != 0 ? order : str_cmp(p->name, m->name);
}

struct entry *view_find(const struct view *v, str ns, str name)
{
	const struct place p = {.ns = ns, .name = name};

	for (const struct view_node *n = v->by_name; n;) {
		int order = compare(&p, n);

		if (order == 0)
			return n->entry;
		n = order < 0 ? n->left : n->right;
	}
	return NULL;
}

const void *view_get(const struct view *v, str ns, str name)
{
	const struct entry *e = view_find(v, ns, name);

	return e ? e->object : NULL;
}

struct view_walk view_all(const struct view *v, str ns)
{
	return seek(v->by_name, (str){NULL, 0}, ns);
}

struct view_walk view_by(const struct view *v, size_t index, str key, str ns)
{
	return seek(v->by_index[index], key, ns);
}

static void push(struct view_walk *w, const struct view_node *n)
{
	assert(w->depth < VIEW_DEPTH_MAX);
	w->path[w->depth++] = n;
}

/* The path holds those nodes that come next, nearest last. */
static struct view_walk seek(const struct view_node *root, str key, str ns)
{
	const struct place p = {.key = key, .ns = ns};
	struct view_walk w = {.key = key, .ns = ns};

	for (const struct view_node *n = root; n;) {
		if (compare(&p, n) <= 0) {
			push(&w, n);
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return w;
}

const void *view_next(struct view_walk *w)
{
	if (w->depth == 0)
		return NULL;
	const struct view_node *n = w->path[--w->depth];

	if ((w->key.at && !str_eq(w->key, n->key)) ||
		(w->ns.at && !str_eq(w->ns, n->entry->meta->namespace))) {
		w->depth = 0;
		return NULL;
	}
	for (const struct view_node *m = n->right; m; m = m->left)
		push(w, m);
	return n->entry->object;
}

/* --- writing */

void view_writer_init(struct view_writer *w, view_key *const *indexes, size_t index_count)
{
	*w = (struct view_writer){.indexes = indexes, .index_count = index_count};
	w->random_state = hash_key_random().k0 | 1;
}

static void drop_trees(struct view *v)
{
	drop_node(v->by_name);
	for (size_t i = 0; i < VIEW_INDEXES_MAX; i++)
		drop_node(v->by_index[i]);
}

void view_writer_free(struct view_writer *w)
{
	drop_trees(&w->next);
}

static uint32_t next_rank(struct view_writer *w)
{
	w->random_state ^= w->random_state << 13;
	w->random_state ^= w->random_state >> 7;
	w->random_state ^= w->random_state << 17;
	return (uint32_t)(w->random_state >> 32);
}

/* The tree takes its own references; the old root's is given up. */
static void replace(struct view_node **root, struct view_node *now)
{
	drop_node(*root);
	*root = now;
}

static void put_in(struct view_writer *w, struct view_node **root, struct entry *e, str key)
{
	const struct view_node leaf = {.rank = next_rank(w), .entry = e, .key = key};

	replace(root, with(*root, &leaf));
}

static void take_from(struct view_node **root, const struct entry *e, str key)
{
	const struct place p = {.key = key, .ns = e->meta->namespace, .name = e->meta->name};

	replace(root, without(*root, &p));
}

static void unindex(struct view_writer *w, const struct entry *e)
{
	str key;

	for (size_t i = 0; i < w->index_count; i++) {
		for (size_t nth = 0; w->indexes[i](e->object, nth, &key); nth++)
			take_from(&w->next.by_index[i], e, key);
	}
}

struct entry *view_put(struct view_writer *w, struct entry *e)
{
	struct entry *before = view_remove(w, e->meta->namespace, e->meta->name);
	str key;

	put_in(w, &w->next.by_name, e, (str){NULL, 0});
	for (size_t i = 0; i < w->index_count; i++) {
		for (size_t nth = 0; w->indexes[i](e->object, nth, &key); nth++)
			put_in(w, &w->next.by_index[i], e, key);
	}
	w->next.len++;
	entry_drop(e);
	return before;
}

struct entry *view_remove(struct view_writer *w, str ns, str name)
{
	struct entry *e = view_find(&w->next, ns, name);

	if (!e)
		return NULL;
	counted_take(&e->counted);
	unindex(w, e);
	take_from(&w->next.by_name, e, (str){NULL, 0});
	w->next.len--;
	return e;
}

static void destroy_view(struct counted *c)
{
	struct view *v = CONTAINER_OF(c, struct view, counted);

	drop_trees(v);
	free(v);
}

static struct view_node *take_node(struct view_node *n)
{
	if (n)
		atomic_fetch_add_explicit(&n->references, 1, memory_order_relaxed);
	return n;
}

struct view *view_publish(struct view_writer *w)
{
	struct view *v = malloc(sizeof(*v));

	if (!v)
		abort();
	*v = w->next;
	counted_init(&v->counted, destroy_view);
	take_node(v->by_name);
	for (size_t i = 0; i < VIEW_INDEXES_MAX; i++)
		take_node(v->by_index[i]);
	return v;
}

/* --- nodes: functions borrow their arguments and return a reference */

static void drop_node(struct view_node *n)
{
	while (n && atomic_fetch_sub_explicit(&n->references, 1, memory_order_acq_rel) == 1) {
		struct view_node *right = n->right;

		drop_node(n->left);
		entry_drop(n->entry);
		free(n);
		n = right;
	}
}

/* A new node like `n` over these children, whose references it takes over. */
static struct view_node *make(
	const struct view_node *n, struct view_node *left, struct view_node *right)
{
	struct view_node *to = malloc(sizeof(*to));

	if (!to)
		abort();
	*to = (struct view_node){
		.rank = n->rank, .left = left, .right = right, .entry = n->entry, .key = n->key};
	atomic_init(&to->references, 1);
	counted_take(&n->entry->counted);
	return to;
}

/* `leaf` stands for a key that the tree does not hold. */
static struct view_node *with(struct view_node *n, const struct view_node *leaf)
{
	const struct object_meta *m = leaf->entry->meta;
	const struct place p = {leaf->key, m->namespace, m->name};

	if (!n)
		return make(leaf, NULL, NULL);
	struct view_node *top;

	if (compare(&p, n) < 0) {
		struct view_node *left = with(n->left, leaf);

		top = make(n, left, take_node(n->right));
		if (left->rank <= top->rank)
			return top;
		top->left = left->right;
		left->right = top;
		return left;
	}
	struct view_node *right = with(n->right, leaf);

	top = make(n, take_node(n->left), right);
	if (right->rank <= top->rank)
		return top;
	top->right = right->left;
	right->left = top;
	return right;
}

/* All of `a` comes before all of `b`. */
static struct view_node *join(struct view_node *a, struct view_node *b)
{
	if (!a || !b)
		return take_node(a ? a : b);
	if (a->rank > b->rank)
		return make(a, take_node(a->left), join(a->right, b));
	return make(b, join(a, b->left), take_node(b->right));
}

static struct view_node *without(struct view_node *n, const struct place *p)
{
	if (!n)
		return NULL;
	int order = compare(p, n);

	if (order == 0)
		return join(n->left, n->right);
	if (order < 0)
		return make(n, without(n->left, p), take_node(n->right));
	return make(n, take_node(n->left), without(n->right, p));
}
