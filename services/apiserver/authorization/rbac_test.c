#include "apiserver/authorization/rbac.h"
#include "lib/base/test.h"

/* Objects in JSON; cases after upstream's rbac_test.go. */
static const struct {
	enum api_type type;
	const char *json;
} objects[] = {
	{API_RBAC_CLUSTER_ROLE,
		"{\"metadata\":{\"name\":\"all\"},\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*"
		"\"],"
		"\"resources\":[\"*\"]}]}"},
	{API_RBAC_CLUSTER_ROLE,
		"{\"metadata\":{\"name\":\"subs\"},\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*"
		"\"],"
		"\"resources\":[\"pods/status\",\"*/scale\"]}]}"},
	{API_RBAC_CLUSTER_ROLE,
		"{\"metadata\":{\"name\":\"urls\"},\"rules\":[{\"verbs\":[\"get\"],"
		"\"nonResourceURLs\":[\"/apis\",\"/healthz/*\",\"/logs**\"]}]}"},
	{API_RBAC_ROLE,
		"{\"metadata\":{\"name\":\"named\",\"namespace\":\"ns1\"},\"rules\":[{\"verbs\":["
		"\"get\","
		"\"list\"],\"apiGroups\":[\"\",\"apps\"],\"resources\":[\"pods\"],"
		"\"resourceNames\":"
		"[\"p1\",\"p2\"]}]}"},
	{API_RBAC_ROLE_BINDING,
		"{\"metadata\":{\"name\":\"b1\",\"namespace\":\"ns1\"},\"roleRef\":{\"kind\":"
		"\"ClusterRole\",\"name\":\"all\"},\"subjects\":[{\"kind\":\"User\",\"name\":"
		"\"admin\"},"
		"{\"kind\":\"Group\",\"name\":\"admins\"},{\"kind\":\"ServiceAccount\",\"name\":"
		"\"sa\"}]}"},
	{API_RBAC_ROLE_BINDING,
		"{\"metadata\":{\"name\":\"b2\",\"namespace\":\"ns1\"},\"roleRef\":{\"kind\":"
		"\"Role\","
		"\"name\":\"named\"},\"subjects\":[{\"kind\":\"ServiceAccount\",\"name\":\"far\","
		"\"namespace\":\"ns2\"}]}"},
	{API_RBAC_ROLE_BINDING,
		"{\"metadata\":{\"name\":\"b3\",\"namespace\":\"ns2\"},\"roleRef\":{\"kind\":"
		"\"Role\","
		"\"name\":\"named\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"lost\"}]}"},
	{API_RBAC_CLUSTER_ROLE_BINDING,
		"{\"metadata\":{\"name\":\"c1\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":"
		"\"subs\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"scaler\"},{\"kind\":"
		"\"Group\","
		"\"name\":\"scalers\"},{\"kind\":\"ServiceAccount\",\"name\":\"nobody\"}]}"},
	{API_RBAC_CLUSTER_ROLE_BINDING,
		"{\"metadata\":{\"name\":\"c2\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":"
		"\"urls\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"prober\"}]}"},
	{API_RBAC_CLUSTER_ROLE_BINDING,
		"{\"metadata\":{\"name\":\"c3\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":"
		"\"gone\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"lost\"}]}"},
};

static struct rbac_index *index_of(struct test *t)
{
	struct rbac_entry *entries[COUNT_OF(objects)];
	struct err e;

	for (size_t i = 0; i < COUNT_OF(objects); i++) {
		void *o;

		REQUIRE_OK(object_decode(&t->arena, api_type(objects[i].type), FORMAT_JSON,
				   str_of(objects[i].json), &o, NULL, &e),
			&e);
		entries[i] = rbac_entry_new(o);
	}
	struct rbac_index *x = rbac_index_new(entries, COUNT_OF(objects));

	for (size_t i = 0; i < COUNT_OF(objects); i++)
		counted_drop(&entries[i]->counted);
	return x;
}

static str reason_of(struct test *t, const struct rbac_index *x, const struct attributes *a)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	rbac_authorize(x, a, &b);
	return test_take(t, &b);
}

