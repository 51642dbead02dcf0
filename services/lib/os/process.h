/*
 * Processes: started by posix_spawn, watched through a pidfd, which becomes readable when the
 * process ends and never means another one. The child gets stdin, stdout and stderr and nothing
 * else, default signal handling and an empty signal mask.
 *
 * Ownership: process_start's caller closes the pidfd, after process_wait. Threading: any.
 */
#pragma once

#include "lib/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct process_options {
	const char *path;        /* absolute */
	const char *const *argv; /* ends with NULL */
	const char *const *env;  /* ends with NULL; nothing is inherited */
	const char *folder;      /* to start in; NULL: ours */
	int in, out, error;      /* descriptors, which stay the caller's; -1: /dev/null */
};

struct process {
	pid_t pid;
	int pidfd;
};

struct process_exit {
	int status; /* 0..255, when signal is 0 */
	int signal;
};

NODISCARD int process_start(const struct process_options *o, struct process *to, struct err *e);

/* Blocks until the process has ended,
 * or not at all once its pidfd is readable. Once per process. */
NODISCARD int process_wait(const struct process *p, struct process_exit *to, struct err *e);

/* A process that has ended but was not waited for yet takes the signal without effect. */
NODISCARD int process_signal(const struct process *p, int signal, struct err *e);
