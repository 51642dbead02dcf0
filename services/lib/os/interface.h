/*
 * Network cards of this machine and their addresses, by the kernel's interfaces: sysfs, ioctls of
 * a socket (netdevice(7)), routing events (rtnetlink(7)). IPv4 is set; IPv6 configures itself.
 *
 * Threading: any; nothing blocks for long.
 */
#pragma once

#include "lib/base/arena.h"

struct interface {
	str name, mac;
	bool carrier;
};

enum { INTERFACES_MAX = 64 };

/* Cards, not what is built on them, sorted by name. */
NODISCARD int interfaces_find(struct arena *a, struct interface **to, size_t *len, struct err *e);

/* Global addresses, IPv4 first; those of `lo` are not among them. */
NODISCARD int interface_addresses(struct arena *a, str **to, size_t *len, struct err *e);

NODISCARD int interface_up(str name, struct err *e);

/* The only IPv4 address of the interface; "0.0.0.0" takes it away. `bits` is its prefix. */
NODISCARD int interface_set_address(str name, str address, unsigned bits, struct err *e);
NODISCARD int interface_set_gateway(str name, str gateway, struct err *e);

/* A descriptor that becomes readable when links or addresses change; interface_drain empties it. */
NODISCARD int interface_watch(int *fd, struct err *e);
void interface_drain(int fd);
