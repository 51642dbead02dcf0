#include "setup/pki.h"

#include "lib/base/test.h"
#include "lib/crypto/cert.h"
#include "lib/os/file.h"

#include <stdlib.h>

#define DAY_NS (86400 * NS_PER_S)

static unsigned make(struct test *t, const char *folder, struct clock_fake *c, const char *address)
{
	str at = str_of(address);
	struct pki_options o = {.folder = str_of(folder),
		.server = STR("https://127.0.0.1:6443"),
		.node_name = STR("boat-1"),
		.addresses = {&at, 1}};
	unsigned changed = 0;
	struct err e;

	REQUIRE_OK(pki_make(&o, &c->clock, &changed, &e), &e);
	return changed;
}

static str content(struct test *t, const char *folder, const char *name)
{
	struct err e;
	str text;

	REQUIRE_OK(file_read(&t->arena, arena_fmt(&t->arena, "%s/%s", folder, name).at, 1 << 16,
			   &text, &e),
		&e);
	return text;
}

TEST(pki_makes_anew_what_ends_soon_or_lacks_an_address_and_nothing_else)
{
	const char *root = getenv("TMPDIR");
	char *folder = arena_get(&t->arena, 4096);
	struct clock_fake c;

	snprintf(folder, 4096, "%s/coracle-pki-XXXXXX", root ? root : "/tmp");
	REQUIRE(mkdtemp(folder));
	clock_fake_init(&c, 1750000000 * NS_PER_S);
	CHECK(make(t, folder, &c, "192.0.2.1") ==
		(PKI_API_SERVING | PKI_API_CLIENTS | PKI_ETCD | PKI_CONTROLLER_MANAGER |
			PKI_SCHEDULER | PKI_ADMIN | PKI_CA));
	str ca = content(t, folder, "pki/ca.crt"), sa = content(t, folder, "pki/sa.key");
	str etcd = content(t, folder, "pki/etcd/server.crt");

	CHECK_INT(make(t, folder, &c, "192.0.2.1"), 0);
	CHECK_INT(make(t, folder, &c, "192.0.2.2"), PKI_API_SERVING);
	CHECK_BYTES(content(t, folder, "pki/etcd/server.crt"), etcd);
	clock_fake_advance(&c, 240 * DAY_NS);
	CHECK_INT(make(t, folder, &c, "192.0.2.2"), 0);
	clock_fake_advance(&c, 10 * DAY_NS);
	CHECK(make(t, folder, &c, "192.0.2.2") ==
		(PKI_API_SERVING | PKI_API_CLIENTS | PKI_ETCD | PKI_CONTROLLER_MANAGER |
			PKI_SCHEDULER | PKI_ADMIN));
	CHECK_BYTES(content(t, folder, "pki/ca.crt"), ca);
	CHECK_BYTES(content(t, folder, "pki/sa.key"), sa);
	CHECK_INT(make(t, folder, &c, "192.0.2.2"), 0);
}
