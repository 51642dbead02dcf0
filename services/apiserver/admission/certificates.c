#include "apiserver/admission/plugins.h"
#include "lib/crypto/cert.h"
#include "lib/value/quote.h"

/* CertificateApproval, CertificateSigning, CertificateSubjectRestriction. */

static bool may(
	struct admission *n, const struct admission_attributes *t, const char *verb, str signer)
{
	str domain = signer;
	str names[] = {signer, arena_fmt(t->arena, "%.*s/*", STR_ARG(str_cut(&domain, '/')))};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct attributes a = {
			.user = t->user,
			.verb = str_of(verb),
			.is_resource = true,
			.group = STR("certificates.k8s.io"),
			.version = STR("*"),
			.resource = STR("signers"),
			.name = names[i],
		};

		if (authorize(n->options.authorizer, &a, NULL) == DECISION_ALLOW)
			return true;
	}
	return false;
}

int certificate_approval(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct certificates_certificate_signing_request *c = t->old;
	char signer[QUOTE_MAX];

	if (!str_eq(t->subresource, STR("approval")) || may(n, t, "approve", c->spec.signer_name))
		return 0;
	return admission_forbid(t, e, "user not permitted to approve requests with signerName %s",
		quote(signer, c->spec.signer_name));
}

static bool same_status(const struct certificates_certificate_signing_request *a,
	const struct certificates_certificate_signing_request *b)
{
	bool same = str_eq(a->status.certificate, b->status.certificate) &&
		a->status.conditions.len == b->status.conditions.len;

	for (size_t i = 0; same && i < a->status.conditions.len; i++)
		same = struct_equal(
			api_type(API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST_CONDITION),
			&a->status.conditions.at[i], &b->status.conditions.at[i]);
	return same;
}

int certificate_signing(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct certificates_certificate_signing_request *c = t->old;
	char signer[QUOTE_MAX];

	if (!str_eq(t->subresource, STR("status")) || same_status(c, t->object) ||
		may(n, t, "sign", c->spec.signer_name))
		return 0;
	return admission_forbid(t, e, "user not permitted to sign requests with signerName %s",
		quote(signer, c->spec.signer_name));
}

/* Who signs this would make a member of the group that is never asked. */
int certificate_subject_restriction(
	UNUSED struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct certificates_certificate_signing_request *c = t->object;
	struct cert_request r;
	struct err why;
	bool masters = false;

	if (!str_eq(c->spec.signer_name, STR("kubernetes.io/kube-apiserver-client")))
		return 0;
	if (cert_request_read(t->arena, c->spec.request, &r, &why) < 0)
		return admission_forbid(t, e, "failed to parse CSR: %s", why.text);
	key_drop(r.key);
	for (size_t i = 0; i < r.subject.organizations.len; i++)
		masters |= str_eq(r.subject.organizations.at[i], STR(GROUP_MASTERS));
	if (masters)
		return admission_forbid(t, e,
			"use of kubernetes.io/kube-apiserver-client signer with system:masters "
			"group is not allowed");
	return 0;
}
