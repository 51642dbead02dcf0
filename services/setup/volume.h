/*
 * Block devices and what is on them, by their first bytes: the file system's label, or that there
 * is nothing at all. Reads only.
 *
 * Ownership: texts in the arena. Threading: any; volumes_find blocks.
 * Source: ext4's disk layout (super block at 1024), FAT's boot sector, ISO 9660 8.4.
 */
#pragma once

#include "lib/base/arena.h"

enum volume_kind { VOLUME_OTHER, VOLUME_EMPTY, VOLUME_EXT4, VOLUME_FAT, VOLUME_ISO9660 };

/* What the first bytes tell. */
struct volume_content {
	enum volume_kind kind;
	str label; /* without the blanks that fill it up */
};

struct volume {
	struct volume_content content;
	str device;    /* "/dev/vdb" */
	str partition; /* its name in the GPT; empty: none */
	str serial;    /* of the disk */
	uint64_t bytes;
	bool has_partitions, read_only;
};

enum { VOLUME_HEAD_BYTES = 128 << 10, VOLUMES_MAX = 256 };

/* `head` are the first bytes, VOLUME_HEAD_BYTES where there are so many. */
void volume_content(str head, struct volume_content *to);

/* Every disk and partition of this machine, loop, zram and RAM disks aside. */
NODISCARD int volumes_find(struct arena *a, struct volume **to, size_t *len, struct err *e);
