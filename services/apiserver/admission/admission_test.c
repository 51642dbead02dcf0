#include "apiserver/admission/limits.h"
#include "apiserver/admission/plugins.h"
#include "lib/base/test.h"
#include "lib/schema/path.h"

static void *parse(struct test *t, enum api_type type, const char *json)
{
	void *o;
	struct err e;

	REQUIRE_OK(
		object_decode(&t->arena, api_type(type), FORMAT_JSON, str_of(json), &o, NULL, &e),
		&e);
	object_default(&t->arena, o);
	return o;
}

/* The value at a path; "-" if there is none. */
static str value_at(struct test *t, const void *o, const char *path)
{
	struct place p;
	struct buf b;
	struct err e;

	if (path_find(object_type(o), o, str_of(path), &p, &e) < 0)
		return STR("-");
	buf_init(&b, BUF_NO_LIMIT);
	path_put_text(&b, &p);
	return test_take(t, &b);
}

TEST(limit_range_fills_what_containers_leave_open)
{
	struct limit_range *l = parse(t, API_LIMIT_RANGE,
		"{\"spec\":{\"limits\":[{\"type\":\"Container\",\"default\":{\"cpu\":\"100m\","
		"\"memory\":"
		"\"10Mi\"},\"defaultRequest\":{\"cpu\":\"75m\",\"memory\":\"5Mi\"}}]}}");
	struct pod *p = parse(t, API_POD,
		"{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\",\"resources\":"
		"{\"requests\":{\"cpu\":\"1\"},\"limits\":{\"cpu\":\"2\",\"memory\":\"1Gi\"}}}],"
		"\"initContainers\":[{\"name\":\"i\"}]}}");

	limits_apply(&t->arena, l, p);
	CHECK_STR(value_at(t, p, "spec.containers[0].resources.limits[cpu]"), "\"100m\"");
	CHECK_STR(value_at(t, p, "spec.containers[0].resources.requests[memory]"), "\"5Mi\"");
	CHECK_STR(value_at(t, p, "spec.containers[1].resources.requests[cpu]"), "\"1\"");
	CHECK_STR(value_at(t, p, "spec.containers[1].resources.limits[memory]"), "\"1Gi\"");
	CHECK_STR(value_at(t, p, "spec.initContainers[0].resources.limits[cpu]"), "\"100m\"");
	CHECK_STR(str_map_get(&p->metadata.annotations, STR("kubernetes.io/limit-ranger")),
		"LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit "
		"for "
		"container a; cpu, memory request for init container i; cpu, memory limit for init "
		"container i");
}

/* `resources` of one container against one item of a LimitRange. */
static const struct {
	const char *item, *resources, *fault;
} bounds[] = {
	{"\"type\":\"Container\",\"min\":{\"cpu\":\"50m\"}", "\"requests\":{\"cpu\":\"50m\"}",
		NULL},
	{"\"type\":\"Container\",\"min\":{\"cpu\":\"50m\"}", "\"requests\":{\"cpu\":\"49m\"}",
		"minimum cpu usage per Container is 50m, but request is 49m"},
	{"\"type\":\"Container\",\"min\":{\"cpu\":\"50m\"}", "\"limits\":{\"memory\":\"1\"}",
		"minimum cpu usage per Container is 50m.  No request is specified"},
	{"\"type\":\"Container\",\"max\":{\"memory\":\"1Gi\"}", "\"limits\":{\"memory\":\"1Gi\"}",
		NULL},
	{"\"type\":\"Container\",\"max\":{\"memory\":\"1Gi\"}", "\"limits\":{\"memory\":\"2Gi\"}",
		"maximum memory usage per Container is 1Gi, but limit is 2Gi"},
	{"\"type\":\"Container\",\"max\":{\"memory\":\"1Gi\"}", "\"requests\":{\"memory\":\"1Gi\"}",
		"maximum memory usage per Container is 1Gi.  No limit is specified"},
	{"\"type\":\"Container\",\"maxLimitRequestRatio\":{\"cpu\":\"2\"}",
		"\"requests\":{\"cpu\":\"1\"},\"limits\":{\"cpu\":\"2\"}", NULL},
	{"\"type\":\"Container\",\"maxLimitRequestRatio\":{\"cpu\":\"1500m\"}",
		"\"requests\":{\"cpu\":\"1\"},\"limits\":{\"cpu\":\"2\"}",
		"cpu max limit to request ratio per Container is 1500m, but provided ratio is "
		"2.000000"},
	{"\"type\":\"Container\",\"maxLimitRequestRatio\":{\"cpu\":\"2\"}",
		"\"requests\":{\"cpu\":\"0\"}",
		"cpu max limit to request ratio per Container is 2, but no request is specified or "
		"request is 0"},
	{"\"type\":\"Pod\",\"max\":{\"cpu\":\"1\",\"memory\":\"1\"}",
		"\"limits\":{\"cpu\":\"600m\",\"memory\":\"2\"}",
		"[maximum cpu usage per Pod is 1, but limit is 1200m, maximum memory usage per Pod "
		"is 1, but limit is 4]"},
	{"\"type\":\"Pod\",\"max\":{\"cpu\":\"2\"}", "\"limits\":{\"cpu\":\"600m\"}", NULL},
	{"\"type\":\"PersistentVolumeClaim\",\"max\":{\"storage\":\"1\"}", "", NULL},
};

