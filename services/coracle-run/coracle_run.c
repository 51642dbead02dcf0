#include "coracle-run/coracle_run.h"

#include "coracle-run/notify.h"
#include "coracle-run/place.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/os/file.h"
#include "lib/supervise/service.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define SETTINGS_FILE "/run/coracle/settings"
#define NOTIFY_FOLDER "/run/coracle/notify"

enum { SETTINGS_BYTES_MAX = 64 << 10, NOTIFICATION_FD = 3 };

struct service {
	struct arena arena;
	str folder_name; /* "etcd", "etcd/log" */
	str name;        /* without "/log" */
	struct run_file run;
	struct pair_list values;
	struct passwd *user;
};

static int run(struct service *s, const char *path, struct err *e);
static int find_name(struct service *s, struct err *e);
static void wait_after_deaths(str name);
static int read_values(struct service *s, struct err *e);
static int find_user(struct service *s, str name, struct passwd **to, struct err *e);
static int expand_all(struct service *s, struct str_list *list, struct err *e);
static int make_folders(struct service *s, struct err *e);
static int set_limits(struct service *s, struct err *e);
static int set_notify(struct service *s, const char **socket, struct err *e);
static int become(struct service *s, const char *socket, struct err *e);
static char **pointers(struct service *s, const struct str_list *list, size_t more);

int coracle_run_main(int argc, char **argv)
{
	struct service s = {0};
	struct err e;

	if (argc < 2) {
		fprintf(stderr, "usage: coracle-run RUN-FILE; s6-supervise starts it\n");
		return 2;
	}
	arena_init(&s.arena, ARENA_NO_LIMIT);
	if (run(&s, argv[1], &e) < 0)
		log_error("%.*s cannot start: %s", STR_ARG(s.folder_name), e.text);
	arena_free(&s.arena);
	return 111;
}

/* Returns only when it has failed. */
static int run(struct service *s, const char *path, struct err *e)
{
	const char *socket = NULL;
	str text;

	TRY(find_name(s, e));
	wait_after_deaths(s->folder_name);
	TRY(file_read(&s->arena, path, RUN_FILE_BYTES_MAX, &text, e));
	TRY(run_file_read(&s->arena, text, &s->run, e));
	TRY(service_wait(s->run.needs, true, INT64_MAX, e));
	TRY(read_values(s, e));
	TRY(find_user(s, s->run.user, &s->user, e));
	TRY(expand_all(s, &s->run.argv, e));
	TRY(expand_all(s, &s->run.env, e));
	TRY(make_folders(s, e));
	TRY(set_limits(s, e));
	TRY(set_notify(s, &socket, e));
	if (s->run.mount_count)
		TRY(place_mounts(s->run.mounts, s->run.mount_count, s->user, e));
	return become(s, socket, e);
}

static int find_name(struct service *s, struct err *e)
{
	char at[PATH_MAX];

	if (!getcwd(at, sizeof(at)))
		return err_set_errno(e, errno, "finding the service's folder");
	str whole = str_of(at);

	if (!str_starts(whole, STR(SERVICE_FOLDER "/")))
		return err_set(e, ERR_INVALID, "%s is no folder in " SERVICE_FOLDER, at);
	whole = str_slice(whole, sizeof(SERVICE_FOLDER), whole.len);
	s->folder_name = arena_str(&s->arena, whole);
	str rest = s->folder_name;

	s->name = str_cut(&rest, '/');
	return 0;
}

/* As a running service, so that it can be stopped at any time. */
static void wait_after_deaths(str name)
{
	struct service_deaths deaths;

	service_deaths(name, &deaths);
	int64_t backoff = service_backoff_ns(deaths.in_a_row);
	int64_t left = deaths.last_ns + backoff - clock_system.wall_ns(&clock_system);

	if (backoff > 0 && left > 0)
		poll(NULL, 0, (int)((left < backoff ? left : backoff) / NS_PER_MS));
}

static int read_values(struct service *s, struct err *e)
{
	struct pair_list settings = {0};
	struct arena *a = &s->arena;
	str rest = s->name, template = str_cut(&rest, '@'), text;

	(void)template;
	if (file_read(a, SETTINGS_FILE, SETTINGS_BYTES_MAX, &text, e) == 0)
		TRY(pairs_read(a, text, &settings, e));
	else if (e->kind != ERR_NOT_FOUND)
		return -1;
	s->values.at = arena_get(a, (settings.len + 2) * sizeof(*s->values.at));
	memcpy(s->values.at, settings.at, settings.len * sizeof(*settings.at));
	s->values.len = settings.len;
	s->values.at[s->values.len++] = (struct pair){STR("service"), s->name, 0};
	if (rest.at)
		s->values.at[s->values.len++] = (struct pair){STR("instance"), rest, 0};
	return 0;
}

