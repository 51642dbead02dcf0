#include "lib/api/status.h"

#include "lib/api/causes.h"
#include "lib/base/test.h"

static const struct status_subject deployment = {
	STR_INIT("apps"), STR_INIT("deployments"), STR_INIT("web")};

TEST(status_messages)
{
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	CHECK(status_not_found(&a, &e, deployment) == -1);
	CHECK_STR(str_of(e.text), "deployments.apps \"web\" not found");
	CHECK(e.kind == ERR_NOT_FOUND && status_is(&e, STATUS_NOT_FOUND));
	CHECK(status_of(&a, &e)->code == 404);
	CHECK_STR(status_of(&a, &e)->details->kind, "deployments");
	CHECK(status_conflict(&a, &e, deployment, "%s", "changed") == -1);
	CHECK_STR(status_of(&a, &e)->message,
		"Operation cannot be fulfilled on deployments.apps \"web\": changed");
	CHECK(status_forbidden(&a, &e, (struct status_subject){0}, "no") == -1);
	CHECK_STR(status_of(&a, &e)->message, "forbidden: no");
	arena_free(&a);
}

TEST(status_from_plain_errors)
{
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	err_write(&e, ERR_UNAVAILABLE, "etcd is away");
	CHECK(e.detail == NULL);
	const struct status *s = status_of(&a, &e);
	CHECK(s->code == 503 && s->details->retry_after_seconds == 1);
	err_write(&e, ERR_SYSTEM, "disk");
	s = status_of(&a, &e);
	CHECK_STR(s->message, "Internal error occurred: disk");
	CHECK_STR(s->details->causes.at[0].message, "disk");
	arena_free(&a);
}

TEST(causes_in_upstreams_words)
{
	struct arena a;
	struct causes c;
	struct err e;

	arena_init(&a, ARENA_NO_LIMIT);
	causes_init(&c, &a);
	const struct field_path *containers = FIELD(FIELD(NULL, "spec"), "containers");
	causes_required(&c, FIELD(FIELD_INDEX(containers, 0), "image"), "%s", "");
	CHECK(status_invalid(&a, &e, (struct status_subject){STR(""), STR("Pod"), STR("p")}, &c) ==
		-1);
	CHECK_STR(status_of(&a, &e)->message,
		"Pod \"p\" is invalid: spec.containers[0].image: Required value");
	causes_required(&c, FIELD(FIELD_INDEX(containers, 0), "image"), "%s", "");
	causes_invalid(
		&c, FIELD_KEY(FIELD(NULL, "data"), STR("a b")), cause_text(STR("a\"b")), "bad");
	causes_too_many(&c, containers, 3, 1);
	CHECK(status_invalid(&a, &e,
		      (struct status_subject){STR("apps"), STR("Deployment"), STR("")}, &c) == -1);
	CHECK_STR(status_of(&a, &e)->message,
		"Deployment.apps \"\" is invalid: [spec.containers[0].image: Required value, "
		"data[a b]: Invalid value: \"a\\\"b\": bad, "
		"spec.containers: Too many: 3: must have at most 1 item]");
	CHECK(status_of(&a, &e)->details->causes.len == 4);
	arena_free(&a);
}
