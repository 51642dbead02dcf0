#include "lib/base/test.h"
#include "lib/client/throttle.h"

TEST(throttle_lets_a_burst_through_and_then_makes_wait)
{
	struct throttle r;

	throttle_init(&r, 10, 3, 0);
	for (int i = 0; i < 3; i++)
		CHECK_INT(throttle_take(&r, 0), 0);
	CHECK_INT(throttle_take(&r, 0), 100 * NS_PER_MS);
	CHECK_INT(throttle_take(&r, 0), 200 * NS_PER_MS);
	/* What was promised is paid back first. */
	CHECK_INT(throttle_take(&r, 400 * NS_PER_MS), 0);
	CHECK(throttle_try(&r, 400 * NS_PER_MS));
	CHECK(!throttle_try(&r, 400 * NS_PER_MS));
}

TEST(throttle_without_a_rate_has_no_limit)
{
	struct throttle r;

	throttle_init(&r, 0, 1, 0);
	for (int i = 0; i < 100; i++)
		CHECK_INT(throttle_take(&r, 0), 0);
}

TEST(throttle_doubles_waits_up_to_the_longest)
{
	const int64_t base_ns = 5 * NS_PER_MS, most_ns = 1000 * NS_PER_S;

	CHECK_INT(throttle_backoff_ns(base_ns, most_ns, 0), base_ns);
	CHECK_INT(throttle_backoff_ns(base_ns, most_ns, 1), 2 * base_ns);
	CHECK_INT(throttle_backoff_ns(base_ns, most_ns, 10), 1024 * base_ns);
	CHECK_INT(throttle_backoff_ns(base_ns, most_ns, 18), most_ns);
	CHECK_INT(throttle_backoff_ns(base_ns, most_ns, 1000), most_ns);
}
