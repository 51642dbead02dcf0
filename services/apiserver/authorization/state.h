/*
 * The authorizer's insides, for the sources of this folder.
 */
#pragma once

#include "apiserver/authorization/bootstrap_policy.h"
#include "apiserver/authorization/node_graph.h"
#include "apiserver/authorization/rbac.h"
#include "lib/base/map.h"

#include <pthread.h>

enum { FEEDS_MAX = 7 };

/* One watched resource. */
struct feed {
	struct storage_watch watch;
	struct authorizer *authorizer;
	const struct feed_kind *kind;
	bool running;
};

struct authorizer {
	struct authorizer_options options;
	struct arena arena;
	struct rule_list node_rules; /* in the arena */
	struct node_graph *graph;

	pthread_mutex_t lock; /* of `index` */
	struct rbac_index *index;
	_Atomic bool ready;

	/* The loop's thread's. */
	struct map entries; /* RBAC's objects by "resource ns/name" */
	struct feed feeds[FEEDS_MAX];
	size_t feed_count;
	struct storage_wait wait;
	struct loop_task start, publish;
	bool closing;
};

/* Begins to watch, from the loop's thread on; what RBAC says is published behind each turn. */
void feeds_start(struct authorizer *z);
void feeds_stop(struct authorizer *z);

/* The present index; a reference. */
struct rbac_index *authorizer_index(struct authorizer *z);
