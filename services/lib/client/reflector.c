#include "lib/client/reflector.h"

#include "lib/base/log.h"
#include "lib/client/watch_frame.h"
#include "lib/codec/pb.h"
#include "lib/http/url.h"

enum {
	BACKOFF_MS = 100,
	BACKOFF_MAX_S = 30,
	STEADY_S = 120, /* a call that lived so long forgives earlier failures */
	SHORT_MS = 1000,
	WATCH_S = 300, /* up to twice that, so that watches do not end together */
	PAGE = 500,
	KEEP_BYTES = 64 << 10,
};

#define INITIAL_EVENTS_END STR("k8s.io/initial-events-end")

static void go(struct reflector *r);
static void due(struct loop_timer *t);
static int took_part(struct call *c, str bytes, struct err *e);
static void ended(struct call *c);
static void list_again(struct reflector *r);
static int take_frame(struct reflector *r, str frame, struct err *e);
static int take_page(struct reflector *r, str answer, struct err *e);

void reflector_start(struct reflector *r)
{
	arena_init(&r->call_arena, ARENA_NO_LIMIT);
	arena_init(&r->page_arena, ARENA_NO_LIMIT);
	buf_init(&r->frames, WATCH_FRAME_BYTES_MAX);
	r->again = (struct loop_timer){.due = due};
	r->random_state = (unsigned)(uintptr_t)r;
	list_again(r);
	go(r);
}

void reflector_stop(struct reflector *r)
{
	struct loop *l = transport_loop(client_transport(r->client));

	loop_timer_clear(l, &r->again);
	if (r->calling) {
		transport_cancel(&r->call);
		buf_free(&r->call.answer);
	}
	r->calling = false;
	buf_free(&r->frames);
	arena_free(&r->call_arena);
	arena_free(&r->page_arena);
}

static int64_t now_ns(const struct reflector *r)
{
	const struct clock *c = client_clock(r->client);

	return c->monotonic_ns(c);
}

static unsigned next_random(struct reflector *r, unsigned below)
{
	r->random_state = r->random_state * 1103515245 + 12345;
	return (r->random_state >> 8) % below;
}

static void list_again(struct reflector *r)
{
	r->mode = r->no_watch_list ? REFLECT_PAGES : REFLECT_WATCH_LIST;
	r->revision[0] = '\0';
	r->page = (str){NULL, 0};
}

static void keep_revision(struct reflector *r, str revision)
{
	if (revision.len == 0 || revision.len >= sizeof(r->revision))
		return;
	memcpy(r->revision, revision.at, revision.len);
	r->revision[revision.len] = '\0';
}

static str query_of(struct reflector *r)
{
	unsigned timeout_s = WATCH_S + next_random(r, WATCH_S);
	struct arena *a = &r->call_arena;

	switch (r->mode) {
	case REFLECT_WATCH_LIST:
		return arena_fmt(a,
			"watch=true&allowWatchBookmarks=true&sendInitialEvents=true"
			"&resourceVersionMatch=NotOlderThan&timeoutSeconds=%u",
			timeout_s);
	case REFLECT_WATCH:
		return arena_fmt(a,
			"watch=true&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%u",
			r->revision, timeout_s);
	default:
		return arena_fmt(a, "limit=%d%s%.*s", PAGE, r->page.len > 0 ? "&continue=" : "",
			STR_ARG(r->page));
	}
}

static void begin_filling(struct reflector *r)
{
	if (r->filling || r->mode == REFLECT_WATCH)
		return;
	r->filling = true;
	r->sink->restart(r);
}

