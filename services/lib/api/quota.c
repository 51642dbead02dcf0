#include "lib/api/quota.h"

#include "api/kinds.h"
#include "lib/api/meta.h"
#include "lib/api/pod.h"
#include "lib/api/pod_resources.h"

#define COUNT         STR("count/")
#define REQUESTS      STR("requests.")
#define BY_CLASS      ".storageclass.storage.k8s.io/"
#define DEVICE_CLASS  STR("requests.deviceclass.resource.kubernetes.io/")
#define HUGE_PAGES    STR("hugepages-")
#define HUGE_REQUESTS STR("requests.hugepages-")

/* How a resource is counted beside "count/...". */
struct evaluator {
	const char *plural; /* all are of the core group */
	const char *alias;  /* an older name of its count */
	bool (*counts)(str name);
	void (*use)(struct arena *a, const struct quota_subject *s, const void *object,
		struct quantity_map *to);
	bool (*in_scope)(const struct scoped_resource_selector_requirement *r, const void *object);
};

static bool pods_count(str name);
static bool services_count(str name);
static bool claims_count(str name);
static void pods_use(struct arena *a, const struct quota_subject *s, const void *object,
	struct quantity_map *to);
static void services_use(struct arena *a, const struct quota_subject *s, const void *object,
	struct quantity_map *to);
static void claims_use(struct arena *a, const struct quota_subject *s, const void *object,
	struct quantity_map *to);
static bool pod_in_scope(const struct scoped_resource_selector_requirement *r, const void *object);
static bool claim_in_scope(
	const struct scoped_resource_selector_requirement *r, const void *object);

static const struct evaluator evaluators[] = {
	{"pods", NULL, pods_count, pods_use, pod_in_scope},
	{"services", NULL, services_count, services_use, NULL},
	{"persistentvolumeclaims", NULL, claims_count, claims_use, claim_in_scope},
	{"configmaps", "configmaps", NULL, NULL, NULL},
	{"resourcequotas", "resourcequotas", NULL, NULL, NULL},
	{"replicationcontrollers", "replicationcontrollers", NULL, NULL, NULL},
	{"secrets", "secrets", NULL, NULL, NULL},
};

static const struct evaluator *evaluator_of(const struct quota_subject *s)
{
	for (size_t i = 0; s->group.len == 0 && i < COUNT_OF(evaluators); i++)
		if (str_eq(s->plural, str_of(evaluators[i].plural)))
			return &evaluators[i];
	return NULL;
}

static bool is_count_of(const struct quota_subject *s, str name)
{
	struct quota_resource r;

	return str_starts(name, COUNT) && quota_resource_of(name, &r) &&
		str_eq(r.plural, s->plural) && str_eq(r.group, s->group);
}

bool quota_counts(const struct quota_subject *s, str name)
{
	const struct evaluator *v = evaluator_of(s);

	return is_count_of(s, name) || (v && v->counts && v->counts(name)) ||
		(v && v->alias && str_eq(name, str_of(v->alias)));
}

struct quantity_map quota_names(
	struct arena *a, const struct quota_subject *s, const struct quantity_map *hard)
{
	struct quantity_map to = {arena_get(a, (hard->len + 1) * sizeof(*to.at)), 0};

	for (size_t i = 0; i < hard->len; i++)
		if (quota_counts(s, hard->at[i].key))
			to.at[to.len++] = hard->at[i];
	return to;
}

bool quota_in_scope(
	const struct quota_subject *s, const struct resource_quota *q, const void *object)
{
	const struct evaluator *v = evaluator_of(s);
	const struct scope_selector *selector = q->spec.scope_selector;

	for (size_t i = 0; i < q->spec.scopes.len; i++) {
		const struct scoped_resource_selector_requirement exists = {
			.scope_name = q->spec.scopes.at[i], .operator= STR("Exists")};

		if (!v || !v->in_scope || !v->in_scope(&exists, object))
			return false;
	}
	for (size_t i = 0; selector && i < selector->match_expressions.len; i++)
		if (!v || !v->in_scope || !v->in_scope(&selector->match_expressions.at[i], object))
			return false;
	return true;
}

static struct quantity number(int64_t n)
{
	return quantity_of(n, 0, QUANTITY_DECIMAL);
}

struct quantity_map quota_usage(struct arena *a, const struct quota_subject *s, const void *object)
{
	const struct evaluator *v = evaluator_of(s);
	struct quantity_map to = {0};

	resource_list_set(a, &to,
		arena_fmt(a, "count/%.*s%s%.*s", STR_ARG(s->plural), s->group.len ? "." : "",
			STR_ARG(s->group)),
		number(1));
	if (v && v->alias)
		resource_list_set(a, &to, str_of(v->alias), number(1));
	if (v && v->use)
		v->use(a, s, object, &to);
	return to;
}

bool quota_counts_only(const struct quota_subject *s)
{
	const struct evaluator *v = evaluator_of(s);

	return !v || !v->use;
}

