#include "lib/daemon/daemon.h"

#include <stdlib.h>
#include <unistd.h>

struct daemon_server {
	struct http_handler handler;
	struct daemon_server_options options;
	struct http_server *server;
	struct tls_context *tls;
	int listener;
};

enum { CERT_DAYS = 365 };

static void request(struct http_handler *h, struct http_exchange *x);
static void nothing(struct http_exchange *x, const struct err *e);

static const struct http_events no_events = {.closed = nothing};

int daemon_serve(struct daemon *d, const struct daemon_server_options *o, struct daemon_server **to,
	struct err *e)
{
	struct daemon_server *s = arena_get(&d->arena, sizeof(*s));
	struct http_server_options http = http_server_defaults();
	struct net_address at;

	s->options = *o;
	s->handler.request = request;
	TRY(net_address_parse(o->bind_address, o->port, &at, e));
	TRY(daemon_tls(&d->arena, o->cert_pem, o->key_pem, o->client_ca_pem, o->bind_address,
		d->loop.clock, &s->tls, e));
	TRY(net_listen(&at, &s->listener, e));
	http.loop = &d->loop;
	http.listener = s->listener;
	http.tls = s->tls;
	http.handler = &s->handler;
	TRY(http_server_start(&http, &s->server, e));
	*to = s;
	return 0;
}

void daemon_server_free(struct daemon_server *s)
{
	http_server_free(s->server);
	close(s->listener);
	tls_context_drop(s->tls);
}

int daemon_tls(struct arena *a, str cert_pem, str key_pem, str client_ca_pem, str host,
	const struct clock *c, struct tls_context **to, struct err *e)
{
	const str names[] = {STR("localhost")}, addresses[] = {host, STR("127.0.0.1")};

	if (!cert_pem.at)
		TRY(daemon_self_signed(a, (struct cert_list){names, COUNT_OF(names)},
			(struct cert_list){addresses, COUNT_OF(addresses)}, c, &cert_pem, &key_pem,
			e));
	struct tls_options o = {
		.cert_pem = cert_pem,
		.key_pem = key_pem,
		.client_ca_pem = client_ca_pem,
		.protocols = TLS_HTTP1 | TLS_HTTP2,
	};
	return tls_server_context(&o, to, e);
}

int daemon_self_signed(struct arena *a, struct cert_list dns, struct cert_list ips,
	const struct clock *c, str *cert_pem, str *key_pem, struct err *e)
{
	int64_t now_s = c->wall_ns(c) / NS_PER_S;
	struct key *key;

	TRY(key_make(&key, e));
	struct cert_order o = {
		.subject.common_name = arena_fmt(
			a, "%.*s@%lld", STR_ARG(ips.at[0]), (long long)now_s),
		.subject.dns = dns,
		.subject.ips = ips,
		.key = key,
		.ca_key = key,
		.usages = CERT_DIGITAL_SIGNATURE | CERT_KEY_ENCIPHERMENT | CERT_SERVER_AUTH,
		.not_before_s = now_s - 3600,
		.not_after_s = now_s + CERT_DAYS * 86400ll,
	};
	int made = cert_make(a, &o, cert_pem, e);
	*key_pem = key_private_pem(key, a);
	key_drop(key);
	return made;
}

static void request(struct http_handler *h, struct http_exchange *x)
{
	struct daemon_server *s = CONTAINER_OF(h, struct daemon_server, handler);
	struct buf b;

	x->events = &no_events;
	if (health_respond(s->options.health, x))
		return;
	if (!str_eq(x->request.path, STR("/metrics"))) {
		http_respond(x, 404, NULL, STR("404 page not found\n"));
		return;
	}
	if (!s->options.allowed(s->options.owner, x))
		return;
	buf_init(&b, BUF_NO_LIMIT);
	metrics_write(s->options.metrics, &b);
	http_respond(x, 200,
		HTTP_HEADERS(
			{STR("Content-Type"), STR("text/plain; version=0.0.4; charset=utf-8")}),
		buf_str(&b));
	buf_free(&b);
}

static void nothing(struct http_exchange *x, const struct err *e)
{
	(void)x, (void)e;
}
