/*
 * TCP sockets and their addresses. Every socket is close-on-exec and non-blocking from birth.
 *
 * Ownership: a descriptor belongs to who received it. Threading: any; only net_resolve may block
 * for long, so it runs on a thread for blocking work.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

#include <netinet/in.h>

struct net_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* "127.0.0.1:443", "[::1]:443"; an IPv4 peer of a dual-stack listener is shown as IPv4. */
enum { NET_ADDRESS_TEXT_BYTES = 64 };
str net_address_text(const struct net_address *a, char to[NET_ADDRESS_TEXT_BYTES]);

/* The same without the port and the brackets. */
str net_address_host(const struct net_address *a, char to[NET_ADDRESS_TEXT_BYTES]);
uint16_t net_address_port(const struct net_address *a);

/* A literal IPv4 or IPv6 address, without brackets. */
NODISCARD int net_address_parse(str host, uint16_t port, struct net_address *to, struct err *e);

/* A name or a literal, by the system's resolver: at most `cap` addresses, in its order. Blocks. */
NODISCARD int net_resolve(
	str host, uint16_t port, struct net_address *to, size_t cap, size_t *len, struct err *e);

/*
 * Port 0 asks the kernel for one; net_local_address tells which. The unspecified IPv6 address
 * listens on IPv4 as well.
 */
NODISCARD int net_listen(const struct net_address *at, int *fd, struct err *e);
NODISCARD int net_local_address(int fd, struct net_address *to, struct err *e);

/*
 * The next waiting connection, with no delay for small writes and with keep-alive probes, so that a
 * peer that vanished is noticed. *fd is -1 when none waits.
 */
NODISCARD int net_accept(int listener, int *fd, struct net_address *peer, struct err *e);

/* Begins to connect; once the descriptor is writable, net_connected tells how that went. */
NODISCARD int net_connect(const struct net_address *to, int *fd, struct err *e);
NODISCARD int net_connected(int fd, struct err *e);

/* Closing it will reset the connection and drop what waits for a peer that does not take it. */
void net_discard(int fd);
