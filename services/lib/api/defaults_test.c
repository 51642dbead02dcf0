/* Defaults as upstream's defaults.go gives them:
 * what an object has after its defaults, written as JSON. */
#include "api/kinds.h"
#include "lib/api/defaults/defaults.h"
#include "lib/base/test.h"

static str with_defaults(struct test *t, enum api_type type, const char *in)
{
	struct err e;
	struct buf b;
	void *o;

	buf_init(&b, 1 << 20);
	REQUIRE_OK(object_decode(&t->arena, api_type(type), FORMAT_JSON, str_of(in), &o, NULL, &e),
		&e);
	struct_default(&t->arena, api_type(type), o);
	REQUIRE_OK(struct_encode(api_type(type), o, FORMAT_JSON, &b, &e), &e);
	return test_take(t, &b);
}

struct example {
	enum api_type type;
	const char *in, *out;
};

static void check_examples(struct test *t, const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		test_note(t, "%s", examples[i].in);
		CHECK_STR(with_defaults(t, examples[i].type, examples[i].in), examples[i].out);
	}
}

TEST(every_default_of_the_schema_decodes)
{
	for (size_t i = 0; i < api_schema.type_count; i++) {
		const struct type *type = &api_schema.types[i];
		void *o = arena_get(&t->arena, type->size_bytes);

		test_note(t, "%s", type_go_name(type));
		struct_default(&t->arena, type, o);
		for (const struct field *f = own_fields(type); f < own_fields_end(type); f++) {
			bool zero_is_it = str_eq(type_text(
							 type, field_rules(type, f)->default_json),
						  STR("0")) ||
				str_eq(type_text(type, field_rules(type, f)->default_json),
					STR("\"\""));

			if ((f->flags & FIELD_DEFAULT) && !zero_is_it) {
				const void *at = field_at(o, f);
				void *zero = arena_get(&t->arena, field_value_bytes(type, f) + 16);
				size_t bytes = f->shape == SHAPE_VALUE ? field_value_bytes(type, f)
								       : sizeof(void *);

				CHECK(memcmp(at, zero, bytes) != 0);
			}
		}
	}
}

TEST(defaults_of_pods)
{
	static const struct example examples[] = {
		{API_VOLUME, "{\"name\":\"v\"}", "{\"name\":\"v\",\"emptyDir\":{}}"},
		{API_VOLUME, "{\"name\":\"v\",\"secret\":{}}",
			"{\"name\":\"v\",\"secret\":{\"defaultMode\":420}}"},
		{API_VOLUME, "{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}",
			"{\"name\":\"v\",\"hostPath\":{\"path\":\"/\",\"type\":\"\"}}"},
		{API_PROBE, "{\"grpc\":{\"port\":1},\"periodSeconds\":7}",
			"{\"grpc\":{\"port\":1,\"service\":\"\"},\"timeoutSeconds\":1,"
			"\"periodSeconds\":7,"
			"\"successThreshold\":1,\"failureThreshold\":3}"},
		{API_RESOURCE_REQUIREMENTS,
			"{\"limits\":{\"cpu\":\"0.00001\",\"memory\":\"1.5Gi\"}}",
			"{\"limits\":{\"cpu\":\"1m\",\"memory\":\"1536Mi\"}}"},
		{API_CONTAINER, "{\"name\":\"c\",\"image\":\"a:1\"}",
			"{\"name\":\"c\",\"image\":\"a:1\",\"resources\":{},"
			"\"terminationMessagePath\":"
			"\"/dev/"
			"termination-log\",\"terminationMessagePolicy\":\"File\","
			"\"imagePullPolicy\":"
			"\"IfNotPresent\"}"},
		{API_EPHEMERAL_CONTAINER,
			"{\"name\":\"c\",\"image\":\"a\",\"targetContainerName\":\"t\"}",
			"{\"name\":\"c\",\"image\":\"a\",\"resources\":{},"
			"\"terminationMessagePath\":"
			"\"/dev/"
			"termination-log\",\"terminationMessagePolicy\":\"File\","
			"\"imagePullPolicy\":"
			"\"Always\",\"targetContainerName\":\"t\"}"},
	};

	check_examples(t, examples, COUNT_OF(examples));
}

static struct pod *defaulted_pod(struct test *t, const char *spec)
{
	str text = arena_fmt(&t->arena, "{\"spec\":%s}", spec);
	struct err e;
	void *o;

	REQUIRE_OK(
		object_decode(&t->arena, api_type(API_POD), FORMAT_JSON, text, &o, NULL, &e), &e);
	object_default(&t->arena, o);
	return o;
}

