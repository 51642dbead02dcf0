/*
 * A server of lib/http for tests. Prints "port N" once it listens;
 * ends on SIGTERM or after POST /drain.
 *
 *	http-test-server [--pki DIR] [--set NAME=VALUE]...
 *
 * With --pki it makes a CA, server and client certificates in DIR and serves TLS;
 * otherwise plaintext.
 */
#include "lib/http/server.h"
#include "lib/crypto/digest.h"
#include "lib/http/url.h"
#include "lib/loop/pool.h"
#include "lib/os/file.h"
#include "lib/os/signal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	COLLECT_LIMIT_BYTES = 8 << 20,
	PATTERN_BYTES = 16 << 20,
	WATCH_LIMIT_BYTES = 1 << 20,
	POOL_THREADS = 2,
	POOL_WAITING = 64,
	CERT_DAYS = 365,
	DAY_S = 86400,
};

struct app {
	struct http_handler handler;
	struct loop loop;
	struct pool pool;
	struct http_server *server;
	struct loop_watch signals;
	struct loop_task drained;
	struct http_exchange *watchers[1024];
	size_t watcher_count;
	struct pattern *pattern;
	struct cert_roots *roots;
	unsigned long requests, gone, cut;
};

/* Bytes that a client can check at any offset, shared by all answers. */
struct pattern {
	struct counted counted;
	char bytes[PATTERN_BYTES];
};

struct route {
	const char *method, *path;
	void (*handle)(struct app *a, struct http_exchange *x);
};

static void die(const char *doing, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", doing, e->text);
	exit(1);
}

static void answer(struct http_exchange *x, int status, str text)
{
	http_respond(x, status, HTTP_HEADERS({STR("Content-Type"), STR("text/plain")}), text);
}

static int64_t parameter(struct http_exchange *x, const char *name, int64_t otherwise)
{
	struct url_query q;
	struct err e;
	int64_t value;

	if (url_query_parse(&x->arena, x->request.query, &q, &e) < 0 ||
		!str_to_i64(url_query_get(&q, str_of(name)), &value))
		return otherwise;
	return value;
}

/* Handlers that only answer have nothing to hear. */
static void ignore_body(UNUSED struct http_exchange *x, UNUSED str part)
{
}

static void ignore_end(UNUSED struct http_exchange *x, UNUSED const struct err *e)
{
}

static void count_gone(struct http_exchange *x, const struct err *e)
{
	struct app *a = x->owner;

	a->gone++;
	a->cut += e->kind == ERR_LIMIT;
	http_abort(x);
}

static const struct http_events plain_events = {
	.body = ignore_body, .body_end = ignore_end, .closed = count_gone};

static void hello(UNUSED struct app *a, struct http_exchange *x)
{
	answer(x, 200, STR("hello\n"));
}

static void size(struct app *a, struct http_exchange *x)
{
	int64_t bytes = parameter(x, "bytes", 0);

	if (bytes < 0 || bytes > PATTERN_BYTES)
		answer(x, 400, STR("bytes is out of range\n"));
	else
		http_respond_shared(x, 200, NULL, str_span(a->pattern->bytes, (size_t)bytes),
			&a->pattern->counted);
}

static void info(UNUSED struct app *a, struct http_exchange *x)
{
	const struct http_request *r = &x->request;
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_fmt(&text, "version=%d\nmethod=%.*s\npath=%.*s\nquery=%.*s\nauthority=%.*s\n",
		http_version(x), STR_ARG(r->method), STR_ARG(r->path), STR_ARG(r->query),
		STR_ARG(r->authority));
	for (size_t i = 0; i < r->headers.len; i++)
		buf_add_fmt(&text, "%.*s: %.*s\n", STR_ARG(r->headers.at[i].name),
			STR_ARG(r->headers.at[i].value));
	answer(x, 200, buf_str(&text));
	buf_free(&text);
}

static void whoami(struct app *a, struct http_exchange *x)
{
	struct cert_list chain;
	struct cert c;
	struct err e;
	const struct clock *clock = a->loop.clock;

	if (http_peer_chain(x, &chain, &e) < 0 || chain.len == 0) {
		answer(x, 200, STR("nobody\n"));
	} else if (cert_read_der(&x->arena, chain.at[0], &c, &e) < 0 ||
		cert_verify(a->roots, chain, CERT_CLIENT_AUTH, clock->wall_ns(clock) / NS_PER_S,
			&e) < 0) {
		answer(x, 401, str_of(e.text));
	} else {
		answer(x, 200, arena_fmt(&x->arena, "%.*s\n", STR_ARG(c.subject.common_name)));
	}
}

