/*
 * Who this machine is: its id (machine-id(5)) and its node name, both kept with the state, so that
 * they stay what they were at the first boot. Threading: any; blocks.
 */
#pragma once

#include "lib/base/clock.h"
#include "setup/settings.h"

struct identity {
	str machine_id; /* 32 hexadecimal digits */
	str node_name;
};

/* The setting, else what was kept, else coracle-<MAC of the first network card>, else a random one.
 */
NODISCARD int identity_read(struct arena *a, const struct settings *s, struct random *r,
	struct identity *to, struct err *e);

/* Makes the kernel and /etc/machine-id say so. */
NODISCARD int identity_apply(const struct identity *i, struct err *e);
