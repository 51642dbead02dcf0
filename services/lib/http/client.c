#include "lib/http/client.h"

#include "lib/http/connection.h"

#include <stdlib.h>

enum {
	HEAD_BYTES_MAX = 1 << 20,
	HEAD_FIELDS_MAX = 1000,
	CONNECT_TIMEOUT_S = 30,
	PING_AFTER_S = 30,
	PING_TIMEOUT_S = 15,
};

struct http_client {
	struct http_keeper keeper;
	struct http_limits limits;
	struct loop *loop;
	struct http_connection *connection; /* NULL once it is gone */
	struct loop_task *closed;
	struct err why;
};

static void forget(struct http_keeper *k, struct http_connection *c);
static int describe(struct http_exchange *x, const struct http_call *call, struct err *e);

struct http_client_options http_client_defaults(void)
{
	return (struct http_client_options){
		.http2 = true,
		.head_bytes_max = HEAD_BYTES_MAX,
		.head_fields_max = HEAD_FIELDS_MAX,
		.memory = http_memory_for(HEAD_BYTES_MAX),
		.connect_timeout_ns = CONNECT_TIMEOUT_S * NS_PER_S,
		.ping_after_ns = PING_AFTER_S * NS_PER_S,
		.ping_timeout_ns = PING_TIMEOUT_S * NS_PER_S,
	};
}

static void destroy(struct counted *c)
{
	free(CONTAINER_OF(c, struct http_client, keeper.counted));
}

int http_client_open(const struct http_client_options *o, struct http_client **to, struct err *e)
{
	struct http_client *c = calloc(1, sizeof(*c));
	int fd;

	if (!c)
		return err_set(e, ERR_SYSTEM, "no memory for a client");
	c->loop = o->loop;
	c->closed = o->closed;
	c->limits = (struct http_limits){
		.head_bytes_max = o->head_bytes_max,
		.head_fields_max = o->head_fields_max,
		.memory = o->memory,
		.head_timeout_ns = o->connect_timeout_ns,
		.ping_after_ns = o->ping_after_ns,
		.ping_timeout_ns = o->ping_timeout_ns,
	};
	c->keeper = (struct http_keeper){
		.exchanges_max = SIZE_MAX,
		.limits = &c->limits,
		.gone = forget,
	};
	counted_init(&c->keeper.counted, destroy);
	if (net_connect(&o->address, &fd, e) < 0 ||
		http_connection_open(&c->keeper, o->loop, fd, &o->address, o->tls, o->peer_name,
			false, o->http2, &c->connection, e) < 0) {
		free(c);
		return -1;
	}
	*to = c;
	return 0;
}

void http_client_free(struct http_client *c)
{
	c->closed = NULL;
	if (c->connection)
		http_connection_destroy(c->connection);
	counted_drop(&c->keeper.counted);
}

bool http_client_usable(const struct http_client *c)
{
	const struct http_connection *k = c->connection;

	return k && !k->draining && !k->closing && !k->saw_end && k->phase < HTTP_LINGERING;
}

const struct err *http_client_error(const struct http_client *c)
{
	return c->connection ? &c->connection->why : &c->why;
}

int http_call(struct http_client *c, const struct http_call *call, struct http_exchange **to,
	struct err *e)
{
	struct http_exchange *x;

	if (!http_client_usable(c))
		return err_set(e, ERR_CLOSED, "the connection is closed");
	x = http_exchange_new(c->connection);
	if (!x)
		return err_set(e, ERR_SYSTEM, "no memory for a call");
	x->events = call->events;
	x->owner = call->owner;
	x->out_ended = !call->streams;
	http_queue_copy(&x->out, call->body);

	bool open = c->connection->phase == HTTP_OPEN;

	if (describe(x, call, e) < 0 || (open && c->connection->protocol->send_request(x, e) < 0)) {
		x->owner_done = true;
		http_exchange_over(x, NULL);
		return -1;
	}
	*to = x;
	return 0;
}

static void forget(struct http_keeper *k, struct http_connection *connection)
{
	struct http_client *c = CONTAINER_OF(k, struct http_client, keeper);

	c->why = connection->why;
	if (c->why.kind == ERR_NONE)
		err_write(&c->why, ERR_CLOSED, "the connection was closed");
	c->connection = NULL;
	if (c->closed)
		loop_post(c->loop, c->closed);
}

static int describe(struct http_exchange *x, const struct http_call *call, struct err *e)
{
	struct http_request *r = &x->request;

	if (!http_is_token(call->method) || call->target.len == 0)
		return err_set(e, ERR_INVALID, "a call without method or target");
	for (size_t i = 0; i < call->target.len; i++)
		if (call->target.at[i] <= ' ' || call->target.at[i] >= 0x7f)
			return err_set(e, ERR_INVALID, "a target that is not encoded");
	r->method = arena_str(&x->arena, call->method);
	r->target = arena_str(&x->arena, call->target);
	r->authority = arena_str(&x->arena, call->authority);
	for (size_t i = 0; call->headers && i < call->headers->len; i++) {
		str name = arena_str(&x->arena, call->headers->at[i].name);
		str value = arena_str(&x->arena, call->headers->at[i].value);

		TRY(http_header_add(&r->headers, &x->arena, name, value, e));
	}
	return 0;
}
