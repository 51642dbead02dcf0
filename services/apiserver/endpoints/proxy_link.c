#include "apiserver/endpoints/proxy_link.h"

#include <stdlib.h>

enum { CALLS_PER_LINK = 90, IDLE_MAX = 8 };

static void free_link(struct proxy_link *l)
{
	struct proxy_link **at = &l->io->links;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	http_client_free(l->http);
	tls_context_drop(l->tls);
	free(l);
}

static struct proxy_link *new_link(struct endpoints_io *io, const struct aggregated *s, str address)
{
	size_t len = address.len + s->service_name.len + s->service_ns.len + sizeof("..svc");
	struct proxy_link *l = calloc(1, sizeof(*l) + len);
	char *text;

	if (!l)
		return NULL;
	text = (char *)(l + 1);
	memcpy(text, address.at, address.len);
	l->address = str_span(text, address.len);
	text += address.len;
	int n = snprintf(text, len - address.len, "%.*s.%.*s.svc", STR_ARG(s->service_name),
		STR_ARG(s->service_ns));

	l->name = str_span(text, (size_t)n);
	l->io = io;
	return l;
}

static int split_address(str address, str *host, uint16_t *port)
{
	int64_t number;
	size_t at = address.len;

	while (at > 0 && address.at[at - 1] != ':')
		at--;
	if (at == 0 || !str_to_i64(str_slice(address, at, address.len), &number) || number < 1 ||
		number > UINT16_MAX)
		return -1;
	*port = (uint16_t)number;
	*host = str_slice(address, 0, at - 1);
	if (str_starts(*host, STR("[")))
		*host = str_slice(*host, 1, host->len - 1);
	return 0;
}

static int open_link(struct endpoints_io *io, const struct aggregated *s, str address,
	struct proxy_link **to, struct err *e)
{
	struct http_client_options o = http_client_defaults();
	struct proxy_link *l;
	uint16_t port;
	str host;

	if (split_address(address, &host, &port) < 0)
		return err_set(e, ERR_INVALID, "%.*s is no address", STR_ARG(address));
	TRY(net_address_parse(host, port, &o.address, e));
	l = new_link(io, s, address);
	if (!l)
		return err_set(e, ERR_SYSTEM, "no memory for a connection");
	o.loop = io->loop;
	o.tls = s->tls;
	o.peer_name = l->name;
	if (http_client_open(&o, &l->http, e) < 0) {
		free(l);
		return -1;
	}
	tls_context_take(s->tls);
	l->tls = s->tls;
	l->next = io->links;
	io->links = l;
	*to = l;
	return 0;
}

static bool leads_to(const struct proxy_link *l, const struct aggregated *s, str address)
{
	str rest = l->name;

	return l->tls == s->tls && str_eq(l->address, address) &&
		str_eq(str_slice(rest, 0, s->service_name.len), s->service_name) &&
		str_starts(str_slice(rest, s->service_name.len + 1, rest.len), s->service_ns);
}

int proxy_link_enter(struct endpoints_io *io, const struct aggregated *s, str address,
	struct proxy_link **to, struct err *e)
{
	struct proxy_link *found = NULL;
	size_t idle = 0;

	for (struct proxy_link *l = io->links, *next; l; l = next) {
		bool usable = http_client_usable(l->http);

		next = l->next;
		if (l->calls == 0 && (!usable || ++idle > IDLE_MAX)) {
			free_link(l);
			continue;
		}
		if (!found && usable && leads_to(l, s, address) &&
			l->calls < (l->shared ? CALLS_PER_LINK : 1))
			found = l;
	}
	if (!found)
		TRY(open_link(io, s, address, &found, e));
	found->calls++;
	*to = found;
	return 0;
}

void proxy_link_leave(struct proxy_link *l)
{
	l->calls--;
}

void proxy_links_free(struct endpoints_io *io)
{
	while (io->links)
		free_link(io->links);
}
