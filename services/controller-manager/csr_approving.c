/*
 * certificatesigningrequest-approving-controller: requests of kubelets for client certificates are
 * approved when whoever asks may ask so, which a SubjectAccessReview tells.
 * Source: pkg/controller/certificates/approver/sarapprove.go.
 */
#include "controller-manager/certificates.h"
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"

struct recognizer {
	const char *subresource, *message;
	bool self; /* only for the name of who asks */
};

static const struct recognizer recognizers[] = {
	{"selfnodeclient",
		"Auto approving self kubelet client certificate after SubjectAccessReview.", true},
	{"nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.",
		false},
};

static void request_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now)
		run_enqueue(r, now);
}

/* Whether the request is one of a kubelet for a client certificate; its name then. */
static int recognize(struct pass *p, const struct certificates_certificate_signing_request *r,
	bool *is_kubelet, str *common_name, struct err *e)
{
	struct cert_request asked;
	struct err why;

	if (cert_request_read(p->arena, r->spec.request, &asked, e) < 0)
		return err_context(e, "unable to parse csr");
	key_drop(asked.key);
	*is_kubelet = str_eq(r->spec.signer_name, (str)SIGNER_KUBELET_CLIENT) &&
		!asked.subject.other_names &&
		csr_check_kubelet_client(&asked.subject, &r->spec.usages, &why) == 0;
	*common_name = asked.subject.common_name;
	return 0;
}

static int review(struct pass *p, const struct certificates_certificate_signing_request *r,
	const char *subresource, bool *allowed, struct err *e)
{
	struct authorization_subject_access_review *asked = pass_new(
		p, API_AUTHORIZATION_SUBJECT_ACCESS_REVIEW, STR(""), STR(""));
	struct authorization_resource_attributes *what = arena_get(p->arena, sizeof(*what));
	size_t extras = r->spec.extra.len;
	void *answer;

	*what = (struct authorization_resource_attributes){.group = STR("certificates.k8s.io"),
		.version = STR("*"),
		.resource = STR("certificatesigningrequests"),
		.verb = STR("create"),
		.subresource = str_of(subresource)};
	asked->spec.user = r->spec.username;
	asked->spec.uid = r->spec.uid;
	asked->spec.groups = r->spec.groups;
	asked->spec.extra.at = arena_get(p->arena, extras * sizeof(*asked->spec.extra.at) + 1);
	asked->spec.extra.len = extras;
	for (size_t i = 0; i < extras; i++) {
		asked->spec.extra.at[i].key = r->spec.extra.at[i].key;
		asked->spec.extra.at[i].value.items = r->spec.extra.at[i].value.items;
	}
	asked->spec.resource_attributes = what;
	TRY(pass_create(p, asked, &answer, e));
	*allowed = ((const struct authorization_subject_access_review *)answer)->status.allowed;
	return 0;
}

static int approve(struct pass *p, const struct certificates_certificate_signing_request *r,
	const char *message, struct err *e)
{
	struct certificates_certificate_signing_request *next = pass_copy(p, r);
	struct certificates_certificate_signing_request_condition *c;
	struct target t = target_of(r);

	c = csr_add_condition(p->arena, next, "Approved");
	c->reason = STR("AutoApproved");
	c->message = str_of(message);
	t.sub = STR("approval");
	return client_update(p->run->env.client, p->arena, t, next, NULL, e);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct certificates_certificate_signing_request *r = pass_get(
		p, API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST, STR(""), p->name);
	bool is_kubelet;
	str name;

	if (!r || r->status.certificate.len > 0 || csr_condition(r, STR("Approved")) ||
		csr_condition(r, STR("Denied")))
		return 0;
	TRY(recognize(p, r, &is_kubelet, &name, e));
	if (!is_kubelet)
		return 0;
	for (size_t i = 0; i < COUNT_OF(recognizers); i++) {
		bool allowed;

		if (recognizers[i].self && !str_eq(name, r->spec.username))
			continue;
		TRY(review(p, r, recognizers[i].subresource, &allowed, e));
		if (allowed)
			return approve(p, r, recognizers[i].message, e);
	}
	return err_set(e, ERR_FORBIDDEN,
		"recognized csr \"%.*s\" as [%snodeclient] but subject access review was not "
		"approved",
		STR_ARG(p->name), str_eq(name, r->spec.username) ? "selfnodeclient " : "");
}

const struct controller csr_approving_controller = {
	.name = "certificatesigningrequest-approving-controller",
	.account = "certificate-controller",
	.watches = {{API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST, request_changed}},
	.works = {{"csrapproving", 5, reconcile, .retry_base_ns = 200 * NS_PER_MS,
		.retry_max_ns = 1000 * NS_PER_S}},
};
