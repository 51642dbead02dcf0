#include "coracle-run/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct tree {
	int fd;
	str at;
};

static int open_trees(struct arena *a, const struct run_mount *mounts, size_t count,
	struct tree *to, struct err *e);
static int change(
	int fd, enum run_mount_kind kind, const struct passwd *user, int *namespace, struct err *e);
static int open_user_namespace(const struct passwd *user, int *to, struct err *e);
static int put_map(struct arena *a, pid_t child, const char *file, unsigned id, struct err *e);
static const char *path(struct arena *a, str s);

int place_mounts(
	const struct run_mount *mounts, size_t count, const struct passwd *user, struct err *e)
{
	struct arena a;
	int namespace = -1, done;

	if (unshare(CLONE_NEWNS) < 0)
		return err_set_errno(e, errno, "making a mount namespace");
	if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set_errno(e, errno, "keeping mounts from the others");
	arena_init(&a, ARENA_NO_LIMIT);
	struct tree *trees = arena_get(&a, count * sizeof(*trees));

	done = open_trees(&a, mounts, count, trees, e);
	for (size_t i = 0; i < count && done == 0; i++) {
		done = change(trees[i].fd, mounts[i].kind, user, &namespace, e);
		if (done == 0 &&
			syscall(SYS_move_mount, trees[i].fd, "", AT_FDCWD, path(&a, trees[i].at),
				MOVE_MOUNT_F_EMPTY_PATH) < 0)
			done = err_set_errno(e, errno, "mounting %.*s", STR_ARG(trees[i].at));
	}
	for (size_t i = 0; i < count; i++)
		if (trees[i].fd > 0)
			close(trees[i].fd);
	if (namespace >= 0)
		close(namespace);
	arena_free(&a);
	return done;
}

/* All before the first is put in place, so that none copies another's change. */
static int open_trees(struct arena *a, const struct run_mount *mounts, size_t count,
	struct tree *to, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct run_mount *m = &mounts[i];
		int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path(a, m->at),
			OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

		if (fd < 0)
			return err_set_errno(e, errno, "mounting %.*s", STR_ARG(m->at));
		to[i] = (struct tree){fd, m->to.at ? m->to : m->at};
	}
	return 0;
}

static int change(
	int fd, enum run_mount_kind kind, const struct passwd *user, int *namespace, struct err *e)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};

	if (kind == RUN_MOUNT_BIND || kind == RUN_MOUNT_PLAIN)
		return 0;
	if (kind == RUN_MOUNT_IDMAP) {
		if (*namespace < 0)
			TRY(open_user_namespace(user, namespace, e));
		attributes.attr_set |= MOUNT_ATTR_IDMAP;
		attributes.userns_fd = (unsigned)*namespace;
	}
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		return err_set_errno(e, errno, "changing whose files a mount shows");
	return 0;
}

/* A user namespace has to be somebody's: of a child that ends as soon as it is held open. */
static int open_user_namespace(const struct passwd *user, int *to, struct err *e)
{
	struct clone_args how = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	struct arena a;
	int hold[2];

	if (pipe2(hold, O_CLOEXEC) < 0)
		return err_set_errno(e, errno, "making a pipe");
	pid_t child = (pid_t)syscall(SYS_clone3, &how, sizeof(how));

	if (child == 0) {
		char unused;

		close(hold[1]);
		_exit(read(hold[0], &unused, 1) != 0);
	}
	close(hold[0]);
	arena_init(&a, ARENA_NO_LIMIT);
	int done = child < 0 ? err_set_errno(e, errno, "making a user namespace") : 0;

	if (done == 0)
		done = put_map(&a, child, "uid_map", user->pw_uid, e);
	if (done == 0)
		done = put_map(&a, child, "gid_map", user->pw_gid, e);
	if (done == 0) {
		*to = open(arena_fmt(&a, "/proc/%d/ns/user", (int)child).at, O_RDONLY | O_CLOEXEC);
		if (*to < 0)
			done = err_set_errno(e, errno, "opening a user namespace");
	}
	arena_free(&a);
	close(hold[1]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return done;
}

/* What root owns on the disk belongs to `id` here; other owners are nobody. */
static int put_map(struct arena *a, pid_t child, const char *file, unsigned id, struct err *e)
{
	str map = arena_fmt(a, "0 %u 1", id);
	int fd = open(arena_fmt(a, "/proc/%d/%s", (int)child, file).at, O_WRONLY | O_CLOEXEC);
	ssize_t put = fd < 0 ? -1 : write(fd, map.at, map.len);
	int why = errno;

	if (fd >= 0)
		close(fd);
	return put < 0 ? err_set_errno(e, why, "writing %s", file) : 0;
}

static const char *path(struct arena *a, str s)
{
	return arena_str(a, s).at;
}
