#include "lib/http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_BYTES = 16 << 10,
	READS_PER_TURN = 16,
	LINGER_MS = 2000,
	ARENA_EXTRA_BYTES = 1 << 20, /* the array of a head's fields, what a handler notes down */
	SESSION_BYTES_MAX = 16 << 20,
};

static const str http2_preface = STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

static void ready(struct loop_watch *w, uint32_t events);
static void flush(struct loop_task *t);
static void time_out(struct loop_timer *t);
static int begin(struct http_connection *c, const struct http_protocol *p, struct err *e);
static int advance(struct http_connection *c, struct err *e);
static int read_some(struct http_connection *c, struct err *e);
static int write_out(struct http_connection *c, struct err *e);
static void set_interest(struct http_connection *c);
static void set_timer(struct http_connection *c);

/* Until the version of HTTP is known, calls just wait. */
static void wait_connection(UNUSED struct http_connection *c)
{
}

static void wait_exchange(UNUSED struct http_exchange *x)
{
}

static void wait_body_taken(UNUSED struct http_exchange *x, UNUSED size_t len)
{
}

static void wait_reset(struct http_exchange *x)
{
	struct err e;

	err_write(&e, ERR_CLOSED, "given up");
	http_exchange_over(x, &e);
}

static const struct http_protocol waiting_protocol = {
	.close = wait_connection,
	.more_output = wait_exchange,
	.want_body = wait_exchange,
	.body_taken = wait_body_taken,
	.reset = wait_reset,
};

struct http_memory http_memory_for(size_t head_bytes_max)
{
	return (struct http_memory){
		.arena_bytes = head_bytes_max + ARENA_EXTRA_BYTES,
		.body_bytes = HTTP_STREAM_WINDOW_BYTES + HTTP_OUT_BYTES,
		.in_bytes = head_bytes_max + READ_BYTES,
		.out_bytes = BUF_NO_LIMIT,
		.session_bytes = SESSION_BYTES_MAX,
	};
}

int http_connection_open(struct http_keeper *k, struct loop *l, int fd,
	const struct net_address *peer, struct tls_context *tls, str peer_name, bool is_server,
	bool prefers_http2, struct http_connection **to, struct err *e)
{
	struct http_connection *c = calloc(1, sizeof(*c));
	int64_t now_s = l->clock->wall_ns(l->clock) / NS_PER_S;

	if (!c) {
		close(fd);
		return err_set(e, ERR_SYSTEM, "no memory for a connection");
	}
	*c = (struct http_connection){
		.keeper = k,
		.loop = l,
		.watch = {.ready = ready, .fd = fd},
		.flush.run = flush,
		.timer.due = time_out,
		.peer = *peer,
		.phase = !is_server ? HTTP_CONNECTING
			: tls       ? HTTP_HANDSHAKE
				    : HTTP_DETECT,
		.is_server = is_server,
		.prefers_http2 = prefers_http2,
		.protocol = &waiting_protocol,
		.head_since_ns = l->now_ns,
		.read_ns = l->now_ns,
	};
	buf_init(&c->in, k->limits->memory.in_bytes);
	buf_init(&c->out, k->limits->memory.out_bytes);
	if ((tls && tls_open(tls, fd, peer_name, now_s, &c->tls, e) < 0) ||
		loop_watch(l, &c->watch, is_server ? EPOLLIN : EPOLLOUT, e) < 0) {
		if (c->tls)
			tls_close(c->tls);
		close(fd);
		free(c);
		return -1;
	}
	set_timer(c);
	*to = c;
	return 0;
}

void http_connection_kill(struct http_connection *c, const struct err *why)
{
	if (c->phase == HTTP_DEAD)
		return;
	c->phase = HTTP_DEAD;
	if (why)
		c->why = *why;
	http_connection_flush_later(c);
}

void http_connection_finish(struct http_connection *c)
{
	c->closing = true;
	http_connection_flush_later(c);
}

void http_connection_flush_later(struct http_connection *c)
{
	loop_defer(c->loop, &c->flush);
}

