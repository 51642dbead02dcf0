#include "lib/supervise/service.h"

#include "lib/base/clock.h"
#include "lib/os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

enum {
	TAI_OFFSET_S = 10, /* between 1970's TAI and UTC, as skalibs has it */
	TALLY_BYTES = 14,  /* of one death */
	LONG_LIFE_S = 60,
	BACKOFF_MOST_S = 60,
	SCRATCH_BYTES = 64 << 10,
};

#define TAI_ZERO ((uint64_t)1 << 62)

static void read_small(struct arena *a, str name, const char *file, str *to);
static bool is_in(struct str_list names, bool ready, str *other);
static int make_file(const char *folder, const char *name, mode_t mode, str content, struct err *e);
static int make_folder(const char *at, mode_t mode, struct err *e);
static int make_in(struct arena *a, str name, struct err *e);
static int make_log(struct arena *a, const char *folder, struct err *e);
static int write_control(const char *path, const char *letters, struct err *e);
static int by_name(const void *a, const void *b);

static uint64_t big(const char *at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

static int64_t tai_ns(const char *at)
{
	int64_t seconds = (int64_t)(big(at, 8) - TAI_ZERO - TAI_OFFSET_S);

	if (seconds < 0 || seconds > INT64_MAX / NS_PER_S - 1)
		return 0;
	return seconds * NS_PER_S + (int64_t)big(at + 8, 4) % NS_PER_S;
}

int service_status_read(str content, struct service_status *to, struct err *e)
{
	if (content.len != SERVICE_STATUS_BYTES)
		return err_set(e, ERR_INVALID, "a status of %zu bytes", content.len);
	pid_t pid = (pid_t)big(content.at + 24, 8);
	int flags = content.at[42];

	*to = (struct service_status){
		.up = pid > 0 && !(flags & 2), /* 2: its finish runs */
		.ready = pid > 0 && !(flags & 2) && (flags & 8),
		.wanted_up = flags & 4,
		.since_ns = tai_ns(content.at),
		.pid = pid,
	};
	return 0;
}

void service_status(str name, struct service_status *to)
{
	struct arena a;
	struct err e;
	str content;

	arena_init(&a, SCRATCH_BYTES);
	read_small(&a, name, "supervise/status", &content);
	if (service_status_read(content, to, &e) < 0)
		*to = (struct service_status){0};
	arena_free(&a);
}

void service_deaths_read(str content, struct service_deaths *to)
{
	size_t count = content.len / TALLY_BYTES;
	int64_t later = 0;

	*to = (struct service_deaths){.count = (int)count};
	for (size_t i = count; i-- > 0;) {
		const char *at = content.at + i * TALLY_BYTES;
		int64_t when = tai_ns(at);

		if (!to->in_a_row) {
			to->last_ns = when;
			to->code = (unsigned char)at[12];
			to->signal = (unsigned char)at[13];
		} else if (later - when > (LONG_LIFE_S + BACKOFF_MOST_S) * NS_PER_S) {
			break;
		}
		to->in_a_row++;
		later = when;
	}
}

void service_deaths(str name, struct service_deaths *to)
{
	struct arena a;
	str content;

	arena_init(&a, SCRATCH_BYTES);
	read_small(&a, name, "supervise/death_tally", &content);
	service_deaths_read(content, to);
	arena_free(&a);
}

int64_t service_backoff_ns(int deaths_in_a_row)
{
	int64_t most = BACKOFF_MOST_S * NS_PER_S;

	if (deaths_in_a_row < 2)
		return 0;
	if (deaths_in_a_row > 8)
		return most;
	int64_t wait = (NS_PER_S / 2) << deaths_in_a_row;

	return wait < most ? wait : most;
}

int service_make(str name, struct err *e)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	int made = make_in(&a, name, e);
	arena_free(&a);
	return made < 0 ? err_context(e, "making the service %.*s", STR_ARG(name)) : 0;
}

int service_scan(struct err *e)
{
	return write_control(SERVICE_FOLDER "/.s6-svscan/control", "a", e);
}

int service_terminate(struct err *e)
{
	return write_control(SERVICE_FOLDER "/.s6-svscan/control", "t", e);
}

int service_command(str name, const char *letters, struct err *e)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	int done = write_control(
		arena_fmt(&a, SERVICE_FOLDER "/%.*s/supervise/control", STR_ARG(name)).at, letters,
		e);
	arena_free(&a);
	return done;
}

int service_wait(struct str_list names, bool ready, int64_t deadline_ns, struct err *e)
{
	int fd;
	str other;

	TRY(service_watch(names, &fd, e));
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	while (!is_in(names, ready, &other)) {
		int64_t left = deadline_ns == INT64_MAX
			? -1
			: (deadline_ns - clock_system.monotonic_ns(&clock_system)) / NS_PER_MS;

		if (left < 0 && deadline_ns != INT64_MAX) {
			close(fd);
			return err_set(e, ERR_TIMEOUT, "%.*s is still not %s", STR_ARG(other),
				ready ? "ready" : "down");
		}
		if (poll(&wait, 1, left > 60000 ? 60000 : (int)left) > 0)
			service_drain(fd);
	}
	close(fd);
	return 0;
}

