/*
 * Who may read /metrics: who shows a client certificate of the CA given by --client-ca-file with
 * the group system:masters or system:monitoring. Upstream asks the API server
 * (SubjectAccessReview).
 */
#pragma once

#include "lib/crypto/cert.h"
#include "lib/http/exchange.h"

struct metrics_access {
	struct cert_roots *roots; /* NULL: nobody may */
	const struct clock *clock;
};

/* `ca_pem` may be absent. */
NODISCARD int metrics_access_open(
	struct metrics_access *m, str ca_pem, const struct clock *c, struct err *e);
void metrics_access_close(struct metrics_access *m);

/* Answers 401 or 403 itself when it says no. */
bool metrics_allowed(void *access, struct http_exchange *x);
