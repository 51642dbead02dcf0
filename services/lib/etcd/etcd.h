/*
 * Client of etcd's v3 API, on one event loop: one connection at a time to one of several endpoints,
 * any number of calls on it at once.
 *
 * A connection counts as up once its member has answered a linearizable read. When it breaks, the
 * next endpoint is tried, with growing pauses after each round. Calls made meanwhile wait for it
 * until their time is over; watches go on where they were.
 *
 * Ownership: who opens it closes it. Calls and watches are embedded in their owner's struct, which
 * outlives them; `done` and `ended` are the last that is heard of one, and may free it.
 * Threading: the loop's thread.
 *
 * Errors, by etcd's own texts: ERR_GONE: compacted; ERR_TIMEOUT: a revision of the future;
 * ERR_LIMIT: the request is too large; ERR_UNAVAILABLE: no connection, no leader, no answer in
 * time, out of space, too many requests: whether a write took place is then unknown; ERR_CLOSED:
 * etcd_close.
 */
#pragma once

#include "lib/etcd/wire.h"
#include "lib/http/grpc.h"
#include "lib/value/text_map.h"

struct etcd;

struct etcd_options {
	struct loop *loop;
	struct str_list endpoints;     /* "https://host:2379"; outlive the client */
	str ca_pem, cert_pem, key_pem; /* absent where not needed */
	int64_t call_timeout_ns;       /* from asking to answer; 0: thirty seconds */
	int64_t wait_timeout_ns;       /* of that, without a connection; 0: five seconds */

	/* The connection has come up or gone down; may be NULL. */
	void (*changed)(struct etcd *c, void *owner);
	void *owner;
};

NODISCARD int etcd_open(const struct etcd_options *o, struct etcd **to, struct err *e);

/* What is under way ends with ERR_CLOSED. Not from inside `done` and the like. The last of the
 * memory goes with the loop's next turn. */
void etcd_close(struct etcd *c);

bool etcd_is_up(const struct etcd *c);

/* Why it is not. */
const struct err *etcd_error(const struct etcd *c);

/* --- calls: one request, one answer */

enum etcd_method {
	ETCD_RANGE,
	ETCD_PUT,
	ETCD_DELETE,
	ETCD_TXN,
	ETCD_COMPACT,
	ETCD_GRANT,
	ETCD_REVOKE,
	ETCD_STATUS,
	ETCD_METHOD_COUNT,
};

struct etcd_call {
	/* `answer` is valid until this returns, and absent when `e` says why there is none. */
	void (*done)(struct etcd_call *c, str answer, const struct err *e);

	/* The client's own. */
	struct etcd *client;
	struct grpc_call grpc;
	enum etcd_method method;
	struct buf request, answer;
	int64_t deadline_ns, expires_ns;
	struct etcd_call *next, *previous;
	bool answered;
};

/* Takes the request's memory over. `done` is never called from inside. */
void etcd_start(
	struct etcd *c, struct etcd_call *call, enum etcd_method method, struct buf *request);

/* --- watches */

struct etcd_watch;

struct etcd_watch_events {
	void (*event)(struct etcd_watch *w, const struct etcd_event *ev);

	/* Every event up to `revision` has been told. Also without events: progress. */
	void (*complete)(struct etcd_watch *w, int64_t revision);

	/* The connection broke: events since the last `complete` come again. */
	void (*again)(struct etcd_watch *w);

	/* ERR_GONE: what comes next has been compacted. ERR_CLOSED. */
	void (*ended)(struct etcd_watch *w, const struct err *e);
};

struct etcd_watch {
	const struct etcd_watch_events *events;
	str key, end;          /* outlive the watch */
	int64_t next_revision; /* where it begins, later: where it would go on */

	/* The client's own. */
	struct etcd *client;
	struct grpc_call grpc;
	struct loop_timer retry;
	struct etcd_watch *next, *previous;
	bool partial;
};

void etcd_watch_start(struct etcd *c, struct etcd_watch *w);
void etcd_watch_stop(struct etcd_watch *w);

/* Asks for a `complete` of the present revision. etcd says nothing while the watch lags behind. */
void etcd_watch_progress(struct etcd_watch *w);