void http_connection_destroy(struct http_connection *c)
{
	struct err closed = c->why;

	c->phase = HTTP_DEAD;
	if (closed.kind == ERR_NONE)
		err_write(&closed, ERR_CLOSED, "the connection was closed");
	while (c->first)
		http_exchange_over(c->first, &closed);
	c->protocol->close(c);
	if (c->kept)
		counted_drop(c->kept);
	loop_undefer(c->loop, &c->flush);
	loop_timer_clear(c->loop, &c->timer);
	loop_unwatch(c->loop, &c->watch);
	if (c->tls)
		tls_close(c->tls);
	if (closed.kind == ERR_TIMEOUT || closed.kind == ERR_LIMIT)
		net_discard(c->watch.fd);
	close(c->watch.fd);
	buf_free(&c->in);
	buf_free(&c->out);
	c->keeper->gone(c->keeper, c);
	free(c);
}

static void ready(struct loop_watch *w, uint32_t events)
{
	struct http_connection *c = CONTAINER_OF(w, struct http_connection, watch);
	struct err e = {0};

	if (events & EPOLLOUT)
		c->blocked = false;
	/* Nothing is asked for while an owner makes the peer wait, but errors are always told. */
	if (events & (EPOLLERR | EPOLLHUP) && !(w->events & EPOLLIN) && c->phase >= HTTP_DETECT) {
		err_write(&e, ERR_CLOSED, "the peer has closed the connection");
		http_connection_kill(c, &e);
		return;
	}
	if (advance(c, &e) < 0)
		http_connection_kill(c, &e);
	http_connection_flush_later(c);
}

static void flush(struct loop_task *t)
{
	struct http_connection *c = CONTAINER_OF(t, struct http_connection, flush);
	struct err e = {0};

	if (c->phase == HTTP_OPEN && write_out(c, &e) < 0)
		http_connection_kill(c, &e);
	if (c->phase == HTTP_OPEN && c->check_writable)
		http_exchange_tell_writable(c);
	if (c->phase == HTTP_DEAD) {
		http_connection_destroy(c);
		return;
	}
	set_interest(c);
	set_timer(c);
}

static int begin(struct http_connection *c, const struct http_protocol *p, struct err *e)
{
	c->phase = HTTP_OPEN;
	c->protocol = p;
	c->idle_since_ns = c->loop->now_ns;
	return p->open(c, e);
}

static int connected(struct http_connection *c, struct err *e)
{
	TRY(net_connected(c->watch.fd, e));
	if (!c->tls)
		return begin(c, c->prefers_http2 ? &http2_protocol : &http1_protocol, e);
	c->phase = HTTP_HANDSHAKE;
	return 0;
}

static int shake_hands(struct http_connection *c, struct err *e)
{
	c->want_write = false;
	switch (tls_handshake(c->tls, e)) {
	case TLS_OK:
		return begin(c,
			tls_protocol(c->tls) == TLS_HTTP2 ? &http2_protocol : &http1_protocol, e);
	case TLS_WANT_READ: return 0;
	case TLS_WANT_WRITE: c->want_write = true; return 0;
	case TLS_CLOSED: return err_set(e, ERR_CLOSED, "the peer ended the TLS handshake");
	default: return -1;
	}
}

static int advance(struct http_connection *c, struct err *e)
{
	if (c->phase == HTTP_CONNECTING)
		TRY(connected(c, e));
	if (c->phase == HTTP_HANDSHAKE)
		TRY(shake_hands(c, e));
	for (int i = 0; i < READS_PER_TURN; i++) {
		bool reads = c->phase == HTTP_DETECT || c->phase == HTTP_LINGERING ||
			(c->phase == HTTP_OPEN && !c->saw_end && c->protocol->wants_input(c));

		if (!reads)
			return 0;
		int more = read_some(c, e);

		if (more <= 0)
			return more;
	}
	/* What TLS has read from the socket already, epoll will not tell of. */
	if (c->tls && tls_has_unread(c->tls))
		http_connection_flush_later(c);
	return 0;
}