static str text_of(struct test *t, const struct quantity_map *map, const char *key)
{
	const struct quantity *q = resource_list_get(map, str_of(key));
	struct buf b;

	if (!q)
		return (str){NULL, 0};
	buf_init(&b, 256);
	quantity_put(&b, q);
	return test_take(t, &b);
}

TEST(pods_ask_for_what_they_are_limited_to_and_templates_do_not)
{
	const char *spec = "{\"hostNetwork\":true,\"containers\":[{\"name\":\"a\",\"ports\":[{"
			   "\"containerPort\":80}],"
			   "\"resources\":{\"limits\":{\"cpu\":\"2\",\"memory\":\"1Gi\"},"
			   "\"requests\":{\"cpu\":\"1\"}}}]}";
	struct pod *pod = defaulted_pod(t, spec);
	const struct container *c = &pod->spec.containers.at[0];
	struct pod_template_spec *template = arena_get(&t->arena, sizeof(*template));

	CHECK_STR(text_of(t, &c->resources.requests, "cpu"), "1");
	CHECK_STR(text_of(t, &c->resources.requests, "memory"), "1Gi");
	CHECK_INT(c->ports.at[0].host_port, 80);
	CHECK(*pod->spec.enable_service_links);
	CHECK_INT(*pod->spec.termination_grace_period_seconds, 30);
	CHECK(pod->spec.security_context);

	struct_default(&t->arena, api_type(API_POD_TEMPLATE_SPEC), template);
	CHECK(!template->spec.enable_service_links);
	CHECK_STR(template->spec.restart_policy, "Always");
}

TEST(resources_of_a_pod_come_from_its_containers)
{
	struct pod *pod = defaulted_pod(t,
		"{\"containers\":[{\"name\":\"a\",\"resources\":{\"requests\":{\"cpu\":\"1\"},"
		"\"limits\":{\"hugepages-2Mi\":"
		"\"4Mi\"}}},{\"name\":\"b\",\"resources\":{\"requests\":{\"cpu\":\"500m\"}}}],"
		"\"initContainers\":[{\"name\":\"s\","
		"\"restartPolicy\":\"Always\",\"resources\":{\"requests\":{\"cpu\":\"250m\"}}},{"
		"\"name\":\"i\",\"resources\":{"
		"\"requests\":{\"cpu\":\"1900m\",\"memory\":\"1Mi\"}}}],\"resources\":{\"limits\":{"
		"\"cpu\":\"4\",\"memory\":\"8Mi\","
		"\"example.com/x\":\"1\"}}}");
	const struct resource_requirements *r = pod->spec.resources;

	/* 1 + 0.5 + 0.25 while running; 0.25 + 1.9 at the start is more */
	CHECK_STR(text_of(t, &r->requests, "cpu"), "2150m");
	CHECK_STR(text_of(t, &r->requests, "memory"), "1Mi");
	CHECK_STR(text_of(t, &r->limits, "hugepages-2Mi"), "4Mi");
	CHECK_STR(text_of(t, &r->requests, "hugepages-2Mi"), "4Mi");
	CHECK(!resource_list_get(&r->requests, STR("example.com/x")));
}

TEST(defaults_of_services)
{
	static const struct example examples[] = {
		{API_SERVICE, "{\"spec\":{\"ports\":[{\"port\":80}],\"sessionAffinityConfig\":{}}}",
			"{\"metadata\":{},\"spec\":{\"ports\":[{\"protocol\":\"TCP\",\"port\":80,"
			"\"targetPort\":80}],"
			"\"type\":\"ClusterIP\",\"sessionAffinity\":\"None\","
			"\"internalTrafficPolicy\":\"Cluster\"},"
			"\"status\":{\"loadBalancer\":{}}}"},
		{API_SERVICE,
			"{\"spec\":{\"type\":\"LoadBalancer\",\"sessionAffinity\":\"ClientIP\"},"
			"\"status\":{"
			"\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\"},{\"hostname\":\"h\"}"
			"]}}}",
			"{\"metadata\":{},\"spec\":{\"type\":\"LoadBalancer\",\"sessionAffinity\":"
			"\"ClientIP\","
			"\"externalTrafficPolicy\":\"Cluster\",\"sessionAffinityConfig\":{"
			"\"clientIP\":{\"timeoutSeconds\":"
			"10800}},\"allocateLoadBalancerNodePorts\":true,\"internalTrafficPolicy\":"
			"\"Cluster\"},\"status\":{"
			"\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\",\"ipMode\":\"VIP\"},{"
			"\"hostname\":\"h\"}]}}}"},
		{API_SERVICE, "{\"spec\":{\"type\":\"ExternalName\"}}",
			"{\"metadata\":{},\"spec\":{\"type\":\"ExternalName\",\"sessionAffinity\":"
			"\"None\"},\"status\":{"
			"\"loadBalancer\":{}}}"},
	};

	check_examples(t, examples, COUNT_OF(examples));
}

