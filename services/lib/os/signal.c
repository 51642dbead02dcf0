#include "lib/os/signal.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signal_open(const int *signals, int *fd, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	for (; *signals; signals++)
		sigaddset(&set, *signals);
	int opened = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (opened < 0)
		return err_set_errno(e, errno, "opening a signalfd");
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	*fd = opened;
	return 0;
}

int signal_next(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}
