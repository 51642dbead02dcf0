#include "apiserver/authorization/bootstrap_policy.h"
#include "apiserver/authorization/node.h"
#include "lib/base/test.h"

static const char pod_on_n1[] =
	"{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\"},\"spec\":{\"nodeName\":\"n1\","
	"\"serviceAccountName\":\"sa\",\"imagePullSecrets\":[{\"name\":\"pull\"}],"
	"\"initContainers\":[{\"name\":\"i\",\"env\":[{\"name\":\"A\",\"valueFrom\":"
	"{\"secretKeyRef\":{\"name\":\"env\",\"key\":\"k\"}}}]}],"
	"\"containers\":[{\"name\":\"c\",\"envFrom\":[{\"configMapRef\":{\"name\":\"from\"}}]}],"
	"\"ephemeralContainers\":[{\"name\":\"e\",\"envFrom\":[{\"secretRef\":{\"name\":\"debug\"}}"
	"]}],"
	"\"volumes\":[{\"name\":\"s\",\"secret\":{\"secretName\":\"vol\"}},"
	"{\"name\":\"pr\",\"projected\":{\"sources\":[{\"secret\":{\"name\":\"proj\"}},"
	"{\"configMap\":{\"name\":\"projmap\"}}]}},"
	"{\"name\":\"m\",\"configMap\":{\"name\":\"map\"}},"
	"{\"name\":\"c\",\"persistentVolumeClaim\":{\"claimName\":\"claim\"}},"
	"{\"name\":\"eph\",\"ephemeral\":{}}],"
	"\"resourceClaims\":[{\"name\":\"gpu\",\"resourceClaimTemplateName\":\"x\"}]},"
	"\"status\":{\"resourceClaimStatuses\":[{\"name\":\"gpu\",\"resourceClaimName\":\"p-gpu\"}]"
	"}}";

static const char mirror_on_n2[] =
	"{\"metadata\":{\"name\":\"m\",\"namespace\":\"ns\",\"annotations\":"
	"{\"kubernetes.io/config.mirror\":\"x\"}},\"spec\":{\"nodeName\":\"n2\","
	"\"serviceAccountName\":\"sa\",\"volumes\":[{\"name\":\"s\",\"secret\":"
	"{\"secretName\":\"vol\"}}]}}";

static const char volume[] =
	"{\"metadata\":{\"name\":\"pv\"},\"spec\":{\"claimRef\":{\"namespace\":\"ns\",\"name\":"
	"\"claim\"},\"csi\":{\"driver\":\"d\",\"volumeHandle\":\"h\",\"nodeStageSecretRef\":"
	"{\"namespace\":\"far\",\"name\":\"stage\"},\"controllerPublishSecretRef\":"
	"{\"namespace\":\"far\",\"name\":\"controller\"}}}}";

static const char attachment[] =
	"{\"metadata\":{\"name\":\"va\"},\"spec\":{\"attacher\":\"d\",\"nodeName\":\"n1\"}}";

static void *parse(struct test *t, enum api_type type, const char *json)
{
	void *o;
	struct err e;

	REQUIRE_OK(
		object_decode(&t->arena, api_type(type), FORMAT_JSON, str_of(json), &o, NULL, &e),
		&e);
	return o;
}

static struct node_graph *filled_graph(struct test *t)
{
	struct node_graph *g = node_graph_new();

	node_graph_put_pod(g, parse(t, API_POD, pod_on_n1));
	node_graph_put_pod(g, parse(t, API_POD, mirror_on_n2));
	node_graph_put_volume(g, parse(t, API_PERSISTENT_VOLUME, volume));
	node_graph_put_attachment(g, parse(t, API_STORAGE_VOLUME_ATTACHMENT, attachment));
	return g;
}

/* "verb group/resource/sub ns name", absent parts as "-". */
static enum decision ask(struct test *t, struct node_graph *g, const char *node,
	const char *request, const struct selector *fields, str *reason)
{
	str groups[] = {STR("system:nodes")}, words = str_of(request), parts[6];
	struct user u = {
		.name = arena_fmt(&t->arena, "system:node:%s", node), .groups = {groups, 1}};
	struct bootstrap_policy policy;
	struct buf b;

	bootstrap_policy_read(&t->arena, &policy);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		parts[i] = words.at ? str_cut(&words, ' ') : STR("-");
		if (str_eq(parts[i], STR("-")))
			parts[i] = STR("");
	}
	struct attributes a = {.user = &u,
		.verb = parts[0],
		.is_resource = true,
		.group = parts[1],
		.resource = parts[2],
		.subresource = parts[3],
		.ns = parts[4],
		.name = parts[5],
		.fields = fields};

	buf_init(&b, BUF_NO_LIMIT);
	enum decision d = node_authorize(
		g, bootstrap_policy_rules(&policy, STR("system:node")), &a, &b);

	*reason = test_take(t, &b);
	return d;
}

