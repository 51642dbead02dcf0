#include "apiserver/authorization/bootstrap_policy.h"
#include "apiserver/authorization/view.h"
#include "lib/base/test.h"

static struct object *find(
	const struct bootstrap_policy *p, enum api_type type, const char *ns, const char *name)
{
	for (size_t i = 0; i < p->len; i++) {
		const struct object_meta *m = rbac_view(p->at[i]).meta;

		if (p->at[i]->type == api_type(type) && str_eq(m->name, str_of(name)) &&
			str_eq(m->namespace, str_of(ns)))
			return p->at[i];
	}
	return NULL;
}

TEST(policy_has_upstreams_number_of_objects)
{
	static const struct {
		enum api_type type;
		size_t count;
	} kinds[] = {{API_RBAC_CLUSTER_ROLE, 69}, {API_RBAC_ROLE, 7},
		{API_RBAC_CLUSTER_ROLE_BINDING, 50}, {API_RBAC_ROLE_BINDING, 7}};
	struct bootstrap_policy p;

	bootstrap_policy_read(&t->arena, &p);
	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		size_t count = 0;

		for (size_t i = 0; i < p.len; i++)
			count += p.at[i]->type == api_type(kinds[k].type);
		test_note(t, "kind %zu", k);
		CHECK_INT(count, kinds[k].count);
	}
}

TEST(policy_text_becomes_objects)
{
	struct bootstrap_policy p;
	struct err e;
	struct buf b;

	bootstrap_policy_read(&t->arena, &p);
	struct object *o = find(&p, API_RBAC_CLUSTER_ROLE, "", "edit");

	REQUIRE(o);
	buf_init(&b, BUF_NO_LIMIT);
	REQUIRE_OK(object_encode(o, FORMAT_JSON, &b, &e), &e);
	CHECK_STR(test_take(t, &b),
		"{\"kind\":\"ClusterRole\",\"apiVersion\":\"rbac.authorization.k8s.io/v1\","
		"\"metadata\":{\"name\":\"edit\",\"labels\":{\"kubernetes.io/bootstrapping\":"
		"\"rbac-defaults\",\"rbac.authorization.k8s.io/aggregate-to-admin\":\"true\"},"
		"\"annotations\":{\"rbac.authorization.kubernetes.io/autoupdate\":\"true\"}},"
		"\"rules\":null,\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchLabels\":"
		"{\"rbac.authorization.k8s.io/aggregate-to-edit\":\"true\"}}]}}");
	o = find(&p, API_RBAC_ROLE_BINDING, "kube-system",
		"system::extension-apiserver-authentication-reader");
	REQUIRE(o);
	struct rbac_view v = rbac_view(o);

	CHECK_STR(v.role->kind, "Role");
	CHECK_STR(v.role->name, "extension-apiserver-authentication-reader");
	REQUIRE(*v.subject_count == 2);
	CHECK_STR((*v.subjects)[1].name, "system:kube-scheduler");
	CHECK_STR((*v.subjects)[1].kind, "User");
	struct rule_list admin = bootstrap_policy_rules(&p, STR("cluster-admin"));

	REQUIRE(admin.len == 2);
	CHECK_STR(admin.at[0].resources.at[0], "*");
	CHECK_STR(admin.at[1].non_resource_urls.at[0], "*");
	CHECK_INT(bootstrap_policy_rules(&p, STR("nothing")).len, 0);
}

static struct object *reconcile(
	struct test *t, const struct object *wanted, const struct object *before, bool *recreate)
{
	struct object *now = NULL;
	struct err e;

	REQUIRE_OK(bootstrap_reconcile(&t->arena, wanted, before, &now, recreate, &e), &e);
	return now;
}

TEST(policy_is_added_to_what_is_there)
{
	struct bootstrap_policy p;
	bool recreate;

	bootstrap_policy_read(&t->arena, &p);
	struct object *wanted = find(&p, API_RBAC_CLUSTER_ROLE, "", "system:node-bootstrapper");
	struct object *before = object_copy(&t->arena, wanted, true);
	struct rbac_view v = rbac_view(before);

	REQUIRE(wanted);
	CHECK(reconcile(t, wanted, NULL, &recreate) && !recreate);
	CHECK(!reconcile(t, wanted, before, &recreate));

	/* A rule cut back comes back; one of somebody's own and other labels stay. */
	(*v.rules)[0].verbs.len = 1;
	(*v.rules)[0].resource_names = (struct str_list){NULL, 0};
	str_map_set(&t->arena, &v.meta->labels, STR("mine"), STR("x"));
	struct object *now = reconcile(t, wanted, before, &recreate);

	REQUIRE(now);
	struct rbac_view n = rbac_view(now);

	CHECK_INT(*n.rule_count, 4);
	CHECK_STR((*n.rules)[1].verbs.at[0], "get");
	CHECK_STR(str_map_get(&n.meta->labels, STR("mine")), "x");
	CHECK(!reconcile(t, wanted, now, &recreate));

	str_map_set(&t->arena, &v.meta->annotations,
		STR("rbac.authorization.kubernetes.io/autoupdate"), STR("false"));
	CHECK(!reconcile(t, wanted, before, &recreate));
}

TEST(policy_mends_aggregation_and_bindings)
{
	struct bootstrap_policy p;
	bool recreate;

	bootstrap_policy_read(&t->arena, &p);
	struct object *admin = find(&p, API_RBAC_CLUSTER_ROLE, "", "admin");
	struct object *before = object_copy(&t->arena, admin, true);

	*rbac_view(before).aggregation = NULL;
	struct object *now = reconcile(t, admin, before, &recreate);

	REQUIRE(now && *rbac_view(now).aggregation);
	struct object *plain = find(&p, API_RBAC_CLUSTER_ROLE, "", "cluster-admin");

	before = object_copy(&t->arena, plain, true);
	*rbac_view(before).aggregation = *rbac_view(admin).aggregation;
	now = reconcile(t, plain, before, &recreate);
	REQUIRE(now);
	CHECK(!*rbac_view(now).aggregation);

	struct object *binding = find(&p, API_RBAC_CLUSTER_ROLE_BINDING, "", "cluster-admin");

	before = object_copy(&t->arena, binding, true);
	(*rbac_view(before).subjects)[0].name = STR("mine");
	now = reconcile(t, binding, before, &recreate);
	REQUIRE(now && !recreate);
	REQUIRE(*rbac_view(now).subject_count == 2);
	CHECK_STR((*rbac_view(now).subjects)[1].name, "system:masters");
	rbac_view(before).role->name = STR("view");
	now = reconcile(t, binding, before, &recreate);
	CHECK(now && recreate);
}
