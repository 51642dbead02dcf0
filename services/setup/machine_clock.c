#include "setup/machine_clock.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/codec/pairs.h"
#include "lib/os/file.h"
#include "setup/state.h"

#include <errno.h>
#include <sys/timerfd.h>

#define RELEASE_FILE "/etc/coracle-release"

enum { FILE_BYTES_MAX = 4096, FAR_S = 10 * 365 * 86400 };

static int64_t build_time_s(struct arena *a);
static int64_t saved_time_s(struct arena *a);

int machine_clock_set(bool state, struct err *e)
{
	struct timespec now;
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	int64_t floor = build_time_s(&a), saved = state ? saved_time_s(&a) : 0;

	arena_free(&a);
	if (saved > floor)
		floor = saved;
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec >= floor)
		return 0;
	log_warning("the clock says %lld, which was before %lld: set forward",
		(long long)now.tv_sec, (long long)floor);
	now = (struct timespec){.tv_sec = floor};
	return clock_settime(CLOCK_REALTIME, &now) < 0
		? err_set_errno(e, errno, "setting the clock")
		: 0;
}

int machine_clock_save(struct err *e)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld\n",
		(long long)(clock_system.wall_ns(&clock_system) / NS_PER_S));
	return state_write("clock", 0644, str_of(text), e);
}

int machine_clock_watch(int *to, struct err *e)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return err_set_errno(e, errno, "watching the clock");
	if (machine_clock_drain(fd, e) < 0) {
		close(fd);
		return -1;
	}
	*to = fd;
	return 0;
}

int machine_clock_drain(int fd, struct err *e)
{
	struct itimerspec far = {
		.it_value.tv_sec = clock_system.wall_ns(&clock_system) / NS_PER_S + FAR_S};
	uint64_t times;
	ssize_t ignored UNUSED = read(fd, &times, sizeof(times));

	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) < 0)
		return err_set_errno(e, errno, "watching the clock");
	return 0;
}

/* 0 where there is none: a build for tests. */
static int64_t build_time_s(struct arena *a)
{
	struct pair_list release;
	struct err unused;
	int64_t time_s;
	str text;

	if (file_read(a, RELEASE_FILE, FILE_BYTES_MAX, &text, &unused) < 0 ||
		pairs_read(a, text, &release, &unused) < 0 ||
		!str_to_i64(pairs_get(&release, STR("TIME")), &time_s))
		return 0;
	return time_s;
}

static int64_t saved_time_s(struct arena *a)
{
	struct err unused;
	int64_t time_s;
	str text;

	if (state_read(a, "clock", &text, &unused) < 0 || !str_to_i64(str_trim(text), &time_s))
		return 0;
	return time_s;
}
