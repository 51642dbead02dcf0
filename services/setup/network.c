#include "setup/network.h"

#include "lib/base/log.h"
#include "lib/os/file.h"
#include "lib/os/interface.h"
#include "lib/os/net.h"
#include "lib/supervise/service.h"

#include <errno.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define LOOPBACK STR("lo")

enum { LEASE_BYTES_MAX = 16 << 10, SERVERS_BYTES_MAX = 4096 };

static void on_links(struct loop_watch *w, uint32_t events);
static void on_leases(struct loop_watch *w, uint32_t events);
static void look(struct network *n);
static int set_up(struct network *n, struct arena *a, const struct interface *i, struct err *e);
static bool is_static(const struct network *n);
static bool is_meant(const struct network *n, str name);
static int set_static(struct network *n, str name, struct err *e);
static int set_lease(str name, const struct pair_list *lease, struct err *e);
static void apply_leases(struct network *n);
static void write_servers(struct network *n, struct buf *dns, struct buf *ntp);
static bool replace(const char *path, str content);
static void put_servers(struct buf *to, const char *word, str list, char separator, bool names);

int network_start(struct network *n, struct loop *l, const struct settings *s, struct err *e)
{
	struct err unused;

	n->loop = l;
	n->settings = s;
	mkdir(DHCP_FOLDER, 0755);
	n->links.ready = on_links;
	n->leases.ready = on_leases;
	TRY(interface_watch(&n->links.fd, e));
	n->leases.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (n->leases.fd < 0 || inotify_add_watch(n->leases.fd, DHCP_FOLDER, IN_MOVED_TO) < 0)
		return err_set_errno(e, errno, "watching " DHCP_FOLDER);
	TRY(loop_watch(l, &n->links, EPOLLIN, e));
	TRY(loop_watch(l, &n->leases, EPOLLIN, e));
	TRY(interface_up(LOOPBACK, e));
	/* A second address of lo, which pods can be led to: 127.0.0.1 is each pod's own. */
	if (s->from[SETTING_ADVERTISE_ADDRESS] == SOURCE_PRESET &&
		interface_set_address(
			STR("lo:api"), s->at[SETTING_ADVERTISE_ADDRESS], 32, &unused) < 0)
		log_warning("%s", unused.text);
	apply_leases(n);
	look(n);
	return 0;
}

void network_put_notices(const struct network *n, struct buf *to)
{
	struct interface *all;
	struct arena a;
	struct err e;
	size_t len, address_count;
	str *addresses;

	arena_init(&a, ARENA_NO_LIMIT);
	if (interfaces_find(&a, &all, &len, &e) < 0)
		buf_add_fmt(to, "network: %s\n", e.text);
	else if (!len)
		buf_add_fmt(to, "there is no network card: only this machine reaches its API\n");
	else if (interface_addresses(&a, &addresses, &address_count, &e) == 0 && !address_count)
		buf_add_fmt(to,
			is_static(n) ? "no address yet: is the cable plugged in?\n"
				     : "no address yet: nobody answers DHCP; coracle.address="
				       "192.0.2.10/24 would set one\n");
	arena_free(&a);
}

static void on_links(struct loop_watch *w, uint32_t events)
{
	struct network *n = CONTAINER_OF(w, struct network, links);

	(void)events;
	interface_drain(w->fd);
	look(n);
	n->changed(n);
}

static void on_leases(struct loop_watch *w, uint32_t events)
{
	struct network *n = CONTAINER_OF(w, struct network, leases);

	(void)events;
	service_drain(w->fd);
	apply_leases(n);
	n->changed(n);
}

/* Every card that is not in use yet is taken into use. */
static void look(struct network *n)
{
	struct interface *all;
	struct arena a;
	struct err e;
	size_t len = 0;

	arena_init(&a, ARENA_NO_LIMIT);
	if (interfaces_find(&a, &all, &len, &e) < 0)
		log_error("%s", e.text);
	for (size_t i = 0; i < len; i++)
		if (is_meant(n, all[i].name) && set_up(n, &a, &all[i], &e) < 0)
			log_error("network: %s", e.text);
	arena_free(&a);
}

static int set_up(struct network *n, struct arena *a, const struct interface *i, struct err *e)
{
	const char *mark = arena_fmt(a, DHCP_FOLDER "/.%.*s", STR_ARG(i->name)).at;

	if (access(mark, F_OK) == 0)
		return 0;
	TRY(interface_up(i->name, e));
	if (is_static(n)) {
		TRY(set_static(n, i->name, e));
	} else {
		TRY(service_make(arena_fmt(a, "udhcpc@%.*s", STR_ARG(i->name)), e));
		TRY(service_scan(e));
	}
	return file_write(mark, 0644, STR(""), e);
}

