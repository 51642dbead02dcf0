#include "lib/http/connection.h"

static int take_input(struct http_connection *c, str *in, struct err *e);
static int read_head(struct http_connection *c, str *in, struct err *e);
static int read_body(struct http_connection *c, str *in, struct err *e);
static int refuse(struct http_connection *c, int status, const struct err *why);
static void body_complete(struct http_connection *c);
static void start_next_call(struct http_connection *c);
static void write_body(struct http_connection *c, struct http_exchange *x);
static void settle(struct http_connection *c);
static int bad_body(struct http_connection *c, const struct err *why, struct err *e);
static void add_headers(struct buf *to, const struct http_headers *h);

static int open_connection(struct http_connection *c, UNUSED struct err *e)
{
	http1_chunks_begin(&c->http1.chunks);
	start_next_call(c);
	return 0;
}

static void close_connection(struct http_connection *c)
{
	http1_chunks_end(&c->http1.chunks);
}

/* Works on what just came as far as possible, keeps the rest. */
static int input(struct http_connection *c, str bytes, struct err *e)
{
	if (c->in.len > 0) {
		buf_add_str(&c->in, bytes);
		TRY(buf_ok(&c->in, "what the peer sent ahead", e));
		str in = buf_str(&c->in);

		TRY(take_input(c, &in, e));
		buf_drop(&c->in, c->in.len - in.len);
	} else {
		TRY(take_input(c, &bytes, e));
		buf_add_str(&c->in, bytes);
		TRY(buf_ok(&c->in, "what the peer sent ahead", e));
	}
	if (c->in.len == 0)
		buf_free(&c->in);
	return 0;
}

static int input_end(struct http_connection *c, struct err *e)
{
	struct http1_state *h = &c->http1;
	struct http_exchange *x = h->current;
	bool by_close = h->head.framing == HTTP1_UNTIL_CLOSE && h->place == HTTP1_IN_BODY;

	if (x && (by_close || h->place == HTTP1_RAW)) {
		c->closing = true;
		body_complete(c);
		return 0;
	}
	if (x && h->place == HTTP1_AFTER_BODY && (!c->is_server || x->out_ended)) {
		c->closing = true;
		return 0;
	}
	if (!x && c->in.len == 0) {
		http_connection_kill(c, NULL);
		return 0;
	}
	return err_set(e, ERR_CLOSED, "the peer closed the connection in the middle of a message");
}

static bool wants_input(const struct http_connection *c)
{
	const struct http1_state *h = &c->http1;
	const struct http_exchange *x = h->current;

	if (c->closing || h->broken_off)
		return false;
	switch (h->place) {
	case HTTP1_AT_HEAD: return true;
	/* A server reads on to notice that its client has gone, up to what it would hold anyway. */
	case HTTP1_AFTER_BODY: return c->in.len == 0;
	default:
		return x->body_mode != HTTP_BODY_HELD &&
			x->untaken_bytes < HTTP_STREAM_WINDOW_BYTES;
	}
}

static int output(struct http_connection *c, struct err *e)
{
	struct http_exchange *x = c->http1.current;

	if (c->in.len > 0 && !c->closing) {
		str in = buf_str(&c->in);

		TRY(take_input(c, &in, e));
		buf_drop(&c->in, c->in.len - in.len);
		x = c->http1.current;
	}
	if (x && x->head_sent && !x->out_done)
		write_body(c, x);
	settle(c);
	return 0;
}

static int send_request(struct http_exchange *x, UNUSED struct err *e)
{
	start_next_call(x->connection);
	return 0;
}

/* The framing of our body: by its length, by chunks, or for HTTP/1.0 by closing. */
static void add_framing(
	struct http_exchange *x, int status, const struct http_headers *h, uint64_t length)
{
	struct http_connection *c = x->connection;
	bool given = http_header(h, STR("content-length")).at != NULL;
	bool may_have_body = status >= 200 && status != 204 && status != 304;

	if (x->upgraded || !may_have_body)
		return;
	if (length != HTTP_LENGTH_UNKNOWN && !given) {
		buf_add_str(&c->out, STR("Content-Length: "));
		buf_add_u64(&c->out, length);
		buf_add_str(&c->out, STR("\r\n"));
	} else if (!given && !c->http1.head.is_http10) {
		buf_add_str(&c->out, STR("Transfer-Encoding: chunked\r\n"));
		c->http1.out_chunked = true;
	}
}

static void send_response(
	struct http_exchange *x, int status, const struct http_headers *h, uint64_t length)
{
	struct http_connection *c = x->connection;
	bool unread = c->http1.place == HTTP1_IN_BODY;

