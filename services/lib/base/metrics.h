/*
 * Metrics in Prometheus' text exposition format 0.0.4. A component names its metrics in one table
 * and counts into series, one for each combination of label values.
 *
 * Ownership: the registry owns its series, which live until metrics_free. Threading: any; looking a
 * series up takes a lock, counting into it none. Units: seconds and bytes, as the names say.
 * Source: prometheus.io/docs/instrumenting/exposition_formats; stability marks as KEP-1209.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/str.h"

enum {
	METRIC_LABELS_MAX = 8,
	METRIC_SERIES_MAX = 10000, /* of a metric; what peers add beyond counts as "other" */
};

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum metric_stability { METRIC_ALPHA, METRIC_BETA, METRIC_STABLE };

struct metric {
	const char *name, *help;
	enum metric_kind kind;
	enum metric_stability stability;
	const char *labels[METRIC_LABELS_MAX]; /* ends at the first NULL */
	const double *buckets;                 /* histogram: upper bounds, rising, without +Inf */
	size_t bucket_count;
};

struct metrics;
struct series;

/* The table stays the caller's and must outlive the registry. */
struct metrics *metrics_new(const struct metric *table, size_t count);
void metrics_free(struct metrics *m);

/* Another component's table in the same registry: the number that its first row has there. */
size_t metrics_add(struct metrics *m, const struct metric *table, size_t count);

/* The series of table row `which` with these label values, as many as the row has labels. */
struct series *metrics_series(struct metrics *m, size_t which, const str *values);

void series_add(struct series *s, double by);
void series_set(struct series *s, double value);
void series_observe(struct series *s, double value);

/* All of it, sorted by name and label values, as upstream's registry writes it. */
void metrics_write(struct metrics *m, struct buf *to);
