/*
 * What setup has to tell people: problems with the way out, and how the administrator gets in. The
 * screen (status) shows it whenever the file changes.
 *
 * REPORT_FILE holds KEY=VALUE lines: phase=starting|wrong|running, problem=, notice= and setting=
 * any number of times, state= where that is, code= for `coraclectl kubeconfig`. Only root reads it:
 * the code is a secret. Threading: one.
 */
#pragma once

#include "lib/base/buf.h"

#define REPORT_FILE "/run/coracle/report"

struct report {
	const char *phase;
	struct buf problems; /* one a line */
	struct buf notices, settings;
	str state;     /* absent: not there yet */
	char code[64]; /* empty: none */
};

void report_init(struct report *r);
void report_problem(struct report *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void report_notice(struct report *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

void report_setting(struct report *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Also to the log, where problems are new. */
void report_write(struct report *r);
