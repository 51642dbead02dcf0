#include "controller-manager/pods.h"
#include "lib/base/test.h"

/* One that a scale-down would take before every later one of the list. */
struct rank_case {
	const char *name, *node, *phase, *cost;
	int64_t ready_s; /* since 1970; 0: not ready */
	int32_t restarts;
	int64_t created_s;
};

enum { NOW_S = 1000000 };

static const struct rank_case order[] = {
	{"unbound", "", "Pending", "", 0, 0, 900000},
	{"pending", "n1", "Pending", "", 0, 0, 1000},
	{"unready", "n1", "Running", "", 0, 0, 1000},
	{"cheap", "n1", "Running", "-10", 1000, 0, 1000},
	{"crowded", "n2", "Running", "", 1000, 0, 1000},
	{"fresh", "n3", "Running", "", 999990, 0, 1000},
	{"restarts", "n4", "Running", "", 1000, 5, 1000},
	{"young", "n5", "Running", "", 1000, 0, 999000},
	{"old", "n6", "Running", "", 1000, 0, 1000},
	{"dear", "n7", "Running", "100", 1000, 0, 1000},
};

static const struct pod *make(struct test *t, const struct rank_case *c)
{
	struct pod *p = object_new(&t->arena, api_type(API_POD));

	p->metadata.name = p->metadata.uid = str_of(c->name);
	p->metadata.creation_timestamp = time_from_seconds(c->created_s);
	p->spec.node_name = str_of(c->node);
	p->status.phase = str_of(c->phase);
	if (*c->cost)
		str_map_set(&t->arena, &p->metadata.annotations,
			STR("controller.kubernetes.io/pod-deletion-cost"), str_of(c->cost));
	if (c->ready_s) {
		p->status.conditions.at = arena_get(&t->arena, sizeof(*p->status.conditions.at));
		p->status.conditions.len = 1;
		p->status.conditions.at[0] = (struct pod_condition){.type = STR("Ready"),
			.status = STR("True"),
			.last_transition_time = time_from_seconds(c->ready_s)};
	}
	p->status.container_statuses.at = arena_get(
		&t->arena, sizeof(*p->status.container_statuses.at));
	p->status.container_statuses.len = 1;
	p->status.container_statuses.at[0].restart_count = c->restarts;
	return p;
}

TEST(pods_that_are_missed_least_are_deleted_first)
{
	struct object_list pods = {0}, related = {0};
	struct clock_fake c;
	struct random r;

	clock_fake_init(&c, NOW_S * NS_PER_S);
	struct controller_run run = {.env = {.clock = &c.clock}};
	struct pass p = {.run = &run, .arena = &t->arena};
	const struct rank_case neighbour = {"neighbour", "n2", "Running", "", 1000, 0, 1000};

	random_repeatable(&r, 7);
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		object_list_add(&t->arena, &pods, make(t, &order[i]));
		object_list_add(&t->arena, &related, pods.at[i]);
	}
	object_list_add(&t->arena, &related, make(t, &neighbour));
	for (int round = 0; round < 20; round++) {
		for (size_t i = pods.len; i > 1; i--) {
			size_t with = (size_t)random_below(&r, i);
			const void *held = pods.at[i - 1];

			pods.at[i - 1] = pods.at[with];
			pods.at[with] = held;
		}
		pods_rank(&p, &pods, &related);
		for (size_t i = 0; i < pods.len; i++)
			CHECK_STR(meta_of(pods.at[i])->name, order[i].name);
	}
}

TEST(pods_are_available_a_while_after_they_are_ready)
{
	const struct rank_case ready = {"p", "n", "Running", "", NOW_S - 10, 0, 1000};
	const struct pod *p = make(t, &ready);
	struct object_list one = {0};

	object_list_add(&t->arena, &one, p);
	CHECK(pod_is_available(p, 0, NOW_S));
	CHECK(pod_is_available(p, 10, NOW_S));
	CHECK(!pod_is_available(p, 11, NOW_S));
	CHECK_INT(pods_next_available_s(&one, 30, NOW_S), 20);
	CHECK_INT(pods_next_available_s(&one, 5, NOW_S), 0);
}
