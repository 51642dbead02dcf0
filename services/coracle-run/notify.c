#include "coracle-run/notify.h"

#include "lib/base/str.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { MESSAGE_BYTES = 4096 };

static int open_socket(const char *path, const struct passwd *user, int *to, struct err *e);
static void stand_between(int socket, int service, pid_t pid, int notification_fd) NORETURN;
static bool says_ready(int socket, pid_t from);

int notify_start(const char *path, const struct passwd *user, int notification_fd, struct err *e)
{
	struct clone_args how = {.exit_signal = SIGCHLD};
	pid_t self = getpid();
	int socket, service = (int)syscall(SYS_pidfd_open, self, 0);

	if (service < 0)
		return err_set_errno(e, errno, "opening a pidfd");
	if (open_socket(path, user, &socket, e) < 0) {
		close(service);
		return -1;
	}
	/* Twice, so that it becomes a child of the first process and none of the service. */
	pid_t child = (pid_t)syscall(SYS_clone3, &how, sizeof(how));

	if (child == 0) {
		if (syscall(SYS_clone3, &how, sizeof(how)) == 0)
			stand_between(socket, service, self, notification_fd);
		_exit(0);
	}
	int done = child < 0 ? err_set_errno(e, errno, "starting a process") : 0;

	if (child > 0)
		waitpid(child, NULL, 0);
	close(socket);
	close(service);
	return done;
}

static int open_socket(const char *path, const struct passwd *user, int *to, struct err *e)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	str name = str_of(path);
	int on = 1, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set_errno(e, errno, "making a socket");
	memcpy(at.sun_path, name.at,
		name.len < sizeof(at.sun_path) ? name.len : sizeof(at.sun_path) - 1);
	unlink(at.sun_path);
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
		chown(at.sun_path, user->pw_uid, user->pw_gid) < 0 ||
		chmod(at.sun_path, 0600) < 0) {
		int why = errno;

		close(fd);
		return err_set_errno(e, why, "listening at %s", path);
	}
	*to = fd;
	return 0;
}

static void stand_between(int socket, int service, pid_t pid, int notification_fd)
{
	struct pollfd wait[] = {
		{.fd = socket, .events = POLLIN}, {.fd = service, .events = POLLIN}};

	for (int i = 0; i < 3; i++) /* the logger shall see the end of the service */
		close(i);
	while (poll(wait, COUNT_OF(wait), -1) >= 0 || errno == EINTR) {
		if ((wait[0].revents & POLLIN) && says_ready(socket, pid)) {
			ssize_t ignored UNUSED = write(notification_fd, "\n", 1);

			break;
		}
		if (wait[1].revents)
			break;
	}
	_exit(0);
}

static bool says_ready(int socket, pid_t from)
{
	char text[MESSAGE_BYTES], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec into = {text, sizeof(text)};
	struct msghdr message = {.msg_iov = &into,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(socket, &message, MSG_DONTWAIT);
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	struct ucred who;

	if (len < 0 || !head || head->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(&who, CMSG_DATA(head), sizeof(who));
	if (who.pid != from)
		return false;
	for (str rest = str_span(text, (size_t)len); rest.at;)
		if (str_eq(str_cut(&rest, '\n'), STR("READY=1")))
			return true;
	return false;
}
