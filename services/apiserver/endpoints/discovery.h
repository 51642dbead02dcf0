/*
 * Discovery: what is served, as /api and /apis tell it, group by group or all at once (aggregated,
 * KEP-3352). Made of the table of resources and the catalog of those that came at run time, and
 * anew when that has changed: only what is served.
 *
 * Ownership: the documents are counted; discovery_take gives a reference. Threading: any.
 */
#pragma once

#include "apiserver/endpoints/request.h"

void discovery_init(struct discovery_now *n, str advertise_address);
void discovery_free(struct discovery_now *n);

/* As it is now. */
NODISCARD int discovery_take(struct endpoints_server *p, struct discovery **to, struct err *e);
void discovery_drop(struct discovery *d);

/* False when the path is none of discovery's. */
bool discovery_handle(struct request *r, str path);

/* The paths as JSON strings, for the index of /. */
void discovery_put_paths(const struct discovery *d, struct buf *to);
