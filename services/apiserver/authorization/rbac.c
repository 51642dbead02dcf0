#include "apiserver/authorization/rbac.h"

#include "apiserver/authorization/view.h"
#include "lib/base/map.h"
#include "lib/value/quote.h"

#include <stdlib.h>

/* A subject of a binding; those of one key are a list. */
struct grant {
	const struct rbac_entry *binding;
	const struct rbac_subject *subject;
	struct grant *next;
};

struct rbac_index {
	struct counted counted;
	struct arena arena;
	struct map roles; /* entries by "ns/name" or "/name" */
	struct map
		grants; /* lists by "ns/U:name" or "/G:name": users with service accounts, groups */
	struct rbac_entry **entries;
	size_t count;
};

/* What is done with each rule; false ends the walk. */
struct rule_walk {
	bool (*rule)(struct rule_walk *w, const struct grant *g, const struct rbac_policy_rule *r);
	const struct rbac_index *index;
	const struct user *user;
	struct rbac_faults *faults; /* may be NULL */
};

static void add_grants(struct rbac_index *x, const struct rbac_entry *binding);
static str key_of(struct arena *a, str ns, const char *mark, str name);
static bool walk_scope(struct rule_walk *w, str ns);
static void destroy(struct counted *c);
static void destroy_entry(struct counted *c);

struct rbac_entry *rbac_entry_new(const void *object)
{
	struct rbac_entry *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	counted_init(&n->counted, destroy_entry);
	arena_init(&n->arena, ARENA_NO_LIMIT);
	struct rbac_view v = rbac_view(object_copy(&n->arena, object, true));

	n->ns = v.meta->namespace;
	n->name = v.meta->name;
	n->is_role = v.rules;
	if (v.rules)
		n->rules = (struct rule_list){*v.rules, *v.rule_count};
	if (v.subjects) {
		n->subjects = *v.subjects;
		n->subject_count = *v.subject_count;
		n->role = *v.role;
	}
	return n;
}

struct rbac_index *rbac_index_new(struct rbac_entry *const *entries, size_t count)
{
	struct rbac_index *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	counted_init(&x->counted, destroy);
	arena_init(&x->arena, ARENA_NO_LIMIT);
	map_init(&x->roles);
	map_init(&x->grants);
	x->entries = arena_get(&x->arena, count * sizeof(struct rbac_entry *) + 1);
	for (; x->count < count; x->count++) {
		struct rbac_entry *n = entries[x->count];

		counted_take(&n->counted);
		x->entries[x->count] = n;
		if (n->is_role)
			map_put(&x->roles, key_of(&x->arena, n->ns, "", n->name), n);
		else
			add_grants(x, n);
	}
	return x;
}

void rbac_index_take(struct rbac_index *x)
{
	counted_take(&x->counted);
}

void rbac_index_drop(struct rbac_index *x)
{
	if (x)
		counted_drop(&x->counted);
}

struct authorize_walk {
	struct rule_walk walk;
	const struct attributes *attributes;
	const struct grant *allowed_by;
};

static bool stop_when_allowed(
	struct rule_walk *w, const struct grant *g, const struct rbac_policy_rule *r)
{
	struct authorize_walk *z = CONTAINER_OF(w, struct authorize_walk, walk);

	if (!rule_allows(r, z->attributes))
		return true;
	z->allowed_by = g;
	return false;
}

/* RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to User "z" */
static void put_reason(struct buf *b, const struct grant *g)
{
	const struct rbac_entry *n = g->binding;
	const struct rbac_subject *s = g->subject;
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	buf_add_fmt(b, "RBAC: allowed by %s ", n->ns.len ? "RoleBinding" : "ClusterRoleBinding");
	quote_put(b,
		n->ns.len ? arena_fmt(&a, "%.*s/%.*s", STR_ARG(n->name), STR_ARG(n->ns)) : n->name);
	buf_add_fmt(b, " of %.*s ", STR_ARG(n->role.kind));
	quote_put(b, n->role.name);
	buf_add_fmt(b, " to %.*s ", STR_ARG(s->kind));
	if (str_eq(s->kind, STR("ServiceAccount"))) {
		str ns = s->namespace.len ? s->namespace : n->ns;

		quote_put(b, arena_fmt(&a, "%.*s/%.*s", STR_ARG(s->name), STR_ARG(ns)));
	} else {
		quote_put(b, s->name);
	}
	arena_free(&a);
}

