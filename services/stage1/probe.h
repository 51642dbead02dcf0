/*
 * What a device holds, told by its first bytes: the two forms in which a root image arrives.
 *
 * Sources: Documentation/filesystems/squashfs.rst; ECMA-119 section 8.1.
 */
#pragma once

#include "lib/base/str.h"

enum probe_kind {
	PROBE_OTHER,
	PROBE_SQUASHFS, /* the root image itself */
	PROBE_ISO9660,  /* a volume that may have it as a file */
};

/* How much of a device's beginning probe_bytes wants to see. */
enum { PROBE_BYTES = 34816 };

/* `start` is what could be read, at most PROBE_BYTES. */
enum probe_kind probe_bytes(str start) PURE;

/* The value of a `key=` word in the kernel's command line; the last one counts, absent if none. */
str probe_setting(str command_line, str key) PURE;

/*
 * The block device that a message of the kernel's uevent socket is about ("vda1"), when it appeared
 * or its content changed; absent for any other message.
 */
str probe_uevent(str message) PURE;