bool quota_resource_of(str name, struct quota_resource *to)
{
	if (str_starts(name, COUNT)) {
		str rest = str_slice(name, COUNT.len, name.len);
		ptrdiff_t dot = str_find_char(rest, '.');
		size_t end = dot < 0 ? rest.len : (size_t)dot;

		*to = (struct quota_resource){
			dot < 0 ? STR("") : str_slice(rest, end + 1, rest.len),
			str_slice(rest, 0, end)};
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(evaluators); i++) {
		const struct evaluator *v = &evaluators[i];

		if ((v->counts && v->counts(name)) ||
			(v->alias && str_eq(name, str_of(v->alias)))) {
			*to = (struct quota_resource){STR(""), str_of(v->plural)};
			return true;
		}
	}
	return false;
}

static bool is_among(str name, const str *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* In(values), NotIn(values), Exists, DoesNotExist of one value, absent when there is none. */
static bool selects(const struct scoped_resource_selector_requirement *r, str value)
{
	bool listed = value.len > 0 && is_among(value, r->values.at, r->values.len);

	if (str_eq(r->operator, STR("In")))
		return listed;
	if (str_eq(r->operator, STR("NotIn")))
		return !listed;
	return (value.len > 0) == str_eq(r->operator, STR("Exists"));
}

/* --- pods */

static bool pods_count(str name)
{
	static const str names[] = {STR_INIT("cpu"), STR_INIT("memory"),
		STR_INIT("ephemeral-storage"), STR_INIT("requests.cpu"),
		STR_INIT("requests.memory"), STR_INIT("requests.ephemeral-storage"),
		STR_INIT("limits.cpu"), STR_INIT("limits.memory"),
		STR_INIT("limits.ephemeral-storage"), STR_INIT("pods")};

	if (is_among(name, names, COUNT_OF(names)) || str_starts(name, HUGE_PAGES) ||
		str_starts(name, HUGE_REQUESTS) || str_starts(name, DEVICE_CLASS))
		return true;
	/* Extended resources, "requests.example.com/gpu": not Kubernetes' own. */
	return str_starts(name, REQUESTS) && str_find_char(name, '/') >= 0 &&
		str_find(name, STR("kubernetes.io/")) < 0;
}

/* Neither finished nor past the grace of its deletion. */
static bool pod_counts(const struct pod *p, int64_t now_s)
{
	const struct object_meta *m = &p->metadata;

	if (pod_is_finished(p))
		return false;
	return !m->deletion_timestamp || !m->deletion_grace_period_seconds ||
		now_s <= m->deletion_timestamp->seconds + *m->deletion_grace_period_seconds;
}

static void use_as(struct arena *a, struct quantity_map *to, const char *prefix,
	const struct quantity_entry *n)
{
	resource_list_set(a, to, arena_fmt(a, "%s%.*s", prefix, STR_ARG(n->key)), n->value);
}

static void pods_use(
	struct arena *a, const struct quota_subject *s, const void *object, struct quantity_map *to)
{
	static const str basic[] = {
		STR_INIT("cpu"), STR_INIT("memory"), STR_INIT("ephemeral-storage")};
	const struct pod *p = object;

	if (!pod_counts(p, s->now_s))
		return;
	struct quantity_map requests = pod_resources(a, p, POD_REQUESTS),
			    limits = pod_resources(a, p, POD_LIMITS);

	resource_list_set(a, to, STR("pods"), number(1));
	for (size_t i = 0; i < requests.len; i++) {
		const struct quantity_entry *n = &requests.at[i];

		if (is_among(n->key, basic, COUNT_OF(basic)) || str_starts(n->key, HUGE_PAGES))
			use_as(a, to, "", n);
		use_as(a, to, "requests.", n);
	}
	for (size_t i = 0; i < limits.len; i++)
		if (is_among(limits.at[i].key, basic, COUNT_OF(basic)))
			use_as(a, to, "limits.", &limits.at[i]);
}

static bool crosses(const struct pod_affinity_term *t)
{
	return t->namespaces.len > 0 || t->namespace_selector;
}

static bool terms_cross(const struct pod_affinity_term *required, size_t required_count,
	const struct weighted_pod_affinity_term *preferred, size_t preferred_count)
{
	for (size_t i = 0; i < required_count; i++)
		if (crosses(&required[i]))
			return true;
	for (size_t i = 0; i < preferred_count; i++)
		if (crosses(&preferred[i].pod_affinity_term))
			return true;
	return false;
}

static bool affinity_crosses(const struct affinity *f)
{
	const struct pod_affinity *to = f ? f->pod_affinity : NULL;
	const struct pod_anti_affinity *from = f ? f->pod_anti_affinity : NULL;

	return (to &&
		       terms_cross(to->required_during_scheduling_ignored_during_execution.at,
			       to->required_during_scheduling_ignored_during_execution.len,
			       to->preferred_during_scheduling_ignored_during_execution.at,
			       to->preferred_during_scheduling_ignored_during_execution.len)) ||
		(from &&
			terms_cross(from->required_during_scheduling_ignored_during_execution.at,
				from->required_during_scheduling_ignored_during_execution.len,
				from->preferred_during_scheduling_ignored_during_execution.at,
				from->preferred_during_scheduling_ignored_during_execution.len));
}

static bool pod_in_scope(const struct scoped_resource_selector_requirement *r, const void *object)
{
	const struct pod *p = object;
	bool terminating = p->spec.active_deadline_seconds && *p->spec.active_deadline_seconds >= 0;
	bool best_effort = str_eq(pod_qos(&p->spec), STR("BestEffort"));

	if (str_eq(r->scope_name, STR("Terminating")))
		return terminating;
	if (str_eq(r->scope_name, STR("NotTerminating")))
		return !terminating;
	if (str_eq(r->scope_name, STR("BestEffort")))
		return best_effort;
	if (str_eq(r->scope_name, STR("NotBestEffort")))
		return !best_effort;
	if (str_eq(r->scope_name, STR("PriorityClass")))
		return selects(r, p->spec.priority_class_name);
	if (str_eq(r->scope_name, STR("CrossNamespacePodAffinity")))
		return affinity_crosses(p->spec.affinity);
	return false;
}

/* --- services */

static bool services_count(str name)
{
	static const str names[] = {STR_INIT("services"), STR_INIT("services.nodeports"),
		STR_INIT("services.loadbalancers")};

	return is_among(name, names, COUNT_OF(names));
}

/* Of a load balancer without node ports of its own those count that it names. */
static int64_t node_ports(const struct service_spec *s)
{
	int64_t named = 0;

	if (!str_eq(s->type, STR("NodePort")) && !str_eq(s->type, STR("LoadBalancer")))
		return 0;
	if (str_eq(s->type, STR("NodePort")) || !s->allocate_load_balancer_node_ports ||
		*s->allocate_load_balancer_node_ports)
		return (int64_t)s->ports.len;
	for (size_t i = 0; i < s->ports.len; i++)
		named += s->ports.at[i].node_port != 0;
	return named;
}

static void services_use(struct arena *a, UNUSED const struct quota_subject *s, const void *object,
	struct quantity_map *to)
{
	const struct service *o = object;

	resource_list_set(a, to, STR("services"), number(1));
	resource_list_set(a, to, STR("services.nodeports"), number(node_ports(&o->spec)));
	resource_list_set(a, to, STR("services.loadbalancers"),
		number(str_eq(o->spec.type, STR("LoadBalancer"))));
}

/* --- claims of volumes */

static bool claims_count(str name)
{
	static const str names[] = {
		STR_INIT("persistentvolumeclaims"), STR_INIT("requests.storage")};

	if (is_among(name, names, COUNT_OF(names)))
		return true;
	return str_ends(name, STR(BY_CLASS "persistentvolumeclaims")) ||
		str_ends(name, STR(BY_CLASS "requests.storage"));
}

static str class_of(const struct persistent_volume_claim *c)
{
	str old = meta_annotation(&c->metadata, STR("volume.beta.kubernetes.io/storage-class"));

	if (old.at)
		return old;
	return c->spec.storage_class_name ? *c->spec.storage_class_name : STR("");
}

static void claims_use(struct arena *a, UNUSED const struct quota_subject *s, const void *object,
	struct quantity_map *to)
{
	const struct persistent_volume_claim *c = object;
	const struct quantity *asked = resource_list_get(
				      &c->spec.resources.requests, STR("storage")),
			      *given = resource_list_get(
				      &c->status.allocated_resources, STR("storage"));
	str class = class_of(c);

	resource_list_set(a, to, STR("persistentvolumeclaims"), number(1));
	if (class.len)
		resource_list_set(a, to,
			arena_fmt(a, "%.*s" BY_CLASS "persistentvolumeclaims", STR_ARG(class)),
			number(1));
	if (!asked)
		return;
	struct quantity bytes = given && quantity_compare(given, asked) > 0 ? *given : *asked;

	quantity_round_up(&bytes, 0);
	resource_list_set(a, to, STR("requests.storage"), bytes);
	if (class.len)
		resource_list_set(a, to,
			arena_fmt(a, "%.*s" BY_CLASS "requests.storage", STR_ARG(class)), bytes);
}

static bool claim_in_scope(const struct scoped_resource_selector_requirement *r, const void *object)
{
	const struct persistent_volume_claim *c = object;
	const str *names[] = {c->spec.volume_attributes_class_name,
		c->status.current_volume_attributes_class_name,
		c->status.modify_volume_status
			? &c->status.modify_volume_status->target_volume_attributes_class_name
			: NULL};
	bool any = false;

	if (!str_eq(r->scope_name, STR("VolumeAttributesClass")))
		return false;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!names[i] || names[i]->len == 0)
			continue;
		any = true;
		if (selects(r, *names[i]))
			return true;
	}
	return !any && selects(r, STR(""));
}
