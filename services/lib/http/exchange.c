#include "lib/http/connection.h"

#include <stdlib.h>

static void tell_body_end(struct http_exchange *x, const struct err *e);
static void pass_on_held(struct http_exchange *x);
static void queue_changed(struct http_exchange *x);
static void give_up(struct http_exchange *x);
static void free_exchange(struct http_exchange *x);

struct http_exchange *http_exchange_new(struct http_connection *c)
{
	struct http_exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->connection = c;
	x->keeper = c->keeper;
	x->loop = c->loop;
	x->is_server = c->is_server;
	arena_init(&x->arena, c->keeper->limits->memory.arena_bytes);
	buf_init(&x->body, c->keeper->limits->memory.body_bytes);
	counted_take(&c->keeper->counted);
	c->keeper->exchanges++;
	x->previous = c->last;
	*(c->last ? &c->last->next : &c->first) = x;
	c->last = x;
	c->exchange_count++;
	return x;
}

void http_exchange_head(struct http_exchange *x)
{
	x->head_arrived = true;
	if (x->is_server)
		x->keeper->request(x->keeper, x);
	else
		x->events->head(x);
}

/* What was held before the owner named his limit may have made more room than that. */
static int collect(struct http_exchange *x, str bytes, struct err *e)
{
	if (bytes.len > x->body.limit_bytes - x->body.len)
		x->body.overflowed = true;
	else
		buf_add_str(&x->body, bytes);
	return buf_ok(&x->body, "the body", e);
}

void http_exchange_data(struct http_exchange *x, str bytes)
{
	struct err e;

	switch (x->body_mode) {
	case HTTP_BODY_HELD:
		buf_add_str(&x->body, bytes);
		if (!x->body.overflowed)
			return;
		break;
	case HTTP_BODY_STREAMED:
		x->untaken_bytes += bytes.len;
		x->events->body(x, bytes);
		return;
	case HTTP_BODY_COLLECTED:
		if (collect(x, bytes, &e) < 0) {
			x->body_mode = HTTP_BODY_DROPPED;
			tell_body_end(x, &e);
		}
		break;
	case HTTP_BODY_DROPPED: break;
	}
	if (x->connection)
		x->connection->protocol->body_taken(x, bytes.len);
}

void http_exchange_body_end(struct http_exchange *x)
{
	x->body_arrived = true;
	if (x->body_mode != HTTP_BODY_HELD)
		tell_body_end(x, NULL);
}

void http_exchange_body_failed(struct http_exchange *x, const struct err *why)
{
	x->body_mode = HTTP_BODY_DROPPED;
	tell_body_end(x, why);
}

void http_exchange_too_slow(const struct http_exchange *x, struct err *e)
{
	err_write(e, ERR_LIMIT, "the peer is too slow: %zu bytes wait", x->out.bytes);
}

void http_exchange_over(struct http_exchange *x, const struct err *e)
{
	struct http_connection *c = x->connection;

	*(x->previous ? &x->previous->next : &c->first) = x->next;
	*(x->next ? &x->next->previous : &c->last) = x->previous;
	if (--c->exchange_count == 0)
		c->idle_since_ns = c->loop->now_ns;
	x->connection = NULL;
	x->stream_done = true;
	if (x->owner_done) {
		free_exchange(x);
		return;
	}
	/* A client's owner is done by hearing this; a server's ends the exchange himself. */
	if (x->is_server) {
		x->events->closed(x, e);
		return;
	}
	x->owner_done = true;
	x->events->closed(x, e);
	free_exchange(x);
}

/* From the front again after each call: an owner may give up any other exchange meanwhile. */
void http_exchange_tell_writable(struct http_connection *c)
{
	struct http_exchange *x = c->first;

	c->check_writable = false;
	while (x) {
		bool tell = x->above_low && x->out.bytes < HTTP_LOW_BYTES;

		if (!tell) {
			x = x->next;
			continue;
		}
		x->above_low = false;
		if (x->events->writable && !x->owner_done)
			x->events->writable(x);
		x = c->first;
	}
}

int http_collect_body(struct http_exchange *x, size_t limit_bytes, struct err *e)
{
	if (x->body.overflowed || x->body.len > limit_bytes)
		return err_set(e, ERR_LIMIT, "the body is larger than %zu bytes", limit_bytes);
	x->body_mode = HTTP_BODY_COLLECTED;
	x->body.limit_bytes = limit_bytes;
	pass_on_held(x);
	return 0;
}

void http_stream_body(struct http_exchange *x)
{
	x->body_mode = HTTP_BODY_STREAMED;
	pass_on_held(x);
}

void http_body_taken(struct http_exchange *x, size_t len)
{
	x->untaken_bytes -= len;
	if (x->connection)
		x->connection->protocol->body_taken(x, len);
}

static void send_head(
	struct http_exchange *x, int status, const struct http_headers *headers, uint64_t length)
{
	static const struct http_headers none;

	if (x->connection)
		x->connection->protocol->send_response(
			x, status, headers ? headers : &none, length);
	x->head_sent = true;
}

void http_respond(struct http_exchange *x, int status, const struct http_headers *headers, str body)
{
	send_head(x, status, headers, body.len);
	http_write(x, body);
	http_end(x, NULL);
}

void http_respond_shared(struct http_exchange *x, int status, const struct http_headers *headers,
	str body, struct counted *owner)
{
	send_head(x, status, headers, body.len);
	http_write_shared(x, body, owner);
	http_end(x, NULL);
}

