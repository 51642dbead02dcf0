/*
 * The machine's network: cards are brought up as they appear, addresses set from the settings or
 * from what DHCP gave. Nothing waits for it.
 *
 * udhcpc runs as a service for each card; its hook leaves what it was told in DHCP_FOLDER/CARD as
 * KEY=VALUE lines (ip, mask, router, dns, ntpsrv, hostname), which are a stranger's words and are
 * checked here.
 *
 * Threading: the loop's. Ownership: embedded; the settings outlive it.
 */
#pragma once

#include "lib/loop/loop.h"
#include "setup/settings.h"

#define DHCP_FOLDER "/run/coracle/dhcp"
#define ETC_FOLDER  "/run/coracle/etc"

struct network {
	void (*changed)(struct network *n); /* addresses may have changed; set by the owner */
	struct loop *loop;
	const struct settings *settings;
	struct loop_watch links, leases;
	bool has_time_servers; /* ETC_FOLDER/ntp.conf names some */
	bool new_time_servers; /* others than before; the owner takes it back */
};

NODISCARD int network_start(
	struct network *n, struct loop *l, const struct settings *s, struct err *e);

/* What is still wrong with it, a line each: no card, no cable, no address. */
void network_put_notices(const struct network *n, struct buf *to);
