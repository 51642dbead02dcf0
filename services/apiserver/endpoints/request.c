/*
 * A request's life: work that blocks, the answer's head, the end.
 */
#include "apiserver/endpoints/request.h"

#include "apiserver/endpoints/request_metrics.h"
#include "lib/codec/gzip.h"

enum { GZIP_FROM_BYTES = 128 << 10 };

static void body_end(struct http_exchange *x, const struct err *e);
static void job_run(struct pool_job *j);
static void job_back(struct loop_task *t);
static void nothing_streamed(struct http_exchange *x, str part);
static void peer_gone(struct http_exchange *x, const struct err *e);

/* A peer that left is no reason to stop: the answer then goes nowhere. */
static const struct http_events body_events = {
	.body = nothing_streamed, .body_end = body_end, .closed = peer_gone};

struct status_subject request_subject(const struct request *r)
{
	return (struct status_subject){r->info.group, r->info.resource, r->info.name};
}

void request_work_with_body(struct request *r, int (*work)(struct request *r, struct err *e))
{
	struct err e;

	r->work = work;
	r->x->events = &body_events;
	if (http_collect_body(r->x, REQUEST_BODY_MAX, &e) < 0)
		body_end(r->x, &e);
}

void request_work(struct request *r, int (*work)(struct request *r, struct err *e))
{
	struct err e;

	r->work = work;
	r->job.run = job_run;
	r->back.run = job_back;
	if (pool_give(r->endpoints->o.workers, &r->job, &e) < 0)
		request_refuse(r);
}

static void body_end(struct http_exchange *x, const struct err *e)
{
	struct request *r = x->owner;
	struct err refused;

	if (!e) {
		request_work(r, r->work);
		return;
	}
	if (e->kind == ERR_LIMIT)
		status_fail(&r->arena, &refused, STATUS_REQUEST_ENTITY_TOO_LARGE,
			"Request entity too large: limit is %d", REQUEST_BODY_MAX);
	else
		status_fail(&r->arena, &refused, STATUS_BAD_REQUEST, "%s", e->text);
	request_fail(r, &refused);
}

/* The body, or a place in the queue, may have come too late. */
static int check_deadline(struct request *r, struct err *e)
{
	const struct clock *c = r->endpoints->o.clock;

	if (c->monotonic_ns(c) <= r->deadline_ns)
		return 0;
	return status_fail(&r->arena, e, STATUS_TIMEOUT, "%s", REQUEST_TIMED_OUT);
}

static void job_run(struct pool_job *j)
{
	struct request *r = CONTAINER_OF(j, struct request, job);
	struct err e;

	if (check_deadline(r, &e) < 0 || r->work(r, &e) < 0) {
		answer_error(r, &e);
		r->after = NULL;
	}
	loop_post(r->io->loop, &r->back);
}

static void job_back(struct loop_task *t)
{
	struct request *r = CONTAINER_OF(t, struct request, back);

	if (r->after)
		r->after(r);
	else
		request_send(r);
}

static void nothing_streamed(UNUSED struct http_exchange *x, UNUSED str part)
{
}

static void peer_gone(UNUSED struct http_exchange *x, UNUSED const struct err *e)
{
}

/* --- the answer */

static void add(struct request *r, struct http_headers *h, str name, str value)
{
	struct err full;

	/* Only what the program itself adds; a peer that filled the arena goes without. */
	if (http_header_add(h, &r->x->arena, name, arena_str(&r->x->arena, value), &full) < 0)
		return;
}

static void add_warnings(struct request *r, struct http_headers *h)
{
	for (size_t i = 0; i < r->warnings.texts.len; i++) {
		str text = r->warnings.texts.at[i];
		struct buf b;

		buf_init(&b, BUF_NO_LIMIT);
		buf_add_str(&b, STR("299 - \""));
		for (size_t k = 0; k < text.len; k++) {
			if (text.at[k] == '"' || text.at[k] == '\\')
				buf_add_char(&b, '\\');
			if ((unsigned char)text.at[k] >= ' ' && text.at[k] != 0x7f)
				buf_add_char(&b, text.at[k]);
		}
		buf_add_char(&b, '"');
		add(r, h, STR("Warning"), buf_str(&b));
		buf_free(&b);
	}
}

void request_add_header(struct request *r, const char *name, str value)
{
	add(r, &r->answer.headers, str_of(name), value);
}

const struct http_headers *request_headers(struct request *r, str content_type)
{
	struct http_headers *h = arena_get(&r->x->arena, sizeof(*h));

	add(r, h, STR("Audit-Id"), r->audit_id);
	for (size_t i = 0; i < r->answer.headers.len; i++)
		add(r, h, r->answer.headers.at[i].name, r->answer.headers.at[i].value);
	if (!http_header(h, STR("Cache-Control")).at)
		add(r, h, STR("Cache-Control"), STR("no-cache, private"));
	if (content_type.len)
		add(r, h, STR("Content-Type"), content_type);
	add_warnings(r, h);
	return h;
}

/* Compressed in place of `body` when that is worth it. */
static str compress(struct request *r, str body, struct buf *packed)
{
	struct err e;

	if (!r->form.gzip || body.len < GZIP_FROM_BYTES)
		return body;
	buf_init(packed, BUF_NO_LIMIT);
	if (gzip_put(packed, body, &e) < 0)
		return body;
	request_add_header(r, "Content-Encoding", STR("gzip"));
	request_add_header(r, "Vary", STR("Accept-Encoding"));
	return buf_str(packed);
}

void request_send(struct request *r)
{
	struct http_exchange *x = r->x;
	struct answer a = r->answer;
	struct buf packed = {.at = NULL};
	str body = compress(r, a.owner ? a.shared : buf_str(&a.body), &packed);
	const struct http_headers *h = request_headers(
		r, a.content_type.at ? a.content_type : answer_content_type(&r->form));

	request_release(r, a.code);
	if (a.owner && body.at == a.shared.at)
		http_respond_shared(x, a.code, h, body, a.owner);
	else
		http_respond(x, a.code, h, body);
	if (a.owner)
		counted_drop(a.owner);
	buf_free(&a.body);
	buf_free(&packed);
}

void request_send_text(struct request *r, int code, str content_type, str body)
{
	r->answer.code = code;
	r->answer.content_type = content_type;
	buf_reset(&r->answer.body);
	buf_add_str(&r->answer.body, body);
	request_send(r);
}

void request_refuse(struct request *r)
{
	request_add_header(r, "Retry-After", STR("1"));
	request_add_header(r, "X-Content-Type-Options", STR("nosniff"));
	request_send_text(r, 429, STR("text/plain; charset=utf-8"),
		STR("Too many requests, please try again later.\n"));
}

void request_fail(struct request *r, const struct err *e)
{
	answer_error(r, e);
	request_send(r);
}

void request_release(struct request *r, int code)
{
	request_metrics_count(r, code);
	operation_end(&r->op);
	if (r->counted_in)
		atomic_fetch_sub(r->counted_in, 1);
	if (r->user)
		counted_drop(&r->user->counted);
	if (r->resource)
		resource_drop(r->resource);
	arena_free(&r->arena);
}