/* 1: some; 0: none for now; -1. *len is 0 at the peer's end. */
static int read_bytes(struct http_connection *c, char *to, size_t cap, size_t *len, struct err *e)
{
	if (c->tls) {
		switch (tls_read(c->tls, to, cap, len, e)) {
		case TLS_OK: return 1;
		case TLS_CLOSED: *len = 0; return 1;
		case TLS_FAILED: return -1;
		default: return 0;
		}
	}
	ssize_t got = recv(c->watch.fd, to, cap, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got < 0)
		return err_set_errno(e, errno, "reading from the peer");
	*len = (size_t)got;
	return 1;
}

static int detect(struct http_connection *c, str bytes, struct err *e)
{
	buf_add_str(&c->in, bytes);
	TRY(buf_ok(&c->in, "the first line", e));
	str in = buf_str(&c->in);
	size_t known = in.len < http2_preface.len ? in.len : http2_preface.len;
	bool may_be_http2 = memcmp(in.at, http2_preface.at, known) == 0;

	if (may_be_http2 && known < http2_preface.len)
		return 0;
	struct buf so_far = c->in;

	buf_init(&c->in, so_far.limit_bytes);
	int result = begin(c, may_be_http2 ? &http2_protocol : &http1_protocol, e);

	if (result == 0)
		result = c->protocol->input(c, buf_str(&so_far), e);
	buf_free(&so_far);
	return result;
}

static int read_some(struct http_connection *c, struct err *e)
{
	char bytes[READ_BYTES];
	size_t len;
	int got = read_bytes(c, bytes, sizeof(bytes), &len, e);

	if (got <= 0)
		return got;
	c->read_ns = c->loop->now_ns;
	c->ping_sent_ns = 0;
	if (c->phase == HTTP_LINGERING || (len == 0 && c->phase == HTTP_DETECT)) {
		if (len == 0)
			http_connection_kill(c, NULL);
		return len > 0;
	}
	if (len == 0) {
		c->saw_end = true;
		TRY(c->protocol->input_end(c, e));
		return 0;
	}
	if (c->phase == HTTP_DETECT)
		TRY(detect(c, str_span(bytes, len), e));
	else
		TRY(c->protocol->input(c, str_span(bytes, len), e));
	return c->phase == HTTP_OPEN || c->phase == HTTP_DETECT;
}

/* Returns 1 when all is gone, 0 when the socket takes no more. */
static int send_out(struct http_connection *c, struct err *e)
{
	while (c->out_sent < c->out.len) {
		const char *at = c->out.at + c->out_sent;
		size_t len = c->out.len - c->out_sent, taken = 0;

		if (c->tls) {
			enum tls_result r = tls_write(c->tls, at, len, &taken, e);

			if (r == TLS_FAILED || r == TLS_CLOSED)
				return -1;
			c->blocked = r == TLS_WANT_WRITE;
		} else {
			ssize_t put = send(c->watch.fd, at, len, MSG_NOSIGNAL);

			if (put < 0 && errno != EAGAIN && errno != EINTR)
				return err_set_errno(e, errno, "writing to the peer");
			taken = put > 0 ? (size_t)put : 0;
			c->blocked = put < 0;
		}
		c->out_sent += taken;
		if (c->blocked) {
			c->blocked_ns = c->loop->now_ns;
			return 0;
		}
	}
	c->out_sent = 0;
	buf_reset(&c->out);
	return 1;
}

static void linger(struct http_connection *c)
{
	if (c->saw_end) {
		http_connection_kill(c, NULL);
		return;
	}
	if (c->tls) {
		tls_close(c->tls);
		c->tls = NULL;
	}
	shutdown(c->watch.fd, SHUT_WR);
	c->phase = HTTP_LINGERING;
	c->linger_until_ns = c->loop->now_ns + LINGER_MS * NS_PER_MS;
}

