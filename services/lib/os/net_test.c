#include "lib/base/test.h"
#include "lib/os/net.h"

#include <fcntl.h>
#include <poll.h>

static int listen_on(struct test *t, const char *host, struct net_address *at)
{
	struct err e;
	int fd;

	REQUIRE_OK(net_address_parse(str_of(host), 0, at, &e), &e);
	REQUIRE_OK(net_listen(at, &fd, &e), &e);
	REQUIRE_OK(net_local_address(fd, at, &e), &e);
	CHECK(net_address_port(at) != 0);
	return fd;
}

TEST(net_address_reads_and_prints)
{
	static const struct {
		const char *host, *text;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1:80"},
		{"::1", "[::1]:80"},
		{"::ffff:10.0.0.1", "10.0.0.1:80"},
		{"2001:db8:0:0::1", "[2001:db8::1]:80"},
	};
	char text[NET_ADDRESS_TEXT_BYTES];
	struct net_address a;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		test_note(t, "%s", cases[i].host);
		if (CHECK_OK(net_address_parse(str_of(cases[i].host), 80, &a, &e), &e))
			CHECK_STR(net_address_text(&a, text), cases[i].text);
	}
}

TEST(net_address_refuses_what_is_none)
{
	static const str bad[] = {STR_INIT(""), STR_INIT("localhost"), STR_INIT("1.2.3"),
		STR_INIT("[::1]"), STR_INIT("127.0.0.1\0x"), STR_INIT("1.2.3.4.5"),
		STR_INIT("::1%lo"),
		STR_INIT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000")};
	struct net_address a;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		test_note(t, "case %zu", i);
		CHECK_FAILS(net_address_parse(bad[i], 1, &a, &e), &e, ERR_INVALID, "IP address");
	}
}

TEST(net_listener_takes_both_families)
{
	struct net_address at, to, peer;
	char text[NET_ADDRESS_TEXT_BYTES];
	struct err e;
	int listener = listen_on(t, "::", &at), client, server;

	REQUIRE_OK(net_address_parse(STR("127.0.0.1"), net_address_port(&at), &to, &e), &e);
	REQUIRE_OK(net_accept(listener, &server, &peer, &e), &e);
	CHECK_INT(server, -1);
	REQUIRE_OK(net_connect(&to, &client, &e), &e);

	struct pollfd ready[] = {
		{.fd = client, .events = POLLOUT}, {.fd = listener, .events = POLLIN}};

	CHECK_INT(poll(&ready[0], 1, 5000), 1);
	CHECK_INT(poll(&ready[1], 1, 5000), 1);
	CHECK_OK(net_connected(client, &e), &e);
	REQUIRE_OK(net_accept(listener, &server, &peer, &e), &e);
	REQUIRE(server >= 0);
	CHECK_STR(net_address_host(&peer, text), "127.0.0.1");
	CHECK(fcntl(server, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(server, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(client, F_GETFD) & FD_CLOEXEC);
	close(server);
	close(client);
	close(listener);
}

TEST(net_connect_to_nobody_is_refused)
{
	struct net_address at;
	struct err e;
	int listener = listen_on(t, "127.0.0.1", &at), client;

	close(listener);
	if (net_connect(&at, &client, &e) == 0) {
		struct pollfd ready = {.fd = client, .events = POLLOUT};

		CHECK_INT(poll(&ready, 1, 5000), 1);
		CHECK_FAILS(net_connected(client, &e), &e, ERR_SYSTEM, "refused");
		close(client);
	}
}

TEST(net_resolves_literals_and_localhost)
{
	struct net_address found[8];
	char text[NET_ADDRESS_TEXT_BYTES];
	struct err e;
	size_t len;

	REQUIRE_OK(net_resolve(STR("127.0.0.1"), 53, found, COUNT_OF(found), &len, &e), &e);
	REQUIRE(len == 1);
	CHECK_STR(net_address_text(&found[0], text), "127.0.0.1:53");
	CHECK_OK(net_resolve(STR("localhost"), 53, found, COUNT_OF(found), &len, &e), &e);
	CHECK(len >= 1);
	CHECK_FAILS(net_resolve(STR(""), 53, found, COUNT_OF(found), &len, &e), &e, ERR_INVALID,
		"host");
}