void http_start(struct http_exchange *x, int status, const struct http_headers *headers)
{
	send_head(x, status, headers, HTTP_LENGTH_UNKNOWN);
}

int http_upgrade(struct http_exchange *x, const struct http_headers *headers, struct err *e)
{
	if (!x->connection)
		return err_set(e, ERR_CLOSED, "the peer is gone");
	if (x->connection->protocol->version != 1)
		return err_set(e, ERR_UNSUPPORTED, "only a connection of HTTP/1.1 can be upgraded");
	x->upgraded = true;
	x->body_arrived = false;
	http_start(x, 101, headers);
	http_stream_body(x);
	return 0;
}

static bool takes_output(const struct http_exchange *x)
{
	return x->connection && !x->bodiless && !x->cut;
}

void http_write(struct http_exchange *x, str part)
{
	if (!takes_output(x) || part.len == 0)
		return;
	http_queue_copy(&x->out, part);
	queue_changed(x);
}

void http_write_shared(struct http_exchange *x, str part, struct counted *owner)
{
	if (!takes_output(x) || part.len == 0)
		return;
	http_queue_share(&x->out, part, owner);
	queue_changed(x);
}

size_t http_pending_bytes(const struct http_exchange *x)
{
	return x->out.bytes;
}

void http_limit_pending(struct http_exchange *x, size_t limit_bytes)
{
	x->pending_limit_bytes = limit_bytes;
}

void http_end(struct http_exchange *x, const struct http_headers *trailers)
{
	size_t count = trailers ? trailers->len : 0;

	if (count > 0)
		x->out_trailers.at = arena_get(&x->arena, count * sizeof(*trailers->at));
	for (size_t i = 0; i < count; i++)
		x->out_trailers.at[i] = (struct http_field){
			arena_str(&x->arena, trailers->at[i].name),
			arena_str(&x->arena, trailers->at[i].value)};
	x->out_trailers.len = count;
	x->out_ended = true;
	if (x->is_server)
		give_up(x);
	if (x->connection)
		x->connection->protocol->more_output(x);
	else if (x->is_server)
		free_exchange(x);
}

void http_abort(struct http_exchange *x)
{
	if (x->owner_done)
		return;
	give_up(x);
	if (x->connection)
		x->connection->protocol->reset(x);
	else
		free_exchange(x);
}

const struct net_address *http_peer_address(const struct http_exchange *x)
{
	return x->connection ? &x->connection->peer : NULL;
}

int http_peer_chain(struct http_exchange *x, struct cert_list *to, struct err *e)
{
	if (x->connection && x->connection->tls)
		return tls_peer_chain(x->connection->tls, &x->arena, to, e);
	*to = (struct cert_list){0};
	return 0;
}

struct counted *http_peer_kept(const struct http_exchange *x)
{
	return x->connection ? x->connection->kept : NULL;
}

void http_peer_keep(struct http_exchange *x, struct counted *what)
{
	if (!x->connection)
		return;
	counted_take(what);
	if (x->connection->kept)
		counted_drop(x->connection->kept);
	x->connection->kept = what;
}

int http_version(const struct http_exchange *x)
{
	return x->connection ? x->connection->protocol->version : 0;
}

static void tell_body_end(struct http_exchange *x, const struct err *e)
{
	if (x->body_told || x->owner_done)
		return;
	x->body_told = true;
	x->events->body_end(x, e);
}

/* What came before the owner had chosen. */
static void pass_on_held(struct http_exchange *x)
{
	struct buf held = x->body;
	struct err e;

	if (x->connection)
		x->connection->protocol->want_body(x);
	if (buf_ok(&held, "the body", &e) < 0) {
		x->body_mode = HTTP_BODY_DROPPED;
		if (x->connection)
			x->connection->protocol->body_taken(x, held.len);
		tell_body_end(x, &e);
		return;
	}
	if (held.len > 0 && x->body_mode == HTTP_BODY_STREAMED) {
		buf_init(&x->body, held.limit_bytes);
		x->untaken_bytes += held.len;
		x->events->body(x, buf_str(&held));
		buf_free(&held);
	} else if (held.len > 0 && x->connection) {
		x->connection->protocol->body_taken(x, held.len);
	}
	if (x->body_arrived)
		tell_body_end(x, NULL);
}

static void queue_changed(struct http_exchange *x)
{
	if (x->pending_limit_bytes && x->out.bytes > x->pending_limit_bytes) {
		x->cut = true;
		x->connection->protocol->reset(x);
		return;
	}
	if (x->out.bytes >= HTTP_LOW_BYTES)
		x->above_low = true;
	x->connection->protocol->more_output(x);
}

/* The owner hears nothing more; whatever still arrives is dropped. */
static void give_up(struct http_exchange *x)
{
	x->owner_done = true;
	if (x->body_mode != HTTP_BODY_DROPPED && x->connection) {
		size_t owed = x->untaken_bytes + (x->body_mode == HTTP_BODY_HELD ? x->body.len : 0);

		x->body_mode = HTTP_BODY_DROPPED;
		x->untaken_bytes = 0;
		x->connection->protocol->body_taken(x, owed);
	}
}

static void free_exchange(struct http_exchange *x)
{
	struct http_keeper *k = x->keeper;

	http_queue_free(&x->out);
	buf_free(&x->body);
	arena_free(&x->arena);
	free(x);
	k->exchanges--;
	counted_drop(&k->counted);
}
