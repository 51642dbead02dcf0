#include "init/init.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/os/file.h"
#include "lib/supervise/service.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>

enum {
	SERVICES_S = 11, /* for all services together; the whole has 20 */
	KILLED_S = 1,
	STRAGGLERS_S = 2,
	CRASH_S = 10,
	MOUNTS_BYTES_MAX = 1 << 20,
	MOUNTS_MAX = 4096,
};

static const struct {
	const char *name, *message;
	int how;
} ends[] = {
	{"reboot", "restarting", RB_AUTOBOOT},
	{"poweroff", "power off", RB_POWER_OFF},
	{"halt", "halted; it is safe to turn the machine off", RB_HALT_SYSTEM},
};

/* These stay until the others are down. */
static const char *const last_services[] = {"setup", "status"};

static int stop_services(const char *how, struct err *e);
static void stop_wave(struct arena *a, struct str_list *left, int64_t deadline_ns);
static void stop_loggers(struct arena *a, const struct str_list *services);
static bool is_last(str name);
static bool is_needed(struct arena *a, str name, const struct str_list *left);
static int end(void) NORETURN;
static int crash(void) NORETURN;
static void end_stragglers(void);
static void unmount_all(void);
static void say(const char *text);

int shutdown_main(int argc, char **argv)
{
	str what = str_of(argc > 1 ? argv[1] : "");
	struct err e;

	if (str_eq(what, STR("end")))
		end();
	if (str_eq(what, STR("crash")))
		crash();
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		if (!str_eq(what, str_of(ends[i].name)))
			continue;
		if (stop_services(ends[i].name, &e) == 0)
			return 0;
		log_error("shutdown: %s", e.text);
		return 1;
	}
	fprintf(stderr, "usage: shutdown reboot|poweroff|halt\n");
	return 2;
}

