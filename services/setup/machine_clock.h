/*
 * The machine's clock: never before the build of the image nor before the time that was saved
 * last, whatever the battery of the board says. Threading: any.
 */
#pragma once

#include "lib/base/err.h"

#include <stdbool.h>

/* Moves the clock forward to the floors; `state` says whether STATE_FOLDER can be read already. */
NODISCARD int machine_clock_set(bool state, struct err *e);
NODISCARD int machine_clock_save(struct err *e);

/* A descriptor that becomes readable when somebody sets the clock; machine_clock_drain sets it up
 * again. */
NODISCARD int machine_clock_watch(int *fd, struct err *e);
NODISCARD int machine_clock_drain(int fd, struct err *e);
