/*
 * resourcequota-controller: what the objects of a namespace use, counted into the status of its
 * quotas: when a quota changes, when something it counts goes, and now and then. What comes is
 * charged by the API server's admission.
 * Source: pkg/controller/resourcequota.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/monitors.h"
#include "controller-manager/objects.h"
#include "lib/api/pod.h"
#include "lib/api/quota.h"
#include "lib/base/log.h"

#include <stdlib.h>

enum { SYNC, DISCOVER };

#define DISCOVER_KEY STR("discover")

struct quotas {
	struct monitor_listener listener;
	struct controller_run *run;
};

static void object_changed(
	struct monitor_listener *l, const struct monitor *m, const void *before, const void *now);

static int open_quotas(struct controller_run *r, struct err *e)
{
	struct quotas *q = calloc(1, sizeof(*q));

	if (!q)
		return err_set(e, ERR_SYSTEM, "no memory for the quota controller");
	q->run = r;
	q->listener.changed = object_changed;
	monitors_listen(manager_of(r)->monitors, &q->listener);
	r->state = q;
	return 0;
}

static void follow_now(struct controller_run *r, struct arena *a)
{
	struct err why;

	if (monitors_follow(manager_of(r)->monitors, r->env.client, a, &why) < 0)
		log_warning("resourcequota-controller: discovery: %s", why.text);
}

/* What is not followed is not counted: so before the first quota is looked at. */
static int start(struct controller_run *r, UNUSED struct err *e)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	follow_now(r, &a);
	arena_free(&a);
	run_add(r, DISCOVER, DISCOVER_KEY);
	return 0;
}

static int follow(struct pass *p, UNUSED struct err *e)
{
	pass_again(p, MONITORS_AGAIN_S * NS_PER_S);
	follow_now(p->run, p->arena);
	return 0;
}

static void quota_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct resource_quota *b = before, *n = now;

	if (n && (!b || !resource_list_equal(&b->spec.hard, &n->spec.hard)))
		run_enqueue(r, n);
}

/* --- what gives something back */

static bool service_shrank(const struct service *before, const struct service *now)
{
	bool exposed = str_eq(before->spec.type, STR("NodePort")) ||
		str_eq(before->spec.type, STR("LoadBalancer"));

	return exposed && !str_eq(before->spec.type, now->spec.type);
}

/* An update that may use less than before; of other resources only deletions do. */
static bool shrank(const struct resource *r, const void *before, const void *now)
{
	if (r->group.len > 0)
		return false;
	if (str_eq(r->plural, STR("pods")))
		return !pod_is_finished(before) && pod_is_finished(now);
	if (str_eq(r->plural, STR("services")))
		return service_shrank(before, now);
	return str_eq(r->plural, STR("persistentvolumeclaims")) &&
		!struct_equal(api_type(API_PERSISTENT_VOLUME_CLAIM_STATUS),
			&((const struct persistent_volume_claim *)before)->status,
			&((const struct persistent_volume_claim *)now)->status);
}

static void object_changed(
	struct monitor_listener *l, const struct monitor *m, const void *before, const void *now)
{
	struct quotas *q = CONTAINER_OF(l, struct quotas, listener);
	const struct quota_subject s = {m->resource.group, m->resource.plural, 0};

	if (!before || !m->resource.namespaced || (now && !shrank(&m->resource, before, now)))
		return;
	struct view *v = informer_view(informers_of(q->run->env.informers, API_RESOURCE_QUOTA));
	struct view_walk all = view_all(v, meta_of(before)->namespace);

	view_each(const struct resource_quota *, quota, &all)
	{
		bool counts = false;

		for (size_t i = 0; i < quota->status.hard.len; i++)
			counts |= quota_counts(&s, quota->status.hard.at[i].key);
		if (counts)
			run_enqueue(q->run, quota);
	}
	view_drop(v);
}

/* --- counting */

