/*
 * Stage 1: process 1 of the initramfs. Mounts the kernel's file systems, finds the root image of
 * this build, writes /run/coracle/boot for those who come after, and becomes the root's /sbin/init.
 *
 * The initramfs holds this program as /init, /coracle-release, which names the build, and may hold:
 * /root.squashfs, the root itself, when it came by network; /extra, which stays reachable as
 * /run/coracle/extra: services for debugging that only a launcher appends.
 */
#include "lib/os/file.h"
#include "stage1/probe.h"
#include "stage1/search.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_LIMIT_BYTES = 65536 };

struct place {
	const char *path, *type, *options;
	unsigned long flags;
};

static const struct place places[] = {
	{"/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"/dev", "devtmpfs", "mode=755", MS_NOSUID | MS_NOEXEC},
	{"/run", "tmpfs", "mode=755", MS_NOSUID | MS_NODEV},
};

static int start(struct arena *a, struct err *e);
static int find(struct arena *a, struct root *to, struct err *e);
static int tell(struct arena *a, const struct root *root, struct err *e);

int main(UNUSED int argc, char **argv)
{
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	if (start(&a, &e) == 0 && root_enter(argv, &e) == 0)
		return 0;
	/* The kernel restarts the machine when process 1 ends. */
	fprintf(stderr, "coracle: cannot start: %s\n", e.text);
	return 1;
}

static int start(struct arena *a, struct err *e)
{
	struct root root;

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		const struct place *p = &places[i];

		mkdir(p->path, 0755);
		if (mount(p->type, p->path, p->type, p->flags, p->options) < 0)
			return err_set_errno(e, errno, "mounting %s", p->path);
	}
	mkdir(ROOT_PLACE, 0755);
	TRY(find(a, &root, e));
	printf("coracle: the root image is on %s\n", root.device);
	fflush(stdout);
	return tell(a, &root, e);
}

static int find(struct arena *a, struct root *to, struct err *e)
{
	str line, release;

	TRY(file_read(a, "/proc/cmdline", TEXT_LIMIT_BYTES, &line, e));
	TRY(file_read(a, "/coracle-release", TEXT_LIMIT_BYTES, &release, e));
	str named = probe_setting(line, STR("coracle.root="));

	if (named.len)
		return search_named(named, to, e);
	if (access("/root.squashfs", F_OK) == 0)
		return root_mount("/root.squashfs", release, to, e);
	return search_root(release, to, e);
}

static int tell(struct arena *a, const struct root *root, struct err *e)
{
	mkdir("/run/coracle", 0755);
	if (access("/extra", F_OK) == 0) {
		mkdir("/run/coracle/extra", 0755);
		if (mount("/extra", "/run/coracle/extra", NULL, MS_BIND, NULL) < 0)
			return err_set_errno(e, errno, "keeping /extra");
	}
	str text = arena_fmt(a, "how=%s\ndevice=%s\n", root->how, root->device);

	return file_write("/run/coracle/boot", 0644, text, e);
}
