#include "setup/handout.h"

#include "lib/base/log.h"
#include "lib/crypto/digest.h"
#include "lib/os/file.h"

#define PKI      "/etc/kubernetes/pki/"
#define HANDED   "/etc/kubernetes/admin.conf"
#define ALL_IPV6 STR("::")
#define ALL_IPV4 STR("0.0.0.0")

enum { FILE_BYTES_MAX = 64 << 10, WRONG_TRIES_MAX = 5, BODY_BYTES_MAX = 64, CONNECTIONS_MAX = 16 };

static int make_tls(struct handout *h, struct err *e);
static int hash_ca(uint8_t to[DIGEST_SHA256_BYTES], struct err *e);
static int listen_all(int *fd, struct err *e);
static void on_request(struct http_handler *handler, struct http_exchange *x);
static void on_body(struct http_exchange *x, const struct err *e);
static void on_closed(struct http_exchange *x, const struct err *e);
static void refuse(struct handout *h, struct http_exchange *x);

static const struct http_events events = {.body_end = on_body, .closed = on_closed};

int handout_start(struct handout *h, struct loop *l, struct random *r, struct err *e)
{
	struct http_server_options o = http_server_defaults();
	uint8_t hash[DIGEST_SHA256_BYTES];

	h->random = r;
	h->handler.request = on_request;
	TRY(hash_ca(hash, e));
	access_code_make(r, hash, &h->code);
	TRY(make_tls(h, e));
	TRY(listen_all(&o.listener, e));
	o.loop = l;
	o.tls = h->tls;
	o.handler = &h->handler;
	o.connections_max = CONNECTIONS_MAX;
	return http_server_start(&o, &h->server, e);
}

int handout_renew(struct handout *h, struct err *e)
{
	struct tls_context *before = h->tls;

	TRY(make_tls(h, e));
	http_server_set_tls(h->server, h->tls);
	tls_context_drop(before);
	return 0;
}

void handout_code(const struct handout *h, char to[ACCESS_CODE_CHARS + 1])
{
	to[0] = 0;
	if (h->server && !h->used)
		access_code_text(&h->code, to);
}

static int make_tls(struct handout *h, struct err *e)
{
	struct tls_options o = {.protocols = TLS_HTTP1};
	struct arena a;
	str leaf, ca;

	arena_init(&a, ARENA_NO_LIMIT);
	int done = file_read(&a, PKI "apiserver.crt", FILE_BYTES_MAX, &leaf, e);

	if (done == 0)
		done = file_read(&a, PKI "ca.crt", FILE_BYTES_MAX, &ca, e);
	if (done == 0)
		done = file_read(&a, PKI "apiserver.key", FILE_BYTES_MAX, &o.key_pem, e);
	if (done == 0) {
		o.cert_pem = arena_fmt(&a, "%.*s%.*s", STR_ARG(leaf), STR_ARG(ca));
		done = tls_server_context(&o, &h->tls, e);
	}
	arena_free(&a);
	return done;
}

static int hash_ca(uint8_t to[DIGEST_SHA256_BYTES], struct err *e)
{
	struct arena a;
	struct key *key;
	str ca;

	arena_init(&a, ARENA_NO_LIMIT);
	int done = file_read(&a, PKI "ca.crt", FILE_BYTES_MAX, &ca, e);

	if (done == 0)
		done = key_read_public(ca, &key, e);
	if (done == 0) {
		digest_sha256(key_public_der(key, &a), to);
		key_drop(key);
	}
	arena_free(&a);
	return done;
}

/* Both families, or IPv4 where the kernel was told to have no other. */
static int listen_all(int *fd, struct err *e)
{
	struct net_address at;

	TRY(net_address_parse(ALL_IPV6, ACCESS_CODE_PORT, &at, e));
	if (net_listen(&at, fd, e) == 0)
		return 0;
	TRY(net_address_parse(ALL_IPV4, ACCESS_CODE_PORT, &at, e));
	return net_listen(&at, fd, e);
}

static void on_request(struct http_handler *handler, struct http_exchange *x)
{
	struct handout *h = CONTAINER_OF(handler, struct handout, handler);
	struct err e;

	x->events = &events;
	x->owner = h;
	if (!str_eq(x->request.path, STR("/kubeconfig")))
		http_respond(x, 404, NULL, STR("there is /kubeconfig and nothing else\n"));
	else if (!str_eq(x->request.method, STR("POST")))
		http_respond(x, 405, NULL, STR("POST the code's secret\n"));
	else if (http_collect_body(x, BODY_BYTES_MAX, &e) < 0)
		http_respond(x, 400, NULL, STR("that is no code\n"));
}

static void on_body(struct http_exchange *x, const struct err *too_long)
{
	struct handout *h = x->owner;
	struct err e;
	str config;

	if (too_long || h->used ||
		!digest_same(
			buf_str(&x->body), str_span(h->code.secret, ACCESS_CODE_SECRET_CHARS))) {
		refuse(h, x);
		return;
	}
	if (file_read(&x->arena, HANDED, FILE_BYTES_MAX, &config, &e) < 0) {
		log_error("setup: %s", e.text);
		http_respond(x, 500, NULL, STR("the kubeconfig cannot be read\n"));
		return;
	}
	h->used = true;
	log_info("setup: the administrator's kubeconfig was handed out");
	http_respond(x, 200, HTTP_HEADERS({STR("Content-Type"), STR("application/yaml")}), config);
	h->changed(h);
}

static void on_closed(struct http_exchange *x, const struct err *e)
{
	(void)e;
	http_abort(x);
}

static void refuse(struct handout *h, struct http_exchange *x)
{
	if (h->used) {
		http_respond(x, 410, NULL,
			STR("the code has been used; the screen shows a new one after a "
			    "restart\n"));
		return;
	}
	bool replace = ++h->wrong_tries >= WRONG_TRIES_MAX;

	log_warning("setup: a wrong code for the kubeconfig, try %d", h->wrong_tries);
	http_respond(x, 403, NULL,
		replace ? STR("that is not the code; the screen shows a new one\n")
			: STR("that is not the code\n"));
	if (!replace)
		return;
	h->wrong_tries = 0;
	access_code_make(h->random, h->code.key_hash, &h->code);
	h->changed(h);
}
