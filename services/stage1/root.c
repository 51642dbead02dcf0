#include "stage1/root.h"

#include "lib/os/file.h"
#include "stage1/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VOLUME_PLACE "/volume"

enum { RELEASE_LIMIT_BYTES = 4096, DEPTH_LIMIT = 16 };

struct extent {
	uint64_t offset_bytes, len_bytes; /* len_bytes 0: to the end */
};

static int probe_path(const char *path, enum probe_kind *kind, bool *is_file, struct err *e);
static int find_in_volume(const char *device, struct extent *to, struct err *e);
static int file_extent(const char *path, struct extent *to, struct err *e);
static int mount_through_loop(const char *path, struct extent at, struct err *e);
static int attach_loop(const char *path, struct extent at, char *loop, size_t room, struct err *e);
static int check_release(str release, struct err *e);
static void remove_below(int folder, dev_t device, int depth);

int root_mount(const char *path, str release, struct root *to, struct err *e)
{
	struct extent whole = {0};
	enum probe_kind kind;
	bool is_file;

	TRY(probe_path(path, &kind, &is_file, e));
	if (kind == PROBE_OTHER)
		return err_set(e, ERR_NOT_FOUND, "neither a root image nor an ISO 9660 volume");
	if (kind == PROBE_ISO9660)
		TRY(find_in_volume(path, &whole, e));
	if (is_file || kind == PROBE_ISO9660)
		TRY(mount_through_loop(path, whole, e));
	else if (mount(path, ROOT_PLACE, "squashfs", MS_RDONLY, NULL) < 0)
		return err_set_errno(e, errno, "mounting it");
	if (release.at && check_release(release, e) < 0) {
		umount2(ROOT_PLACE, MNT_DETACH);
		return -1;
	}
	to->how = is_file ? "initrd" : kind == PROBE_ISO9660 ? "iso9660" : "squashfs";
	snprintf(to->device, sizeof(to->device), "%s", path);
	return 0;
}

static int probe_path(const char *path, enum probe_kind *kind, bool *is_file, struct err *e)
{
	static char start[PROBE_BYTES];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(e, errno, "opening it");
	ssize_t got = fstat(fd, &st) < 0 ? -1 : pread(fd, start, sizeof(start), 0);
	int failed = errno;

	close(fd);
	if (got < 0)
		return err_set_errno(e, failed, "reading it");
	*kind = probe_bytes(str_span(start, (size_t)got));
	*is_file = S_ISREG(st.st_mode);
	return 0;
}

static int find_in_volume(const char *device, struct extent *to, struct err *e)
{
	mkdir(VOLUME_PLACE, 0700);
	if (mount(device, VOLUME_PLACE, "iso9660", MS_RDONLY | MS_NODEV | MS_NOSUID, NULL) < 0)
		return err_set_errno(e, errno, "mounting the ISO 9660 volume");
	int result = file_extent(VOLUME_PLACE "/root.squashfs", to, e);

	umount(VOLUME_PLACE);
	return result;
}

static int file_extent(const char *path, struct extent *to, struct err *e)
{
	struct stat st;
	int block = 0, block_bytes, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, ERR_NOT_FOUND, "an ISO 9660 volume without root.squashfs");
	bool known = fstat(fd, &st) == 0 && ioctl(fd, FIGETBSZ, &block_bytes) == 0 &&
		ioctl(fd, FIBMAP, &block) == 0;
	int failed = errno;

	close(fd);
	if (!known)
		return err_set_errno(e, failed, "asking where in the volume root.squashfs is");
	to->offset_bytes = (uint64_t)block * (uint64_t)block_bytes;
	to->len_bytes = (uint64_t)st.st_size;
	return 0;
}

static int mount_through_loop(const char *path, struct extent at, struct err *e)
{
	char loop[32];

	TRY(attach_loop(path, at, loop, sizeof(loop), e));
	if (mount(loop, ROOT_PLACE, "squashfs", MS_RDONLY, NULL) < 0)
		return err_set_errno(e, errno, "mounting the root image in it");
	return 0;
}

/* The loop device lets go by itself when what is mounted from it goes. O_DIRECT lets it read past
 * the page cache, which holds the files of the root already. */
static int attach_loop(const char *path, struct extent at, char *loop, size_t room, struct err *e)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	int failed = errno;

	close(control);
	if (number < 0)
		return err_set_errno(e, failed, "getting a loop device");
	snprintf(loop, room, "/dev/loop%d", number);

	int backing = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	int device = open(loop, O_RDWR | O_CLOEXEC);
	struct loop_config config = {
		.fd = (uint32_t)backing,
		.info = {.lo_offset = at.offset_bytes,
			.lo_sizelimit = at.len_bytes,
			.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO},
	};
	int result = backing < 0 || device < 0 ? -1 : ioctl(device, LOOP_CONFIGURE, &config);

	failed = errno;
	close(backing);
	/* Left open on success: closing it before it is mounted would clear it again. */
	if (result < 0) {
		close(device);
		return err_set_errno(e, failed, "attaching it to %s", loop);
	}
	return 0;
}

static int check_release(str release, struct err *e)
{
	struct arena a;
	str found;

	arena_init(&a, ARENA_NO_LIMIT);
	int result = file_read(
		&a, ROOT_PLACE "/etc/coracle-release", RELEASE_LIMIT_BYTES, &found, e);

	if (result == 0 && !str_eq(found, release))
		result = err_set(e, ERR_CONFLICT, "a root image of another build");
	arena_free(&a);
	return result;
}

int root_enter(char **argv, struct err *e)
{
	static const char *const moved[] = {"/dev", "/proc", "/run", "/sys"};
	struct stat old;
	char to[32];

	for (size_t i = 0; i < COUNT_OF(moved); i++) {
		snprintf(to, sizeof(to), ROOT_PLACE "%s", moved[i]);
		if (mount(moved[i], to, NULL, MS_MOVE, NULL) < 0)
			return err_set_errno(e, errno, "moving %s into the root", moved[i]);
	}
	int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top >= 0 && fstat(top, &old) == 0)
		remove_below(top, old.st_dev, 0);
	if (chdir(ROOT_PLACE) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
		chdir("/") < 0)
		return err_set_errno(e, errno, "making " ROOT_PLACE " the root");
	argv[0] = (char[]){"/sbin/init"};
	execv(argv[0], argv);
	return err_set_errno(e, errno, "starting /sbin/init");
}

/* Other file systems stay, and a folder that was mounted elsewhere: `extra` of the top. */
static void remove_below(int folder, dev_t device, int depth)
{
	DIR *list = fdopendir(folder);
	struct dirent *next;
	struct stat st;

	while (list && (next = readdir(list))) {
		const char *name = next->d_name;
		bool kept = !strcmp(name, ".") || !strcmp(name, "..") ||
			(depth == 0 && !strcmp(name, "extra"));

		if (kept || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			st.st_dev != device)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_LIMIT)
			remove_below(openat(folder, name,
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				device, depth + 1);
		unlinkat(folder, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	}
	closedir(list);
}
