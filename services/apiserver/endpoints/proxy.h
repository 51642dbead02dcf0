/*
 * Requests that belong to an API server behind a Service: sent there over TLS with our certificate
 * and the name of who asks, on the loop that has the request; the answer streams back as fast as
 * the client takes it (kube-aggregator/pkg/apiserver/handler_proxy.go).
 */
#pragma once

#include "apiserver/endpoints/request.h"

/* False: it is ours to answer. */
bool proxy_handle(struct request *r);

/* Ends the watches that go through this loop. */
void proxy_end_watches(struct endpoints_io *io);

/* With no request left. */
void proxy_close(struct endpoints_io *io);
