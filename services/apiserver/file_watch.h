/*
 * Tells when a file in a folder has been replaced: certificates are renewed while we run
 * (apiserver/pkg/server/dynamiccertificates). Without polling, by inotify(7).
 *
 * Threading: the loop's. Ownership: embedded in its owner.
 */
#pragma once

#include "lib/loop/loop.h"

struct file_watch {
	struct loop_watch watch;
	struct loop *loop;                     /* NULL: it was not started */
	void (*changed)(struct file_watch *w); /* set by the owner */
};

/* Of the folder that holds `path`. */
NODISCARD int file_watch_start(
	struct file_watch *w, struct loop *l, const char *path, struct err *e);
void file_watch_end(struct file_watch *w);
