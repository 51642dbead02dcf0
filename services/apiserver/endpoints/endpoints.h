/*
 * Endpoints: HTTP requests of the Kubernetes API, from the head of a request to the last byte of
 * its answer: apiserver/pkg/endpoints and the filters of apiserver/pkg/server. One struct endpoints
 * serves the whole process, one struct endpoints_io each event loop.
 *
 * Reads, watches and discovery are answered on the loop that has the connection; what can block is
 * a job for the pool and comes back by loop_post.
 */
#pragma once

#include "apiserver/aggregator/aggregator.h"
#include "apiserver/apiextensions/apiextensions.h"
#include "apiserver/authentication/authenticator.h"
#include "apiserver/registry/registry.h"
#include "lib/daemon/health.h"
#include "lib/http/server.h"
#include "lib/loop/pool.h"

struct endpoints_server;
struct endpoints_io;

struct endpoints_options {
	struct storage *storage;
	struct authenticator *authenticator;
	struct metrics *metrics; /* made with endpoints_metrics behind `metrics_first` rows */
	size_t metrics_first;
	struct pool *workers;
	const struct clock *clock;
	struct random *random;
	const struct health *health;
	int max_requests,
		max_mutating;       /* --max-requests-inflight, --max-mutating-...; 0: no limit */
	int64_t request_timeout_ns; /* of what is no watch */
	int64_t min_request_timeout_ns; /* a watch lasts between this and twice it */
	str advertise_address;          /* serverAddressByClientCIDRs */
};

extern const struct metric endpoints_metrics[];
extern const size_t endpoints_metric_count;

NODISCARD int endpoints_open(
	const struct endpoints_options *o, struct endpoints_server **to, struct err *e);

/* Before the first request. */
void endpoints_set(struct endpoints_server *p, struct registry *registry,
	struct authorizer *authorizer, struct extensions *extensions,
	struct aggregator *aggregator);

/* Behind every io's close. */
void endpoints_close(struct endpoints_server *p);

NODISCARD int endpoints_io_open(
	struct endpoints_server *p, struct loop *l, struct endpoints_io **to, struct err *e);
void endpoints_io_close(struct endpoints_io *io);
struct http_handler *endpoints_handler(struct endpoints_io *io);

/* The loop's end of the storage, for whoever else watches on this loop. */
struct storage_io *endpoints_storage_io(struct endpoints_io *io);

/* Ends every watch of this loop, as at their timeouts; on its thread. */
void endpoints_end_watches(struct endpoints_io *io);
