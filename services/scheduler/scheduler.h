/*
 * kube-scheduler: gives every pod a node. One thread decides, a pod at a time, under the lock that
 * guards cache and queue; what it decided is told to the API server by a pool of threads, since
 * that waits; informers keep the cache up to date from the I/O thread.
 *
 * Source: pkg/scheduler/{schedule_one,eventhandlers}.go; kube-scheduler's configuration v1.
 */
#pragma once

#include "lib/client/election.h"
#include "lib/client/events.h"
#include "lib/client/informer.h"
#include "lib/daemon/daemon.h"
#include "lib/loop/pool.h"
#include "scheduler/flags.h"
#include "scheduler/queue.h"

#include <pthread.h>

struct scheduler {
	struct daemon d;
	struct settings settings;
	struct loop_task stop;
	struct kubeconfig config;
	struct transport *transport;
	struct client *client, *leases; /* elections do not wait behind bindings */
	struct informers *informers;
	struct informer *pods, *nodes, *namespaces, *budgets;
	struct informer_handler on_pod, on_node, on_namespace;
	struct events *events;
	struct election election;
	struct metrics *metrics;
	struct daemon_server *server;
	struct pool callers;
	pthread_t leader, decider;
	bool deciding, calling;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	struct cache cache;
	struct sched_queue queue;
	size_t next_start; /* the node that the next cycle looks at first */
	bool stopping;
};

#define SCHEDULER_NAME "default-scheduler"

int scheduler_main(int argc, char **argv);

/* event_handlers.c: the informers' news, on the I/O thread. */
void handlers_set(struct scheduler *s);

/* schedule_one.c: the thread that decides. */
void *decide(void *scheduler);

/* preemption.c: makes room for a pod that fits nowhere, with the lock held. The message that stands
 * behind the reasons; `*nominated` is the node where room is being made, or absent. */
str preempt(struct scheduler *s, struct cycle *c, const bool *hopeless, str *nominated);

/* calls.c: what the API server is told; each is done by the pool, later. */
void call_bind(struct scheduler *s, const struct pod_info *p, str node);
void call_unschedulable(
	struct scheduler *s, const struct pod_info *p, str reason, str message, str nominated);
void call_evict(struct scheduler *s, const struct pod_info *victim, const struct pod *preemptor);
