/*
 * Readiness of programs that tell it as systemd wants it (sd_notify(3): etcd, upstream's API
 * server, ours) to s6, which wants a line on a descriptor. A small process stands between them: it
 * sleeps until the service says READY=1 or ends.
 */
#pragma once

#include "lib/base/err.h"

#include <pwd.h>

/*
 * Starts it. `path` becomes a socket that `user` may write to; messages of other processes than
 * this one, which is about to become the service, are not heeded. Needs one thread.
 */
NODISCARD int notify_start(
	const char *path, const struct passwd *user, int notification_fd, struct err *e);
