/*
 * Searches the block devices for this build's root image: those that are there, then each one that
 * appears, as the kernel tells it. After a while it says on the console what it has seen so far,
 * and goes on waiting: a disk that comes late still starts the system.
 */
#pragma once

#include "stage1/root.h"

/* `release` as root_mount takes it. Returns once the root is mounted. */
NODISCARD int search_root(str release, struct root *to, struct err *e);

/* A device that a setting names, waited for in the same way; its build does not matter. */
NODISCARD int search_named(str name, struct root *to, struct err *e);
