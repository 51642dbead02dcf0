#include "setup/device_wait.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

enum { KERNEL_EVENTS = 1 };

int device_wait_open(struct device_wait *w, struct err *e)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_EVENTS};
	int fd = socket(
		AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
		int why = errno;

		if (fd >= 0)
			close(fd);
		return err_set_errno(e, why, "listening for devices");
	}
	w->fd = fd;
	return 0;
}

void device_wait_close(struct device_wait *w)
{
	close(w->fd);
}

bool device_wait_next(struct device_wait *w, int64_t deadline_ns)
{
	struct pollfd p = {.fd = w->fd, .events = POLLIN};
	int64_t left_ms = (deadline_ns - clock_system.monotonic_ns(&clock_system)) / NS_PER_MS;
	char event[4096];

	if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
		return false;
	while (recv(w->fd, event, sizeof(event), 0) > 0 || errno == ENOBUFS)
		continue;
	return true;
}
