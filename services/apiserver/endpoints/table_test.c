#include "apiserver/endpoints/printers.h"
#include "lib/base/test.h"

TEST(ages_grow_coarser)
{
	static const struct {
		int64_t seconds;
		const char *shown;
	} rows[] = {{-5, "<invalid>"}, {-1, "0s"}, {0, "0s"}, {119, "119s"}, {120, "2m"},
		{125, "2m5s"}, {600, "10m"}, {10799, "179m"}, {10800, "3h"}, {10860, "3h1m"},
		{28800, "8h"}, {172799, "47h"}, {172800, "2d"}, {176400, "2d1h"}, {691200, "8d"},
		{63071999, "729d"}, {63072000, "2y"}, {63158400, "2y1d"}, {252288000, "8y"}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf b;

		test_note(t, "%lld", (long long)rows[i].seconds);
		buf_init(&b, BUF_NO_LIMIT);
		put_age(&b, rows[i].seconds);
		CHECK_STR(test_take(t, &b), rows[i].shown);
	}
}

/* The cells of an object's row, as an array of JSON. */
static str row_of(struct test *t, const char *json)
{
	struct cells c = {.arena = &t->arena, .now_s = 1000000000};
	const struct type *type = type_find_api_version(&api_schema, STR("v1"), STR("Pod"));
	struct err e;
	struct buf b;
	void *o;

	REQUIRE_OK(object_decode(&t->arena, type, FORMAT_JSON, str_of(json), &o, NULL, &e), &e);
	printer_find(type)->print(&c, o);
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < c.len; i++)
		buf_add_fmt(&b, "%s%.*s", i ? " " : "", STR_ARG(c.at[i]));
	return test_take(t, &b);
}

#define NONE    "\"\\u003cnone\\u003e\""
#define UNKNOWN "\"\\u003cunknown\\u003e\""

TEST(rows_of_pods)
{
	CHECK_STR(row_of(t,
			  "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[{}]},"
			  "\"status\":{\"phase\":\"Pending\"}}"),
		"\"a\" \"0/1\" \"Pending\" \"0\" " UNKNOWN " " NONE " " NONE " " NONE " "
		"" NONE);
	CHECK_STR(row_of(t,
			  "{\"metadata\":{\"name\":\"a\",\"creationTimestamp\":"
			  "\"2001-09-09T01:46:30Z\"},"
			  "\"spec\":{\"nodeName\":\"n\",\"containers\":[{},{}]},\"status\":"
			  "{\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"10.0.0.1\"}],"
			  "\"containerStatuses\":[{\"ready\":true,\"state\":{\"running\":{}}},"
			  "{\"restartCount\":3,\"state\":{\"waiting\":{\"reason\":"
			  "\"CrashLoopBackOff\"}},\"lastState\":{\"terminated\":{\"finishedAt\":"
			  "\"2001-09-09T01:45:40Z\"}}}]}}"),
		"\"a\" \"1/2\" \"CrashLoopBackOff\" \"3 (60s ago)\" \"10s\" \"10.0.0.1\" \"n\" "
		"" NONE " " NONE);
	CHECK_STR(row_of(t,
			  "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"initContainers\":[{\"name\":"
			  "\"i\"},{\"name\":\"j\"}],\"containers\":[{}]},\"status\":{\"phase\":"
			  "\"Pending\",\"initContainerStatuses\":[{\"name\":\"i\",\"state\":"
			  "{\"terminated\":{\"exitCode\":0}}},{\"name\":\"j\",\"state\":"
			  "{\"terminated\":{\"exitCode\":2}}}]}}"),
		"\"a\" \"0/1\" \"Init:ExitCode:2\" \"0\" " UNKNOWN " " NONE " " NONE " "
		"" NONE " " NONE);
}
