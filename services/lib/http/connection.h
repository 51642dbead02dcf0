/*
 * A connection: socket, TLS, what waits to be written, times; the exchanges on it;
 * and the version of HTTP that it speaks, as a table of functions. Server and client
 * share all of it. For this folder.
 *
 * Ownership: made by its keeper (server or client), destroys itself at the end of a turn once it
 * is dead, never inside a call that works on it; then tells the keeper by `gone`.
 * Threading: the loop's thread.
 *
 * A turn: what was read goes to `input`; calls of owners only fill queues; at the end of the turn
 * `flush` lets `output` fill `out` and writes it, again and again until the socket takes no more.
 */
#pragma once

#include "lib/crypto/tls.h"
#include "lib/http/exchange.h"
#include "lib/http/wire1.h"

struct nghttp2_session;
struct http_connection;

/* What one version of HTTP does. -1 ends the connection with the error. */
struct http_protocol {
	int version;
	int (*open)(struct http_connection *c, struct err *e);
	void (*close)(struct http_connection *c); /* frees what is its own */

	int (*input)(struct http_connection *c, str bytes, struct err *e);
	int (*input_end)(struct http_connection *c, struct err *e);
	bool (*wants_input)(const struct http_connection *c);

	/* Adds to `c->out` until HTTP_OUT_BYTES are there or nothing is pending. */
	int (*output)(struct http_connection *c, struct err *e);

	int (*send_request)(struct http_exchange *x, struct err *e);
	void (*send_response)(struct http_exchange *x, int status, const struct http_headers *h,
		uint64_t length_bytes);
	void (*more_output)(struct http_exchange *x); /* bytes were queued, or the end */
	void (*want_body)(struct http_exchange *x);   /* the owner has chosen how */
	void (*body_taken)(struct http_exchange *x, size_t len);
	void (*reset)(struct http_exchange *x);
	void (*drain)(struct http_connection *c);
	void (*ping)(struct http_connection *c);
};

extern const struct http_protocol http1_protocol, http2_protocol;

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

enum {
	HTTP_OUT_BYTES = 64 << 10,            /* encoded at a time */
	HTTP_STREAM_WINDOW_BYTES = 256 << 10, /* a body read ahead */
	HTTP_CONNECTION_WINDOW_BYTES = 1 << 20,
};

enum http_phase {
	HTTP_CONNECTING,
	HTTP_HANDSHAKE,
	HTTP_DETECT, /* plaintext server: HTTP/1.1 or the preface of HTTP/2 */
	HTTP_OPEN,
	HTTP_LINGERING, /* all is sent; reads on, so that the peer sees it before a reset */
	HTTP_DEAD,
};

enum http1_place { HTTP1_AT_HEAD, HTTP1_IN_BODY, HTTP1_AFTER_BODY, HTTP1_RAW };

struct http1_state {
	enum http1_place place;
	struct http1_head head;
	struct http1_chunks chunks;
	size_t scanned;
	uint64_t left_bytes;
	struct http_exchange *current;
	bool out_chunked, broken_off, passed_empty_line;
};

struct http_limits {
	size_t head_bytes_max, head_fields_max;
	uint32_t streams_max;
	int64_t head_timeout_ns, idle_timeout_ns, stall_timeout_ns;
	int64_t ping_after_ns, ping_timeout_ns;
	struct http_memory memory;
};

struct http_keeper {
	struct counted counted; /* held by exchanges, which may outlive server or client */
	size_t exchanges;       /* that are not freed yet */
	size_t exchanges_max;
	const struct http_limits *limits;
	void (*request)(struct http_keeper *k, struct http_exchange *x);
	void (*gone)(struct http_keeper *k, struct http_connection *c);
	str (*date)(struct http_keeper *k); /* the Date of a response */
};

struct http_connection {
	struct http_keeper *keeper;
	struct loop *loop;
	struct loop_watch watch;
	struct loop_task flush;
	struct loop_timer timer;
	struct tls *tls;
	struct net_address peer;
	struct counted *kept; /* a handler's */
	enum http_phase phase;
	const struct http_protocol *protocol;

	struct buf in, out;
	size_t out_sent;
	int64_t head_since_ns, idle_since_ns, blocked_ns, read_ns, linger_until_ns, ping_sent_ns;
	int64_t timer_at_ns;

	struct http_exchange *first, *last;
	size_t exchange_count;

	bool is_server, prefers_http2, blocked, want_write, saw_end, draining, closing,
		check_writable;
	struct err why; /* it died of; kind ERR_NONE: an orderly end */

	struct http1_state http1;
	struct nghttp2_session *session;
	void *lazy_block; /* see http2_memory.c */
	size_t lazy_bytes, session_bytes;
	size_t header_bytes;    /* HTTP/2: of the head being read */
	int32_t head_stream_id; /* whose it is */

	struct http_connection *next, *previous; /* of the keeper */
};

/* Takes over the socket; a failure closes it. `tls` NULL: plaintext. */
NODISCARD int http_connection_open(struct http_keeper *k, struct loop *l, int fd,
	const struct net_address *peer, struct tls_context *tls, str peer_name, bool is_server,
	bool prefers_http2, struct http_connection **to, struct err *e);

/* Ends it at the end of this turn, or at once when its keeper goes. */
void http_connection_kill(struct http_connection *c, const struct err *why);
void http_connection_destroy(struct http_connection *c);

/* Sends what is pending, then closes. */
void http_connection_finish(struct http_connection *c);
void http_connection_flush_later(struct http_connection *c);

/* The allocator of a session of HTTP/2. */
void *http2_allocate(size_t bytes, void *connection);
void *http2_allocate_zeroed(size_t count, size_t bytes, void *connection);
void *http2_resize(void *at, size_t bytes, void *connection);
void http2_release(void *at, void *connection);

/* Exchanges, as the versions of HTTP see them. */
struct http_exchange *http_exchange_new(struct http_connection *c);
void http_exchange_head(struct http_exchange *x);
void http_exchange_data(struct http_exchange *x, str bytes);
void http_exchange_body_end(struct http_exchange *x);
void http_exchange_body_failed(struct http_exchange *x, const struct err *why);

/* The stream is over for the connection; `e` is NULL when all went well. `x` may be freed. */
void http_exchange_over(struct http_exchange *x, const struct err *e);

/* Why an exchange that was cut is over. */
void http_exchange_too_slow(const struct http_exchange *x, struct err *e);

/* Tells owners whose queue has become short. */
void http_exchange_tell_writable(struct http_connection *c);