static int write_out(struct http_connection *c, struct err *e)
{
	while (!c->blocked) {
		if (c->out.len < HTTP_OUT_BYTES)
			TRY(c->protocol->output(c, e));
		TRY(buf_ok(&c->out, "what is to be written", e));
		if (c->out.len == 0)
			break;
		int all = send_out(c, e);

		if (all <= 0)
			return all;
	}
	if (c->blocked)
		return 0;
	buf_free(&c->out);
	if (c->closing && c->phase == HTTP_OPEN)
		linger(c);
	/* What was held back may go on now that there is room, or a choice was made. */
	if (c->phase == HTTP_OPEN && c->tls && tls_has_unread(c->tls))
		return advance(c, e);
	return 0;
}

static void set_interest(struct http_connection *c)
{
	uint32_t events = 0;

	switch (c->phase) {
	case HTTP_CONNECTING: events = EPOLLOUT; break;
	case HTTP_HANDSHAKE: events = EPOLLIN | (c->want_write ? EPOLLOUT : 0u); break;
	case HTTP_DETECT:
	case HTTP_LINGERING: events = EPOLLIN; break;
	default:
		if (!c->saw_end && c->protocol->wants_input(c))
			events |= EPOLLIN;
		if (c->blocked)
			events |= EPOLLOUT;
	}
	loop_watch_change(c->loop, &c->watch, events);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool collects(const struct http_connection *c)
{
	for (const struct http_exchange *x = c->first; x; x = x->next)
		if (x->body_mode == HTTP_BODY_COLLECTED && !x->body_arrived)
			return true;
	return false;
}

/* When something will have taken too long, if nothing moves until then. */
static int64_t deadline_ns(const struct http_connection *c)
{
	const struct http_limits *l = c->keeper->limits;
	int64_t at = INT64_MAX;

	if (c->phase == HTTP_LINGERING)
		return c->linger_until_ns;
	if (c->phase < HTTP_OPEN)
		return c->head_since_ns + l->head_timeout_ns;
	if (c->is_server && c->head_since_ns)
		at = c->head_since_ns + l->head_timeout_ns;
	else if (c->is_server && c->exchange_count == 0)
		at = c->idle_since_ns + l->idle_timeout_ns;
	if (l->stall_timeout_ns && c->blocked)
		at = earlier(at, c->blocked_ns + l->stall_timeout_ns);
	if (l->stall_timeout_ns && collects(c))
		at = earlier(at, c->read_ns + l->stall_timeout_ns);
	if (c->ping_sent_ns)
		at = earlier(at, c->ping_sent_ns + l->ping_timeout_ns);
	else if (l->ping_after_ns && c->protocol->ping)
		at = earlier(at, c->read_ns + l->ping_after_ns);
	return at;
}

/* Later deadlines leave the timer alone: it looks again when it rings. */
static void set_timer(struct http_connection *c)
{
	int64_t at_ns = deadline_ns(c);

	if (at_ns == INT64_MAX || (c->timer.slot && c->timer_at_ns <= at_ns))
		return;
	c->timer_at_ns = at_ns;
	loop_timer_set(c->loop, &c->timer, at_ns);
}

static void time_out(struct loop_timer *t)
{
	struct http_connection *c = CONTAINER_OF(t, struct http_connection, timer);
	bool late = deadline_ns(c) <= c->loop->now_ns;
	bool idle = c->phase == HTTP_OPEN && c->is_server && c->exchange_count == 0 &&
		!c->head_since_ns;
	struct err e = {0};

	if (!late) {
		set_timer(c);
		return;
	}
	if (c->phase == HTTP_OPEN && !c->ping_sent_ns && c->keeper->limits->ping_after_ns &&
		c->read_ns + c->keeper->limits->ping_after_ns <= c->loop->now_ns) {
		c->ping_sent_ns = c->loop->now_ns;
		c->protocol->ping(c);
		http_connection_flush_later(c);
		return;
	}
	if (idle && !c->draining) {
		c->protocol->drain(c);
		return;
	}
	err_write(&e, ERR_TIMEOUT, "the peer took too long");
	http_connection_kill(c, &e);
}