static void go(struct reflector *r)
{
	struct target t = {.resource = r->resource};
	struct call *c = &r->call;
	struct err e;

	arena_reset(&r->call_arena);
	buf_reset(&r->frames);
	*c = (struct call){.method = STR("GET"), .done = ended};
	if (r->mode != REFLECT_PAGES)
		c->part = took_part;
	if (r->mode != REFLECT_PAGES || r->page.len == 0)
		r->filling = false;
	begin_filling(r);
	str query = query_of(r), path = client_path(&r->call_arena, t),
	    prefix = transport_prefix(client_transport(r->client));

	c->target = arena_fmt(&r->call_arena, "%.*s%.*s?%.*s%s%.*s", STR_ARG(prefix), STR_ARG(path),
		STR_ARG(query), r->selector.len > 0 ? "&" : "", STR_ARG(r->selector));
	r->started_ns = now_ns(r);
	r->gone = false;
	if (client_headers(r->client, &r->call_arena, c, r->accept, &e) < 0) {
		log_warning("following %.*s: %s", STR_ARG(r->resource->plural), e.text);
		r->failures++;
		loop_timer_set(transport_loop(client_transport(r->client)), &r->again,
			r->started_ns + BACKOFF_MAX_S * NS_PER_S);
		return;
	}
	r->calling = true;
	transport_start_here(client_transport(r->client), c);
}

static void due(struct loop_timer *t)
{
	go(CONTAINER_OF(t, struct reflector, again));
}

/* Next try: at once when all went well, else after a while that grows. */
static void try_again(struct reflector *r, bool failed)
{
	int64_t now = now_ns(r), lived_ns = now - r->started_ns, wait_ns = 0;

	if (lived_ns > STEADY_S * NS_PER_S)
		r->failures = 0;
	if (failed || (r->mode == REFLECT_WATCH && lived_ns < SHORT_MS * NS_PER_MS)) {
		wait_ns = BACKOFF_MS * NS_PER_MS;
		for (unsigned i = 0; i < r->failures && wait_ns < BACKOFF_MAX_S * NS_PER_S; i++)
			wait_ns *= 2;
		wait_ns += wait_ns / 1024 * next_random(r, 1024);
		r->failures++;
	}
	loop_timer_set(transport_loop(client_transport(r->client)), &r->again, now + wait_ns);
}

static bool refuses_watch_list(const struct reflector *r, int status)
{
	return r->mode == REFLECT_WATCH_LIST && (status == 400 || status == 422);
}

/* What a call that ended means for the next. */
static void ended(struct call *c)
{
	struct reflector *r = CONTAINER_OF(c, struct reflector, call);
	bool failed = c->status != 200 || c->error.kind != ERR_NONE;
	struct err e = c->error;

	r->calling = false;
	if (c->status == 200 && !failed && r->mode == REFLECT_PAGES &&
		take_page(r, buf_str(&c->answer), &e) < 0)
		failed = true;
	if (failed && refuses_watch_list(r, c->status)) {
		r->no_watch_list = true;
		list_again(r);
	} else if (failed && (c->status == 410 || r->gone)) {
		list_again(r);
	} else if (failed && c->status != 200 && c->status != 0) {
		struct arena a;

		arena_init(&a, ARENA_NO_LIMIT);
		client_status_error(&a, c->status, buf_str(&c->answer), &e);
		log_warning("following %.*s: %s", STR_ARG(r->resource->plural), e.text);
		arena_free(&a);
	} else if (failed && e.kind != ERR_CLOSED) {
		log_warning("following %.*s: %s", STR_ARG(r->resource->plural), e.text);
	}
	buf_free(&c->answer);
	try_again(r, failed);
}

/* --- watching */

static int took_part(struct call *c, str bytes, struct err *e)
{
	struct reflector *r = CONTAINER_OF(c, struct reflector, call);
	struct buf *b = &r->frames;

	buf_add_str(b, bytes);
	TRY(buf_ok(b, "a watch", e));
	str rest = buf_str(b), frame;

	TRY(watch_frame_cut(&rest, &frame, e));
	while (frame.at) {
		TRY(take_frame(r, frame, e));
		TRY(watch_frame_cut(&rest, &frame, e));
	}
	buf_drop(b, b->len - rest.len);
	if (b->len == 0 && b->cap > KEEP_BYTES)
		buf_free(b);
	r->sink->settled(r);
	return 0;
}

static void complete(struct reflector *r)
{
	r->filling = false;
	r->mode = REFLECT_WATCH;
	r->failures = 0;
	r->sink->complete(r);
}

