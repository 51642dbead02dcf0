/*
 * What udhcpc calls when its lease changes: argv[1] says what happened, the environment what the
 * server said. It leaves that for setup and does nothing else.
 */
#include "lib/base/log.h"
#include "lib/os/file.h"
#include "setup/network.h"
#include "setup/setup.h"

static const char *const kept[] = {"ip", "mask", "router", "dns", "ntpsrv", "hostname"};

enum { VALUE_BYTES_MAX = 1024, LEASE_BYTES_MAX = 8192 };

int dhcp_hook_main(int argc, char **argv)
{
	str what = str_of(argc > 1 ? argv[1] : ""), name = str_of(getenv("interface"));
	struct arena a;
	struct buf b;
	struct err e;

	if (str_eq(what, STR("leasefail")) || str_eq(what, STR("nak")))
		return 0;
	if (!name.len || str_find_char(name, '/') >= 0) {
		fprintf(stderr, "dhcp-hook: udhcpc starts it\n");
		return 2;
	}
	arena_init(&a, ARENA_NO_LIMIT);
	buf_init(&b, LEASE_BYTES_MAX);
	for (size_t i = 0; i < COUNT_OF(kept) && !str_eq(what, STR("deconfig")); i++) {
		str value = str_of(getenv(kept[i]));

		if (value.len && value.len <= VALUE_BYTES_MAX && str_find_char(value, '\n') < 0)
			buf_add_fmt(&b, "%s=%.*s\n", kept[i], STR_ARG(value));
	}
	int done = file_write(
		arena_fmt(&a, DHCP_FOLDER "/%.*s", STR_ARG(name)).at, 0644, buf_str(&b), &e);

	if (done < 0)
		log_error("dhcp-hook: %s", e.text);
	buf_free(&b);
	arena_free(&a);
	return done < 0;
}
