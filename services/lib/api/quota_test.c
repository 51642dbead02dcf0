/* What objects count for, as upstream's evaluators have it. */
#include "api/kinds.h"
#include "lib/api/quota.h"
#include "lib/base/test.h"

enum { NOW_S = 1700000000 };

#define CONTAINER(name, resources) "{\"name\":\"" name "\",\"resources\":" resources "}"
#define CPU(amount)                "{\"requests\":{\"cpu\":\"" amount "\"}}"
#define WORKER                     CONTAINER("a", CPU("1"))
#define SIDECAR_TAIL               "\",\"restartPolicy\":\"Always\",\"resources\":" CPU("1") "}"
#define SIDECAR                    "{\"name\":\"s" SIDECAR_TAIL

static void *decoded(struct test *t, enum api_type type, const char *json)
{
	struct err e;
	void *o;

	REQUIRE_OK(
		object_decode(&t->arena, api_type(type), FORMAT_JSON, str_of(json), &o, NULL, &e),
		&e);
	return o;
}

/* "count/pods=1,cpu=2" */
static str usage(struct test *t, enum api_type type, const char *plural, const char *json)
{
	const struct quota_subject s = {STR(""), str_of(plural), NOW_S};
	struct quantity_map m = quota_usage(&t->arena, &s, decoded(t, type, json));
	struct buf b;

	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < m.len; i++)
		buf_add_fmt(&b, "%s%.*s=%.*s", i ? "," : "", STR_ARG(m.at[i].key),
			STR_ARG(quantity_text(&t->arena, &m.at[i].value)));
	return test_take(t, &b);
}

TEST(pods_count_by_their_phase_and_by_what_runs_at_once)
{
	static const struct {
		const char *pod, *usage;
	} cases[] = {
		{"{\"spec\":{\"containers\":[" CONTAINER("a", "{}") "]}}", "count/pods=1,pods=1"},
		{"{\"spec\":{\"containers\":[" WORKER "]},"
		 "\"status\":{\"phase\":\"Failed\"}}",
			"count/pods=1"},
		{"{\"metadata\":{\"deletionTimestamp\":\"2023-11-14T22:00:00Z\","
		 "\"deletionGracePeriodSeconds\":30},\"spec\":{\"containers\":[" CONTAINER(
			 "a", "{}") "]}}",
			"count/pods=1"},
		{"{\"spec\":{\"containers\":[" CONTAINER("a", CPU("1")) "," CONTAINER(
			 "b", CPU("500m")) "],\"initContainers\":[" CONTAINER("i", CPU("2")) "]}}",
			"count/pods=1,cpu=2,pods=1,requests.cpu=2"},
		{"{\"spec\":{\"containers\":[" WORKER "],\"initContainers\":[" SIDECAR
		 "," CONTAINER("i", CPU("2")) "],\"overhead\":{\"cpu\":\"100m\"}}}",
			"count/pods=1,cpu=3100m,pods=1,requests.cpu=3100m"},
		{"{\"spec\":{\"containers\":[" WORKER "]},"
		 "\"status\":{\"containerStatuses\":[{\"name\":\"a\","
		 "\"image\":\"\",\"imageID\":"
		 "\"\",\"ready\":true,\"restartCount\":0,\"resources\":" CPU("2") "}]}}",
			"count/pods=1,cpu=2,pods=1,requests.cpu=2"},
		{"{\"spec\":{\"containers\":[" CONTAINER("a",
			 "{\"requests\":{\"x.io/gpu\":\"2\"},\"limits\":{\"memory\":\"1Gi\"}}") "]}"
												"}",
			"count/pods=1,limits.memory=1Gi,pods=1,requests.x.io/gpu=2"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		test_note(t, "%s", cases[i].pod);
		CHECK_STR(usage(t, API_POD, "pods", cases[i].pod), cases[i].usage);
	}
}

TEST(services_and_claims_count_for_more_than_one)
{
	CHECK_STR(
		usage(t, API_SERVICE, "services",
			"{\"spec\":{\"type\":\"LoadBalancer\",\"ports\":[{\"port\":1},{\"port\":2}]"
			"}}"),
		"count/services=1,services=1,services.loadbalancers=1,services.nodeports=2");
	CHECK_STR(usage(t, API_PERSISTENT_VOLUME_CLAIM, "persistentvolumeclaims",
			  "{\"spec\":{\"storageClassName\":\"gold\",\"resources\":{\"requests\":{"
			  "\"storage\":\"1500m\"}}}}"),
		"count/persistentvolumeclaims=1,"
		"gold.storageclass.storage.k8s.io/persistentvolumeclaims=1,"
		"gold.storageclass.storage.k8s.io/requests.storage=2,persistentvolumeclaims=1,"
		"requests.storage=2");
	CHECK_STR(usage(t, API_CONFIG_MAP, "configmaps", "{}"), "configmaps=1,count/configmaps=1");
}

TEST(names_lead_to_the_resource_that_they_count)
{
	static const struct {
		const char *name, *group, *plural;
	} cases[] = {
		{"count/deployments.apps", "apps", "deployments"},
		{"count/boats.example.com", "example.com", "boats"},
		{"count/pods", "", "pods"},
		{"limits.cpu", "", "pods"},
		{"requests.example.com/gpu", "", "pods"},
		{"services.nodeports", "", "services"},
		{"gold.storageclass.storage.k8s.io/requests.storage", "", "persistentvolumeclaims"},
		{"secrets", "", "secrets"},
	};
	struct quota_resource r;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		test_note(t, "%s", cases[i].name);
		REQUIRE(quota_resource_of(str_of(cases[i].name), &r));
		CHECK_STR(r.group, cases[i].group);
		CHECK_STR(r.plural, cases[i].plural);
	}
	CHECK(!quota_resource_of(STR("nonsense"), &r));
	CHECK(!quota_resource_of(STR("requests.kubernetes.io/x"), &r));
}
