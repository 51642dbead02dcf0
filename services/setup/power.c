#include "setup/power.h"

#include "lib/base/log.h"
#include "lib/base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define INPUTS "/dev/input"

static void look(struct power *p);
static void add(struct power *p, const char *name);
static bool has_button(int fd);
static void on_folder(struct loop_watch *w, uint32_t events);
static void on_device(struct loop_watch *w, uint32_t events);

int power_start(struct power *p, struct loop *l, struct err *e)
{
	p->loop = l;
	p->folder.ready = on_folder;
	p->folder.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	mkdir(INPUTS, 0755); /* there may be no device yet */
	if (p->folder.fd < 0 || inotify_add_watch(p->folder.fd, INPUTS, IN_CREATE) < 0)
		return err_set_errno(e, errno, "watching " INPUTS);
	TRY(loop_watch(l, &p->folder, EPOLLIN, e));
	look(p);
	return 0;
}

static void look(struct power *p)
{
	DIR *d = opendir(INPUTS);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (str_starts(str_of(entry->d_name), STR("event")))
			add(p, entry->d_name);
	if (d)
		closedir(d);
}

static void add(struct power *p, const char *name)
{
	struct power_device *d = &p->devices[p->count];
	char path[64];
	struct err e;

	for (size_t i = 0; i < p->count; i++)
		if (str_eq(str_of(name), str_of(p->devices[i].name)))
			return;
	if (p->count == POWER_DEVICES_MAX || strlen(name) >= sizeof(d->name))
		return;
	snprintf(path, sizeof(path), INPUTS "/%s", name);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	*d = (struct power_device){.power = p, .watch = {.ready = on_device, .fd = fd}};
	if (!has_button(fd) || loop_watch(p->loop, &d->watch, EPOLLIN, &e) < 0) {
		close(fd);
		return;
	}
	snprintf(d->name, sizeof(d->name), "%s", name);
	p->count++;
}

static bool has_button(int fd)
{
	unsigned char keys[KEY_MAX / 8 + 1] = {0};

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
		(keys[KEY_POWER / 8] >> KEY_POWER % 8 & 1);
}

static void on_folder(struct loop_watch *w, uint32_t events)
{
	char text[4096] __attribute__((aligned(8)));

	(void)events;
	while (read(w->fd, text, sizeof(text)) > 0)
		continue;
	look(CONTAINER_OF(w, struct power, folder));
}

static void on_device(struct loop_watch *w, uint32_t events)
{
	struct power_device *d = CONTAINER_OF(w, struct power_device, watch);
	struct input_event pressed;

	if (events & (EPOLLHUP | EPOLLERR)) { /* unplugged */
		loop_unwatch(d->power->loop, w);
		close(w->fd);
		d->name[0] = 0;
		return;
	}
	while (read(w->fd, &pressed, sizeof(pressed)) == sizeof(pressed))
		if (pressed.type == EV_KEY && pressed.code == KEY_POWER && pressed.value == 1) {
			log_info("the power button was pressed");
			kill(1, SIGUSR2);
		}
}
