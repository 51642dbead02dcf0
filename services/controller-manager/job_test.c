#include "controller-manager/job.h"
#include "lib/base/test.h"

static const char *const lists[] = {"", "0", "1,3", "0-2", "1,3-5,7", "0,1", "4,5,7-9"};

TEST(job_indexes_survive_their_text)
{
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct job_indexes x = job_indexes_read(&t->arena, str_of(lists[i]), 10);

		CHECK_STR(job_indexes_text(&t->arena, &x), lists[i]);
	}
}

TEST(job_indexes_keep_within_completions)
{
	struct job_indexes x = job_indexes_read(&t->arena, STR("0-9,x,3-,-4"), 5);

	CHECK_INT(x.count, 5);
	CHECK(job_indexes_has(&x, 4));
	CHECK(!job_indexes_has(&x, 5) && !job_indexes_has(&x, -1));
	job_indexes_add(&x, 7);
	job_indexes_add(&x, 0);
	CHECK_INT(x.count, 5);
}

static struct job *with_rule(struct test *t, const char *operator, int32_t code, const char *action)
{
	struct job *j = object_new(&t->arena, api_type(API_JOB));
	struct pod_failure_policy_rule *r = arena_get(&t->arena, sizeof(*r));

	r->action = str_of(action);
	r->on_exit_codes = arena_get(&t->arena, sizeof(*r->on_exit_codes));
	r->on_exit_codes->operator= str_of(operator);
	r->on_exit_codes->values.at = arena_i32(&t->arena, code);
	r->on_exit_codes->values.len = 1;
	j->spec.pod_failure_policy = arena_get(&t->arena, sizeof(*j->spec.pod_failure_policy));
	j->spec.pod_failure_policy->rules.at = r;
	j->spec.pod_failure_policy->rules.len = 1;
	return j;
}

static struct pod *failed_pod(struct test *t, int32_t code)
{
	struct pod *p = object_new(&t->arena, api_type(API_POD));
	struct container_status *c = arena_get(&t->arena, sizeof(*c));

	p->metadata.namespace = STR("ns");
	p->metadata.name = STR("p");
	p->status.phase = STR("Failed");
	c->name = STR("main");
	c->state.terminated = arena_get(&t->arena, sizeof(*c->state.terminated));
	c->state.terminated->exit_code = code;
	p->status.container_statuses.at = c;
	p->status.container_statuses.len = 1;
	return p;
}

TEST(job_policy_reads_exit_codes)
{
	str message = STR("");

	CHECK_INT(job_failure_action(&t->arena, with_rule(t, "In", 42, "FailJob"),
			  failed_pod(t, 42), &message),
		JOB_FAIL);
	CHECK_STR(message,
		"Container main for pod ns/p failed with exit code 42 matching FailJob rule at "
		"index 0");
	CHECK_INT(job_failure_action(
			  &t->arena, with_rule(t, "In", 42, "FailJob"), failed_pod(t, 1), &message),
		JOB_COUNT);
	CHECK_INT(job_failure_action(&t->arena, with_rule(t, "NotIn", 42, "Ignore"),
			  failed_pod(t, 1), &message),
		JOB_IGNORE);
	CHECK_INT(job_failure_action(&t->arena, with_rule(t, "NotIn", 42, "Ignore"),
			  failed_pod(t, 0), &message),
		JOB_COUNT);
	CHECK_INT(job_failure_action(&t->arena, with_rule(t, "In", 3, "FailIndex"),
			  failed_pod(t, 3), &message),
		JOB_FAIL_INDEX);
}

TEST(job_success_is_met_by_indexes_or_their_number)
{
	struct job *j = object_new(&t->arena, api_type(API_JOB));
	struct success_policy_rule *r = arena_get(&t->arena, 2 * sizeof(*r));
	struct job_indexes done = job_indexes_read(&t->arena, STR("1,4"), 5);
	str wanted = STR("0-2"), message;

	r[0].succeeded_indexes = &wanted;
	r[1].succeeded_count = arena_i32(&t->arena, 3);
	j->spec.success_policy = arena_get(&t->arena, sizeof(*j->spec.success_policy));
	j->spec.success_policy->rules.at = r;
	j->spec.success_policy->rules.len = 2;
	CHECK(!job_success_met(&t->arena, j, &done, &message));
	job_indexes_add(&done, 3);
	REQUIRE(job_success_met(&t->arena, j, &done, &message));
	CHECK_STR(message, "Matched rules at index 1");
	job_indexes_add(&done, 0);
	job_indexes_add(&done, 2);
	REQUIRE(job_success_met(&t->arena, j, &done, &message));
	CHECK_STR(message, "Matched rules at index 0");
}
