/* Which webhook is asked about what: rules as upstream's predicates/rules has them. */
#include "apiserver/admission/webhook.h"
#include "lib/base/test.h"

static bool matches(struct test *t, const char *rule, const struct admission_attributes *a)
{
	struct err e;
	void *r;

	REQUIRE_OK(object_decode(&t->arena, api_type(API_ADMISSION_RULE_WITH_OPERATIONS),
			   FORMAT_JSON, str_of(rule), &r, NULL, &e),
		&e);
	const struct webhook w = {.rules = r, .rule_count = 1, .equivalent = true};

	return webhook_rule_match(&w, a) != NULL;
}

#define RULE(operations, groups, resources, more) \
	"{\"operations\":[" operations "],\"apiGroups\":[" groups \
	"],\"apiVersions\":[\"v1\"],\"resources\":[" resources "]" more "}"

TEST(rules_match_by_operation_group_resource_and_scope)
{
	static const struct {
		const char *rule;
		bool pod, exec, node;
	} cases[] = {
		{RULE("\"CREATE\"", "\"\"", "\"pods\"", ""), true, false, false},
		{RULE("\"UPDATE\"", "\"\"", "\"pods\"", ""), false, false, false},
		{RULE("\"*\"", "\"*\"", "\"*\"", ""), true, false, true},
		{RULE("\"*\"", "\"*\"", "\"*/*\"", ""), true, true, true},
		{RULE("\"*\"", "\"\"", "\"pods/*\"", ""), true, true, false},
		{RULE("\"*\"", "\"\"", "\"pods/exec\"", ""), false, true, false},
		{RULE("\"*\"", "\"apps\"", "\"*/*\"", ""), false, false, false},
		{RULE("\"*\"", "\"\"", "\"*/*\"", ",\"scope\":\"Cluster\""), false, false, true},
		{RULE("\"*\"", "\"\"", "\"*/*\"", ",\"scope\":\"Namespaced\""), true, true, false},
	};
	const struct admission_attributes pod = {.operation = ADMIT_CREATE,
						  .resource = resource_find(
							  STR(""), STR("v1"), STR("pods")),
						  .ns = STR("a")},
					  node = {.operation = ADMIT_CREATE,
						  .resource = resource_find(
							  STR(""), STR("v1"), STR("nodes"))};
	struct admission_attributes exec = pod;

	exec.subresource = STR("exec");
	exec.operation = ADMIT_CONNECT;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		test_note(t, "%s", cases[i].rule);
		CHECK_INT(matches(t, cases[i].rule, &pod), cases[i].pod);
		CHECK_INT(matches(t, cases[i].rule, &exec), cases[i].exec);
		CHECK_INT(matches(t, cases[i].rule, &node), cases[i].node);
	}
}

TEST(a_rule_for_another_version_matches_equivalents)
{
	const struct admission_attributes event = {.operation = ADMIT_CREATE,
		.resource = resource_find(STR("events.k8s.io"), STR("v1"), STR("events")),
		.ns = STR("a")};

	CHECK(matches(t, RULE("\"CREATE\"", "\"\"", "\"events\"", ""), &event));
	CHECK(!matches(t, RULE("\"CREATE\"", "\"\"", "\"pods\"", ""), &event));
}