/* All objects of the quota's namespace that are in its scopes. */
static struct quantity_map add_up(struct pass *p, const struct resource_quota *q,
	const struct quota_subject *s, struct view_walk *all, const struct quantity_map *names)
{
	struct quantity_map total = {0};

	for (size_t i = 0; i < names->len; i++)
		resource_list_set(
			p->arena, &total, names->at[i].key, quantity_of(0, 0, QUANTITY_DECIMAL));
	view_each(const void *, object, all)
	{
		struct quantity_map own;

		if (!quota_in_scope(s, q, object))
			continue;
		own = quota_usage(p->arena, s, object);
		own = resource_list_mask(p->arena, &own, names);
		total = resource_list_add(p->arena, &total, &own);
	}
	return total;
}

static bool full_type(str plural, enum api_type *to)
{
	static const struct {
		const char *plural;
		enum api_type type;
	} types[] = {{"pods", API_POD}, {"services", API_SERVICE},
		{"persistentvolumeclaims", API_PERSISTENT_VOLUME_CLAIM}};

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		*to = types[i].type;
		if (str_eq(plural, str_of(types[i].plural)))
			return true;
	}
	return false;
}

/* What one resource uses, added to `used`. One that is not followed stays unknown. */
static int count(struct pass *p, const struct resource_quota *q, const struct quota_resource *r,
	struct quantity_map *used, struct err *e)
{
	const struct quota_subject s = {r->group, r->plural, pass_now(p).seconds};
	struct quantity_map names = quota_names(p->arena, &s, &q->spec.hard), total;
	enum api_type type;
	struct view_walk all;

	if (r->group.len == 0 && full_type(r->plural, &type)) {
		all = pass_list(p, type, p->ns);
		total = add_up(p, q, &s, &all, &names);
	} else {
		struct view *v;

		TRY(monitors_view(manager_of(p->run)->monitors, r->group, r->plural, &v, e));
		if (!v)
			return 0;
		all = view_all(v, p->ns);
		total = add_up(p, q, &s, &all, &names);
		view_drop(v);
	}
	resource_list_default(p->arena, &total, used);
	*used = total;
	return 0;
}

static int sync_quota(struct pass *p, struct err *e)
{
	const struct resource_quota *q = pass_get(p, API_RESOURCE_QUOTA, p->ns, p->name);
	const struct settings *settings = pass_settings(p);
	struct quantity_map used = {0}, known;

	if (!q)
		return 0;
	if (settings->quota_sync_period_ns > 0)
		pass_again(p, settings->quota_sync_period_ns);
	for (size_t i = 0; i < q->spec.hard.len; i++) {
		struct quota_resource r;

		if (!resource_list_get(&used, q->spec.hard.at[i].key) &&
			quota_resource_of(q->spec.hard.at[i].key, &r))
			TRY(count(p, q, &r, &used, e));
	}
	known = resource_list_mask(p->arena, &q->status.used, &q->spec.hard);
	resource_list_default(p->arena, &used, &known);
	if (q->status.hard.at && q->status.used.at &&
		resource_list_equal(&q->status.hard, &q->spec.hard) &&
		resource_list_equal(&q->status.used, &used))
		return 0;
	struct resource_quota *next = pass_copy(p, q);

	next->status.hard = q->spec.hard;
	next->status.used = used;
	return pass_update_status(p, next, NULL, e);
}

const struct controller resource_quota_controller = {
	.name = "resourcequota-controller",
	.account = "resourcequota-controller",
	.watches = {{API_RESOURCE_QUOTA, quota_changed}, {API_POD, NULL}, {API_SERVICE, NULL},
		{API_PERSISTENT_VOLUME_CLAIM, NULL}},
	.works = {[SYNC] = {"resourcequota_primary", 5, sync_quota},
		[DISCOVER] = {"resourcequota_discovery", 1, follow}},
	.open = open_quotas,
	.start = start,
};