TEST(limit_range_refuses_what_is_out_of_bounds)
{
	for (size_t i = 0; i < COUNT_OF(bounds); i++) {
		struct limit_range *l = parse(t, API_LIMIT_RANGE,
			arena_fmt(&t->arena, "{\"spec\":{\"limits\":[{%s}]}}", bounds[i].item).at);
		struct pod *p = parse(t, API_POD,
			arena_fmt(&t->arena,
				"{\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{%s}},"
				"{\"name\":\"b\",\"resources\":{%s}}]}}",
				bounds[i].resources, bounds[i].resources)
				.at);
		struct admission_faults f = {.arena = &t->arena};

		test_note(t, "%s %s", bounds[i].item, bounds[i].resources);
		limits_check_pod(l, p, &f);
		if (f.texts.len > 0)
			CHECK_STR(
				admission_faults_text(&f), bounds[i].fault ? bounds[i].fault : "");
		else
			CHECK(!bounds[i].fault);
	}
}

TEST(limit_range_bounds_claims_by_their_request)
{
	struct limit_range *l = parse(t, API_LIMIT_RANGE,
		"{\"spec\":{\"limits\":[{\"type\":\"PersistentVolumeClaim\",\"min\":{\"storage\":"
		"\"1Gi\"},"
		"\"max\":{\"storage\":\"2Gi\"}}]}}");
	static const struct {
		const char *request, *fault;
	} cases[] = {{"1Gi", NULL}, {"2Gi", NULL},
		{"1Mi",
			"minimum storage usage per PersistentVolumeClaim is 1Gi, but request is "
			"1Mi"},
		{"3Gi",
			"maximum storage usage per PersistentVolumeClaim is 2Gi, but request is "
			"3Gi"}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct persistent_volume_claim *c = parse(t, API_PERSISTENT_VOLUME_CLAIM,
			arena_fmt(&t->arena,
				"{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"%s\"}}}}",
				cases[i].request)
				.at);
		struct admission_faults f = {.arena = &t->arena};

		limits_check_claim(l, c, &f);
		CHECK_INT(f.texts.len, cases[i].fault ? 1 : 0);
		if (f.texts.len > 0)
			CHECK_STR(f.texts.at[0], cases[i].fault ? cases[i].fault : "");
	}
}

/* Sidecars run beside the others; the largest of what runs one after another counts. */
TEST(limit_range_sums_a_pod_as_the_scheduler_does)
{
	struct limit_range *l = parse(t, API_LIMIT_RANGE,
		"{\"spec\":{\"limits\":[{\"type\":\"Pod\",\"max\":{\"cpu\":\"1m\"}}]}}");
	struct pod *p = parse(t, API_POD,
		"{\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{\"limits\":{\"cpu\":"
		"\"1\"}}}],"
		"\"initContainers\":[{\"name\":\"s\",\"restartPolicy\":\"Always\",\"resources\":"
		"{\"limits\":{\"cpu\":\"2\"}}},{\"name\":\"i\",\"resources\":{\"limits\":{\"cpu\":"
		"\"5\"}}}]}}");
	struct admission_faults f = {.arena = &t->arena};

	limits_check_pod(l, p, &f);
	REQUIRE(f.texts.len == 1);
	CHECK_STR(f.texts.at[0], "maximum cpu usage per Pod is 1m, but limit is 7");
}

