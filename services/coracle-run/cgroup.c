#include "coracle-run/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *const controllers[] = {"+memory", "+pids", "+cpu", "+io"};

static int put(const char *folder, const char *file, str value, struct err *e);
static int make_level(const char *at, bool is_last, bool guards, struct err *e);

int place_cgroup(const char *root, str group, const struct pair_list *limits, struct err *e)
{
	struct arena a;
	const char *at = root;
	bool guards = pairs_get(limits, STR("memory.min")).at;
	int done = 0;

	arena_init(&a, ARENA_NO_LIMIT);
	for (str rest = group; rest.at && done == 0;) {
		str level = str_cut(&rest, '/');

		for (size_t i = 0; i < COUNT_OF(controllers); i++) {
			struct err unused;

			/* One that the kernel lacks shows when its limit is set. */
			(void)!put(at, "cgroup.subtree_control", str_of(controllers[i]), &unused);
		}
		at = arena_fmt(&a, "%s/%.*s", at, STR_ARG(level)).at;
		done = make_level(at, !rest.at, guards, e);
	}
	for (size_t i = 0; i < limits->len && done == 0; i++)
		done = put(at, arena_str(&a, limits->at[i].key).at, limits->at[i].value, e);
	if (done == 0)
		done = put(at, "cgroup.procs", STR("0"), e);
	arena_free(&a);
	return done;
}

/* A parent guards nothing by itself but lets its children keep what they claim. */
static int make_level(const char *at, bool is_last, bool guards, struct err *e)
{
	if (mkdir(at, 0755) < 0 && errno != EEXIST)
		return err_set_errno(e, errno, "making the cgroup %s", at);
	return is_last || !guards ? 0 : put(at, "memory.min", STR("max"), e);
}

static int put(const char *folder, const char *file, str value, struct err *e)
{
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_set_errno(e, errno, "opening %s", folder);
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, value.at, value.len);
	int why = errno;

	if (fd >= 0)
		close(fd);
	close(dir);
	if (done < 0)
		return err_set_errno(e, why, "writing %.*s to %s/%s", STR_ARG(value), folder, file);
	return 0;
}
