/*
 * WATCH: a moment, then everything after it (api-concepts, "efficient detection of changes";
 * KEP-956 bookmarks, KEP-3157 initial events). What is written in one turn of the loop goes out in
 * one piece; a peer that does not take it is cut, so that he holds up nobody.
 */
#include "apiserver/endpoints/convert.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/proxy.h"
#include "apiserver/endpoints/request_metrics.h"
#include "apiserver/endpoints/table.h"
#include "apiserver/endpoints/watch_frame.h"

enum {
	BOOKMARK_EVERY_S = 60,
	BOOKMARK_BEFORE_END_S = 2,
	PENDING_MAX_BYTES = 16 << 20,
};

struct watcher {
	struct storage_watch watch;
	struct request *request;
	struct loop_timer timer;
	struct arena kept; /* of what the request asked; its own arena is for one event at a time */
	struct list_options *options;
	struct selection selection;
	int64_t revision; /* where it begins; later: of the newest event told */
	int64_t ends_ns, bookmark_ns;
	bool initial; /* the present moment comes first */
	bool started, told_any;
	struct watcher *next, *previous; /* of the loop */
};

static int prepare(struct request *r, struct watcher **to, struct err *e);
static void fresh(struct storage_wait *w, const struct err *why);
static void start(struct watcher *w);
static void on_event(struct storage_watch *sw, struct storage_event *ev);
static void on_ended(struct storage_watch *sw, const struct err *why);
static void on_timer(struct loop_timer *t);
static void on_closed(struct http_exchange *x, const struct err *e);
static void finish(struct watcher *w, bool peer_there);
static int tell(struct watcher *w, struct frame *f);
static int tell_initial(struct watcher *w, struct snapshot *n, struct err *e);
static int tell_bookmark(struct watcher *w, bool end_of_initial, struct err *e);
static void tell_error(struct watcher *w, const struct err *why);
static void set_timer(struct watcher *w);
static void forget(struct watcher *w);

static void no_body(UNUSED struct http_exchange *x, UNUSED str part)
{
}

static void no_end(UNUSED struct http_exchange *x, UNUSED const struct err *e)
{
}

static const struct http_events watch_events = {
	.body = no_body, .body_end = no_end, .closed = on_closed};