TEST(service_account_token_is_mounted_once)
{
	struct pod *p = parse(t, API_POD,
		"{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\",\"volumeMounts\":[{"
		"\"name\":"
		"\"own\",\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\"}]}],"
		"\"initContainers\":[{\"name\":\"i\"}]}}");

	service_account_mount(&t->arena, p, STR("abcde"));
	REQUIRE(p->spec.volumes.len == 1);
	CHECK_STR(p->spec.volumes.at[0].name, "kube-api-access-abcde");
	CHECK_STR(value_at(t, p, "spec.volumes[0].projected.sources"),
		"[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}},"
		"{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\","
		"\"path\":"
		"\"ca.crt\"}]}},{\"downwardAPI\":{\"items\":[{\"path\":\"namespace\",\"fieldRef\":"
		"{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.namespace\"}}]}}]");
	CHECK_STR(value_at(t, p, "spec.volumes[0].projected.defaultMode"), "420");
	CHECK_STR(value_at(t, p, "spec.containers[0].volumeMounts[0].readOnly"), "true");
	CHECK_INT(p->spec.containers.at[1].volume_mounts.len, 1);
	CHECK_STR(p->spec.init_containers.at[0].volume_mounts.at[0].name, "kube-api-access-abcde");
	service_account_mount(&t->arena, p, STR("xxxxx"));
	CHECK_INT(p->spec.volumes.len, 1);
	CHECK_INT(p->spec.containers.at[0].volume_mounts.len, 1);
}

TEST(service_account_and_pod_may_decline_the_token)
{
	static const struct {
		const char *account, *pod;
		bool mounts;
	} cases[] = {{"", "", true}, {"false", "", false}, {"false", "true", true},
		{"true", "false", false}, {"true", "", true}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct service_account s = {0};
		struct pod p = {0};

		if (cases[i].account[0])
			s.automount_service_account_token = arena_bool(
				&t->arena, cases[i].account[0] == 't');
		if (cases[i].pod[0])
			p.spec.automount_service_account_token = arena_bool(
				&t->arena, cases[i].pod[0] == 't');
		CHECK(service_account_automounts(&s, &p) == cases[i].mounts);
	}
}

TEST(tolerations_of_unready_nodes_are_added)
{
	static const struct {
		const char *tolerations;
		size_t len;
	} cases[] = {{"", 2},
		{"{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":\"NoExecute\"}", 2},
		{"{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":\"NoSchedule\"}", 3},
		{"{\"operator\":\"Exists\"}", 1},
		{"{\"key\":\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\"}", 2}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pod *p = parse(t, API_POD,
			arena_fmt(&t->arena, "{\"spec\":{\"tolerations\":[%s]}}",
				cases[i].tolerations)
				.at);

		tolerations_default(&t->arena, &p->spec);
		test_note(t, "%s", cases[i].tolerations);
		CHECK_INT(p->spec.tolerations.len, cases[i].len);
	}
}

TEST(kubelets_set_their_own_labels_only)
{
	static const struct {
		const char *key;
		bool forbidden;
	} cases[] = {{"kubernetes.io/hostname", false}, {"topology.kubernetes.io/zone", false},
		{"node.kubernetes.io/x", false}, {"a.kubelet.kubernetes.io/x", false},
		{"example.com/x", false}, {"x", false}, {"kubernetes.io/x", true},
		{"node-role.kubernetes.io/control-plane", true}, {"k8s.io/x", true},
		{"a.k8s.io/x", true}, {"node-restriction.kubernetes.io/x", true},
		{"a.node-restriction.kubernetes.io/x", true}, {"notkubernetes.io/x", false}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		test_note(t, "%s", cases[i].key);
		CHECK(node_label_is_forbidden(str_of(cases[i].key)) == cases[i].forbidden);
	}
}

