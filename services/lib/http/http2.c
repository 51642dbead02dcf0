#include "lib/http/connection.h"

#include <nghttp2/nghttp2.h>

enum {
	ADDED_HEADERS_MAX = 4,    /* to a message: pseudo fields; date and length */
	QUEUED_FRAMES_MAX = 2000, /* a peer that makes us answer more than it reads is cut */
	CONTINUATIONS_MAX = 16,
};

static int make_session(struct http_connection *c, struct err *e);
static int nghttp2_failed(struct err *e, const char *doing, int code);
static void submitted(struct http_connection *c, int code);
static void set_callbacks(nghttp2_session_callbacks *to);
static int submit_settings(struct http_connection *c, struct err *e);

/* Room for the fields of a message and for those that we add. */
struct header_list {
	nghttp2_nv *at;
	size_t len;
};

static struct header_list new_list(struct arena *a, const struct http_headers *h);
static void add_pair(struct header_list *l, struct arena *a, str name, str value);
static void add_list(struct header_list *l, struct arena *a, const struct http_headers *h);
static nghttp2_data_provider2 body_of(struct http_exchange *x);

static int send_request(struct http_exchange *x, struct err *e);

static int open_connection(struct http_connection *c, struct err *e)
{
	c->head_since_ns = 0;
	TRY(make_session(c, e));
	TRY(submit_settings(c, e));
	for (struct http_exchange *x = c->first; x; x = x->next)
		TRY(send_request(x, e));
	http_connection_flush_later(c);
	return 0;
}

static void close_connection(struct http_connection *c)
{
	nghttp2_session_del(c->session);
}

static int input(struct http_connection *c, str bytes, struct err *e)
{
	nghttp2_ssize taken = nghttp2_session_mem_recv2(
		c->session, (const uint8_t *)bytes.at, bytes.len);

	if (taken < 0)
		return nghttp2_failed(e, "reading HTTP/2", (int)taken);
	if (nghttp2_session_get_outbound_queue_size(c->session) > QUEUED_FRAMES_MAX)
		return err_set(
			e, ERR_LIMIT, "more than %d frames wait for the peer", QUEUED_FRAMES_MAX);
	http_connection_flush_later(c);
	return 0;
}

static int input_end(struct http_connection *c, UNUSED struct err *e)
{
	http_connection_kill(c, NULL);
	return 0;
}

static bool wants_input(const struct http_connection *c)
{
	return nghttp2_session_want_read(c->session);
}

static int output(struct http_connection *c, struct err *e)
{
	while (c->out.len < HTTP_OUT_BYTES) {
		const uint8_t *at;
		nghttp2_ssize len = nghttp2_session_mem_send2(c->session, &at);

		if (len < 0)
			return nghttp2_failed(e, "writing HTTP/2", (int)len);
		if (len == 0)
			break;
		buf_add(&c->out, at, (size_t)len);
	}
	if (!nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session))
		c->closing = true;
	return 0;
}

static int send_request(struct http_exchange *x, struct err *e)
{
	struct http_connection *c = x->connection;
	const struct http_request *r = &x->request;
	struct header_list l = new_list(&x->arena, &r->headers);
	nghttp2_data_provider2 body = body_of(x);
	bool has_body = x->out.bytes > 0 || !x->out_ended;

	add_pair(&l, &x->arena, STR(":method"), r->method);
	add_pair(&l, &x->arena, STR(":scheme"), c->tls ? STR("https") : STR("http"));
	add_pair(&l, &x->arena, STR(":authority"), r->authority);
	add_pair(&l, &x->arena, STR(":path"), r->target);
	add_list(&l, &x->arena, &r->headers);
	int32_t id = nghttp2_submit_request2(
		c->session, NULL, l.at, l.len, has_body ? &body : NULL, x);

	if (id < 0)
		return nghttp2_failed(e, "sending a request", id);
	x->stream_id = id;
	x->head_sent = true;
	http_connection_flush_later(c);
	return 0;
}

static void send_response(
	struct http_exchange *x, int status, const struct http_headers *h, uint64_t length)
{
	struct http_connection *c = x->connection;
	nghttp2_data_provider2 body = body_of(x);
	struct header_list l = new_list(&x->arena, h);

