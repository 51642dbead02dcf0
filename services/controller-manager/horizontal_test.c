#include "controller-manager/horizontal_metrics.h"
#include "lib/base/test.h"

enum { NOW_S = 1000000 };

static const struct hpa_tolerance tenth = {0.1, 0.1};

/* A pod as the arithmetic sees it: value -1 is not measured. */
struct row {
	enum hpa_group group;
	int64_t value;
};

struct average_case {
	const char *name;
	struct row rows[8];
	size_t count;
	int32_t utilization; /* of requests of 1000 each; 0: the value counts */
	int64_t value;
	int32_t current, want, want_utilization;
	int64_t want_average;
};

static const struct average_case averages[] = {
	{"up", {{HPA_READY, 300}, {HPA_READY, 500}, {HPA_READY, 700}}, 3, 30, 0, 3, 5, 50, 500},
	{"down",
		{{HPA_READY, 100}, {HPA_READY, 300}, {HPA_READY, 500}, {HPA_READY, 250},
			{HPA_READY, 250}},
		5, 50, 0, 5, 3, 28, 280},
	{"tolerated", {{HPA_READY, 1010}, {HPA_READY, 1030}, {HPA_READY, 1020}}, 3, 100, 0, 3, 3,
		102, 1020},
	{"unready pods use nothing on the way up",
		{{HPA_UNREADY, 100}, {HPA_READY, 500}, {HPA_READY, 700}}, 3, 30, 0, 3, 4, 60, 600},
	{"many unready pods change nothing",
		{{HPA_UNREADY, 400}, {HPA_READY, 500}, {HPA_UNREADY, 700}}, 3, 30, 0, 3, 3, 50,
		500},
	{"ignored pods are not there", {{HPA_IGNORED, 100}, {HPA_READY, 500}, {HPA_READY, 700}}, 3,
		30, 0, 3, 4, 60, 600},
	{"missing pods use nothing on the way up", {{HPA_READY, 1000}, {HPA_MISSING, -1}}, 2, 40, 0,
		2, 3, 100, 1000},
	{"missing pods use their request on the way down",
		{{HPA_READY, 100}, {HPA_READY, 300}, {HPA_MISSING, -1}, {HPA_READY, 400}}, 4, 100,
		0, 4, 2, 26, 266},
	{"missing pods may turn the direction", {{HPA_READY, 450}, {HPA_MISSING, -1}}, 2, 50, 0, 2,
		2, 45, 450},
	{"foreign measurements have no request", {{HPA_READY, 500}, {HPA_FOREIGN, 9000}}, 2, 50, 0,
		1, 1, 50, 500},
	{"up by value", {{HPA_READY, 20000}, {HPA_READY, 10000}, {HPA_READY, 30000}}, 3, 0, 15000,
		3, 4, 0, 20000},
	{"down by value", {{HPA_READY, 12000}, {HPA_READY, 12000}, {HPA_READY, 12000}}, 3, 0, 20000,
		3, 2, 0, 12000},
	{"missing by value on the way down", {{HPA_READY, 1000}, {HPA_MISSING, -1}}, 2, 0, 2000, 2,
		2, 0, 1000},
	{"foreign measurements count by value", {{HPA_READY, 1000}, {HPA_FOREIGN, 5000}}, 2, 0,
		1000, 1, 3, 0, 3000},
};

static struct hpa_samples samples_of(struct test *t, const struct average_case *c)
{
	struct hpa_samples s = {.len = c->count};
	static const struct pod some;

	s.at = arena_get(&t->arena, c->count * sizeof(*s.at));
	for (size_t i = 0; i < c->count; i++)
		s.at[i] = (struct hpa_sample){.pod = c->rows[i].group == HPA_FOREIGN ? NULL : &some,
			.group = c->rows[i].group,
			.measured = c->rows[i].value >= 0,
			.value = c->rows[i].value,
			.request = c->rows[i].group == HPA_FOREIGN ? 0 : 1000};
	return s;
}

