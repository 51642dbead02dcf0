/*
 * The arithmetic of horizontal pod autoscaling, without server or clock: how many replicas a metric
 * asks for, and how much of that bounds, windows and rates let through.
 *
 * Units: values in thousandths, times in nanoseconds since 1970. Ownership: a history holds memory
 * of its own. Threading: one thread at a time.
 * Source: pkg/controller/podautoscaler/{replica_calculator,horizontal}.go, metrics/utilization.go.
 */
#pragma once

#include "api/kinds.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

/* How far the ratio of usage to target may be from one without anything being done. */
struct hpa_tolerance {
	double down, up;
};

enum hpa_group {
	HPA_READY,
	HPA_UNREADY, /* its measurement does not count yet */
	HPA_MISSING, /* not measured */
	HPA_IGNORED, /* going or failed */
	HPA_FOREIGN, /* measured, but no pod of the target */
};

/* A pod and what was measured of it. */
struct hpa_sample {
	str name;
	const struct pod *pod; /* NULL: HPA_FOREIGN */
	bool measured;
	int64_t value;
	int64_t at_ns, window_ns; /* of the measurement */
	int64_t request;          /* where a target is a utilization */
	enum hpa_group group;
};

struct hpa_samples {
	struct hpa_sample *at;
	size_t len, cap;
};

/* When the cpu usage of a pod says something. */
struct hpa_readiness {
	bool cpu; /* else only the phase counts */
	int64_t initialization_ns, delay_ns, now_ns;
};

enum hpa_group hpa_group(const struct hpa_sample *s, const struct hpa_readiness *r);

/* What pods should use on average: a percentage of their requests, or if that is 0 a value. */
struct hpa_target {
	int32_t utilization;
	int64_t value;
};

struct hpa_usage {
	int32_t replicas;
	int32_t utilization; /* in percent of the requests, where the target is one */
	int64_t average;
};

/* From samples whose groups and requests are set; changes their values. */
NODISCARD int hpa_average(struct hpa_samples *s, const struct hpa_target *target, int32_t current,
	const struct hpa_tolerance *t, struct hpa_usage *to, struct err *e);

/* From one value for all pods; `ready` is asked for only when current is not 0. */
int32_t hpa_of_value(int64_t usage, int64_t target, int32_t current, int64_t ready,
	const struct hpa_tolerance *t);

/* From one value to be shared by the pods; `usage` becomes each pod's part. */
int32_t hpa_of_share(
	int64_t *usage, int64_t target, int32_t current, const struct hpa_tolerance *t);

bool hpa_tolerates(const struct hpa_tolerance *t, double ratio) PURE;

/* --- from what is wanted to what is done */

struct hpa_mark {
	int32_t replicas; /* recommended, or by how many they changed */
	int64_t at_ns;
};

struct hpa_marks {
	struct hpa_mark *at;
	size_t len, cap;
};

struct hpa_history {
	struct hpa_marks recommended, ups, downs;
};

struct hpa_bounds {
	int32_t min, max, current;
	const struct horizontal_pod_autoscaler_behavior *behavior; /* defaulted; NULL: none */
	int64_t down_window_ns; /* where the behavior names none */
	int64_t now_ns;
};

struct hpa_verdict {
	int32_t replicas;
	const char *able_reason, *able_message; /* of condition AbleToScale */
	bool limited;
	const char *limit_reason, *limit_message; /* of condition ScalingLimited */
};

void hpa_history_free(struct hpa_history *h);

/* The first recommendation is what there is. */
void hpa_history_begin(struct hpa_history *h, int32_t current, int64_t now_ns);

/* Remembers the recommendation. */
void hpa_decide(
	struct hpa_history *h, const struct hpa_bounds *b, int32_t wanted, struct hpa_verdict *to);

/* Remembers that the target was scaled from bounds.current, as far as rates need it. */
void hpa_scaled(struct hpa_history *h, const struct hpa_bounds *b, int32_t replicas);
