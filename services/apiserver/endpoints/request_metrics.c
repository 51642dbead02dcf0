#include "apiserver/endpoints/request_metrics.h"

#include <stdlib.h>

static const double duration_buckets[] = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25,
	1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60};

enum { METRIC_REQUESTS, METRIC_DURATION, METRIC_INFLIGHT, METRIC_LONGRUNNING };

const struct metric endpoints_metrics[] = {
	[METRIC_REQUESTS] = {"apiserver_request_total",
		"Requests, by verb, what they were for and how they were answered.", METRIC_COUNTER,
		METRIC_STABLE,
		{"code", "component", "dry_run", "group", "resource", "scope", "subresource",
			"verb"},
		NULL, 0},
	[METRIC_DURATION] = {"apiserver_request_duration_seconds",
		"How long requests took, from their head to their answer.", METRIC_HISTOGRAM,
		METRIC_STABLE,
		{"component", "dry_run", "group", "resource", "scope", "subresource", "verb"},
		duration_buckets, COUNT_OF(duration_buckets)},
	[METRIC_INFLIGHT] = {"apiserver_current_inflight_requests",
		"The most requests under way at once of late, by kind.", METRIC_GAUGE,
		METRIC_STABLE, {"request_kind"}, NULL, 0},
	[METRIC_LONGRUNNING] = {"apiserver_longrunning_requests", "Watches under way.",
		METRIC_GAUGE, METRIC_STABLE,
		{"component", "group", "resource", "scope", "subresource", "verb"}, NULL, 0},
};
const size_t endpoints_metric_count = COUNT_OF(endpoints_metrics);

struct request_metrics {
	struct metrics *metrics;
	size_t first;
	struct series *reading, *mutating;
};

struct request_metrics *request_metrics_new(struct metrics *m, size_t first)
{
	static const str reading[] = {STR_INIT("readOnly")}, mutating[] = {STR_INIT("mutating")};
	struct request_metrics *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->metrics = m;
	r->first = first;
	r->reading = metrics_series(m, first + METRIC_INFLIGHT, reading);
	r->mutating = metrics_series(m, first + METRIC_INFLIGHT, mutating);
	return r;
}

void request_metrics_free(struct request_metrics *m)
{
	free(m);
}

static str scope_of(const struct request *r)
{
	if (!r->info.is_resource)
		return STR("");
	if (r->info.name.len)
		return STR("resource");
	return r->info.ns.len ? STR("namespace") : STR("cluster");
}

static str verb_of(const struct request *r)
{
	static const struct {
		const char *verb, *shown;
	} table[] = {
		{"get", "GET"},
		{"list", "LIST"},
		{"watch", "WATCH"},
		{"create", "POST"},
		{"post", "POST"},
		{"update", "PUT"},
		{"put", "PUT"},
		{"patch", "PATCH"},
		{"delete", "DELETE"},
		{"deletecollection", "DELETECOLLECTION"},
	};

	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (str_eq(r->info.verb, str_of(table[i].verb)))
			return str_of(table[i].shown);
	return STR("other");
}

/* Names that nobody serves are one series. */
static str group_of(const struct request *r)
{
	return r->resource ? r->resource->group : STR("");
}

static str resource_of(const struct request *r)
{
	return r->resource ? r->resource->plural : STR("");
}

static str subresource_of(const struct request *r)
{
	return r->sub ? r->sub->name : STR("");
}

void request_metrics_count(struct request *r, int code)
{
	struct request_metrics *m = r->endpoints->metrics;
	const struct clock *clock = r->io->loop->clock;
	char number[16];
	int len = snprintf(number, sizeof(number), "%d", code);
	const str values[] = {str_span(number, (size_t)len), STR("apiserver"),
		r->op.dry_run ? STR("All") : STR(""), group_of(r), resource_of(r), scope_of(r),
		subresource_of(r), verb_of(r)};

	if (code == 0)
		return;
	series_add(metrics_series(m->metrics, m->first + METRIC_REQUESTS, values), 1);
	if (!str_eq(r->info.verb, STR("watch")))
		series_observe(metrics_series(m->metrics, m->first + METRIC_DURATION, values + 1),
			(double)(clock->monotonic_ns(clock) - r->begun_ns) / NS_PER_S);
}

void request_metrics_inflight(struct endpoints_server *p)
{
	series_set(p->metrics->reading, atomic_load(&p->reading));
	series_set(p->metrics->mutating, atomic_load(&p->mutating));
}

void request_metrics_watching(struct request *r, int by)
{
	struct request_metrics *m = r->endpoints->metrics;
	const str values[] = {STR("apiserver"), group_of(r), resource_of(r), scope_of(r),
		subresource_of(r), verb_of(r)};

	series_add(metrics_series(m->metrics, m->first + METRIC_LONGRUNNING, values), by);
}
