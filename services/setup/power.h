/*
 * The machine's power button: an input device that knows KEY_POWER. A press asks process 1 to end
 * everything in order (SIGUSR2). Devices that appear later are watched as well.
 *
 * Threading: the loop's. Ownership: embedded in its owner, who lives as long as the process.
 */
#pragma once

#include "lib/loop/loop.h"

enum { POWER_DEVICES_MAX = 16 };

struct power_device {
	struct power *power;
	struct loop_watch watch;
	char name[32]; /* empty: it is gone */
};

struct power {
	struct loop *loop;
	struct loop_watch folder;
	struct power_device devices[POWER_DEVICES_MAX];
	size_t count;
};

NODISCARD int power_start(struct power *p, struct loop *l, struct err *e);
