#include "apiserver/callout/callout.h"

#include "api/kinds.h"
#include "apiserver/callout/service.h"
#include "lib/base/map.h"
#include "lib/http/url.h"

#include <pthread.h>
#include <stdlib.h>

enum { PLACES_MAX = 64, HTTPS = 443 };

/* Where connections go: one address, seen under one name, trusted by one bundle. */
struct callout_place {
	struct transport *transport;
	str key;
	size_t calls; /* under way; the lock's */
	uint64_t used;
};

struct callouts {
	struct callouts_options options;
	struct transport *first; /* lends its thread to all others */
	pthread_mutex_t lock;
	struct map places;
	uint64_t clock; /* counts uses */
};

/* What a target comes to. */
struct route {
	str address, server_name, authority, path;
};

static int find_route(struct callouts *c, const struct callout_target *t, struct callout *call,
	struct route *to, struct err *e);
static int enter(struct callouts *c, struct arena *a, const struct route *r,
	const struct callout_target *t, struct callout_place **to, struct err *e);
static void drop_oldest(struct callouts *c);
static void wake(struct call *call);

int callouts_open(const struct callouts_options *o, struct callouts **to, struct err *e)
{
	struct callouts *c = calloc(1, sizeof(*c));
	const struct kubeconfig nowhere = {.server = STR("http://127.0.0.1:9")};
	const struct transport_options t = {.config = &nowhere, .clock = o->clock};

	if (!c)
		return err_set(e, ERR_SYSTEM, "no memory for callouts");
	c->options = *o;
	if (transport_open(&t, &c->first, e) < 0) {
		free(c);
		return -1;
	}
	pthread_mutex_init(&c->lock, NULL);
	map_init(&c->places);
	*to = c;
	return 0;
}

static void free_place(struct callout_place *p)
{
	transport_close(p->transport);
	free((char *)(uintptr_t)p->key.at);
	free(p);
}

void callouts_close(struct callouts *c)
{
	map_each (&c->places, place)
		free_place(place->value);
	map_free(&c->places);
	pthread_mutex_destroy(&c->lock);
	transport_close(c->first);
	free(c);
}

static void prepare(struct callout *call)
{
	call->call = (struct call){.method = STR("POST"),
		.body = call->body,
		.timeout_ns = call->timeout_ns,
		.done = wake,
		.owner = call,
		.headers = {{STR("Content-Type"), STR("application/json")},
			{STR("Accept"), STR("application/json, */*")},
			{STR("User-Agent"), STR("kube-apiserver-admission")}},
		.header_count = 3};
	if (call->header_count == 0)
		return;
	call->call.method = STR("GET");
	call->call.header_count = call->header_count;
	memcpy(call->call.headers, call->headers, call->header_count * sizeof(*call->headers));
}

void callout_start(struct callouts *c, const struct callout_target *t, struct callout *call)
{
	struct route route;

	call->callouts = c;
	call->place = NULL;
	call->error = (struct err){.kind = ERR_NONE};
	arena_init(&call->arena, ARENA_NO_LIMIT);
	buf_init(&call->answer, CALLOUT_ANSWER_BYTES_MAX);
	sem_init(&call->done, 0, 0);
	prepare(call);
	if (find_route(c, t, call, &route, &call->error) < 0 ||
		enter(c, &call->arena, &route, t, &call->place, &call->error) < 0) {
		sem_post(&call->done);
		return;
	}
	call->call.target = route.path;
	transport_start(call->place->transport, &call->call);
}

static void wake(struct call *call)
{
	sem_post(&((struct callout *)call->owner)->done);
}

/* What client-go makes of an answer that is no success. */
static int refuse(struct callout *call, struct err *e)
{
	str body = buf_str(&call->answer);
	void *status;
	struct err ignored;

	if (object_decode(&call->arena, api_type(API_STATUS), FORMAT_JSON, body, &status, NULL,
		    &ignored) == 0 &&
		((struct status *)status)->message.len > 0)
		return err_set(
			e, ERR_UNAVAILABLE, "%.*s", STR_ARG(((struct status *)status)->message));
	if (call->status == 404)
		return err_set(
			e, ERR_UNAVAILABLE, "the server could not find the requested resource");
	if (call->status >= 500)
		return err_set(e, ERR_UNAVAILABLE,
			"an error on the server (\"%.*s\") has prevented the request from "
			"succeeding",
			(int)(body.len < 256 ? body.len : 256), body.at);
	return err_set(e, ERR_UNAVAILABLE,
		"the server responded with the status code %d but did not return more information",
		call->status);
}

int callout_wait(struct callout *call, struct err *e)
{
	struct callouts *c = call->callouts;
	int result = 0;

	while (sem_wait(&call->done) < 0)
		;
	sem_destroy(&call->done);
	if (call->place) {
		pthread_mutex_lock(&c->lock);
		call->place->calls--;
		pthread_mutex_unlock(&c->lock);
		call->error = call->call.error;
		call->status = call->call.status;
		buf_free(&call->answer);
		call->answer = call->call.answer;
	}
	if (call->error.kind == ERR_TIMEOUT)
		result = err_set(
			e, ERR_TIMEOUT, "%.*s: context deadline exceeded", STR_ARG(call->shown));
	else if (call->error.kind != ERR_NONE)
		result = err_set(
			e, call->error.kind, "%.*s: %s", STR_ARG(call->shown), call->error.text);
	else if (call->status >= 400)
		result = refuse(call, e);
	arena_free(&call->arena);
	return result;
}

