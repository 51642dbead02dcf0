#include "controller-manager/deployment.h"
#include "lib/base/test.h"

static struct deployment *deployment(
	struct test *t, int32_t replicas, const char *surge, const char *unavailable)
{
	struct deployment *d = object_new(&t->arena, api_type(API_DEPLOYMENT));
	struct rolling_update_deployment *u = arena_get(&t->arena, sizeof(*u));

	u->max_surge = arena_get(&t->arena, sizeof(*u->max_surge));
	u->max_unavailable = arena_get(&t->arena, sizeof(*u->max_unavailable));
	*u->max_surge = int_or_string_of(str_of(surge));
	*u->max_unavailable = int_or_string_of(str_of(unavailable));
	d->spec.replicas = arena_i32(&t->arena, replicas);
	d->spec.strategy.type = STR("RollingUpdate");
	d->spec.strategy.rolling_update = u;
	return d;
}

static struct replica_set *set(struct test *t, int32_t replicas, int largest)
{
	struct replica_set *rs = object_new(&t->arena, api_type(API_REPLICA_SET));

	rs->spec.replicas = arena_i32(&t->arena, replicas);
	str_map_set(&t->arena, &rs->metadata.annotations,
		STR("deployment.kubernetes.io/max-replicas"), arena_fmt(&t->arena, "%d", largest));
	return rs;
}

struct bound_case {
	int32_t replicas;
	const char *surge, *unavailable;
	int32_t want_surge, want_unavailable;
};

/* Surge is rounded up, unavailable down, and never are both nothing. */
static const struct bound_case bounds[] = {
	{10, "25%", "25%", 3, 2},
	{1, "25%", "25%", 1, 0},
	{3, "0", "25%", 0, 1},
	{10, "0", "0", 0, 1},
	{4, "2", "1", 2, 1},
	{2, "0", "5", 0, 2},
	{0, "25%", "25%", 0, 0},
	{5, "100%", "100%", 5, 5},
};

TEST(deployment_rounds_surge_up_and_unavailable_down)
{
	for (size_t i = 0; i < COUNT_OF(bounds); i++) {
		const struct bound_case *c = &bounds[i];
		const struct deployment *d = deployment(t, c->replicas, c->surge, c->unavailable);

		test_note(t, "%d %s %s", c->replicas, c->surge, c->unavailable);
		CHECK_INT(deployment_max_surge(d), c->want_surge);
		CHECK_INT(deployment_max_unavailable(d), c->want_unavailable);
	}
}

TEST(deployment_recreates_without_surge)
{
	struct deployment *d = deployment(t, 5, "25%", "25%");

	d->spec.strategy.type = STR("Recreate");
	CHECK_INT(deployment_max_surge(d), 0);
	CHECK_INT(deployment_max_unavailable(d), 0);
	CHECK_INT(deployment_new_replicas(d, set(t, 0, 5), 0), 5);
}

TEST(deployment_grows_the_new_set_as_far_as_the_surge_allows)
{
	const struct deployment *d = deployment(t, 10, "2", "0");

	CHECK_INT(deployment_new_replicas(d, set(t, 0, 12), 10), 2);
	CHECK_INT(deployment_new_replicas(d, set(t, 2, 12), 12), 2);
	CHECK_INT(deployment_new_replicas(d, set(t, 9, 12), 10), 10);
}

/* From upstream's TestGetReplicaSetProportion and conformance: 10 grow to 30 amid a rollout. */
TEST(deployment_gives_each_set_its_share)
{
	struct deployment *d = deployment(t, 30, "3", "2");
	const struct replica_set *old = set(t, 8, 13), *fresh = set(t, 5, 13);

	CHECK_INT(deployment_proportion(d, old, 20, 0), 12);
	CHECK_INT(deployment_proportion(d, fresh, 20, 12), 8);
	CHECK_INT(deployment_proportion(d, fresh, 20, 18), 2);
	CHECK_INT(deployment_proportion(d, fresh, 20, 20), 0);
	CHECK_INT(deployment_proportion(d, set(t, 0, 13), 20, 0), 0);
}

TEST(deployment_takes_from_each_set_its_share)
{
	struct deployment *d = deployment(t, 5, "0", "1");

	CHECK_INT(deployment_proportion(d, set(t, 8, 10), -5, 0), -4);
	CHECK_INT(deployment_proportion(d, set(t, 2, 10), -5, -4), -1);
	*d->spec.replicas = 0;
	CHECK_INT(deployment_proportion(d, set(t, 8, 10), -10, 0), -8);
}

TEST(deployment_without_the_annotation_counts_from_its_status)
{
	struct deployment *d = deployment(t, 20, "0", "1");

	CHECK_INT(deployment_proportion(d, set(t, 5, 0), 10, 0), 0);
	d->status.replicas = 10;
	CHECK_INT(deployment_proportion(d, set(t, 5, 0), 10, 0), 5);
}
