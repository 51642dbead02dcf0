#include "stage1/search.h"

#include "lib/base/clock.h"
#include "stage1/probe.h"

#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEEN_MAX = 128, PATIENCE_S = 15, MESSAGE_BYTES = 8192 };

/* What was tried and why it was not the root. */
struct seen {
	char name[32];
	struct err why;
};

struct search {
	str only;    /* a device's name; absent: any */
	str release; /* absent: any */
	struct seen seen[SEEN_MAX];
	size_t count;
	int events; /* the kernel's uevents */
};

static int run(struct search *s, struct root *to, struct err *e);
static int open_events(int *fd, struct err *e);
static bool try_all(struct search *s, struct root *to);
static bool try_one(struct search *s, const char *name, struct root *to);
static bool is_storage(str name);
static void note(struct search *s, const char *name, const struct err *why);
static bool next_event(struct search *s, struct root *to);
static void report(const struct search *s);

int search_root(str release, struct root *to, struct err *e)
{
	static struct search s;

	s.release = release;
	return run(&s, to, e);
}

int search_named(str name, struct root *to, struct err *e)
{
	static struct search s;

	s.only = str_starts(name, STR("/dev/")) ? str_slice(name, 5, name.len) : name;
	return run(&s, to, e);
}

static int run(struct search *s, struct root *to, struct err *e)
{
	int64_t until_ns = clock_system.monotonic_ns(&clock_system) + PATIENCE_S * NS_PER_S;
	bool said = false, found = false;

	TRY(open_events(&s->events, e));
	found = try_all(s, to);
	while (!found) {
		int64_t left_ns = until_ns - clock_system.monotonic_ns(&clock_system);
		struct pollfd wait = {.fd = s->events, .events = POLLIN};
		int ready = poll(&wait, 1,
			said                  ? -1
				: left_ns > 0 ? (int)(left_ns / NS_PER_MS)
					      : 0);

		if (ready > 0) {
			found = next_event(s, to);
		} else if (ready == 0) {
			report(s);
			said = true;
		}
	}
	close(s->events);
	return 0;
}

static int open_events(int *fd, struct err *e)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};

	*fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set_errno(e, errno, "listening to the kernel's news of devices");
	return 0;
}

static bool try_all(struct search *s, struct root *to)
{
	DIR *list = opendir("/sys/class/block");
	struct dirent *next;
	bool found = false;

	while (list && !found && (next = readdir(list)))
		found = next->d_name[0] != '.' && try_one(s, next->d_name, to);
	if (list)
		closedir(list);
	return found;
}

static bool try_one(struct search *s, const char *name, struct root *to)
{
	char path[64];
	struct err e;

	if (s->only.at ? !str_eq(str_of(name), s->only) : !is_storage(str_of(name)))
		return false;
	snprintf(path, sizeof(path), "/dev/%s", name);
	if (root_mount(path, s->release, to, &e) == 0)
		return true;
	note(s, name, &e);
	return false;
}

/* Devices that the kernel makes out of memory hold nothing yet. */
static bool is_storage(str name)
{
	return !str_starts(name, STR("loop")) && !str_starts(name, STR("ram")) &&
		!str_starts(name, STR("zram"));
}

static void note(struct search *s, const char *name, const struct err *why)
{
	size_t i = 0;

	while (i < s->count && strcmp(s->seen[i].name, name) != 0)
		i++;
	if (i == SEEN_MAX)
		return;
	s->count += i == s->count;
	snprintf(s->seen[i].name, sizeof(s->seen[i].name), "%s", name);
	s->seen[i].why = *why;
}

/* A full socket has dropped messages: then everything is looked at again. */
static bool next_event(struct search *s, struct root *to)
{
	char message[MESSAGE_BYTES], name[32];
	struct sockaddr_nl from = {0};
	socklen_t len = sizeof(from);
	ssize_t got = recvfrom(
		s->events, message, sizeof(message), 0, (struct sockaddr *)&from, &len);

	if (got < 0)
		return errno == ENOBUFS && try_all(s, to);
	str device = probe_uevent(str_span(message, (size_t)got));

	if (from.nl_pid != 0 || !device.at)
		return false;
	snprintf(name, sizeof(name), "%.*s", STR_ARG(device));
	return try_one(s, name, to);
}

static void report(const struct search *s)
{
	if (s->only.at)
		printf("coracle: waiting for the root image on %.*s, as coracle.root= says\n",
			STR_ARG(s->only));
	else
		printf("coracle: looking for the root image: a disk, partition or CD that is this "
		       "build's squashfs or an ISO with it as root.squashfs\n");
	for (size_t i = 0; i < s->count; i++)
		printf("coracle:   %s: %s\n", s->seen[i].name, s->seen[i].why.text);
	if (s->count == 0)
		printf("coracle:   no storage device was found\n");
	printf("coracle: still waiting; attach the boot medium, or set coracle.root=/dev/NAME\n");
	fflush(stdout);
}