TEST(defaults_of_core_objects)
{
	static const struct example examples[] = {
		{API_NAMESPACE,
			"{\"metadata\":{\"name\":\"n\",\"labels\":{\"z\":\"1\",\"kubernetes.io/"
			"metadata.name\":\"x\"}}}",
			"{\"metadata\":{\"name\":\"n\",\"labels\":{\"kubernetes.io/"
			"metadata.name\":\"n\",\"z\":\"1\"}},\"spec\":{},"
			"\"status\":{\"phase\":\"Active\"}}"},
		{API_LIMIT_RANGE_ITEM,
			"{\"type\":\"Container\",\"max\":{\"cpu\":\"2\"},\"min\":{\"cpu\":\"1\","
			"\"memory\":\"1\"}}",
			"{\"type\":\"Container\",\"max\":{\"cpu\":\"2\"},\"min\":{\"cpu\":\"1\","
			"\"memory\":\"1\"},\"default\":{"
			"\"cpu\":\"2\"},\"defaultRequest\":{\"cpu\":\"2\",\"memory\":\"1\"}}"},
		{API_NODE_STATUS, "{\"capacity\":{\"cpu\":\"2\"}}",
			"{\"capacity\":{\"cpu\":\"2\"},\"allocatable\":{\"cpu\":\"2\"},"
			"\"daemonEndpoints\":{\"kubeletEndpoint\":{"
			"\"Port\":0}},\"nodeInfo\":{\"machineID\":\"\",\"systemUUID\":\"\","
			"\"bootID\":\"\",\"kernelVersion\":\"\","
			"\"osImage\":\"\",\"containerRuntimeVersion\":\"\",\"kubeletVersion\":\"\","
			"\"kubeProxyVersion\":\"\","
			"\"operatingSystem\":\"\",\"architecture\":\"\"}}"},
		{API_PERSISTENT_VOLUME_CLAIM, "{}",
			"{\"metadata\":{},\"spec\":{\"resources\":{},\"volumeMode\":\"Filesystem\"}"
			",\"status\":{\"phase\":"
			"\"Pending\"}}"},
	};

	check_examples(t, examples, COUNT_OF(examples));
}

TEST(defaults_of_workloads)
{
	static const struct example examples[] = {
		{API_DEPLOYMENT_STRATEGY, "{}",
			"{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":\"25%\","
			"\"maxSurge\":\"25%\"}}"},
		{API_DEPLOYMENT_STRATEGY, "{\"type\":\"Recreate\"}", "{\"type\":\"Recreate\"}"},
		{API_DAEMON_SET_UPDATE_STRATEGY, "{\"rollingUpdate\":{\"maxSurge\":2}}",
			"{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":1,"
			"\"maxSurge\":2}}"},
		{API_STATEFUL_SET_UPDATE_STRATEGY, "{}",
			"{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":0}}"},
		{API_STATEFUL_SET_UPDATE_STRATEGY, "{\"type\":\"RollingUpdate\"}",
			"{\"type\":\"RollingUpdate\"}"},
		{API_HORIZONTAL_POD_AUTOSCALER_BEHAVIOR,
			"{\"scaleDown\":{\"selectPolicy\":\"Min\"}}",
			"{\"scaleUp\":{\"stabilizationWindowSeconds\":0,\"selectPolicy\":\"Max\","
			"\"policies\":[{\"type\":\"Pods\","
			"\"value\":4,\"periodSeconds\":15},{\"type\":\"Percent\",\"value\":100,"
			"\"periodSeconds\":15}]},"
			"\"scaleDown\":{\"selectPolicy\":\"Min\",\"policies\":[{\"type\":"
			"\"Percent\",\"value\":100,"
			"\"periodSeconds\":15}]}}"},
		{API_CRON_JOB_SPEC, "{}",
			"{\"schedule\":\"\",\"concurrencyPolicy\":\"Allow\",\"suspend\":false,"
			"\"jobTemplate\":{\"metadata\":{},"
			"\"spec\":{\"template\":{\"metadata\":{},\"spec\":{\"containers\":null,"
			"\"restartPolicy\":\"Always\","
			"\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\","
			"\"securityContext\":{},"
			"\"schedulerName\":\"default-scheduler\"}}}},"
			"\"successfulJobsHistoryLimit\":3,"
			"\"failedJobsHistoryLimit\":1}"},
	};
	struct err e;
	void *o;

	check_examples(t, examples, COUNT_OF(examples));
	REQUIRE_OK(object_decode(&t->arena, api_type(API_JOB), FORMAT_JSON,
			   STR("{\"spec\":{\"backoffLimitPerIndex\":1,\"completions\":3,"
			       "\"template\":{\"metadata\":{"
			       "\"labels\":{\"a\":\"b\"}}}}}"),
			   &o, NULL, &e),
		&e);
	object_default(&t->arena, o);
	struct job *job = o;

	CHECK_INT(*job->spec.backoff_limit, INT32_MAX);
	CHECK_INT(*job->spec.parallelism, 1);
	CHECK_STR(*job->spec.pod_replacement_policy, "TerminatingOrFailed");
	CHECK_STR(str_map_get(&job->metadata.labels, STR("a")), "b");
}

