#include "lib/base/test.h"
#include "lib/client/events_similar.h"

static struct occurrence occurrence(struct test *t, const char *reason, int text, int64_t s)
{
	return (struct occurrence){
		.component = STR("replicaset-controller"),
		.type = STR("Normal"),
		.reason = str_of(reason),
		.action = STR(""),
		.message = arena_fmt(&t->arena, "text %d", text),
		.about = {.kind = STR("ReplicaSet"), .name = STR("web"), .uid = STR("u")},
		.wall_ns = s * NS_PER_S,
	};
}

TEST(events_that_are_the_same_are_counted)
{
	struct clock_fake c;
	struct similar s;

	clock_fake_init(&c, 0);
	struct events_similar *all = events_similar_new(&c.clock);
	struct occurrence o = occurrence(t, "Created", 1, 100);

	REQUIRE(events_similar_look(all, &o, false, &s));
	CHECK(s.name.len == 0 && s.count == 1);
	events_similar_name(all, STR("web.1"));
	o.wall_ns += NS_PER_S;
	REQUIRE(events_similar_look(all, &o, false, &s));
	CHECK_STR(s.name, "web.1");
	CHECK_INT(s.count, 2);
	CHECK_INT(s.first_ns, 100 * NS_PER_S);
	o = occurrence(t, "Deleted", 1, 102);
	REQUIRE(events_similar_look(all, &o, false, &s));
	CHECK(s.name.len == 0 && s.count == 1);
	events_similar_free(all);
}

TEST(events_that_differ_in_their_text_are_combined_from_the_tenth_on)
{
	struct clock_fake c;
	struct similar s;

	clock_fake_init(&c, 0);
	struct events_similar *all = events_similar_new(&c.clock);

	for (int i = 1; i <= 12; i++) {
		struct occurrence o = occurrence(t, "Created", i, 100);

		REQUIRE(events_similar_look(all, &o, false, &s));
		CHECK(str_starts(s.message, STR("(combined from similar events): ")) == (i >= 10));
		events_similar_name(all, STR("web.1"));
	}
	CHECK_STR(s.message, "(combined from similar events): text 12");
	CHECK_INT(s.count, 3);
	events_similar_free(all);
}

TEST(events_of_one_object_are_limited)
{
	struct clock_fake c;
	struct similar s;
	int heard = 0;

	clock_fake_init(&c, 0);
	struct events_similar *all = events_similar_new(&c.clock);
	struct occurrence o = occurrence(t, "Created", 1, 100);

	for (int i = 0; i < 40; i++)
		heard += events_similar_look(all, &o, false, &s);
	CHECK_INT(heard, 25);
	clock_fake_advance(&c, 301 * NS_PER_S);
	CHECK(events_similar_look(all, &o, false, &s));
	CHECK(!events_similar_look(all, &o, false, &s));
	events_similar_free(all);
}
