/*
 * Durations in Go's form: "1h15m30.918273645s", "300ms", "-1.5h".
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

struct duration {
	int64_t ns;
};

/* As Go's time.ParseDuration; ERR_INVALID in its words. */
NODISCARD int duration_parse(str text, struct duration *to, struct err *e);

void duration_put(struct buf *b, struct duration d);
