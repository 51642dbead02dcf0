/*
 * Replica sets, and what others ask about them.
 */
#pragma once

#include "controller-manager/objects.h"

/* What replica sets and replication controllers have in common: a replica set that stands for
 * either, and how its status is written. */
struct replicas {
	struct pass *p;
	const void *owner;            /* as the cache has it: events and claims name it */
	const struct replica_set *rs; /* the owner, or one that stands for it */
	struct expectations *expectations;
	enum api_type type;
	bool counts_terminating;
	int (*write_status)(struct replicas *r, const struct replica_set_status *s, struct err *e);
};

/* Brings the number of pods in line and tells the status. */
NODISCARD int replicas_reconcile(struct replicas *r, struct err *e);

/* The status after this pass. */
void replicas_status(struct replicas *r, const struct object_list *active, size_t terminating,
	const struct err *failure, struct replica_set_status *to);