	x->bodiless = str_eq(x->request.method, STR("HEAD")) || status == 204 || status == 304;
	add_pair(&l, &x->arena, STR(":status"), arena_fmt(&x->arena, "%d", status));
	add_list(&l, &x->arena, h);
	if (!http_header(h, STR("date")).at)
		add_pair(&l, &x->arena, STR("date"), c->keeper->date(c->keeper));
	if (length != HTTP_LENGTH_UNKNOWN && status != 204 && status != 304 &&
		!http_header(h, STR("content-length")).at)
		add_pair(&l, &x->arena, STR("content-length"),
			arena_fmt(&x->arena, "%llu", (unsigned long long)length));
	/* A body that is known to be empty ends with the head. */
	if (nghttp2_submit_response2(c->session, x->stream_id, l.at, l.len,
		    x->bodiless || length == 0 ? NULL : &body) != 0)
		submitted(c,
			nghttp2_submit_rst_stream(
				c->session, 0, x->stream_id, NGHTTP2_INTERNAL_ERROR));
	x->head_sent = true;
	http_connection_flush_later(c);
}

static void more_output(struct http_exchange *x)
{
	if (x->deferred) {
		x->deferred = false;
		submitted(x->connection,
			nghttp2_session_resume_data(x->connection->session, x->stream_id));
	}
	http_connection_flush_later(x->connection);
}

static void want_body(struct http_exchange *x)
{
	static const nghttp2_nv go_on = {(uint8_t *)":status", (uint8_t *)"100", 7, 3, 0};

	if (x->is_server && x->expects_continue && !x->head_sent && !x->body_arrived) {
		submitted(x->connection,
			nghttp2_submit_headers(
				x->connection->session, 0, x->stream_id, NULL, &go_on, 1, NULL));
		http_connection_flush_later(x->connection);
	}
	x->expects_continue = false;
}

static void body_taken(struct http_exchange *x, size_t len)
{
	if (len == 0)
		return;
	submitted(
		x->connection, nghttp2_session_consume(x->connection->session, x->stream_id, len));
	http_connection_flush_later(x->connection);
}

static void reset(struct http_exchange *x)
{
	struct http_connection *c = x->connection;

	if (x->stream_id == 0) {
		struct err e;

		err_write(&e, ERR_CLOSED, "given up");
		http_exchange_over(x, &e);
		return;
	}
	submitted(c, nghttp2_submit_rst_stream(c->session, 0, x->stream_id, NGHTTP2_CANCEL));
	http_connection_flush_later(c);
}

static void drain(struct http_connection *c)
{
	c->draining = true;
	submitted(c,
		nghttp2_submit_goaway(c->session, 0,
			nghttp2_session_get_last_proc_stream_id(c->session), NGHTTP2_NO_ERROR, NULL,
			0));
	if (c->exchange_count == 0)
		c->closing = true;
	http_connection_flush_later(c);
}

static void ping(struct http_connection *c)
{
	submitted(c, nghttp2_submit_ping(c->session, 0, NULL));
}

const struct http_protocol http2_protocol = {
	.version = 2,
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
	.ping = ping,
};

static int make_session(struct http_connection *c, struct err *e)
{
	nghttp2_mem memory = {
		c, http2_allocate, http2_release, http2_allocate_zeroed, http2_resize};
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	int why = nghttp2_session_callbacks_new(&callbacks);

	if (why == 0)
		why = nghttp2_option_new(&option);
	if (why == 0) {
		set_callbacks(callbacks);
		nghttp2_option_set_no_auto_window_update(option, 1);
		nghttp2_option_set_no_closed_streams(option, 1);
		nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
		why = c->is_server
			? nghttp2_session_server_new3(&c->session, callbacks, c, option, &memory)
			: nghttp2_session_client_new3(&c->session, callbacks, c, option, &memory);
	}
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return why ? nghttp2_failed(e, "starting HTTP/2", why) : 0;
}

