/*
 * MutatingAdmissionWebhook and ValidatingAdmissionWebhook: the former are asked one after another,
 * each about what those before it left, the latter all at once. What a mutating one changes may
 * need other plugins to look again (admission.c), and webhooks that asked for that.
 */
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/webhook.h"
#include "lib/base/log.h"
#include "lib/schema/object_tree.h"
#include "lib/schema/patch.h"

/* Webhooks are not asked about what configures them. */
static bool is_exempt(const struct admission_attributes *t)
{
	return str_eq(t->resource->group, STR("admissionregistration.k8s.io"));
}

static bool is_among(const struct str_list *l, str id)
{
	for (size_t i = 0; i < l->len; i++)
		if (str_eq(l->at[i], id))
			return true;
	return false;
}

static void add_id(struct arena *a, struct str_list *l, size_t *cap, str id)
{
	void *at = l->at;

	if (is_among(l, id) || arena_grow(a, &at, l->len, cap, sizeof(str)) < 0)
		return;
	l->at = at;
	l->at[l->len++] = id;
}

/* Those of before that want to know of changes are called anew. */
static void require_again(struct arena *a, struct webhook_round *r)
{
	for (size_t i = 0; i < r->invoked.len; i++)
		add_id(a, &r->again, &r->again_cap, r->invoked.at[i]);
	r->invoked.len = 0;
}

/* --- one call */

struct asking {
	struct webhook_review review;
	struct callout callout;
	struct err error; /* why it was not even asked */
	bool asked;
};

static struct callout_target target_of(const struct admission_webhook_client_config *c)
{
	const struct admission_service_reference *s = c->service;

	if (c->url || !s)
		return (struct callout_target){
			.url = c->url ? *c->url : STR(""), .ca_pem = c->ca_bundle};
	return (struct callout_target){.service_ns = s->namespace,
		.service_name = s->name,
		.service_path = s->path ? *s->path : STR(""),
		.service_port = s->port ? *s->port : 0,
		.ca_pem = c->ca_bundle};
}

static void start(struct admission *n, const struct admission_attributes *t, struct asking *k)
{
	const struct callout_target target = target_of(k->review.webhook->client);

	k->asked = webhook_review_make(n, t, &k->review, &k->error) == 0;
	if (!k->asked)
		return;
	k->callout.body = k->review.body;
	k->callout.timeout_ns = k->review.webhook->timeout_s * NS_PER_S;
	callout_start(n->options.callouts, &target, &k->callout);
}

/* ERR_FORBIDDEN is never among the faults: a webhook that answers at all has answered. */
static int await(const struct admission_attributes *t, struct asking *k, bool mutating,
	struct admission_response **to, struct err *e)
{
	if (!k->asked) {
		*e = k->error;
		return -1;
	}
	int result = callout_wait(&k->callout, e);
	str answer = arena_str(t->arena, buf_str(&k->callout.answer));

	buf_free(&k->callout.answer);
	if (result < 0)
		return err_context(e, "failed to call webhook");
	return webhook_review_read(t->arena, &k->review, mutating, answer, to, e);
}

/* What a webhook's failure comes to: nothing, where it is to be ignored. */
static int judge_failure(const struct admission_attributes *t, const struct webhook *w,
	const struct err *why, struct err *e)
{
	if (w->ignore_failures) {
		log_warning("Failed calling webhook, failing open %.*s: %s", STR_ARG(w->name),
			why->text);
		return 0;
	}
	str text = arena_fmt(
		t->arena, "failed calling webhook \"%.*s\": %s", STR_ARG(w->name), why->text);

	status_fail(
		t->arena, e, STATUS_INTERNAL_ERROR, "Internal error occurred: %.*s", STR_ARG(text));
	status_add_cause(t->arena, e, (str){NULL, 0}, text, (str){NULL, 0});
	return -1;
}

static int check_dry_run(
	const struct admission_attributes *t, const struct webhook *w, struct err *e)
{
	if (!t->dry_run || w->may_dry_run)
		return 0;
	return status_fail(t->arena, e, STATUS_BAD_REQUEST,
		"admission webhook \"%.*s\" does not support dry run", STR_ARG(w->name));
}

static int judge(const struct admission_attributes *t, const struct webhook *w,
	const struct admission_response *s, struct err *e)
{
	for (size_t i = 0; i < s->warnings.len; i++)
		warnings_add(t->warnings, "%.*s", STR_ARG(s->warnings.at[i]));
	return s->allowed ? 0 : webhook_denied(t->arena, w, s->status, e);
}