/* --- where */

static str query_of(struct callout *call)
{
	if (call->header_count)
		return STR("");
	return arena_fmt(&call->arena, "?timeout=%llds",
		(long long)((call->timeout_ns + NS_PER_S - 1) / NS_PER_S));
}

static int route_to_service(struct callouts *c, const struct callout_target *t,
	struct callout *call, struct route *to, struct err *e)
{
	struct arena *a = &call->arena;
	const struct service_ask ask = {
		.storage = c->options.storage,
		.ns = t->service_ns,
		.name = t->service_name,
		.port = t->service_port ? t->service_port : HTTPS,
		.endpoints = c->options.endpoint_routing,
		.turn = (unsigned)__atomic_fetch_add(&c->clock, 1, __ATOMIC_RELAXED),
	};

	to->server_name = arena_fmt(
		a, "%.*s.%.*s.svc", STR_ARG(t->service_name), STR_ARG(t->service_ns));
	to->authority = arena_fmt(a, "%.*s:%d", STR_ARG(to->server_name), ask.port);
	to->path = arena_fmt(a, "%s%.*s%.*s", str_starts(t->service_path, STR("/")) ? "" : "/",
		STR_ARG(t->service_path), STR_ARG(query_of(call)));
	call->shown = arena_fmt(a, "%s \"https://%.*s%.*s\"", call->header_count ? "Get" : "Post",
		STR_ARG(to->authority), STR_ARG(to->path));
	return service_resolve(a, &ask, &to->address, e);
}

static int find_route(struct callouts *c, const struct callout_target *t, struct callout *call,
	struct route *to, struct err *e)
{
	struct arena *a = &call->arena;
	struct url url;

	*to = (struct route){0};
	if (!t->url.at)
		return route_to_service(c, t, call, to, e);
	call->shown = arena_fmt(a, "Post \"%.*s%.*s\"", STR_ARG(t->url), STR_ARG(query_of(call)));
	if (url_parse(t->url, &url, e) < 0)
		return -1;
	bool v6 = str_find_char(url.host, ':') >= 0;

	to->address = arena_fmt(
		a, "%s%.*s%s:%d", v6 ? "[" : "", STR_ARG(url.host), v6 ? "]" : "", url.port);
	to->server_name = url.host;
	to->authority = to->address;
	to->path = arena_fmt(a, "%.*s%.*s", STR_ARG(url.path), STR_ARG(query_of(call)));
	return 0;
}

static int open_place(struct callouts *c, struct arena *a, const struct route *r,
	const struct callout_target *t, str key, struct callout_place **to, struct err *e)
{
	const struct kubeconfig where = {
		.server = arena_fmt(a, "https://%.*s", STR_ARG(r->address)),
		.tls_server_name = r->server_name,
		.ca_pem = t->ca_pem,
		.cert_pem = t->cert_pem,
		.key_pem = t->key_pem,
	};
	const struct transport_options o = {.config = &where,
		.clock = c->options.clock,
		.beside = c->first,
		.authority = r->authority};
	struct callout_place *p = calloc(1, sizeof(*p));
	char *text = malloc(key.len);

	if (!p || !text) {
		free(p);
		free(text);
		return err_set(e, ERR_SYSTEM, "no memory for a connection");
	}
	if (transport_open(&o, &p->transport, e) < 0) {
		free(p);
		free(text);
		return -1;
	}
	memcpy(text, key.at, key.len);
	p->key = str_span(text, key.len);
	*to = p;
	return 0;
}

/* The place, made when there is none; counted until callout_wait. */
static int enter(struct callouts *c, struct arena *a, const struct route *r,
	const struct callout_target *t, struct callout_place **to, struct err *e)
{
	str key = arena_fmt(a, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(r->address),
		STR_ARG(r->server_name), STR_ARG(r->authority), STR_ARG(t->ca_pem),
		STR_ARG(t->cert_pem));
	int result = 0;

	pthread_mutex_lock(&c->lock);
	struct callout_place *p = map_get(&c->places, key);

	if (!p) {
		if (c->places.len >= PLACES_MAX)
			drop_oldest(c);
		result = open_place(c, a, r, t, key, &p, e);
		if (result == 0)
			map_put(&c->places, p->key, p);
	}
	if (result == 0) {
		p->calls++;
		p->used = __atomic_fetch_add(&c->clock, 1, __ATOMIC_RELAXED);
		*to = p;
	}
	pthread_mutex_unlock(&c->lock);
	return result;
}

/* Of those that nobody uses; under the lock. */
static void drop_oldest(struct callouts *c)
{
	struct callout_place *oldest = NULL;

	map_each (&c->places, entry) {
		struct callout_place *p = entry->value;

		if (p->calls == 0 && (!oldest || p->used < oldest->used))
			oldest = p;
	}
	if (!oldest)
		return;
	map_remove(&c->places, oldest->key);
	free_place(oldest);
}
