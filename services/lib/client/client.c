#include "lib/client/client.h"

#include "lib/client/throttle.h"
#include "lib/http/url.h"
#include "lib/os/file.h"

#include <pthread.h>
#include <stdlib.h>

enum {
	TRIES_MAX = 10,
	TIMEOUT_S = 70,
	TOKEN_BYTES_MAX = 64 << 10,
	TOKEN_AGE_S = 60,
	BODY_BYTES_MAX = 64 << 20,
};

struct client {
	struct transport *transport;
	const struct clock *clock;
	struct client_token *token;
	struct arena arena;
	str user_agent, fixed_token, token_file;
	int64_t timeout_ns;

	pthread_mutex_t lock; /* of what is below */
	struct throttle throttle;
	struct arena token_arena;
	str file_token;
	int64_t token_read_ns;
};

static int request(struct client *c, struct arena *a, const struct client_request *r, str *answer,
	struct err *e);
static int find_token(struct client *c, struct arena *a, str *to, struct err *e);

int client_open(const struct client_options *o, struct client **to, struct err *e)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(e, ERR_SYSTEM, "no memory for a client");
	c->transport = o->transport;
	c->clock = o->clock;
	c->token = o->token;
	c->timeout_ns = o->timeout_ns ? o->timeout_ns : TIMEOUT_S * NS_PER_S;
	arena_init(&c->arena, ARENA_NO_LIMIT);
	arena_init(&c->token_arena, ARENA_NO_LIMIT);
	c->user_agent = arena_str(&c->arena, o->user_agent);
	if (o->config && o->config->token_file.len > 0)
		c->token_file = arena_str(&c->arena, o->config->token_file);
	else if (o->config && o->config->token.len > 0)
		c->fixed_token = arena_str(&c->arena, o->config->token);
	pthread_mutex_init(&c->lock, NULL);
	throttle_init(&c->throttle, o->qps, o->burst, o->clock->monotonic_ns(o->clock));
	*to = c;
	return 0;
}

void client_close(struct client *c)
{
	pthread_mutex_destroy(&c->lock);
	arena_free(&c->token_arena);
	arena_free(&c->arena);
	free(c);
}

struct transport *client_transport(const struct client *c)
{
	return c->transport;
}

const struct clock *client_clock(const struct client *c)
{
	return c->clock;
}

str client_user_agent(struct arena *a, str program, str part)
{
	return arena_fmt(a, "%.*s/v1.36.2 (linux/amd64) coracle%s%.*s", STR_ARG(program),
		part.len > 0 ? "/" : "", STR_ARG(part));
}

struct target target_of(const void *object)
{
	const struct object_meta *m = meta_of(object);
	const struct type *t = object_type(object);
	struct target to = {.ns = m->namespace, .name = m->name};

	for (size_t i = 0; i < api_resource_count && !to.resource; i++) {
		if (api_type(api_resources[i].type) == t)
			to.resource = &api_resources[i];
	}
	return to;
}

static void add_segment(struct buf *b, str text)
{
	buf_add_char(b, '/');
	url_add_encoded(b, text, URL_PATH_SEGMENT);
}

str client_path(struct arena *a, struct target t)
{
	const struct resource *r = t.resource;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, r->group.len > 0 ? STR("/apis") : STR("/api"));
	if (r->group.len > 0)
		add_segment(&b, r->group);
	add_segment(&b, r->version);
	if (r->namespaced && t.ns.len > 0) {
		add_segment(&b, STR("namespaces"));
		add_segment(&b, t.ns);
	}
	add_segment(&b, r->plural);
	if (t.name.len > 0)
		add_segment(&b, t.name);
	if (t.sub.len > 0)
		add_segment(&b, t.sub);
	str path = arena_str(a, buf_str(&b));

	buf_free(&b);
	return path;
}

static str path_of(struct arena *a, struct target t)
{
	str path = client_path(a, t);

	if (t.query.len == 0)
		return path;
	return arena_fmt(a, "%.*s?%.*s", STR_ARG(path), STR_ARG(t.query));
}

/* Sends, and decodes what comes back as the kind `type`. */
static int exchange(struct client *c, struct arena *a, const struct client_request *r,
	const struct type *type, void **to, struct err *e)
{
	str answer;

	TRY(request(c, a, r, &answer, e));
	if (!to)
		return 0;
	return object_decode(a, type, FORMAT_PROTOBUF, answer, to, NULL, e);
}