static void stats(struct app *a, struct http_exchange *x)
{
	answer(x, 200,
		arena_fmt(&x->arena,
			"requests=%lu\ngone=%lu\ncut=%lu\nwatchers=%zu\nconnections=%zu\n",
			a->requests, a->gone, a->cut, a->watcher_count,
			http_server_connections(a->server)));
}

static void digest_of_body(struct http_exchange *x, const struct err *e)
{
	uint8_t sum[DIGEST_SHA256_BYTES];
	char hex[2 * DIGEST_SHA256_BYTES + 1];

	if (e) {
		answer(x, 413, str_of(e->text));
		return;
	}
	digest_sha256(buf_str(&x->body), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	answer(x, 200,
		arena_fmt(&x->arena, "%zu %s %.*s\n", x->body.len, hex,
			STR_ARG(http_header(&x->trailers, STR("x-check")))));
}

static void digest(UNUSED struct app *a, struct http_exchange *x)
{
	static const struct http_events events = {
		.body = ignore_body, .body_end = digest_of_body, .closed = count_gone};
	struct err e;

	x->events = &events;
	if (http_collect_body(x, (size_t)parameter(x, "limit", COLLECT_LIMIT_BYTES), &e) < 0)
		answer(x, 413, str_of(e.text));
}

/* Takes more only as fast as the peer takes what goes back. */
static void echo_part(struct http_exchange *x, str part)
{
	http_write(x, part);
	if (http_pending_bytes(x) < HTTP_LOW_BYTES)
		http_body_taken(x, x->untaken_bytes);
}

static void echo_more(struct http_exchange *x)
{
	http_body_taken(x, x->untaken_bytes);
}

static void echo_end(struct http_exchange *x, UNUSED const struct err *e)
{
	http_end(x, x->upgraded ? NULL : HTTP_HEADERS({STR("x-echo"), STR("done")}));
}

static const struct http_events echo_events = {
	.body = echo_part, .body_end = echo_end, .writable = echo_more, .closed = count_gone};

static void echo(UNUSED struct app *a, struct http_exchange *x)
{
	x->events = &echo_events;
	http_start(x, 200, HTTP_HEADERS({STR("Trailer"), STR("X-Echo")}));
	http_stream_body(x);
}

static void upgrade(UNUSED struct app *a, struct http_exchange *x)
{
	struct err e;

	x->events = &echo_events;
	if (http_upgrade(x,
		    HTTP_HEADERS(
			    {STR("Connection"), STR("Upgrade")}, {STR("Upgrade"), STR("echo")}),
		    &e) < 0)
		answer(x, 400, str_of(e.text));
}

/* Never answers: for what happens to a client that goes away or a server that is drained. */
static void hang(UNUSED struct app *a, struct http_exchange *x)
{
	http_start(x, 200, NULL);
	http_write(x, STR("hanging\n"));
}

static void watcher_gone(struct http_exchange *x, const struct err *e)
{
	struct app *a = x->owner;
	size_t i = 0;

	while (a->watchers[i] != x)
		i++;
	a->watchers[i] = a->watchers[--a->watcher_count];
	count_gone(x, e);
}

static void watch(struct app *a, struct http_exchange *x)
{
	static const struct http_events events = {
		.body = ignore_body, .body_end = ignore_end, .closed = watcher_gone};

	if (a->watcher_count == COUNT_OF(a->watchers)) {
		answer(x, 503, STR("too many watchers\n"));
		return;
	}
	x->events = &events;
	a->watchers[a->watcher_count++] = x;
	http_start(x, 200, HTTP_HEADERS({STR("Content-Type"), STR("application/json")}));
	http_limit_pending(x, (size_t)parameter(x, "limit", WATCH_LIMIT_BYTES));
}

struct frame {
	struct counted counted;
	size_t len;
	char bytes[];
};

static void free_frame(struct counted *c)
{
	free(CONTAINER_OF(c, struct frame, counted));
}

static void publish_body(struct http_exchange *x, const struct err *e)
{
	struct app *a = x->owner;
	struct frame *f = malloc(sizeof(*f) + x->body.len);

	if (e || !f) {
		answer(x, 500, STR("cannot publish\n"));
		free(f);
		return;
	}
	counted_init(&f->counted, free_frame);
	f->len = x->body.len;
	memcpy(f->bytes, x->body.at, f->len);
	for (size_t i = 0; i < a->watcher_count; i++)
		http_write_shared(a->watchers[i], str_span(f->bytes, f->len), &f->counted);
	counted_drop(&f->counted);
	answer(x, 200, arena_fmt(&x->arena, "%zu\n", a->watcher_count));
}

static void publish(UNUSED struct app *a, struct http_exchange *x)
{
	static const struct http_events events = {
		.body = ignore_body, .body_end = publish_body, .closed = count_gone};
	struct err e;

	x->events = &events;
	if (http_collect_body(x, COLLECT_LIMIT_BYTES, &e) < 0)
		answer(x, 413, str_of(e.text));
}

struct errand {
	struct pool_job job;
	struct loop_task back;
	struct http_exchange *x;
	str text;
};

static void errand_back(struct loop_task *task)
{
	struct errand *r = CONTAINER_OF(task, struct errand, back);

	answer(r->x, 200, r->text);
}

static void errand_run(struct pool_job *job)
{
	struct errand *r = CONTAINER_OF(job, struct errand, job);

	r->text = arena_fmt(&r->x->arena, "from a thread: %.*s\n", STR_ARG(r->x->request.path));
	loop_post(r->x->loop, &r->back);
}

/* Between these the errand, not the events, keeps the exchange. */
static void wait_for_errand(UNUSED struct http_exchange *x, UNUSED const struct err *e)
{
}

static void thread(struct app *a, struct http_exchange *x)
{
	static const struct http_events events = {
		.body = ignore_body, .body_end = ignore_end, .closed = wait_for_errand};
	struct errand *r = arena_get(&x->arena, sizeof(*r));
	struct err e;

	x->events = &events;
	*r = (struct errand){.job.run = errand_run, .back.run = errand_back, .x = x};
	if (pool_give(&a->pool, &r->job, &e) < 0)
		answer(x, 429, str_of(e.text));
}

static void drain(struct app *a, struct http_exchange *x)
{
	answer(x, 200, STR("draining\n"));
	http_server_drain(a->server, &a->drained);
	while (a->watcher_count > 0)
		http_end(a->watchers[--a->watcher_count], NULL);
}

static const struct route routes[] = {
	{"GET", "/hello", hello},
	{"HEAD", "/hello", hello},
	{"GET", "/size", size},
	{"GET", "/info", info},
	{"GET", "/whoami", whoami},
	{"GET", "/stats", stats},
	{"POST", "/digest", digest},
	{"POST", "/echo", echo},
	{"GET", "/upgrade", upgrade},
	{"GET", "/hang", hang},
	{"GET", "/watch", watch},
	{"POST", "/publish", publish},
	{"GET", "/thread", thread},
	{"POST", "/drain", drain},
};

static void take_request(struct http_handler *h, struct http_exchange *x)
{
	struct app *a = CONTAINER_OF(h, struct app, handler);
	bool known = false;

	a->requests++;
	x->owner = a;
	x->events = &plain_events;
	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		if (!str_eq(x->request.path, str_of(routes[i].path)))
			continue;
		known = true;
		if (str_eq(x->request.method, str_of(routes[i].method))) {
			routes[i].handle(a, x);
			return;
		}
	}
	answer(x, known ? 405 : 404, known ? STR("no such method\n") : STR("no such path\n"));
}