static int take_error(struct reflector *r, str object, struct err *e)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	client_status_error(&a, 0, object, e);
	r->gone = e->kind == ERR_GONE;
	e->detail = NULL;
	arena_free(&a);
	return -1;
}

static int take_event(struct reflector *r, struct arena *a, str kind, str text, struct err *e)
{
	void *object;

	TRY(object_decode(a, r->type, FORMAT_PROTOBUF, text, &object, NULL, e));
	struct object_meta *m = meta_of(object);

	m->managed_fields.len = 0;
	m->managed_fields.at = NULL;
	keep_revision(r, m->resource_version);
	if (str_eq(kind, STR("BOOKMARK"))) {
		if (r->filling && str_eq(meta_annotation(m, INITIAL_EVENTS_END), STR("true")))
			complete(r);
	} else if (str_eq(kind, STR("DELETED"))) {
		r->sink->removed(r, object);
	} else {
		r->sink->put(r, object);
	}
	return 0;
}

/* WatchEvent {type = 1, object = 2 {raw = 1}}, the object in an envelope. */
static int take_frame(struct reflector *r, str frame, struct err *e)
{
	str kind = {NULL, 0}, object = {NULL, 0};
	struct pb_field f;

	for (struct pb_reader w = pb_read(frame); pb_more(&w);) {
		TRY(pb_next(&w, &f, e));
		if (f.number == 1 && f.wire == PB_BYTES)
			kind = f.bytes;
		if (f.number != 2 || f.wire != PB_BYTES)
			continue;
		for (struct pb_reader raw = pb_read(f.bytes); pb_more(&raw);) {
			TRY(pb_next(&raw, &f, e));
			if (f.number == 1 && f.wire == PB_BYTES)
				object = f.bytes;
		}
	}
	if (str_eq(kind, STR("ERROR")))
		return take_error(r, object, e);
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	int taken = take_event(r, &a, kind, object, e);

	arena_free(&a);
	return taken;
}

/* --- listing by pages */

/* ListMeta {resourceVersion = 2, continue = 3}. */
static int take_list_meta(struct reflector *r, str text, struct err *e)
{
	struct pb_field f;
	struct buf next;

	arena_reset(&r->page_arena);
	r->page = (str){NULL, 0};
	for (struct pb_reader m = pb_read(text); pb_more(&m);) {
		TRY(pb_next(&m, &f, e));
		if (f.number == 2 && f.wire == PB_BYTES)
			keep_revision(r, f.bytes);
		if (f.number != 3 || f.wire != PB_BYTES || f.bytes.len == 0)
			continue;
		buf_init(&next, BUF_NO_LIMIT);
		url_add_encoded(&next, f.bytes, URL_QUERY_VALUE);
		r->page = arena_str(&r->page_arena, buf_str(&next));
		buf_free(&next);
	}
	return 0;
}

static int take_item(struct reflector *r, str text, struct err *e)
{
	struct arena a;
	void *object;

	arena_init(&a, ARENA_NO_LIMIT);
	int decoded = object_decode(&a, r->type, FORMAT_PROTOBUF_BARE, text, &object, NULL, e);

	if (decoded == 0) {
		struct object_meta *m = meta_of(object);

		m->managed_fields.len = 0;
		r->sink->put(r, object);
	}
	arena_free(&a);
	return decoded;
}

static int take_page(struct reflector *r, str answer, struct err *e)
{
	str api_version, kind, list;
	struct pb_field f;

	TRY(object_open(answer, &api_version, &kind, &list, e));
	for (struct pb_reader l = pb_read(list); pb_more(&l);) {
		TRY(pb_next(&l, &f, e));
		if (f.number == 1 && f.wire == PB_BYTES)
			TRY(take_list_meta(r, f.bytes, e));
		if (f.number == 2 && f.wire == PB_BYTES)
			TRY(take_item(r, f.bytes, e));
	}
	if (r->page.len == 0)
		complete(r);
	r->sink->settled(r);
	return 0;
}
