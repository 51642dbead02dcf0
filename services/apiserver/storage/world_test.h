/*
 * Caches and watches without etcd, for the tests of this folder: what it would say is told to the
 * feed, on the store thread. Time is the test's.
 */
#pragma once

#include "apiserver/storage/state.h"
#include "lib/base/test.h"

enum { WORLD_FIRST = 10 }; /* the revision of an etcd that is empty */

struct world {
	struct clock_fake clock;
	struct metrics *metrics;
	struct storage *storage;
	const struct resource *pods, *nodes;
	struct loop loop; /* of the test's thread, which is an I/O thread */
	struct storage_io *io;
	int64_t revision;
	bool in_revision; /* of which more follows */
};

/* With a storage that waits for etcd; and one that has read it. */
void world_begin(struct test *t, struct world *w);
void world_begin_filled(struct test *t, struct world *w);
void world_end(struct world *w);

/* One event: a pod (or node, without namespace) that is there now, or gone. */
struct world_change {
	const char *ns, *name, *node;
	bool gone;
	bool more; /* the next change is of the same revision */
};

void world_change(struct world *w, const struct world_change *c);
void world_put_pod(struct world *w, const char *ns, const char *name, const char *node);
void world_remove_pod(struct world *w, const char *ns, const char *name);

/* Time goes on; and the store thread has seen it when this returns. */
void world_pass(struct world *w, int64_t by_ns);