static void write_pem(const char *folder, const char *name, str pem)
{
	char path[4096];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write(path, 0600, pem, &e) < 0)
		die("writing the PKI", &e);
}

static void issue(
	struct arena *a, const struct cert_order *o, const char *folder, const char *name, str *pem)
{
	char file[64];
	struct err e;

	if (cert_make(a, o, pem, &e) < 0)
		die("making a certificate", &e);
	snprintf(file, sizeof(file), "%s.crt", name);
	write_pem(folder, file, *pem);
	snprintf(file, sizeof(file), "%s.key", name);
	write_pem(folder, file, key_private_pem(o->key, a));
}

static struct key *new_key(void)
{
	struct key *k;
	struct err e;

	if (key_make(&k, &e) < 0)
		die("making a key", &e);
	return k;
}

/* One key for the CA, one for both certificates that it signs. */
static struct tls_context *make_pki(struct app *app, const char *folder)
{
	static const str dns[] = {STR_INIT("localhost")}, ips[] = {STR_INIT("127.0.0.1")};
	int64_t now_s = app->loop.clock->wall_ns(app->loop.clock) / NS_PER_S;
	struct key *ca = new_key(), *leaf = new_key();
	struct tls_context *context;
	struct arena a;
	struct err e;
	str ca_pem, server_pem, client_pem;