TEST(mirror_pods_refer_to_nothing)
{
	static const struct {
		const char *spec, *reference;
	} cases[] = {{"\"volumes\":[{\"name\":\"h\",\"hostPath\":{\"path\":\"/\"}}]", NULL},
		{"\"serviceAccountName\":\"x\"", "serviceaccounts"},
		{"\"volumes\":[{\"name\":\"s\",\"secret\":{\"secretName\":\"x\"}}]", "secrets"},
		{"\"volumes\":[{\"name\":\"s\",\"configMap\":{\"name\":\"x\"}}]", "configmaps"},
		{"\"volumes\":[{\"name\":\"s\",\"persistentVolumeClaim\":{\"claimName\":\"x\"}}]",
			"persistentvolumeclaims"},
		{"\"volumes\":[{\"name\":\"s\",\"projected\":{\"sources\":[{"
		 "\"serviceAccountToken\":"
		 "{}}]}}]",
			"serviceaccounts (via projected volumes)"},
		{"\"resourceClaims\":[{\"name\":\"x\"}]", "resourceclaims"}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pod *p = parse(
			t, API_POD, arena_fmt(&t->arena, "{\"spec\":{%s}}", cases[i].spec).at);
		const char *found = mirror_pod_reference(&t->arena, p);

		test_note(t, "%s", cases[i].spec);
		CHECK_STR(
			str_of(found ? found : "-"), cases[i].reference ? cases[i].reference : "-");
	}
}

TEST(default_class_is_the_newest_marked)
{
	static const char *const marks[] = {"ingressclass.kubernetes.io/is-default-class", NULL};
	static const char *const json[] = {
		"{\"metadata\":{\"name\":\"a\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
		"\"annotations\":{\"ingressclass.kubernetes.io/is-default-class\":\"true\"}}}",
		"{\"metadata\":{\"name\":\"b\",\"creationTimestamp\":\"2026-01-02T00:00:00Z\","
		"\"annotations\":{\"ingressclass.kubernetes.io/is-default-class\":\"true\"}}}",
		"{\"metadata\":{\"name\":\"c\",\"creationTimestamp\":\"2026-01-02T00:00:00Z\","
		"\"annotations\":{\"ingressclass.kubernetes.io/is-default-class\":\"true\"}}}",
		"{\"metadata\":{\"name\":\"d\",\"creationTimestamp\":\"2026-01-03T00:00:00Z\","
		"\"annotations\":{\"ingressclass.kubernetes.io/is-default-class\":\"false\"}}}"};
	void *classes[COUNT_OF(json)];
	struct admission_list all = {classes, 0, COUNT_OF(json)};

	CHECK(!newest_default(&all, marks));
	for (; all.len < COUNT_OF(json); all.len++)
		classes[all.len] = parse(t, API_INGRESS_CLASS, json[all.len]);
	REQUIRE(newest_default(&all, marks));
	CHECK_STR(newest_default(&all, marks)->name, "b");
}

TEST(warnings_are_bounded)
{
	struct warnings w = {.arena = &t->arena};
	size_t total = 0;

	warnings_add(&w, "one");
	warnings_add(&w, "one");
	warnings_add(&w, "two %d", 2);
	REQUIRE(w.texts.len == 2);
	CHECK_STR(w.texts.at[1], "two 2");
	for (int i = 0; i < 100; i++)
		warnings_add(&w, "%03d%0997d", i, 0);
	for (size_t i = 0; i < w.texts.len; i++)
		total += w.texts.at[i].len;
	CHECK(total <= 4096 && total > 3500);
	CHECK_INT(w.texts.at[2].len, 256);
}

static int open_with(
	const char *enabled, const char *disabled, struct admission **to, struct err *e)
{
	str on = str_of(enabled), rest = str_of(disabled), off[4];
	struct admission_options o = {
		.clock = &clock_system, .enabled = {&on, on.len > 0}, .disabled = {off, 0}};

	while (rest.len > 0)
		off[o.disabled.len++] = str_cut(&rest, ',');
	return admission_open(&o, to, e);
}

TEST(plugins_are_enabled_by_name)
{
	struct admission *n;
	struct buf b;
	struct err e;

	CHECK_FAILS(open_with("Nonsense", "", &n, &e), &e, ERR_INVALID,
		"there is no plugin \"Nonsense\"");
	CHECK_FAILS(open_with("EventRateLimit", "", &n, &e), &e, ERR_INVALID,
		"the plugin EventRateLimit is not built yet");
	CHECK_FAILS(open_with("", "Nonsense", &n, &e), &e, ERR_INVALID, "--disable-");
	REQUIRE_OK(open_with("NodeRestriction", "PodSecurity", &n, &e), &e);
	buf_init(&b, BUF_NO_LIMIT);
	admission_put_names(n, &b);
	CHECK_STR(test_take(t, &b),
		"NamespaceLifecycle,LimitRanger,ServiceAccount,NodeRestriction,"
		"TaintNodesByCondition,"
		"Priority,DefaultTolerationSeconds,DefaultStorageClass,"
		"StorageObjectInUseProtection,"
		"PersistentVolumeClaimResize,RuntimeClass,CertificateApproval,CertificateSigning,"
		"CertificateSubjectRestriction,DefaultIngressClass,PodTopologyLabels,"
		"MutatingAdmissionWebhook,ValidatingAdmissionWebhook,ResourceQuota");
	admission_close(n);
}

