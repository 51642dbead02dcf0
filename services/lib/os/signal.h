/*
 * Signals as a descriptor for the event loop. Called in main before any thread starts: threads
 * inherit the mask. SIGPIPE is ignored from then on; a write to a closed peer is an ordinary error.
 */
#pragma once

#include "lib/base/err.h"

/* Blocks the signals (a list that ends with 0) and opens a descriptor that reports them. */
NODISCARD int signal_open(const int *signals, int *fd, struct err *e);

/* The next signal that arrived, 0 when there is none. */
int signal_next(int fd);
