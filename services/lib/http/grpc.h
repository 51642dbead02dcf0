/*
 * gRPC calls over a client of HTTP/2: messages with a prefix of five bytes, a status in the
 * trailers. Unary calls and streams either way are one thing here: messages come until `done`.
 *
 * Ownership: struct grpc_call is embedded in its owner's struct, which outlives the call; it may be
 * cancelled anywhere, and freed from `done` on, though not inside `message`.
 * Threading: the loop's thread. Errors: `done` has the peer's status code and, unless that is OK,
 * its message with the error kind that suits; a connection that broke is ERR_CLOSED.
 *
 * Source: grpc/doc/PROTOCOL-HTTP2.md, http-grpc-status-mapping.md, statuscodes.md. Compressed
 * messages are refused: we do not offer to take them.
 */
#pragma once

#include "lib/http/client.h"

enum grpc_code {
	GRPC_OK,
	GRPC_CANCELLED,
	GRPC_UNKNOWN,
	GRPC_INVALID_ARGUMENT,
	GRPC_DEADLINE_EXCEEDED,
	GRPC_NOT_FOUND,
	GRPC_ALREADY_EXISTS,
	GRPC_PERMISSION_DENIED,
	GRPC_RESOURCE_EXHAUSTED,
	GRPC_FAILED_PRECONDITION,
	GRPC_ABORTED,
	GRPC_OUT_OF_RANGE,
	GRPC_UNIMPLEMENTED,
	GRPC_INTERNAL,
	GRPC_UNAVAILABLE,
	GRPC_DATA_LOSS,
	GRPC_UNAUTHENTICATED,
	GRPC_CODE_COUNT,
};

enum { GRPC_PREFIX_BYTES = 5 };

/* Takes a body apart into its messages. */
struct grpc_reader {
	struct buf partial; /* of a message that came in parts, prefix included */
	size_t message_bytes_max;
};

void grpc_reader_init(struct grpc_reader *r, size_t message_bytes_max);
void grpc_reader_free(struct grpc_reader *r);

/*
 * Takes bytes off the front of `*part` until a message was found or `*part` is empty; `*message` is
 * then absent. A message is valid until the next call and as long as the part.
 */
NODISCARD int grpc_read(struct grpc_reader *r, str *part, str *message, struct err *e);

/*
 * The status of a response that is complete. It stands in the trailers, or in the head
 * if that is all there is; without one, the status of HTTP decides. Unless it is OK,
 * `e` is filled in.
 */
enum grpc_code grpc_status(
	const struct http_response *r, const struct http_headers *trailers, struct err *e);

struct grpc_call;

struct grpc_events {
	void (*message)(struct grpc_call *c, str message);

	/* The call is over; `e` is NULL when the code is GRPC_OK. */
	void (*done)(struct grpc_call *c, enum grpc_code code, const struct err *e);
};

struct grpc_call {
	const struct grpc_events *events;

	/* The library's own. */
	struct http_exchange *exchange; /* NULL: not under way */
	struct loop_timer deadline;
	struct grpc_reader reader;
	enum grpc_code code;
	struct err error;
	bool ended, has_code;
};

struct grpc_options {
	str method;                          /* "/etcdserverpb.KV/Txn" */
	str authority;                       /* host and port */
	const struct http_headers *metadata; /* may be NULL */
	size_t message_bytes_max;            /* of what the peer sends */
	int64_t timeout_ns;                  /* until `done`; 0: none */
};

/* Begins a call with one message and no more to come. `c->events` is set. */
NODISCARD int grpc_call(struct http_client *to, struct grpc_call *c, const struct grpc_options *o,
	str message, struct err *e);

/* Begins a call whose messages follow. */
NODISCARD int grpc_open(
	struct http_client *to, struct grpc_call *c, const struct grpc_options *o, struct err *e);
void grpc_send(struct grpc_call *c, str message);

/* Ends the call at once; `done` is not called. Does nothing when it is not under way. */
void grpc_cancel(struct grpc_call *c);
