#include "lib/os/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 1024,
	KEEPALIVE_S = 180, /* as upstream's listeners */
	KEEPALIVE_PROBES = 5,
	HOST_BYTES = 256,
};

static socklen_t address_len(const struct net_address *a);
static void tune_stream(int fd);
static int bind_and_listen(int fd, const struct net_address *at, struct err *e);

str net_address_host(const struct net_address *a, char to[NET_ADDRESS_TEXT_BYTES])
{
	if (a->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->v4.sin_addr, to, NET_ADDRESS_TEXT_BYTES);
	else if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		inet_ntop(AF_INET, &a->v6.sin6_addr.s6_addr[12], to, NET_ADDRESS_TEXT_BYTES);
	else
		inet_ntop(AF_INET6, &a->v6.sin6_addr, to, NET_ADDRESS_TEXT_BYTES);
	return str_of(to);
}

str net_address_text(const struct net_address *a, char to[NET_ADDRESS_TEXT_BYTES])
{
	char host[NET_ADDRESS_TEXT_BYTES];
	bool is_v6 = str_find_char(net_address_host(a, host), ':') >= 0;
	int len = snprintf(
		to, NET_ADDRESS_TEXT_BYTES, is_v6 ? "[%s]:%u" : "%s:%u", host, net_address_port(a));

	return str_span(to, (size_t)len);
}

uint16_t net_address_port(const struct net_address *a)
{
	return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

int net_address_parse(str host, uint16_t port, struct net_address *to, struct err *e)
{
	char text[INET6_ADDRSTRLEN];
	struct net_address parsed = {0};

	if (host.len >= sizeof(text) || str_find_char(host, '\0') >= 0)
		return err_set(e, ERR_INVALID, "not an IP address");
	memcpy(text, host.at, host.len);
	text[host.len] = '\0';
	if (inet_pton(AF_INET, text, &parsed.v4.sin_addr) == 1) {
		parsed.v4.sin_family = AF_INET;
		parsed.v4.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &parsed.v6.sin6_addr) == 1) {
		parsed.v6.sin6_family = AF_INET6;
		parsed.v6.sin6_port = htons(port);
	} else {
		return err_set(e, ERR_INVALID, "%s is not an IP address", text);
	}
	*to = parsed;
	return 0;
}

int net_resolve(
	str host, uint16_t port, struct net_address *to, size_t cap, size_t *len, struct err *e)
{
	char name[HOST_BYTES], service[8];
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found;
	size_t count = 0;

	if (host.len == 0 || host.len >= sizeof(name) || str_find_char(host, '\0') >= 0)
		return err_set(e, ERR_INVALID, "not a host name");
	memcpy(name, host.at, host.len);
	name[host.len] = '\0';
	snprintf(service, sizeof(service), "%u", port);

	int failure = getaddrinfo(name, service, &wanted, &found);

	if (failure == EAI_NONAME)
		return err_set(e, ERR_NOT_FOUND, "no such host: %s", name);
	if (failure)
		return err_set(e, ERR_UNAVAILABLE, "resolving %s: %s", name, gai_strerror(failure));
	for (struct addrinfo *a = found; a && count < cap; a = a->ai_next)
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
			memcpy(&to[count++], a->ai_addr, a->ai_addrlen);
	freeaddrinfo(found);
	*len = count;
	return 0;
}

int net_listen(const struct net_address *at, int *fd, struct err *e)
{
	char text[NET_ADDRESS_TEXT_BYTES];
	int s = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s < 0)
		return err_set_errno(e, errno, "opening a socket");
	if (bind_and_listen(s, at, e) < 0) {
		close(s);
		net_address_text(at, text);
		return err_context(e, "listening on %s", text);
	}
	*fd = s;
	return 0;
}

int net_local_address(int fd, struct net_address *to, struct err *e)
{
	struct net_address address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) < 0)
		return err_set_errno(e, errno, "asking for a socket's address");
	*to = address;
	return 0;
}

int net_accept(int listener, int *fd, struct net_address *peer, struct err *e)
{
	struct net_address address = {0};
	socklen_t len = sizeof(address);
	int s;

	do
		s = accept4(listener, &address.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (s < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (s < 0 && errno != EAGAIN)
		return err_set_errno(e, errno, "accepting a connection");
	if (s >= 0) {
		tune_stream(s);
		*peer = address;
	}
	*fd = s;
	return 0;
}

int net_connect(const struct net_address *to, int *fd, struct err *e)
{
	int s = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s < 0)
		return err_set_errno(e, errno, "opening a socket");
	if (connect(s, &to->any, address_len(to)) < 0 && errno != EINPROGRESS) {
		int why = errno;

		close(s);
		return err_set_errno(e, why, "connecting");
	}
	tune_stream(s);
	*fd = s;
	return 0;
}

int net_connected(int fd, struct err *e)
{
	int why = 0;
	socklen_t len = sizeof(why);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		why = errno;
	return why ? err_set_errno(e, why, "connecting") : 0;
}

void net_discard(int fd)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static socklen_t address_len(const struct net_address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* None of these can fail on a TCP socket, and none is worth losing the connection for. */
static void tune_stream(int fd)
{
	int on = 1, idle_s = KEEPALIVE_S, probes = KEEPALIVE_PROBES, interval_s = KEEPALIVE_S / 12;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static int bind_and_listen(int fd, const struct net_address *at, struct err *e)
{
	int on = 1, off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return err_set_errno(e, errno, "SO_REUSEADDR");
	if (at->any.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return err_set_errno(e, errno, "IPV6_V6ONLY");
	if (bind(fd, &at->any, address_len(at)) < 0)
		return err_set_errno(e, errno, "bind");
	if (listen(fd, BACKLOG) < 0)
		return err_set_errno(e, errno, "listen");
	return 0;
}