	/* The rest of a body that nobody reads would have to be waited for. */
	if (c->draining || unread)
		c->http1.head.keep_alive = false;
	if (x->upgraded)
		c->http1.place = HTTP1_RAW;
	http1_add_status(&c->out, status);
	add_headers(&c->out, h);
	if (!http_header(h, STR("date")).at)
		http1_add_field(&c->out, STR("Date"), c->keeper->date(c->keeper));
	c->http1.out_chunked = false;
	add_framing(x, status, h, length);
	if (!c->http1.head.keep_alive && !x->upgraded)
		buf_add_str(&c->out, STR("Connection: close\r\n"));
	buf_add_str(&c->out, STR("\r\n"));
	x->bodiless = str_eq(x->request.method, STR("HEAD")) || status == 204 || status == 304;
	x->head_sent = true;
	http_connection_flush_later(c);
}

static void more_output(struct http_exchange *x)
{
	http_connection_flush_later(x->connection);
}

static void want_body(struct http_exchange *x)
{
	struct http_connection *c = x->connection;

	if (x->is_server && x->expects_continue && !x->head_sent && c->in.len == 0)
		buf_add_str(&c->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	x->expects_continue = false;
	http_connection_flush_later(c);
}

static void body_taken(struct http_exchange *x, UNUSED size_t len)
{
	http_connection_flush_later(x->connection);
}

static void reset(struct http_exchange *x)
{
	struct http_connection *c = x->connection;
	struct err e = {0};

	if (x->cut)
		http_exchange_too_slow(x, &e);
	else
		err_write(&e, ERR_CLOSED, "given up");
	/* A call that waits for its turn leaves the others alone. */
	if (x == c->http1.current || x->is_server)
		http_connection_kill(c, &e);
	else
		http_exchange_over(x, &e);
}

static void drain(struct http_connection *c)
{
	c->draining = true;
	if (!c->http1.current && c->in.len == 0)
		http_connection_finish(c);
}

const struct http_protocol http1_protocol = {
	.version = 1,
	.open = open_connection,
	.close = close_connection,
	.input = input,
	.input_end = input_end,
	.wants_input = wants_input,
	.output = output,
	.send_request = send_request,
	.send_response = send_response,
	.more_output = more_output,
	.want_body = want_body,
	.body_taken = body_taken,
	.reset = reset,
	.drain = drain,
};

static int take_input(struct http_connection *c, str *in, struct err *e)
{
	while (in->len > 0 && c->phase == HTTP_OPEN && wants_input(c)) {
		size_t before = in->len;
		enum http1_place place = c->http1.place;

		switch (place) {
		case HTTP1_AT_HEAD: TRY(read_head(c, in, e)); break;
		case HTTP1_AFTER_BODY: return 0;
		default: TRY(read_body(c, in, e)); break;
		}
		if (in->len == before && c->http1.place == place)
			return 0;
	}
	return 0;
}

/* RFC 9112, 2.2: a server passes over one empty line in front of a request. */
static void skip_empty_line(struct http_connection *c, str *in)
{
	if (!c->is_server || c->http1.passed_empty_line || !str_starts(*in, STR("\r\n")))
		return;
	*in = str_slice(*in, 2, in->len);
	c->http1.passed_empty_line = true;
}

static int take_request(struct http_connection *c, str head)
{
	struct http1_state *h = &c->http1;
	struct http_exchange *x = NULL;
	struct err why;

	if (c->keeper->exchanges < c->keeper->exchanges_max)
		x = http_exchange_new(c);
	if (!x) {
		err_write(&why, ERR_UNAVAILABLE, "too many requests are under way");
		return refuse(c, 503, &why);
	}
	h->current = x;
	if (http1_read_request(&x->arena, head, c->keeper->limits->head_fields_max, &x->request,
		    &h->head, &why) < 0) {
		x->owner_done = true;
		h->current = NULL;
		http_exchange_over(x, NULL);
		return refuse(c, h->head.refusal, &why);
	}
	x->expects_continue = h->head.expects_continue;
	h->left_bytes = h->head.length_bytes;
	h->place = h->head.framing == HTTP1_NO_BODY ? HTTP1_AFTER_BODY : HTTP1_IN_BODY;
	x->body_arrived = h->place == HTTP1_AFTER_BODY;
	if (h->head.framing == HTTP1_CHUNKED) {
		http1_chunks_end(&h->chunks);
		http1_chunks_begin(&h->chunks);
	}
	http_exchange_head(x);
	return 0;
}

/* From here on both sides send bytes of their own; what was the request has ended. */
static int switch_protocols(struct http_connection *c, struct http_exchange *x, struct err *e)
{
	if (!http_header(&x->request.headers, STR("upgrade")).at)
		return err_set(e, ERR_INVALID, "an upgrade that nobody asked for");
	c->http1.place = HTTP1_RAW;
	x->upgraded = true;
	x->out_ended = x->out_done = false;
	return 0;
}

static int take_response(struct http_connection *c, str head, struct err *e)
{
	struct http1_state *h = &c->http1;
	struct http_exchange *x = h->current;
	bool answers_head = x && str_eq(x->request.method, STR("HEAD"));

	if (!x)
		return err_set(e, ERR_INVALID, "a response that nobody asked for");
	TRY(http1_read_response(&x->arena, head, c->keeper->limits->head_fields_max, answers_head,
		&x->response, &h->head, e));
	if (x->response.status < 200 && x->response.status != 101) {
		x->response = (struct http_response){0};
		return 0;
	}
	h->left_bytes = h->head.length_bytes;
	h->place = h->head.framing == HTTP1_NO_BODY ? HTTP1_AFTER_BODY : HTTP1_IN_BODY;
	if (x->response.status == 101)
		TRY(switch_protocols(c, x, e));
	if (h->head.framing == HTTP1_CHUNKED) {
		http1_chunks_end(&h->chunks);
		http1_chunks_begin(&h->chunks);
	}
	http_exchange_head(x);
	if (h->place == HTTP1_AFTER_BODY)
		http_exchange_body_end(x);
	http_connection_flush_later(c);
	return 0;
}

static int read_head(struct http_connection *c, str *in, struct err *e)
{
	const size_t limit_bytes = c->keeper->limits->head_bytes_max;
	struct http1_state *h = &c->http1;
	struct err why;
	size_t len;

	skip_empty_line(c, in);
	if (in->len == 0)
		return 0;
	if (!c->head_since_ns)
		c->head_since_ns = c->loop->now_ns;
	if (http1_find_end(*in, &h->scanned, &len, &why) < 0) {
		*in = str_slice(*in, in->len, 0);
		return c->is_server ? refuse(c, 400, &why) : err_set(e, why.kind, "%s", why.text);
	}
	if (len > limit_bytes || (len == 0 && in->len > limit_bytes)) {
		*in = str_slice(*in, in->len, 0);
		err_write(&why, ERR_LIMIT, "a head of more than %zu bytes", limit_bytes);
		return c->is_server ? refuse(c, 431, &why) : err_set(e, why.kind, "%s", why.text);
	}
	if (len == 0)
		return 0;
	str head = str_slice(*in, 0, len);

	*in = str_slice(*in, len, in->len);
	h->scanned = 0;
	h->passed_empty_line = false;
	c->head_since_ns = 0;
	return c->is_server ? take_request(c, head) : take_response(c, head, e);
}

/* An answer that has begun is the owner's to end; nothing more is read. */
static int bad_body(struct http_connection *c, const struct err *why, struct err *e)
{
	if (!c->is_server)
		return err_set(e, why->kind, "%s", why->text);
	if (!c->http1.current->head_sent)
		return refuse(c, 400, why);
	c->http1.broken_off = true;
	http_exchange_body_failed(c->http1.current, why);
	return 0;
}

static int read_chunked(struct http_connection *c, str *in, struct err *e)
{
	struct http1_state *h = &c->http1;
	struct http_exchange *x = h->current;
	struct err why;
	str part;

	if (http1_chunks_read(&h->chunks, in, &part, &why) < 0) {
		*in = str_slice(*in, in->len, 0);
		return bad_body(c, &why, e);
	}
	if (part.len > 0)
		http_exchange_data(x, part);
	if (h->chunks.state != HTTP1_CHUNK_DONE)
		return 0;
	str lines;

	if (arena_str_try(&x->arena, buf_str(&h->chunks.trailers), &lines, &why) < 0 ||
		http1_read_fields(&x->arena, lines, c->keeper->limits->head_fields_max,
			&x->trailers, &why) < 0)
		return bad_body(c, &why, e);
	body_complete(c);
	return 0;
}

static int read_body(struct http_connection *c, str *in, struct err *e)
{
	struct http1_state *h = &c->http1;

	if (h->place == HTTP1_IN_BODY && h->head.framing == HTTP1_CHUNKED)
		return read_chunked(c, in, e);
	bool endless = h->place == HTTP1_RAW || h->head.framing == HTTP1_UNTIL_CLOSE;
	str part = str_slice(*in, 0, endless ? in->len : h->left_bytes);

	*in = str_slice(*in, part.len, in->len);
	http_exchange_data(h->current, part);
	if (!endless) {
		h->left_bytes -= part.len;
		if (h->left_bytes == 0)
			body_complete(c);
	}
	return 0;
}

/*
 * Answers what is no request, then closes: where the next one would begin is unknown. If a
 * handler has the exchange already, its answer has not begun and will go nowhere.
 */
static int refuse(struct http_connection *c, int status, const struct err *why)
{
	struct http_exchange *x = c->http1.current;

	c->head_since_ns = 0;
	http1_add_status(&c->out, status);
	http1_add_field(&c->out, STR("Date"), c->keeper->date(c->keeper));
	buf_add_str(
		&c->out, STR("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"));
	buf_add_fmt(&c->out, "Content-Length: %zu\r\n\r\n%s\n", strlen(why->text) + 1, why->text);
	c->http1.current = NULL;
	c->http1.broken_off = true;
	if (x)
		http_exchange_over(x, why);
	http_connection_finish(c);
	return 0;
}

static void body_complete(struct http_connection *c)
{
	c->http1.place = HTTP1_AFTER_BODY;
	http_exchange_body_end(c->http1.current);
	http_connection_flush_later(c);
}

static void start_next_call(struct http_connection *c)
{
	struct http_exchange *x = c->first;
	struct http1_state *h = &c->http1;

	if (c->is_server || h->current || !x || c->phase != HTTP_OPEN)
		return;
	h->current = x;
	h->place = HTTP1_AT_HEAD;
	h->head = (struct http1_head){0};
	buf_add_str(&c->out, x->request.method);
	buf_add_char(&c->out, ' ');
	buf_add_str(&c->out, x->request.target);
	buf_add_str(&c->out, STR(" HTTP/1.1\r\n"));
	http1_add_field(&c->out, STR("Host"), x->request.authority);
	add_headers(&c->out, &x->request.headers);

	bool has_body = x->out.bytes > 0 || !x->out_ended;

	h->out_chunked = has_body && !x->out_ended;
	if (h->out_chunked) {
		buf_add_str(&c->out, STR("Transfer-Encoding: chunked\r\n"));
	} else if (has_body || str_eq(x->request.method, STR("POST")) ||
		str_eq(x->request.method, STR("PUT")) || str_eq(x->request.method, STR("PATCH"))) {
		buf_add_str(&c->out, STR("Content-Length: "));
		buf_add_u64(&c->out, x->out.bytes);
		buf_add_str(&c->out, STR("\r\n"));
	}
	buf_add_str(&c->out, STR("\r\n"));
	x->head_sent = true;
	http_connection_flush_later(c);
}

static void write_body(struct http_connection *c, struct http_exchange *x)
{
	bool chunked = c->http1.out_chunked && !x->upgraded;
	size_t len = x->out.bytes < HTTP_OUT_BYTES ? x->out.bytes : HTTP_OUT_BYTES;

	if (len > 0) {
		if (chunked)
			buf_add_fmt(&c->out, "%zx\r\n", len);
		char *to = buf_reserve(&c->out, len);

		if (to)
			c->out.len += http_queue_take(&x->out, to, len);
		if (chunked)
			buf_add_str(&c->out, STR("\r\n"));
	}
	c->check_writable |= x->above_low;
	if (!x->out_ended || x->out.bytes > 0)
		return;
	if (chunked && !x->bodiless) {
		buf_add_str(&c->out, STR("0\r\n"));
		add_headers(&c->out, &x->out_trailers);
		buf_add_str(&c->out, STR("\r\n"));
	}
	x->out_done = true;
}

/* Both directions of the exchange are through: the next one, or the end of the connection. */
static void settle(struct http_connection *c)
{
	struct http1_state *h = &c->http1;
	struct http_exchange *x = h->current;
	bool through = h->place == HTTP1_AFTER_BODY;

	if (!x)
		return;
	/* No server has to wait for the rest of a request, no client to send it once answered. */
	bool sent = x->out_done || (!c->is_server && through && c->saw_end);

	if (!sent || (!through && !c->is_server && !x->upgraded))
		return;
	bool again = through && h->head.keep_alive && !c->draining && !x->upgraded && !c->saw_end;

	h->current = NULL;
	h->place = HTTP1_AT_HEAD;
	http_exchange_over(x, NULL);
	if (again) {
		start_next_call(c);
		http_connection_flush_later(c);
	} else {
		h->broken_off = true;
		http_connection_finish(c);
	}
}

static void add_headers(struct buf *to, const struct http_headers *h)
{
	for (size_t i = 0; i < h->len; i++)
		http1_add_field(to, h->at[i].name, h->at[i].value);
}
