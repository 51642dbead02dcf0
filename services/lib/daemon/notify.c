#include "lib/daemon/daemon.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void daemon_ready(const struct daemon *d)
{
	static const char message[] = "READY=1\n";
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	str path = str_of(getenv("NOTIFY_SOCKET"));

	if (!path.len || path.len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path.at, path.len);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
		sendto(fd, message, sizeof(message) - 1, MSG_NOSIGNAL, (const struct sockaddr *)&to,
			len) < 0)
		log_warning("%s: nobody takes the notice of readiness at %s", d->program, path.at);
	if (fd >= 0)
		close(fd);
}