/* What is answered: the subresource's kind where that differs from the resource's. */
static const struct type *kind_of(const struct target *t)
{
	const struct subresource *s = t->sub.len > 0 ? resource_sub(t->resource, t->sub) : NULL;

	return api_type(s ? s->type : t->resource->type);
}

int client_get(struct client *c, struct arena *a, struct target t, void **to, struct err *e)
{
	struct client_request r = {
		.method = STR("GET"), .path = path_of(a, t), .accept = MEDIA_PROTOBUF};

	return exchange(c, a, &r, kind_of(&t), to, e);
}

int client_list(struct client *c, struct arena *a, struct target t, void **to, struct err *e)
{
	const struct resource *row = t.resource;
	struct client_request r = {
		.method = STR("GET"), .path = path_of(a, t), .accept = MEDIA_PROTOBUF};
	str list = arena_fmt(a, "%.*sList", STR_ARG(row->kind));

	return exchange(c, a, &r,
		type_find(api_type(row->type)->schema, row->group, row->version, list), to, e);
}

static int encode(struct arena *a, const void *object, str *to, struct err *e)
{
	struct buf b;

	buf_init(&b, BODY_BYTES_MAX);
	int done = object_encode(object, FORMAT_PROTOBUF, &b, e);

	if (done == 0)
		*to = arena_str(a, buf_str(&b));
	buf_free(&b);
	return done;
}

static int write_object(struct client *c, struct arena *a, str method, struct target t,
	const void *object, void **to, struct err *e)
{
	struct client_request r = {.method = method,
		.path = path_of(a, t),
		.content_type = MEDIA_PROTOBUF,
		.accept = MEDIA_PROTOBUF};

	TRY(encode(a, object, &r.body, e));
	return exchange(c, a, &r, kind_of(&t), to, e);
}

int client_create(struct client *c, struct arena *a, struct target t, const void *object, void **to,
	struct err *e)
{
	if (t.sub.len == 0)
		t.name = (str){NULL, 0};
	return write_object(c, a, STR("POST"), t, object, to, e);
}

int client_update(struct client *c, struct arena *a, struct target t, const void *object, void **to,
	struct err *e)
{
	return write_object(c, a, STR("PUT"), t, object, to, e);
}

int client_patch(struct client *c, struct arena *a, struct target t, enum client_patch kind,
	str patch, void **to, struct err *e)
{
	static const str types[] = {
		[PATCH_JSON] = STR_INIT("application/json-patch+json"),
		[PATCH_MERGE] = STR_INIT("application/merge-patch+json"),
		[PATCH_STRATEGIC] = STR_INIT("application/strategic-merge-patch+json"),
		[PATCH_APPLY] = STR_INIT("application/apply-patch+yaml"),
	};
	struct client_request r = {.method = STR("PATCH"),
		.path = path_of(a, t),
		.content_type = types[kind],
		.body = patch,
		.accept = MEDIA_PROTOBUF};

	return exchange(c, a, &r, kind_of(&t), to, e);
}

int client_delete(struct client *c, struct arena *a, struct target t,
	const struct client_delete *how, struct err *e)
{
	struct client_request r = {.method = STR("DELETE"),
		.path = path_of(a, t),
		.content_type = MEDIA_PROTOBUF,
		.accept = MEDIA_EITHER};

	if (how) {
		struct delete_options *o = object_new(a, api_type(API_DELETE_OPTIONS));
		struct client_delete *kept = arena_get(a, sizeof(*kept));

		*kept = *how;
		if (how->uid.len > 0 || how->resource_version.len > 0)
			o->preconditions = arena_get(a, sizeof(*o->preconditions));
		if (how->uid.len > 0)
			o->preconditions->uid = &kept->uid;
		if (how->resource_version.len > 0)
			o->preconditions->resource_version = &kept->resource_version;
		if (how->propagation.len > 0)
			o->propagation_policy = &kept->propagation;
		if (how->grace_period_s)
			o->grace_period_seconds = arena_i64(a, *how->grace_period_s);
		TRY(encode(a, o, &r.body, e));
	}
	return exchange(c, a, &r, NULL, NULL, e);
}

