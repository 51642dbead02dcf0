/*
 * taint-eviction-controller: pods that do not tolerate a NoExecute taint of their node are deleted,
 * at once or when their time is over.
 * Source: pkg/controller/tainteviction.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/pods.h"
#include "controller-manager/taints.h"
#include "lib/base/map.h"

#include <pthread.h>
#include <stdlib.h>

#define NO_EXECUTE STR("NoExecute")

/* Since when a pod is to be evicted. */
struct sentence {
	int64_t since_ns;
	char key[];
};

struct evictor {
	pthread_mutex_t lock;
	struct map sentences;
};

static int open_evictor(struct controller_run *r, struct err *e)
{
	struct evictor *v = calloc(1, sizeof(*v));

	if (!v)
		return err_set(e, ERR_SYSTEM, "no memory for taint-eviction-controller");
	pthread_mutex_init(&v->lock, NULL);
	map_init(&v->sentences);
	r->state = v;
	return 0;
}

static void pod_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct pod *old = before, *p = now;

	if (!p) {
		run_enqueue(r, old);
		return;
	}
	if (p->spec.node_name.len > 0 &&
		(!old || !str_eq(old->spec.node_name, p->spec.node_name) ||
			old->spec.tolerations.len != p->spec.tolerations.len))
		run_enqueue(r, p);
}

static bool same_taints(const struct node *a, const struct node *b)
{
	bool same = a->spec.taints.len == b->spec.taints.len;

	for (size_t i = 0; i < a->spec.taints.len && same; i++)
		same = struct_equal(
			api_type(API_TAINT), &a->spec.taints.at[i], &b->spec.taints.at[i]);
	return same;
}

static void node_changed(struct controller_run *r, const void *before, const void *now)
{
	if (before && now && same_taints(before, now))
		return;
	struct informer *i = informers_of(r->env.informers, API_POD);
	struct view *pods = informer_view(i);
	struct view_walk on = view_by(pods, informer_index_of(i, pod_by_node),
		meta_of(now ? now : before)->name, (str){NULL, 0});

	view_each(const struct pod *, p, &on) run_enqueue(r, p);
	view_drop(pods);
}

/* -1: for ever. A taint that nothing tolerates gives 0. */
static int64_t tolerated_s(const struct pod *p, const struct node *n)
{
	int64_t shortest_s = -1;

	for (size_t i = 0; i < n->spec.taints.len; i++) {
		const struct taint *t = &n->spec.taints.at[i];
		bool tolerated = false;

		if (!str_eq(t->effect, NO_EXECUTE))
			continue;
		for (size_t at = 0; at < p->spec.tolerations.len && !tolerated; at++) {
			const struct toleration *by = &p->spec.tolerations.at[at];

			tolerated = taint_tolerated_by(t, by);
			if (!tolerated || !by->toleration_seconds)
				continue;
			int64_t s = *by->toleration_seconds > 0 ? *by->toleration_seconds : 0;

			if (shortest_s < 0 || s < shortest_s)
				shortest_s = s;
		}
		if (!tolerated)
			return 0;
	}
	return shortest_s;
}

static bool has_no_execute(const struct node *n)
{
	for (size_t i = 0; i < n->spec.taints.len; i++) {
		if (str_eq(n->spec.taints.at[i].effect, NO_EXECUTE))
			return true;
	}
	return false;
}

static bool acquit(struct evictor *v, str key)
{
	pthread_mutex_lock(&v->lock);
	struct sentence *s = map_remove(&v->sentences, key);

	pthread_mutex_unlock(&v->lock);
	free(s);
	return s != NULL;
}

static int64_t sentenced_since(struct evictor *v, str key, int64_t now_ns)
{
	pthread_mutex_lock(&v->lock);
	struct sentence *s = map_get(&v->sentences, key);

	if (!s) {
		s = calloc(1, sizeof(*s) + key.len);
		if (!s)
			abort();
		s->since_ns = now_ns;
		memcpy(s->key, key.at, key.len);
		map_put(&v->sentences, str_span(s->key, key.len), s);
	}
	int64_t since_ns = s->since_ns;

	pthread_mutex_unlock(&v->lock);
	return since_ns;
}

static int evict(struct pass *p, const struct pod *pod, struct err *e)
{
	int marked = pod_mark(p, pod, false, "DisruptionTarget", "DeletionByTaintManager",
		"Taint manager: deleting due to NoExecute taint", e);

	pass_event(p, pod, "TaintManagerEviction", "Marking for deletion Pod %.*s/%.*s",
		STR_ARG(p->ns), STR_ARG(p->name));
	TRY(pass_ignore_missing(marked, e));
	(void)acquit(pass_state(p), p->key);
	return pass_ignore_missing(pass_delete(p, pod, e), e);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct pod *pod = pass_get(p, API_POD, p->ns, p->name);
	const struct node *n = pod ? pass_get(p, API_NODE, STR(""), pod->spec.node_name) : NULL;
	int64_t now_ns = p->run->env.clock->monotonic_ns(p->run->env.clock), allowed_s;

	if (!pod || pod->metadata.deletion_timestamp) {
		(void)acquit(pass_state(p), p->key);
		return 0;
	}
	allowed_s = n && has_no_execute(n) ? tolerated_s(pod, n) : -1;
	if (allowed_s < 0) {
		if (acquit(pass_state(p), p->key))
			pass_event(p, pod, "TaintManagerEviction",
				"Cancelling deletion of Pod %.*s/%.*s", STR_ARG(p->ns),
				STR_ARG(p->name));
		return 0;
	}
	int64_t left_ns = sentenced_since(pass_state(p), p->key, now_ns) + allowed_s * NS_PER_S -
		now_ns;

	if (left_ns > 0) {
		pass_again(p, left_ns);
		return 0;
	}
	return evict(p, pod, e);
}

const struct controller taint_eviction_controller = {
	.name = "taint-eviction-controller",
	.account = "node-controller",
	.component = "taint-eviction-controller",
	.watches = {{API_NODE, node_changed}, {API_POD, pod_changed}},
	.works = {{"noexec_taint_pod", 8, reconcile}},
	.open = open_evictor,
};
