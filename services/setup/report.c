#include "setup/report.h"

#include "lib/base/log.h"
#include "lib/os/file.h"

#include <stdarg.h>

enum { TEXT_BYTES_MAX = 32 << 10, LINE_BYTES = 1024 };

static void add(struct buf *to, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
static void put_lines(struct buf *to, const char *key, str lines);

void report_init(struct report *r)
{
	*r = (struct report){.phase = "starting"};
	buf_init(&r->problems, TEXT_BYTES_MAX);
	buf_init(&r->notices, TEXT_BYTES_MAX);
	buf_init(&r->settings, TEXT_BYTES_MAX);
}

void report_problem(struct report *r, const char *fmt, ...)
{
	size_t before = r->problems.len;
	va_list args;

	va_start(args, fmt);
	add(&r->problems, fmt, args);
	va_end(args);
	log_error("%.*s", STR_ARG(str_slice(buf_str(&r->problems), before, LINE_BYTES)));
}

void report_notice(struct report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(&r->notices, fmt, args);
	va_end(args);
}

void report_setting(struct report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(&r->settings, fmt, args);
	va_end(args);
}

void report_write(struct report *r)
{
	struct buf b;
	struct err e;

	buf_init(&b, 4 * TEXT_BYTES_MAX);
	buf_add_fmt(&b, "phase=%s\n", r->phase);
	put_lines(&b, "problem", buf_str(&r->problems));
	put_lines(&b, "notice", buf_str(&r->notices));
	put_lines(&b, "setting", buf_str(&r->settings));
	if (r->state.at)
		buf_add_fmt(&b, "state=%.*s\n", STR_ARG(r->state));
	if (r->code[0])
		buf_add_fmt(&b, "code=%s\n", r->code);
	if (file_write(REPORT_FILE, 0600, buf_str(&b), &e) < 0)
		log_error("%s", e.text);
	buf_free(&b);
}

static void add(struct buf *to, const char *fmt, va_list args)
{
	char line[LINE_BYTES];

	vsnprintf(line, sizeof(line), fmt, args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	buf_add_fmt(to, "%s\n", line);
}

static void put_lines(struct buf *to, const char *key, str lines)
{
	for (str rest = lines; rest.len;) {
		str line = str_cut(&rest, '\n');

		if (line.len)
			buf_add_fmt(to, "%s=%.*s\n", key, STR_ARG(line));
	}
}
