/*
 * What is asked of pods everywhere (pkg/api/v1/pod, component-helpers, kubectl's qos).
 *
 * Lifetimes: results point into the pod or live in the arena. Threading: any.
 */
#pragma once

#include "api/core_v1.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

/* NULL if there is none. */
const struct pod_condition *pod_condition(const struct pod *p, str type);

/* Adds or replaces one condition; its time of transition moves only when the status does. True if
 * something changed. */
bool pod_set_condition(
	struct arena *a, struct pod *p, struct pod_condition c, const struct clock *clock);

/* Succeeded or Failed. */
bool pod_is_finished(const struct pod *p) PURE;

/* Condition Ready is True. */
bool pod_is_ready(const struct pod *p) PURE;

/* Guaranteed, Burstable or BestEffort, from the requests and limits of cpu and memory. */
str pod_qos(const struct pod_spec *s) PURE;
