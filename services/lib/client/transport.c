#include "lib/client/transport.h"

#include "lib/base/log.h"
#include "lib/client/credentials.h"
#include "lib/http/client.h"
#include "lib/http/url.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

enum {
	CALLS_PER_LINK = 90, /* servers take 100 streams */
	ADDRESSES_MAX = 8,
	REREAD_S = 300,
	RETRY_AFTER_MAX_S = 3600,
};

/* One connection. */
struct link {
	struct transport *transport;
	struct http_client *http;
	struct loop_task reap; /* deferred: no call is left and none will come */
	size_t calls;
	bool retired; /* made with credentials that have changed since */
	struct link *next;
};

struct transport {
	struct loop own, *loop; /* `own` unless it shares another's */
	pthread_t thread;       /* of its own loop */
	const struct clock *clock;
	struct arena arena;
	struct url url;
	str authority, prefix, peer_name;
	struct credentials *credentials;
	struct link *links;
	struct loop_timer reread;
	size_t next_address;
	pthread_mutex_t lock;
	pthread_cond_t interrupted;
	bool interrupting;
};

static int read_server(struct transport *t, const struct transport_options *o, struct err *e);
static int start_thread(struct transport *t, struct err *e);
static void leave(struct transport *t);
static void free_links(struct transport *t);
static void *serve(void *transport);
static void reread(struct loop_timer *timer);
static void prepare(struct transport *t, struct call *c);
static void run_begin(struct loop_task *task);
static void begin(struct call *c);
static void too_late(struct loop_timer *timer);
static int find_link(struct transport *t, struct link **to, struct err *e);
static void free_link(struct link *l);
static void release(struct call *c);
static void finish(struct call *c, const struct err *why);

int transport_open(const struct transport_options *o, struct transport **to, struct err *e)
{
	struct transport *t = calloc(1, sizeof(*t));
	pthread_condattr_t monotonic;

	if (!t)
		return err_set(e, ERR_SYSTEM, "no memory for a transport");
	t->clock = o->clock;
	arena_init(&t->arena, ARENA_NO_LIMIT);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&t->interrupted, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (read_server(t, o, e) < 0 ||
		credentials_open(o->config, str_eq(t->url.scheme, STR("https")), o->anonymous,
			&t->credentials, e) < 0)
		goto failed;
	t->reread.due = reread;
	t->loop = o->beside ? o->beside->loop : &t->own;
	if (!o->beside && start_thread(t, e) < 0)
		goto failed;
	*to = t;
	return 0;
failed:
	credentials_free(t->credentials);
	arena_free(&t->arena);
	free(t);
	return -1;
}

void transport_close(struct transport *t)
{
	transport_interrupt(t);
	if (t->loop == &t->own) {
		loop_stop(t->loop);
		pthread_join(t->thread, NULL);
		free_links(t);
		loop_free(t->loop);
	} else {
		leave(t);
	}
	credentials_free(t->credentials);
	pthread_cond_destroy(&t->interrupted);
	pthread_mutex_destroy(&t->lock);
	arena_free(&t->arena);
	free(t);
}

void transport_start(struct transport *t, struct call *c)
{
	prepare(t, c);
	loop_post(t->loop, &c->task);
}

void transport_start_here(struct transport *t, struct call *c)
{
	prepare(t, c);
	begin(c);
}

void transport_cancel(struct call *c)
{
	if (c->exchange)
		http_abort(c->exchange);
	release(c);
}

struct loop *transport_loop(struct transport *t)
{
	return t->loop;
}

static void wake(struct call *c)
{
	sem_post(c->owner);
}

void transport_call(struct transport *t, struct call *c)
{
	sem_t done;

	sem_init(&done, 0, 0);
	c->owner = &done;
	c->done = wake;
	transport_start(t, c);
	while (sem_wait(&done) < 0)
		;
	sem_destroy(&done);
}

int transport_wait(struct transport *t, int64_t wait_ns, struct err *e)
{
	struct timespec until;
	bool interrupted;

	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t at_ns = until.tv_nsec + wait_ns;

	until.tv_sec += at_ns / NS_PER_S;
	until.tv_nsec = at_ns % NS_PER_S;
	pthread_mutex_lock(&t->lock);
	for (int error = 0; !t->interrupting && error == 0;)
		error = pthread_cond_timedwait(&t->interrupted, &t->lock, &until);
	interrupted = t->interrupting;
	pthread_mutex_unlock(&t->lock);
	if (interrupted)
		return err_set(e, ERR_CLOSED, "the client is shutting down");
	return 0;
}

