#include "status/screen.h"

#include <fcntl.h>

enum { TEXT_BYTES_MAX = 64 << 10 };

static void put(int fd, str text);
static bool has_line(str text, str line);

void screen_open(struct screen *s)
{
	enum { HOW = O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC };

	s->terminal = open("/dev/tty1", HOW);
	s->serial = open("/dev/ttyS0", HOW);
	buf_init(&s->shown, TEXT_BYTES_MAX);
	put(s->terminal, STR("\033[?25l\033[9;0]")); /* no cursor, no blanking */
}

void screen_show(struct screen *s, str text)
{
	struct buf b;

	if (str_eq(text, buf_str(&s->shown)))
		return;
	buf_init(&b, 2 * TEXT_BYTES_MAX);
	buf_add_str(&b, STR("\033[H\033[J"));
	buf_add_str(&b, text);
	put(s->terminal, buf_str(&b));
	buf_reset(&b);
	for (str rest = text; rest.len;) {
		str line = str_cut(&rest, '\n');

		if (!has_line(buf_str(&s->shown), line))
			buf_add_fmt(&b, "%.*s\n", STR_ARG(line));
	}
	put(s->serial, buf_str(&b));
	buf_free(&b);
	buf_reset(&s->shown);
	buf_add_str(&s->shown, text);
}

static void put(int fd, str text)
{
	if (fd >= 0) {
		ssize_t ignored UNUSED = write(fd, text.at, text.len);
	}
}

static bool has_line(str text, str line)
{
	for (str rest = text; rest.len;)
		if (str_eq(str_cut(&rest, '\n'), line))
			return true;
	return false;
}
