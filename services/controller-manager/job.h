/*
 * One pass of a job, in parts: job.c decides, job_pods.c makes and deletes pods, job_track.c counts
 * finished ones once and for all, job_index.c keeps sets of indexes, job_policy.c reads the rules
 * for failures and success.
 *
 * A finished pod is counted so that a crash at any point neither loses it nor counts it twice: its
 * uid goes to status.uncountedTerminatedPods, its finalizer is removed, then the counter takes it.
 *
 * Source: kubernetes/pkg/controller/job.
 */
#pragma once

#include "controller-manager/pods.h"
#include "lib/client/expectations.h"

#include <pthread.h>

#define JOB_FINALIZER "batch.kubernetes.io/job-tracking"

/* Failures of a job since its last success. */
struct job_backoff {
	unsigned failures;
	int64_t last_s;
};

struct jobs {
	struct expectations *expectations;
	pthread_mutex_t lock;
	struct map
		*released; /* uids of pods whose finalizer is gone, though the cache may not know */
	struct map *backoffs; /* struct job_backoff by key */
};

/* Which indexes: a byte each. */
struct job_indexes {
	uint8_t *at;
	size_t len, count;
};

struct job_pass {
	struct pass *p;
	struct jobs *jobs;
	struct job *job;         /* a copy, its status is this pass's */
	struct object_list pods; /* all of the job's */
	struct object_list active;
	bool indexed, per_index;
	int32_t succeeded, failed, ready, terminating;
	struct job_indexes done, done_before,
		lost; /* succeeded, as the last pass left it, failed */
	struct job_backoff backoff;
	struct job_condition *finished; /* what the job comes to; NULL: nothing yet */
};

/* --- job_index.c */

/* "1,3-5" of so many indexes. */
struct job_indexes job_indexes_read(struct arena *a, str text, size_t completions);
str job_indexes_text(struct arena *a, const struct job_indexes *x);
void job_indexes_add(struct job_indexes *x, int64_t index);
bool job_indexes_has(const struct job_indexes *x, int64_t index);

/* -1: none. */
int64_t job_pod_index(const struct pod *p);

/* --- job_policy.c */

enum job_action { JOB_COUNT, JOB_IGNORE, JOB_FAIL, JOB_FAIL_INDEX };

/* What a failed pod means. `*message` is set for JOB_FAIL. */
enum job_action job_failure_action(
	struct arena *a, const struct job *j, const struct pod *p, str *message);

/* Whether the success policy is met; the message says by which rule. */
bool job_success_met(
	struct arena *a, const struct job *j, const struct job_indexes *done, str *message);

/* Failures of the pod's index, this one included. */
int32_t job_index_failures(struct arena *a, const struct job *j, const struct pod *p);

/* --- job_track.c */

bool job_pod_has_finalizer(struct job_pass *j, const struct pod *p);

/* Failed, or being deleted where that counts as failure. */
bool job_pod_is_failed(const struct job *j, const struct pod *p);

/* Counts, removes finalizers, writes the status. */
NODISCARD int job_track(struct job_pass *j, bool changed, struct err *e);

/* Adds or changes a condition; false if it is so already. */
bool job_set_condition(struct job_pass *j, str type, str status, str reason, str message);
const struct job_condition *job_condition(const struct job *j, str type);

/* A counted failed pod of an index that will be tried again keeps its finalizer until the new pod
 * carries the number of failures on. */
bool job_pod_is_kept(struct job_pass *j, const struct pod *p);

/* --- job_pods.c */

bool job_suspended(const struct job *j);

/* As many pods as there should be. `*action` says whether any were asked for. */
NODISCARD int job_manage_pods(struct job_pass *j, struct err *e);
NODISCARD int job_delete_active(struct job_pass *j, size_t *deleted, struct err *e);
