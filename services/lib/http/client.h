/*
 * HTTP client: one connection to one address, HTTP/2 with any number of calls at once or HTTP/1.1
 * with one after another. Calls made before it is up wait. It does not reconnect: whoever holds it
 * decides when and where to, and sees by `closed` what became of each call.
 *
 * Ownership: http_client_open's caller frees it; calls that are under way then end with ERR_CLOSED.
 * Threading: the loop's thread.
 */
#pragma once

#include "lib/crypto/tls.h"
#include "lib/http/exchange.h"

struct http_client;

struct http_client_options {
	struct loop *loop;
	struct net_address address;
	struct tls_context *tls; /* NULL: plaintext */
	str peer_name;           /* verified by TLS; a name or an IP address */
	bool http2; /* plaintext: HTTP/2 by prior knowledge; with TLS the server chooses */
	size_t head_bytes_max, head_fields_max;
	struct http_memory memory;  /* must suit head_bytes_max */
	int64_t connect_timeout_ns; /* TLS included */
	int64_t ping_after_ns;      /* HTTP/2: nothing received for so long: a ping. 0: never */
	int64_t ping_timeout_ns;    /* no answer to it: the connection is dead */
	struct loop_task *closed;   /* posted once the connection is gone by itself; may be NULL */
};

/* client-go's times: 30 s to connect, a ping after 30 s, 15 s for its answer. */
struct http_client_options http_client_defaults(void);

NODISCARD int http_client_open(
	const struct http_client_options *o, struct http_client **to, struct err *e);
void http_client_free(struct http_client *c);

/* False once it takes no more calls: the connection is gone or the server said GOAWAY. */
bool http_client_usable(const struct http_client *c);

/* Why it is gone; empty while it is not. */
const struct err *http_client_error(const struct http_client *c);

struct http_call {
	str method;
	str target;                         /* path and query, encoded */
	str authority;                      /* Host */
	const struct http_headers *headers; /* may be NULL; copied */
	const struct http_events *events;
	void *owner;
	str body;     /* the whole body, copied; absent and `streams` false: none */
	bool streams; /* http_write and http_end follow */
};

/* The exchange, to be answered by events. ERR_CLOSED when the connection is not usable. */
NODISCARD int http_call(struct http_client *c, const struct http_call *call,
	struct http_exchange **to, struct err *e);
