#include "lib/base/test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct test_case *const __start_test_cases[], *const __stop_test_cases[];

static bool run(const struct test_case *c)
{
	struct test t = {.name = c->name};

	arena_init(&t.arena, ARENA_NO_LIMIT);
	if (setjmp(t.out) == 0)
		c->run(&t);
	arena_free(&t.arena);
	return t.failures == 0;
}

int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : "";
	int passed = 0, failed = 0;

	for (const struct test_case *const *c = __start_test_cases; c < __stop_test_cases; c++) {
		if (!strstr((*c)->name, wanted))
			continue;
		if (run(*c))
			passed++;
		else
			failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0 || passed == 0;
}

static void fail(struct test *t, const char *file, int line, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static void fail(struct test *t, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	t->failures++;
	printf("%s:%d: %s: ", file, line, t->name);
	if (t->note[0])
		printf("[%s] ", t->note);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

bool test_check(struct test *t, bool held, const char *what, const char *file, int line)
{
	if (!held)
		fail(t, file, line, "not so: %s", what);
	return held;
}

bool test_check_int(
	struct test *t, int64_t have, int64_t want, const char *what, const char *file, int line)
{
	if (have != want)
		fail(t, file, line, "%s is %lld, not %lld", what, (long long)have, (long long)want);
	return have == want;
}

bool test_check_str(
	struct test *t, str have, str want, const char *what, const char *file, int line)
{
	bool same = str_eq(have, want) && !have.at == !want.at;

	if (!same)
		fail(t, file, line, "%s is\n\t%.*s\nnot\n\t%.*s", what, have.at ? (int)have.len : 8,
			have.at ? have.at : "(absent)", want.at ? (int)want.len : 8,
			want.at ? want.at : "(absent)");
	return same;
}

bool test_check_ok(struct test *t, int result, const struct err *e, const char *what,
	const char *file, int line)
{
	if (result != 0)
		fail(t, file, line, "%s: %s", what, e->text);
	return result == 0;
}

bool test_check_fails(struct test *t, int result, const struct err *e, enum err_kind kind,
	const char *part, const char *what, const char *file, int line)
{
	bool as_wanted = result == -1 && e->kind == kind && strstr(e->text, part);

	if (result == 0)
		fail(t, file, line, "%s did not fail", what);
	else if (!as_wanted)
		fail(t, file, line, "%s failed with kind %d: %s\nnot kind %d: %s", what, e->kind,
			e->text, kind, part);
	return as_wanted;
}

void test_note(struct test *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->note, sizeof(t->note), fmt, args);
	va_end(args);
}

str test_take(struct test *t, struct buf *b)
{
	str copy = arena_str(&t->arena, buf_str(b));

	buf_free(b);
	return copy;
}

str test_file(struct test *t, const char *path)
{
	const char *root = getenv("CORACLE_ROOT");
	str full = arena_fmt(&t->arena, "%s/%s", root ? root : ".", path);
	FILE *file = fopen(full.at, "rbe");
	struct buf content;

	buf_init(&content, BUF_NO_LIMIT);
	if (file) {
		char part[65536];

		for (size_t got; (got = fread(part, 1, sizeof(part), file)) > 0;)
			buf_add(&content, part, got);
		fclose(file);
	}
	str copy = test_take(t, &content);

	if (!test_check(t, file != NULL, full.at, __FILE__, __LINE__))
		longjmp(t->out, 1);
	return copy;
}