int client_raw(struct client *c, struct arena *a, const struct client_request *r, str *answer,
	struct err *e)
{
	return request(c, a, r, answer, e);
}

int client_headers(struct client *c, struct arena *a, struct call *call, str accept, struct err *e)
{
	str token;

	TRY(find_token(c, a, &token, e));
	call->header_count = 0;
	call->headers[call->header_count++] = (struct call_header){
		STR("user-agent"), c->user_agent};
	call->headers[call->header_count++] = (struct call_header){STR("accept"), accept};
	if (token.len > 0)
		call->headers[call->header_count++] = (struct call_header){
			STR("authorization"), arena_fmt(a, "Bearer %.*s", STR_ARG(token))};
	return 0;
}

static int wait_turn(struct client *c, struct err *e)
{
	pthread_mutex_lock(&c->lock);
	int64_t wait_ns = throttle_take(&c->throttle, c->clock->monotonic_ns(c->clock));

	pthread_mutex_unlock(&c->lock);
	return wait_ns > 0 ? transport_wait(c->transport, wait_ns, e) : 0;
}

/* One try. `*again_s` tells how long the server wants us to wait before the next. */
static int send_once(struct client *c, struct arena *a, const struct client_request *r, str *answer,
	int64_t *again_s, struct err *e)
{
	struct call call = {.method = r->method, .body = r->body, .timeout_ns = c->timeout_ns};

	*again_s = -1;
	TRY(wait_turn(c, e));
	TRY(client_headers(c, a, &call, r->accept, e));
	if (r->body.at)
		call.headers[call.header_count++] = (struct call_header){
			STR("content-type"), r->content_type};
	str prefix = transport_prefix(c->transport);

	call.target = arena_fmt(a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(r->path));
	transport_call(c->transport, &call);
	if (call.error.kind != ERR_NONE) {
		buf_free(&call.answer);
		*e = call.error;
		return err_context(e, "%.*s \"https://%.*s%.*s\"", STR_ARG(r->method),
			STR_ARG(transport_authority(c->transport)), STR_ARG(call.target));
	}
	str body = arena_str(a, buf_str(&call.answer));

	buf_free(&call.answer);
	if (call.status < 200 || call.status > 299) {
		if (call.status == 429 || call.status >= 500)
			*again_s = call.retry_after_s;
		client_status_error(a, call.status, body, e);
		return -1;
	}
	*answer = body;
	return 0;
}

static int request(struct client *c, struct arena *a, const struct client_request *r, str *answer,
	struct err *e)
{
	for (int tries = 1;; tries++) {
		int64_t again_s;

		if (send_once(c, a, r, answer, &again_s, e) == 0)
			return 0;
		if (again_s < 0 || tries > TRIES_MAX)
			return -1;
		TRY(transport_wait(c->transport, again_s * NS_PER_S, e));
	}
}

/* The file's token, read again when it is a minute old; an old one serves if that fails. */
static int token_from_file(struct client *c, struct arena *a, str *to, struct err *e)
{
	int64_t now_ns = c->clock->monotonic_ns(c->clock);
	struct arena fresh;
	str text;

	if (c->file_token.len == 0 || now_ns - c->token_read_ns >= TOKEN_AGE_S * NS_PER_S) {
		arena_init(&fresh, ARENA_NO_LIMIT);
		if (file_read(&fresh, c->token_file.at, TOKEN_BYTES_MAX, &text, e) < 0) {
			arena_free(&fresh);
			if (c->file_token.len == 0)
				return -1;
		} else {
			arena_free(&c->token_arena);
			c->token_arena = fresh;
			c->file_token = str_trim(text);
		}
		c->token_read_ns = now_ns;
	}
	*to = arena_str(a, c->file_token);
	return 0;
}

static int find_token(struct client *c, struct arena *a, str *to, struct err *e)
{
	if (c->token)
		return c->token->token(c->token, a, to, e);
	if (c->token_file.len == 0) {
		*to = c->fixed_token;
		return 0;
	}
	pthread_mutex_lock(&c->lock);
	int found = token_from_file(c, a, to, e);

	pthread_mutex_unlock(&c->lock);
	return found;
}
