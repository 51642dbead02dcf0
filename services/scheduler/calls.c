/*
 * What the scheduler tells the API server. A call knows copies only, so that the pod may change or
 * go while it waits its turn.
 */
#include "scheduler/scheduler.h"

#include "lib/api/status.h"
#include "lib/codec/json.h"

#include <stdlib.h>

struct call_job {
	struct pool_job job;
	struct scheduler *s;
	struct arena arena;
	const struct pod *pod; /* copies from here on */
	str uid, node, reason, message, nominated;
	str preemptor_uid;
};

static struct call_job *job_new(struct scheduler *s, const struct pod_info *p);
static void give(struct call_job *j, void (*run)(struct pool_job *j));
static void run_bind(struct pool_job *job);
static void run_unschedulable(struct pool_job *job);
static void run_evict(struct pool_job *job);
static void end(struct call_job *j);
static void bind_failed(struct call_job *j, const struct err *e);
static int patch_condition(struct call_job *j, const char *type, const char *status, str reason,
	str message, bool nominates, struct err *e);

void call_bind(struct scheduler *s, const struct pod_info *p, str node)
{
	struct call_job *j = job_new(s, p);

	j->node = arena_str(&j->arena, node);
	give(j, run_bind);
}

void call_unschedulable(
	struct scheduler *s, const struct pod_info *p, str reason, str message, str nominated)
{
	struct call_job *j = job_new(s, p);

	j->reason = arena_str(&j->arena, reason);
	j->message = arena_str(&j->arena, message);
	j->nominated = arena_str(&j->arena, nominated);
	give(j, run_unschedulable);
}

void call_evict(struct scheduler *s, const struct pod_info *victim, const struct pod *preemptor)
{
	struct call_job *j = job_new(s, victim);

	j->node = arena_str(&j->arena, victim->node->name);
	j->preemptor_uid = arena_str(&j->arena, preemptor->metadata.uid);
	give(j, run_evict);
}

static struct call_job *job_new(struct scheduler *s, const struct pod_info *p)
{
	struct call_job *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->s = s;
	arena_init(&j->arena, ARENA_NO_LIMIT);
	j->pod = object_copy(&j->arena, p->pod, true);
	j->uid = j->pod->metadata.uid;
	return j;
}

/* Too many at once: the pod comes again, like after any failed call. */
static void give(struct call_job *j, void (*run)(struct pool_job *j))
{
	struct err e;

	j->job.run = run;
	if (pool_give(&j->s->callers, &j->job, &e) == 0)
		return;
	log_warning("%s", e.text);
	end(j);
}

static void run_bind(struct pool_job *job)
{
	struct call_job *j = CONTAINER_OF(job, struct call_job, job);
	const struct object_meta *m = &j->pod->metadata;
	struct binding *b = object_new(&j->arena, api_type(API_BINDING));
	struct target t = target_of(j->pod);
	struct err e;

	t.sub = STR("binding");
	b->metadata.name = m->name;
	b->metadata.namespace = m->namespace;
	b->metadata.uid = m->uid;
	b->target.kind = STR("Node");
	b->target.name = j->node;
	if (client_create(j->s->client, &j->arena, t, b, NULL, &e) < 0) {
		bind_failed(j, &e);
	} else {
		const struct event_note note = {.component = SCHEDULER_NAME,
			.type = "Normal",
			.reason = "Scheduled",
			.action = "Binding",
			.about = j->pod};

		events_note(j->s->events, &note, "Successfully assigned %.*s/%.*s to %.*s",
			STR_ARG(m->namespace), STR_ARG(m->name), STR_ARG(j->node));
	}
	end(j);
}

static void bind_failed(struct call_job *j, const struct err *e)
{
	struct scheduler *s = j->s;

	log_warning("binding %.*s/%.*s to %.*s: %s", STR_ARG(j->pod->metadata.namespace),
		STR_ARG(j->pod->metadata.name), STR_ARG(j->node), e->text);
	pthread_mutex_lock(&s->lock);
	struct pod_info *p = cache_pod(&s->cache, j->uid);
	if (p && p->assumed) {
		p->assumed = false;
		cache_displace(&s->cache, p);
		queue_retry(&s->queue, p, clock_system.monotonic_ns(&clock_system));
		queue_event(&s->queue, EVENT_POD_DELETE, clock_system.monotonic_ns(&clock_system));
		pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->lock);
}