TEST(autoscaling_averages_over_pods)
{
	for (size_t i = 0; i < COUNT_OF(averages); i++) {
		const struct average_case *c = &averages[i];
		struct hpa_samples s = samples_of(t, c);
		const struct hpa_target target = {c->utilization, c->value};
		struct hpa_usage u;
		struct err e;

		test_note(t, "%s", c->name);
		REQUIRE_OK(hpa_average(&s, &target, c->current, &tenth, &u, &e), &e);
		CHECK_INT(u.replicas, c->want);
		CHECK_INT(u.utilization, c->want_utilization);
		CHECK_INT(u.average, c->want_average);
	}
}

TEST(autoscaling_needs_measurements_and_requests)
{
	static const struct average_case none = {
		"none", {{HPA_UNREADY, 10}, {HPA_MISSING, -1}}, 2, 50, 0, 2, 0, 0, 0};
	struct hpa_samples s = samples_of(t, &none);
	struct hpa_target target = {50, 0};
	struct hpa_usage u;
	struct err e;

	CHECK_FAILS(hpa_average(&s, &target, 2, &tenth, &u, &e), &e, ERR_INVALID,
		"did not receive metrics for targeted pods (pods might be unready)");
	s.at[0] = (struct hpa_sample){.group = HPA_FOREIGN, .measured = true, .value = 5};
	CHECK_FAILS(hpa_average(&s, &target, 2, &tenth, &u, &e), &e, ERR_INVALID,
		"no metrics returned matched known pods");
}

TEST(autoscaling_by_one_value)
{
	const struct hpa_tolerance wide = {0.1, 0.5};
	int64_t usage = 8600;

	CHECK_INT(hpa_of_value(6000, 3000, 3, 3, &tenth), 6);
	CHECK_INT(hpa_of_value(3200, 3000, 3, 3, &tenth), 3);
	CHECK_INT(hpa_of_value(4000, 3000, 3, 3, &wide), 3);
	CHECK_INT(hpa_of_value(6000, 3000, 0, 0, &tenth), 2);
	CHECK_INT(hpa_of_value(INT64_MAX, 1, 3, 3, &tenth), INT32_MAX);
	CHECK_INT(hpa_of_share(&usage, 2000, 4, &tenth), 4);
	CHECK_INT(usage, 2150);
	usage = 8600;
	CHECK_INT(hpa_of_share(&usage, 1000, 4, &tenth), 9);
	usage = 10;
	CHECK_INT(hpa_of_share(&usage, 5, 0, &tenth), 2);
}

/* --- which pods count */

struct group_case {
	const char *phase, *ready; /* NULL: no condition */
	int64_t started_ago_s, turned_ago_s, measured_ago_s, window_s;
	enum hpa_group want;
};

static const struct group_case groups[] = {
	{"Pending", "True", 600, 600, 10, 30, HPA_UNREADY},
	{"Failed", "True", 600, 600, 10, 30, HPA_IGNORED},
	{"Running", "True", 600, 500, 10, 30, HPA_READY},
	{"Running", NULL, 600, 500, 10, 30, HPA_UNREADY},
	{"Running", "False", 60, 50, 10, 30, HPA_UNREADY},
	{"Running", "True", 60, 50, 10, 30, HPA_READY},
	{"Running", "True", 60, 20, 10, 30, HPA_UNREADY},    /* its window began before */
	{"Running", "False", 600, 590, 10, 30, HPA_UNREADY}, /* never was ready */
	{"Running", "False", 600, 100, 10, 30, HPA_READY},
};

TEST(autoscaling_leaves_out_pods_that_start)
{
	const struct hpa_readiness r = {.cpu = true,
		.initialization_ns = 300 * NS_PER_S,
		.delay_ns = 30 * NS_PER_S,
		.now_ns = NOW_S * NS_PER_S};

	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		const struct group_case *c = &groups[i];
		struct pod_condition ready = {.type = STR("Ready"),
			.status = str_of(c->ready),
			.last_transition_time = time_from_seconds(NOW_S - c->turned_ago_s)};
		struct time_value began = time_from_seconds(NOW_S - c->started_ago_s);
		struct pod p = {.status = {.phase = str_of(c->phase), .start_time = &began}};
		struct hpa_sample s = {.pod = &p,
			.measured = true,
			.at_ns = (NOW_S - c->measured_ago_s) * NS_PER_S,
			.window_ns = c->window_s * NS_PER_S};

		p.status.conditions.at = &ready;
		p.status.conditions.len = c->ready ? 1 : 0;
		test_note(t, "row %zu", i);
		CHECK_INT(hpa_group(&s, &r), c->want);
	}
}

