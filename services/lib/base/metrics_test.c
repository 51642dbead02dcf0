#include "lib/base/metrics.h"
#include "lib/base/test.h"

#include <pthread.h>

static const double seconds[] = {0.005, 0.1, 1, 2.5};

enum { REQUESTS, DURATION, READY };

static const struct metric table[] = {
	[REQUESTS] = {"requests_total", "Requests by verb and code.", METRIC_COUNTER, METRIC_STABLE,
		.labels = {"verb", "code"}},
	[DURATION] = {"duration_seconds", "How long.", METRIC_HISTOGRAM, METRIC_ALPHA,
		.buckets = seconds, .bucket_count = COUNT_OF(seconds)},
	[READY] = {"ready", "Whether ready.", METRIC_GAUGE, METRIC_BETA},
};

TEST(metrics_are_written_sorted_and_escaped)
{
	struct metrics *m = metrics_new(table, COUNT_OF(table));
	struct buf text;

	buf_init(&text, 1 << 20);
	series_add(metrics_series(m, REQUESTS, (str[]){STR("WATCH"), STR("200")}), 1);
	series_add(metrics_series(m, REQUESTS, (str[]){STR("GET"), STR("a\"\\\n")}), 2);
	series_add(metrics_series(m, REQUESTS, (str[]){STR("WATCH"), STR("200")}), 41);
	series_observe(metrics_series(m, DURATION, NULL), 0.1);
	series_observe(metrics_series(m, DURATION, NULL), 7);
	series_set(metrics_series(m, READY, NULL), 0.25);
	metrics_write(m, &text);
	CHECK_BYTES(buf_str(&text),
		STR("# HELP duration_seconds [ALPHA] How long.\n"
		    "# TYPE duration_seconds histogram\n"
		    "duration_seconds_bucket{le=\"0.005\"} 0\n"
		    "duration_seconds_bucket{le=\"0.1\"} 1\n"
		    "duration_seconds_bucket{le=\"1\"} 1\n"
		    "duration_seconds_bucket{le=\"2.5\"} 1\n"
		    "duration_seconds_bucket{le=\"+Inf\"} 2\n"
		    "duration_seconds_sum 7.1\n"
		    "duration_seconds_count 2\n"
		    "# HELP ready [BETA] Whether ready.\n"
		    "# TYPE ready gauge\n"
		    "ready 0.25\n"
		    "# HELP requests_total [STABLE] Requests by verb and code.\n"
		    "# TYPE requests_total counter\n"
		    "requests_total{verb=\"GET\",code=\"a\\\"\\\\\\n\"} 2\n"
		    "requests_total{verb=\"WATCH\",code=\"200\"} 42\n"));
	buf_free(&text);
	metrics_free(m);
}

TEST(metrics_of_several_tables_are_one_text)
{
	static const struct metric other[] = {
		{"apples", "Apples.", METRIC_GAUGE, METRIC_ALPHA, .labels = {NULL}},
		{"zebras", "Zebras.", METRIC_GAUGE, METRIC_ALPHA, .labels = {NULL}},
	};
	struct metrics *m = metrics_new(table, COUNT_OF(table));
	struct buf text;

	buf_init(&text, 1 << 20);
	series_set(metrics_series(m, READY, NULL), 1);

	size_t first = metrics_add(m, other, COUNT_OF(other));

	CHECK_INT(first, COUNT_OF(table));
	series_set(metrics_series(m, first + 1, NULL), 2);
	series_set(metrics_series(m, first, NULL), 3);
	series_set(metrics_series(m, READY, NULL), 4);
	metrics_write(m, &text);
	CHECK_BYTES(buf_str(&text),
		STR("# HELP apples [ALPHA] Apples.\n# TYPE apples gauge\napples 3\n"
		    "# HELP ready [BETA] Whether ready.\n# TYPE ready gauge\nready 4\n"
		    "# HELP zebras [ALPHA] Zebras.\n# TYPE zebras gauge\nzebras 2\n"));
	buf_free(&text);
	metrics_free(m);
}

TEST(metrics_bound_what_peers_can_add)
{
	struct metrics *m = metrics_new(table, COUNT_OF(table));
	struct series *last = NULL;
	char verb[16];

	for (int i = 0; i < METRIC_SERIES_MAX - 1; i++) {
		snprintf(verb, sizeof(verb), "V%d", i);
		metrics_series(m, REQUESTS, (str[]){str_of(verb), STR("200")});
	}
	for (int i = 0; i < 3; i++) {
		struct series *before = last;

		snprintf(verb, sizeof(verb), "W%d", i);
		last = metrics_series(m, REQUESTS, (str[]){str_of(verb), STR("200")});
		CHECK(i < 2 || before == last);
	}
	metrics_free(m);
}

static void *count_often(void *argument)
{
	struct metrics *m = argument;

	for (int i = 0; i < 10000; i++) {
		str verb = i % 2 ? STR("GET") : STR("PUT");

		series_add(metrics_series(m, REQUESTS, (str[]){verb, STR("200")}), 1);
	}
	return NULL;
}

TEST(metrics_count_from_many_threads)
{
	struct metrics *m = metrics_new(table, COUNT_OF(table));
	pthread_t threads[4];
	struct buf text;

	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		REQUIRE(pthread_create(&threads[i], NULL, count_often, m) == 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	metrics_write(m, &text);
	CHECK(str_find(buf_str(&text), STR("verb=\"GET\",code=\"200\"} 20000\n")) > 0);
	CHECK(str_find(buf_str(&text), STR("verb=\"PUT\",code=\"200\"} 20000\n")) > 0);
	buf_free(&text);
	metrics_free(m);
}
