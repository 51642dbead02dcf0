#include "lib/daemon/flags.h"

#include "lib/base/test.h"

struct options {
	bool on;
	int64_t port, wait_ns;
	double rate;
	str name;
	struct str_list names, raw;
	struct str_map labels;
};

static const struct flag rows[] = {
	{"on", FLAG_BOOL, 0, offsetof(struct options, on), "false", "switch"},
	{"port", FLAG_INT, 0, offsetof(struct options, port), "6443", "where"},
	{"wait", FLAG_DURATION, 0, offsetof(struct options, wait_ns), "1m", "how long"},
	{"rate", FLAG_FLOAT, 0, offsetof(struct options, rate), "20", "how often"},
	{"name", FLAG_STRING, 0, offsetof(struct options, name), NULL, "who"},
	{"names", FLAG_STRINGS, 0, offsetof(struct options, names), "a,b", "all"},
	{"raw", FLAG_REPEATED, 0, offsetof(struct options, raw), NULL, "as it is"},
	{"labels", FLAG_MAP, 0, offsetof(struct options, labels), NULL, "pairs"},
	{"old", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
};

static int parse(struct arena *a, struct options *o, enum flags_ask *ask, struct err *e, int argc,
	const char **argv)
{
	struct flag_table table = FLAG_TABLE(rows, o);

	*o = (struct options){0};
	return flags_parse(a, &table, 1, argc, (char **)(uintptr_t)argv, ask, e);
}

TEST(flags_presets_and_values)
{
	const char *none[] = {"x", NULL};
	const char *all[] = {"x", "--on", "--port=1", "--wait", "2s", "--rate=0.5",
		"--name=", "--names=c", "--names", "d,e", "--raw=a,b", "--raw=c",
		"--labels=k=v,l=w=x", "--old", "z", NULL};
	struct options o;
	enum flags_ask ask;
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	CHECK_OK(parse(&a, &o, &ask, &e, 1, none), &e);
	CHECK(!o.on && o.port == 6443 && o.wait_ns == 60 * 1000000000ll && o.names.len == 2);
	CHECK(!o.name.at);
	CHECK_OK(parse(&a, &o, &ask, &e, 15, all), &e);
	CHECK(o.on && o.port == 1 && o.wait_ns == 2000000000ll && o.rate == 0.5);
	CHECK(o.name.at && o.name.len == 0);
	CHECK(o.names.len == 3 && str_eq(o.names.at[2], STR("e")));
	CHECK(o.raw.len == 2 && str_eq(o.raw.at[0], STR("a,b")));
	CHECK_STR(str_map_get(&o.labels, STR("l")), "w=x");
	CHECK(ask == FLAGS_RUN);
	arena_free(&a);
}

TEST(flags_refusals)
{
	static const struct {
		const char *argv[4];
		const char *text;
	} cases[] = {
		{{"x", "--nope=1"}, "unknown flag: --nope"},
		{{"x", "--port"}, "flag needs an argument: --port"},
		{{"x", "--port=a"},
			"invalid argument \"a\" for \"--port\" flag: not a whole number"},
		{{"x", "--on=maybe"},
			"invalid argument \"maybe\" for \"--on\" flag: neither true nor false"},
		{{"x", "--labels=k"}, "must be formatted as key=value"},
		{{"x", "start"}, "unknown command \"start\""},
		{{"x", "-q"}, "unknown flag: --q"},
		{{"x", "-on"}, "unknown shorthand flag: -on"},
	};
	struct options o;
	enum flags_ask ask;
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_FAILS(parse(&a, &o, &ask, &e, 2, (const char **)(uintptr_t)cases[i].argv), &e,
			ERR_INVALID, cases[i].text);
	arena_free(&a);
}
