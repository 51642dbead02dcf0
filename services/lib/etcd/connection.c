#include "lib/base/log.h"
#include "lib/etcd/client.h"
#include "lib/http/url.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	RETRY_FIRST_MS = 50,
	RETRY_MAX_MS = 1000,
	CONNECT_TIMEOUT_S = 5,
	PROBE_TIMEOUT_S = 3,
	PING_AFTER_S = 10,
	PING_TIMEOUT_S = 5,
};

/* A name being looked up. Outlives the client if need be: whoever comes last frees it. */
struct etcd_resolve {
	struct pool_job job;
	struct loop_task answered;
	struct loop *loop;
	struct etcd *client; /* NULL: nobody waits any more */
	struct url url;
	struct net_address address;
	struct err error;
	bool failed;
};

static int make_tls(struct etcd *c, struct err *e);
static int check_endpoints(const struct etcd *c, struct err *e);
static void connect_next(struct loop_timer *t);
static int connect_to(struct etcd *c, const struct url *u, struct err *e);
static int resolve(struct etcd *c, const struct url *u, struct err *e);
static void run_resolve(struct pool_job *j);
static void resolved(struct loop_task *t);
static int open_http(
	struct etcd *c, const struct url *u, const struct net_address *at, struct err *e);
static void probe_message(struct grpc_call *g, str message);
static void probe_done(struct grpc_call *g, enum grpc_code code, const struct err *e);
static void connection_closed(struct loop_task *t);
static void retire(struct loop_task *t);
static void release(struct loop_task *t);

static const struct grpc_events probe_events = {.message = probe_message, .done = probe_done};

int etcd_open(const struct etcd_options *o, struct etcd **to, struct err *e)
{
	struct etcd *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(e, ERR_SYSTEM, "no memory for a client of etcd");
	c->loop = o->loop;
	c->options = *o;
	if (c->options.call_timeout_ns == 0)
		c->options.call_timeout_ns = ETCD_CALL_TIMEOUT_S * NS_PER_S;
	if (c->options.wait_timeout_ns == 0)
		c->options.wait_timeout_ns = ETCD_WAIT_TIMEOUT_S * NS_PER_S;
	c->retry.due = connect_next;
	c->closed.run = connection_closed;
	c->retire.run = retire;
	c->release.run = release;
	err_write(&c->why, ERR_UNAVAILABLE, "not connected yet");
	if (check_endpoints(c, e) < 0 || make_tls(c, e) < 0) {
		free(c);
		return -1;
	}
	loop_timer_set(c->loop, &c->retry, c->loop->now_ns);
	*to = c;
	return 0;
}

void etcd_close(struct etcd *c)
{
	struct err e;

	c->phase = ETCD_DOWN;
	err_write(&e, ERR_CLOSED, "the client of etcd is closed");
	loop_timer_clear(c->loop, &c->retry);
	loop_undefer(c->loop, &c->retire);
	grpc_cancel(&c->probe);
	etcd_watches_close(c, &e);
	etcd_calls_close(c, &e);
	if (c->http)
		http_client_free(c->http);
	if (c->resolving)
		c->resolving->client = NULL;
	if (c->has_pool)
		pool_free(&c->pool);
	c->http = NULL;
	tls_context_drop(c->tls);
	cert_roots_drop(c->roots);
	/* News of the connection may wait in the loop, in front of this. */
	loop_post(c->loop, &c->release);
}

bool etcd_is_up(const struct etcd *c)
{
	return c->phase == ETCD_UP;
}

const struct err *etcd_error(const struct etcd *c)
{
	return &c->why;
}

struct grpc_options etcd_grpc(const struct etcd *c, const char *method)
{
	return (struct grpc_options){.method = str_of(method),
		.authority = str_of(c->authority),
		.message_bytes_max = ETCD_MESSAGE_BYTES_MAX};
}

/* Not at once: we may be inside a call of the connection. */
void etcd_lost(struct etcd *c, const struct err *why)
{
	bool was_up = c->phase == ETCD_UP;

	if (c->phase == ETCD_DOWN)
		return;
	c->phase = ETCD_DOWN;
	c->failures = was_up ? 1 : c->failures + 1;
	c->endpoint = (c->endpoint + 1) % c->options.endpoints.len;
	c->why = *why;
	loop_defer(c->loop, &c->retire);
	if (was_up && c->options.changed)
		c->options.changed(c, c->options.owner);
}

static int check_endpoints(const struct etcd *c, struct err *e)
{
	struct url u;

	if (c->options.endpoints.len == 0)
		return err_set(e, ERR_INVALID, "no endpoint of etcd is given");
	for (size_t i = 0; i < c->options.endpoints.len; i++) {
		TRY(url_parse(c->options.endpoints.at[i], &u, e));
		if (u.host.len + sizeof("[]:65535") > ETCD_AUTHORITY_BYTES)
			return err_set(e, ERR_INVALID, "the name of an endpoint is too long");
	}
	return 0;
}

static int make_tls(struct etcd *c, struct err *e)
{
	struct tls_options o = {.cert_pem = c->options.cert_pem,
		.key_pem = c->options.key_pem,
		.protocols = TLS_HTTP2};

	if (!c->options.ca_pem.at)
		return 0;
	TRY(cert_roots_read(c->options.ca_pem, &c->roots, e));
	o.roots = c->roots;
	if (tls_client_context(&o, &c->tls, e) < 0) {
		cert_roots_drop(c->roots);
		return -1;
	}
	return 0;
}

