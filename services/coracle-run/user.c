#include "coracle-run/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* By their numbers. */
static const char *const cap_names[] = {"chown", "dac_override", "dac_read_search", "fowner",
	"fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable", "net_bind_service",
	"net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio",
	"sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write",
	"audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm",
	"block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore"};

static int find_caps(struct str_list names, uint64_t *to, struct err *e);
static int drop_caps(uint64_t kept, struct err *e);

int place_folder(const char *path, unsigned mode, const struct passwd *user, struct err *e)
{
	struct arena a;
	int done = 0;

	arena_init(&a, ARENA_NO_LIMIT);
	for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/'))
		mkdir(arena_str(&a, str_span(path, (size_t)(at - path))).at, 0755);
	arena_free(&a);
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_set_errno(e, errno, "making %s", path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(e, errno, "opening %s", path);
	if (fchown(fd, user->pw_uid, user->pw_gid) < 0 || fchmod(fd, mode) < 0)
		done = err_set_errno(e, errno, "giving %s to %s", path, user->pw_name);
	close(fd);
	return done;
}

int place_user(const struct passwd *user, struct str_list caps, struct err *e)
{
	uint64_t kept = 0;

	TRY(find_caps(caps, &kept, e));
	TRY(drop_caps(kept, e));
	if (setgroups(0, NULL) < 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
		setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return err_set_errno(e, errno, "becoming %s", user->pw_name);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set_errno(e, errno, "giving up new privileges");
	return 0;
}

static int find_caps(struct str_list names, uint64_t *to, struct err *e)
{
	uint64_t found = 0;

	for (size_t i = 0; i < names.len; i++) {
		size_t k = 0;

		while (k < COUNT_OF(cap_names) && !str_eq(names.at[i], str_of(cap_names[k])))
			k++;
		if (k == COUNT_OF(cap_names))
			return err_set(e, ERR_INVALID, "there is no capability \"%.*s\"",
				STR_ARG(names.at[i]));
		found |= 1ull << k;
	}
	*to = found;
	return 0;
}

/* From the bounding set: what exec gives to root is taken from there. */
static int drop_caps(uint64_t kept, struct err *e)
{
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if ((i > 63 || !(kept >> i & 1)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return err_set_errno(e, errno, "dropping capability %d", i);
	return 0;
}