static int stop_services(const char *how, struct err *e)
{
	int64_t deadline = clock_system.monotonic_ns(&clock_system) + SERVICES_S * NS_PER_S;
	int fd = open(SHUTDOWN_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct str_list all, left = {0};
	struct arena a;

	if (fd < 0 && errno == EEXIST)
		return 0; /* it is under way */
	if (fd < 0 || write(fd, how, strlen(how)) < 0)
		log_error("shutdown: noting down %s: %s", how, strerror(errno));
	if (fd >= 0)
		close(fd);
	log_info("shutdown: %s", how);
	arena_init(&a, ARENA_NO_LIMIT);
	if (service_list(&a, &all, e) < 0) {
		log_error("shutdown: %s", e->text); /* the machine goes down all the same */
		all = (struct str_list){0};
	}
	left.at = arena_get(&a, all.len * sizeof(str));
	for (size_t i = 0; i < all.len; i++)
		if (!is_last(all.at[i]))
			left.at[left.len++] = all.at[i];
	while (left.len)
		stop_wave(&a, &left, deadline);
	stop_loggers(&a, &all);
	arena_free(&a);
	return service_terminate(e);
}

/* All that none of the others needs. */
static void stop_wave(struct arena *a, struct str_list *left, int64_t deadline_ns)
{
	struct str_list wave = {arena_get(a, left->len * sizeof(str)), 0}, rest = wave;
	struct err why;

	rest.at = arena_get(a, left->len * sizeof(str));
	for (size_t i = 0; i < left->len; i++) {
		struct str_list *to = is_needed(a, left->at[i], left) ? &rest : &wave;

		to->at[to->len++] = left->at[i];
	}
	if (!wave.len) /* they need one another in a circle */
		wave = rest, rest.len = 0;
	for (size_t i = 0; i < wave.len; i++)
		if (service_command(wave.at[i], "d", &why) < 0)
			log_warning("shutdown: %s", why.text);
	if (service_wait(wave, false, deadline_ns, &why) < 0) {
		log_warning("shutdown: %s, it is killed", why.text);
		for (size_t i = 0; i < wave.len; i++)
			if (service_command(wave.at[i], "dk", &why) < 0)
				log_warning("shutdown: %s", why.text);
		int64_t now = clock_system.monotonic_ns(&clock_system);

		if (service_wait(wave, false, now + KILLED_S * NS_PER_S, &why) < 0)
			log_warning("shutdown: %s", why.text);
	}
	*left = rest;
}

/* One that still waits for the state would not see the end of what it shall read. */
static void stop_loggers(struct arena *a, const struct str_list *services)
{
	struct service_status setup;

	service_status(STR("setup"), &setup);
	if (setup.ready)
		return;
	for (size_t i = 0; i < services->len; i++) {
		struct err has_none;

		(void)!service_command(
			arena_fmt(a, "%.*s/log", STR_ARG(services->at[i])), "d", &has_none);
	}
}

static bool is_last(str name)
{
	for (size_t i = 0; i < COUNT_OF(last_services); i++)
		if (str_eq(name, str_of(last_services[i])))
			return true;
	return false;
}

static bool is_needed(struct arena *a, str name, const struct str_list *left)
{
	for (size_t i = 0; i < left->len; i++) {
		struct run_file run;
		struct err e;

		if (service_run_file(a, left->at[i], &run, &e) < 0)
			continue;
		for (size_t k = 0; k < run.needs.len; k++)
			if (str_eq(run.needs.at[k], name))
				return true;
	}
	return false;
}

/* As process 1: nothing of ours runs any more. */
static int end(void)
{
	struct arena a;
	struct err e;
	size_t which = 0;
	str how;

	arena_init(&a, ARENA_NO_LIMIT);
	if (file_read(&a, SHUTDOWN_FILE, 64, &how, &e) == 0)
		for (size_t i = 0; i < COUNT_OF(ends); i++)
			if (str_eq(how, str_of(ends[i].name)))
				which = i;
	end_stragglers();
	sync();
	unmount_all();
	say(ends[which].message);
	reboot(ends[which].how);
	_exit(0); /* process 1 of a container */
}

static int crash(void)
{
	say("the supervisor cannot go on; restarting in ten seconds");
	sync();
	sleep(CRASH_S);
	reboot(RB_AUTOBOOT);
	_exit(1);
}

static void end_stragglers(void)
{
	const struct timespec limit = {.tv_sec = STRAGGLERS_S};
	sigset_t child;
	bool asked = true;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	kill(-1, SIGTERM);
	for (;;) {
		pid_t gone = waitpid(-1, NULL, WNOHANG);

		if (gone < 0)
			break;
		if (gone > 0 || sigtimedwait(&child, NULL, &limit) > 0)
			continue;
		if (!asked)
			break;
		kill(-1, SIGKILL);
		asked = false;
	}
}

/* The last mounted first. What is still in use stays, read-only. */
static void unmount_all(void)
{
	static const char *const kept[] = {"/", "/proc", "/sys", "/dev", "/run"};
	struct arena a;
	struct err e;
	str text, *at;
	size_t count = 0;

	arena_init(&a, ARENA_NO_LIMIT);
	at = arena_get(&a, MOUNTS_MAX * sizeof(*at));
	if (file_read(&a, "/proc/self/mounts", MOUNTS_BYTES_MAX, &text, &e) < 0)
		text = (str){0};
	for (str rest = text; rest.at && count < MOUNTS_MAX;) {
		str line = str_cut(&rest, '\n');

		str_cut(&line, ' ');
		if (line.at)
			at[count++] = arena_str(&a, str_cut(&line, ' '));
	}
	while (count-- > 0) {
		bool keep = false;

		for (size_t i = 0; i < COUNT_OF(kept); i++)
			keep |= str_eq(at[count], str_of(kept[i]));
		if (!keep && umount2(at[count].at, 0) < 0)
			mount(NULL, at[count].at, NULL, MS_REMOUNT | MS_RDONLY, NULL);
	}
	arena_free(&a);
	sync();
}

static void say(const char *text)
{
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "\r\ncoracle: %s\r\n", text);
		close(fd);
	}
}
