/*
 * Log lines on standard error in klog's text form, which upstream's components write and people's
 * tools parse: `I1122 21:36:00.123456    4711 file.c:12] text`. s6-log rotates what comes out.
 *
 * Threading: any; a line is one write. Infos that only a debugging operator wants carry a level and
 * are written where the struct log that main made (--v) asks for it.
 */
#pragma once

#include "lib/base/compiler.h"

#include <stdbool.h>

struct log {
	int verbosity; /* --v */
};

enum log_severity { LOG_INFO, LOG_WARNING, LOG_ERROR };

#define log_info(...)    log_write(LOG_INFO, __FILE_NAME__, __LINE__, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __FILE_NAME__, __LINE__, __VA_ARGS__)
#define log_error(...)   log_write(LOG_ERROR, __FILE_NAME__, __LINE__, __VA_ARGS__)

#define log_verbose(log, level, ...) \
	((log)->verbosity >= (level) ? log_write(LOG_INFO, __FILE_NAME__, __LINE__, __VA_ARGS__) \
				     : (void)0)

/* Newlines in the text become blanks, so that a peer's text cannot forge a line. */
void log_write(enum log_severity severity, const char *file, int line, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
