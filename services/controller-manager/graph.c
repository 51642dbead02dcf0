#include "controller-manager/graph.h"

#include "lib/base/buf.h"
#include "lib/base/map.h"

#include <stdlib.h>

enum { ABSENT_MAX = 500 };

#define FOREGROUND STR("foregroundDeletion")
#define ORPHAN     STR("orphan")

struct graph {
	struct graph_sink *sink;
	struct map nodes;  /* by uid */
	struct map absent; /* texts in the ring, by themselves */
	char *ring[ABSENT_MAX];
	size_t ring_at;
};

static struct graph_node *add_node(struct graph *g, struct graph_identity id);
static void remove_node(struct graph *g, struct graph_node *n);
static void free_node(struct graph_node *n);
static void set_owners(struct graph_node *n, const struct object_meta *m);
static void join_owners(
	struct graph *g, struct graph_node *n, const struct graph_reference *owners, size_t count);
static void leave_owner(struct graph *g, struct graph_node *n, str uid);

struct graph *graph_new(struct graph_sink *sink)
{
	struct graph *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	g->sink = sink;
	map_init(&g->nodes);
	map_init(&g->absent);
	return g;
}

void graph_free(struct graph *g)
{
	map_each (&g->nodes, entry)
		free_node(entry->value);
	map_free(&g->nodes);
	map_free(&g->absent);
	for (size_t i = 0; i < ABSENT_MAX; i++)
		free(g->ring[i]);
	free(g);
}

struct graph_node *graph_find(const struct graph *g, str uid)
{
	return map_get(&g->nodes, uid);
}

/* --- identities */

static struct graph_identity identity_of(str api_version, str kind, const struct object_meta *m)
{
	return (struct graph_identity){m->uid, api_version, kind, m->namespace, m->name};
}

static bool same_identity(const struct graph_identity *a, const struct graph_identity *b)
{
	return str_eq(a->uid, b->uid) && str_eq(a->api_version, b->api_version) &&
		str_eq(a->kind, b->kind) && str_eq(a->ns, b->ns) && str_eq(a->name, b->name);
}

static bool names(const struct graph_reference *r, const struct graph_identity *id)
{
	return str_eq(r->uid, id->uid) && str_eq(r->api_version, id->api_version) &&
		str_eq(r->kind, id->kind) && str_eq(r->name, id->name);
}

/* The order in which upstream tries what an owner may be. */
static int compare_identities(const struct graph_identity *a, const struct graph_identity *b)
{
	int order = str_cmp(a->kind, b->kind);

	if (order == 0)
		order = str_cmp(a->api_version, b->api_version);
	if (order == 0)
		order = str_cmp(a->ns, b->ns);
	return order ? order : str_cmp(a->name, b->name);
}

static char *absent_key(struct graph_identity id, str *to)
{
	const str parts[] = {id.uid, id.api_version, id.kind, id.ns, id.name};
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		buf_add_str(&b, parts[i]);
		buf_add_char(&b, '\0');
	}
	*to = buf_str(&b);
	return b.at;
}

bool graph_is_absent(const struct graph *g, struct graph_identity id)
{
	str key;
	char *text = absent_key(id, &key);
	bool absent = map_get(&g->absent, key) != NULL;

	free(text);
	return absent;
}

void graph_note_absent(struct graph *g, struct graph_identity id)
{
	str key;
	char *text = absent_key(id, &key);

	if (map_get(&g->absent, key)) {
		free(text);
		return;
	}
	map_each (&g->absent, entry) {
		if (entry->value == g->ring[g->ring_at]) {
			(void)map_remove(&g->absent, entry->key);
			break;
		}
	}
	free(g->ring[g->ring_at]);
	g->ring[g->ring_at] = text;
	g->ring_at = (g->ring_at + 1) % ABSENT_MAX;
	map_put(&g->absent, key, text);
}

/* --- changes */

static bool has_finalizer(const struct object_meta *m, str name)
{
	for (size_t i = 0; i < m->finalizers.len; i++) {
		if (str_eq(m->finalizers.at[i], name))
			return true;
	}
	return false;
}

static bool begins_to_wait(
	const struct object_meta *before, const struct object_meta *now, str finalizer)
{
	if (!now->deletion_timestamp || !has_finalizer(now, finalizer))
		return false;
	return !before || !before->deletion_timestamp || !has_finalizer(before, finalizer);
}