static int find_user(struct service *s, str name, struct passwd **to, struct err *e)
{
	struct passwd *found = arena_get(&s->arena, sizeof(*found)), *result;
	enum { TEXTS_BYTES = 4096 };
	int why = getpwnam_r(arena_str(&s->arena, name).at, found,
		arena_get(&s->arena, TEXTS_BYTES), TEXTS_BYTES, &result);

	if (!result)
		return why ? err_set_errno(e, why, "finding the user %.*s", STR_ARG(name))
			   : err_set(e, ERR_NOT_FOUND, "there is no user %.*s", STR_ARG(name));
	*to = found;
	return 0;
}

static int expand_all(struct service *s, struct str_list *list, struct err *e)
{
	for (size_t i = 0; i < list->len; i++)
		TRY(run_expand(&s->arena, list->at[i], &s->values, &list->at[i], e));
	return 0;
}

static int make_folders(struct service *s, struct err *e)
{
	for (size_t i = 0; i < s->run.folder_count; i++) {
		struct run_folder *f = &s->run.folders[i];
		struct passwd *owner;
		str path;

		TRY(run_expand(&s->arena, f->path, &s->values, &path, e));
		TRY(find_user(s, f->user, &owner, e));
		TRY(place_folder(path.at, f->mode, owner, e));
	}
	return 0;
}

static int set_limits(struct service *s, struct err *e)
{
	const struct run_file *r = &s->run;

	if (r->cgroup.len)
		TRY(place_cgroup("/sys/fs/cgroup", r->cgroup, &r->limits, e));
	if (r->oom != INT64_MIN) {
		str value = arena_fmt(&s->arena, "%lld", (long long)r->oom);
		int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
		ssize_t put = fd < 0 ? -1 : write(fd, value.at, value.len);

		if (fd >= 0)
			close(fd);
		if (put < 0)
			return err_set_errno(e, errno, "setting oom_score_adj");
	}
	if (r->nofile != INT64_MIN) {
		struct rlimit limit = {(rlim_t)r->nofile, (rlim_t)r->nofile};

		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			return err_set_errno(e, errno, "setting the limit of open files");
	}
	return 0;
}

static int set_notify(struct service *s, const char **socket, struct err *e)
{
	if (s->run.notify == RUN_NOTIFY_SOCKET) {
		str path = arena_fmt(&s->arena, NOTIFY_FOLDER "/%.*s", STR_ARG(s->name));
		struct passwd *root;

		TRY(find_user(s, STR("root"), &root, e));
		TRY(place_folder(NOTIFY_FOLDER, 0755, root, e));
		TRY(notify_start(path.at, s->user, NOTIFICATION_FD, e));
		*socket = path.at;
	}
	return 0;
}

static int become(struct service *s, const char *socket, struct err *e)
{
	struct str_list *env = &s->run.env;
	char **argv = pointers(s, &s->run.argv, 0), **envp = pointers(s, env, 3);
	enum run_notify notify = s->run.notify;

	envp[env->len] = (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	envp[env->len + 1] = (char *)arena_fmt(&s->arena, "HOME=%s", s->user->pw_dir).at;
	if (socket)
		envp[env->len + 2] = (char *)arena_fmt(&s->arena, "NOTIFY_SOCKET=%s", socket).at;
	if (s->run.log && dup2(STDOUT_FILENO, STDERR_FILENO) < 0) /* the logger reads one */
		return err_set_errno(e, errno, "leading errors to the log");
	TRY(place_user(s->user, s->run.caps, e));
	if (notify == RUN_NOTIFY_START && write(NOTIFICATION_FD, "\n", 1) < 0)
		return err_set_errno(e, errno, "telling that it starts");
	syscall(SYS_close_range, notify == RUN_NOTIFY_FD ? NOTIFICATION_FD + 1 : NOTIFICATION_FD,
		~0u, CLOSE_RANGE_CLOEXEC);
	execve(argv[0], argv, envp);
	return err_set_errno(e, errno, "starting %s", argv[0]);
}

/* Ended by NULL, with room for more before it. */
static char **pointers(struct service *s, const struct str_list *list, size_t more)
{
	char **to = arena_get(&s->arena, (list->len + more + 1) * sizeof(*to));

	for (size_t i = 0; i < list->len; i++)
		to[i] = (char *)arena_str(&s->arena, list->at[i]).at;
	return to;
}
