/*
 * Services as addresses: what the API server dials to reach one.
 */
#pragma once

#include "apiserver/storage/storage.h"

struct service_ask {
	struct storage *storage;
	str ns, name;
	int32_t port;
	bool endpoints; /* one of them, instead of the cluster's address */
	unsigned turn;  /* which of several endpoints comes first */
};

/* "10.96.0.7:443", in the arena. ERR_NOT_FOUND, ERR_UNAVAILABLE in upstream's words. */
NODISCARD int service_resolve(
	struct arena *a, const struct service_ask *ask, str *to, struct err *e);