TEST(rbac_allows_what_a_binding_grants)
{
	static const struct {
		const char *user, *group, *verb, *api_group, *resource, *sub, *ns, *name;
		bool allowed;
	} cases[] = {
		{"admin", "", "get", "", "pods", "", "ns1", "", true},
		{"admin", "", "watch", "x.io", "foobar", "", "ns1", "", true},
		{"joe", "admins", "watch", "", "foobar", "", "ns1", "", true},
		{"joe", "others", "watch", "", "foobar", "", "ns1", "", false},
		{"admin", "", "get", "", "pods", "", "ns2", "", false},
		{"admin", "admins", "get", "", "nodes", "", "", "", false},
		{"system:serviceaccount:ns1:sa", "", "get", "", "pods", "", "ns1", "", true},
		{"system:serviceaccount:ns2:sa", "", "get", "", "pods", "", "ns1", "", false},
		{"system:serviceaccount::nobody", "", "get", "", "pods", "scale", "", "", false},
		{"scaler", "", "get", "", "pods", "status", "ns1", "", true},
		{"scaler", "", "get", "", "pods", "scale", "ns1", "", true},
		{"scaler", "", "get", "apps", "deployments", "scale", "", "", true},
		{"x", "scalers", "get", "apps", "anything", "scale", "ns9", "", true},
		{"scaler", "", "get", "", "pods", "", "ns1", "", false},
		{"scaler", "", "get", "", "services", "status", "ns1", "", false},
		{"scaler", "", "get", "", "pods", "upscale", "ns1", "", false},
		{"system:serviceaccount:ns2:far", "", "get", "", "pods", "", "ns1", "p1", true},
		{"system:serviceaccount:ns2:far", "", "list", "apps", "pods", "", "ns1", "p2",
			true},
		{"system:serviceaccount:ns2:far", "", "get", "", "pods", "", "ns1", "p3", false},
		{"system:serviceaccount:ns2:far", "", "list", "", "pods", "", "ns1", "", false},
		{"system:serviceaccount:ns2:far", "", "watch", "", "pods", "", "ns1", "p1", false},
		{"system:serviceaccount:ns2:far", "", "get", "batch", "pods", "", "ns1", "p1",
			false},
		{"system:serviceaccount:ns2:far", "", "get", "", "nodes", "", "ns1", "p1", false},
		{"", "", "get", "", "pods", "", "ns1", "", false},
	};
	struct rbac_index *x = index_of(t);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		str group = str_of(cases[i].group);
		struct user u = {.name = str_of(cases[i].user), .groups = {&group, 1}};
		struct attributes a = {
			.user = &u,
			.verb = str_of(cases[i].verb),
			.is_resource = true,
			.group = str_of(cases[i].api_group),
			.resource = str_of(cases[i].resource),
			.subresource = str_of(cases[i].sub),
			.ns = str_of(cases[i].ns),
			.name = str_of(cases[i].name),
		};

		test_note(t, "case %zu", i);
		CHECK_INT(rbac_authorize(x, &a, NULL),
			cases[i].allowed ? DECISION_ALLOW : DECISION_NO_OPINION);
	}
	rbac_index_drop(x);
}

TEST(rbac_matches_urls)
{
	static const struct {
		const char *verb, *path;
		bool allowed;
	} cases[] = {
		{"get", "/apis", true},
		{"get", "/apis/v1", false},
		{"post", "/apis", false},
		{"get", "/healthz/", true},
		{"get", "/healthz/etcd", true},
		{"get", "/healthz", false},
		{"get", "/logs", true},
		{"get", "/logs*", true},
		{"get", "/logsmore", true},
		{"get", "/", false},
	};
	struct user u = {.name = STR("prober")};
	struct rbac_index *x = index_of(t);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct attributes a = {
			.user = &u, .verb = str_of(cases[i].verb), .path = str_of(cases[i].path)};

		test_note(t, "%s %s", cases[i].verb, cases[i].path);
		CHECK_INT(rbac_authorize(x, &a, NULL),
			cases[i].allowed ? DECISION_ALLOW : DECISION_NO_OPINION);
	}
	rbac_index_drop(x);
}

TEST(rbac_says_why)
{
	struct user u = {.name = STR("admin")};
	struct rbac_index *x = index_of(t);
	struct attributes a = {.user = &u,
		.verb = STR("get"),
		.is_resource = true,
		.resource = STR("pods"),
		.ns = STR("ns1")};

	CHECK_STR(reason_of(t, x, &a),
		"RBAC: allowed by RoleBinding \"b1/ns1\" of ClusterRole \"all\" to User \"admin\"");
	u.name = STR("system:serviceaccount:ns1:sa");
	CHECK_STR(reason_of(t, x, &a),
		"RBAC: allowed by RoleBinding \"b1/ns1\" of ClusterRole \"all\" to ServiceAccount "
		"\"sa/ns1\"");
	u.name = STR("scaler");
	a.subresource = STR("scale");
	CHECK_STR(reason_of(t, x, &a),
		"RBAC: allowed by ClusterRoleBinding \"c1\" of ClusterRole \"subs\" to User "
		"\"scaler\"");
	u.name = STR("lost");
	a.ns = STR("");
	CHECK_STR(reason_of(t, x, &a),
		"RBAC: clusterrole.rbac.authorization.k8s.io \"gone\" not found");
	a.ns = STR("ns2");
	CHECK_STR(reason_of(t, x, &a),
		"RBAC: [clusterrole.rbac.authorization.k8s.io \"gone\" not found, "
		"role.rbac.authorization.k8s.io \"named\" not found]");
	u.name = STR("joe");
	CHECK_STR(reason_of(t, x, &a), "");
	rbac_index_drop(x);
}

