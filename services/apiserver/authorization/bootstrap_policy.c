#include "apiserver/authorization/bootstrap_policy.h"

#include "apiserver/authorization/view.h"

/* The texts as objects. */

#define RBAC_GROUP   "rbac.authorization.k8s.io"
#define AUTO_UPDATE  "rbac.authorization.kubernetes.io/autoupdate"
#define LABEL_PREFIX RBAC_GROUP "/"

static void read_lines(struct arena *a, const char *text, struct bootstrap_policy *to);
static struct object *read_role(struct arena *a, str words);
static struct object *read_binding(struct arena *a, str words);
static void add_rule(struct arena *a, struct object *role, str words);

void bootstrap_policy_read(struct arena *a, struct bootstrap_policy *to)
{
	*to = (struct bootstrap_policy){0};
	read_lines(a, bootstrap_roles, to);
	read_lines(a, bootstrap_controller_roles, to);
	read_lines(a, bootstrap_bindings, to);
}

struct rule_list bootstrap_policy_rules(const struct bootstrap_policy *p, str name)
{
	for (size_t i = 0; i < p->len; i++) {
		const struct rbac_cluster_role *r = (const void *)p->at[i];

		if (p->at[i]->type == api_type(API_RBAC_CLUSTER_ROLE) &&
			str_eq(r->metadata.name, name))
			return (struct rule_list){r->rules.at, r->rules.len};
	}
	return (struct rule_list){NULL, 0};
}

static void *grow(struct arena *a, void **at, size_t *len, size_t *cap, size_t size)
{
	int grown = arena_grow(a, at, *len, cap, size);

	assert(grown == 0);
	(void)grown;
	return (char *)*at + (*len)++ * size;
}

static void read_lines(struct arena *a, const char *text, struct bootstrap_policy *to)
{
	struct object *last = NULL;

	for (str rest = str_of(text); rest.len > 0;) {
		str line = str_cut(&rest, '\n');

		if (line.at[0] == ' ') {
			add_rule(a, last, str_slice(line, 1, line.len));
			continue;
		}
		str words = line, kind = str_cut(&words, ' ');
		void *at = to->at;
		bool role = str_eq(kind, STR("role"));

		last = role ? read_role(a, words) : read_binding(a, words);
		struct object **place = grow(a, &at, &to->len, &to->cap, sizeof(struct object *));

		*place = last;
		to->at = at;
	}
}

/* What stands behind "key=" if the word begins so; else absent. */
static str value_of(str word, const char *key)
{
	str k = str_of(key);

	return str_starts(word, k) ? str_slice(word, k.len, word.len) : (str){NULL, 0};
}

static void fill_meta(struct arena *a, struct object_meta *m, str full_name)
{
	str name = full_name, ns = str_cut(&name, '/');

	m->name = name.at ? name : full_name;
	if (name.at)
		m->namespace = ns;
	str_map_set(a, &m->labels, STR("kubernetes.io/bootstrapping"), STR("rbac-defaults"));
	str_map_set(a, &m->annotations, STR(AUTO_UPDATE), STR("true"));
}

static str label_of(struct arena *a, str word)
{
	return arena_fmt(a, LABEL_PREFIX "%.*s", STR_ARG(word));
}

static struct rbac_aggregation_rule *aggregation_of(struct arena *a, str label)
{
	struct rbac_aggregation_rule *rule = arena_get(a, sizeof(*rule));

	rule->cluster_role_selectors.at = arena_get(a, sizeof(*rule->cluster_role_selectors.at));
	rule->cluster_role_selectors.len = 1;
	str_map_set(
		a, &rule->cluster_role_selectors.at->match_labels, label_of(a, label), STR("true"));
	return rule;
}

static struct object *read_role(struct arena *a, str words)
{
	str name = str_cut(&words, ' ');
	bool cluster = str_find_char(name, '/') < 0;
	struct object *o = object_new(a, api_type(cluster ? API_RBAC_CLUSTER_ROLE : API_RBAC_ROLE));
	struct rbac_view v = rbac_view(o);

	fill_meta(a, v.meta, name);
	while (words.at) {
		str word = str_cut(&words, ' '), is = value_of(word, "is=");

		if (is.at)
			str_map_set(a, &v.meta->labels, label_of(a, is), STR("true"));
		else
			*v.aggregation = aggregation_of(a, value_of(word, "of="));
	}
	return o;
}

static struct str_list split(struct arena *a, str text)
{
	struct str_list l = {NULL, 0};
	size_t cap = 0;

	while (text.at) {
		void *at = l.at;
		str one = str_cut(&text, ',');
		str *place = grow(a, &at, &l.len, &cap, sizeof(str));

		*place = str_eq(one, STR("\"\"")) ? STR("") : one;
		l.at = at;
	}
	return l;
}

static void add_rule(struct arena *a, struct object *role, str words)
{
	struct rbac_view v = rbac_view(role);
	size_t cap = *v.rule_count;
	void *at = *v.rules;
	struct rbac_policy_rule *rule = grow(a, &at, v.rule_count, &cap, sizeof(*rule));
	struct str_list verbs = split(a, str_cut(&words, ' '));
	struct str_list second = split(a, str_cut(&words, ' '));

	*v.rules = at;
	*rule = (struct rbac_policy_rule){.verbs = verbs};
	if (!words.at) {
		rule->non_resource_urls = second;
		return;
	}
	rule->api_groups = second;
	rule->resources = split(a, str_cut(&words, ' '));
	rule->resource_names = split(a, words);
}

static struct rbac_subject read_subject(str word)
{
	str value = word, key = str_cut(&value, '=');

	if (str_eq(key, STR("account"))) {
		str name = value, ns = str_cut(&name, '/');

		return (struct rbac_subject){
			.kind = STR("ServiceAccount"), .namespace = ns, .name = name};
	}
	return (struct rbac_subject){
		.kind = str_eq(key, STR("user")) ? STR("User") : STR("Group"),
		.api_group = STR(RBAC_GROUP),
		.name = value,
	};
}

static struct object *read_binding(struct arena *a, str words)
{
	str name = str_cut(&words, ' '), role = str_cut(&words, ' ');
	str in_namespace = value_of(role, "Role:");
	bool cluster = str_find_char(name, '/') < 0;
	struct object *o = object_new(
		a, api_type(cluster ? API_RBAC_CLUSTER_ROLE_BINDING : API_RBAC_ROLE_BINDING));
	struct rbac_view v = rbac_view(o);
	size_t cap = 0;

	fill_meta(a, v.meta, name);
	*v.role = (struct rbac_role_ref){
		.api_group = STR(RBAC_GROUP),
		.kind = in_namespace.at ? STR("Role") : STR("ClusterRole"),
		.name = in_namespace.at ? in_namespace : role,
	};
	while (words.at) {
		void *at = *v.subjects;
		struct rbac_subject *s = grow(a, &at, v.subject_count, &cap, sizeof(*s));

		*s = read_subject(str_cut(&words, ' '));
		*v.subjects = at;
	}
	return o;
}
