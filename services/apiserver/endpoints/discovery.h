/*
 * Discovery: what is served, as /api and /apis tell it, group by group or all at once (aggregated,
 * KEP-3352). Made once from the table of resources: only what the registry serves.
 */
#pragma once

#include "apiserver/endpoints/request.h"

NODISCARD int discovery_new(str advertise_address, struct discovery **to, struct err *e);
void discovery_free(struct discovery *d);

/* False when the path is none of discovery's. */
bool discovery_handle(struct request *r, str path);

/* The paths as JSON strings, for the index of /. */
void discovery_put_paths(const struct discovery *d, struct buf *to);
