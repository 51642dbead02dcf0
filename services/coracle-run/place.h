/*
 * Where a service runs and what it may: cgroup, mounts, user, capabilities. Each changes the
 * calling process, for good; all need root and one thread.
 */
#pragma once

#include "lib/supervise/run_file.h"

#include <pwd.h>

/* Makes the cgroup with its parents, sets its limits, moves this process there. `group` is below
 * `root`, which is /sys/fs/cgroup. */
NODISCARD int place_cgroup(
	const char *root, str group, const struct pair_list *limits, struct err *e);

/* A mount namespace of its own; `user` is whom idmapped files shall belong to. */
NODISCARD int place_mounts(
	const struct run_mount *mounts, size_t count, const struct passwd *user, struct err *e);

/* The folder exists with that owner and mode, its parents too. */
NODISCARD int place_folder(
	const char *path, unsigned mode, const struct passwd *user, struct err *e);

/* The user, his group and no others; root keeps `caps`. Nothing that is started later gets more. */
NODISCARD int place_user(const struct passwd *user, struct str_list caps, struct err *e);
