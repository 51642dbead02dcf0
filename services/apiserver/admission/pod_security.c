#include "apiserver/admission/pod_security.h"

#include "apiserver/admission/plugins.h"
#include "lib/base/map.h"

/* PodSecurity: pods are held to their namespace's level; of workloads the template is, as a
 * warning. */

enum { PODS_MAX = 3000, PODS_TIME_NS = NS_PER_S };

static int check_namespace(
	struct admission *n, const struct admission_attributes *t, struct err *e);
static int check_pod(struct admission *n, const struct admission_attributes *t, struct err *e);
static int check_workload(struct admission *n, const struct admission_attributes *t, struct err *e);
static int warn_of_pods(struct admission *n, const struct admission_attributes *t, str ns,
	struct pod_policy enforce, struct err *e);

int pod_security(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	if (admission_is(t, "", "pods"))
		return check_pod(n, t, e);
	if (t->subresource.len > 0)
		return 0;
	return admission_is(t, "", "namespaces") ? check_namespace(n, t, e)
						 : check_workload(n, t, e);
}

/* The pod template of a workload; NULL for every other kind and for one without. */
static const struct pod_template_spec *template_of(const void *object)
{
	const struct type *t = object_type(object);

	if (t == api_type(API_DEPLOYMENT))
		return &((const struct deployment *)object)->spec.template;
	if (t == api_type(API_REPLICA_SET))
		return &((const struct replica_set *)object)->spec.template;
	if (t == api_type(API_STATEFUL_SET))
		return &((const struct stateful_set *)object)->spec.template;
	if (t == api_type(API_DAEMON_SET))
		return &((const struct daemon_set *)object)->spec.template;
	if (t == api_type(API_JOB))
		return &((const struct job *)object)->spec.template;
	if (t == api_type(API_CRON_JOB))
		return &((const struct cron_job *)object)->spec.job_template.spec.template;
	if (t == api_type(API_POD_TEMPLATE))
		return &((const struct pod_template *)object)->template;
	if (t == api_type(API_REPLICATION_CONTROLLER))
		return ((const struct replication_controller *)object)->spec.template;
	return NULL;
}

/* `*found` false: the namespace is not there. */
static int policies_of(struct admission *n, const struct admission_attributes *t,
	struct pod_policies *to, bool *found, struct err *e)
{
	const str cluster = {NULL, 0};
	struct namespace *ns;

	TRY(admission_get(n, t, "", "namespaces", cluster, t->ns, &ns, e));
	if (!ns)
		TRY(admission_fetch(n, t, "", "namespaces", cluster, t->ns, &ns, e));
	*found = ns;
	if (ns)
		pod_policies_read(&ns->metadata.labels, to, NULL);
	return 0;
}

static void warn(const struct admission_attributes *t, struct pod_policy p,
	const struct object_meta *meta, const struct pod_spec *spec)
{
	struct pod_violations v;

	pod_policy_check(t->arena, p, meta, spec, &v);
	if (v.len > 0 && t->warnings)
		warnings_add(t->warnings, "would violate PodSecurity \"%.*s\": %.*s",
			STR_ARG(pod_policy_text(t->arena, p)),
			STR_ARG(pod_violations_details(t->arena, &v)));
}

static bool same_images(const struct pod *now, const struct pod *old)
{
	const struct pod_spec *a = &now->spec, *b = &old->spec;
	bool same = a->containers.len == b->containers.len &&
		a->init_containers.len == b->init_containers.len;

	for (size_t i = 0; same && i < a->containers.len; i++)
		same = str_eq(a->containers.at[i].image, b->containers.at[i].image);
	for (size_t i = 0; same && i < a->init_containers.len; i++)
		same = str_eq(a->init_containers.at[i].image, b->init_containers.at[i].image);
	for (size_t i = 0; same && i < a->ephemeral_containers.len; i++) {
		const struct ephemeral_container_common *c =
			&a->ephemeral_containers.at[i].ephemeral_container_common;

		same = false;
		for (size_t j = 0; j < b->ephemeral_containers.len && !same; j++) {
			const struct ephemeral_container_common *o =
				&b->ephemeral_containers.at[j].ephemeral_container_common;

			same = str_eq(o->name, c->name) && str_eq(o->image, c->image);
		}
	}
	return same;
}

static int check_pod(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	static const char *const ignored[] = {
		"exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"};
	const struct pod *p = t->object;
	struct pod_policies policies;
	struct pod_violations v;
	bool found;

	for (size_t i = 0; i < COUNT_OF(ignored); i++)
		if (str_eq(t->subresource, str_of(ignored[i])))
			return 0;
	TRY(policies_of(n, t, &policies, &found, e));
	if (!found)
		return status_fail(t->arena, e, STATUS_INTERNAL_ERROR,
			"Internal error occurred: failed to lookup namespace \"%.*s\"",
			STR_ARG(t->ns));
	if (t->operation == ADMIT_UPDATE && same_images(p, t->old))
		return 0;
	pod_policy_check(t->arena, policies.enforce, &p->metadata, &p->spec, &v);
	if (v.len > 0)
		return admission_forbid(t, e, "violates PodSecurity \"%.*s\": %.*s",
			STR_ARG(pod_policy_text(t->arena, policies.enforce)),
			STR_ARG(pod_violations_details(t->arena, &v)));
	warn(t, policies.warn, &p->metadata, &p->spec);
	return 0;
}