/* --- bounds, windows, rates */

static struct hpa_bounds bounds(int32_t min, int32_t max, int32_t current, int64_t now_s)
{
	return (struct hpa_bounds){.min = min,
		.max = max,
		.current = current,
		.down_window_ns = 300 * NS_PER_S,
		.now_ns = now_s * NS_PER_S};
}

static int32_t decide(
	struct hpa_history *h, struct hpa_bounds b, int32_t wanted, const char **reason)
{
	struct hpa_verdict v;

	hpa_decide(h, &b, wanted, &v);
	*reason = v.limit_reason;
	return v.replicas;
}

TEST(autoscaling_keeps_in_bounds)
{
	static const struct {
		int32_t current, wanted, want;
		const char *reason;
	} rows[] = {
		{2, 3, 3, "DesiredWithinRange"},
		{1, 9, 4, "ScaleUpLimit"},
		{3, 9, 6, "ScaleUpLimit"},
		{8, 30, 10, "TooManyReplicas"},
		{4, 1, 2, "TooFewReplicas"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct hpa_history h = {0};
		const char *reason;

		test_note(t, "row %zu", i);
		CHECK_INT(
			decide(&h, bounds(2, 10, rows[i].current, NOW_S), rows[i].wanted, &reason),
			rows[i].want);
		CHECK_STR(str_of(reason), rows[i].reason);
		hpa_history_free(&h);
	}
}

TEST(autoscaling_waits_before_there_are_fewer)
{
	struct hpa_history h = {0};
	struct hpa_bounds b = bounds(1, 10, 8, 1000);
	struct hpa_verdict v;

	hpa_history_begin(&h, 8, 1000 * NS_PER_S);
	hpa_decide(&h, &b, 3, &v);
	CHECK_INT(v.replicas, 8);
	CHECK_STR(str_of(v.able_reason), "ScaleDownStabilized");
	b.now_ns = 1301 * NS_PER_S;
	hpa_decide(&h, &b, 2, &v);
	CHECK_INT(v.replicas, 2);
	CHECK_STR(str_of(v.able_reason), "ReadyForNewScale");
	CHECK_INT((int64_t)h.recommended.len, 2); /* the new one took the place of an old one */
	hpa_history_free(&h);
}

static struct hpa_scaling_rules rules(
	struct test *t, const char *select, int32_t window_s, size_t count)
{
	struct hpa_scaling_rules r = {
		.stabilization_window_seconds = arena_i32(&t->arena, window_s)};

	r.select_policy = arena_get(&t->arena, sizeof(*r.select_policy));
	*r.select_policy = str_of(select);
	r.policies.at = arena_get(&t->arena, 2 * sizeof(*r.policies.at));
	r.policies.len = count;
	r.policies.at[0] = (struct hpa_scaling_policy){
		.type = STR("Pods"), .value = 2, .period_seconds = 60};
	r.policies.at[1] = (struct hpa_scaling_policy){
		.type = STR("Percent"), .value = 50, .period_seconds = 60};
	return r;
}

TEST(autoscaling_keeps_to_rates)
{
	static const struct {
		const char *select;
		int32_t current, wanted, want;
	} rows[] = {
		{"Max", 10, 100, 15},
		{"Min", 10, 100, 12},
		{"Disabled", 10, 100, 10},
		{"Max", 10, 1, 5},
		{"Min", 10, 1, 8},
		{"Disabled", 10, 1, 10},
		{"Max", 1, 100, 3},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct hpa_scaling_rules r = rules(t, rows[i].select, 0, 2);
		struct horizontal_pod_autoscaler_behavior both = {.scale_up = &r, .scale_down = &r};
		struct hpa_bounds b = bounds(1, 50, rows[i].current, NOW_S);
		struct hpa_history h = {0};
		const char *reason;

		b.behavior = &both;
		test_note(t, "row %zu", i);
		CHECK_INT(decide(&h, b, rows[i].wanted, &reason), rows[i].want);
		CHECK_STR(str_of(reason),
			rows[i].wanted > rows[i].current ? "ScaleUpLimit" : "ScaleDownLimit");
		hpa_history_free(&h);
	}
}

TEST(autoscaling_remembers_what_it_did_in_a_period)
{
	struct hpa_scaling_rules r = rules(t, "Max", 0, 1);
	struct horizontal_pod_autoscaler_behavior both = {.scale_up = &r, .scale_down = &r};
	struct hpa_history h = {0};
	struct hpa_bounds b = bounds(1, 50, 10, 1000);
	const char *reason;

	b.behavior = &both;
	CHECK_INT(decide(&h, b, 20, &reason), 12);
	hpa_scaled(&h, &b, 12);
	b.current = 12;
	b.now_ns = 1030 * NS_PER_S;
	CHECK_INT(decide(&h, b, 20, &reason), 12);
	b.now_ns = 1061 * NS_PER_S;
	CHECK_INT(decide(&h, b, 20, &reason), 14);
	hpa_scaled(&h, &b, 14);
	CHECK_INT((int64_t)h.ups.len, 1);
	hpa_history_free(&h);
}

TEST(autoscaling_stabilizes_both_ways)
{
	struct hpa_scaling_rules up = rules(t, "Max", 60, 2), down = rules(t, "Max", 60, 2);
	struct horizontal_pod_autoscaler_behavior both = {.scale_up = &up, .scale_down = &down};
	struct hpa_history h = {0};
	struct hpa_bounds b = bounds(1, 50, 4, 1000);
	struct hpa_verdict v;

	b.behavior = &both;
	hpa_history_begin(&h, 4, 1000 * NS_PER_S);
	b.now_ns = 1030 * NS_PER_S;
	hpa_decide(&h, &b, 6, &v);
	CHECK_INT(v.replicas, 4);
	CHECK_STR(str_of(v.able_reason), "ScaleUpStabilized");
	b.now_ns = 1061 * NS_PER_S;
	hpa_decide(&h, &b, 8, &v);
	CHECK_INT(v.replicas, 6);
	hpa_history_free(&h);
}

/* --- answers of metrics APIs */

TEST(autoscaling_reads_pod_metrics)
{
	static const char json[] =
		"{\"items\":[{\"metadata\":{\"name\":\"a\"},\"timestamp\":\"2026-01-02T03:04:05Z\","
		"\"window\":\"30s\",\"containers\":[{\"name\":\"x\",\"usage\":{\"cpu\":\"10m\"}},"
		"{\"name\":\"y\",\"usage\":{\"cpu\":\"1500000n\"}}]},"
		"{\"metadata\":{\"name\":\"b\"},\"containers\":[{\"name\":\"x\",\"usage\":{}}]}]}";
	struct hpa_samples s = {0}, one = {0};
	size_t count;
	struct err e;

	REQUIRE_OK(
		hpa_read_pod_metrics(&t->arena, str_of(json), STR("cpu"), STR(""), &s, &count, &e),
		&e);
	CHECK_INT((int64_t)count, 2);
	REQUIRE(s.len == 1);
	CHECK_STR(s.at[0].name, "a");
	CHECK_INT(s.at[0].value, 12);
	CHECK_INT(s.at[0].window_ns, 30 * NS_PER_S);
	REQUIRE_OK(hpa_read_pod_metrics(
			   &t->arena, str_of(json), STR("cpu"), STR("x"), &one, &count, &e),
		&e);
	REQUIRE(one.len == 1);
	CHECK_INT(one.at[0].value, 10);
}

TEST(autoscaling_reads_values)
{
	struct hpa_samples s = {0};
	struct err e;

	REQUIRE_OK(hpa_read_values(&t->arena,
			   STR("{\"items\":[{\"describedObject\":{\"name\":\"a\"},\"value\":\"2k\","
			       "\"windowSeconds\":10},{\"value\":3}]}"),
			   &s, &e),
		&e);
	REQUIRE(s.len == 2);
	CHECK_INT(s.at[0].value, 2000000);
	CHECK_INT(s.at[0].window_ns, 10 * NS_PER_S);
	CHECK_INT(s.at[1].value, 3000);
	CHECK_FAILS(hpa_read_values(&t->arena, STR("{\"items\":[{\"value\":\"x\"}]}"), &s, &e), &e,
		ERR_INVALID, "quantities must match");
}
