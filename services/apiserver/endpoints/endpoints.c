#include "apiserver/endpoints/endpoints.h"

#include "apiserver/endpoints/discovery.h"
#include "apiserver/endpoints/filters.h"
#include "apiserver/endpoints/openapi.h"
#include "apiserver/endpoints/proxy.h"
#include "apiserver/endpoints/request_metrics.h"
#include "apiserver/endpoints/watch_frame.h"

#include <stdlib.h>

int endpoints_open(const struct endpoints_options *o, struct endpoints_server **to, struct err *e)
{
	struct endpoints_server *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(e, ERR_SYSTEM, "no memory for the endpoints");
	p->o = *o;
	p->metrics = request_metrics_new(o->metrics, o->metrics_first);
	discovery_init(&p->discovery, o->advertise_address);
	if (openapi_new(&p->openapi, e) < 0) {
		endpoints_close(p);
		return -1;
	}
	*to = p;
	return 0;
}

void endpoints_set(struct endpoints_server *p, struct registry *registry,
	struct authorizer *authorizer, struct extensions *extensions, struct aggregator *aggregator)
{
	p->aggregator = aggregator;
	p->extensions = extensions;
	p->registry = registry;
	p->authorizer = authorizer;
}

void endpoints_close(struct endpoints_server *p)
{
	openapi_free(p->openapi);
	discovery_free(&p->discovery);
	request_metrics_free(p->metrics);
	free(p);
}

int endpoints_io_open(
	struct endpoints_server *p, struct loop *l, struct endpoints_io **to, struct err *e)
{
	struct endpoints_io *io = calloc(1, sizeof(*io));

	if (!io)
		return err_set(e, ERR_SYSTEM, "no memory for a loop's endpoints");
	io->handler.request = filters_run;
	io->endpoints = p;
	io->loop = l;
	if (storage_io_open(p->o.storage, l, &io->storage, e) < 0) {
		free(io);
		return -1;
	}
	*to = io;
	return 0;
}

void endpoints_io_close(struct endpoints_io *io)
{
	proxy_close(io);
	frames_forget(io);
	storage_io_close(io->storage);
	free(io);
}

struct http_handler *endpoints_handler(struct endpoints_io *io)
{
	return &io->handler;
}

struct storage_io *endpoints_storage_io(struct endpoints_io *io)
{
	return io->storage;
}
