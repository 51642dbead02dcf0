/*
 * gzip (RFC 1952) at the fastest level, for answers. Threading: any.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Appends `bytes`, packed. */
NODISCARD int gzip_put(struct buf *to, str bytes, struct err *e);
