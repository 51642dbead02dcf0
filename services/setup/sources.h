/*
 * Where settings come from: the kernel's command line, QEMU's fw_cfg, a config disk with the label
 * CORACLE-CFG (FAT or ISO 9660, file coracle.conf). Threading: any; blocks.
 */
#pragma once

#include "setup/settings.h"

/* All but what was kept, which lies with the state. What cannot be read is a problem. */
void sources_read(struct arena *a, struct setting_sources *to, struct buf *problems);

/* STATE_FOLDER/settings, once the state is there; not `*kept`: this is the first boot. */
NODISCARD int sources_read_kept(
	struct arena *a, struct setting_sources *to, bool *kept, struct err *e);
