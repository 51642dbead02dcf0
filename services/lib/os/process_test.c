#include "lib/base/test.h"
#include "lib/os/process.h"
#include "lib/os/signal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

static const char *const no_env[] = {NULL};

static struct process start(struct test *t, const char *const *argv, int out)
{
	struct process_options o = {.path = argv[0],
		.argv = argv,
		.env = no_env,
		.folder = "/",
		.in = -1,
		.out = out,
		.error = -1};
	struct process p;
	struct err e;

	REQUIRE_OK(process_start(&o, &p, &e), &e);
	return p;
}

static struct process_exit wait_for(struct test *t, struct process p)
{
	struct pollfd ended = {.fd = p.pidfd, .events = POLLIN};
	struct process_exit how = {-1, -1};
	struct err e;

	CHECK_INT(poll(&ended, 1, 10000), 1);
	CHECK_OK(process_wait(&p, &how, &e), &e);
	close(p.pidfd);
	return how;
}

TEST(process_tells_how_it_ended)
{
	const char *const seven[] = {"/bin/sh", "-c", "exit 7", NULL};
	const char *const sleeper[] = {"/bin/sleep", "100", NULL};
	struct err e;

	struct process_exit how = wait_for(t, start(t, seven, -1));

	CHECK_INT(how.status, 7);
	CHECK_INT(how.signal, 0);

	struct process p = start(t, sleeper, -1);

	CHECK_OK(process_signal(&p, SIGTERM, &e), &e);
	how = wait_for(t, p);
	CHECK_INT(how.signal, SIGTERM);
}

TEST(process_gets_none_of_our_descriptors_and_no_environment)
{
	const char *const argv[] = {"/bin/sh", "-c", "pwd; ls /proc/$$/fd; env", NULL};
	int pipe_fds[2], leaked = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char text[512] = "";
	size_t len = 0;

	REQUIRE(pipe2(pipe_fds, O_CLOEXEC) == 0);
	struct process p = start(t, argv, pipe_fds[1]);

	close(pipe_fds[1]);
	for (ssize_t got; (got = read(pipe_fds[0], text + len, sizeof(text) - len)) > 0;)
		len += (size_t)got;
	CHECK_INT(wait_for(t, p).status, 0);
	CHECK(str_starts(str_span(text, len), STR("/\n0\n1\n")));
	CHECK(str_find(str_span(text, len), arena_fmt(&t->arena, "\n%d\n", leaked)) < 0);
	CHECK(str_find(str_span(text, len), arena_fmt(&t->arena, "\n%d\n", pipe_fds[0])) < 0);
	CHECK(str_find(str_span(text, len), STR("HOME=")) < 0);
	close(pipe_fds[0]);
	close(leaked);
}

TEST(process_that_is_not_there_fails_to_start)
{
	const char *const argv[] = {"/nonexistent", NULL};
	struct process_options o = {
		.path = argv[0], .argv = argv, .env = no_env, .in = -1, .out = -1, .error = -1};
	struct process p;
	struct err e;

	CHECK_FAILS(process_start(&o, &p, &e), &e, ERR_SYSTEM, "No such file");
}

TEST(signal_arrives_by_descriptor_and_children_do_not_inherit_the_mask)
{
	const int wanted[] = {SIGUSR1, 0};
	const char *const argv[] = {"/bin/sh", "-c", "kill -USR1 $$; exit 3", NULL};
	struct err e;
	int fd;

	REQUIRE_OK(signal_open(wanted, &fd, &e), &e);
	CHECK_INT(signal_next(fd), 0);
	kill(getpid(), SIGUSR1);
	CHECK_INT(signal_next(fd), SIGUSR1);
	CHECK_INT(signal_next(fd), 0);
	CHECK_INT(wait_for(t, start(t, argv, -1)).signal, SIGUSR1);
	close(fd);
}