int service_list(struct arena *a, struct str_list *to, struct err *e)
{
	DIR *d = opendir(SERVICE_FOLDER);
	struct str_list list = {arena_get(a, RUN_LIST_MAX * sizeof(str)), 0};
	struct dirent *entry;

	if (!d)
		return err_set_errno(e, errno, "opening " SERVICE_FOLDER);
	while ((entry = readdir(d)) && list.len < RUN_LIST_MAX)
		if (entry->d_name[0] != '.')
			list.at[list.len++] = arena_str(a, str_of(entry->d_name));
	closedir(d);
	qsort(list.at, list.len, sizeof(*list.at), by_name);
	*to = list;
	return 0;
}

int service_run_file(struct arena *a, str name, struct run_file *to, struct err *e)
{
	const char *path = arena_fmt(a, SERVICE_FOLDER "/%.*s/run", STR_ARG(name)).at;
	str text;

	TRY(file_read(a, path, RUN_FILE_BYTES_MAX, &text, e));
	return run_file_read(a, text, to, e) < 0 ? err_context(e, "%s", path) : 0;
}

int service_watch(struct str_list names, int *to, struct err *e)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct arena a;

	if (fd < 0)
		return err_set_errno(e, errno, "opening inotify");
	arena_init(&a, ARENA_NO_LIMIT);
	for (size_t i = 0; i < names.len; i++) {
		const char *at =
			arena_fmt(&a, SERVICE_FOLDER "/%.*s/supervise", STR_ARG(names.at[i])).at;

		if (inotify_add_watch(fd, at, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
			err_write_errno(e, errno, "watching %s", at);
			close(fd);
			arena_free(&a);
			return -1;
		}
	}
	arena_free(&a);
	*to = fd;
	return 0;
}

void service_drain(int fd)
{
	char events[4096] __attribute__((aligned(8)));

	while (read(fd, events, sizeof(events)) > 0)
		continue;
}

/* Absent when it cannot be read: there is nobody to tell, and no state is the answer. */
static void read_small(struct arena *a, str name, const char *file, str *to)
{
	struct err e;

	*to = (str){0};
	if (file_read(a, arena_fmt(a, SERVICE_FOLDER "/%.*s/%s", STR_ARG(name), file).at,
		    SERVICE_DEATHS_MAX * TALLY_BYTES, to, &e) < 0)
		*to = (str){0};
}

static bool is_in(struct str_list names, bool ready, str *other)
{
	for (size_t i = 0; i < names.len; i++) {
		struct service_status s;

		service_status(names.at[i], &s);
		if (ready ? !s.ready : s.up) {
			*other = names.at[i];
			return false;
		}
	}
	return true;
}

static int make_in(struct arena *a, str name, struct err *e)
{
	str rest = name, template = str_cut(&rest, '@');
	const char *folder = arena_fmt(a, SERVICE_FOLDER "/%.*s", STR_ARG(name)).at;
	const char *from =
		arena_fmt(a, SERVICE_DATA "/%.*s%s", STR_ARG(template), rest.at ? "@" : "").at;
	struct run_file run;
	str text;

	TRY(file_read(a, from, RUN_FILE_BYTES_MAX, &text, e));
	if (run_file_read(a, text, &run, e) < 0)
		return err_context(e, "%s", from);
	TRY(make_folder(folder, 0755, e));
	TRY(make_folder(arena_fmt(a, "%s/supervise", folder).at, 0700, e));
	TRY(make_file(folder, "run", 0755, text, e));
	TRY(make_file(folder, "timeout-kill", 0644, STR("5000\n"), e));
	if (run.notify != RUN_NOTIFY_NONE)
		TRY(make_file(folder, "notification-fd", 0644, STR("3\n"), e));
	if (run.roles.len)
		TRY(make_file(folder, "down", 0644, STR(""), e));
	return run.log ? make_log(a, folder, e) : 0;
}

static int make_log(struct arena *a, const char *folder, struct err *e)
{
	const char *log = arena_fmt(a, "%s/log", folder).at;
	str text;

	TRY(file_read(a, SERVICE_DATA "/log@", RUN_FILE_BYTES_MAX, &text, e));
	TRY(make_folder(log, 0755, e));
	TRY(make_folder(arena_fmt(a, "%s/supervise", log).at, 0700, e));
	TRY(make_file(log, "timeout-kill", 0644, STR("2000\n"), e));
	return make_file(log, "run", 0755, text, e);
}

static int make_folder(const char *at, mode_t mode, struct err *e)
{
	if (mkdir(at, mode) < 0 && errno != EEXIST)
		return err_set_errno(e, errno, "making %s", at);
	return 0;
}

static int make_file(const char *folder, const char *name, mode_t mode, str content, struct err *e)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	int made = file_write(arena_fmt(&a, "%s/%s", folder, name).at, mode, content, e);
	arena_free(&a);
	return made;
}

static int write_control(const char *path, const char *letters, struct err *e)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	size_t len = strlen(letters);

	if (fd < 0)
		return err_set_errno(e, errno, "opening %s", path);
	ssize_t put = write(fd, letters, len);
	int why = errno;

	close(fd);
	return put == (ssize_t)len ? 0 : err_set_errno(e, why, "writing to %s", path);
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}
