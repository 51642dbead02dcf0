/*
 * gzip (RFC 1952) at the fastest level, for answers. Threading: any; a struct gzip one
 * thread at a time.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stdbool.h>

/* Appends `bytes`, packed. */
NODISCARD int gzip_put(struct buf *to, str bytes, struct err *e);

/* The same part by part; the last one ends it. Each may add nothing yet. */
struct gzip;

NODISCARD int gzip_new(struct gzip **to, struct err *e);
NODISCARD int gzip_add(struct gzip *g, str bytes, bool last, struct buf *to, struct err *e);
void gzip_free(struct gzip *g);
