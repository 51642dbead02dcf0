/*
 * An exchange is one request with its response, the same on a server and on a client, over HTTP/1.1
 * and HTTP/2. Bodies go either way whole or in parts, at the same time if need be (gRPC). After an
 * upgrade (101) an HTTP/1.1 exchange is a plain two-way stream of bytes, for WebSocket and SPDY.
 *
 * What the peer sends is told by `events`. What is sent goes out at the end of the loop's turn, all
 * that is pending at once.
 *
 * Lifetime. On a server an exchange is handed to the handler, who must end it exactly once by
 * http_respond, http_end or http_abort, even after `closed` has told that the peer is gone (sending
 * then does nothing). On a client it begins with http_call and is over when `closed` returns or by
 * http_abort. After that it must not be touched.
 *
 * Threading: the loop's thread. Between `body_end` and its answer the owner may hand a server's
 * exchange to one other thread, which reads `request`, `body` and allocates from `arena`; it sends
 * nothing but comes back by loop_post.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/counted.h"
#include "lib/http/headers.h"
#include "lib/http/queue.h"
#include "lib/loop/loop.h"
#include "lib/os/net.h"

struct http_connection;
struct http_exchange;
struct http_keeper;

/* What may be held for one peer; past it his request is refused or his connection ends. */
struct http_memory {
	size_t arena_bytes;   /* of an exchange: the fields of its heads, what a handler adds */
	size_t body_bytes;    /* of a body, until its owner has chosen how he wants it */
	size_t in_bytes;      /* of a connection: read but not understood yet */
	size_t out_bytes;     /* of a connection: encoded but not sent yet */
	size_t session_bytes; /* of a connection: the state of HTTP/2 */
};

/* For heads of up to so many bytes. */
struct http_memory http_memory_for(size_t head_bytes_max);

struct http_events {
	/* Client: the response's status and headers are there. */
	void (*head)(struct http_exchange *x);

	/*
	 * A part of the body, after http_stream_body; with an upgrade, bytes of the stream. The
	 * peer may send only so much ahead: say http_body_taken as parts are done with.
	 */
	void (*body)(struct http_exchange *x, str part);

	/*
	 * The body is complete: `body` holds it after http_collect_body; `trailers` are there. Or
	 * `e` says why it cannot be had, ERR_LIMIT, or ERR_INVALID when it turns out to be
	 * malformed behind an answer that has begun; the end is the owner's. NULL otherwise.
	 */
	void (*body_end)(struct http_exchange *x, const struct err *e);

	/* What was pending has shrunk below HTTP_LOW_BYTES,
	 * after it had been above. May be NULL. */
	void (*writable)(struct http_exchange *x);

	/*
	 * Server: the peer or the connection is gone before the response was ended. Client: the
	 * exchange is over; `e` is NULL when the response was complete.
	 */
	void (*closed)(struct http_exchange *x, const struct err *e);
};

enum { HTTP_LOW_BYTES = 64 << 10 };

struct http_request {
	str method;
	str target;    /* as sent */
	str path;      /* decoded */
	str query;     /* as sent; absent without a question mark */
	str scheme;    /* HTTP/2 only */
	str authority; /* Host or :authority */
	struct http_headers headers;
};

struct http_response {
	int status; /* 0 until it is there */
	struct http_headers headers;
};

enum http_body_mode { HTTP_BODY_HELD, HTTP_BODY_COLLECTED, HTTP_BODY_STREAMED, HTTP_BODY_DROPPED };

struct http_exchange {
	/* For everybody. */
	struct http_connection *connection; /* NULL once it is gone */
	struct loop *loop;
	struct arena arena;
	struct http_request request;
	struct http_response response; /* client only */
	struct buf body;
	struct http_headers trailers;
	const struct http_events *events;
	void *owner; /* for the owner's use */

	/* The library's own. */
	struct http_keeper *keeper;
	int32_t stream_id; /* HTTP/2; 0: none yet */
	enum http_body_mode body_mode;
	size_t untaken_bytes; /* given to the owner, not taken yet */
	struct http_queue out;
	size_t pending_limit_bytes;
	struct http_headers out_trailers;
	bool is_server, expects_continue;
	bool head_arrived, body_arrived, body_told;
	bool head_sent, out_ended, out_done, bodiless, upgraded;
	bool owner_done, stream_done, above_low, deferred, cut, too_large;
	struct http_exchange *next, *previous; /* of the connection */
};

/*
 * How the body is wanted; until one of these is called, it waits with the peer. What has arrived
 * already is told before they return.
 */
NODISCARD int http_collect_body(struct http_exchange *x, size_t limit_bytes, struct err *e);
void http_stream_body(struct http_exchange *x);
void http_body_taken(struct http_exchange *x, size_t len);

/* Server: the whole response; the exchange is the library's from here on. `headers` may be NULL. */
void http_respond(
	struct http_exchange *x, int status, const struct http_headers *headers, str body);

/* The same without a copy: the body is `owner`'s, of whom a reference is taken. */
void http_respond_shared(struct http_exchange *x, int status, const struct http_headers *headers,
	str body, struct counted *owner);

/* Server: the head of a response whose body follows by http_write,
 * of a length that is not known. */
void http_start(struct http_exchange *x, int status, const struct http_headers *headers);

/*
 * Server, HTTP/1.1: 101; from here on body parts and writes are the upgraded protocol's bytes,
 * until http_end closes the connection. On a client a call with an Upgrade field and no body is
 * upgraded when its response has the status 101.
 */
NODISCARD int http_upgrade(
	struct http_exchange *x, const struct http_headers *headers, struct err *e);

/* A part of a response's or request's body: copied, or shared with its counted owner. */
void http_write(struct http_exchange *x, str part);
void http_write_shared(struct http_exchange *x, str part, struct counted *owner);

/* Bytes written and not yet handed to the kernel. */
size_t http_pending_bytes(const struct http_exchange *x);

/* Cuts a peer that is too slow: `closed` with ERR_LIMIT as soon as more than this
 * is pending. 0: never. */
void http_limit_pending(struct http_exchange *x, size_t limit_bytes);

/* The end of the body, with trailers or NULL.
 * On a server the exchange is the library's from here on. */
void http_end(struct http_exchange *x, const struct http_headers *trailers);

/* Ends it at once (RST_STREAM, or HTTP/1.1's connection is closed), with no more events. */
void http_abort(struct http_exchange *x);

/* Who is at the other end; NULL once it is gone. */
const struct net_address *http_peer_address(const struct http_exchange *x);

/* The peer's certificate chain in DER, leaf first, in the exchange's arena;
 * empty when there is none. */
struct cert_list;
NODISCARD int http_peer_chain(struct http_exchange *x, struct cert_list *to, struct err *e);

/*
 * What a handler has found out about the peer, kept with the connection for the
 * exchanges to come: its verified identity costs more than a request. NULL when there is
 * none; keeping takes a reference.
 */
struct counted *http_peer_kept(const struct http_exchange *x);
void http_peer_keep(struct http_exchange *x, struct counted *what);

/* 2 or 1; 0 once the connection is gone. */
int http_version(const struct http_exchange *x);
