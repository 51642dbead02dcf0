/*
 * Health endpoints: /livez, /readyz, /healthz and each check below them, in upstream's texts
 * (apiserver/pkg/server/healthz): "[+]ping ok" lines with ?verbose, checks left out by
 * ?exclude=NAME, 500 and the failed ones when something is wrong. Reasons go to the log, not to the
 * client.
 *
 * Ownership: tables are the program's, for its life. Threading: any; checks must not block.
 */
#pragma once

#include "lib/http/exchange.h"

struct health_check {
	const char *name;

	/* NULL: nothing can be wrong. */
	int (*check)(void *owner, struct err *e);
};

struct health_endpoint {
	const char *path; /* "/readyz" */
	const struct health_check *checks;
	size_t count;
};

struct health {
	const struct health_endpoint *endpoints;
	size_t count;
	void *owner; /* given to every check */
};

/* Answers the request if its path is one of the endpoints' or a check's below; else false. */
bool health_respond(const struct health *h, struct http_exchange *x);