static void look_at_transition(struct graph *g, struct graph_node *n,
	const struct object_meta *before, const struct object_meta *now)
{
	if (begins_to_wait(before, now, ORPHAN)) {
		g->sink->orphan(g->sink, n->id.uid);
	} else if (begins_to_wait(before, now, FOREGROUND)) {
		n->deleting_dependents = true;
		for (size_t i = 0; i < n->dependent_count; i++)
			g->sink->try_delete(g->sink, n->dependents[i]->id.uid);
		g->sink->try_delete(g->sink, n->id.uid);
	}
}

/* Whether any of a dependent's references to this uid means another object, and whether any means
 * this one. */
static void compare_references(
	const struct graph_node *dep, const struct graph_identity *id, bool *match, bool *mismatch)
{
	*match = *mismatch = false;
	if (id->ns.len > 0 && !str_eq(id->ns, dep->id.ns)) {
		*mismatch = true;
		return;
	}
	for (size_t i = 0; i < dep->owner_count; i++) {
		if (!str_eq(dep->owners[i].uid, id->uid))
			continue;
		if (names(&dep->owners[i], id))
			*match = true;
		else
			*mismatch = true;
	}
}

static const struct graph_reference *reference_to(const struct graph_node *n, str uid)
{
	for (size_t i = 0; i < n->owner_count; i++) {
		if (str_eq(n->owners[i].uid, uid))
			return &n->owners[i];
	}
	return NULL;
}

static void report(struct graph *g, const struct graph_node *n, str owner_uid)
{
	const struct graph_reference *r = reference_to(n, owner_uid);

	if (r)
		g->sink->wrong_namespace(g->sink, n, r);
}

static char *copy_identity(struct graph_identity *id)
{
	str *parts[] = {&id->uid, &id->api_version, &id->kind, &id->ns, &id->name};
	size_t len = 1;

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		len += parts[i]->len;
	char *texts = malloc(len), *at = texts;

	if (!texts)
		abort();
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (parts[i]->len > 0)
			memcpy(at, parts[i]->at, parts[i]->len);
		*parts[i] = str_span(at, parts[i]->len);
		at += parts[i]->len;
	}
	return texts;
}

static void set_identity(struct graph *g, struct graph_node *n, struct graph_identity id)
{
	char *old = n->texts;

	map_remove(&g->nodes, n->id.uid);
	n->texts = copy_identity(&id);
	n->id = id;
	map_put(&g->nodes, n->id.uid, n);
	free(old);
}

/* A virtual node turns out to be this object: those who took it for another are looked at. */
static void observe(struct graph *g, struct graph_node *n, struct graph_identity id)
{
	bool match, mismatch;

	if (!same_identity(&n->id, &id)) {
		for (size_t i = 0; i < n->dependent_count; i++) {
			const struct graph_node *dep = n->dependents[i];

			compare_references(dep, &id, &match, &mismatch);
			if (!mismatch)
				continue;
			if (id.ns.len > 0 && !str_eq(id.ns, dep->id.ns))
				report(g, dep, id.uid);
			g->sink->try_delete(g->sink, dep->id.uid);
		}
		set_identity(g, n, id);
	}
	n->is_virtual = false;
}

static bool blocks(const struct owner_reference *r)
{
	return r->block_owner_deletion && *r->block_owner_deletion;
}

static const struct owner_reference *find_reference(const struct object_meta *m, str uid)
{
	for (size_t i = 0; i < m->owner_references.len; i++) {
		if (str_eq(m->owner_references.at[i].uid, uid))
			return &m->owner_references.at[i];
	}
	return NULL;
}

/* Owners that this object no longer blocks, or no longer has, and those that are new to it. */
static void change_owners(struct graph *g, struct graph_node *n, const struct object_meta *m)
{
	struct graph_reference *old = n->owners, *added;
	size_t old_count = n->owner_count, added_count = 0;
	char *old_texts = n->owner_texts;

	for (size_t i = 0; i < old_count; i++) {
		const struct owner_reference *r = find_reference(m, old[i].uid);

		if (old[i].blocks && (!r || !blocks(r)) && graph_find(g, old[i].uid))
			g->sink->try_delete(g->sink, old[i].uid);
	}
	set_owners(n, m);
	added = calloc(n->owner_count + 1, sizeof(*added));
	if (!added)
		abort();
	for (size_t i = 0; i < n->owner_count; i++) {
		bool had = false;

		for (size_t o = 0; o < old_count; o++)
			had = had || str_eq(old[o].uid, n->owners[i].uid);
		if (!had)
			added[added_count++] = n->owners[i];
	}
	join_owners(g, n, added, added_count);
	for (size_t i = 0; i < old_count; i++) {
		if (!reference_to(n, old[i].uid))
			leave_owner(g, n, old[i].uid);
	}
	free(added);
	free(old);
	free(old_texts);
}

