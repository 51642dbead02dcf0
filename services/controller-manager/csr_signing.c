/*
 * certificatesigningrequest-signing-controller: approved requests for Kubernetes' own four signers
 * get certificates of the cluster's CA, whose files are read anew for each.
 * Source: pkg/controller/certificates/signer, authority/policies.go.
 */
#include "controller-manager/certificates.h"
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"
#include "lib/os/file.h"

enum {
	FILE_BYTES_MAX = 1 << 20,
	BACKDATE_S = 300,
	SHORT_S = 8 * 3600, /* what lives shorter is not cut by the backdating */
};

struct signer {
	str name;
	size_t files; /* offset of its struct signing_files */
	int (*check)(const struct cert_subject *s, const struct str_list *usages, struct err *e);
};

static const struct signer signers[] = {
	{SIGNER_KUBELET_SERVING, offsetof(struct settings, signing_kubelet_serving),
		csr_check_kubelet_serving},
	{SIGNER_KUBELET_CLIENT, offsetof(struct settings, signing_kubelet_client),
		csr_check_kubelet_client},
	{SIGNER_APISERVER_CLIENT, offsetof(struct settings, signing_apiserver_client),
		csr_check_apiserver_client},
	{SIGNER_LEGACY_UNKNOWN, offsetof(struct settings, signing_legacy_unknown), NULL},
};

static const struct signing_files *files_of(const struct settings *s, const struct signer *signer)
{
	const void *own = (const char *)s + signer->files;

	return s->signing.cert.len > 0 ? &s->signing : own;
}

/* One CA for all signers, or one for each that signs. */
static int check_settings(struct controller_run *r, struct err *e)
{
	const struct settings *s = r->env.settings;

	for (size_t i = 0; i < COUNT_OF(signers); i++) {
		const struct signing_files *own = (const void *)((const char *)s +
			signers[i].files);

		if ((s->signing.cert.len > 0 || s->signing.key.len > 0) &&
			(own->cert.len > 0 || own->key.len > 0))
			return err_set(e, ERR_INVALID,
				"cannot specify --cluster-signing-{cert,key}-file and other "
				"--cluster-signing-*-file flags at the same time");
		if ((own->cert.len > 0) != (own->key.len > 0))
			return err_set(e, ERR_INVALID, "signer %.*s needs a certificate and a key",
				STR_ARG(signers[i].name));
	}
	if ((s->signing.cert.len > 0) != (s->signing.key.len > 0))
		return err_set(e, ERR_INVALID,
			"--cluster-signing-cert-file and --cluster-signing-key-file go together");
	return 0;
}

static void request_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now)
		run_enqueue(r, now);
}

static int fail(struct pass *p, const struct certificates_certificate_signing_request *r,
	const struct err *why, struct err *e)
{
	struct certificates_certificate_signing_request *next = pass_copy(p, r);
	struct certificates_certificate_signing_request_condition *c;

	c = csr_add_condition(p->arena, next, "Failed");
	c->reason = STR("SignerValidationFailure");
	c->message = arena_str(p->arena, str_of(why->text));
	c->last_update_time = pass_now(p);
	return pass_update_status(p, next, NULL, e);
}

/* `longest_s` is how long the signer lets certificates live, `end_s` when its own ends. */
static int put_times(
	struct cert_order *o, int64_t now_s, int64_t lifetime_s, int64_t end_s, struct err *e)
{
	o->not_before_s = now_s - BACKDATE_S;
	o->not_after_s = now_s + lifetime_s - (lifetime_s < SHORT_S ? 0 : BACKDATE_S);
	if (o->not_after_s > end_s)
		o->not_after_s = end_s;
	if (now_s >= end_s)
		return err_set(
			e, ERR_INVALID, "refusing to sign a certificate that expired in the past");
	return 0;
}

static int make(struct pass *p, const struct certificates_certificate_signing_request *r,
	const struct signing_files *files, struct cert_order *o, str *pem, struct err *e)
{
	const struct settings *s = pass_settings(p);
	struct cert *ca;
	struct key *ca_key;
	size_t count;
	str key_pem;

	TRY(file_read(
		p->arena, arena_str(p->arena, files->cert).at, FILE_BYTES_MAX, &o->ca_pem, e));
	TRY(file_read(p->arena, arena_str(p->arena, files->key).at, FILE_BYTES_MAX, &key_pem, e));
	TRY(cert_read(p->arena, o->ca_pem, &ca, &count, e));
	TRY(put_times(o, pass_now_ns(p) / NS_PER_S,
		csr_lifetime_s(s->signing_duration_ns / NS_PER_S, r->spec.expiration_seconds),
		ca->not_after_s, e));
	TRY(key_read_private(key_pem, &ca_key, e));
	o->ca_key = ca_key;
	int made = cert_make(p->arena, o, pem, e);

	key_drop(ca_key);
	return made;
}

static int check(const struct signer *s, const struct cert_request *asked,
	const struct certificates_certificate_signing_request *r, unsigned *usages, struct err *e)
{
	if (s->check)
		TRY(s->check(&asked->subject, &r->spec.usages, e));
	if (asked->subject.other_names)
		return err_set(e, ERR_INVALID,
			"the subject holds more than a common name, organizations and a uid, "
			"or alternative names of other kinds");
	return csr_usages(&r->spec.usages, usages, e);
}

static int sign(struct pass *p, const struct certificates_certificate_signing_request *r,
	const struct signer *s, const struct signing_files *files, struct err *e)
{
	struct certificates_certificate_signing_request *next = pass_copy(p, r);
	struct cert_request asked;
	struct cert_order o = {0};
	struct err why;
	int done;

	if (cert_request_read(p->arena, r->spec.request, &asked, e) < 0)
		return err_context(e, "unable to parse csr");
	o.subject = asked.subject;
	o.key = asked.key;
	if (check(s, &asked, r, &o.usages, &why) < 0)
		done = fail(p, r, &why, e);
	else if (make(p, r, files, &o, &next->status.certificate, e) < 0)
		done = err_context(e, "error auto signing csr");
	else
		done = pass_update_status(p, next, NULL, e);
	key_drop(asked.key);
	return done;
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct certificates_certificate_signing_request *r = pass_get(
		p, API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST, STR(""), p->name);

	if (!r || r->status.certificate.len > 0 || !csr_condition(r, STR("Approved")) ||
		csr_condition(r, STR("Denied")) || csr_condition(r, STR("Failed")))
		return 0;
	for (size_t i = 0; i < COUNT_OF(signers); i++) {
		const struct signing_files *files = files_of(pass_settings(p), &signers[i]);

		if (str_eq(signers[i].name, r->spec.signer_name) && files->cert.len > 0)
			return sign(p, r, &signers[i], files, e);
	}
	return 0;
}

const struct controller csr_signing_controller = {
	.name = "certificatesigningrequest-signing-controller",
	.account = "certificate-controller",
	.watches = {{API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST, request_changed}},
	.works = {{"csrsigning", 5, reconcile, .retry_base_ns = 200 * NS_PER_MS,
		.retry_max_ns = 1000 * NS_PER_S}},
	.open = check_settings,
};
