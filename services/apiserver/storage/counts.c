#include "apiserver/storage/state.h"

/* Metrics, under upstream's names (storage/etcd3/metrics). Without a registry nobody counts. */

enum storage_metric {
	REQUEST_SECONDS,
	REQUESTS,
	REQUEST_ERRORS,
	OBJECTS,
	RESOURCE_OBJECTS,
	EVENTS_RECEIVED,
	DECODE_ERRORS,
	LEASE_OBJECTS,
};

static const double request_seconds[] = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25,
	1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60};
static const double lease_objects[] = {10, 50, 100, 500, 1000, 2500, 5000};

static const struct metric table[] = {
	[REQUEST_SECONDS] = {"etcd_request_duration_seconds",
		"How long etcd took for each operation, by what it was about.", METRIC_HISTOGRAM,
		METRIC_ALPHA, {"operation", "group", "resource"}, request_seconds,
		COUNT_OF(request_seconds)},
	[REQUESTS] = {"etcd_requests_total",
		"Requests to etcd, by operation and what they were about.", METRIC_COUNTER,
		METRIC_ALPHA, {"operation", "group", "resource"}, NULL, 0},
	[REQUEST_ERRORS] = {"etcd_request_errors_total",
		"Requests to etcd that failed, by operation and what they were about.",
		METRIC_COUNTER, METRIC_ALPHA, {"operation", "group", "resource"}, NULL, 0},
	[OBJECTS] = {"apiserver_storage_objects", "Objects that are stored, by resource.",
		METRIC_GAUGE, METRIC_STABLE, {"resource"}, NULL, 0},
	[RESOURCE_OBJECTS] = {"apiserver_resource_objects",
		"Objects that are stored, by group and resource.", METRIC_GAUGE, METRIC_ALPHA,
		{"group", "resource"}, NULL, 0},
	[EVENTS_RECEIVED] = {"apiserver_storage_events_received_total",
		"Events that etcd has told, by group and resource.", METRIC_COUNTER, METRIC_BETA,
		{"group", "resource"}, NULL, 0},
	[DECODE_ERRORS] = {"apiserver_storage_decode_errors_total",
		"Stored values that could not be decoded, by group and resource.", METRIC_COUNTER,
		METRIC_ALPHA, {"group", "resource"}, NULL, 0},
	[LEASE_OBJECTS] = {"etcd_lease_object_counts", "Objects that one lease of etcd ends.",
		METRIC_HISTOGRAM, METRIC_ALPHA, {NULL}, lease_objects, COUNT_OF(lease_objects)},
};

static const str operation_names[] = {
	[COUNT_CREATE] = STR_INIT("create"),
	[COUNT_UPDATE] = STR_INIT("update"),
	[COUNT_DELETE] = STR_INIT("delete"),
	[COUNT_GET] = STR_INIT("get"),
	[COUNT_LIST] = STR_INIT("list"),
};

static struct series *of_operation(
	struct storage *s, const struct cache *c, enum storage_metric m, enum count_operation op);
static struct series *of_cache(struct storage *s, const struct cache *c, enum storage_metric m);

void counts_init(struct storage *s)
{
	if (!s->metrics)
		return;
	s->first_metric = metrics_add(s->metrics, table, COUNT_OF(table));
	for (struct cache *c = s->first_cache; c; c = c->next)
		counts_of_cache(s, c);
}

void counts_of_cache(struct storage *s, struct cache *c)
{
	const struct resource *r = c->kind.resource;
	struct buf name;
	str text;

	if (!s->metrics)
		return;
	buf_init(&name, BUF_NO_LIMIT);
	buf_add_str(&name, r->plural);
	if (r->group.len > 0)
		buf_add_fmt(&name, ".%.*s", STR_ARG(r->group));
	text = buf_str(&name);
	c->objects = metrics_series(s->metrics, s->first_metric + OBJECTS, &text);
	c->resource_objects = of_cache(s, c, RESOURCE_OBJECTS);
	c->events = of_cache(s, c, EVENTS_RECEIVED);
	buf_free(&name);
}

int64_t count_begin(const struct storage *s)
{
	return s->metrics ? s->options.clock->monotonic_ns(s->options.clock) : 0;
}

void count_request(struct storage *s, const struct cache *c, enum count_operation op,
	int64_t began_ns, bool failed)
{
	if (!s->metrics)
		return;

	double took_s = (double)(count_begin(s) - began_ns) / (double)NS_PER_S;

	series_observe(of_operation(s, c, REQUEST_SECONDS, op), took_s);
	series_add(of_operation(s, c, REQUESTS, op), 1);
	if (failed)
		series_add(of_operation(s, c, REQUEST_ERRORS, op), 1);
}

void count_objects(struct cache *c)
{
	if (!c->objects)
		return;
	series_set(c->objects, (double)btree_count(c->root));
	series_set(c->resource_objects, (double)btree_count(c->root));
}

void count_event(struct cache *c)
{
	if (c->events)
		series_add(c->events, 1);
}

void count_undecodable(struct storage *s, const struct cache *c)
{
	if (s->metrics)
		series_add(of_cache(s, c, DECODE_ERRORS), 1);
}

void count_lease(struct storage *s, int objects)
{
	if (s->metrics && objects > 0)
		series_observe(
			metrics_series(s->metrics, s->first_metric + LEASE_OBJECTS, NULL), objects);
}

static struct series *of_operation(
	struct storage *s, const struct cache *c, enum storage_metric m, enum count_operation op)
{
	const struct resource *r = c->kind.resource;
	const str values[] = {operation_names[op], r->group, r->plural};

	return metrics_series(s->metrics, s->first_metric + m, values);
}

static struct series *of_cache(struct storage *s, const struct cache *c, enum storage_metric m)
{
	const str values[] = {c->kind.resource->group, c->kind.resource->plural};

	return metrics_series(s->metrics, s->first_metric + m, values);
}