enum decision rbac_authorize(
	const struct rbac_index *x, const struct attributes *t, struct buf *reason)
{
	struct arena a;
	struct rbac_faults faults = {.arena = &a};
	struct authorize_walk z = {
		.walk = {stop_when_allowed, x, t->user, reason ? &faults : NULL},
		.attributes = t,
	};

	arena_init(&a, ARENA_NO_LIMIT);
	if (walk_scope(&z.walk, STR("")) && t->ns.len > 0)
		walk_scope(&z.walk, t->ns);
	if (reason && z.allowed_by) {
		put_reason(reason, z.allowed_by);
	} else if (reason && faults.texts.len > 0) {
		buf_add_str(reason, STR("RBAC: "));
		rbac_put_faults(reason, &faults);
	}
	arena_free(&a);
	return z.allowed_by ? DECISION_ALLOW : DECISION_NO_OPINION;
}

struct collect_walk {
	struct rule_walk walk;
	struct arena *arena;
	struct rbac_policy_rule *rules;
	size_t len, cap;
	bool full;
};

static bool collect(
	struct rule_walk *w, UNUSED const struct grant *g, const struct rbac_policy_rule *r)
{
	struct collect_walk *c = CONTAINER_OF(w, struct collect_walk, walk);
	void *at = c->rules;

	c->full = arena_grow(c->arena, &at, c->len, &c->cap, sizeof(*r)) < 0;
	if (c->full)
		return false;
	c->rules = at;
	c->rules[c->len++] = *r;
	return true;
}

int rbac_rules_of(const struct rbac_index *x, struct arena *a, const struct user *u, str ns,
	struct rule_list *to, struct rbac_faults *faults, struct err *e)
{
	struct collect_walk c = {.walk = {collect, x, u, faults}, .arena = a};

	if (walk_scope(&c.walk, STR("")) && ns.len > 0)
		walk_scope(&c.walk, ns);
	if (c.full)
		return arena_full(a, e);
	*to = (struct rule_list){c.rules, c.len};
	return 0;
}

const struct rbac_entry *rbac_role_of(
	const struct rbac_index *x, const struct rbac_role_ref *ref, str ns)
{
	bool cluster = str_eq(ref->kind, STR("ClusterRole"));
	const struct rbac_entry *found = NULL;
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	if (cluster || str_eq(ref->kind, STR("Role")))
		found = map_get(&x->roles, key_of(&a, cluster ? STR("") : ns, "", ref->name));
	arena_free(&a);
	return found;
}

void rbac_put_missing_role(struct buf *b, const struct rbac_role_ref *ref)
{
	bool cluster = str_eq(ref->kind, STR("ClusterRole"));

	if (!cluster && !str_eq(ref->kind, STR("Role"))) {
		buf_add_str(b, STR("unsupported role reference kind: "));
		quote_put(b, ref->kind);
		return;
	}
	buf_add_fmt(b, "%s.rbac.authorization.k8s.io ", cluster ? "clusterrole" : "role");
	quote_put(b, ref->name);
	buf_add_str(b, STR(" not found"));
}

static str key_of(struct arena *a, str ns, const char *mark, str name)
{
	return arena_fmt(a, "%.*s/%s%.*s", STR_ARG(ns), mark, STR_ARG(name));
}

/* The key under which a user is looked up whom the subject names; absent for a subject that names
 * nobody. */
static str subject_key(struct arena *a, const struct rbac_entry *n, const struct rbac_subject *s)
{
	if (str_eq(s->kind, STR("User")))
		return key_of(a, n->ns, "U:", s->name);
	if (str_eq(s->kind, STR("Group")))
		return key_of(a, n->ns, "G:", s->name);
	str ns = s->namespace.len ? s->namespace : n->ns;

	if (!str_eq(s->kind, STR("ServiceAccount")) || ns.len == 0)
		return (str){NULL, 0};
	return key_of(a, n->ns, "U:" USER_SA_PREFIX,
		arena_fmt(a, "%.*s:%.*s", STR_ARG(ns), STR_ARG(s->name)));
}

