#include "lib/os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STANDARD = 3 };

struct standard {
	int fds[STANDARD];
};

static int set_standard(struct standard *s, const struct process_options *o, struct err *e);
static void close_standard(struct standard *s);
static int arrange(
	posix_spawn_file_actions_t *actions, const struct standard *s, const char *folder);
static int spawn(pid_t *pid, const struct process_options *o, const struct standard *s);
static int set_signals(posix_spawnattr_t *attributes);

int process_start(const struct process_options *o, struct process *to, struct err *e)
{
	struct standard s;
	pid_t pid;

	TRY(set_standard(&s, o, e));
	int why = spawn(&pid, o, &s);

	close_standard(&s);
	if (why)
		return err_set_errno(e, why, "starting %s", o->path);

	/* The child is not reaped before process_wait,
	 * so the number cannot mean another process. */
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0) {
		why = errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_set_errno(e, why, "opening a pidfd of %s", o->path);
	}
	*to = (struct process){.pid = pid, .pidfd = pidfd};
	return 0;
}

int process_wait(const struct process *p, struct process_exit *to, struct err *e)
{
	int status;

	while (waitpid(p->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set_errno(e, errno, "waiting for process %d", (int)p->pid);
	*to = WIFSIGNALED(status) ? (struct process_exit){.signal = WTERMSIG(status)}
				  : (struct process_exit){.status = WEXITSTATUS(status)};
	return 0;
}

int process_signal(const struct process *p, int signal, struct err *e)
{
	if (syscall(SYS_pidfd_send_signal, p->pidfd, signal, NULL, 0) < 0)
		return err_set_errno(e, errno, "signalling process %d", (int)p->pid);
	return 0;
}

/* Above the three numbers, so that no target is overwritten while it is still a source. */
static int set_standard(struct standard *s, const struct process_options *o, struct err *e)
{
	const int given[STANDARD] = {o->in, o->out, o->error};

	*s = (struct standard){{-1, -1, -1}};
	for (int i = 0; i < STANDARD; i++) {
		s->fds[i] = given[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC)
					 : fcntl(given[i], F_DUPFD_CLOEXEC, STANDARD);
		if (s->fds[i] < 0) {
			int why = errno;

			close_standard(s);
			return err_set_errno(e, why, "preparing descriptors of %s", o->path);
		}
	}
	return 0;
}

static void close_standard(struct standard *s)
{
	for (int i = 0; i < STANDARD; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
}

static int spawn(pid_t *pid, const struct process_options *o, const struct standard *s)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	int why = arrange(&actions, s, o->folder);

	if (!why)
		why = set_signals(&attributes);
	if (!why)
		why = posix_spawn(pid, o->path, &actions, &attributes, (char *const *)o->argv,
			(char *const *)o->env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return why;
}

static int arrange(
	posix_spawn_file_actions_t *actions, const struct standard *s, const char *folder)
{
	int why = 0;

	for (int i = 0; i < STANDARD && !why; i++)
		why = posix_spawn_file_actions_adddup2(actions, s->fds[i], i);
	if (!why && folder)
		why = posix_spawn_file_actions_addchdir_np(actions, folder);
	return why;
}

static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	int why = posix_spawnattr_setsigmask(attributes, &none);

	if (!why)
		why = posix_spawnattr_setsigdefault(attributes, &all);
	if (!why)
		why = posix_spawnattr_setflags(
			attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return why;
}
