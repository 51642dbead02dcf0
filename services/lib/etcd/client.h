/*
 * The client's inside: connection.c keeps one connection up, call.c and watch.c use it. For this
 * folder.
 */
#pragma once

#include "lib/etcd/etcd.h"
#include "lib/loop/pool.h"

enum {
	ETCD_MESSAGE_BYTES_MAX = 64 << 20, /* of an answer */
	ETCD_CALL_TIMEOUT_S = 30,
	ETCD_WAIT_TIMEOUT_S = 5,
	ETCD_AUTHORITY_BYTES = 300,
};

enum etcd_phase {
	ETCD_DOWN,      /* `retry` rings for the next attempt */
	ETCD_RESOLVING, /* a name, on the pool's thread */
	ETCD_PROBING,   /* is the member any good? */
	ETCD_UP,
};

struct etcd_call_list {
	struct etcd_call *first, *last;
};

struct etcd {
	struct loop *loop;
	struct etcd_options options;
	struct cert_roots *roots;
	struct tls_context *tls;
	enum etcd_phase phase;
	struct err why; /* it is not up */

	size_t endpoint; /* of those given */
	size_t failures; /* in a row */
	struct loop_timer retry;
	struct loop_task closed, retire, release;
	struct http_client *http; /* NULL: none */
	char authority[ETCD_AUTHORITY_BYTES];
	struct grpc_call probe;
	bool probed;

	struct pool pool; /* resolves names; no threads before the first */
	bool has_pool;
	struct etcd_resolve *resolving;

	struct etcd_call_list waiting; /* for a connection */
	struct etcd_call_list under_way;
	struct loop_timer expiry; /* of calls that wait */
	struct etcd_watch *watches;
};

/* Methods and options of a call to the present endpoint. */
struct grpc_options etcd_grpc(const struct etcd *c, const char *method);

/* The connection is no good: ends it at the end of the turn, and goes on to the next endpoint. */
void etcd_lost(struct etcd *c, const struct err *why);

/* Sends what waits. */
void etcd_calls_begin(struct etcd *c);
void etcd_calls_close(struct etcd *c, const struct err *e);
void etcd_watches_begin(struct etcd *c);
void etcd_watches_close(struct etcd *c, const struct err *e);

/* Gives an error of gRPC the kind that callers tell apart. */
void etcd_error_kind(enum grpc_code code, struct err *e);