static void connect_next(struct loop_timer *t)
{
	struct etcd *c = CONTAINER_OF(t, struct etcd, retry);
	struct url u;
	struct err e;

	c->phase = ETCD_PROBING;
	if (url_parse(c->options.endpoints.at[c->endpoint], &u, &e) < 0 ||
		connect_to(c, &u, &e) < 0)
		etcd_lost(c, &e);
}

static int connect_to(struct etcd *c, const struct url *u, struct err *e)
{
	struct net_address at;
	struct err no_literal;

	if (str_eq(u->scheme, STR("https")) && !c->tls)
		return err_set(e, ERR_INVALID, "an https endpoint of etcd needs a CA file");
	if (net_address_parse(u->host, u->port, &at, &no_literal) < 0)
		return resolve(c, u, e);
	return open_http(c, u, &at, e);
}

static int resolve(struct etcd *c, const struct url *u, struct err *e)
{
	struct etcd_resolve *r;

	if (!c->has_pool)
		TRY(pool_init(&c->pool, 1, 1, e));
	c->has_pool = true;
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(e, ERR_SYSTEM, "no memory to look up a name");
	*r = (struct etcd_resolve){.job.run = run_resolve,
		.answered.run = resolved,
		.loop = c->loop,
		.client = c,
		.url = *u};
	if (pool_give(&c->pool, &r->job, e) < 0) {
		free(r);
		return -1;
	}
	c->resolving = r;
	c->phase = ETCD_RESOLVING;
	return 0;
}

static void run_resolve(struct pool_job *j)
{
	struct etcd_resolve *r = CONTAINER_OF(j, struct etcd_resolve, job);
	size_t len;

	r->failed = net_resolve(r->url.host, r->url.port, &r->address, 1, &len, &r->error) < 0;
	loop_post(r->loop, &r->answered);
}

static void resolved(struct loop_task *t)
{
	struct etcd_resolve *r = CONTAINER_OF(t, struct etcd_resolve, answered);
	struct etcd *c = r->client;

	if (c) {
		c->resolving = NULL;
		c->phase = ETCD_PROBING;
		if (r->failed || open_http(c, &r->url, &r->address, &r->error) < 0)
			etcd_lost(c, &r->error);
	}
	free(r);
}

static int open_http(
	struct etcd *c, const struct url *u, const struct net_address *at, struct err *e)
{
	const struct etcd_range health = {.key = STR("health"), .limit = 1, .keys_only = true};
	bool is_v6 = str_find_char(u->host, ':') >= 0;
	struct http_client_options o = http_client_defaults();
	struct buf request;
	int result;

	snprintf(c->authority, sizeof(c->authority), is_v6 ? "[%.*s]:%u" : "%.*s:%u",
		STR_ARG(u->host), (unsigned)u->port);
	o.loop = c->loop;
	o.address = *at;
	o.tls = str_eq(u->scheme, STR("https")) ? c->tls : NULL;
	o.peer_name = u->host;
	o.connect_timeout_ns = CONNECT_TIMEOUT_S * NS_PER_S;
	o.ping_after_ns = PING_AFTER_S * NS_PER_S;
	o.ping_timeout_ns = PING_TIMEOUT_S * NS_PER_S;
	o.closed = &c->closed;
	TRY(http_client_open(&o, &c->http, e));

	struct grpc_options probe = etcd_grpc(c, "/etcdserverpb.KV/Range");

	probe.timeout_ns = PROBE_TIMEOUT_S * NS_PER_S;
	c->probe.events = &probe_events;
	c->probed = false;
	buf_init(&request, BUF_NO_LIMIT);
	etcd_put_range(&request, &health);
	result = grpc_call(c->http, &c->probe, &probe, buf_str(&request), e);
	buf_free(&request);
	return result;
}

static void probe_message(struct grpc_call *g, UNUSED str message)
{
	CONTAINER_OF(g, struct etcd, probe)->probed = true;
}

static void probe_done(struct grpc_call *g, UNUSED enum grpc_code code, const struct err *e)
{
	struct etcd *c = CONTAINER_OF(g, struct etcd, probe);
	struct err why;

	if (e || !c->probed) {
		err_write(&why, ERR_UNAVAILABLE, "%s: %s", c->authority,
			e ? e->text : "an answer without a message");
		etcd_lost(c, &why);
		return;
	}
	c->phase = ETCD_UP;
	c->failures = 0;
	c->why.kind = ERR_NONE;
	if (c->options.changed)
		c->options.changed(c, c->options.owner);
	etcd_calls_begin(c);
	etcd_watches_begin(c);
}

static void connection_closed(struct loop_task *t)
{
	struct etcd *c = CONTAINER_OF(t, struct etcd, closed);

	/* Posted by a connection that has been replaced meanwhile: not about this one. */
	if (c->http && !http_client_usable(c->http))
		etcd_lost(c, http_client_error(c->http));
}

/* A client that has lost all its endpoints in a row pauses, ever longer. */
static void retire(struct loop_task *t)
{
	struct etcd *c = CONTAINER_OF(t, struct etcd, retire);
	size_t rounds = c->failures / c->options.endpoints.len;
	int64_t pause_ms = 0;

	if (c->http)
		http_client_free(c->http);
	c->http = NULL;
	if (c->failures % c->options.endpoints.len == 0) {
		pause_ms = rounds < 5 ? (int64_t)RETRY_FIRST_MS << (rounds - 1) : RETRY_MAX_MS;
		log_warning("etcd cannot be reached: %s", c->why.text);
	}
	loop_timer_set(c->loop, &c->retry, c->loop->now_ns + pause_ms * NS_PER_MS);
}

static void release(struct loop_task *t)
{
	free(CONTAINER_OF(t, struct etcd, release));
}
