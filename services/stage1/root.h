/*
 * The root image: mounted from where it was found, if it is this build's, and entered.
 *
 * An ISO 9660 volume keeps a file in one piece, so the image in it is mounted from the device
 * itself at the file's place: nothing is held in memory twice. What a slot of the installed system
 * holds is such a volume too.
 *
 * Threading: process 1 alone.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

/* Where the root is mounted until it is entered. */
#define ROOT_PLACE "/root"

struct root {
	const char *how;  /* "squashfs", "iso9660", "initrd" */
	char device[128]; /* what it was found on */
};

/*
 * Mounts the root image of `path`, a block device or a file, at ROOT_PLACE. `release` is the
 * content that its /etc/coracle-release must have; absent: any. ERR_NOT_FOUND when there is no root
 * image there, ERR_CONFLICT when it is another build's.
 */
NODISCARD int root_mount(const char *path, str release, struct root *to, struct err *e);

/*
 * Moves /dev, /proc, /run and /sys over, frees the initramfs save what is mounted elsewhere, makes
 * ROOT_PLACE the root and becomes its /sbin/init. Returns only when that failed.
 */
NODISCARD int root_enter(char **argv, struct err *e);
