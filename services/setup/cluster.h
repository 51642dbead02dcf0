/*
 * Follows the API server of this machine: whenever it has become ready, a process of its own makes
 * the cluster's first objects (bootstrap.h), so that the memory for that is not kept. One that
 * failed is started again after a while.
 *
 * Threading: the loop's. Ownership: embedded in its owner, who lives as long as the process.
 */
#pragma once

#include "lib/loop/loop.h"
#include "lib/os/process.h"

struct cluster {
	void (*made)(struct cluster *c); /* set by the owner */
	struct loop *loop;
	const char *server; /* https://HOST:PORT as others reach it; set by the owner */
	struct loop_watch status, child;
	struct loop_timer again;
	struct process process;
	bool was_ready, running, done;
};

NODISCARD int cluster_follow(struct cluster *c, struct loop *l, struct err *e);
