#include "setup/state.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/os/file.h"
#include "lib/os/process.h"
#include "setup/device_wait.h"
#include "setup/volume.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#define E2FSCK "/sbin/e2fsck"
#define MKE2FS "/sbin/mke2fs"
#define ZRAM   "/sys/block/zram0"

enum {
	FILE_BYTES_MAX = 1 << 20,
	DISK_WAIT_S = 30,
	ZRAM_LEAST_BYTES = 512 << 20,
	E2FSCK_REPAIRED = 3, /* 1: errors corrected, 2: and the machine should restart if mounted */
};

/* Folders of the state and where the system sees them. */
static const struct {
	const char *name, *at;
	mode_t mode;
} places[] = {
	{"etcd", "/var/lib/etcd", 0700},
	{"kubernetes", "/etc/kubernetes", 0755},
	{"cni-net.d", "/etc/cni/net.d", 0755},
	{"cni-bin", "/opt/cni/bin", 0755},
	{"kubelet", "/var/lib/kubelet", 0755},
	{"log", "/var/log", 0755},
};

static int find(struct arena *a, str wanted, struct volume *to, bool *found, struct err *e);
static const struct volume *choose(const struct volume *all, size_t len, str wanted, bool *refused);
static int open_disk(const struct volume *v, struct state *to, struct err *e);
static int open_ram(struct err *e);
static int make_file_system(const char *device, bool in_ram, struct err *e);
static int check_file_system(const char *device, struct err *e);
static int run(const char *const *argv, int most, struct err *e);
static int open_places(struct err *e);
static bool is_mounted(const char *at);
static int put(const char *path, str value, struct err *e);

int state_open(struct arena *a, str wanted, struct state *to, struct err *e)
{
	struct state s = {.device = STR("")};
	struct volume disk;
	bool found = false;

	if (is_mounted(STATE_FOLDER)) { /* by ourselves, before we were started again */
		TRY(open_places(e));
		TRY(state_read(a, "device", &s.device, e));
		*to = s;
		return 0;
	}
	if (!str_eq(wanted, STR("ram")))
		TRY(find(a, wanted, &disk, &found, e));
	if (found)
		TRY(open_disk(&disk, &s, e));
	else
		TRY(open_ram(e));
	TRY(open_places(e));
	TRY(state_write("device", 0644, s.device, e));
	s.made |= !found;
	*to = s;
	return 0;
}

int state_read(struct arena *a, const char *name, str *to, struct err *e)
{
	const char *path = arena_fmt(a, STATE_FOLDER "/%s", name).at;

	if (file_read(a, path, FILE_BYTES_MAX, to, e) == 0)
		return 0;
	if (e->kind != ERR_NOT_FOUND)
		return -1;
	*to = (str){0};
	return 0;
}

int state_write(const char *name, mode_t mode, str content, struct err *e)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	int done = file_write(arena_fmt(&a, STATE_FOLDER "/%s", name).at, mode, content, e);
	arena_free(&a);
	return done;
}

static int find(struct arena *a, str wanted, struct volume *to, bool *found, struct err *e)
{
	bool must = !str_eq(wanted, STR("auto")), refused = false;
	int64_t deadline = clock_system.monotonic_ns(&clock_system) + DISK_WAIT_S * NS_PER_S;
	struct device_wait wait;

	TRY(device_wait_open(&wait, e));
	for (;;) {
		struct volume *all;
		size_t len;

		if (volumes_find(a, &all, &len, e) < 0)
			break;
		const struct volume *v = choose(all, len, wanted, &refused);

		if (v)
			*to = *v;
		*found = v;
		if (v || !must || refused || !device_wait_next(&wait, deadline))
			break;
	}
	device_wait_close(&wait);
	if (*found || !must)
		return 0;
	if (refused)
		return err_set(e, ERR_INVALID,
			"coracle.state=%.*s: this disk holds something else; take an empty one, or "
			"one with the label " STATE_LABEL,
			STR_ARG(wanted));
	return err_set(e, ERR_NOT_FOUND,
		"coracle.state=%.*s: there is no such disk; attach it, or set coracle.state=ram",
		STR_ARG(wanted));
}

static const struct volume *choose(const struct volume *all, size_t len, str wanted, bool *refused)
{
	bool named = str_starts(wanted, STR("/dev/"));

	for (size_t i = 0; i < len; i++) {
		const struct volume *v = &all[i];
		bool labelled = v->content.kind == VOLUME_EXT4 &&
			str_eq(v->content.label, STR(STATE_LABEL));
		bool meant = named ? str_eq(v->device, wanted)
				   : str_eq(v->serial, STR("coracle-state")) ||
				str_eq(v->partition, STR(STATE_LABEL));
		bool empty = v->content.kind == VOLUME_EMPTY && !v->has_partitions;

		if (v->read_only || (named && !meant))
			continue;
		if (labelled || (meant && empty))
			return v;
		*refused |= named;
	}
	return NULL;
}

