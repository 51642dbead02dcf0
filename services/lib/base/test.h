/*
 * Test harness. A test program is any number of x_test.c, linked with what they test:
 *
 *	TEST(quantity_keeps_its_suffix)
 *	{
 *		CHECK_STR(print(t, "1000m"), "1");
 *	}
 *
 * Checks go on after a failure, so that one run shows all; REQUIRE ends the test, for what the rest
 * stands on. The program runs every test, or those whose name contains its first argument; its last
 * line is "N passed, N failed" and its exit status 1 if any failed.
 *
 * Ownership: `t->arena` is the test's, freed behind it.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#include <setjmp.h>

struct test {
	const char *name;
	struct arena arena;
	int failures;
	char note[256];
	jmp_buf out;
};

struct test_case {
	const char *name;
	void (*run)(struct test *t);
};

/* Cases are found through a section of pointers, which the linker bounds for test.c. */
#define TEST(id) \
	static void test_##id(struct test *t); \
	static const struct test_case test_case_##id = {#id, test_##id}; \
	__attribute__((section("test_cases"), \
		used)) static const struct test_case *const test_pointer_##id = &test_case_##id; \
	static void test_##id(UNUSED struct test *t)

#define CHECK(condition)        test_check(t, (condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(have, want)   test_check_int(t, (have), (want), #have, __FILE__, __LINE__)
#define CHECK_STR(have, want)   test_check_str(t, (have), str_of(want), #have, __FILE__, __LINE__)
#define CHECK_BYTES(have, want) test_check_str(t, (have), (want), #have, __FILE__, __LINE__)

/* The call returns 0; otherwise the error is shown. */
#define CHECK_OK(call, e) test_check_ok(t, (call), (e), #call, __FILE__, __LINE__)

/* The call returns -1 with this kind and a message that contains `part`. */
#define CHECK_FAILS(call, e, kind, part) \
	test_check_fails(t, (call), (e), (kind), (part), #call, __FILE__, __LINE__)

#define REQUIRE(condition) \
	do { \
		if (!CHECK(condition)) \
			longjmp(t->out, 1); \
	} while (0)

#define REQUIRE_OK(call, e) \
	do { \
		if (!CHECK_OK(call, e)) \
			longjmp(t->out, 1); \
	} while (0)

/* What the macros call; each says whether it held. */
bool test_check(struct test *t, bool held, const char *what, const char *file, int line);
bool test_check_int(
	struct test *t, int64_t have, int64_t want, const char *what, const char *file, int line);
bool test_check_str(
	struct test *t, str have, str want, const char *what, const char *file, int line);
bool test_check_ok(struct test *t, int result, const struct err *e, const char *what,
	const char *file, int line);
bool test_check_fails(struct test *t, int result, const struct err *e, enum err_kind kind,
	const char *part, const char *what, const char *file, int line);

/* Shown beside the failures that follow, to tell the cases of a loop apart; "" takes it away. */
void test_note(struct test *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What was written, in the test's arena; frees the buffer. */
str test_take(struct test *t, struct buf *b);

/* A file of the checkout, whole, in the test's arena; `path` is relative to $CORACLE_ROOT or to the
 * working directory. Ends the test if it cannot be read. */
str test_file(struct test *t, const char *path);
