#include "apiserver/admission/plugins.h"

#include "lib/value/uuid.h"

#include <stdio.h>

/* NamespaceLifecycle, NamespaceExists, NamespaceAutoProvision. */

enum { LIVE_LOOKUP_S = 30 };

static bool needs_namespace(const struct admission_attributes *t);
static void remember(struct admission *n, str name);
static bool remembered(struct admission *n, str name);
static int find(struct admission *n, const struct admission_attributes *t, struct namespace **to,
	struct err *e);

int namespace_lifecycle(struct admission *n, struct admission_attributes *t, struct err *e)
{
	static const char *const immortal[] = {"default", "kube-system", "kube-public"};
	struct namespace *ns;

	if (admission_is(t, "", "namespaces")) {
		for (size_t i = 0; t->operation == ADMIT_DELETE && i < COUNT_OF(immortal); i++)
			if (str_eq(t->name, str_of(immortal[i])))
				return status_forbidden(t->arena, e,
					(struct status_subject){
						STR(""), STR("namespaces"), t->name},
					"this namespace may not be deleted");
		if (t->operation == ADMIT_DELETE)
			remember(n, t->name);
		return 0;
	}
	if (t->operation == ADMIT_DELETE || !needs_namespace(t))
		return 0;
	TRY(find(n, t, &ns, e));
	if (t->operation != ADMIT_CREATE || !str_eq(ns->status.phase, STR("Terminating")))
		return 0;
	(void)!admission_forbid(t, e,
		"unable to create new content in namespace %.*s because it is being terminated",
		STR_ARG(t->ns));
	status_add_cause(t->arena, e, STR("NamespaceTerminating"),
		arena_fmt(t->arena, "namespace %.*s is being terminated", STR_ARG(t->ns)),
		STR("metadata.namespace"));
	return -1;
}

int namespace_exists(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	struct namespace *ns;

	if (admission_is(t, "", "namespaces") || !needs_namespace(t))
		return 0;
	return find(n, t, &ns, e);
}

int namespace_auto_provision(struct admission *n, struct admission_attributes *t, struct err *e)
{
	const struct resource *row = resource_find(STR(""), STR("v1"), STR("namespaces"));
	struct namespace *ns;
	int64_t revision;

	if (t->dry_run || admission_is(t, "", "namespaces") || !needs_namespace(t))
		return 0;
	TRY(admission_get(n, t, "", "namespaces", (str){NULL, 0}, t->ns, &ns, e));
	if (ns)
		return 0;
	ns = object_new(t->arena, api_type(API_NAMESPACE));
	ns->metadata.name = t->ns;
	ns->metadata.uid = uuid_new(n->options.random, t->arena);
	ns->metadata.creation_timestamp = meta_now(n->options.clock);
	str_map_set(t->arena, &ns->metadata.labels, STR("kubernetes.io/metadata.name"), t->ns);
	ns->spec.finalizers.at = arena_get(t->arena, sizeof(str));
	ns->spec.finalizers.at[ns->spec.finalizers.len++] = STR("kubernetes");
	ns->status.phase = STR("Active");
	if (storage_create(n->options.storage, row, ns, 0, &revision, e) < 0 &&
		e->kind != ERR_EXISTS)
		return -1;
	return 0;
}

/* Access reviews are no content of their namespace. */
static bool needs_namespace(const struct admission_attributes *t)
{
	return t->ns.len > 0 &&
		!admission_is(t, "authorization.k8s.io", "localsubjectaccessreviews");
}

/* The cache may lag behind: what it does not know, and what was told to go lately, is read from
 * etcd itself. */
static int find(struct admission *n, const struct admission_attributes *t, struct namespace **to,
	struct err *e)
{
	const str cluster = {NULL, 0};

	TRY(admission_get(n, t, "", "namespaces", cluster, t->ns, to, e));
	if (!*to || (str_eq((*to)->status.phase, STR("Active")) && remembered(n, t->ns)))
		TRY(admission_fetch(n, t, "", "namespaces", cluster, t->ns, to, e));
	if (!*to)
		return status_not_found(
			t->arena, e, (struct status_subject){STR(""), STR("namespaces"), t->ns});
	return 0;
}

static void remember(struct admission *n, str name)
{
	struct recent *r = &n->recent;
	int64_t now_ns = n->options.clock->monotonic_ns(n->options.clock);

	pthread_mutex_lock(&r->lock);
	snprintf(r->at[r->next].name, RECENT_NAME_BYTES, "%.*s", STR_ARG(name));
	r->at[r->next].until_ns = now_ns + LIVE_LOOKUP_S * NS_PER_S;
	r->next = (r->next + 1) % RECENT_MAX;
	pthread_mutex_unlock(&r->lock);
}

static bool remembered(struct admission *n, str name)
{
	struct recent *r = &n->recent;
	int64_t now_ns = n->options.clock->monotonic_ns(n->options.clock);
	bool found = false;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < RECENT_MAX; i++)
		found |= r->at[i].until_ns > now_ns && str_eq(str_of(r->at[i].name), name);
	pthread_mutex_unlock(&r->lock);
	return found;
}