	arena_init(&a, ARENA_NO_LIMIT);
	struct cert_order o = {.subject.common_name = STR("test-ca"),
		.key = ca,
		.ca_key = ca,
		.usages = CERT_SIGN | CERT_DIGITAL_SIGNATURE,
		.is_ca = true,
		.not_before_s = now_s - DAY_S,
		.not_after_s = now_s + (int64_t)CERT_DAYS * DAY_S};

	issue(&a, &o, folder, "ca", &ca_pem);
	o.is_ca = false;
	o.key = leaf;
	o.ca_pem = ca_pem;
	o.usages = CERT_DIGITAL_SIGNATURE | CERT_SERVER_AUTH;
	o.subject = (struct cert_subject){
		.common_name = STR("server"), .dns = {dns, 1}, .ips = {ips, 1}};
	issue(&a, &o, folder, "server", &server_pem);
	o.usages = CERT_DIGITAL_SIGNATURE | CERT_CLIENT_AUTH;
	o.subject = (struct cert_subject){.common_name = STR("test-client")};
	issue(&a, &o, folder, "client", &client_pem);

	struct tls_options t = {.cert_pem = server_pem,
		.key_pem = key_private_pem(leaf, &a),
		.client_ca_pem = ca_pem,
		.protocols = TLS_HTTP1 | TLS_HTTP2};

	if (tls_server_context(&t, &context, &e) < 0 ||
		cert_roots_read(ca_pem, &app->roots, &e) < 0)
		die("making a TLS context", &e);
	key_drop(ca);
	key_drop(leaf);
	arena_free(&a);
	return context;
}

static void set_option(struct http_server_options *o, const char *text)
{
	const struct {
		const char *name;
		int64_t *ms;
	} times[] = {
		{"head-timeout-ms", &o->head_timeout_ns},
		{"idle-timeout-ms", &o->idle_timeout_ns},
		{"stall-timeout-ms", &o->stall_timeout_ns},
	};
	str value = str_of(text), name = str_cut(&value, '=');
	int64_t number;

	if (!str_to_i64(value, &number)) {
		fprintf(stderr, "not an option: %s\n", text);
		exit(2);
	}
	for (size_t i = 0; i < COUNT_OF(times); i++)
		if (str_eq(name, str_of(times[i].name)))
			*times[i].ms = number * NS_PER_MS;
	if (str_eq(name, STR("connections-max")))
		o->connections_max = (size_t)number;
}

static void stop(struct loop_watch *w, UNUSED uint32_t events)
{
	struct app *a = CONTAINER_OF(w, struct app, signals);

	if (signal_next(w->fd))
		loop_stop(&a->loop);
}

static void stop_drained(struct loop_task *t)
{
	loop_stop(&CONTAINER_OF(t, struct app, drained)->loop);
}

static void make_pattern(struct app *a)
{
	a->pattern = calloc(1, sizeof(*a->pattern));
	counted_init(&a->pattern->counted, free_frame);
	for (size_t i = 0; i < PATTERN_BYTES; i++)
		a->pattern->bytes[i] = (char)(i * 2654435761u >> 13);
}

static void begin(struct app *a, struct http_server_options *o)
{
	const int stops[] = {SIGTERM, SIGINT, 0};
	struct net_address at;
	struct err e;

	if (signal_open(stops, &a->signals.fd, &e) < 0 ||
		loop_init(&a->loop, &clock_system, &e) < 0 ||
		loop_watch(&a->loop, &a->signals, EPOLLIN, &e) < 0 ||
		pool_init(&a->pool, POOL_THREADS, POOL_WAITING, &e) < 0 ||
		net_address_parse(STR("127.0.0.1"), 0, &at, &e) < 0 ||
		net_listen(&at, &o->listener, &e) < 0 ||
		net_local_address(o->listener, &at, &e) < 0)
		die("starting", &e);
	make_pattern(a);
	printf("port %u\n", net_address_port(&at));
}

int main(int argc, char **argv)
{
	static struct app a = {.handler.request = take_request,
		.signals.ready = stop,
		.drained.run = stop_drained};
	struct http_server_options o = http_server_defaults();
	struct err e;

	begin(&a, &o);
	o.loop = &a.loop;
	o.handler = &a.handler;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (str_eq(str_of(argv[i]), STR("--pki")))
			o.tls = make_pki(&a, argv[i + 1]);
		else
			set_option(&o, argv[i + 1]);
	}
	if (http_server_start(&o, &a.server, &e) < 0)
		die("starting", &e);
	fflush(stdout);
	loop_run(&a.loop);
	http_server_free(a.server);
	tls_context_drop(o.tls);
	cert_roots_drop(a.roots);
	pool_free(&a.pool);
	loop_free(&a.loop);
	free(a.pattern);
	return 0;
}
