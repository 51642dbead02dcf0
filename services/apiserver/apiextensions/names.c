/*
 * Which names a definition gets: those that nobody else of its group has
 * (apiextensions-apiserver/pkg/controller/{status,apiapproval}).
 */
#include "apiserver/apiextensions/state.h"

#include "lib/api/meta.h"
#include "lib/structural/conditions.h"

/* What the definitions of a group hold. */
struct taken {
	struct arena *arena;
	struct map resources, kinds;
};

static void take(struct map *names, str name)
{
	if (name.len)
		map_put(names, name, names);
}

static void take_names(struct taken *t, const struct crd_custom_resource_definition_names *n)
{
	take(&t->resources, n->plural);
	take(&t->resources, n->singular);
	for (size_t i = 0; i < n->short_names.len; i++)
		take(&t->resources, n->short_names.at[i]);
	take(&t->kinds, n->kind);
	take(&t->kinds, n->list_kind);
}

static void read_taken(struct taken *t, struct extensions *x, str group)
{
	const str all = {NULL, 0};
	const struct stored *o;
	int64_t revision;
	struct snapshot *n = storage_snapshot(x->o.storage, x->resource, &revision);
	struct snapshot_walk w = snapshot_walk(n, all, all);
	struct err ignored;
	void *crd;

	while ((o = snapshot_next(&w))) {
		struct stored *copy = (struct stored *)(uintptr_t)o;

		if (!str_ends(o->name, group) || stored_decode(t->arena, copy, &crd, &ignored) < 0)
			continue;
		const struct crd_custom_resource_definition *c = object_copy(t->arena, crd, true);

		if (str_eq(c->spec.group, group))
			take_names(t, &c->status.accepted_names);
	}
	snapshot_drop(n);
}

/* One name, if it is ours already or nobody's. */
static bool accept(struct crd_custom_resource_definition_condition *c, struct arena *a,
	const struct map *taken, str wanted, str *has, const char *reason)
{
	if (str_eq(wanted, *has) || !map_get(taken, wanted)) {
		*has = wanted;
		return true;
	}
	c->status = STR("False");
	c->reason = str_of(reason);
	c->message = arena_fmt(a, "\"%.*s\" is already in use", STR_ARG(wanted));
	return false;
}

static bool has_text(const struct str_list *list, str text)
{
	for (size_t i = 0; i < list->len; i++)
		if (str_eq(list->at[i], text))
			return true;
	return false;
}

static void accept_short_names(struct crd_custom_resource_definition_condition *c, struct arena *a,
	const struct map *taken, const struct str_list *wanted, struct str_list *has)
{
	struct buf why;
	size_t count = 0;

	buf_init(&why, BUF_NO_LIMIT);
	for (size_t i = 0; i < wanted->len; i++) {
		if (has_text(has, wanted->at[i]) || !map_get(taken, wanted->at[i]))
			continue;
		buf_add_fmt(&why, "%s\"%.*s\" is already in use", count++ ? ", " : "",
			STR_ARG(wanted->at[i]));
	}
	if (count) {
		c->status = STR("False");
		c->reason = STR("ShortNamesConflict");
		c->message = arena_fmt(a, count > 1 ? "[%.*s]" : "%.*s", (int)why.len, why.at);
	} else {
		*has = *wanted;
	}
	buf_free(&why);
}

bool names_accept(struct arena *a, struct extensions *x, struct crd_custom_resource_definition *crd)
{
	struct crd_custom_resource_definition_names *has = &crd->status.accepted_names, had = *has;
	const struct crd_custom_resource_definition_names *wanted = &crd->spec.names;
	struct crd_custom_resource_definition_condition c = {.type = STR("NamesAccepted"),
		.status = STR("True"),
		.reason = STR("NoConflicts"),
		.message = STR("no conflicts found")};
	struct taken t = {.arena = a};

	map_init(&t.resources);
	map_init(&t.kinds);
	read_taken(&t, x, crd->spec.group);
	accept(&c, a, &t.resources, wanted->plural, &has->plural, "PluralConflict");
	accept(&c, a, &t.resources, wanted->singular, &has->singular, "SingularConflict");
	accept_short_names(&c, a, &t.resources, &wanted->short_names, &has->short_names);
	accept(&c, a, &t.kinds, wanted->kind, &has->kind, "KindConflict");
	accept(&c, a, &t.kinds, wanted->list_kind, &has->list_kind, "ListKindConflict");
	has->categories = wanted->categories;
	map_free(&t.resources);
	map_free(&t.kinds);

	bool changed = crd_set_condition(a, crd, x->o.clock, &c);

	changed |= !struct_equal(api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION_NAMES), &had, has);
	if (!crd_condition(crd, STR("Established")) && str_eq(c.status, STR("False")))
		changed |= crd_set_condition(a, crd, x->o.clock,
			&(struct crd_custom_resource_definition_condition){
				.type = STR("Established"),
				.status = STR("False"),
				.reason = STR("NotAccepted"),
				.message = STR("not all names are accepted")});
	return changed;
}

static bool is_protected(str group)
{
	return str_eq(group, STR("k8s.io")) || str_ends(group, STR(".k8s.io")) ||
		str_eq(group, STR("kubernetes.io")) || str_ends(group, STR(".kubernetes.io"));
}

bool approval_check(
	struct arena *a, const struct clock *clock, struct crd_custom_resource_definition *crd)
{
	const str key = STR("api-approved.kubernetes.io");
	str value = str_map_get(&crd->metadata.annotations, key);
	struct crd_custom_resource_definition_condition c = {
		.type = STR("KubernetesAPIApprovalPolicyConformant"), .status = STR("False")};

	if (!is_protected(crd->spec.group))
		return false;
	if (!value.len) {
		c.reason = STR("MissingAnnotation");
		c.message = STR("protected groups must have approval annotation "
				"\"api-approved.kubernetes.io\", see "
				"https://github.com/kubernetes/enhancements/pull/1111");
	} else if (str_starts(value, STR("https://")) || str_starts(value, STR("http://"))) {
		c.status = STR("True");
		c.reason = STR("ApprovedAnnotation");
		c.message = arena_fmt(a, "approved in %.*s", STR_ARG(value));
	} else if (str_starts(value, STR("unapproved"))) {
		c.reason = STR("UnapprovedAnnotation");
		c.message = arena_fmt(a, "not approved: \"%.*s\"", STR_ARG(value));
	} else {
		c.reason = STR("InvalidAnnotation");
		c.message = arena_fmt(a,
			"protected groups must have approval annotation "
			"\"api-approved.kubernetes.io\" with either a URL or a reason starting "
			"with \"unapproved\", see "
			"https://github.com/kubernetes/enhancements/pull/1111");
	}
	return crd_set_condition(a, crd, clock, &c);
}
