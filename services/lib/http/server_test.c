#include "lib/base/test.h"
#include "lib/http/server.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

/* Several loops, each on a thread of its own with a server, behind one listener. */

enum { SERVERS = 3, CLIENTS = 60, DAY_S = 86400, WAIT_MS = 20000 };

struct node {
	struct http_handler handler;
	struct loop loop;
	struct http_server *server;
	struct loop_task drain, drained;
	pthread_t thread;
	int requests;
};

static void ignore_body(UNUSED struct http_exchange *x, UNUSED str part)
{
}

static void answer_at_end(struct http_exchange *x, const struct err *e)
{
	http_respond(x, e ? 413 : 200, NULL, buf_str(&x->body));
}

static void give_up(struct http_exchange *x, UNUSED const struct err *e)
{
	http_abort(x);
}

static const struct http_events events = {
	.body = ignore_body, .body_end = answer_at_end, .closed = give_up};

static void serve(struct http_handler *h, struct http_exchange *x)
{
	struct err e;

	CONTAINER_OF(h, struct node, handler)->requests++;
	x->events = &events;
	if (http_collect_body(x, 1000, &e) < 0)
		http_respond(x, 413, NULL, STR(""));
}

static void begin_to_drain(struct loop_task *t)
{
	struct node *n = CONTAINER_OF(t, struct node, drain);

	http_server_drain(n->server, &n->drained);
}

static void stop(struct loop_task *t)
{
	loop_stop(&CONTAINER_OF(t, struct node, drained)->loop);
}

static void *run(void *node)
{
	struct node *n = node;

	loop_run(&n->loop);
	http_server_free(n->server);
	return NULL;
}

static void start(struct test *t, struct node *n, int listener, struct tls_context *tls)
{
	struct http_server_options o = http_server_defaults();
	struct err e;

	*n = (struct node){
		.handler.request = serve, .drain.run = begin_to_drain, .drained.run = stop};
	REQUIRE_OK(loop_init(&n->loop, &clock_system, &e), &e);
	o.loop = &n->loop;
	o.listener = listener;
	o.handler = &n->handler;
	o.tls = tls;
	REQUIRE_OK(http_server_start(&o, &n->server, &e), &e);
}

static int listen_anywhere(struct test *t, struct net_address *at)
{
	struct err e;
	int fd;

	REQUIRE_OK(net_address_parse(STR("::1"), 0, at, &e), &e);
	REQUIRE_OK(net_listen(at, &fd, &e), &e);
	REQUIRE_OK(net_local_address(fd, at, &e), &e);
	return fd;
}

static bool wait_for(int fd, short events_wanted)
{
	struct pollfd p = {.fd = fd, .events = events_wanted};

	return poll(&p, 1, WAIT_MS) == 1;
}

static int dial(struct test *t, const struct net_address *at)
{
	struct err e;
	int fd;

	REQUIRE_OK(net_connect(at, &fd, &e), &e);
	CHECK(wait_for(fd, POLLOUT));
	CHECK_OK(net_connected(fd, &e), &e);
	return fd;
}

