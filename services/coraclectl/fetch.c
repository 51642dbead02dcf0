#include "coraclectl/fetch.h"

#include "lib/http/client.h"

enum { ADDRESSES_MAX = 8, ANSWER_BYTES_MAX = 64 << 10, TIMEOUT_S = 20 };

struct fetch {
	struct loop loop;
	struct arena *arena;
	int status;
	str answer;
	struct err error; /* ERR_NONE: there is an answer */
};

static int fetch_from(struct fetch *f, const struct url *from, const struct net_address *at,
	const struct access_code *code, struct err *e);
static int ask(struct fetch *f, struct http_client *c, const struct url *from,
	const struct access_code *code, struct err *e);
static void on_head(struct http_exchange *x);
static void on_body(struct http_exchange *x, const struct err *e);
static void on_closed(struct http_exchange *x, const struct err *e);

static const struct http_events events = {
	.head = on_head, .body_end = on_body, .closed = on_closed};

int fetch_kubeconfig(struct arena *a, const struct url *from, const struct access_code *code,
	str *to, struct err *e)
{
	struct net_address addresses[ADDRESSES_MAX];
	struct fetch f = {.arena = a};
	size_t len;

	TRY(net_resolve(from->host, from->port, addresses, COUNT_OF(addresses), &len, e));
	TRY(loop_init(&f.loop, &clock_system, e));
	int done = fetch_from(&f, from, &addresses[0], code, e);

	loop_free(&f.loop);
	TRY(done);
	if (f.status != 200)
		return err_set(e, ERR_FORBIDDEN, "the machine answers %d: %.*s", f.status,
			STR_ARG(str_trim(f.answer)));
	*to = f.answer;
	return 0;
}

static int fetch_from(struct fetch *f, const struct url *from, const struct net_address *at,
	const struct access_code *code, struct err *e)
{
	struct tls_options tls = {
		.root_key_hash = str_span((const char *)code->key_hash, sizeof(code->key_hash)),
		.protocols = TLS_HTTP1};
	struct http_client_options o = http_client_defaults();
	struct tls_context *context;
	struct http_client *client;

	TRY(tls_client_context(&tls, &context, e));
	o.loop = &f->loop;
	o.address = *at;
	o.tls = context;
	o.peer_name = from->host;
	o.connect_timeout_ns = TIMEOUT_S * NS_PER_S;
	int done = http_client_open(&o, &client, e);

	if (done == 0) {
		done = ask(f, client, from, code, e);
		http_client_free(client);
	}
	tls_context_drop(context);
	return done;
}

static int ask(struct fetch *f, struct http_client *c, const struct url *from,
	const struct access_code *code, struct err *e)
{
	struct http_call call = {
		.method = STR("POST"),
		.target = STR("/kubeconfig"),
		.authority = from->host,
		.events = &events,
		.owner = f,
		.body = str_span(code->secret, sizeof(code->secret)),
	};
	struct http_exchange *x;

	TRY(http_call(c, &call, &x, e));
	loop_run(&f->loop);
	if (f->error.kind != ERR_NONE) {
		*e = f->error;
		return err_context(e, "asking %.*s", STR_ARG(from->host));
	}
	return 0;
}

static void on_head(struct http_exchange *x)
{
	struct fetch *f = x->owner;

	f->status = x->response.status;
	if (http_collect_body(x, ANSWER_BYTES_MAX, &f->error) < 0) {
		http_abort(x);
		loop_stop(&f->loop);
	}
}

static void on_body(struct http_exchange *x, const struct err *e)
{
	struct fetch *f = x->owner;

	if (!e)
		f->answer = arena_str(f->arena, buf_str(&x->body));
}

static void on_closed(struct http_exchange *x, const struct err *e)
{
	struct fetch *f = x->owner;

	if (e)
		f->error = *e;
	loop_stop(&f->loop);
}