static int submit_settings(struct http_connection *c, struct err *e)
{
	const struct http_limits *l = c->keeper->limits;
	const nghttp2_settings_entry server[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, l->streams_max},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP_STREAM_WINDOW_BYTES},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)l->head_bytes_max},
	};
	const nghttp2_settings_entry client[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP_STREAM_WINDOW_BYTES},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)l->head_bytes_max},
	};
	static_assert(COUNT_OF(server) == COUNT_OF(client), "as many either way");
	int why = nghttp2_submit_settings(
		c->session, 0, c->is_server ? server : client, COUNT_OF(server));

	if (why == 0)
		why = nghttp2_session_set_local_window_size(
			c->session, 0, 0, HTTP_CONNECTION_WINDOW_BYTES);
	return why ? nghttp2_failed(e, "sending settings", why) : 0;
}

static int nghttp2_failed(struct err *e, const char *doing, int code)
{
	return err_set(e, code == NGHTTP2_ERR_NOMEM ? ERR_LIMIT : ERR_INVALID, "%s: %s", doing,
		nghttp2_strerror(code));
}

/* Without memory for its frame the peer would wait for ever. */
static void submitted(struct http_connection *c, int code)
{
	struct err e;

	if (!nghttp2_is_fatal(code))
		return;
	(void)!nghttp2_failed(&e, "sending HTTP/2", code);
	http_connection_kill(c, &e);
}

static struct header_list new_list(struct arena *a, const struct http_headers *h)
{
	return (struct header_list){
		.at = arena_get(a, (h->len + ADDED_HEADERS_MAX) * sizeof(nghttp2_nv))};
}

static void add_nv(struct header_list *l, str name, str value)
{
	l->at[l->len++] = (nghttp2_nv){
		(uint8_t *)name.at, (uint8_t *)value.at, name.len, value.len, NGHTTP2_NV_FLAG_NONE};
}

/* Names in lower case, values without control characters: anything else the peer would reset. */
static void add_pair(struct header_list *l, struct arena *a, str name, str value)
{
	bool clean = http_is_field_value(value);

	for (size_t i = 0; i < name.len && clean; i++)
		clean = name.at[i] < 'A' || name.at[i] > 'Z';
	if (clean) {
		add_nv(l, name, value);
		return;
	}
	str n = arena_str(a, name), v = arena_str(a, value);

	for (size_t i = 0; i < n.len; i++)
		if (n.at[i] >= 'A' && n.at[i] <= 'Z')
			((char *)n.at)[i] |= 32;
	for (size_t i = 0; i < v.len; i++)
		if (!http_is_field_value(str_span(v.at + i, 1)))
			((char *)v.at)[i] = ' ';
	add_nv(l, n, v);
}

static void add_list(struct header_list *l, struct arena *a, const struct http_headers *h)
{
	for (size_t i = 0; i < h->len; i++)
		add_pair(l, a, h->at[i].name, h->at[i].value);
}

