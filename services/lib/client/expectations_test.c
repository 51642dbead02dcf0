#include "lib/base/test.h"
#include "lib/client/expectations.h"

#define KEY STR("default/web")

TEST(expectations_wait_for_every_creation)
{
	struct clock_fake c;

	clock_fake_init(&c, 0);
	struct expectations *x = expectations_new(&c.clock);

	CHECK(expectations_met(x, KEY));
	expectations_set(x, KEY, 2, NULL, 0);
	CHECK(!expectations_met(x, KEY));
	expectations_created(x, KEY);
	CHECK(!expectations_met(x, KEY));
	expectations_created(x, KEY);
	CHECK(expectations_met(x, KEY));
	expectations_free(x);
}

TEST(expectations_count_a_deletion_once_however_often_it_is_seen)
{
	const str names[] = {STR_INIT("a"), STR_INIT("b"), STR_INIT("a")};
	struct clock_fake c;

	clock_fake_init(&c, 0);
	struct expectations *x = expectations_new(&c.clock);

	expectations_set(x, KEY, 0, names, COUNT_OF(names));
	expectations_deleted(x, KEY, STR("a"));
	expectations_deleted(x, KEY, STR("a"));
	expectations_deleted(x, KEY, STR("other"));
	CHECK(!expectations_met(x, KEY));
	CHECK(expectations_met(x, STR("default/other")));
	expectations_deleted(x, KEY, STR("b"));
	CHECK(expectations_met(x, KEY));
	expectations_free(x);
}

TEST(expectations_are_given_up_after_five_minutes)
{
	struct clock_fake c;

	clock_fake_init(&c, 0);
	struct expectations *x = expectations_new(&c.clock);

	expectations_set(x, KEY, 1, NULL, 0);
	clock_fake_advance(&c, 300 * NS_PER_S);
	CHECK(!expectations_met(x, KEY));
	clock_fake_advance(&c, NS_PER_S);
	CHECK(expectations_met(x, KEY));
	expectations_set(x, KEY, 1, NULL, 0);
	CHECK(!expectations_met(x, KEY));
	expectations_forget(x, KEY);
	CHECK(expectations_met(x, KEY));
	expectations_free(x);
}
