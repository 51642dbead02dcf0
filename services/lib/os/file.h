/*
 * Whole files: read with a limit, written so that after a crash either the old or the new content
 * is there. Threading: any; both block.
 */
#pragma once

#include "lib/base/arena.h"

#include <sys/types.h>

/*
 * The content in the arena, with a NUL behind it that len does not count.
 * ERR_NOT_FOUND when there is no such file, ERR_LIMIT when it holds more than
 * `limit_bytes`. Works on /proc and pipes as well.
 */
NODISCARD int file_read(
	struct arena *a, const char *path, size_t limit_bytes, str *to, struct err *e);

/* A new file beside it, synced, renamed over it, the folder synced.
 * `mode` is not cut by the umask. */
NODISCARD int file_write(const char *path, mode_t mode, str content, struct err *e);