#define NO_RELATION "no relationship found between node 'n2' and this object"

static const struct {
	const char *node, *request;
	const char *reason; /* of a refusal; NULL: allowed */
} requests[] = {
	{"n1", "get - secrets - ns vol", NULL},
	{"n1", "list - secrets - ns env", NULL},
	{"n1", "watch - secrets - ns pull", NULL},
	{"n1", "get - secrets - ns proj", NULL},
	{"n1", "get - secrets - ns debug", NULL},
	{"n1", "get - secrets - far stage", NULL},
	{"n1", "get - secrets - far controller",
		"no relationship found between node 'n1' and this object"},
	{"n1", "get - secrets - far vol",
		"no relationship found between node 'n1' and this object"},
	{"n1", "get - configmaps - ns vol",
		"no relationship found between node 'n1' and this object"},
	{"n2", "get - secrets - ns vol", NO_RELATION},
	{"n1", "update - secrets - ns vol", "can only read resources of this type"},
	{"n1", "get - secrets status ns vol", "cannot read subresource"},
	{"n1", "list - secrets - - vol", "can only read namespaced object of this type"},
	{"n1", "list - secrets - ns", "No Object name found"},
	{"n1", "get - configmaps - ns map", NULL},
	{"n1", "get - configmaps - ns from", NULL},
	{"n1", "get - configmaps - ns projmap", NULL},
	{"n2", "get - configmaps - ns map", NO_RELATION},
	{"n1", "get - persistentvolumeclaims - ns claim", NULL},
	{"n1", "get - persistentvolumeclaims - ns p-eph", NULL},
	{"n1", "patch - persistentvolumeclaims status ns claim", NULL},
	{"n1", "get - persistentvolumeclaims status ns claim",
		"can only get/update/patch this type"},
	{"n2", "patch - persistentvolumeclaims status ns claim", NO_RELATION},
	{"n1", "list - persistentvolumeclaims - ns claim",
		"can only get individual resources of this type"},
	{"n1", "get - persistentvolumes - - pv", NULL},
	{"n2", "get - persistentvolumes - - pv", NO_RELATION},
	{"n1", "get - persistentvolumes status - pv", "cannot get subresource"},
	{"n1", "get resource.k8s.io resourceclaims - ns p-gpu", NULL},
	{"n2", "get resource.k8s.io resourceclaims - ns p-gpu", NO_RELATION},
	{"n1", "get storage.k8s.io volumeattachments - - va", NULL},
	{"n2", "get storage.k8s.io volumeattachments - - va", NO_RELATION},
	{"n1", "create - serviceaccounts token ns sa", NULL},
	{"n1", "get - serviceaccounts - ns sa", NULL},
	{"n2", "create - serviceaccounts token ns sa", NO_RELATION},
	{"n1", "create - serviceaccounts - ns sa",
		"can only create token subresource of serviceaccount"},
	{"n1", "list - serviceaccounts - ns",
		"can only create tokens for individual service accounts"},
	{"n1", "get coordination.k8s.io leases - kube-node-lease n1", NULL},
	{"n1", "create coordination.k8s.io leases - kube-node-lease", NULL},
	{"n1", "get coordination.k8s.io leases - kube-node-lease n2",
		"can only access node lease with the same name as the requesting node"},
	{"n1", "get coordination.k8s.io leases - kube-system n1",
		"can only access leases in the \"kube-node-lease\" system namespace"},
	{"n1", "list coordination.k8s.io leases - kube-node-lease",
		"can only get, create, update, patch, or delete a node lease"},
	{"n1", "update storage.k8s.io csinodes - - n1", NULL},
	{"n1", "update storage.k8s.io csinodes - - n2",
		"can only access CSINode with the same name as the requesting node"},
	{"n1", "watch storage.k8s.io csinodes - - n1",
		"can only get, create, update, patch, or delete a CSINode"},
	{"n1", "update storage.k8s.io csinodes status - n1",
		"cannot authorize CSINode subresources"},
	{"n1", "create resource.k8s.io resourceslices", NULL},
	{"n2", "get resource.k8s.io resourceslices - - s", NO_RELATION},
	{"n1", "list resource.k8s.io resourceslices",
		"can only list/watch/deletecollection resourceslices with nodeName field "
		"selector"},
	{"n1", "get - nodes - - n1", NULL},
	{"n1", "watch - nodes - - n1", NULL},
	{"n1", "create - nodes", NULL},
	{"n1", "patch - nodes status - n2", NULL},
	{"n1", "get - nodes - - n2", "node 'n1' cannot read 'n2', only its own Node object"},
	{"n1", "list - nodes", "node 'n1' cannot read all nodes, only its own Node object"},
	{"n1", "delete - nodes - - n1", ""},
	{"n1", "get - nodes proxy - n1", ""},
	{"n1", "get - pods - ns p", NULL},
	{"n2", "get - pods - ns p", NO_RELATION},
	{"n1", "watch - pods - ns p", NULL},
	{"n1", "list - pods", "can only list/watch pods with spec.nodeName field selector"},
	{"n1", "create - pods - ns", NULL},
	{"n1", "delete - pods - ns other", NULL},
	{"n1", "patch - pods status ns p", NULL},
	{"n1", "create - pods eviction ns p", NULL},
	{"n1", "create - pods exec ns p", ""},
	{"n1", "update - pods - ns p", ""},
	{"n1", "list - services", NULL},
	{"n1", "create - services - ns", ""},
	{"n1", "create events.k8s.io events - ns", NULL},
	{"n1", "create certificates.k8s.io certificatesigningrequests", NULL},
	{"n1", "create certificates.k8s.io podcertificaterequests - ns", ""},
	{"", "get - services - ns s", "unknown node for user \"system:node:\""},
};

