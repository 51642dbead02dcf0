#include "apiserver/authorization/authorizer.h"

#include "apiserver/authorization/node.h"
#include "apiserver/authorization/state.h"

#include <stdlib.h>

static enum decision decide(struct authorizer *z, enum authorization_mode mode,
	const struct attributes *t, struct buf *reason);
static int add_rules(struct authorizer *z, struct arena *a, const struct user *u, str ns,
	struct authorization_subject_rules_review_status *to, struct err *e);
static void add_everything(struct arena *a, struct authorization_subject_rules_review_status *to);
static void add_fault(
	struct arena *a, struct authorization_subject_rules_review_status *to, str fault);

int authorizer_open(const struct authorizer_options *o, struct authorizer **to, struct err *e)
{
	struct authorizer *z = calloc(1, sizeof(*z));
	struct bootstrap_policy policy;

	if (!z)
		return err_set(e, ERR_SYSTEM, "no memory for the authorizer");
	z->options = *o;
	arena_init(&z->arena, ARENA_NO_LIMIT);
	bootstrap_policy_read(&z->arena, &policy);
	z->node_rules = bootstrap_policy_rules(&policy, STR("system:node"));
	z->graph = node_graph_new();
	pthread_mutex_init(&z->lock, NULL);
	z->index = rbac_index_new(NULL, 0);
	map_init(&z->entries);
	feeds_start(z);
	*to = z;
	return 0;
}

void authorizer_close(struct authorizer *z)
{
	feeds_stop(z);
	map_each (&z->entries, n)
		counted_drop(&((struct rbac_entry *)n->value)->counted);
	map_free(&z->entries);
	rbac_index_drop(z->index);
	node_graph_free(z->graph);
	pthread_mutex_destroy(&z->lock);
	arena_free(&z->arena);
	free(z);
}

bool authorizer_ready(struct authorizer *z)
{
	return atomic_load(&z->ready);
}

/* Reasons of those without an opinion are told together, a line each; that of who decides alone. */
enum decision authorize(struct authorizer *z, const struct attributes *t, struct buf *reason)
{
	size_t start = reason ? reason->len : 0;

	if (user_in_group(t->user, STR(GROUP_MASTERS)))
		return DECISION_ALLOW;
	for (size_t i = 0; i < z->options.mode_count; i++) {
		size_t before = reason ? reason->len : 0;
		enum decision d;

		if (before > start)
			buf_add_char(reason, '\n');
		d = decide(z, z->options.modes[i], t, reason);
		if (d != DECISION_NO_OPINION) {
			if (before > start) {
				size_t own = reason->len - before - 1;

				memmove(reason->at + start, reason->at + before + 1, own);
				reason->len = start + own;
			}
			return d;
		}
		if (before > start && reason->len == before + 1)
			reason->len = before;
	}
	return DECISION_NO_OPINION;
}

struct rbac_index *authorizer_index(struct authorizer *z)
{
	pthread_mutex_lock(&z->lock);
	struct rbac_index *x = z->index;

	rbac_index_take(x);
	pthread_mutex_unlock(&z->lock);
	return x;
}

int authorizer_rules(struct authorizer *z, struct arena *a, const struct user *u, str ns,
	struct authorization_subject_rules_review_status *to, struct err *e)
{
	*to = (struct authorization_subject_rules_review_status){0};
	for (size_t i = 0; i < z->options.mode_count; i++)
		switch (z->options.modes[i]) {
		case AUTHZ_RBAC: TRY(add_rules(z, a, u, ns, to, e)); break;
		case AUTHZ_ALWAYS_ALLOW: add_everything(a, to); break;
		case AUTHZ_NODE:
			if (!node_of(u).at)
				break;
			to->incomplete = true;
			add_fault(a, to,
				STR("node authorizer does not support user rule resolution"));
			break;
		case AUTHZ_ALWAYS_DENY: break;
		}
	return 0;
}

