#include "lib/base/log.h"
#include "lib/base/test.h"

#include <fcntl.h>

enum { LINE_BYTES_MAX = 2048 };

/* What is written to standard error while `run` runs. */
static str written_by(struct test *t, void (*run)(void))
{
	char *text = arena_get(&t->arena, 2 * LINE_BYTES_MAX);
	int ends[2];
	int real = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	REQUIRE(real >= 0 && pipe2(ends, O_CLOEXEC) == 0);
	dup2(ends[1], STDERR_FILENO);
	run();
	dup2(real, STDERR_FILENO);
	close(real);
	close(ends[1]);
	ssize_t len = read(ends[0], text, 2 * LINE_BYTES_MAX);

	close(ends[0]);
	return str_span(text, len > 0 ? (size_t)len : 0);
}

static void log_what_a_peer_sent(void)
{
	log_warning("unknown verb \"%s\"", "GET\r\nI0101 00:00:00.000000 1 x.c:1] forged\x1b[2J");
}

TEST(log_line_has_klogs_form_and_cannot_be_forged)
{
	str line = written_by(t, log_what_a_peer_sent);

	CHECK(str_starts(line, STR("W")));
	CHECK(str_find(line, STR(" log_test.c:")) > 0);
	CHECK(str_ends(
		line, STR("] unknown verb \"GET  I0101 00:00:00.000000 1 x.c:1] forged [2J\"\n")));
	CHECK_INT(str_find_char(line, '\n'), (int64_t)line.len - 1);
}

static void log_much(void)
{
	log_info("%*s", 2 * LINE_BYTES_MAX, "end");
}

TEST(log_line_has_a_bound)
{
	str line = written_by(t, log_much);

	CHECK(line.len <= LINE_BYTES_MAX && str_ends(line, STR(" \n")));
}

static void log_by_level(void)
{
	const struct log quiet = {.verbosity = 1};

	log_verbose(&quiet, 2, "unseen");
	log_verbose(&quiet, 1, "seen");
}

TEST(log_verbose_asks_the_level)
{
	str lines = written_by(t, log_by_level);

	CHECK(str_starts(lines, STR("I")) && str_ends(lines, STR("] seen\n")));
	CHECK(str_find(lines, STR("unseen")) < 0);
}
