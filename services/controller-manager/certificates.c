#include "controller-manager/certificates.h"

#define NODE_PREFIX STR("system:node:")
#define NODES_GROUP STR("system:nodes")

enum { LIFETIME_MIN_S = 600 };

struct usage_name {
	str name;
	unsigned usage;
};

static const struct usage_name usage_names[] = {
	{STR_INIT("signing"), CERT_DIGITAL_SIGNATURE},
	{STR_INIT("digital signature"), CERT_DIGITAL_SIGNATURE},
	{STR_INIT("key encipherment"), CERT_KEY_ENCIPHERMENT},
	{STR_INIT("cert sign"), CERT_SIGN},
	{STR_INIT("crl sign"), CERT_CRL_SIGN},
	{STR_INIT("server auth"), CERT_SERVER_AUTH},
	{STR_INIT("client auth"), CERT_CLIENT_AUTH},
};

static const str client_usages[] = {
	STR_INIT("client auth"), STR_INIT("digital signature"), STR_INIT("key encipherment")};
static const str serving_usages[] = {
	STR_INIT("digital signature"), STR_INIT("key encipherment"), STR_INIT("server auth")};

enum { KUBELET_USAGES = COUNT_OF(client_usages) };

const struct certificates_certificate_signing_request_condition *csr_condition(
	const struct certificates_certificate_signing_request *r, str type)
{
	for (size_t i = 0; i < r->status.conditions.len; i++) {
		if (str_eq(r->status.conditions.at[i].type, type))
			return &r->status.conditions.at[i];
	}
	return NULL;
}

struct certificates_certificate_signing_request_condition *csr_add_condition(
	struct arena *a, struct certificates_certificate_signing_request *r, const char *type)
{
	struct certificates_certificate_signing_request_condition *all;
	size_t len = r->status.conditions.len;

	all = arena_get(a, (len + 1) * sizeof(*all));
	if (len > 0)
		memcpy(all, r->status.conditions.at, len * sizeof(*all));
	r->status.conditions.at = all;
	r->status.conditions.len = len + 1;
	all[len].type = str_of(type);
	all[len].status = STR("True");
	return &all[len];
}

int csr_usages(const struct str_list *usages, unsigned *to, struct err *e)
{
	unsigned found = 0;

	for (size_t i = 0; i < usages->len; i++) {
		size_t n = 0;

		while (n < COUNT_OF(usage_names) && !str_eq(usages->at[i], usage_names[n].name))
			n++;
		if (n == COUNT_OF(usage_names))
			return err_set(e, ERR_INVALID, "unrecognized usage values: [\"%.*s\"]",
				STR_ARG(usages->at[i]));
		found |= usage_names[n].usage;
	}
	*to = found;
	return 0;
}

/* As sets: all of `wanted`, where key encipherment, which is RSA's, may be missing. */
static int check_usages(
	const struct str_list *usages, const str wanted[static KUBELET_USAGES], struct err *e)
{
	bool has[KUBELET_USAGES] = {false}, other = false;

	for (size_t i = 0; i < usages->len; i++) {
		size_t n = 0;

		while (n < KUBELET_USAGES && !str_eq(usages->at[i], wanted[n]))
			n++;
		if (n < KUBELET_USAGES)
			has[n] = true;
		else
			other = true;
	}
	for (size_t n = 0; n < KUBELET_USAGES && !other; n++)
		other = !has[n] && !str_eq(wanted[n], STR("key encipherment"));
	return other ? err_set(e, ERR_INVALID, "usages did not match [%.*s %.*s %.*s]",
			       STR_ARG(wanted[0]), STR_ARG(wanted[1]), STR_ARG(wanted[2]))
		     : 0;
}

static int check_organization(const struct cert_subject *s, struct err *e)
{
	if (s->organizations.len == 1 && str_eq(s->organizations.at[0], NODES_GROUP))
		return 0;
	return err_set(e, ERR_INVALID, "subject organization is not system:nodes");
}

static int check_common_name(const struct cert_subject *s, struct err *e)
{
	if (str_starts(s->common_name, NODE_PREFIX))
		return 0;
	return err_set(e, ERR_INVALID, "subject common name does not begin with system:node:");
}

static int check_none(const struct cert_list *names, const char *kind, struct err *e)
{
	if (names->len == 0)
		return 0;
	return err_set(e, ERR_INVALID, "%s subjectAltNames are not allowed", kind);
}

int csr_check_kubelet_client(
	const struct cert_subject *s, const struct str_list *usages, struct err *e)
{
	TRY(check_organization(s, e));
	TRY(check_none(&s->dns, "DNS", e));
	TRY(check_none(&s->emails, "Email", e));
	TRY(check_none(&s->ips, "IP", e));
	TRY(check_none(&s->uris, "URI", e));
	TRY(check_common_name(s, e));
	return check_usages(usages, client_usages, e);
}

int csr_check_kubelet_serving(
	const struct cert_subject *s, const struct str_list *usages, struct err *e)
{
	TRY(check_organization(s, e));
	if (s->dns.len == 0 && s->ips.len == 0)
		return err_set(e, ERR_INVALID, "DNS or IP subjectAltName is required");
	TRY(check_none(&s->emails, "Email", e));
	TRY(check_none(&s->uris, "URI", e));
	TRY(check_usages(usages, serving_usages, e));
	return check_common_name(s, e);
}

int csr_check_apiserver_client(
	UNUSED const struct cert_subject *s, const struct str_list *usages, struct err *e)
{
	bool authenticates = false;

	for (size_t i = 0; i < usages->len; i++) {
		str u = usages->at[i];
		size_t n = 0;

		while (n < COUNT_OF(client_usages) && !str_eq(u, client_usages[n]))
			n++;
		if (n == COUNT_OF(client_usages))
			return err_set(e, ERR_INVALID, "invalid usage for client certificate: %.*s",
				STR_ARG(u));
		authenticates = authenticates || str_eq(u, STR("client auth"));
	}
	if (authenticates)
		return 0;
	return err_set(
		e, ERR_INVALID, "missing required usage for client certificate: client auth");
}

int64_t csr_lifetime_s(int64_t longest_s, const int32_t *asked_s)
{
	if (!asked_s || *asked_s > longest_s)
		return longest_s;
	return *asked_s < LIFETIME_MIN_S ? LIFETIME_MIN_S : *asked_s;
}
