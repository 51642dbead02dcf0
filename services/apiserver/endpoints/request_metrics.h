/*
 * What /metrics tells of requests: apiserver/pkg/endpoints/metrics.
 */
#pragma once

#include "apiserver/endpoints/request.h"

struct request_metrics *request_metrics_new(struct metrics *m, size_t first);
void request_metrics_free(struct request_metrics *m);

/* When a request ends. */
void request_metrics_count(struct request *r, int code);

/* Requests under way, as the gauges show them; `watching` is +1 or -1. */
void request_metrics_inflight(struct endpoints_server *p);
void request_metrics_watching(struct request *r, int by);
