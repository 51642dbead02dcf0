/*
 * serviceaccount-controller: every active namespace has the service account "default".
 * Source: pkg/controller/serviceaccount/serviceaccounts_controller.go.
 */
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"

#define DEFAULT_ACCOUNT STR("default")

static void namespace_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now)
		run_enqueue(r, now);
}

static void account_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct object_meta *m = before ? meta_of(before) : NULL;

	if (!now && str_eq(m->name, DEFAULT_ACCOUNT))
		run_enqueue_name(r, STR(""), m->namespace);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct namespace *ns = pass_get(p, API_NAMESPACE, STR(""), p->name);

	if (!ns || !str_eq(ns->status.phase, STR("Active")) ||
		pass_get(p, API_SERVICE_ACCOUNT, p->name, DEFAULT_ACCOUNT))
		return 0;
	const struct service_account *made = pass_new(
		p, API_SERVICE_ACCOUNT, p->name, DEFAULT_ACCOUNT);

	if (pass_create(p, made, NULL, e) == 0 || e->kind == ERR_EXISTS ||
		client_has_cause(e, STR("NamespaceTerminating")))
		return 0;
	return -1;
}

const struct controller serviceaccount_controller = {
	.name = "serviceaccount-controller",
	.account = "service-account-controller",
	.watches = {{API_NAMESPACE, namespace_changed}, {API_SERVICE_ACCOUNT, account_changed}},
	.works = {{"serviceaccount", 1, reconcile}},
};