static nghttp2_ssize read_body(nghttp2_session *session, int32_t stream_id, UNUSED uint8_t *to,
	size_t cap, uint32_t *flags, nghttp2_data_source *source, UNUSED void *user)
{
	struct http_exchange *x = source->ptr;
	size_t len = x->out.bytes < cap ? x->out.bytes : cap;

	if (len == 0 && !x->out_ended) {
		x->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (len < x->out.bytes || !x->out_ended)
		return (nghttp2_ssize)len;
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (x->out_trailers.len > 0) {
		struct header_list l = new_list(&x->arena, &x->out_trailers);

		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		add_list(&l, &x->arena, &x->out_trailers);
		if (nghttp2_submit_trailer(session, stream_id, l.at, l.len) != 0)
			return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	return (nghttp2_ssize)len;
}

static nghttp2_data_provider2 body_of(struct http_exchange *x)
{
	return (nghttp2_data_provider2){.source.ptr = x, .read_callback = read_body};
}

static int send_data(UNUSED nghttp2_session *session, UNUSED nghttp2_frame *frame,
	const uint8_t *head, size_t len, nghttp2_data_source *source, void *user)
{
	enum { FRAME_HEAD_BYTES = 9 };
	struct http_connection *c = user;
	struct http_exchange *x = source->ptr;

	if (c->out.len >= HTTP_OUT_BYTES)
		return NGHTTP2_ERR_WOULDBLOCK;
	char *to = buf_reserve(&c->out, FRAME_HEAD_BYTES + len);

	if (!to)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	memcpy(to, head, FRAME_HEAD_BYTES);
	http_queue_take(&x->out, to + FRAME_HEAD_BYTES, len);
	c->out.len += FRAME_HEAD_BYTES + len;
	c->check_writable |= x->above_low;
	return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http_connection *c = user;
	struct http_exchange *x;

	c->header_bytes = 0;
	if (!c->is_server || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	c->head_since_ns = c->loop->now_ns;
	c->head_stream_id = frame->hd.stream_id;
	x = c->keeper->exchanges < c->keeper->exchanges_max ? http_exchange_new(c) : NULL;
	if (!x) {
		submitted(c,
			nghttp2_submit_rst_stream(
				session, 0, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM));
		return 0;
	}
	x->stream_id = frame->hd.stream_id;
	/* Until its handler has it, nobody needs to be told of its end. */
	x->owner_done = true;
	nghttp2_session_set_stream_user_data(session, x->stream_id, x);
	return 0;
}

static void keep_pseudo(struct http_exchange *x, str name, str value)
{
	const struct {
		str name;
		str *to;
	} places[] = {
		{STR(":method"), &x->request.method},
		{STR(":path"), &x->request.target},
		{STR(":scheme"), &x->request.scheme},
		{STR(":authority"), &x->request.authority},
	};
	int64_t status;

	if (str_eq(name, STR(":status")) && str_to_i64(value, &status))
		x->response.status = (int)status;
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (str_eq(name, places[i].name))
			*places[i].to = value;
}

static struct http_headers *place_of(struct http_exchange *x)
{
	if (x->head_arrived)
		return &x->trailers;
	return x->is_server ? &x->request.headers : &x->response.headers;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name_at,
	size_t name_len, const uint8_t *value_at, size_t value_len, UNUSED uint8_t flags,
	void *user)
{
	enum { ENTRY_BYTES = 32 }; /* RFC 9113, 6.5.2 */
	struct http_connection *c = user;
	const struct http_limits *l = c->keeper->limits;
	struct http_exchange *x = nghttp2_session_get_stream_user_data(
		session, frame->hd.stream_id);
	struct err e;
	str name, value;

	c->header_bytes += name_len + value_len + ENTRY_BYTES;
	if (!x)
		return 0;
	struct http_headers *to = place_of(x);

	x->too_large |= c->header_bytes > l->head_bytes_max || to->len >= l->head_fields_max;
	if (x->too_large)
		return 0;
	if (arena_str_try(&x->arena, str_span((const char *)name_at, name_len), &name, &e) < 0 ||
		arena_str_try(&x->arena, str_span((const char *)value_at, value_len), &value, &e) <
			0)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (name.len > 0 && name.at[0] == ':')
		keep_pseudo(x, name, value);
	else if (http_header_add(to, &x->arena, name, value, &e) < 0)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	return 0;
}

static void answer_plainly(struct http_exchange *x, int status, const char *text)
{
	x->owner_done = false;
	http_respond(x, status,
		HTTP_HEADERS({STR("content-type"), STR("text/plain; charset=utf-8")}),
		str_of(text));
}

static void take_request(struct http_exchange *x)
{
	struct http_request *r = &x->request;
	str expect = http_header(&r->headers, STR("expect"));
	struct err e;

	x->connection->head_since_ns = 0;
	if (!r->authority.at)
		r->authority = http_header(&r->headers, STR("host"));
	if (x->too_large) {
		answer_plainly(x, 431, "the request's head is too large\n");
		return;
	}
	if (expect.at && !str_eq_ignoring_case(expect, STR("100-continue"))) {
		answer_plainly(x, 417, "an expectation other than 100-continue\n");
		return;
	}
	if (str_eq(r->method, STR("CONNECT"))) {
		answer_plainly(x, 501, "CONNECT is not for this server\n");
		return;
	}
	x->expects_continue = expect.at != NULL;
	x->owner_done = false;
	if (http_read_target(&x->arena, r, &e) < 0)
		answer_plainly(x, e.kind == ERR_LIMIT ? 431 : 400, e.text);
	else
		http_exchange_head(x);
}

static void take_response(struct http_exchange *x)
{
	if (x->response.status < 200)
		x->response = (struct http_response){0};
	else
		http_exchange_head(x);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http_connection *c = user;
	struct http_exchange *x = nghttp2_session_get_stream_user_data(
		session, frame->hd.stream_id);
	bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

	if (frame->hd.type == NGHTTP2_GOAWAY && !c->is_server)
		c->draining = true;
	if (!x || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && !x->head_arrived) {
		x->body_arrived = ends && x->is_server;
		if (x->is_server)
			take_request(x);
		else if (x->too_large)
			return NGHTTP2_ERR_CALLBACK_FAILURE;
		else
			take_response(x);
		ends &= !x->is_server;
	}
	if (ends)
		http_exchange_body_end(x);
	return 0;
}

/* Once the answer is complete, the rest of a request's body is not wanted (RFC 9113, 8.1). */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http_connection *c = user;
	bool has_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
	struct http_exchange *x;

	if (!c->is_server || !has_end || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	x = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (x && !x->body_arrived)
		submitted(c, nghttp2_submit_rst_stream(session, 0, x->stream_id, NGHTTP2_NO_ERROR));
	return 0;
}

static int on_data_chunk(nghttp2_session *session, UNUSED uint8_t flags, int32_t stream_id,
	const uint8_t *data, size_t len, void *user)
{
	struct http_exchange *x = nghttp2_session_get_stream_user_data(session, stream_id);

	if (x)
		http_exchange_data(x, str_span((const char *)data, len));
	else
		submitted(user, nghttp2_session_consume(session, stream_id, len));
	return 0;
}

static void explain_end(const struct http_exchange *x, uint32_t code, struct err *e)
{
	if (x->cut)
		http_exchange_too_slow(x, e);
	else if (code == NGHTTP2_REFUSED_STREAM)
		err_write(e, ERR_UNAVAILABLE, "the peer refused the request unread");
	else
		err_write(e, ERR_CLOSED, "the peer ended the stream: %s",
			nghttp2_http2_strerror(code));
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
	struct http_connection *c = user;
	struct http_exchange *x = nghttp2_session_get_stream_user_data(session, stream_id);
	struct err e;

	/* A head that was refused before its end is not waited for. */
	if (stream_id == c->head_stream_id)
		c->head_since_ns = 0;
	if (!x)
		return 0;
	nghttp2_session_set_stream_user_data(session, stream_id, NULL);

	size_t owed = x->untaken_bytes + (x->body_mode == HTTP_BODY_HELD ? x->body.len : 0);
	bool complete = x->is_server ? x->out_ended && code == NGHTTP2_NO_ERROR : x->body_arrived;

	if (owed > 0)
		submitted(c, nghttp2_session_consume_connection(session, owed));
	explain_end(x, code, &e);
	http_exchange_over(x, complete ? NULL : &e);
	if (c->draining && c->exchange_count == 0)
		c->closing = true;
	http_connection_flush_later(c);
	return 0;
}

/* A malformed field would be left out otherwise. */
static int on_invalid_header(UNUSED nghttp2_session *session, UNUSED const nghttp2_frame *frame,
	UNUSED const uint8_t *name, UNUSED size_t name_len, UNUSED const uint8_t *value,
	UNUSED size_t value_len, UNUSED uint8_t flags, UNUSED void *user)
{
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void set_callbacks(nghttp2_session_callbacks *to)
{
	nghttp2_session_callbacks_set_send_data_callback(to, send_data);
	nghttp2_session_callbacks_set_on_begin_headers_callback(to, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(to, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(to, on_invalid_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(to, on_frame_recv);
	nghttp2_session_callbacks_set_on_frame_send_callback(to, on_frame_send);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, on_data_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(to, on_stream_close);
}
