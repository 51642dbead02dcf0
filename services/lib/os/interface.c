#include "lib/os/interface.h"

#include "lib/os/file.h"
#include "lib/os/net.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define NETS "/sys/class/net"

enum { SYSFS_BYTES_MAX = 256, ADDRESSES_MAX = 64 };

static bool is_card(struct arena *a, str name);
static str attribute(struct arena *a, str name, const char *file);
static int by_name(const void *a, const void *b);
static int ask(unsigned long what, void *about, const char *doing, str name, struct err *e);
static int set_name(struct ifreq *r, str name, struct err *e);
static int parse(str address, struct sockaddr *to, struct err *e);

int interfaces_find(struct arena *a, struct interface **to, size_t *len, struct err *e)
{
	DIR *d = opendir(NETS);
	struct interface *list = arena_get(a, INTERFACES_MAX * sizeof(*list));
	struct dirent *entry;
	size_t count = 0;

	if (!d)
		return err_set_errno(e, errno, "opening " NETS);
	while ((entry = readdir(d)) && count < INTERFACES_MAX) {
		str name = arena_str(a, str_of(entry->d_name));

		if (name.at[0] != '.' && is_card(a, name))
			list[count++] = (struct interface){name, attribute(a, name, "address"),
				str_eq(attribute(a, name, "carrier"), STR("1"))};
	}
	closedir(d);
	qsort(list, count, sizeof(*list), by_name);
	*to = list;
	*len = count;
	return 0;
}

int interface_addresses(struct arena *a, str **to, size_t *len, struct err *e)
{
	str *list = arena_get(a, ADDRESSES_MAX * sizeof(*list));
	size_t count = 0;
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return err_set_errno(e, errno, "listing addresses");
	for (int family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0)
		for (struct ifaddrs *i = all; i; i = i->ifa_next) {
			char text[NET_ADDRESS_TEXT_BYTES];
			struct net_address at = {0};

			if (!i->ifa_addr || i->ifa_addr->sa_family != family ||
				(i->ifa_flags & IFF_LOOPBACK) || count == ADDRESSES_MAX)
				continue;
			memcpy(&at.any, i->ifa_addr,
				family == AF_INET ? sizeof(at.v4) : sizeof(at.v6));
			if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&at.v6.sin6_addr))
				continue;
			list[count++] = arena_str(a, net_address_host(&at, text));
		}
	freeifaddrs(all);
	*to = list;
	*len = count;
	return 0;
}

int interface_up(str name, struct err *e)
{
	struct ifreq r = {0};

	TRY(set_name(&r, name, e));
	TRY(ask(SIOCGIFFLAGS, &r, "reading the state of", name, e));
	r.ifr_flags |= IFF_UP;
	return ask(SIOCSIFFLAGS, &r, "bringing up", name, e);
}

int interface_set_address(str name, str address, unsigned bits, struct err *e)
{
	struct sockaddr_in mask = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(bits ? ~0u << (32 - bits) : 0)};
	struct ifreq r = {0};

	TRY(set_name(&r, name, e));
	TRY(parse(address, &r.ifr_addr, e));
	bool clears = ((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr == 0;

	TRY(ask(SIOCSIFADDR, &r, "setting the address of", name, e));
	if (clears)
		return 0;
	memcpy(&r.ifr_netmask, &mask, sizeof(mask));
	return ask(SIOCSIFNETMASK, &r, "setting the netmask of", name, e);
}

int interface_set_gateway(str name, str gateway, struct err *e)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
	struct ifreq r = {0};
	struct err unused;

	TRY(set_name(&r, name, e));
	route.rt_dev = r.ifr_name;
	memcpy(&route.rt_dst, &any, sizeof(any));
	memcpy(&route.rt_genmask, &any, sizeof(any));
	(void)!ask(SIOCDELRT, &route, "forgetting the route of", name, &unused);
	TRY(parse(gateway, &route.rt_gateway, e));
	return ask(SIOCADDRT, &route, "setting the route of", name, e);
}

int interface_watch(int *to, struct err *e)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
		int why = errno;

		if (fd >= 0)
			close(fd);
		return err_set_errno(e, why, "listening for changes of the network");
	}
	*to = fd;
	return 0;
}

void interface_drain(int fd)
{
	char event[8192];

	while (recv(fd, event, sizeof(event), 0) > 0 || errno == ENOBUFS)
		continue;
}

static bool is_card(struct arena *a, str name)
{
	const char *device = arena_fmt(a, NETS "/%.*s/device", STR_ARG(name)).at;
	uint64_t type;

	return access(device, F_OK) == 0 && str_to_u64(attribute(a, name, "type"), &type) &&
		type == ARPHRD_ETHER;
}

static str attribute(struct arena *a, str name, const char *file)
{
	struct err unused;
	str content;

	if (file_read(a, arena_fmt(a, NETS "/%.*s/%s", STR_ARG(name), file).at, SYSFS_BYTES_MAX,
		    &content, &unused) < 0)
		return STR("");
	return str_trim(content);
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct interface *)a)->name, ((const struct interface *)b)->name);
}

static int ask(unsigned long what, void *about, const char *doing, str name, struct err *e)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int done = fd < 0 ? -1 : ioctl(fd, what, about), why = errno;

	if (fd >= 0)
		close(fd);
	return done < 0 ? err_set_errno(e, why, "%s %.*s", doing, STR_ARG(name)) : 0;
}

static int set_name(struct ifreq *r, str name, struct err *e)
{
	if (name.len >= sizeof(r->ifr_name))
		return err_set(e, ERR_INVALID, "no interface is called %.*s", STR_ARG(name));
	memcpy(r->ifr_name, name.at, name.len);
	return 0;
}

static int parse(str address, struct sockaddr *to, struct err *e)
{
	struct net_address a;

	TRY(net_address_parse(address, 0, &a, e));
	if (a.any.sa_family != AF_INET)
		return err_set(e, ERR_INVALID, "%.*s is no IPv4 address", STR_ARG(address));
	memcpy(to, &a.v4, sizeof(a.v4));
	return 0;
}