static void run_unschedulable(struct pool_job *job)
{
	struct call_job *j = CONTAINER_OF(job, struct call_job, job);
	const struct pod_condition *old = pod_condition(j->pod, STR("PodScheduled"));
	const struct event_note note = {.component = SCHEDULER_NAME,
		.type = "Warning",
		.reason = "FailedScheduling",
		.action = "Scheduling",
		.about = j->pod};
	struct err e;

	events_note(j->s->events, &note, "%.*s", STR_ARG(j->message));
	bool told = old && str_eq(old->status, STR("False")) && str_eq(old->reason, j->reason) &&
		str_eq(old->message, j->message) &&
		str_eq(j->pod->status.nominated_node_name, j->nominated);
	if (!told &&
		patch_condition(j, "PodScheduled", "False", j->reason, j->message, true, &e) < 0 &&
		e.kind != ERR_NOT_FOUND)
		log_warning("telling why %.*s waits: %s", STR_ARG(j->pod->metadata.name), e.text);
	end(j);
}

static void run_evict(struct pool_job *job)
{
	struct call_job *j = CONTAINER_OF(job, struct call_job, job);
	const struct event_note note = {.component = SCHEDULER_NAME,
		.type = "Normal",
		.reason = "Preempted",
		.action = "Preempting",
		.about = j->pod};
	struct client_delete how = {.uid = j->uid};
	struct err e;

	if (patch_condition(j, "DisruptionTarget", "True", STR("PreemptionByScheduler"),
		    STR(SCHEDULER_NAME ": preempting to accommodate a higher priority pod"), false,
		    &e) < 0 ||
		client_delete(j->s->client, &j->arena, target_of(j->pod), &how, &e) < 0) {
		if (e.kind != ERR_NOT_FOUND)
			log_warning("preempting %.*s: %s", STR_ARG(j->pod->metadata.name), e.text);
	} else {
		events_note(j->s->events, &note, "Preempted by pod %.*s on node %.*s",
			STR_ARG(j->preemptor_uid), STR_ARG(j->node));
	}
	end(j);
}

static void end(struct call_job *j)
{
	arena_free(&j->arena);
	free(j);
}

static void put_text(struct buf *b, const char *name, str value)
{
	buf_add_fmt(b, ",\"%s\":", name);
	json_put_str(b, value);
}

static int patch_condition(struct call_job *j, const char *type, const char *status, str reason,
	str message, bool nominates, struct err *e)
{
	struct time_value now = meta_now(&clock_system);
	struct target t = target_of(j->pod);
	struct buf b, time;

	buf_init(&b, BUF_NO_LIMIT);
	buf_init(&time, BUF_NO_LIMIT);
	time_put(&time, &now);
	buf_add_fmt(&b,
		"{\"metadata\":{\"uid\":\"%.*s\"},\"status\":{\"conditions\":[{\"type\":\"%s\","
		"\"status\":\"%s\",\"lastProbeTime\":null",
		STR_ARG(j->uid), type, status);
	put_text(&b, "reason", reason);
	put_text(&b, "message", message);
	put_text(&b, "lastTransitionTime", buf_str(&time));
	buf_add_fmt(&b, ",\"observedGeneration\":%lld", (long long)j->pod->metadata.generation);
	buf_add_str(&b, STR("}]"));
	if (nominates && !str_eq(j->pod->status.nominated_node_name, j->nominated))
		put_text(&b, "nominatedNodeName", j->nominated);
	buf_add_str(&b, STR("}}"));
	t.sub = STR("status");
	int done = client_patch(j->s->client, &j->arena, t, PATCH_STRATEGIC, buf_str(&b), NULL, e);
	buf_free(&time);
	buf_free(&b);
	return done;
}
