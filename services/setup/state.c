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
	bool is_data; /* may fill up without harm to the rest */
} places[] = {
	{"etcd", "/var/lib/etcd", 0700, false},
	{"kubernetes", "/etc/kubernetes", 0755, false},
	{"cni-net.d", "/etc/cni/net.d", 0755, false},
	{"cni-bin", "/opt/cni/bin", 0755, false},
	{"kubelet", "/var/lib/kubelet", 0755, true},
	{"log", "/var/log", 0755, true},
};

/* What a disk is for: its label, or its partition's name or its serial while it is empty. */
struct purpose {
	const char *label, *serial, *folder;
};

static const struct purpose for_state = {STATE_LABEL, "coracle-state", STATE_FOLDER};
static const struct purpose for_data = {"CORACLE-DATA", "coracle-data", STATE_FOLDER "-data"};

static int find(struct arena *a, const struct purpose *p, str wanted, struct volume *to,
	bool *found, struct err *e);
static const struct volume *choose(const struct volume *all, size_t len, const struct purpose *p,
	str wanted, const struct volume **refused);
static int open_disk(const struct volume *v, const struct purpose *p, struct err *e);
static int open_data(struct arena *a, struct err *e);
static int open_ram(struct err *e);
static int make_file_system(const char *device, const char *label, bool in_ram, struct err *e);
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
		TRY(find(a, &for_state, wanted, &disk, &found, e));
	if (found) {
		TRY(open_disk(&disk, &for_state, e));
		s.device = disk.device;
	} else {
		TRY(open_ram(e));
	}
	TRY(open_data(a, e));
	TRY(open_places(e));
	TRY(state_write("device", 0644, s.device, e));
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

static int find(struct arena *a, const struct purpose *p, str wanted, struct volume *to,
	bool *found, struct err *e)
{
	bool must = !str_eq(wanted, STR("auto"));
	int64_t deadline = clock_system.monotonic_ns(&clock_system) + DISK_WAIT_S * NS_PER_S;
	const struct volume *v = NULL, *refused = NULL;
	struct device_wait wait;

	TRY(device_wait_open(&wait, e));
	for (;;) {
		struct volume *all;
		size_t len;

		if (volumes_find(a, &all, &len, e) < 0)
			break;
		v = choose(all, len, p, wanted, &refused);
		if (v || !must || refused || !device_wait_next(&wait, deadline))
			break;
	}
	device_wait_close(&wait);
	*found = v;
	if (v) {
		*to = *v;
		return 0;
	}
	if (refused)
		return err_set(e, ERR_INVALID,
			"%s%s holds something else; take an empty disk, or one with the label %s",
			must ? "coracle.state=" : "", refused->device.at, p->label);
	if (must)
		return err_set(e, ERR_NOT_FOUND,
			"coracle.state=%.*s: there is no such disk; attach it, or set "
			"coracle.state=ram",
			STR_ARG(wanted));
	return 0;
}

/* One that has the label goes before one that would get it. */
static const struct volume *choose(const struct volume *all, size_t len, const struct purpose *p,
	str wanted, const struct volume **refused)
{
	const struct volume *empty = NULL;
	bool named = str_starts(wanted, STR("/dev/"));

	for (size_t i = 0; i < len; i++) {
		const struct volume *v = &all[i];
		bool meant = named ? str_eq(v->device, wanted)
				   : str_eq(v->serial, str_of(p->serial)) ||
				str_eq(v->partition, str_of(p->label));

		if (v->read_only || (named && !meant))
			continue;
		if (v->content.kind == VOLUME_EXT4 && str_eq(v->content.label, str_of(p->label)))
			return v;
		if (meant && v->content.kind == VOLUME_EMPTY && !v->has_partitions)
			empty = v;
		else if (meant)
			*refused = v;
	}
	return empty;
}

static int open_disk(const struct volume *v, const struct purpose *p, struct err *e)
{
	if (v->content.kind == VOLUME_EMPTY) {
		log_info("%s is empty and becomes %s", v->device.at, p->label);
		TRY(make_file_system(v->device.at, p->label, false, e));
	} else {
		TRY(check_file_system(v->device.at, e));
	}
	if (mkdir(p->folder, 0755) < 0 && errno != EEXIST)
		return err_set_errno(e, errno, "making %s", p->folder);
	if (mount(v->device.at, p->folder, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME,
		    "errors=panic") < 0)
		return err_set_errno(e, errno, "mounting %s", v->device.at);
	return 0;
}

/* Where there is no disk for it, the state has the places for data too. */
static int open_data(struct arena *a, struct err *e)
{
	struct volume disk;
	bool found;

	if (is_mounted(for_data.folder))
		return 0;
	TRY(find(a, &for_data, STR("auto"), &disk, &found, e));
	return found ? open_disk(&disk, &for_data, e) : 0;
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
	TRY(make_file_system("/dev/zram0", STATE_LABEL, true, e));
	if (mount("/dev/zram0", STATE_FOLDER, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME,
		    "discard,errors=panic") < 0)
		return err_set_errno(e, errno, "mounting /dev/zram0");
	return 0;
}

static int make_file_system(const char *device, const char *label, bool in_ram, struct err *e)
{
	const char *const argv[] = {MKE2FS, "-q", "-t", "ext4", "-L", label, "-m", "1", "-E",
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
	bool has_data = is_mounted(for_data.folder);

	for (size_t i = 0; i < COUNT_OF(places) && done == 0; i++) {
		const char *folder = places[i].is_data && has_data ? for_data.folder : STATE_FOLDER;
		const char *from = arena_fmt(&a, "%s/%s", folder, places[i].name).at;

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