int transport_wait_until(struct transport *t, bool (*held)(void *owner), void *owner, struct err *e)
{
	bool interrupted;

	pthread_mutex_lock(&t->lock);
	while (!t->interrupting && !held(owner))
		pthread_cond_wait(&t->interrupted, &t->lock);
	interrupted = t->interrupting;
	pthread_mutex_unlock(&t->lock);
	if (interrupted)
		return err_set(e, ERR_CLOSED, "the client is shutting down");
	return 0;
}

void transport_notify(struct transport *t)
{
	pthread_mutex_lock(&t->lock);
	pthread_cond_broadcast(&t->interrupted);
	pthread_mutex_unlock(&t->lock);
}

void transport_interrupt(struct transport *t)
{
	pthread_mutex_lock(&t->lock);
	t->interrupting = true;
	pthread_cond_broadcast(&t->interrupted);
	pthread_mutex_unlock(&t->lock);
}

str transport_authority(const struct transport *t)
{
	return t->authority;
}

str transport_prefix(const struct transport *t)
{
	return t->prefix;
}

static int read_server(struct transport *t, const struct transport_options *o, struct err *e)
{
	const struct kubeconfig *k = o->config;
	str server = arena_str(&t->arena, k->server);

	if (url_parse(server, &t->url, e) < 0)
		return err_context(e, "server %.*s", STR_ARG(server));
	bool v6 = str_find_char(t->url.host, ':') >= 0;

	t->authority = arena_fmt(&t->arena, "%s%.*s%s:%d", v6 ? "[" : "", STR_ARG(t->url.host),
		v6 ? "]" : "", t->url.port);
	if (o->authority.len > 0)
		t->authority = arena_str(&t->arena, o->authority);
	t->prefix = t->url.path;
	while (str_ends(t->prefix, STR("/")))
		t->prefix.len--;
	t->peer_name = k->tls_server_name.len > 0 ? arena_str(&t->arena, k->tls_server_name)
						  : t->url.host;
	return 0;
}

static void *serve(void *transport)
{
	struct transport *t = transport;

	loop_run(t->loop);
	return NULL;
}

/* Files are looked at now and then by transports with a thread of their own. */
static int start_thread(struct transport *t, struct err *e)
{
	TRY(loop_init(t->loop, t->clock, e));
	loop_timer_set(t->loop, &t->reread, t->loop->now_ns + REREAD_S * NS_PER_S);
	int error = pthread_create(&t->thread, NULL, serve, t);

	if (error == 0)
		return 0;
	loop_free(t->loop);
	return err_set_errno(e, error, "starting an I/O thread");
}

static void free_links(struct transport *t)
{
	while (t->links)
		free_link(t->links);
}

struct leaving {
	struct loop_task task;
	struct transport *transport;
	sem_t left;
};

static void run_leave(struct loop_task *task)
{
	struct leaving *l = CONTAINER_OF(task, struct leaving, task);

	free_links(l->transport);
	sem_post(&l->left);
}

static void leave(struct transport *t)
{
	struct leaving l = {.task = {.run = run_leave}, .transport = t};

	sem_init(&l.left, 0, 0);
	loop_post(t->loop, &l.task);
	while (sem_wait(&l.left) < 0)
		;
	sem_destroy(&l.left);
}

/* --- connections */

static void retire_all(struct transport *t)
{
	for (struct link *l = t->links; l; l = l->next) {
		l->retired = true;
		if (l->calls == 0)
			loop_defer(t->loop, &l->reap);
	}
}

static void look_at_files(struct transport *t)
{
	struct err e;
	bool changed;

	if (credentials_refresh(t->credentials, &changed, &e) < 0)
		log_warning("the client certificate cannot be read again: %s", e.text);
	else if (changed)
		retire_all(t);
}

static void reread(struct loop_timer *timer)
{
	struct transport *t = CONTAINER_OF(timer, struct transport, reread);

	look_at_files(t);
	loop_timer_set(t->loop, &t->reread, t->loop->now_ns + REREAD_S * NS_PER_S);
}

static void reap(struct loop_task *task)
{
	struct link *l = CONTAINER_OF(task, struct link, reap);

	if (l->calls == 0)
		free_link(l);
}

static void free_link(struct link *l)
{
	struct link **at = &l->transport->links;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	loop_undefer(l->transport->loop, &l->reap);
	http_client_free(l->http);
	free(l);
}

