/*
 * Pods as controllers make, judge and delete them.
 *
 * Source: kubernetes/pkg/controller/controller_utils.go, pkg/api/v1/pod/util.go.
 */
#pragma once

#include "controller-manager/objects.h"
#include "lib/api/pod.h"

/* Neither finished nor being deleted. */
bool pod_is_active(const void *pod);
bool pod_is_terminating(const void *pod); /* being deleted and not finished */

/* Ready for so long. */
bool pod_is_available(const struct pod *p, int32_t min_ready_s, int64_t now_s);

/* The time until the next of these ready pods becomes available; 0: none will. */
int64_t pods_next_available_s(const struct object_list *pods, int32_t min_ready_s, int64_t now_s);

/* A pod by the template, controlled by `owner`, not sent yet. */
struct pod *pod_from_template(struct pass *p, const struct pod_template_spec *t, const void *owner);

/* With upstream's events on `owner`. */
NODISCARD int pod_create(struct pass *p, const struct pod *pod, const void *owner, struct err *e);

/* A pod that is gone already is deleted. */
NODISCARD int pod_delete(struct pass *p, const struct pod *pod, const void *owner, struct err *e);

/*
 * Puts those to be deleted first in front: not bound, not running, not ready, cheap by
 * controller.kubernetes.io/pod-deletion-cost, with most of `related` on the same node, ready for a
 * short time, restarted often, young. Times count by their logarithm.
 */
void pods_rank(struct pass *p, struct object_list *pods, const struct object_list *related);

/* Where a pod runs: a key for informers; pods without a node have "". */
view_key pod_by_node;

/* Patches the status: a condition that is true now, and with `failed` the phase. */
NODISCARD int pod_mark(struct pass *p, const struct pod *pod, bool failed, const char *type,
	const char *reason, const char *message, struct err *e);
