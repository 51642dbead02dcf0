#include "controller-manager/certificates.h"
#include "lib/base/test.h"

#define NAMES(...) \
	{ \
		.at = (str[]){__VA_ARGS__}, .len = sizeof((str[]){__VA_ARGS__}) / sizeof(str) \
	}

static const struct cert_subject kubelet = {
	.common_name = STR_INIT("system:node:a"),
	.organizations = NAMES(STR_INIT("system:nodes")),
};

static const struct str_list client = NAMES(STR_INIT("client auth"), STR_INIT("digital signature"));
static const struct str_list serving = NAMES(
	STR_INIT("server auth"), STR_INIT("key encipherment"), STR_INIT("digital signature"));

TEST(a_kubelets_client_certificate_has_no_alternative_names)
{
	struct cert_subject s = kubelet;
	struct err e;

	CHECK(csr_check_kubelet_client(&s, &client, &e) == 0);
	s.dns = (struct cert_list)NAMES(STR_INIT("a"));
	CHECK(csr_check_kubelet_client(&s, &client, &e) < 0);
	CHECK_STR(str_of(e.text), "DNS subjectAltNames are not allowed");
	s = kubelet;
	s.organizations = (struct cert_list)NAMES(
		STR_INIT("system:nodes"), STR_INIT("system:masters"));
	CHECK(csr_check_kubelet_client(&s, &client, &e) < 0);
	CHECK_STR(str_of(e.text), "subject organization is not system:nodes");
	CHECK(csr_check_kubelet_client(&kubelet, &serving, &e) < 0);
	CHECK_STR(str_of(e.text),
		"usages did not match [client auth digital signature key encipherment]");
}

TEST(a_kubelets_serving_certificate_names_hosts)
{
	struct cert_subject s = kubelet;
	struct err e;

	CHECK(csr_check_kubelet_serving(&s, &serving, &e) < 0);
	CHECK_STR(str_of(e.text), "DNS or IP subjectAltName is required");
	s.ips = (struct cert_list)NAMES(STR_INIT("10.0.0.1"));
	CHECK(csr_check_kubelet_serving(&s, &serving, &e) == 0);
	CHECK(csr_check_kubelet_serving(&s, &client, &e) < 0);
	s.uris = (struct cert_list)NAMES(STR_INIT("spiffe://a"));
	CHECK(csr_check_kubelet_serving(&s, &serving, &e) < 0);
	CHECK_STR(str_of(e.text), "URI subjectAltNames are not allowed");
	s.uris.len = 0;
	s.common_name = STR("a");
	CHECK(csr_check_kubelet_serving(&s, &serving, &e) < 0);
	CHECK_STR(str_of(e.text), "subject common name does not begin with system:node:");
}

TEST(a_client_certificate_is_for_clients_only)
{
	const struct str_list none = NAMES(STR_INIT("digital signature"));
	struct err e;

	CHECK(csr_check_apiserver_client(&kubelet, &client, &e) == 0);
	CHECK(csr_check_apiserver_client(&kubelet, &serving, &e) < 0);
	CHECK_STR(str_of(e.text), "invalid usage for client certificate: server auth");
	CHECK(csr_check_apiserver_client(&kubelet, &none, &e) < 0);
	CHECK_STR(str_of(e.text), "missing required usage for client certificate: client auth");
}

TEST(a_lifetime_is_asked_for_within_bounds)
{
	const int32_t short_s = 60, fitting_s = 7200, long_s = 1000000;

	CHECK(csr_lifetime_s(86400, NULL) == 86400);
	CHECK(csr_lifetime_s(86400, &short_s) == 600);
	CHECK(csr_lifetime_s(86400, &fitting_s) == 7200);
	CHECK(csr_lifetime_s(86400, &long_s) == 86400);
}

TEST(usages_that_cannot_be_certified_are_named)
{
	const struct str_list odd = NAMES(STR_INIT("client auth"), STR_INIT("netscape sgc"));
	unsigned usages = 0;
	struct err e;

	CHECK(csr_usages(&client, &usages, &e) == 0);
	CHECK(usages == (CERT_CLIENT_AUTH | CERT_DIGITAL_SIGNATURE));
	CHECK(csr_usages(&odd, &usages, &e) < 0);
	CHECK_STR(str_of(e.text), "unrecognized usage values: [\"netscape sgc\"]");
}
