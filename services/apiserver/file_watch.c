#include "apiserver/file_watch.h"

#include "lib/base/arena.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

static void on_events(struct loop_watch *watch, uint32_t events);

int file_watch_start(struct file_watch *w, struct loop *l, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	const char *folder = slash ? arena_str(&a, str_span(path, (size_t)(slash - path) + 1)).at
				   : ".";
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int done = 0;

	if (fd < 0 || inotify_add_watch(fd, folder, IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
		done = err_set_errno(e, errno, "watching %s", folder);
	w->watch = (struct loop_watch){.ready = on_events, .fd = fd};
	if (done == 0)
		done = loop_watch(l, &w->watch, EPOLLIN, e);
	if (done == 0)
		w->loop = l;
	else if (fd >= 0)
		close(fd);
	arena_free(&a);
	return done;
}

void file_watch_end(struct file_watch *w)
{
	if (!w->loop)
		return;
	loop_unwatch(w->loop, &w->watch);
	close(w->watch.fd);
	w->loop = NULL;
}

static void on_events(struct loop_watch *watch, uint32_t events)
{
	struct file_watch *w = CONTAINER_OF(watch, struct file_watch, watch);
	char text[4096] __attribute__((aligned(8)));

	(void)events;
	while (read(watch->fd, text, sizeof(text)) > 0)
		continue;
	w->changed(w);
}
