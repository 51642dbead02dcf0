#include "apiserver/admission/webhook.h"

static bool in_list(const struct str_list *l, str wanted)
{
	for (size_t i = 0; i < l->len; i++)
		if (str_eq(l->at[i], STR("*")) || str_eq(l->at[i], wanted))
			return true;
	return false;
}

str webhook_operation(enum admission_operation o)
{
	switch (o) {
	case ADMIT_CREATE: return STR("CREATE");
	case ADMIT_UPDATE: return STR("UPDATE");
	case ADMIT_DELETE: return STR("DELETE");
	case ADMIT_CONNECT: break;
	}
	return STR("CONNECT");
}

static bool is_namespace(const struct admission_attributes *t)
{
	return admission_is(t, "", "namespaces");
}

/* Namespaces themselves are of the cluster. */
static bool scope_matches(const struct admission_rule *r, const struct admission_attributes *t)
{
	bool cluster = is_namespace(t) || t->ns.len == 0;

	if (!r->scope || str_eq(*r->scope, STR("*")))
		return true;
	return str_eq(*r->scope, STR("Cluster")) == cluster;
}

static bool resource_matches(const struct str_list *wanted, str plural, str sub)
{
	for (size_t i = 0; i < wanted->len; i++) {
		str rest = wanted->at[i], resource = str_cut(&rest, '/');

		if ((str_eq(resource, STR("*")) || str_eq(resource, plural)) &&
			(str_eq(rest, STR("*")) || str_eq(rest, sub)))
			return true;
	}
	return false;
}

static bool rule_matches(const struct admission_rule_with_operations *r,
	const struct admission_attributes *t, const struct resource *as)
{
	return scope_matches(&r->rule, t) &&
		in_list(&r->operations, webhook_operation(t->operation)) &&
		in_list(&r->rule.api_groups, as->group) &&
		in_list(&r->rule.api_versions, as->version) &&
		resource_matches(&r->rule.resources, as->plural, t->subresource);
}

const struct resource *webhook_rule_match(
	const struct webhook *w, const struct admission_attributes *t)
{
	for (size_t i = 0; i < w->rule_count; i++)
		if (rule_matches(&w->rules[i], t, t->resource))
			return t->resource;
	for (size_t i = 0; w->equivalent && i < w->rule_count; i++)
		for (size_t k = 0; k < api_resource_count; k++) {
			const struct resource *other = &api_resources[k];

			if (other != t->resource && other->etcd_prefix.len > 0 &&
				str_eq(other->etcd_prefix, t->resource->etcd_prefix) &&
				rule_matches(&w->rules[i], t, other))
				return other;
		}
	return NULL;
}

static bool selects(struct arena *a, const struct label_selector *s, const void *object)
{
	struct meta_selector selector;
	const struct object_meta *m = object ? meta_of(object) : NULL;
	struct err e;

	return m && meta_selector(a, s, &selector, &e) == 0 && meta_matches(&selector, &m->labels);
}

static bool is_empty(const struct label_selector *s)
{
	return !s || (s->match_labels.len == 0 && s->match_expressions.len == 0);
}

static bool object_matches(const struct webhook *w, const struct admission_attributes *t)
{
	return is_empty(w->objects) || selects(t->arena, w->objects, t->object) ||
		selects(t->arena, w->objects, t->old);
}

static int namespace_matches(struct admission *n, const struct webhook *w,
	const struct admission_attributes *t, bool *to, struct err *e)
{
	bool own = is_namespace(t) && t->subresource.len == 0 && t->object;
	struct namespace *ns = NULL;

	*to = true;
	if ((t->ns.len == 0 && !is_namespace(t)) || is_empty(w->namespaces))
		return 0;
	str name = is_namespace(t) ? t->name : t->ns;

	if (!own) {
		TRY(admission_get(n, t, "", "namespaces", (str){NULL, 0}, name, &ns, e));
		if (!ns)
			TRY(admission_fetch(n, t, "", "namespaces", (str){NULL, 0}, name, &ns, e));
		if (!ns)
			return status_not_found(t->arena, e,
				(struct status_subject){STR(""), STR("namespaces"), name});
	}
	*to = selects(t->arena, w->namespaces, own ? t->object : ns);
	return 0;
}

int webhook_match(struct admission *n, const struct admission_attributes *t,
	const struct webhook *w, const struct resource **to, struct err *e)
{
	const struct resource *found = webhook_rule_match(w, t);
	bool matches = false;

	if (found && object_matches(w, t))
		TRY(namespace_matches(n, w, t, &matches, e));
	*to = matches ? found : NULL;
	return 0;
}

/* --- the configurations */

/* The two kinds of webhook have the same fields, but no common type. */
#define WEBHOOK_OF(arena, meta, one, nth) \
	((struct webhook){ \
		.configuration = (meta)->name, \
		.name = (one)->name, \
		.id = arena_fmt(arena, "%.*s/%.*s/%zu", STR_ARG((meta)->name), \
			STR_ARG((one)->name), (nth)), \
		.client = &(one)->client_config, \
		.rules = (one)->rules.at, \
		.rule_count = (one)->rules.len, \
		.namespaces = (one)->namespace_selector, \
		.objects = (one)->object_selector, \
		.review_versions = &(one)->admission_review_versions, \
		.timeout_s = (one)->timeout_seconds ? *(one)->timeout_seconds : 10, \
		.ignore_failures = (one)->failure_policy && \
			str_eq(*(one)->failure_policy, STR("Ignore")), \
		.equivalent = (one)->match_policy && \
			str_eq(*(one)->match_policy, STR("Equivalent")), \
		.may_dry_run = (one)->side_effects && \
			(str_eq(*(one)->side_effects, STR("None")) || \
				str_eq(*(one)->side_effects, STR("NoneOnDryRun"))), \
	})

static struct webhook *room(struct arena *a, struct webhook_list *to, size_t more)
{
	struct webhook *all = arena_get(a, (to->len + more + 1) * sizeof(*all));

	if (to->len > 0)
		memcpy(all, to->at, to->len * sizeof(*all));
	to->at = all;
	return all;
}

static void add_mutating(struct arena *a, const struct admission_mutating_webhook_configuration *c,
	struct webhook_list *to)
{
	struct webhook *all = room(a, to, c->webhooks.len);

	for (size_t i = 0; i < c->webhooks.len; i++) {
		const struct admission_mutating_webhook *w = &c->webhooks.at[i];

		all[to->len] = WEBHOOK_OF(a, &c->metadata, w, i);
		all[to->len++].reinvoke = w->reinvocation_policy &&
			str_eq(*w->reinvocation_policy, STR("IfNeeded"));
	}
}

static void add_validating(struct arena *a,
	const struct admission_validating_webhook_configuration *c, struct webhook_list *to)
{
	struct webhook *all = room(a, to, c->webhooks.len);

	for (size_t i = 0; i < c->webhooks.len; i++)
		all[to->len++] = WEBHOOK_OF(a, &c->metadata, &c->webhooks.at[i], i);
}

int webhooks_read(struct admission *n, const struct admission_attributes *t, bool mutating,
	struct webhook_list *to, struct err *e)
{
	struct admission_list all = {0};

	*to = (struct webhook_list){0};
	TRY(admission_list(n, t, "admissionregistration.k8s.io",
		mutating ? "mutatingwebhookconfigurations" : "validatingwebhookconfigurations",
		(str){NULL, 0}, &all, e));
	for (size_t i = 0; i < all.len; i++) {
		if (mutating)
			add_mutating(t->arena, all.at[i], to);
		else
			add_validating(t->arena, all.at[i], to);
	}
	return 0;
}