TEST(defaults_of_the_smaller_groups)
{
	static const struct example examples[] = {
		{API_RBAC_SUBJECT, "{\"kind\":\"User\",\"name\":\"u\"}",
			"{\"kind\":\"User\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":"
			"\"u\"}"},
		{API_RBAC_SUBJECT, "{\"kind\":\"ServiceAccount\",\"name\":\"u\"}",
			"{\"kind\":\"ServiceAccount\",\"name\":\"u\"}"},
		{API_NETWORK_POLICY_SPEC, "{\"podSelector\":{},\"egress\":[{}]}",
			"{\"podSelector\":{},\"egress\":[{}],\"policyTypes\":[\"Ingress\","
			"\"Egress\"]}"},
		{API_RESOURCE_DEVICE_SUB_REQUEST, "{\"name\":\"d\",\"deviceClassName\":\"c\"}",
			"{\"name\":\"d\",\"deviceClassName\":\"c\",\"allocationMode\":"
			"\"ExactCount\",\"count\":1}"},
		{API_RESOURCE_DEVICE_SUB_REQUEST,
			"{\"name\":\"d\",\"deviceClassName\":\"c\",\"allocationMode\":\"All\"}",
			"{\"name\":\"d\",\"deviceClassName\":\"c\",\"allocationMode\":\"All\"}"},
		{API_CRD_CUSTOM_RESOURCE_DEFINITION,
			"{\"spec\":{\"names\":{\"plural\":\"boats\",\"kind\":\"Boat\"},"
			"\"versions\":[{\"name\":\"v1\"},{\"name\":"
			"\"v2\",\"storage\":true}]}}",
			"{\"metadata\":{},\"spec\":{\"group\":\"\",\"names\":{\"plural\":\"boats\","
			"\"singular\":\"boat\",\"kind\":"
			"\"Boat\",\"listKind\":\"BoatList\"},\"scope\":\"\",\"versions\":[{"
			"\"name\":\"v1\",\"served\":false,"
			"\"storage\":false},{\"name\":\"v2\",\"served\":false,\"storage\":true}],"
			"\"conversion\":{\"strategy\":"
			"\"None\"}},\"status\":{\"conditions\":null,\"acceptedNames\":{\"plural\":"
			"\"\",\"kind\":\"\"},"
			"\"storedVersions\":[\"v2\"]}}"},
	};

	check_examples(t, examples, COUNT_OF(examples));
}

TEST(the_pull_policy_goes_by_the_tag)
{
	static const char digest[] =
		"a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char *const always[] = {"a", "a:latest", "r.example.com:5000/a/b",
		"localhost/a", "R.example.com/a:latest", "[::1]:5000/a", "a_b/c__d/e-f.g"};
	static const char *const if_missing[] = {"", "a:1", "r.example.com:5000/a:1", digest,
		"UPPER", "a//b", "a:", "-a", "a..b", "a:latest2", "a___b", "r.example.com/A"};

	for (size_t i = 0; i < COUNT_OF(always); i++) {
		test_note(t, "%s", always[i]);
		CHECK_STR(default_pull_policy(str_of(always[i])), "Always");
	}
	for (size_t i = 0; i < COUNT_OF(if_missing); i++) {
		test_note(t, "%s", if_missing[i]);
		CHECK_STR(default_pull_policy(str_of(if_missing[i])), "IfNotPresent");
	}
}
