#include "status/status.h"

#include "lib/base/log.h"
#include "lib/daemon/version.h"
#include "lib/loop/loop.h"
#include "lib/os/file.h"
#include "lib/os/interface.h"
#include "lib/os/signal.h"
#include "status/screen.h"
#include "status/view.h"

#include <errno.h>
#include <sys/inotify.h>

#define RUN_FOLDER "/run/coracle"

enum { FILE_BYTES_MAX = 256 << 10, PAUSE_MS = 150 };

struct status {
	struct loop loop;
	struct loop_watch signals, files, services, network;
	struct loop_timer pause;
	struct screen screen;
	struct str_list names; /* whose status is watched */
	struct arena names_arena;
};

static int start(struct status *s, struct err *e);
static int watch_files(struct status *s, struct err *e);
static void watch_services(struct status *s);
static void soon(struct status *s);
static void on_signal(struct loop_watch *w, uint32_t events);
static void on_files(struct loop_watch *w, uint32_t events);
static void on_services(struct loop_watch *w, uint32_t events);
static void on_network(struct loop_watch *w, uint32_t events);
static void on_pause(struct loop_timer *t);
static void show(struct status *s);
static size_t look_at_services(struct status *s, struct arena *a, struct view_service *to);
static struct pair_list read_pairs(struct arena *a, const char *path);

int status_main(int argc, char **argv)
{
	struct status *s = calloc(1, sizeof(*s));
	struct err e;

	(void)argc, (void)argv;
	if (!s)
		return 1;
	if (start(s, &e) < 0) {
		log_error("status: %s", e.text);
		return 1;
	}
	show(s);
	loop_run(&s->loop);
	return 0;
}

static int start(struct status *s, struct err *e)
{
	static const int caught[] = {SIGTERM, SIGINT, 0};

	arena_init(&s->names_arena, ARENA_NO_LIMIT);
	s->signals.ready = on_signal;
	s->files.ready = on_files;
	s->services.ready = on_services;
	s->services.fd = -1;
	s->network.ready = on_network;
	s->pause.due = on_pause;
	screen_open(&s->screen);
	TRY(loop_init(&s->loop, &clock_system, e));
	TRY(signal_open(caught, &s->signals.fd, e));
	TRY(loop_watch(&s->loop, &s->signals, EPOLLIN, e));
	TRY(watch_files(s, e));
	watch_services(s);
	TRY(interface_watch(&s->network.fd, e));
	return loop_watch(&s->loop, &s->network, EPOLLIN, e);
}

/* Of setup and shutdown; and services that are made later. */
static int watch_files(struct status *s, struct err *e)
{
	s->files.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->files.fd < 0 ||
		inotify_add_watch(s->files.fd, RUN_FOLDER, IN_MOVED_TO | IN_CLOSE_WRITE) < 0 ||
		inotify_add_watch(s->files.fd, SERVICE_FOLDER, IN_CREATE | IN_ONLYDIR) < 0)
		return err_set_errno(e, errno, "watching " RUN_FOLDER);
	return loop_watch(&s->loop, &s->files, EPOLLIN, e);
}

static void watch_services(struct status *s)
{
	struct err e;

	if (s->services.fd >= 0) {
		loop_unwatch(&s->loop, &s->services);
		close(s->services.fd);
		s->services.fd = -1;
	}
	arena_reset(&s->names_arena);
	s->names = (struct str_list){0};
	if (service_list(&s->names_arena, &s->names, &e) < 0 ||
		service_watch(s->names, &s->services.fd, &e) < 0 ||
		loop_watch(&s->loop, &s->services, EPOLLIN, &e) < 0)
		log_error("status: %s", e.text);
}

/* Several things that happen at once are shown once. */
static void soon(struct status *s)
{
	if (!s->pause.slot)
		loop_timer_set(&s->loop, &s->pause, s->loop.now_ns + PAUSE_MS * NS_PER_MS);
}

static void on_signal(struct loop_watch *w, uint32_t events)
{
	struct status *s = CONTAINER_OF(w, struct status, signals);

	(void)events;
	if (signal_next(w->fd))
		loop_stop(&s->loop);
}

static void on_files(struct loop_watch *w, uint32_t events)
{
	(void)events;
	service_drain(w->fd);
	soon(CONTAINER_OF(w, struct status, files));
}

static void on_services(struct loop_watch *w, uint32_t events)
{
	(void)events;
	service_drain(w->fd);
	soon(CONTAINER_OF(w, struct status, services));
}

static void on_network(struct loop_watch *w, uint32_t events)
{
	(void)events;
	interface_drain(w->fd);
	soon(CONTAINER_OF(w, struct status, network));
}

static void on_pause(struct loop_timer *t)
{
	show(CONTAINER_OF(t, struct status, pause));
}

static void show(struct status *s)
{
	struct arena a;
	struct buf text;
	struct err e;
	struct view v = {.version = STR(VERSION_GIT)};

	arena_init(&a, ARENA_NO_LIMIT);
	buf_init(&text, FILE_BYTES_MAX);
	v.settings = read_pairs(&a, RUN_FOLDER "/settings");
	v.report = read_pairs(&a, RUN_FOLDER "/report");
	if (interface_addresses(&a, &v.addresses.at, &v.addresses.len, &e) < 0)
		log_error("status: %s", e.text);
	if (file_read(&a, RUN_FOLDER "/shutdown", FILE_BYTES_MAX, &v.ending, &e) < 0)
		v.ending = (str){0};
	struct str_list now;

	if (service_list(&a, &now, &e) == 0 && now.len != s->names.len)
		watch_services(s);
	struct view_service *services = arena_get(&a, (s->names.len + 1) * sizeof(*services));

	v.service_count = look_at_services(s, &a, services);
	v.services = services;
	view_put(&v, &text);
	screen_show(&s->screen, buf_str(&text));
	buf_free(&text);
	arena_free(&a);
}

/* The screen is there when it can be seen. */
static size_t look_at_services(struct status *s, struct arena *a, struct view_service *to)
{
	size_t count = 0;

	for (size_t i = 0; i < s->names.len; i++) {
		struct view_service *v = &to[count];
		struct run_file run;
		struct err not_ours;

		v->name = s->names.at[i];
		if (str_eq(v->name, STR("status")) ||
			service_run_file(a, v->name, &run, &not_ours) < 0)
			continue;
		v->tells_ready = run.notify != RUN_NOTIFY_NONE;
		service_status(v->name, &v->status);
		service_deaths(v->name, &v->deaths);
		count++;
	}
	return count;
}

static struct pair_list read_pairs(struct arena *a, const char *path)
{
	struct pair_list list = {0};
	struct err not_there_yet;
	str text;

	if (file_read(a, path, FILE_BYTES_MAX, &text, &not_there_yet) < 0 ||
		pairs_read(a, text, &list, &not_there_yet) < 0)
		list.len = 0;
	return list;
}
