/*
 * pod-garbage-collector-controller: deletes pods that nobody else will: of nodes that are gone or
 * out of service, never bound and being deleted, finished and too many.
 * Source: pkg/controller/podgc.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/pods.h"
#include "controller-manager/taints.h"
#include "lib/base/log.h"
#include "lib/base/map.h"

#include <stdlib.h>

enum { PERIOD_S = 20, QUARANTINE_S = 40 };

#define COLLECT STR("collect")

/* A node that pods name and that is not there. */
struct missing {
	int64_t since_ns;
	bool named; /* in this round */
	char name[];
};

static int open_gc(struct controller_run *r, struct err *e)
{
	struct map *missing = calloc(1, sizeof(*missing));

	if (!missing)
		return err_set(e, ERR_SYSTEM, "no memory for the pod collector");
	map_init(missing);
	r->state = missing;
	return 0;
}

static int start(struct controller_run *r, UNUSED struct err *e)
{
	run_add(r, 0, COLLECT);
	return 0;
}

static void delete_pod(
	struct pass *p, const struct pod *pod, const char *reason, const char *message)
{
	const int64_t at_once = 0;
	const struct client_delete how = {.uid = pod->metadata.uid, .grace_period_s = &at_once};
	struct err e;

	log_info("PodGC is force deleting pod %.*s/%.*s", STR_ARG(pod->metadata.namespace),
		STR_ARG(pod->metadata.name));
	if (!pod_is_finished(pod) &&
		pass_ignore_missing(
			pod_mark(p, pod, true, "DisruptionTarget", reason, message, &e), &e) < 0) {
		log_warning("marking a pod failed: %s", e.text);
		return;
	}
	if (pass_ignore_missing(
		    client_delete(p->run->env.client, p->arena, target_of(pod), &how, &e), &e) < 0)
		log_warning("deleting a pod: %s", e.text);
}

static struct missing *find_missing(struct map *all, str name, int64_t now_ns)
{
	struct missing *m = map_get(all, name);

	if (m)
		return m;
	m = calloc(1, sizeof(*m) + name.len);
	if (!m)
		abort();
	m->since_ns = now_ns;
	memcpy(m->name, name.at, name.len);
	map_put(all, str_span(m->name, name.len), m);
	return m;
}

/* A node may be missing because its creation has not been heard of: it is asked for after a
 * while. */
static bool is_gone(struct pass *p, str node)
{
	int64_t now_ns = p->run->env.clock->monotonic_ns(p->run->env.clock);
	struct missing *m = find_missing(pass_state(p), node, now_ns);
	struct err e;
	void *found;

	m->named = true;
	if (now_ns - m->since_ns < QUARANTINE_S * NS_PER_S)
		return false;
	return pass_fetch(p, API_NODE, STR(""), node, &found, &e) < 0 && e.kind == ERR_NOT_FOUND;
}

static void forget_found(struct map *all)
{
	bool removed = true;

	while (removed) {
		removed = false;
		map_each (all, entry) {
			struct missing *m = entry->value;

			if (m->named)
				continue;
			free(map_remove(all, entry->key));
			removed = true;
			break;
		}
	}
	map_each (all, entry)
		((struct missing *)entry->value)->named = false;
}

static bool is_out_of_service(const struct node *n)
{
	const struct node_condition *ready = node_condition(n, STR("Ready"));
	bool tainted = false;

	for (size_t i = 0; i < n->spec.taints.len; i++)
		tainted = tainted ||
			str_eq(n->spec.taints.at[i].key, STR("node.kubernetes.io/out-of-service"));
	return tainted && (!ready || !str_eq(ready->status, STR("True")));
}

static int evicted_then_oldest(const void *a, const void *b)
{
	const struct pod *x = a, *y = b;
	bool xe = str_eq(x->status.reason, STR("Evicted")),
	     ye = str_eq(y->status.reason, STR("Evicted"));

	if (xe != ye)
		return xe ? -1 : 1;
	int order = time_compare(&x->metadata.creation_timestamp, &y->metadata.creation_timestamp);

	return order ? order : str_cmp(x->metadata.name, y->metadata.name);
}

static void delete_finished(struct pass *p, struct object_list *finished)
{
	const struct settings *s = pass_settings(p);

	if (s->terminated_pod_gc_threshold <= 0 ||
		finished->len <= (size_t)s->terminated_pod_gc_threshold)
		return;
	object_list_sort(finished, evicted_then_oldest);
	for (size_t i = 0; i + (size_t)s->terminated_pod_gc_threshold < finished->len; i++)
		delete_pod(p, finished->at[i], "", "");
}

static int collect(struct pass *p, UNUSED struct err *e)
{
	struct view_walk all = pass_list(p, API_POD, (str){NULL, 0});
	struct object_list finished = {0};

	pass_again(p, PERIOD_S * NS_PER_S);
	view_each(const struct pod *, pod, &all)
	{
		const struct node *n = pass_get(p, API_NODE, STR(""), pod->spec.node_name);

		if (pod_is_finished(pod))
			object_list_add(p->arena, &finished, pod);
		if (pod->spec.node_name.len == 0) {
			if (pod->metadata.deletion_timestamp)
				delete_pod(p, pod, "DeletionByPodGC", "PodGC: unscheduled");
		} else if (n) {
			if (pod_is_terminating(pod) && is_out_of_service(n))
				delete_pod(p, pod, "DeletionByPodGC", "PodGC: node out of service");
		} else if (is_gone(p, pod->spec.node_name)) {
			delete_pod(p, pod, "DeletionByPodGC", "PodGC: node no longer exists");
		}
	}
	forget_found(pass_state(p));
	delete_finished(p, &finished);
	return 0;
}

const struct controller pod_gc_controller = {
	.name = "pod-garbage-collector-controller",
	.account = "pod-garbage-collector",
	.watches = {{API_POD, NULL}, {API_NODE, NULL}},
	.works = {{"pod_gc", 1, collect}},
	.open = open_gc,
	.start = start,
};
