/*
 * Waits for devices to appear, by the kernel's uevents. Opened before the first look, so that none
 * is missed. Threading: one.
 */
#pragma once

#include "lib/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct device_wait {
	int fd;
};

NODISCARD int device_wait_open(struct device_wait *w, struct err *e);
void device_wait_close(struct device_wait *w);

/* Blocks until some device has changed; false once the deadline (monotonic) has passed. */
bool device_wait_next(struct device_wait *w, int64_t deadline_ns);
