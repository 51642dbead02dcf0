#include "setup/bootstrap.h"

#include "lib/client/client.h"
#include "lib/codec/base64.h"
#include "lib/codec/json.h"
#include "lib/codec/pairs.h"
#include "lib/os/file.h"

#define RBAC     "/apis/rbac.authorization.k8s.io/v1"
#define BINDINGS RBAC "/clusterrolebindings"
#define JOINING  "system:bootstrappers:kubeadm:default-node-token"
#define RBAC_OF(kind, name) \
	"{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"" kind \
	"\",\"metadata\":{\"name\":\"" name "\"}"
#define ROLE_REF(kind, name) \
	",\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"" kind \
	"\",\"name\":\"" name "\"}"
#define SUBJECT(kind, name) \
	",\"subjects\":[{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"" kind \
	"\",\"name\":\"" name "\"}]}"
#define BINDING(name, role, group) \
	{ \
		BINDINGS, \
			RBAC_OF("ClusterRoleBinding", name) ROLE_REF("ClusterRole", role) \
				SUBJECT("Group", group) \
	}
#define SIGNING "system:certificates.k8s.io:certificatesigningrequests"

/* By where they are posted. */
static const struct {
	const char *path, *object;
} objects[] = {
	BINDING("kubeadm:cluster-admins", "cluster-admin", "kubeadm:cluster-admins"),
	BINDING("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", JOINING),
	BINDING("kubeadm:node-autoapprove-bootstrap", SIGNING ":nodeclient", JOINING),
	BINDING("kubeadm:node-autoapprove-certificate-rotation", SIGNING ":selfnodeclient",
		"system:nodes"),
	{RBAC "/clusterroles",
		RBAC_OF("ClusterRole", "kubeadm:get-nodes") ",\"rules\":[{\"verbs\":[\"get\"],"
							    "\"apiGroups\":[\"\"],"
							    "\"resources\":[\"nodes\"]}]}"},
	BINDING("kubeadm:get-nodes", "kubeadm:get-nodes", JOINING),
	{RBAC "/namespaces/kube-public/roles",
		RBAC_OF("Role",
			"kubeadm:bootstrap-signer-clusterinfo") ",\"rules\":[{\"verbs\":[\"get\"],"
								"\"apiGroups\":[\"\"],"
								"\"resources\":["
								"\"configmaps\"],"
								"\"resourceNames\":["
								"\"cluster-info\"]}]}"},
	{RBAC "/namespaces/kube-public/rolebindings",
		RBAC_OF("RoleBinding", "kubeadm:bootstrap-signer-clusterinfo")
			ROLE_REF("Role", "kubeadm:bootstrap-signer-clusterinfo")
				SUBJECT("User", "system:anonymous")},
};

#define CLUSTER_INFO  "/api/v1/namespaces/kube-public/configmaps"
#define TOKEN_SECRETS "/api/v1/namespaces/kube-system/secrets"

enum { FILE_BYTES_MAX = 64 << 10, TOKEN_ID_CHARS = 6 };

struct making {
	struct arena arena;
	struct client *client;
	const struct bootstrap_options *o;
};

static int make_all(struct making *m, struct err *e);
static int make(struct making *m, const char *path, str object, struct err *e);
static int make_cluster_info(struct making *m, struct err *e);
static int make_token(struct making *m, struct err *e);
static void put_secret(struct buf *b, const char *key, str value);

int bootstrap_cluster(const struct bootstrap_options *o, struct err *e)
{
	struct making m = {.o = o};
	struct transport *transport;
	struct kubeconfig config;

	arena_init(&m.arena, ARENA_NO_LIMIT);
	struct transport_options t = {.config = &config, .clock = &clock_system};
	int done = kubeconfig_read(
		&m.arena, arena_str(&m.arena, o->kubeconfig).at, (str){0}, &config, e);

	if (done == 0)
		done = transport_open(&t, &transport, e);
	if (done == 0) {
		struct client_options c = {
			.transport = transport,
			.config = &config,
			.clock = &clock_system,
			.user_agent = client_user_agent(&m.arena, STR("setup"), STR("bootstrap")),
		};

		done = client_open(&c, &m.client, e);
		if (done == 0) {
			done = make_all(&m, e);
			client_close(m.client);
		}
		transport_close(transport);
	}
	arena_free(&m.arena);
	return done;
}

