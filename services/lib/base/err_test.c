#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/test.h"

#include <errno.h>

TEST(err_keeps_its_kind_when_context_is_added)
{
	struct err e;

	CHECK_INT(err_set(&e, ERR_CONFLICT, "pods \"%s\" has changed", "a"), -1);
	CHECK_INT(err_context(&e, "updating %s", "status"), -1);
	CHECK_INT(e.kind, ERR_CONFLICT);
	CHECK_STR(str_of(e.text), "updating status: pods \"a\" has changed");
	CHECK_INT(err_set_errno(&e, ENOENT, "open %s", "/x"), -1);
	CHECK_STR(str_of(e.text), "open /x: No such file or directory");
	CHECK_INT(e.kind, ERR_SYSTEM);
}

TEST(err_marks_a_text_that_was_cut)
{
	char longer[2000];
	struct err e;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	CHECK_INT(err_set(&e, ERR_INVALID, "%s", longer), -1);
	CHECK_INT(strlen(e.text), sizeof(e.text) - 1);
	CHECK(str_ends(str_of(e.text), STR("xxx...")));
	CHECK_INT(err_context(&e, "reading"), -1);
	CHECK(str_starts(str_of(e.text), STR("reading: xxx")));
	CHECK(str_ends(str_of(e.text), STR("...")));
}

TEST(clock_fake_moves_only_when_told)
{
	struct clock_fake c;

	clock_fake_init(&c, 1700000000 * NS_PER_S);
	CHECK_INT(c.clock.monotonic_ns(&c.clock), 0);
	clock_fake_advance(&c, 5 * NS_PER_MS);
	CHECK_INT(c.clock.monotonic_ns(&c.clock), 5000000);
	CHECK_INT(c.clock.wall_ns(&c.clock), 1700000000005000000);
	CHECK(clock_system.monotonic_ns(&clock_system) > 0);
}

TEST(random_repeatable_repeats_and_stays_below)
{
	struct random a, b;
	int seen[10] = {0};

	random_repeatable(&a, 42);
	random_repeatable(&b, 42);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = random_below(&a, COUNT_OF(seen));

		CHECK_INT(value, random_below(&b, COUNT_OF(seen)));
		REQUIRE(value < COUNT_OF(seen));
		seen[value]++;
	}
	for (size_t i = 0; i < COUNT_OF(seen); i++)
		CHECK(seen[i] > 50);
}
