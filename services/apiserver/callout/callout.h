/*
 * Callouts: calls that the API server makes to others over HTTPS: webhooks and aggregated API
 * servers, named by a URL or by a Service. Connections are kept for the next call to the same
 * place; one I/O thread carries all.
 *
 * A Service is reached by its cluster address, as upstream does, or with `endpoint_routing` by one
 * of its ready endpoints; its certificate must be for NAME.NAMESPACE.svc.
 *
 * Ownership: a call is its maker's from callout_start until callout_wait has returned. Threading:
 * any thread that may block.
 * Source: apiserver/pkg/util/webhook, kube-aggregator/pkg/apiserver/resolvers.go.
 */
#pragma once

#include "apiserver/storage/storage.h"
#include "lib/client/transport.h"

#include <semaphore.h>

struct callouts;

struct callouts_options {
	struct storage *storage; /* of Services and EndpointSlices */
	const struct clock *clock;
	bool endpoint_routing; /* --enable-aggregator-routing */
};

NODISCARD int callouts_open(const struct callouts_options *o, struct callouts **to, struct err *e);

/* With no call under way. */
void callouts_close(struct callouts *c);

/* Where: a URL, or (url absent) a Service. */
struct callout_target {
	str url;
	str service_ns, service_name, service_path;
	int32_t service_port;  /* 0: 443 */
	str ca_pem;            /* absent: the system's roots */
	str cert_pem, key_pem; /* ours; absent: we show none */
};

enum { CALLOUT_ANSWER_BYTES_MAX = 16 << 20 };

/* One POST of JSON, or a GET. */
struct callout {
	const struct call_header *headers; /* of a GET, which has no body */
	size_t header_count;               /* up to CALL_HEADERS_MAX; 0: a POST */
	str body;                          /* the maker's, until callout_wait */
	int64_t timeout_ns;

	/* What came back; `answer` is freed by the maker, after callout_wait alone. */
	int status;
	struct buf answer;

	/* The callouts' own. */
	struct call call;
	struct callout_place *place;
	struct callouts *callouts;
	struct arena arena;
	sem_t done;
	str shown; /* 'Post "https://..."', for messages */
	struct err error;
};

/* Never fails by itself: what is wrong, callout_wait says. */
void callout_start(struct callouts *c, const struct callout_target *t, struct callout *call);

/* Waits for the answer. In Go's words, since clients see them: 'Post "URL": context deadline
 * exceeded'; an answer of 400 and more is an error too. */
NODISCARD int callout_wait(struct callout *call, struct err *e);
