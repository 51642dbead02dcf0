/*
 * The framework: plugins at extension points, as upstream's scheduling framework has them. A cycle
 * schedules one pod: each plugin may prepare (pre_filter), refuse nodes (filter), prepare again
 * (pre_score) and score those that are left; the order, weights and what a plugin waits for when it
 * has refused are rows of a table.
 *
 * Threading: under the scheduler's lock. Everything of a cycle lives in its arena. Source:
 * pkg/scheduler/framework; pkg/scheduler/apis/config/v1/default_plugins.go; KEP-624, KEP-4247.
 */
#pragma once

#include "lib/api/node.h"
#include "lib/base/clock.h"
#include "scheduler/cache.h"

/* What happened in the cluster: queueing hints say which plugins' refusals it may end. */
enum cluster_event {
	EVENT_NODE_ADD = 1 << 0,
	EVENT_NODE_ALLOCATABLE = 1 << 1,
	EVENT_NODE_LABELS = 1 << 2,
	EVENT_NODE_TAINTS = 1 << 3,
	EVENT_POD_ADD = 1 << 4,    /* a pod with a node */
	EVENT_POD_UPDATE = 1 << 5, /* its labels, or it needs less */
	EVENT_POD_DELETE = 1 << 6,
	EVENT_NAMESPACE = 1 << 7,
	EVENT_ALL = (1 << 8) - 1,
};

enum { SCORE_MAX = 100 };

/* Counts by topology: (key, value) to a number. */
struct topology_counts {
	struct map map;
};

struct spread;

struct cycle {
	struct arena *arena;
	const struct clock *clock;
	struct cache *cache;
	struct pod_info *p;
	const struct view *namespaces;

	/* The plugins' own, from pre_filter and pre_score. */
	struct spread *hard, *soft;
	size_t hard_count, soft_count;
	struct topology_counts affine, anti_affine, refused;
	struct topology_counts preferred;
	bool has_affine, has_refused, first_of_kind;
	struct node_info *const *feasible;
	size_t feasible_count;
};

/* Why a node will not do: one reason, or several for resources. */
enum { REASONS_MAX = 8 };

struct refusal {
	str reasons[REASONS_MAX];
	size_t count;
	bool for_good; /* no removal of pods would help */
};

struct plugin {
	const char *name;
	int weight;      /* of its score */
	unsigned events; /* enum cluster_event, that may make its refusal wrong */
	void (*pre_filter)(struct cycle *c);
	bool (*filter)(const struct cycle *c, const struct node_info *n, struct refusal *why);
	void (*pre_score)(struct cycle *c);
	int64_t (*score)(const struct cycle *c, const struct node_info *n);
	void (*normalize)(const struct cycle *c, int64_t *scores, size_t count);
};

extern const struct plugin plugins[];
extern const size_t plugin_count;

/* Runs every filter; `*blamed` gets the bit of the plugin that refused. */
bool framework_filter(
	const struct cycle *c, const struct node_info *n, struct refusal *why, unsigned *blamed);
void framework_pre_filter(struct cycle *c);

/* The node with the highest score; ties go by `random`. */
struct node_info *framework_best(
	struct cycle *c, struct node_info *const *feasible, size_t count, struct random *random);

/* Frees what a cycle's plugins hold outside the arena. */
void framework_end(struct cycle *c);

/* --- for plugins */

void refuse(struct refusal *why, str reason);

/* Highest becomes 100 (or, `reverse`, 0). */
void normalize_to_max(int64_t *scores, size_t count, bool reverse);

str node_label(const struct node_info *n, str key);

void topology_init(struct topology_counts *t);
void topology_free(struct topology_counts *t);
void topology_add(struct arena *a, struct topology_counts *t, str key, str value, int64_t by);
int64_t topology_get(const struct topology_counts *t, str key, str value);

/* The filters and scores, each in its file. */
bool filter_unschedulable(const struct cycle *c, const struct node_info *n, struct refusal *why);
bool filter_name(const struct cycle *c, const struct node_info *n, struct refusal *why);
bool filter_ports(const struct cycle *c, const struct node_info *n, struct refusal *why);
bool filter_devices(const struct cycle *c, const struct node_info *n, struct refusal *why);
bool filter_taints(const struct cycle *c, const struct node_info *n, struct refusal *why);
int64_t score_taints(const struct cycle *c, const struct node_info *n);
void normalize_taints(const struct cycle *c, int64_t *scores, size_t count);
bool filter_node_affinity(const struct cycle *c, const struct node_info *n, struct refusal *why);
int64_t score_node_affinity(const struct cycle *c, const struct node_info *n);
void normalize_node_affinity(const struct cycle *c, int64_t *scores, size_t count);
bool filter_resources(const struct cycle *c, const struct node_info *n, struct refusal *why);
int64_t score_least_allocated(const struct cycle *c, const struct node_info *n);
int64_t score_balanced(const struct cycle *c, const struct node_info *n);
int64_t score_images(const struct cycle *c, const struct node_info *n);
void prepare_spread(struct cycle *c);
void end_spread(struct cycle *c);
bool filter_spread(const struct cycle *c, const struct node_info *n, struct refusal *why);
void prepare_spread_scores(struct cycle *c);
int64_t score_spread(const struct cycle *c, const struct node_info *n);
void normalize_spread(const struct cycle *c, int64_t *scores, size_t count);
void prepare_pod_affinity(struct cycle *c);
bool filter_pod_affinity(const struct cycle *c, const struct node_info *n, struct refusal *why);
void prepare_pod_affinity_scores(struct cycle *c);
int64_t score_pod_affinity(const struct cycle *c, const struct node_info *n);
void normalize_pod_affinity(const struct cycle *c, int64_t *scores, size_t count);
