#include "controller-manager/cidr_set.h"
#include "lib/base/test.h"

static struct cidr parse(struct test *t, const char *text)
{
	struct cidr c = {0};
	struct err e;

	CHECK_OK(cidr_parse(str_of(text), &c, &e), &e);
	return c;
}

static void check_next(struct test *t, struct cidr_set *s, const char *want)
{
	struct cidr c = {0};
	struct err e;

	CHECK_OK(cidr_set_take(s, &c, &e), &e);
	CHECK_STR(cidr_text(&t->arena, &c), want);
}

TEST(ranges_are_read_and_written)
{
	static const char *const wrong[] = {
		"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "::/-1"};
	struct cidr c;
	struct err e;

	c = parse(t, "10.1.2.3/16");
	CHECK_STR(cidr_text(&t->arena, &c), "10.1.0.0/16");
	c = parse(t, "2001:db8:0:1234::5/60");
	CHECK_STR(cidr_text(&t->arena, &c), "2001:db8:0:1230::/60");
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		CHECK(cidr_parse(str_of(wrong[i]), &c, &e) < 0);
}

TEST(pieces_are_given_in_turn)
{
	struct cidr cluster = parse(t, "10.244.0.0/16"), second;
	struct cidr_set s;
	struct err e;

	REQUIRE_OK(cidr_set_init(&s, &cluster, 24, &e), &e);
	check_next(t, &s, "10.244.0.0/24");
	check_next(t, &s, "10.244.1.0/24");
	second = parse(t, "10.244.3.128/25");
	CHECK_OK(cidr_set_occupy(&s, &second, &e), &e);
	check_next(t, &s, "10.244.2.0/24");
	check_next(t, &s, "10.244.4.0/24");
	second = parse(t, "10.244.1.0/24");
	CHECK_OK(cidr_set_release(&s, &second, &e), &e);
	check_next(t, &s, "10.244.5.0/24");
	CHECK_INT(s.taken, 5);
	second = parse(t, "10.245.1.0/24");
	CHECK(cidr_set_occupy(&s, &second, &e) < 0);
	cidr_set_free(&s);
}

TEST(what_was_given_back_is_given_again)
{
	struct cidr cluster = parse(t, "10.0.0.0/30"), c;
	struct cidr_set s;
	struct err e;

	REQUIRE_OK(cidr_set_init(&s, &cluster, 31, &e), &e);
	check_next(t, &s, "10.0.0.0/31");
	check_next(t, &s, "10.0.0.2/31");
	CHECK(cidr_set_take(&s, &c, &e) < 0);
	c = parse(t, "10.0.0.0/31");
	CHECK_OK(cidr_set_release(&s, &c, &e), &e);
	check_next(t, &s, "10.0.0.0/31");
	c = parse(t, "10.0.0.0/8");
	CHECK_OK(cidr_set_release(&s, &c, &e), &e);
	CHECK_INT(s.taken, 0);
	cidr_set_free(&s);
}

TEST(pieces_of_ipv6_may_cross_its_middle)
{
	struct cidr cluster = parse(t, "2001:db8:1234:ff00::/56"), taken;
	struct cidr_set s;
	struct err e;

	REQUIRE_OK(cidr_set_init(&s, &cluster, 68, &e), &e);
	taken = parse(t, "2001:db8:1234:ff00::/64");
	CHECK_OK(cidr_set_occupy(&s, &taken, &e), &e);
	CHECK_INT(s.taken, 16);
	check_next(t, &s, "2001:db8:1234:ff01::/68");
	check_next(t, &s, "2001:db8:1234:ff01:1000::/68");
	CHECK(cidr_set_init(&s, &cluster, 80, &e) < 0);
	CHECK(cidr_set_init(&s, &cluster, 48, &e) < 0);
	cidr_set_free(&s);
}