static bool is_static(const struct network *n)
{
	return !str_eq(n->settings->at[SETTING_ADDRESS], STR("dhcp"));
}

/* A fixed address goes to one card: the one that is named, else the first. */
static bool is_meant(const struct network *n, str name)
{
	str wanted = n->settings->at[SETTING_INTERFACE];

	return !wanted.at || str_eq(wanted, name);
}

static int set_static(struct network *n, str name, struct err *e)
{
	str rest = n->settings->at[SETTING_ADDRESS], host = str_cut(&rest, '/');
	str gateway = n->settings->at[SETTING_GATEWAY];
	uint64_t bits;

	if (!str_to_u64(rest, &bits))
		return err_set(e, ERR_INVALID, "\"%.*s\" is no prefix length", STR_ARG(rest));
	TRY(interface_set_address(name, host, (unsigned)bits, e));
	return gateway.at ? interface_set_gateway(name, gateway, e) : 0;
}

static int set_lease(str name, const struct pair_list *lease, struct err *e)
{
	str ip = pairs_get(lease, STR("ip")), mask = pairs_get(lease, STR("mask"));
	str routers = pairs_get(lease, STR("router"));
	uint64_t bits = 0;

	if (!ip.len)
		return interface_set_address(name, STR("0.0.0.0"), 0, e);
	if (!str_to_u64(mask, &bits) || bits > 32)
		return err_set(e, ERR_INVALID, "\"%.*s\" is no prefix length", STR_ARG(mask));
	TRY(interface_set_address(name, ip, (unsigned)bits, e));
	str first = str_cut(&routers, ' ');

	return first.len ? interface_set_gateway(name, first, e) : 0;
}

static void apply_leases(struct network *n)
{
	struct interface *all;
	struct buf dns, ntp;
	struct arena a;
	struct err e;
	size_t len = 0;

	arena_init(&a, ARENA_NO_LIMIT);
	buf_init(&dns, SERVERS_BYTES_MAX);
	buf_init(&ntp, SERVERS_BYTES_MAX);
	put_servers(&dns, "nameserver", n->settings->at[SETTING_DNS], ',', false);
	put_servers(&ntp, "server", n->settings->at[SETTING_NTP], ',', true);
	if (interfaces_find(&a, &all, &len, &e) < 0)
		log_error("%s", e.text);
	for (size_t i = 0; i < len && !is_static(n); i++) {
		struct pair_list lease;
		str text;

		if (file_read(&a, arena_fmt(&a, DHCP_FOLDER "/%.*s", STR_ARG(all[i].name)).at,
			    LEASE_BYTES_MAX, &text, &e) < 0)
			continue;
		if (pairs_read(&a, text, &lease, &e) < 0 ||
			set_lease(all[i].name, &lease, &e) < 0) {
			log_error("what DHCP says for %.*s: %s", STR_ARG(all[i].name), e.text);
			continue;
		}
		if (!n->settings->at[SETTING_DNS].at)
			put_servers(&dns, "nameserver", pairs_get(&lease, STR("dns")), ' ', false);
		if (!n->settings->at[SETTING_NTP].at)
			put_servers(&ntp, "server", pairs_get(&lease, STR("ntpsrv")), ' ', false);
	}
	write_servers(n, &dns, &ntp);
	buf_free(&dns);
	buf_free(&ntp);
	arena_free(&a);
}

static void write_servers(struct network *n, struct buf *dns, struct buf *ntp)
{
	mkdir(ETC_FOLDER, 0755);
	replace(ETC_FOLDER "/resolv.conf", buf_str(dns));
	n->new_time_servers |= replace(ETC_FOLDER "/ntp.conf", buf_str(ntp));
	n->has_time_servers = ntp->len > 0;
}

/* Whether it said something else before. */
static bool replace(const char *path, str content)
{
	struct arena a;
	struct err e;
	str before;

	arena_init(&a, ARENA_NO_LIMIT);
	bool same = file_read(&a, path, SERVERS_BYTES_MAX, &before, &e) == 0 &&
		str_eq(before, content);
	if (!same && file_write(path, 0644, content, &e) < 0)
		log_error("%s", e.text);
	arena_free(&a);
	return !same;
}

static void put_servers(struct buf *to, const char *word, str list, char separator, bool names)
{
	for (str rest = list; rest.len;) {
		str one = str_trim(str_cut(&rest, separator));
		struct net_address unused;
		struct err e;

		if (one.len && (names || net_address_parse(one, 0, &unused, &e) == 0))
			buf_add_fmt(to, "%s %.*s\n", word, STR_ARG(one));
	}
}