static int open_disk(const struct volume *v, struct state *to, struct err *e)
{
	to->device = v->device;
	if (v->content.kind == VOLUME_EMPTY) {
		log_info("%s is empty and becomes the state disk", v->device.at);
		TRY(make_file_system(v->device.at, false, e));
		to->made = true;
	} else {
		TRY(check_file_system(v->device.at, e));
	}
	if (mount(v->device.at, STATE_FOLDER, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME,
		    "errors=panic") < 0)
		return err_set_errno(e, errno, "mounting %s", v->device.at);
	return 0;
}

/* As large as the memory, which compression makes it look like; what is not written costs nothing.
 */
static int open_ram(struct err *e)
{
	struct sysinfo machine;
	struct err unused;
	char size[32];

	sysinfo(&machine);
	uint64_t bytes = (uint64_t)machine.totalram * machine.mem_unit;

	if (bytes < ZRAM_LEAST_BYTES)
		bytes = ZRAM_LEAST_BYTES;
	snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes);
	(void)!put(ZRAM "/comp_algorithm", STR("lz4"), &unused); /* else the kernel's own */
	TRY(put(ZRAM "/disksize", str_of(size), e));
	TRY(make_file_system("/dev/zram0", true, e));
	if (mount("/dev/zram0", STATE_FOLDER, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME,
		    "discard,errors=panic") < 0)
		return err_set_errno(e, errno, "mounting /dev/zram0");
	return 0;
}

static int make_file_system(const char *device, bool in_ram, struct err *e)
{
	const char *const argv[] = {MKE2FS, "-q", "-t", "ext4", "-L", STATE_LABEL, "-m", "1", "-E",
		in_ram ? "nodiscard,lazy_itable_init=1" : "lazy_itable_init=1,lazy_journal_init=1",
		"-O", in_ram ? "^has_journal" : "metadata_csum", device, NULL};

	return run(argv, 0, e);
}

static int check_file_system(const char *device, struct err *e)
{
	const char *const argv[] = {E2FSCK, "-p", device, NULL};

	return run(argv, E2FSCK_REPAIRED, e);
}

static int run(const char *const *argv, int most, struct err *e)
{
	static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct process_options o = {
		.path = argv[0], .argv = argv, .env = env, .in = -1, .out = 1, .error = 2};
	struct process_exit done;
	struct process p;

	TRY(process_start(&o, &p, e));
	int waited = process_wait(&p, &done, e);

	close(p.pidfd);
	if (waited < 0)
		return -1;
	if (done.signal || done.status > most)
		return err_set(e, ERR_SYSTEM, "%s ended with %s %d; the kernel's log tells more",
			argv[0], done.signal ? "signal" : "status",
			done.signal ? done.signal : done.status);
	return 0;
}

static int open_places(struct err *e)
{
	struct arena a;
	int done = 0;

	arena_init(&a, ARENA_NO_LIMIT);
	for (size_t i = 0; i < COUNT_OF(places) && done == 0; i++) {
		const char *from = arena_fmt(&a, STATE_FOLDER "/%s", places[i].name).at;

		if (is_mounted(places[i].at))
			continue;
		if (mkdir(from, places[i].mode) < 0 && errno != EEXIST)
			done = err_set_errno(e, errno, "making %s", from);
		else if (mount(from, places[i].at, NULL, MS_BIND, NULL) < 0)
			done = err_set_errno(e, errno, "showing %s at %s", from, places[i].at);
	}
	arena_free(&a);
	return done;
}

/* A folder that is bound to another of the same file system is told by its device alone, since the
 * places' own are of other file systems. */
static bool is_mounted(const char *at)
{
	struct stat here, above;
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	bool mounted = stat(at, &here) == 0 && stat(arena_fmt(&a, "%s/..", at).at, &above) == 0 &&
		here.st_dev != above.st_dev;
	arena_free(&a);
	return mounted;
}

static int put(const char *path, str value, struct err *e)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return err_set_errno(e, errno, "opening %s", path);
	bool done = fwrite(value.at, 1, value.len, f) == value.len;

	if (fclose(f) != 0 || !done)
		return err_set_errno(e, errno, "writing %s", path);
	return 0;
}