static int check_workload(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct pod_template_spec *s = template_of(t->object);
	struct pod_policies policies;
	bool found;

	if (!s)
		return 0;
	TRY(policies_of(n, t, &policies, &found, e));
	if (found)
		warn(t, policies.warn, &s->metadata, &s->spec);
	return 0;
}

static int check_namespace(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct namespace *now = t->object, *old = t->old;
	struct causes faults, before;
	struct pod_policies next, last;

	causes_init(&faults, t->arena);
	causes_init(&before, t->arena);
	pod_policies_read(&now->metadata.labels, &next, &faults);
	if (old)
		pod_policies_read(&old->metadata.labels, &last, &before);
	bool same = faults.len == before.len;

	for (size_t i = 0; same && i < faults.len; i++)
		same = str_eq(faults.at[i].field, before.at[i].field) &&
			str_eq(faults.at[i].message, before.at[i].message);
	if (faults.len > 0 && !same)
		return status_invalid(t->arena, e,
			(struct status_subject){STR(""), STR("Namespace"), now->metadata.name},
			&faults);
	if (!old || pod_policy_same(next.enforce, last.enforce) ||
		next.enforce.level == POD_PRIVILEGED ||
		(next.enforce.minor == last.enforce.minor &&
			next.enforce.level <= last.enforce.level))
		return 0;
	return warn_of_pods(n, t, now->metadata.name, next.enforce, e);
}

/* Pods that violate in the same way are told in one line, under the first of their names. */
struct told {
	str reasons, name;
	size_t count;
};

static void tell(struct told *all, size_t *len, str reasons, str name)
{
	size_t i = 0;

	while (i < *len && !str_eq(all[i].reasons, reasons))
		i++;
	if (i == *len)
		all[(*len)++] = (struct told){.reasons = reasons, .name = name};
	else if (str_cmp(name, all[i].name) < 0)
		all[i].name = name;
	all[i].count++;
}

static str line_of(struct arena *a, const struct told *one)
{
	str others = STR("");

	if (one->count == 2)
		others = STR(" (and 1 other pod)");
	else if (one->count > 2)
		others = arena_fmt(a, " (and %zu other pods)", one->count - 1);
	return arena_fmt(
		a, "%.*s%.*s: %.*s", STR_ARG(one->name), STR_ARG(others), STR_ARG(one->reasons));
}

/* Of pods with one controller the first comes first: the others are most likely alike. */
static void order_pods(struct arena *a, const struct admission_list *pods, struct pod **to)
{
	struct pod **later = arena_get(a, pods->len * sizeof(struct pod *) + 1);
	size_t first = 0, rest = 0;
	struct map seen;

	map_init(&seen);
	for (size_t i = 0; i < pods->len; i++) {
		struct pod *p = pods->at[i];
		const struct owner_reference *o = meta_controller(&p->metadata);

		if (o && map_put(&seen, o->uid, p))
			later[rest++] = p;
		else
			to[first++] = p;
	}
	map_free(&seen);
	memcpy(to + first, later, rest * sizeof(struct pod *));
}

static int warn_of_pods(struct admission *n, const struct admission_attributes *t, str ns,
	struct pod_policy enforce, struct err *e)
{
	const struct clock *clock = n->options.clock;
	int64_t until_ns = clock->monotonic_ns(clock) + PODS_TIME_NS;
	struct admission_list pods = {0};
	size_t told_len = 0, checked = 0;

	if (!t->warnings)
		return 0;
	if (admission_list(n, t, "", "pods", ns, &pods, e) < 0) {
		warnings_add(t->warnings,
			"failed to list pods while checking new PodSecurity enforce level");
		return 0;
	}
	size_t most = pods.len < PODS_MAX ? pods.len : PODS_MAX;
	struct pod **ordered = arena_get(t->arena, pods.len * sizeof(struct pod *) + 1);
	struct told *told = arena_get(t->arena, most * sizeof(*told) + 1);
	struct str_list lines = {arena_get(t->arena, most * sizeof(str) + 1), 0};

	order_pods(t->arena, &pods, ordered);
	while (checked < most && clock->monotonic_ns(clock) < until_ns) {
		const struct pod *p = ordered[checked++];
		struct pod_violations v;

		pod_policy_check(t->arena, enforce, &p->metadata, &p->spec, &v);
		if (v.len > 0)
			tell(told, &told_len, pod_violations_reasons(t->arena, &v),
				p->metadata.name);
	}
	if (checked < pods.len)
		warnings_add(t->warnings,
			"new PodSecurity enforce level only checked against the first %zu of %zu "
			"existing pods",
			checked, pods.len);
	if (told_len > 0)
		warnings_add(t->warnings,
			"existing pods in namespace \"%.*s\" violate the new PodSecurity enforce "
			"level \"%.*s\"",
			STR_ARG(ns), STR_ARG(pod_policy_text(t->arena, enforce)));
	for (size_t i = 0; i < told_len; i++)
		lines.at[lines.len++] = line_of(t->arena, &told[i]);
	selector_sort(&lines);
	for (size_t i = 0; i < lines.len; i++)
		warnings_add(t->warnings, "%.*s", STR_ARG(lines.at[i]));
	return 0;
}