static void send_request(struct test *t, int fd)
{
	static const char request[] = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

	CHECK_INT(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
}

static void expect_echo(struct test *t, int fd)
{
	char text[1000];
	size_t len = 0;

	while (!str_ends(str_span(text, len), STR("\r\n\r\nhello"))) {
		REQUIRE(wait_for(fd, POLLIN));
		ssize_t got = read(fd, text + len, sizeof(text) - len);

		REQUIRE(got > 0);
		len += (size_t)got;
	}
	CHECK(str_starts(str_span(text, len), STR("HTTP/1.1 200 OK\r\n")));
}

TEST(servers_on_threads_share_a_listener_and_drain)
{
	struct node nodes[SERVERS];
	struct net_address at;
	int listener = listen_anywhere(t, &at), clients[CLIENTS], requests = 0;

	for (int i = 0; i < SERVERS; i++)
		start(t, &nodes[i], listener, NULL);
	for (int i = 0; i < SERVERS; i++)
		REQUIRE(pthread_create(&nodes[i].thread, NULL, run, &nodes[i]) == 0);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = dial(t, &at);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < CLIENTS; i++)
			send_request(t, clients[i]);
		for (int i = 0; i < CLIENTS; i++)
			expect_echo(t, clients[i]);
	}
	for (int i = 0; i < SERVERS; i++)
		loop_post(&nodes[i].loop, &nodes[i].drain);
	for (int i = 0; i < CLIENTS; i++) {
		char byte;

		CHECK(wait_for(clients[i], POLLIN));
		CHECK_INT(read(clients[i], &byte, 1), 0);
		close(clients[i]);
	}
	for (int i = 0; i < SERVERS; i++) {
		pthread_join(nodes[i].thread, NULL);
		requests += nodes[i].requests;
		loop_free(&nodes[i].loop);
	}
	CHECK_INT(requests, 5 * CLIENTS);
	close(listener);
}

struct identity {
	struct tls_context *context;
	str pem;
};

static struct identity make_identity(struct test *t)
{
	static const str dns[] = {STR_INIT("localhost")};
	int64_t now_s = clock_system.wall_ns(&clock_system) / NS_PER_S;
	struct identity made;
	struct key *k;
	struct err e;

	REQUIRE_OK(key_make(&k, &e), &e);
	struct cert_order o = {.subject = {.common_name = STR("server"), .dns = {dns, 1}},
		.key = k,
		.ca_key = k,
		.usages = CERT_SERVER_AUTH,
		.not_before_s = now_s - DAY_S,
		.not_after_s = now_s + DAY_S};

	REQUIRE_OK(cert_make(&t->arena, &o, &made.pem, &e), &e);
	struct tls_options options = {.cert_pem = made.pem,
		.key_pem = key_private_pem(k, &t->arena),
		.protocols = TLS_HTTP1};

	REQUIRE_OK(tls_server_context(&options, &made.context, &e), &e);
	key_drop(k);
	return made;
}

/* Whether a client that trusts this certificate only gets through with a new connection. */
static bool is_shown(struct test *t, struct node *n, const struct net_address *at, str pem)
{
	int64_t now_s = clock_system.wall_ns(&clock_system) / NS_PER_S;
	enum tls_result result = TLS_WANT_READ;
	struct tls_options o = {.protocols = TLS_HTTP1};
	struct cert_roots *roots;
	struct tls_context *context;
	struct tls *tls;
	struct err e;
	int fd = dial(t, at);

	REQUIRE_OK(cert_roots_read(pem, &roots, &e), &e);
	o.roots = roots;
	REQUIRE_OK(tls_client_context(&o, &context, &e), &e);
	REQUIRE_OK(tls_open(context, fd, STR("localhost"), now_s, &tls, &e), &e);
	while (result == TLS_WANT_READ || result == TLS_WANT_WRITE) {
		loop_turn(&n->loop, false);
		result = tls_handshake(tls, &e);
	}
	tls_close(tls);
	close(fd);
	tls_context_drop(context);
	cert_roots_drop(roots);
	return result == TLS_OK;
}

TEST(server_shows_a_new_certificate_to_new_connections)
{
	struct identity before = make_identity(t), after = make_identity(t);
	struct net_address at;
	struct node n;
	int listener = listen_anywhere(t, &at);

	start(t, &n, listener, before.context);
	CHECK(is_shown(t, &n, &at, before.pem));
	CHECK(!is_shown(t, &n, &at, after.pem));
	http_server_set_tls(n.server, after.context);
	CHECK(!is_shown(t, &n, &at, before.pem));
	CHECK(is_shown(t, &n, &at, after.pem));
	http_server_free(n.server);
	loop_free(&n.loop);
	tls_context_drop(before.context);
	tls_context_drop(after.context);
	close(listener);
}
