#include "apiserver/authorization/bootstrap_policy.h"
#include "apiserver/authorization/view.h"

/* What is to become of an object that every cluster has. */

#define AUTO_UPDATE "rbac.authorization.kubernetes.io/autoupdate"

static bool merge_texts(struct arena *a, struct str_map *into, const struct str_map *wanted);
static int merge_role(struct arena *a, struct rbac_view now, struct rbac_view wanted, bool *changed,
	struct err *e);
static bool merge_subjects(struct arena *a, struct rbac_view now, struct rbac_view wanted);

int bootstrap_reconcile(struct arena *a, const struct object *wanted, const struct object *before,
	struct object **now, bool *recreate, struct err *e)
{
	struct object *next = object_copy(a, before ? before : wanted, false);
	struct rbac_view from = rbac_view((void *)wanted), to = rbac_view(next);
	bool changed = false;

	*recreate = false;
	*now = NULL;
	if (!before) {
		*now = next;
		return 0;
	}
	if (str_eq(str_map_get(&to.meta->annotations, STR(AUTO_UPDATE)), STR("false")))
		return 0;
	if (to.role && !struct_equal(api_type(API_RBAC_ROLE_REF), to.role, from.role)) {
		*recreate = true;
		*now = object_copy(a, wanted, false);
		return 0;
	}
	changed |= merge_texts(a, &to.meta->annotations, &from.meta->annotations);
	changed |= merge_texts(a, &to.meta->labels, &from.meta->labels);
	if (to.rules)
		TRY(merge_role(a, to, from, &changed, e));
	if (to.subjects)
		changed |= merge_subjects(a, to, from);
	*now = changed ? next : NULL;
	return 0;
}

/* What is there wins. */
static bool merge_texts(struct arena *a, struct str_map *into, const struct str_map *wanted)
{
	bool changed = false;

	for (size_t i = 0; i < wanted->len; i++)
		if (!str_map_get(into, wanted->at[i].key).at) {
			str_map_set(a, into, wanted->at[i].key, wanted->at[i].value);
			changed = true;
		}
	return changed;
}

static bool has_selector(const struct rbac_aggregation_rule *r, const struct label_selector *wanted)
{
	for (size_t i = 0; i < r->cluster_role_selectors.len; i++)
		if (struct_equal(
			    api_type(API_LABEL_SELECTOR), &r->cluster_role_selectors.at[i], wanted))
			return true;
	return false;
}

static bool merge_aggregation(struct arena *a, struct rbac_view now, struct rbac_view wanted)
{
	const struct rbac_aggregation_rule *want = *wanted.aggregation;
	bool changed = false;

	if (!want) {
		changed = *now.aggregation;
		*now.aggregation = NULL;
		return changed;
	}
	if (!*now.aggregation)
		*now.aggregation = arena_get(a, sizeof(**now.aggregation));
	for (size_t i = 0; i < want->cluster_role_selectors.len; i++) {
		struct rbac_aggregation_rule *have = *now.aggregation;
		size_t len = have->cluster_role_selectors.len;

		if (has_selector(have, &want->cluster_role_selectors.at[i]))
			continue;
		struct label_selector *more = arena_get(a, (len + 1) * sizeof(*more));

		if (len > 0)
			memcpy(more, have->cluster_role_selectors.at, len * sizeof(*more));
		more[len] = want->cluster_role_selectors.at[i];
		have->cluster_role_selectors.at = more;
		have->cluster_role_selectors.len = len + 1;
		changed = true;
	}
	return changed;
}

static int merge_role(struct arena *a, struct rbac_view now, struct rbac_view wanted, bool *changed,
	struct err *e)
{
	struct rule_list have = {*now.rules, *now.rule_count};
	struct rule_list want = {*wanted.rules, *wanted.rule_count}, missing;

	TRY(rules_missing(a, have, want, &missing, e));
	if (missing.len > 0) {
		struct rbac_policy_rule *all = arena_get(
			a, (have.len + missing.len) * sizeof(*all));

		if (have.len > 0)
			memcpy(all, have.at, have.len * sizeof(*all));
		memcpy(all + have.len, missing.at, missing.len * sizeof(*all));
		*now.rules = all;
		*now.rule_count = have.len + missing.len;
		*changed = true;
	}
	if (now.aggregation)
		*changed |= merge_aggregation(a, now, wanted);
	return 0;
}

static bool merge_subjects(struct arena *a, struct rbac_view now, struct rbac_view wanted)
{
	size_t have = *now.subject_count;
	struct rbac_subject *all = arena_get(a, (have + *wanted.subject_count) * sizeof(*all) + 1);
	size_t len = have;

	if (have > 0)
		memcpy(all, *now.subjects, have * sizeof(*all));
	for (size_t i = 0; i < *wanted.subject_count; i++) {
		bool found = false;

		for (size_t j = 0; j < len && !found; j++)
			found = struct_equal(
				api_type(API_RBAC_SUBJECT), &all[j], &(*wanted.subjects)[i]);
		if (!found)
			all[len++] = (*wanted.subjects)[i];
	}
	if (len == have)
		return false;
	*now.subjects = all;
	*now.subject_count = len;
	return true;
}
