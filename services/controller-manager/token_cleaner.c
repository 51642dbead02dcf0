/*
 * token-cleaner-controller: bootstrap tokens are deleted when they have ended.
 * Source: pkg/controller/bootstrap/tokencleaner.go.
 */
#include "controller-manager/bootstrap_tokens.h"
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"

static void secret_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now && bootstrap_token_is(now))
		run_enqueue(r, now);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct secret *s = pass_get(p, API_SECRET, p->ns, p->name);
	int64_t left_s;

	if (!s || !bootstrap_token_is(s))
		return 0;
	left_s = bootstrap_token_left_s(s, pass_now_ns(p) / NS_PER_S);
	if (left_s == 0)
		return pass_ignore_missing(pass_delete(p, s, e), e);
	if (left_s < INT64_MAX / NS_PER_S)
		pass_again(p, left_s * NS_PER_S);
	return 0;
}

const struct controller token_cleaner_controller = {
	.name = "token-cleaner-controller",
	.account = "token-cleaner",
	.watches = {{API_SECRET, secret_changed}},
	.works = {{"token_cleaner", 1, reconcile}},
};