#define WEBHOOKS "MutatingAdmissionWebhook,ValidatingAdmissionWebhook"

/* Through the table: what needs nothing of the cluster. */
TEST(operations_go_to_the_plugins_they_concern)
{
	struct user jane = {.name = STR("jane")};
	struct admission_attributes a = {
		.operation = ADMIT_CREATE,
		.arena = &t->arena,
		.user = &jane,
		.resource = resource_find(STR(""), STR("v1"), STR("nodes")),
		.object = parse(t, API_NODE, "{\"metadata\":{\"name\":\"n1\"}}"),
	};
	struct admission *n;
	struct err e;

	REQUIRE_OK(open_with("AlwaysDeny", WEBHOOKS, &n, &e), &e);
	REQUIRE_OK(admission_mutate(n, &a, &e), &e);
	CHECK_STR(value_at(t, a.object, "spec.taints[0].key"), "node.kubernetes.io/not-ready");
	REQUIRE_OK(admission_mutate(n, &a, &e), &e);
	CHECK_STR(value_at(t, a.object, "spec.taints[1].key"), "-");
	CHECK_FAILS(
		admission_validate(n, &a, &e), &e, ERR_FORBIDDEN, "nodes \"n1\" is forbidden: ");
	a.resource = resource_find(STR(""), STR("v1"), STR("namespaces"));
	a.operation = ADMIT_DELETE;
	a.object = NULL;
	a.name = STR("kube-system");
	CHECK_FAILS(admission_mutate(n, &a, &e), &e, ERR_FORBIDDEN,
		"namespaces \"kube-system\" is forbidden: this namespace may not be deleted");
	admission_close(n);
}

TEST(node_restriction_keeps_nodes_to_themselves)
{
	str groups[] = {STR("system:nodes")};
	struct user node = {.name = STR("system:node:n1"), .groups = {groups, 1}};
	struct admission_attributes a = {.operation = ADMIT_CREATE,
		.arena = &t->arena,
		.user = &node,
		.resource = resource_find(STR(""), STR("v1"), STR("nodes"))};
	static const struct {
		const char *object, *fault;
	} cases[] = {{"{\"metadata\":{\"name\":\"n1\"}}", NULL},
		{"{\"metadata\":{\"name\":\"n2\"}}",
			"node \"n1\" is not allowed to modify node \"n2\""},
		{"{\"metadata\":{\"name\":\"n1\",\"labels\":{\"kubernetes.io/x\":\"\",\"k8s.io/y\":"
		 "\"\",\"example.com/z\":\"\"}}}",
			"node \"n1\" is not allowed to set the following labels: k8s.io/y, "
			"kubernetes.io/x"}};
	struct err e;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		a.object = parse(t, API_NODE, cases[i].object);
		test_note(t, "%s", cases[i].object);
		if (cases[i].fault)
			CHECK_FAILS(
				node_restriction(NULL, &a, &e), &e, ERR_FORBIDDEN, cases[i].fault);
		else
			CHECK_OK(node_restriction(NULL, &a, &e), &e);
	}
	test_note(t, "%s", "");
	a.operation = ADMIT_UPDATE;
	a.name = STR("n1");
	a.old = parse(t, API_NODE, "{\"metadata\":{\"name\":\"n1\"}}");
	a.object = parse(t, API_NODE,
		"{\"metadata\":{\"name\":\"n1\"},\"spec\":{\"taints\":[{\"key\":\"x\"}]}}");
	CHECK_FAILS(node_restriction(NULL, &a, &e), &e, ERR_FORBIDDEN,
		"node \"n1\" is not allowed to modify taints");
	node.groups.len = 0;
	CHECK_OK(node_restriction(NULL, &a, &e), &e);
}
