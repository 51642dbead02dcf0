#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(char *text, size_t size, int wanted)
{
	static const char dots[] = "...";

	if (wanted >= (int)size)
		memcpy(text + size - sizeof(dots), dots, sizeof(dots));
}

void err_write(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int wanted = vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	mark_cut(e->text, sizeof(e->text), wanted);
	e->kind = kind;
	e->detail = NULL;
}

void err_write_errno(struct err *e, int errnum, const char *fmt, ...)
{
	char what[sizeof(e->text) / 2];
	va_list args;

	va_start(args, fmt);
	int wanted = vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	mark_cut(what, sizeof(what), wanted);

	err_write(e, ERR_SYSTEM, "%s: %s", what, strerror(errnum));
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	char what[sizeof(e->text) / 2], before[sizeof(e->text)];
	va_list args;

	va_start(args, fmt);
	int wanted = vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	mark_cut(what, sizeof(what), wanted);
	memcpy(before, e->text, sizeof(before));
	err_write(e, e->kind, "%s: %s", what, before);
}