static enum decision decide(struct authorizer *z, enum authorization_mode mode,
	const struct attributes *t, struct buf *reason)
{
	switch (mode) {
	case AUTHZ_NODE: return node_authorize(z->graph, z->node_rules, t, reason);
	case AUTHZ_ALWAYS_ALLOW: return DECISION_ALLOW;
	case AUTHZ_ALWAYS_DENY:
		if (reason)
			buf_add_str(reason, STR("Everything is forbidden."));
		return DECISION_NO_OPINION;
	case AUTHZ_RBAC: break;
	}
	struct rbac_index *x = authorizer_index(z);
	enum decision d = rbac_authorize(x, t, reason);

	rbac_index_drop(x);
	return d;
}

static struct str_list copy(struct arena *a, struct str_list l)
{
	struct str_list to = {arena_get(a, l.len * sizeof(str) + 1), 0};

	while (to.len < l.len) {
		to.at[to.len] = arena_str(a, l.at[to.len]);
		to.len++;
	}
	return to;
}

static int put_rules(struct arena *a, struct rule_list rules,
	struct authorization_subject_rules_review_status *to, struct err *e)
{
	struct authorization_resource_rule *resources = arena_try_array(
		a, to->resource_rules.len + rules.len, sizeof(*resources));
	struct authorization_non_resource_rule *urls = arena_try_array(
		a, to->non_resource_rules.len + rules.len, sizeof(*urls));

	if (!resources || !urls)
		return arena_full(a, e);
	if (to->resource_rules.len > 0)
		memcpy(resources, to->resource_rules.at,
			to->resource_rules.len * sizeof(*resources));
	if (to->non_resource_rules.len > 0)
		memcpy(urls, to->non_resource_rules.at, to->non_resource_rules.len * sizeof(*urls));
	to->resource_rules.at = resources;
	to->non_resource_rules.at = urls;
	for (size_t i = 0; i < rules.len; i++) {
		const struct rbac_policy_rule *r = &rules.at[i];

		if (r->resources.len > 0)
			resources[to->resource_rules.len++] = (struct authorization_resource_rule){
				.verbs = copy(a, r->verbs),
				.api_groups = copy(a, r->api_groups),
				.resources = copy(a, r->resources),
				.resource_names = copy(a, r->resource_names),
			};
		if (r->non_resource_urls.len > 0)
			urls[to->non_resource_rules.len++] =
				(struct authorization_non_resource_rule){
					.verbs = copy(a, r->verbs),
					.non_resource_urls = copy(a, r->non_resource_urls),
				};
	}
	return 0;
}

static int add_rules(struct authorizer *z, struct arena *a, const struct user *u, str ns,
	struct authorization_subject_rules_review_status *to, struct err *e)
{
	struct rbac_index *x = authorizer_index(z);
	struct rbac_faults faults = {.arena = a};
	struct rule_list rules;
	int result = rbac_rules_of(x, a, u, ns, &rules, &faults, e);

	if (result == 0)
		result = put_rules(a, rules, to, e);
	rbac_index_drop(x);
	if (result == 0 && faults.texts.len > 0) {
		struct buf b;

		buf_init(&b, BUF_NO_LIMIT);
		rbac_put_faults(&b, &faults);
		add_fault(a, to, arena_str(a, buf_str(&b)));
		buf_free(&b);
	}
	return result;
}

static void add_everything(struct arena *a, struct authorization_subject_rules_review_status *to)
{
	str *star = arena_get(a, sizeof(*star));

	*star = STR("*");
	struct str_list all = {star, 1};
	struct rbac_policy_rule rule = {
		.verbs = all, .api_groups = all, .resources = all, .non_resource_urls = all};
	struct err e;
	int result = put_rules(a, (struct rule_list){&rule, 1}, to, &e);

	assert(result == 0);
	(void)result;
}

static void add_fault(
	struct arena *a, struct authorization_subject_rules_review_status *to, str fault)
{
	to->evaluation_error = to->evaluation_error.len == 0
		? fault
		: arena_fmt(a, "[%.*s, %.*s]", STR_ARG(to->evaluation_error), STR_ARG(fault));
}