void handle_watch(struct request *r)
{
	struct watcher *w;
	struct err e;
	bool any;

	if (prepare(r, &w, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	/* "Any" has no need to be recent, and what lies ahead comes by itself. */
	any = str_eq(w->options->resource_version, STR("0"));
	if (any || (w->revision > 0 && !w->initial)) {
		start(w);
		return;
	}
	r->wait = (struct storage_wait){
		.done = fresh, .loop = r->io->loop, .revision = w->revision};
	storage_wait(r->endpoints->o.storage, &r->wait);
}

void endpoints_end_watches(struct endpoints_io *io)
{
	while (io->watchers)
		finish(io->watchers, true);
	proxy_end_watches(io);
}

static int64_t lasts_ns(const struct watcher *w)
{
	struct endpoints_server *p = w->request->endpoints;
	int64_t min_ns = p->o.min_request_timeout_ns;

	if (w->options->timeout_seconds && *w->options->timeout_seconds > 0)
		return *w->options->timeout_seconds < INT64_MAX / NS_PER_S / 2
			? *w->options->timeout_seconds * NS_PER_S
			: INT64_MAX / 2;
	return min_ns + (int64_t)random_below(p->o.random, (uint64_t)min_ns + 1);
}

static int prepare(struct request *r, struct watcher **to, struct err *e)
{
	struct watcher *w = arena_get(&r->x->arena, sizeof(*w));
	const struct type *t = &api_schema.types[API_LIST_OPTIONS];

	w->request = r;
	TRY(options_from_query(&r->arena, t, &r->query, (void **)&w->options, e));
	w->options->watch = true;
	TRY(list_options_check(&r->arena, w->options, e));
	TRY(selection_read(
		&r->arena, r->resource, w->options, request_ns(r), r->info.name, &w->selection, e));
	TRY(revision_read(&r->arena, w->options->resource_version, false, &w->revision, e));
	const bool *send = w->options->send_initial_events;

	w->initial = send ? *send : w->revision == 0;
	w->timer.due = on_timer;
	r->state = w;
	*to = w;
	return 0;
}

static void fresh(struct storage_wait *wait, const struct err *why)
{
	struct request *r = CONTAINER_OF(wait, struct request, wait);
	struct err e;

	if (!why) {
		start(r->state);
		return;
	}
	fail_wait(r, wait->revision, why, &e);
	request_fail(r, &e);
}

/* Where a watch begins that names no revision and wants no initial events: now. */
static int start_storage(struct watcher *w, struct snapshot **initial, struct err *e)
{
	struct request *r = w->request;

	w->watch = (struct storage_watch){
		.event = on_event,
		.ended = on_ended,
		.resource = r->resource,
		.ns = w->selection.ns,
		.name = w->selection.name,
		.node = w->selection.node,
	};
	if (w->initial)
		return storage_watch_start(r->io->storage, &w->watch, &w->revision, initial, e);
	if (w->revision == 0)
		snapshot_drop(storage_snapshot(r->endpoints->o.storage, r->resource, &w->revision));
	return storage_watch_start(r->io->storage, &w->watch, &w->revision, NULL, e);
}

static void link_watcher(struct watcher *w)
{
	struct endpoints_io *io = w->request->io;

	w->next = io->watchers;
	if (w->next)
		w->next->previous = w;
	io->watchers = w;
	request_metrics_watching(w->request, 1);
}

static void unlink_watcher(struct watcher *w)
{
	*(w->previous ? &w->previous->next : &w->request->io->watchers) = w->next;
	if (w->next)
		w->next->previous = w->previous;
	request_metrics_watching(w->request, -1);
}

static void start(struct watcher *w)
{
	struct request *r = w->request;
	struct snapshot *initial = NULL;
	struct err e;
	int64_t now_ns = r->io->loop->clock->monotonic_ns(r->io->loop->clock);

	int result = start_storage(w, &initial, &e);

	if (result < 0 && e.kind != ERR_GONE) {
		struct err answer;

		fail_wait(r, w->revision, &e, &answer);
		request_fail(r, &answer);
		return;
	}
	w->started = result == 0;
	w->ends_ns = now_ns + lasts_ns(w);
	w->bookmark_ns = now_ns + BOOKMARK_EVERY_S * NS_PER_S;
	r->x->events = &watch_events;
	w->kept = r->arena;
	arena_init(&r->arena, REQUEST_MEMORY_MAX);
	link_watcher(w);
	http_start(r->x, 200, request_headers(r, answer_stream_type(&r->arena, &r->form)));
	if (result < 0) {
		on_ended(&w->watch, &e);
		return;
	}
	if (initial) {
		result = tell_initial(w, initial, &e);
		snapshot_drop(initial);
	}
	if (result < 0) {
		tell_error(w, &e);
		finish(w, true);
		return;
	}
	http_limit_pending(r->x, http_pending_bytes(r->x) + PENDING_MAX_BYTES);
	set_timer(w);
	forget(w);
}

/* --- what is told */

/* An idle watcher holds no memory for events. */
static void forget(struct watcher *w)
{
	struct arena *a = &w->request->arena;

	arena_free(a);
	arena_init(a, REQUEST_MEMORY_MAX);
}

static int tell(struct watcher *w, struct frame *f)
{
	http_write_shared(w->request->x, f->bytes, &f->counted);
	counted_drop(&f->counted);
	w->told_any = true;
	return 0;
}

static int tell_initial(struct watcher *w, struct snapshot *n, struct err *e)
{
	struct snapshot_walk walk = snapshot_walk(n, w->selection.ns, (str){NULL, 0});
	struct frame *f;

	for (const struct stored *o; (o = snapshot_next(&walk));) {
		if (!selection_matches(&w->selection, o))
			continue;
		TRY(frame_of_stored(w->request, WATCH_ADDED, o, !w->told_any, &f, e));
		TRY(tell(w, f));
	}
	if (w->options->send_initial_events && *w->options->send_initial_events &&
		w->options->allow_watch_bookmarks)
		return tell_bookmark(w, true, e);
	return 0;
}

static int tell_bookmark(struct watcher *w, bool end_of_initial, struct err *e)
{
	struct request *r = w->request;
	void *object = object_new(&r->arena, resource_type(r->resource));
	struct object_meta *m = object_metadata(object);
	struct frame *f;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_i64(&b, w->revision);
	m->resource_version = arena_str(&r->arena, buf_str(&b));
	buf_free(&b);
	if (end_of_initial)
		str_map_set(
			&r->arena, &m->annotations, STR("k8s.io/initial-events-end"), STR("true"));
	if (r->form.as == AS_METADATA)
		object = metadata_view(&r->arena, object, r->form.as_version);
	if (r->form.as == AS_TABLE) {
		struct table *table;

		TRY(table_new(r, &table, e));
		TRY(table_add(r, table, object, e));
		if (w->told_any)
			table->column_definitions.len = 0;
		object = table;
	}
	TRY(frame_of_object(r, WATCH_BOOKMARK, object, &f, e));
	return tell(w, f);
}

static void tell_error(struct watcher *w, const struct err *why)
{
	struct request *r = w->request;
	struct status s;
	struct frame *f;
	struct err e;

	if (why->kind == ERR_GONE && !why->detail) {
		status_fail(&r->arena, &e, STATUS_EXPIRED, "too old resource version: %lld",
			(long long)w->revision);
		why = &e;
	}
	s = *status_of(&r->arena, why);
	if (frame_of_object(r, WATCH_ERROR, &s, &f, &e) == 0)
		tell(w, f);
}

/* Whether the watcher is to hear of an event, and as what: what its selection lets in is added,
 * what it narrows away deleted. */
static bool word_of(const struct watcher *w, const struct storage_event *ev, enum watch_word *to)
{
	bool now = ev->kind != STORAGE_DELETED && selection_matches(&w->selection, ev->now);
	bool before = ev->before && selection_matches(&w->selection, ev->before);

	if (!now && !before)
		return false;
	*to = !before ? WATCH_ADDED : now ? WATCH_MODIFIED : WATCH_DELETED;
	return true;
}

static void on_event(struct storage_watch *sw, struct storage_event *ev)
{
	struct watcher *w = CONTAINER_OF(sw, struct watcher, watch);
	enum watch_word word;
	struct frame *f;
	struct err e;

	w->revision = ev->revision;
	if (!word_of(w, ev, &word))
		return;
	if (frame_of_event(w->request, word, ev, !w->told_any, &f, &e) < 0) {
		tell_error(w, &e);
		finish(w, true);
		return;
	}
	tell(w, f);
	if (w->request->arena.used_bytes)
		forget(w);
}

static void on_ended(struct storage_watch *sw, const struct err *why)
{
	struct watcher *w = CONTAINER_OF(sw, struct watcher, watch);

	w->started = false;
	if (why->kind != ERR_CLOSED)
		tell_error(w, why);
	finish(w, true);
}

static void on_closed(struct http_exchange *x, UNUSED const struct err *e)
{
	struct request *r = x->owner;

	finish(r->state, false);
}

/* --- its end */

static void set_timer(struct watcher *w)
{
	int64_t now_ns = w->request->io->loop->clock->monotonic_ns(w->request->io->loop->clock);
	int64_t last_ns = w->ends_ns - BOOKMARK_BEFORE_END_S * NS_PER_S, at_ns = w->ends_ns;

	if (w->options->allow_watch_bookmarks && now_ns < last_ns)
		at_ns = w->bookmark_ns < last_ns ? w->bookmark_ns : last_ns;
	loop_timer_set(w->request->io->loop, &w->timer, at_ns);
}

static void on_timer(struct loop_timer *t)
{
	struct watcher *w = CONTAINER_OF(t, struct watcher, timer);
	struct loop *l = w->request->io->loop;
	struct err e;

	if (l->now_ns >= w->ends_ns) {
		finish(w, true);
		return;
	}
	w->revision = storage_watch_revision(&w->watch);
	if (tell_bookmark(w, false, &e) < 0) {
		finish(w, true);
		return;
	}
	forget(w);
	w->bookmark_ns = l->now_ns + BOOKMARK_EVERY_S * NS_PER_S;
	set_timer(w);
}

static void finish(struct watcher *w, bool peer_there)
{
	struct request *r = w->request;
	struct http_exchange *x = r->x;

	if (w->started)
		storage_watch_stop(&w->watch);
	if (w->timer.slot)
		loop_timer_clear(r->io->loop, &w->timer);
	unlink_watcher(w);
	request_release(r, 200);
	arena_free(&w->kept);
	if (peer_there)
		http_end(x, NULL);
	else
		http_abort(x);
}
