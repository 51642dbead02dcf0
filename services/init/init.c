#include "init/init.h"

#include "lib/base/log.h"
#include "lib/os/file.h"
#include "lib/supervise/service.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define EXTRA_SERVICES "/run/coracle/extra/services"

struct mount_point {
	const char *what, *at, *type, *options;
	unsigned long flags;
	bool optional; /* the kernel may lack it */
};

enum { QUIET = MS_NOSUID | MS_NODEV | MS_NOEXEC };

/* What is mounted already, by stage 1, stays. */
static const struct mount_point mount_points[] = {
	{"proc", "/proc", "proc", NULL, QUIET, false},
	{"sysfs", "/sys", "sysfs", NULL, QUIET, false},
	{"devtmpfs", "/dev", "devtmpfs", "mode=755", MS_NOSUID, false},
	{"tmpfs", "/run", "tmpfs", "mode=755,size=16m", MS_NOSUID | MS_NODEV, false},
	{"devpts", "/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC,
		false},
	{"tmpfs", "/dev/shm", "tmpfs", "mode=1777,size=16m", MS_NOSUID | MS_NODEV, false},
	{"mqueue", "/dev/mqueue", "mqueue", NULL, QUIET, true},
	{"cgroup2", "/sys/fs/cgroup", "cgroup2", "nsdelegate", QUIET, false},
	{"securityfs", "/sys/kernel/security", "securityfs", NULL, QUIET, true},
	{"bpf", "/sys/fs/bpf", "bpf", "mode=700", QUIET, true},
	{"efivarfs", "/sys/firmware/efi/efivars", "efivarfs", NULL, QUIET, true},
	{"tmpfs", "/tmp", "tmpfs", "mode=1777,size=25%", MS_NOSUID | MS_NODEV, false},
	{"tmpfs", "/var", "tmpfs", "mode=755,size=10%", MS_NOSUID | MS_NODEV, false},
};

static const char *const folders[] = {"/dev/pts", "/dev/shm", "/dev/mqueue"};

static const char *const later_folders[] = {"/var/lib", "/var/log", "/var/cache", "/var/tmp",
	"/var/lib/coracle", "/var/lib/etcd", "/var/lib/kubelet", "/run/coracle", "/run/coracle/etc",
	SERVICE_FOLDER, SERVICE_FOLDER "/.s6-svscan"};

static const struct {
	const char *file, *value;
} kernel_settings[] = {
	{"kernel/panic", "10"},
	{"kernel/panic_on_oops", "1"},
	{"kernel/pid_max", "4194304"},
	{"kernel/dmesg_restrict", "1"},
	{"kernel/kptr_restrict", "1"},
	{"vm/overcommit_memory", "1"},
	{"vm/panic_on_oom", "0"},
	{"fs/inotify/max_user_instances", "8192"},
	{"fs/inotify/max_user_watches", "524288"},
	{"fs/protected_symlinks", "1"},
	{"fs/protected_hardlinks", "1"},
	{"net/ipv4/ip_forward", "1"},
	{"net/ipv4/conf/all/rp_filter", "0"},
	{"net/ipv4/conf/default/rp_filter", "0"},
	{"net/ipv4/conf/all/accept_redirects", "0"},
	{"net/ipv4/conf/all/send_redirects", "0"},
	{"net/ipv6/conf/all/forwarding", "1"},
	{"net/ipv6/conf/all/accept_redirects", "0"},
};

/* What s6-svscan runs when it is signalled, when it ends and when it cannot go on. */
static const struct {
	const char *name, *program;
} scan_files[] = {
	{"SIGTERM", "#!/sbin/shutdown reboot\n"},
	{"SIGINT", "#!/sbin/shutdown reboot\n"},
	{"SIGUSR1", "#!/sbin/shutdown halt\n"},
	{"SIGUSR2", "#!/sbin/shutdown poweroff\n"},
	{"SIGPWR", "#!/sbin/shutdown poweroff\n"},
	{"finish", "#!/sbin/shutdown end\n"},
	{"crash", "#!/sbin/shutdown crash\n"},
};

static int begin(struct err *e);
static int mount_all(struct err *e);
static bool is_mounted(const char *at);
static void set_kernel(void);
static void set_output(void);
static int make_services(struct err *e);
static void add_extra(void);
static int make_folders(const char *const *at, size_t count, struct err *e);