void graph_put(struct graph *g, str api_version, str kind, const struct object_meta *before,
	const struct object_meta *now)
{
	struct graph_identity id = identity_of(api_version, kind, now);
	struct graph_node *n = graph_find(g, now->uid);

	if (n && n->is_virtual)
		observe(g, n, id);
	if (!n) {
		n = add_node(g, id);
		n->deleting_dependents = now->deletion_timestamp && has_finalizer(now, FOREGROUND);
		set_owners(n, now);
		join_owners(g, n, n->owners, n->owner_count);
	} else {
		change_owners(g, n, now);
	}
	if (now->deletion_timestamp)
		n->being_deleted = true;
	look_at_transition(g, n, before, now);
}

static void delete_node(struct graph *g, struct graph_node *n, struct graph_identity id)
{
	if (n->dependent_count > 0)
		graph_note_absent(g, id);
	for (size_t i = 0; i < n->dependent_count; i++)
		g->sink->try_delete(g->sink, n->dependents[i]->id.uid);
	for (size_t i = 0; i < n->owner_count; i++) {
		const struct graph_node *owner = graph_find(g, n->owners[i].uid);

		if (owner && owner->deleting_dependents)
			g->sink->try_delete(g->sink, owner->id.uid);
	}
	remove_node(g, n);
}

void graph_remove(struct graph *g, str api_version, str kind, const struct object_meta *m)
{
	struct graph_identity id = identity_of(api_version, kind, m);
	struct graph_node *n = graph_find(g, m->uid);

	if (!n)
		return;
	if (n->is_virtual)
		observe(g, n, id);
	delete_node(g, n, id);
}

/* Those whose reference is to what is absent are looked at. Whether any means something else. */
static bool try_matching(
	struct graph *g, const struct graph_node *n, const struct graph_identity *id)
{
	bool match, mismatch, any = false, noted = false;

	for (size_t i = 0; i < n->dependent_count; i++) {
		compare_references(n->dependents[i], id, &match, &mismatch);
		any = any || mismatch;
	}
	if (!any && n->is_virtual)
		return false;
	for (size_t i = 0; i < n->dependent_count; i++) {
		compare_references(n->dependents[i], id, &match, &mismatch);
		if (!match)
			continue;
		if (!noted)
			graph_note_absent(g, *id);
		noted = true;
		g->sink->try_delete(g->sink, n->dependents[i]->id.uid);
	}
	return any;
}

/* What else the dependents say the owner may be: the next after `id`, or the first. */
static bool next_identity(
	const struct graph_node *n, const struct graph_identity *id, struct graph_identity *to)
{
	struct graph_identity first = {.uid.at = NULL}, following = {.uid.at = NULL};

	for (size_t d = 0; d < n->dependent_count; d++) {
		const struct graph_node *dep = n->dependents[d];

		for (size_t i = 0; i < dep->owner_count; i++) {
			const struct graph_reference *r = &dep->owners[i];
			struct graph_identity other = {
				r->uid, r->api_version, r->kind, dep->id.ns, r->name};

			if (!str_eq(r->uid, id->uid))
				continue;
			if (id->ns.len == 0 && str_eq(r->api_version, id->api_version) &&
				str_eq(r->kind, id->kind))
				other.ns = STR("");
			if (same_identity(&other, id))
				continue;
			if (!first.uid.at || compare_identities(&other, &first) < 0)
				first = other;
			if (compare_identities(id, &other) < 0 &&
				(!following.uid.at || compare_identities(&other, &following) < 0))
				following = other;
		}
	}
	*to = following.uid.at ? following : first;
	return to->uid.at != NULL;
}

void graph_absent(struct graph *g, struct graph_identity id)
{
	struct graph_node *n = graph_find(g, id.uid);
	struct graph_identity other;

	if (!n)
		return;
	if (!n->is_virtual) {
		if (same_identity(&n->id, &id))
			delete_node(g, n, id);
		else
			(void)try_matching(g, n, &id);
		return;
	}
	if (!try_matching(g, n, &id)) {
		delete_node(g, n, id);
	} else if (same_identity(&n->id, &id) && next_identity(n, &id, &other)) {
		set_identity(g, n, other);
		g->sink->try_delete_later(g->sink, n->id.uid);
	}
}

