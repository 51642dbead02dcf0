/*
 * UUIDs of version 4 (RFC 9562, 5.4): uids of objects, ids of tokens and audits.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/clock.h"

enum { UUID_CHARS = 36 };

/* Lower case, in the arena. */
str uuid_new(struct random *r, struct arena *a);
