/*
 * Transport: the connections to one API server as one identity, on an I/O thread of their own.
 * Calls share HTTP/2 connections; a further one is opened when all are full, as Go's client does.
 * What is broken is not mended: its calls fail, the next call connects anew.
 *
 * Certificates and keys that are files are read again when they change (looked at every five
 * minutes and at each failure); connections made with old ones end when their calls have.
 *
 * Ownership: a transport is its opener's; a call its maker's, from transport_start until `done`.
 * Threading: any, save that transport_start_here, transport_cancel and a call's functions are for
 * the I/O thread, where nothing may block.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/client/kubeconfig.h"
#include "lib/loop/loop.h"

struct transport;
struct http_exchange;

struct transport_options {
	const struct kubeconfig *config;
	const struct clock *clock;
	bool anonymous; /* no client certificate: for callers that bring tokens */

	/* Shares the I/O thread of this one, which is closed after it, and does not look at files
	 * again by itself; NULL: a thread of its own. */
	struct transport *beside;
	str authority; /* Host; absent: the server's */
};

NODISCARD int transport_open(
	const struct transport_options *o, struct transport **to, struct err *e);

/* What is under way ends with ERR_CLOSED. No call may be started any more. */
void transport_close(struct transport *t);

enum {
	CALL_ANSWER_BYTES_MAX = 256 << 20, /* of a whole answer */
	CALL_HEADERS_MAX = 6,
};

struct call_header {
	str name, value;
};

struct call {
	/* What is asked: the maker's, unchanged until `done`. */
	str method, target, body; /* body absent: none */
	struct call_header headers[CALL_HEADERS_MAX];
	size_t header_count;
	int64_t timeout_ns; /* until the whole answer is there; 0: none */

	/*
	 * With `part` the body of a 200 answer is told in parts as it comes, each to be used before
	 * the function returns; -1 ends the call with that error. Else it is collected in `answer`,
	 * as the bodies of other answers always are.
	 */
	int (*part)(struct call *c, str bytes, struct err *e);

	/* Once: the answer is there, or `error` says why not. The call is its maker's again. */
	void (*done)(struct call *c);
	void *owner; /* for the maker's use */

	/* What came back. */
	int status;            /* 0: no answer */
	int64_t retry_after_s; /* -1: nothing was said */
	struct buf answer;     /* freed by the maker */
	struct err error;

	/* The transport's own. */
	struct transport *transport;
	struct link *link;
	struct http_exchange *exchange;
	struct loop_task task;
	struct loop_timer timer;
};

void transport_start(struct transport *t, struct call *c);

/* The same on the I/O thread, at once: `done` may have run when this returns. */
void transport_start_here(struct transport *t, struct call *c);

/* Ends a call that was started there and is not done yet, without `done`. */
void transport_cancel(struct call *c);

/* The I/O thread's loop, for timers and tasks beside the calls. */
struct loop *transport_loop(struct transport *t);

/* Starts it and waits until it is done; `done` and `owner` are used for that. Not for the I/O
 * thread. */
void transport_call(struct transport *t, struct call *c);

/* Waits; ERR_CLOSED as soon as the transport is told to end. Not for the I/O thread. */
NODISCARD int transport_wait(struct transport *t, int64_t wait_ns, struct err *e);

/* Waits until `held` says true; it is asked now and at each transport_notify. */
NODISCARD int transport_wait_until(
	struct transport *t, bool (*held)(void *owner), void *owner, struct err *e);
void transport_notify(struct transport *t);

/* Ends all waiting, from any thread: the program is going down. */
void transport_interrupt(struct transport *t);

/* "127.0.0.1:6443", and what stands before every path, mostly nothing. */
str transport_authority(const struct transport *t);
str transport_prefix(const struct transport *t);
