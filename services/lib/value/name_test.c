#include "lib/value/name.h"

#include "lib/value/cases_test.h"

TEST(names_have_the_faults_that_upstream_finds)
{
	enum { IN, FORM, FAULTS };
	struct cases c = cases_open(t, "tests/data/name.tsv");

	for (str row[CASES_COLUMNS_MAX]; cases_next(t, &c, row);) {
		struct name_faults f;
		str faults = STR("");
		bool good = name_check((enum name_form)cases_number(t, row[FORM]), row[IN], &f);

		for (size_t i = 0; i < f.len; i++)
			faults = arena_fmt(
				&t->arena, "%.*s%s%s", STR_ARG(faults), i ? "|" : "", f.at[i]);
		CHECK(good == (f.len == 0));
		CHECK_BYTES(faults, row[FAULTS]);
	}
}

TEST(name_of_prefix_lets_a_dash_stand)
{
	CHECK_STR(name_of_prefix(&t->arena, STR("web-")), "wea");
	CHECK_STR(name_of_prefix(&t->arena, STR("-")), "-");
	CHECK_STR(name_of_prefix(&t->arena, STR("web")), "web");
}