/* --- mutating */

static int apply_patch(struct arena *a, const void *object, str patch, void **to, struct err *e)
{
	struct tree *target, *change, *result;

	TRY(object_tree(a, object, &target, e));
	TRY(tree_read(a, patch, &change, e));
	TRY(patch_json(a, target, change, &result, e));
	return object_of_tree(a, object_type(object), result, to, e);
}

static int take_patch(struct admission_attributes *t, const struct webhook *w, str patch,
	bool *changed, struct err *e)
{
	struct err why;
	void *next;

	if (!t->object)
		return status_fail(t->arena, e, STATUS_INTERNAL_ERROR,
			"Internal error occurred: admission webhook \"%.*s\" attempted to modify "
			"the object, which is not supported for this operation",
			STR_ARG(w->name));
	if (apply_patch(t->arena, t->object, patch, &next, &why) < 0)
		return status_fail(t->arena, e, STATUS_INTERNAL_ERROR,
			"Internal error occurred: %s", why.text);
	*(struct object *)next = *(const struct object *)t->object;
	object_default(t->arena, next);
	*changed = !object_equal(t->object, next);
	t->object = next;
	return 0;
}

static int call_mutating(struct admission *n, struct admission_attributes *t,
	const struct webhook *w, const struct resource *as, bool *changed, struct err *e)
{
	struct asking k = {.review = {.webhook = w, .resource = as}};
	struct admission_response *s;
	struct err why;

	TRY(check_dry_run(t, w, e));
	start(n, t, &k);
	if (await(t, &k, true, &s, &why) < 0)
		return judge_failure(t, w, &why, e);
	TRY(judge(t, w, s, e));
	return s->patch.len > 0 ? take_patch(t, w, s->patch, changed, e) : 0;
}

/* One of the first pass, or one that is called anew. */
static int pass_by(
	struct admission *n, struct admission_attributes *t, const struct webhook *w, struct err *e)
{
	struct webhook_round *r = &t->round->webhooks;
	const struct resource *as;
	bool changed = false;

	TRY(webhook_match(n, t, w, &as, e));
	if (!as || (t->round->again && !is_among(&r->again, w->id)))
		return 0;
	int result = call_mutating(n, t, w, as, &changed, e);

	if (changed) {
		require_again(t->arena, r);
		t->round->wanted = true;
	}
	if (w->reinvoke)
		add_id(t->arena, &r->invoked, &r->invoked_cap, w->id);
	return result;
}

int mutating_webhooks(struct admission *n, struct admission_attributes *t, struct err *e)
{
	struct webhook_round *r = &t->round->webhooks;
	struct webhook_list all;

	if (is_exempt(t))
		return 0;
	TRY(webhooks_read(n, t, true, &all, e));
	if (t->round->again && r->last && t->object && !object_equal(r->last, t->object))
		require_again(t->arena, r);
	for (size_t i = 0; i < all.len; i++)
		TRY(pass_by(n, t, &all.at[i], e));
	if (r->invoked.len > 0 && t->object)
		r->last = object_copy(t->arena, t->object, false);
	return 0;
}

/* --- validating */

int validating_webhooks(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	struct webhook_list all;
	struct asking *asked;
	size_t count = 0;
	int result = 0;

	if (is_exempt(t))
		return 0;
	TRY(webhooks_read(n, t, false, &all, e));
	asked = arena_get(t->arena, all.len * sizeof(*asked) + 1);
	for (size_t i = 0; i < all.len; i++) {
		const struct resource *as;

		TRY(webhook_match(n, t, &all.at[i], &as, e));
		if (!as)
			continue;
		TRY(check_dry_run(t, &all.at[i], e));
		asked[count++].review = (struct webhook_review){
			.webhook = &all.at[i], .resource = as};
	}
	for (size_t i = 0; i < count; i++)
		start(n, t, &asked[i]);
	for (size_t i = 0; i < count; i++) {
		const struct webhook *w = asked[i].review.webhook;
		struct admission_response *s;
		struct err why, refused;
		int one = await(t, &asked[i], false, &s, &why) < 0
			? judge_failure(t, w, &why, &refused)
			: judge(t, w, s, &refused);

		if (one < 0 && result == 0) {
			result = -1;
			*e = refused;
		}
	}
	return result;
}
