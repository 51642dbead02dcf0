/*
 * HorizontalPodAutoscaler between autoscaling/v1 and v2. What v1 has no field for stands in its
 * annotations, in the forms of upstream: metrics and their status as JSON of v1's old structs, the
 * conditions, and the behavior as JSON of Go's field names. An annotation that cannot be read is
 * as good as none.
 *
 * Source: pkg/apis/autoscaling/v1/conversion.go.
 */
#pragma once

#include "lib/base/arena.h"

/* `to` is a new object of the other version. */
NODISCARD int autoscaler_to_v1(struct arena *a, const void *from, void *to, struct err *e);
NODISCARD int autoscaler_from_v1(struct arena *a, const void *from, void *to, struct err *e);