/* --- nodes */

static struct graph_node *add_node(struct graph *g, struct graph_identity id)
{
	struct graph_node *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->texts = copy_identity(&id);
	n->id = id;
	map_put(&g->nodes, n->id.uid, n);
	return n;
}

static void free_node(struct graph_node *n)
{
	free(n->texts);
	free(n->owner_texts);
	free(n->owners);
	free(n->dependents);
	free(n);
}

static void remove_node(struct graph *g, struct graph_node *n)
{
	map_remove(&g->nodes, n->id.uid);
	for (size_t i = 0; i < n->owner_count; i++)
		leave_owner(g, n, n->owners[i].uid);
	free_node(n);
}

/* The old ones stay the caller's. */
static void set_owners(struct graph_node *n, const struct object_meta *m)
{
	size_t count = m->owner_references.len, len = 1;

	for (size_t i = 0; i < count; i++) {
		const struct owner_reference *r = &m->owner_references.at[i];

		len += r->uid.len + r->api_version.len + r->kind.len + r->name.len;
	}
	n->owner_count = count;
	n->owners = count > 0 ? calloc(count, sizeof(*n->owners)) : NULL;
	n->owner_texts = count > 0 ? malloc(len) : NULL;
	if (count > 0 && (!n->owners || !n->owner_texts))
		abort();
	char *at = n->owner_texts;

	for (size_t i = 0; i < count; i++) {
		const struct owner_reference *r = &m->owner_references.at[i];
		struct graph_reference *to = &n->owners[i];
		const str from[] = {r->uid, r->api_version, r->kind, r->name};
		str *parts[] = {&to->uid, &to->api_version, &to->kind, &to->name};

		for (size_t p = 0; p < COUNT_OF(from); p++) {
			if (from[p].len > 0)
				memcpy(at, from[p].at, from[p].len);
			*parts[p] = str_span(at, from[p].len);
			at += from[p].len;
		}
		to->blocks = blocks(r);
	}
}

static void add_dependent(struct graph_node *owner, struct graph_node *n)
{
	for (size_t i = 0; i < owner->dependent_count; i++) {
		if (owner->dependents[i] == n)
			return;
	}
	if (owner->dependent_count == owner->dependent_cap) {
		owner->dependent_cap = owner->dependent_cap ? 2 * owner->dependent_cap : 4;
		owner->dependents = realloc(
			owner->dependents, owner->dependent_cap * sizeof(struct graph_node *));
		if (!owner->dependents)
			abort();
	}
	owner->dependents[owner->dependent_count++] = n;
}

static void leave_owner(struct graph *g, struct graph_node *n, str uid)
{
	struct graph_node *owner = graph_find(g, uid);

	for (size_t i = 0; owner && i < owner->dependent_count; i++) {
		if (owner->dependents[i] == n) {
			owner->dependents[i] = owner->dependents[--owner->dependent_count];
			return;
		}
	}
}

/* Whether the reference may be to something else than the node with its uid. */
static bool may_be_wrong(struct graph *g, const struct graph_node *n,
	const struct graph_node *owner, const struct graph_reference *r)
{
	bool other_namespace = !str_eq(owner->id.ns, n->id.ns);

	if (owner->id.ns.len > 0 && other_namespace) {
		if (!owner->is_virtual)
			report(g, n, r->uid);
		return true;
	}
	return !names(r, &owner->id) || (other_namespace && owner->is_virtual);
}

static void join_owners(
	struct graph *g, struct graph_node *n, const struct graph_reference *owners, size_t count)
{
	bool wrong = false;

	for (size_t i = 0; i < count; i++) {
		const struct graph_reference *r = &owners[i];
		struct graph_node *owner = graph_find(g, r->uid);

		if (owner) {
			add_dependent(owner, n);
			wrong = wrong || may_be_wrong(g, n, owner, r);
			continue;
		}
		owner = add_node(g,
			(struct graph_identity){
				r->uid, r->api_version, r->kind, n->id.ns, r->name});
		owner->is_virtual = true;
		add_dependent(owner, n);
		g->sink->try_delete(g->sink, owner->id.uid);
	}
	if (wrong)
		g->sink->try_delete(g->sink, n->id.uid);
}
