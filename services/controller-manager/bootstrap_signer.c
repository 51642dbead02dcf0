/*
 * bootstrap-signer-controller: kube-public/cluster-info, by which joining nodes learn of the
 * cluster, is signed by every bootstrap token that may sign.
 * Source: pkg/controller/bootstrap/bootstrapsigner.go.
 */
#include "controller-manager/bootstrap_tokens.h"
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"

#define PUBLIC_NAMESPACE STR("kube-public")
#define CLUSTER_INFO     STR("cluster-info")
#define SIGNATURE_PREFIX STR("jws-kubeconfig-")

static void wake(struct controller_run *r)
{
	run_enqueue_name(r, PUBLIC_NAMESPACE, CLUSTER_INFO);
}

static void config_map_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	const struct config_map *c = now;

	if (c && str_eq(c->metadata.name, CLUSTER_INFO) &&
		str_eq(c->metadata.namespace, PUBLIC_NAMESPACE))
		wake(r);
}

static void secret_changed(struct controller_run *r, const void *before, const void *now)
{
	if ((before && bootstrap_token_is(before)) || (now && bootstrap_token_is(now)))
		wake(r);
}

/* All entries but the signatures. */
static void keep_others(struct arena *a, const struct str_map *from, struct str_map *to)
{
	*to = (struct str_map){NULL, 0};
	for (size_t i = 0; i < from->len; i++) {
		if (!str_starts(from->at[i].key, SIGNATURE_PREFIX))
			str_map_set(a, to, from->at[i].key, from->at[i].value);
	}
}

static void sign(struct pass *p, str content, struct str_map *to)
{
	int64_t now_s = pass_now_ns(p) / NS_PER_S;
	struct view_walk all = pass_list(p, API_SECRET, BOOTSTRAP_NAMESPACE);
	str id, secret;

	view_each(const struct secret *, s, &all)
	{
		if (!bootstrap_token_is(s) || !bootstrap_token_signs(s, now_s, &id, &secret))
			continue;
		str key = arena_fmt(p->arena, "jws-kubeconfig-%.*s", STR_ARG(id));

		str_map_set(p->arena, to, key,
			bootstrap_token_signature(p->arena, content, id, secret));
	}
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct config_map *seen = pass_get(p, API_CONFIG_MAP, p->ns, p->name);
	str content = seen ? str_map_get(&seen->data, STR("kubeconfig")) : (str){NULL, 0};

	if (!content.at)
		return 0;
	struct config_map *next = pass_copy(p, seen);

	keep_others(p->arena, &seen->data, &next->data);
	sign(p, content, &next->data);
	return object_equal(seen, next) ? 0 : pass_update(p, next, NULL, e);
}

const struct controller bootstrap_signer_controller = {
	.name = "bootstrap-signer-controller",
	.account = "bootstrap-signer",
	.watches = {{API_CONFIG_MAP, config_map_changed}, {API_SECRET, secret_changed}},
	.works = {{"bootstrap_signer_queue", 1, reconcile}},
};