int init_main(int argc, char **argv)
{
	static char *const scan[] = {
		(char *)"s6-svscan", (char *)"-t0", (char *)SERVICE_FOLDER, NULL};
	static char *const env[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct err e;

	(void)argc, (void)argv;
	if (begin(&e) < 0) {
		log_error("init: %s", e.text);
		return 1;
	}
	execve("/usr/bin/s6-svscan", scan, env);
	log_error("init: starting s6-svscan: %s", strerror(errno));
	return 1;
}

static int begin(struct err *e)
{
	struct rlimit files = {1 << 16, 1 << 20};

	setsid();
	umask(022);
	if (chdir("/") < 0)
		return err_set_errno(e, errno, "going to /");
	TRY(mount_all(e));
	set_output();
	set_kernel();
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		log_warning("init: the limit of open files stays: %s", strerror(errno));
	reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del becomes SIGINT; a container may not ask for it */
	return make_services(e);
}

static int mount_all(struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(mount_points); i++) {
		const struct mount_point *m = &mount_points[i];

		if (str_eq(str_of(m->at), STR("/dev/pts")))
			TRY(make_folders(folders, COUNT_OF(folders), e));
		if (is_mounted(m->at))
			continue;
		if (mount(m->what, m->at, m->type, m->flags, m->options) < 0 && !m->optional)
			return err_set_errno(e, errno, "mounting %s", m->at);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		return err_set_errno(e, errno, "sharing mounts");
	return make_folders(later_folders, COUNT_OF(later_folders), e);
}

static bool is_mounted(const char *at)
{
	struct stat here, above;
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	const char *parent = arena_fmt(&a, "%s/..", at).at;
	bool mounted = stat(at, &here) == 0 && stat(parent, &above) == 0 &&
		here.st_dev != above.st_dev;

	arena_free(&a);
	return mounted;
}

/* A setting that this kernel does not have is no reason not to start. */
static void set_kernel(void)
{
	int folder = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < COUNT_OF(kernel_settings); i++) {
		const char *value = kernel_settings[i].value;
		int fd = openat(folder, kernel_settings[i].file, O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, value, strlen(value)) < 0)
			log_warning(
				"init: setting %s: %s", kernel_settings[i].file, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	close(folder);
}

/* What has no logger of its own speaks to the kernel's log. */
static void set_output(void)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (log >= 0) {
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
	}
}

static int make_services(struct err *e)
{
	DIR *d = opendir(SERVICE_DATA);
	struct dirent *entry;
	struct arena a;

	if (!d)
		return err_set_errno(e, errno, "opening " SERVICE_DATA);
	while ((entry = readdir(d))) {
		str name = str_of(entry->d_name);
		struct err why;

		if (name.at[0] == '.' || str_ends(name, STR("@")))
			continue;
		if (service_make(name, &why) < 0)
			log_error("init: %s", why.text);
	}
	closedir(d);
	add_extra();
	arena_init(&a, ARENA_NO_LIMIT);
	int made = 0;

	for (size_t i = 0; i < COUNT_OF(scan_files) && made == 0; i++)
		made = file_write(
			arena_fmt(&a, SERVICE_FOLDER "/.s6-svscan/%s", scan_files[i].name).at, 0755,
			str_of(scan_files[i].program), e);
	arena_free(&a);
	return made;
}

/* What only a launcher appends to the initrd, for tests: whole service folders. */
static void add_extra(void)
{
	DIR *d = opendir(EXTRA_SERVICES);
	struct dirent *entry;
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	while (d && (entry = readdir(d))) {
		const char *from = arena_fmt(&a, EXTRA_SERVICES "/%s", entry->d_name).at;

		if (entry->d_name[0] == '.')
			continue;
		mkdir(arena_fmt(&a, "%s/supervise", from).at, 0700);
		if (symlink(from, arena_fmt(&a, SERVICE_FOLDER "/%s", entry->d_name).at) < 0)
			log_warning("init: adding %s: %s", from, strerror(errno));
	}
	if (d)
		closedir(d);
	arena_free(&a);
}

static int make_folders(const char *const *at, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (mkdir(at[i], 0755) < 0 && errno != EEXIST)
			return err_set_errno(e, errno, "making %s", at[i]);
	return 0;
}