static void add_grants(struct rbac_index *x, const struct rbac_entry *binding)
{
	for (size_t i = 0; i < binding->subject_count; i++) {
		str key = subject_key(&x->arena, binding, &binding->subjects[i]);

		if (!key.at)
			continue;
		struct grant *g = arena_get(&x->arena, sizeof(*g));

		*g = (struct grant){binding, &binding->subjects[i], map_get(&x->grants, key)};
		map_put(&x->grants, key, g);
	}
}

static bool names_account(str ns, str name, str user)
{
	str rest = str_slice(user, sizeof(USER_SA_PREFIX) - 1, user.len);

	return ns.len > 0 && str_starts(user, STR(USER_SA_PREFIX)) && str_starts(rest, ns) &&
		rest.len == ns.len + 1 + name.len && rest.at[ns.len] == ':' && str_ends(rest, name);
}

static bool names_user(
	const struct rbac_entry *n, const struct rbac_subject *s, const struct user *u)
{
	if (str_eq(s->kind, STR("User")))
		return str_eq(s->name, u->name);
	if (str_eq(s->kind, STR("Group")))
		return user_in_group(u, s->name);
	return str_eq(s->kind, STR("ServiceAccount")) &&
		names_account(s->namespace.len ? s->namespace : n->ns, s->name, u->name);
}

/* A binding that names the user several ways counts once, by the first. */
static bool is_first(const struct grant *g, const struct user *u)
{
	for (const struct rbac_subject *s = g->binding->subjects; s < g->subject; s++)
		if (names_user(g->binding, s, u))
			return false;
	return true;
}

/* Each once, as upstream's aggregates. */
static void add_fault(struct rbac_faults *f, const struct rbac_role_ref *ref)
{
	void *at = f->texts.at;
	struct buf text;

	buf_init(&text, BUF_NO_LIMIT);
	rbac_put_missing_role(&text, ref);
	bool known = false;

	for (size_t i = 0; i < f->texts.len; i++)
		known |= str_eq(f->texts.at[i], buf_str(&text));
	if (!known && arena_grow(f->arena, &at, f->texts.len, &f->cap, sizeof(str)) == 0) {
		f->texts.at = at;
		f->texts.at[f->texts.len++] = arena_str(f->arena, buf_str(&text));
	}
	buf_free(&text);
}

void rbac_put_faults(struct buf *b, const struct rbac_faults *f)
{
	for (size_t i = 0; i < f->texts.len; i++) {
		buf_add_str(b, i > 0 ? STR(", ") : f->texts.len > 1 ? STR("[") : STR(""));
		buf_add_str(b, f->texts.at[i]);
	}
	if (f->texts.len > 1)
		buf_add_char(b, ']');
}

static bool walk_grants(struct rule_walk *w, const struct grant *g)
{
	for (; g; g = g->next) {
		if (!is_first(g, w->user))
			continue;
		const struct rbac_entry *role = rbac_role_of(
			w->index, &g->binding->role, g->binding->ns);

		if (!role && w->faults)
			add_fault(w->faults, &g->binding->role);
		for (size_t i = 0; role && i < role->rules.len; i++)
			if (!w->rule(w, g, &role->rules.at[i]))
				return false;
	}
	return true;
}

/* `ns` "": cluster-wide. */
static bool walk_scope(struct rule_walk *w, str ns)
{
	struct arena a;
	bool more;

	arena_init(&a, ARENA_NO_LIMIT);
	more = walk_grants(w, map_get(&w->index->grants, key_of(&a, ns, "U:", w->user->name)));
	for (size_t i = 0; i < w->user->groups.len && more; i++)
		more = walk_grants(
			w, map_get(&w->index->grants, key_of(&a, ns, "G:", w->user->groups.at[i])));
	arena_free(&a);
	return more;
}

static void destroy(struct counted *c)
{
	struct rbac_index *x = CONTAINER_OF(c, struct rbac_index, counted);

	for (size_t i = 0; i < x->count; i++)
		counted_drop(&x->entries[i]->counted);
	map_free(&x->roles);
	map_free(&x->grants);
	arena_free(&x->arena);
	free(x);
}

static void destroy_entry(struct counted *c)
{
	struct rbac_entry *n = CONTAINER_OF(c, struct rbac_entry, counted);

	arena_free(&n->arena);
	free(n);
}
