/*
 * Leader election on a Lease: of several programs of a kind, one works. Clocks of other machines
 * are not trusted: a holder is gone when its record has not changed for a lease's time on our
 * clock.
 *
 * Threading: one thread at a time. Blocks; ends with ERR_CLOSED once the transport is interrupted.
 * Source: client-go/tools/leaderelection.
 */
#pragma once

#include "lib/client/client.h"

struct election_options {
	struct client *client; /* its calls should give up well within renew_ns */
	const struct clock *clock;
	struct random *random;
	str ns, name, identity;
	int64_t lease_ns, renew_ns, retry_ns; /* 15, 10, 2 s */
};

struct election {
	struct election_options options;
	struct arena arena;        /* of the record */
	const struct lease *lease; /* as last seen or written */
	int64_t seen_ns;
};

void election_init(struct election *l, const struct election_options *o);
void election_free(struct election *l);

/* Until this program is the leader. */
NODISCARD int election_acquire(struct election *l, struct err *e);

/* Renews until that fails for renew_ns: ERR_TIMEOUT, the program must stop working at once. */
NODISCARD int election_hold(struct election *l, struct err *e);

/* Gives the lease up, so that another need not wait for its end. */
NODISCARD int election_release(struct election *l, struct err *e);
