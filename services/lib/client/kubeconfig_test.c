#include "lib/base/test.h"
#include "lib/client/kubeconfig.h"

static const char text[] = "apiVersion: v1\n"
			   "kind: Config\n"
			   "current-context: two\n"
			   "contexts:\n"
			   "- name: one\n"
			   "  context: {cluster: far, user: nobody}\n"
			   "- name: two\n"
			   "  context: {cluster: near, user: me}\n"
			   "clusters:\n"
			   "- name: near\n"
			   "  cluster:\n"
			   "    server: https://127.0.0.1:6443\n"
			   "    certificate-authority-data: Q0E=\n"
			   "    insecure-skip-tls-verify: false\n"
			   "- name: far\n"
			   "  cluster: {server: 'https://far', insecure-skip-tls-verify: true}\n"
			   "users:\n"
			   "- name: me\n"
			   "  user:\n"
			   "    client-certificate: pki/me.crt\n"
			   "    client-key: /abs/me.key\n"
			   "    token: secret\n"
			   "- name: nobody\n"
			   "  user: {exec: {command: ask}}\n";

static int parse(struct test *t, const char *current, struct kubeconfig *k, struct err *e)
{
	str s = arena_fmt(&t->arena, "%s", text);
	ptrdiff_t at = str_find(s, STR("current-context: two"));

	memcpy((char *)s.at + at + 17, current, 3);
	return kubeconfig_parse(&t->arena, s, STR("/etc/kubernetes/"), k, e);
}

TEST(kubeconfig_gives_the_current_context)
{
	struct kubeconfig k;
	struct err e;

	REQUIRE_OK(parse(t, "two", &k, &e), &e);
	CHECK_STR(k.server, "https://127.0.0.1:6443");
	CHECK_STR(k.ca_pem, "CA");
	CHECK_STR(k.cert_file, "/etc/kubernetes/pki/me.crt");
	CHECK_STR(k.key_file, "/abs/me.key");
	CHECK_STR(k.token, "secret");
	CHECK(!k.ca_file.at && !k.token_file.at);
}

TEST(kubeconfig_refuses_what_it_cannot_do)
{
	struct kubeconfig k;
	struct err e;

	CHECK_FAILS(parse(t, "one", &k, &e), &e, ERR_UNSUPPORTED, "insecure-skip-tls-verify");
	CHECK_FAILS(parse(t, "six", &k, &e), &e, ERR_INVALID, "context \"six\" does not exist");
	CHECK_FAILS(kubeconfig_parse(&t->arena, STR("{}"), STR(""), &k, &e), &e, ERR_INVALID,
		"current-context");
	CHECK_FAILS(
		kubeconfig_parse(&t->arena, STR("a: ["), STR(""), &k, &e), &e, ERR_INVALID, "yaml");
}

TEST(kubeconfig_of_a_pod)
{
	struct kubeconfig k;
	struct err e;

	REQUIRE_OK(kubeconfig_in_cluster(&t->arena, STR("fd00::1"), STR("443"), "/sa", &k, &e), &e);
	CHECK_STR(k.server, "https://[fd00::1]:443");
	CHECK_STR(k.ca_file, "/sa/ca.crt");
	CHECK_STR(k.token_file, "/sa/token");
	CHECK_FAILS(kubeconfig_in_cluster(&t->arena, STR(""), STR("443"), "/sa", &k, &e), &e,
		ERR_NOT_FOUND, "in-cluster");
}
