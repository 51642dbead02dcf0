/*
 * The state of the machine: what outlives a boot, at STATE_FOLDER, and the places of the read-only
 * root that are folders of it. It is on a disk or partition with the label CORACLE-STATE, on an
 * empty disk that is meant for it (named by the setting, or with the serial coracle-state), which
 * is formatted, or in RAM (ext4 on zram). A disk that holds anything else is never touched.
 * In the same way a disk CORACLE-DATA holds what may fill up: pods and logs; without one the state
 * does.
 *
 * Threading: before the machine's loop runs; everything blocks.
 */
#pragma once

#include "lib/base/arena.h"

#include <sys/types.h>

#define STATE_FOLDER "/var/lib/coracle"
#define STATE_LABEL  "CORACLE-STATE"

struct state {
	str device; /* of the disk; empty: it is in RAM */
};

/* `wanted` is the setting: auto, disk, ram or a device. */
NODISCARD int state_open(struct arena *a, str wanted, struct state *to, struct err *e);

/* A file in STATE_FOLDER, absent when there is none. */
NODISCARD int state_read(struct arena *a, const char *name, str *to, struct err *e);
NODISCARD int state_write(const char *name, mode_t mode, str content, struct err *e);