/* A binding that names somebody twice is one binding. */
TEST(rbac_tells_all_rules_of_a_user)
{
	struct user u = {.name = STR("admin"), .groups = {(str[]){STR("admins")}, 1}};
	struct rbac_index *x = index_of(t);
	struct rbac_faults faults = {.arena = &t->arena};
	struct rule_list rules;
	struct err e;

	REQUIRE_OK(rbac_rules_of(x, &t->arena, &u, STR("ns1"), &rules, &faults, &e), &e);
	CHECK_INT(rules.len, 1);
	REQUIRE_OK(rbac_rules_of(x, &t->arena, &u, STR(""), &rules, &faults, &e), &e);
	CHECK_INT(rules.len, 0);
	CHECK_INT(faults.texts.len, 0);
	rbac_index_drop(x);
}

static struct rule_list rules_of(struct test *t, const char *json)
{
	struct rbac_role *r;
	void *o;
	struct err e;

	REQUIRE_OK(object_decode(&t->arena, api_type(API_RBAC_ROLE), FORMAT_JSON,
			   arena_fmt(&t->arena, "{\"rules\":%s}", json), &o, NULL, &e),
		&e);
	r = o;
	return (struct rule_list){r->rules.at, r->rules.len};
}

TEST(rules_that_are_not_owned_are_named)
{
	static const struct {
		const char *owned, *wanted, *missing;
	} cases[] = {
		{"[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}]",
			"[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],"
			"\"resourceNames\":[\"a\"]}]",
			""},
		{"[]",
			"[{\"verbs\":[\"get\",\"list\"],\"apiGroups\":[\"\"],\"resources\":["
			"\"pods\","
			"\"nodes\"]}]",
			"{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"list\"]}\n"
			"{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\" \"list\"]}"},
		{"[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],"
		 "\"resourceNames\":[\"a\"]}]",
			"[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]",
			"{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}"},
		{"[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],"
		 "\"resourceNames\":[\"a\"]}]",
			"[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],"
			"\"resourceNames\":[\"a\",\"b\"]}]",
			"{APIGroups:[\"\"], Resources:[\"pods\"], ResourceNames:[\"b\"], "
			"Verbs:[\"get\"]}"},
		{"[{\"verbs\":[\"get\"],\"apiGroups\":[\"apps\"],\"resources\":[\"*/scale\"]}]",
			"[{\"verbs\":[\"get\"],\"apiGroups\":[\"apps\"],\"resources\":"
			"[\"deployments/scale\",\"deployments/status\"]}]",
			"{APIGroups:[\"apps\"], Resources:[\"deployments/status\"], "
			"Verbs:[\"get\"]}"},
		{"[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/a/*\"]}]",
			"[{\"verbs\":[\"get\",\"put\"],\"nonResourceURLs\":[\"/a/b\",\"/a\"]}]",
			"{NonResourceURLs:[\"/a\"], Verbs:[\"get\"]}\n"
			"{NonResourceURLs:[\"/a\"], Verbs:[\"put\"]}\n"
			"{NonResourceURLs:[\"/a/b\"], Verbs:[\"put\"]}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rule_list missing;
		struct buf b;
		struct err e;

		test_note(t, "case %zu", i);
		REQUIRE_OK(rules_missing(&t->arena, rules_of(t, cases[i].owned),
				   rules_of(t, cases[i].wanted), &missing, &e),
			&e);
		buf_init(&b, BUF_NO_LIMIT);
		REQUIRE_OK(rules_put_missing(&b, &t->arena, missing, &e), &e);
		CHECK_STR(test_take(t, &b), cases[i].missing);
	}
}

TEST(rules_do_not_multiply_past_the_limit)
{
	struct rule_list missing,
		wanted = rules_of(t,
			"[{\"verbs\":[\"1\",\"2\",\"3\",\"4\"],\"apiGroups\":[\"1\",\"2\",\"3\","
			"\"4\"],"
			"\"resources\":[\"1\",\"2\",\"3\",\"4\"],\"resourceNames\":[\"1\",\"2\","
			"\"3\"]}]");
	struct arena small;
	struct err e;

	arena_init(&small, 4096);
	CHECK_FAILS(rules_missing(&small, (struct rule_list){NULL, 0}, wanted, &missing, &e), &e,
		ERR_LIMIT, "more than 4096");
	arena_free(&small);
}
