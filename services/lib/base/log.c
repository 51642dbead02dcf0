#include "lib/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

static int put_header(char *to, size_t size, enum log_severity severity, const char *file, int line)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	return snprintf(to, size, "%c%02d%02d %02d:%02d:%02d.%06ld %7d %s:%d] ", "IWE"[severity],
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000,
		(int)getpid(), file, line);
}

void log_write(enum log_severity severity, const char *file, int line, const char *fmt, ...)
{
	char text[LINE_BYTES];
	int before = errno;
	size_t header = (size_t)put_header(text, sizeof(text), severity, file, line);
	va_list args;

	va_start(args, fmt);
	int wanted = vsnprintf(text + header, sizeof(text) - header - 1, fmt, args);
	va_end(args);

	size_t room = sizeof(text) - header - 2;
	size_t end = header + ((size_t)wanted < room ? (size_t)wanted : room);

	for (size_t i = header; i < end; i++) {
		if ((unsigned char)text[i] < ' ')
			text[i] = ' ';
	}
	text[end] = '\n';
	/* There is nowhere to report that standard error is gone. */
	ssize_t ignored UNUSED = write(STDERR_FILENO, text, end + 1);

	errno = before;
}
