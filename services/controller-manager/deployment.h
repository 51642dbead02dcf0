/*
 * One pass of a deployment, in parts: deployment.c decides, deployment_new.c makes and marks the
 * replica set of the present template, deployment_rolling.c moves replicas between old and new,
 * deployment_status.c tells how it stands; deployment_math.c only counts.
 *
 * Source: kubernetes/pkg/controller/deployment.
 */
#pragma once

#include "controller-manager/objects.h"

struct rollout {
	struct pass *p;
	struct deployment *d;            /* a copy, its replicas set */
	struct object_list sets;         /* its replica sets, all of them */
	const struct replica_set *fresh; /* the one of the present template; may be NULL */
	struct object_list old;          /* the others, oldest first */
};

#define REVISION_KEY STR("deployment.kubernetes.io/revision")

/* --- deployment_math.c */

/* Of the strategy; both zero would never end, so that one may be unavailable then. */
int32_t deployment_max_surge(const struct deployment *d);
int32_t deployment_max_unavailable(const struct deployment *d);

/* How many replicas the new set may have now; `total`: those of all sets. */
int32_t deployment_new_replicas(
	const struct deployment *d, const struct replica_set *fresh, int32_t total);

/* A set's share of `to_add` replicas (of which `added` are given out already), may be negative. */
int32_t deployment_proportion(
	const struct deployment *d, const struct replica_set *rs, int32_t to_add, int32_t added);

static inline int32_t replicas_of(const struct replica_set *rs)
{
	return rs->spec.replicas ? *rs->spec.replicas : 1;
}

int32_t sets_replicas(const struct object_list *sets); /* that are asked for */

/* Orders: by age; by size, among equals the older or the newer first. */
int sets_oldest_first(const void *a, const void *b);
int sets_largest_oldest_first(const void *a, const void *b);
int sets_largest_newest_first(const void *a, const void *b);

/* A number in an annotation of a set; false if it is not there or no number. */
bool set_number(const struct replica_set *rs, str key, int64_t *to);

/* --- deployment_new.c */

/* Finds `fresh` and `old` among the sets and brings their revisions up to date; makes the new set
 * if it is missing and `create`. */
NODISCARD int rollout_find_sets(struct rollout *r, bool create, struct err *e);

/* Desired and largest number of replicas, noted on a set. Whether that changed anything. */
bool rollout_note_size(struct rollout *r, struct replica_set *rs);

/* --- deployment_rolling.c */

struct object_list rollout_all(struct rollout *r);
struct object_list sets_active(struct rollout *r, const struct object_list *sets);

/* With the event. `*rs` becomes what the server answers. */
NODISCARD int rollout_scale(
	struct rollout *r, const struct replica_set **rs, int32_t to, struct err *e);
NODISCARD int rollout_rolling(struct rollout *r, struct err *e);
NODISCARD int rollout_recreate(struct rollout *r, struct err *e);
NODISCARD int rollout_cleanup(struct rollout *r, struct err *e);

/* --- deployment_status.c */

const struct deployment_condition *deployment_condition(
	const struct deployment_status *s, str type);
void deployment_set_condition(struct rollout *r, struct deployment_status *s, str type, str status,
	str reason, str message);
bool deployment_complete(const struct deployment *d, const struct deployment_status *s);
bool deployment_has_deadline(const struct deployment *d);

/* Writes `d`'s status and annotations; `d` becomes what the server answers. */
NODISCARD int rollout_write_status(struct rollout *r, struct err *e);

/* While rolling out: counts, conditions, progress. When only scaling or paused: counts. */
NODISCARD int rollout_tell_progress(struct rollout *r, struct err *e);
NODISCARD int rollout_tell_counts(struct rollout *r, struct err *e);
