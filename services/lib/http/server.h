/*
 * HTTP server of one I/O thread: accepts from a listener, reads requests, hands each to the
 * handler. Several threads serve one port by giving the same listener to a server each.
 *
 * Ownership: the listener, the loop and the options' handler stay the caller's and outlive the
 * server. Threading: the loop's thread, save what says otherwise.
 *
 * Bounds on what a peer can cause: connections; streams per connection; head bytes and fields; body
 * bytes read ahead; time for a handshake and a head, time idle, time without progress.
 */
#pragma once

#include "lib/crypto/tls.h"
#include "lib/http/exchange.h"

struct http_handler {
	/* The head of a request is there. */
	void (*request)(struct http_handler *h, struct http_exchange *x);
};

struct http_server_options {
	struct loop *loop;
	int listener;
	struct tls_context *tls; /* NULL: plaintext, HTTP/1.1 or HTTP/2 by prior knowledge */
	struct http_handler *handler;
	size_t connections_max;
	uint32_t streams_max; /* per HTTP/2 connection */
	size_t head_bytes_max, head_fields_max;
	struct http_memory memory; /* must suit head_bytes_max */
	int64_t head_timeout_ns;   /* handshake; from the first byte of a head to its end */
	int64_t idle_timeout_ns;   /* no exchange under way */
	int64_t stall_timeout_ns;  /* a collected body is owed, or nothing of what waits is taken */
};

/* Upstream's limits: 100 streams, 32 s for a head, 90 s idle; everything else is ours. */
struct http_server_options http_server_defaults(void);

struct http_server;

NODISCARD int http_server_start(
	const struct http_server_options *o, struct http_server **to, struct err *e);

/* For connections to come. Takes a reference. */
void http_server_set_tls(struct http_server *s, struct tls_context *tls);

/*
 * Accepts no more; idle connections are closed, others after what is under way: HTTP/2 by GOAWAY,
 * HTTP/1.1 by "Connection: close". `drained` runs once no connection is left.
 */
void http_server_drain(struct http_server *s, struct loop_task *drained);

/* Cuts what is left. Exchanges that handlers still hold stay theirs to end. */
void http_server_free(struct http_server *s);

size_t http_server_connections(const struct http_server *s);
