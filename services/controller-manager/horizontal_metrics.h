/*
 * What the metrics APIs answer: metrics.k8s.io/v1beta1, custom.metrics.k8s.io/v1beta2 or v1beta1,
 * external.metrics.k8s.io/v1beta1, asked as JSON through the API server.
 *
 * Results live in the pass's arena. Errors: upstream's words; an answer past METRICS_BYTES is
 * ERR_LIMIT. Source: pkg/controller/podautoscaler/metrics/client.go, k8s.io/metrics/pkg/client.
 */
#pragma once

#include "controller-manager/horizontal_math.h"
#include "lib/client/pass.h"

enum { METRICS_BYTES = 64 << 20 };

/* A metric by its name and the text of its selector. */
struct hpa_metric {
	str name, selector;
};

/* Of the pods that the selector takes; `container` empty: their containers together. */
NODISCARD int hpa_fetch_resource(struct pass *p, str selector, str resource, str container,
	struct hpa_samples *to, struct err *e);
NODISCARD int hpa_fetch_pods(struct pass *p, str selector, const struct hpa_metric *m,
	struct hpa_samples *to, struct err *e);
NODISCARD int hpa_fetch_object(struct pass *p, const struct cross_version_object_reference *of,
	const struct hpa_metric *m, int64_t *to, struct err *e);

/* The sum of all values. */
NODISCARD int hpa_fetch_external(
	struct pass *p, const struct hpa_metric *m, int64_t *to, struct err *e);

/* --- readers of answers; `a` bounds them, `to` and its texts live there */

/* A PodMetricsList. `*count`: of its items, those without the metric too. */
NODISCARD int hpa_read_pod_metrics(struct arena *a, str json, str resource, str container,
	struct hpa_samples *to, size_t *count, struct err *e);

/* A MetricValueList or an ExternalMetricValueList. */
NODISCARD int hpa_read_values(struct arena *a, str json, struct hpa_samples *to, struct err *e);