static int open_link(struct transport *t, struct link **to, struct err *e)
{
	struct http_client_options o = http_client_defaults();
	struct net_address addresses[ADDRESSES_MAX];
	struct link *l;
	size_t len;

	TRY(net_resolve(t->url.host, t->url.port, addresses, COUNT_OF(addresses), &len, e));
	l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(e, ERR_SYSTEM, "no memory for a connection");
	l->transport = t;
	l->reap.run = reap;
	o.loop = t->loop;
	o.address = addresses[t->next_address++ % len];
	o.tls = credentials_tls(t->credentials);
	o.peer_name = t->peer_name;
	if (http_client_open(&o, &l->http, e) < 0) {
		free(l);
		return -1;
	}
	l->next = t->links;
	t->links = l;
	*to = l;
	return 0;
}

static int find_link(struct transport *t, struct link **to, struct err *e)
{
	for (struct link *l = t->links, *next; l; l = next) {
		bool usable = http_client_usable(l->http);

		next = l->next;
		if (usable && !l->retired && l->calls < CALLS_PER_LINK) {
			*to = l;
			return 0;
		}
		if (!usable && l->calls == 0)
			free_link(l);
	}
	return open_link(t, to, e);
}

/* --- calls, on the I/O thread */

static void prepare(struct transport *t, struct call *c)
{
	c->transport = t;
	c->task = (struct loop_task){.run = run_begin};
	c->timer = (struct loop_timer){.due = too_late};
	c->status = 0;
	c->retry_after_s = -1;
	c->error = (struct err){.kind = ERR_NONE};
	c->exchange = NULL;
	c->link = NULL;
	buf_init(&c->answer, CALL_ANSWER_BYTES_MAX);
}

/* The call no longer counts; nothing of it is left with the transport. */
static void release(struct call *c)
{
	struct link *l = c->link;

	loop_timer_clear(c->transport->loop, &c->timer);
	c->exchange = NULL;
	c->link = NULL;
	if (!l)
		return;
	l->calls--;
	if (l->calls == 0 && (l->retired || !http_client_usable(l->http)))
		loop_defer(l->transport->loop, &l->reap);
}

static void finish(struct call *c, const struct err *why)
{
	if (why)
		c->error = *why;
	release(c);
	c->done(c);
}

static void took_head(struct http_exchange *x)
{
	struct call *c = x->owner;
	int64_t seconds;
	struct err e;

	c->status = x->response.status;
	if (str_to_i64(http_header(&x->response.headers, STR("retry-after")), &seconds) &&
		seconds >= 0 && seconds <= RETRY_AFTER_MAX_S)
		c->retry_after_s = seconds;
	if (c->part && c->status == 200) {
		http_stream_body(x);
	} else if (http_collect_body(x, CALL_ANSWER_BYTES_MAX, &e) < 0) {
		http_abort(x);
		finish(c, &e);
	}
}

static void took_part(struct http_exchange *x, str part)
{
	struct call *c = x->owner;
	struct err e;

	if (c->part(c, part, &e) < 0) {
		http_abort(x);
		finish(c, &e);
		return;
	}
	http_body_taken(x, part.len);
}

static void took_body(struct http_exchange *x, const struct err *e)
{
	struct call *c = x->owner;

	if (e)
		c->error = *e;
	else
		buf_add_str(&c->answer, buf_str(&x->body));
}

static void call_closed(struct http_exchange *x, const struct err *e)
{
	finish(x->owner, e);
}

static const struct http_events call_events = {
	.head = took_head,
	.body = took_part,
	.body_end = took_body,
	.closed = call_closed,
};

static void run_begin(struct loop_task *task)
{
	begin(CONTAINER_OF(task, struct call, task));
}

static void begin(struct call *c)
{
	struct transport *t = c->transport;
	struct http_field fields[CALL_HEADERS_MAX];
	const struct http_headers headers = {.at = fields, .len = c->header_count};
	struct http_call h = {
		.method = c->method,
		.target = c->target,
		.authority = t->authority,
		.headers = &headers,
		.events = &call_events,
		.owner = c,
		.body = c->body,
	};
	struct link *l;
	struct err e;

	for (size_t i = 0; i < c->header_count; i++)
		fields[i] = (struct http_field){c->headers[i].name, c->headers[i].value};
	if (find_link(t, &l, &e) < 0 || http_call(l->http, &h, &c->exchange, &e) < 0) {
		finish(c, &e);
		return;
	}
	c->link = l;
	l->calls++;
	if (c->timeout_ns > 0)
		loop_timer_set(t->loop, &c->timer, t->loop->now_ns + c->timeout_ns);
}

static void too_late(struct loop_timer *timer)
{
	struct call *c = CONTAINER_OF(timer, struct call, timer);
	struct err e;

	err_write(&e, ERR_TIMEOUT, "%.*s %.*s: no answer within %lld s", STR_ARG(c->method),
		STR_ARG(c->target), (long long)(c->timeout_ns / NS_PER_S));
	http_abort(c->exchange);
	finish(c, &e);
}
