/*
 * certificatesigningrequest-cleaner-controller: requests go an hour after they were decided on, a
 * day after nobody has, and when their certificate has ended.
 * Source: pkg/controller/certificates/cleaner/cleaner.go; there every hour all are looked at, here
 * each when its time is over.
 */
#include "controller-manager/certificates.h"
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"

enum { DECIDED_S = 3600, PENDING_S = 24 * 3600 };

static void request_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now)
		run_enqueue(r, now);
}

static int64_t earlier(int64_t a_s, int64_t b_s)
{
	return a_s < b_s ? a_s : b_s;
}

static int64_t end_of_certificate(struct pass *p, str pem)
{
	struct cert *all;
	struct err e;
	size_t count;

	return cert_read(p->arena, pem, &all, &count, &e) < 0 ? INT64_MAX : all->not_after_s;
}

/* When the request goes; INT64_MAX: never as it is. */
static int64_t end_of(struct pass *p, const struct certificates_certificate_signing_request *r)
{
	bool issued = r->status.certificate.len > 0;
	int64_t end_s = INT64_MAX;

	if (r->status.conditions.len == 0)
		return r->metadata.creation_timestamp.seconds + PENDING_S;
	for (size_t i = 0; i < r->status.conditions.len; i++) {
		const struct certificates_certificate_signing_request_condition *c =
			&r->status.conditions.at[i];
		bool approved = str_eq(c->type, STR("Approved"));

		if (approved && issued)
			end_s = earlier(end_s, end_of_certificate(p, r->status.certificate));
		if (!c->last_update_time.set)
			continue;
		if (approved)
			end_s = earlier(end_s,
				c->last_update_time.seconds + (issued ? DECIDED_S : PENDING_S));
		else if (str_eq(c->type, STR("Denied")) || str_eq(c->type, STR("Failed")))
			end_s = earlier(end_s, c->last_update_time.seconds + DECIDED_S);
	}
	return end_s;
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct certificates_certificate_signing_request *r = pass_get(
		p, API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST, STR(""), p->name);

	if (!r)
		return 0;
	int64_t end_s = end_of(p, r), now_s = pass_now_ns(p) / NS_PER_S;

	if (end_s < now_s)
		return pass_ignore_missing(pass_delete(p, r, e), e);
	if (end_s < INT64_MAX)
		pass_again(p, (end_s - now_s + 1) * NS_PER_S);
	return 0;
}

const struct controller csr_cleaner_controller = {
	.name = "certificatesigningrequest-cleaner-controller",
	.account = "certificate-controller",
	.watches = {{API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST, request_changed}},
	.works = {{"csrcleaner", 1, reconcile}},
};
