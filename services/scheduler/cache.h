/*
 * What the scheduler knows of nodes and pods: upstream's backend/cache. Nodes carry sums of what
 * their pods request, so that a filter looks at numbers; pods that were given a node, but are not
 * seen there yet, count as assumed.
 *
 * Ownership: the cache owns its structs; a pod_info holds a reference to its pod's entry.
 * Threading: everything under the scheduler's lock.
 */
#pragma once

#include "lib/api/pod.h"
#include "lib/base/map.h"
#include "lib/client/view.h"
#include "lib/value/selector.h"

struct scalar {
	str name;
	int64_t value;
};

/* Milli-cores, bytes, and whole things. */
struct resources {
	int64_t cpu_milli, memory, ephemeral, pods;
	struct scalar *scalars;
	size_t scalar_count, scalar_cap;
};

/* A term of pod affinity, its selectors parsed. */
struct affinity_term {
	struct meta_selector selector, namespaces;
	struct str_list names; /* of namespaces */
	str topology_key;
	int32_t weight; /* of a preferred one */
};

struct affinity_terms {
	struct affinity_term *at;
	size_t len;
};

enum pod_place {
	POD_NOWHERE,
	POD_ACTIVE,
	POD_BACKOFF,
	POD_UNSCHEDULABLE,
	POD_IN_FLIGHT,
	POD_BOUND
};

struct pod_info {
	str uid; /* own memory */
	struct entry *entry;
	const struct pod *pod; /* of the entry */
	struct arena arena;    /* of what follows */
	struct resources requests;
	int64_t scored_cpu_milli, scored_memory; /* with upstream's guess where nothing is said */
	struct affinity_terms affinity, anti_affinity, prefers, avoids;
	int32_t priority;

	struct node_info *node;           /* where it is or is assumed to be */
	struct pod_info *next, *previous; /* of the node */
	bool assumed;

	/* The queue's. */
	enum pod_place place;
	size_t slot;
	int64_t since_ns, backoff_until_ns, parked_ns;
	int attempts;
	unsigned blamed; /* plugins that refused it last, a bit each */
	bool moved;      /* something it waits for happened while it was in flight */
	str nominated;   /* node that preemption made room on; in the arena */
};

struct node_info {
	struct entry *entry; /* NULL: pods name it, but nobody has seen it */
	const struct node *node;
	str name; /* own memory */
	struct resources allocatable, requested;
	int64_t scored_cpu_milli, scored_memory;
	struct pod_info *pods;
	size_t with_affinity, with_anti_affinity;
	size_t index; /* in the list of nodes */
};

struct cache {
	struct map nodes; /* by name */
	struct map pods;  /* by uid: every pod that is not finished */
	struct node_info **list;
	size_t len, cap;  /* only those that have been seen */
	size_t nominated; /* pods that wait for room made for them */
};

void cache_init(struct cache *c);
void cache_free(struct cache *c);

/* A new info; takes over the reference. Not placed anywhere yet. */
struct pod_info *pod_info_new(struct entry *pod);
void pod_info_free(struct pod_info *p);

/* The same pod as it is now; what was computed from it is computed anew. Takes over. */
void pod_info_renew(struct pod_info *p, struct entry *pod);

struct pod_info *cache_pod(const struct cache *c, str uid);

/* Puts a pod on a node, or takes it off. */
void cache_place(struct cache *c, struct pod_info *p, str node);
void cache_displace(struct cache *c, struct pod_info *p);

void cache_set_node(struct cache *c, struct entry *node);
void cache_remove_node(struct cache *c, str name);

int64_t scalar_of(const struct resources *r, str name) PURE;