TEST(node_may_touch_what_concerns_it)
{
	struct node_graph *g = filled_graph(t);

	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		str reason;
		enum decision d = ask(t, g, requests[i].node, requests[i].request, NULL, &reason);

		test_note(t, "%s %s", requests[i].node, requests[i].request);
		CHECK_INT(d, requests[i].reason ? DECISION_NO_OPINION : DECISION_ALLOW);
		CHECK_STR(reason, requests[i].reason ? requests[i].reason : "");
	}
	node_graph_free(g);
}

TEST(node_lists_pods_by_its_own_name)
{
	static const struct {
		const char *fields;
		bool allowed;
	} cases[] = {{"spec.nodeName=n1", true}, {"status.phase!=Failed,spec.nodeName=n1", true},
		{"spec.nodeName=n2", false}, {"spec.nodeName!=n1", false}, {"", false}};
	struct node_graph *g = filled_graph(t);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct selector s;
		struct err e;
		str reason;

		REQUIRE_OK(selector_parse_fields(&t->arena, str_of(cases[i].fields), &s, &e), &e);
		test_note(t, "%s", cases[i].fields);
		CHECK((ask(t, g, "n1", "watch - pods", &s, &reason) == DECISION_ALLOW) ==
			cases[i].allowed);
		CHECK((ask(t, g, "n1", "list resource.k8s.io resourceslices", &s, &reason) ==
			      DECISION_ALLOW) == cases[i].allowed);
	}
	node_graph_free(g);
}

TEST(node_is_a_user_of_its_group)
{
	str nodes[] = {STR("system:nodes")};
	struct user u = {.name = STR("system:node:n1")};

	CHECK(!node_of(&u).at);
	u.groups = (struct str_list){nodes, 1};
	CHECK_STR(node_of(&u), "n1");
	u.name = STR("jane");
	CHECK(!node_of(&u).at);
}

TEST(node_graph_forgets_what_is_gone)
{
	struct node_graph *g = filled_graph(t);
	struct pod *moved = parse(t, API_POD, pod_on_n1);

	moved->spec.node_name = STR("n3");
	node_graph_put_pod(g, moved);
	CHECK(!node_graph_has_ref(g, STR("n1"), REF_SECRET, STR("ns"), STR("vol")));
	CHECK(node_graph_has_ref(g, STR("n3"), REF_SECRET, STR("ns"), STR("vol")));
	CHECK(node_graph_has_volume(g, STR("n3"), STR("pv")));
	node_graph_remove_volume(g, STR("pv"));
	CHECK(!node_graph_has_volume(g, STR("n3"), STR("pv")));
	CHECK(!node_graph_has_ref(g, STR("n3"), REF_SECRET, STR("far"), STR("stage")));
	node_graph_remove_pod(g, STR("ns"), STR("p"));
	CHECK(!node_graph_has_pod(g, STR("n3"), STR("ns"), STR("p")));
	CHECK(!node_graph_has_ref(g, STR("n3"), REF_SECRET, STR("ns"), STR("vol")));
	node_graph_remove_attachment(g, STR("va"));
	CHECK(!node_graph_has_attachment(g, STR("n1"), STR("va")));
	node_graph_put_pod(g, moved);
	node_graph_clear_pods(g);
	CHECK(!node_graph_has_pod(g, STR("n3"), STR("ns"), STR("p")));
	node_graph_free(g);
}
