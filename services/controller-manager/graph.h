/*
 * The garbage collector's graph: who owns whom. Nodes are objects by uid; one that is only named as
 * an owner and not seen yet is virtual.
 *
 * Ownership: the graph's; texts are copied. Threading: the caller holds one lock.
 * Source: kubernetes/pkg/controller/garbagecollector/graph_builder.go.
 */
#pragma once

#include "api/kinds.h"

struct graph;

/* Where an object is. ns is empty for cluster-scoped ones, or not known yet of a virtual one. */
struct graph_identity {
	str uid, api_version, kind, ns, name;
};

struct graph_reference {
	str uid, api_version, kind, name;
	bool blocks;
};

struct graph_node {
	struct graph_identity id;
	struct graph_reference *owners;
	size_t owner_count;
	struct graph_node **dependents;
	size_t dependent_count, dependent_cap;
	bool is_virtual, being_deleted, deleting_dependents;
	char *texts, *owner_texts; /* its own */
};

/* Whom the graph tells; called with the lock held. */
struct graph_sink {
	void (*try_delete)(struct graph_sink *s, str uid);
	void (*try_delete_later)(struct graph_sink *s, str uid); /* after a growing delay */
	void (*orphan)(struct graph_sink *s, str uid);

	/* An object names an owner of another namespace. */
	void (*wrong_namespace)(struct graph_sink *s, const struct graph_node *n,
		const struct graph_reference *owner);
};

struct graph *graph_new(struct graph_sink *sink);
void graph_free(struct graph *g);

/* An object is new or changed, or is gone; `before` may be NULL. */
void graph_put(struct graph *g, str api_version, str kind, const struct object_meta *before,
	const struct object_meta *now);
void graph_remove(struct graph *g, str api_version, str kind, const struct object_meta *m);

/* The server says that there is no such object. */
void graph_absent(struct graph *g, struct graph_identity id);

/* NULL if there is none. */
struct graph_node *graph_find(const struct graph *g, str uid);

/* Whether it was found to be absent lately. */
bool graph_is_absent(const struct graph *g, struct graph_identity id);
void graph_note_absent(struct graph *g, struct graph_identity id);