static int make_all(struct making *m, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(objects); i++)
		TRY(make(m, objects[i].path, str_of(objects[i].object), e));
	TRY(make_cluster_info(m, e));
	return make_token(m, e);
}

static int make(struct making *m, const char *path, str object, struct err *e)
{
	struct client_request r = {
		.method = STR("POST"),
		.path = str_of(path),
		.content_type = MEDIA_JSON,
		.body = object,
		.accept = MEDIA_JSON,
	};
	str answer;

	if (client_raw(m->client, &m->arena, &r, &answer, e) == 0 || e->kind == ERR_EXISTS)
		return 0;
	return err_context(e, "POST %s", path);
}

/* In kubeadm's form: a kubeconfig without users, whose cluster has no name. */
static int make_cluster_info(struct making *m, struct err *e)
{
	struct buf config, object;
	str ca, answer;

	TRY(file_read(&m->arena, arena_str(&m->arena, m->o->ca_file).at, FILE_BYTES_MAX, &ca, e));
	buf_init(&config, FILE_BYTES_MAX);
	buf_init(&object, 2 * FILE_BYTES_MAX);
	buf_add_fmt(&config,
		"apiVersion: v1\nkind: Config\npreferences: {}\nclusters:\n- name: \"\"\n"
		"  cluster:\n    server: %.*s\n    certificate-authority-data: ",
		STR_ARG(m->o->server));
	base64_put(&config, ca);
	buf_add_fmt(&config, "\ncontexts: null\ncurrent-context: \"\"\nusers: null\n");
	buf_add_fmt(&object,
		"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
		"\"cluster-info\"},\"data\":{\"kubeconfig\":");
	json_put_str(&object, buf_str(&config));
	buf_add_fmt(&object, "}}");
	int done = make(m, CLUSTER_INFO, buf_str(&object), e);
	struct client_request patch = {
		.method = STR("PATCH"),
		.path = STR(CLUSTER_INFO "/cluster-info"),
		.content_type = STR("application/merge-patch+json"),
		.body = buf_str(&object),
		.accept = MEDIA_JSON,
	};

	if (done == 0)
		done = client_raw(m->client, &m->arena, &patch, &answer, e);
	buf_free(&object);
	buf_free(&config);
	return done;
}

static int make_token(struct making *m, struct err *e)
{
	struct pair_list said;
	struct buf b;
	str text;

	TRY(file_read(
		&m->arena, arena_str(&m->arena, m->o->token_file).at, FILE_BYTES_MAX, &text, e));
	TRY(pairs_read(&m->arena, text, &said, e));
	str token = pairs_get(&said, STR("token")), expires = pairs_get(&said, STR("expires"));
	str id = str_slice(token, 0, TOKEN_ID_CHARS);

	buf_init(&b, FILE_BYTES_MAX);
	buf_add_fmt(&b,
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":"
		"\"bootstrap-token-%.*s\"},\"type\":\"bootstrap.kubernetes.io/token\",\"data\":{",
		STR_ARG(id));
	put_secret(&b, "token-id", id);
	put_secret(&b, "token-secret", str_slice(token, TOKEN_ID_CHARS + 1, token.len));
	put_secret(&b, "auth-extra-groups", STR(JOINING));
	put_secret(&b, "usage-bootstrap-authentication", STR("true"));
	put_secret(&b, "usage-bootstrap-signing", STR("true"));
	if (expires.len)
		put_secret(&b, "expiration", expires);
	put_secret(&b, "description", STR("Made at the machine's first start."));
	b.len--; /* the last comma */
	buf_add_fmt(&b, "}}");
	int done = make(m, TOKEN_SECRETS, buf_str(&b), e);

	buf_free(&b);
	return done;
}

static void put_secret(struct buf *b, const char *key, str value)
{
	buf_add_fmt(b, "\"%s\":\"", key);
	base64_put(b, value);
	buf_add_fmt(b, "\",");
}
