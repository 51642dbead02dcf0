#include "lib/base/log.h"
#include "lib/etcd/client.h"

/* The pause before a stream that etcd has ended is asked for again. */
enum { RETRY_MS = 500 };

static void begin(struct etcd_watch *w);
static void got_message(struct grpc_call *g, str message);
static void got_done(struct grpc_call *g, enum grpc_code code, const struct err *e);
static void canceled(struct etcd_watch *w, const struct etcd_watch_answer *a);
static void broken(struct etcd_watch *w);
static void retry(struct loop_timer *t);
static void leave(struct etcd_watch *w);

static const struct grpc_events stream_events = {.message = got_message, .done = got_done};

void etcd_watch_start(struct etcd *c, struct etcd_watch *w)
{
	w->client = c;
	w->partial = false;
	w->retry = (struct loop_timer){.due = retry};
	w->grpc = (struct grpc_call){.events = &stream_events};
	w->previous = NULL;
	w->next = c->watches;
	if (w->next)
		w->next->previous = w;
	c->watches = w;
	if (c->phase == ETCD_UP)
		begin(w);
}

void etcd_watch_stop(struct etcd_watch *w)
{
	grpc_cancel(&w->grpc);
	leave(w);
}

void etcd_watch_progress(struct etcd_watch *w)
{
	struct buf message;

	buf_init(&message, BUF_NO_LIMIT);
	etcd_put_watch_progress(&message);
	grpc_send(&w->grpc, buf_str(&message));
	buf_free(&message);
}

void etcd_watches_begin(struct etcd *c)
{
	for (struct etcd_watch *w = c->watches; w && c->phase == ETCD_UP; w = w->next)
		begin(w);
}

void etcd_watches_close(struct etcd *c, const struct err *e)
{
	while (c->watches) {
		struct etcd_watch *w = c->watches;

		etcd_watch_stop(w);
		w->events->ended(w, e);
	}
}

/* A member that has lost its leader ends the stream, instead of falling silently behind. */
static void begin(struct etcd_watch *w)
{
	const struct etcd_watch_create create = {
		.key = w->key, .end = w->end, .start_revision = w->next_revision};
	struct grpc_options o = etcd_grpc(w->client, "/etcdserverpb.Watch/Watch");
	struct buf message;
	struct err e;

	o.metadata = HTTP_HEADERS({STR("hasleader"), STR("true")});
	if (grpc_open(w->client->http, &w->grpc, &o, &e) < 0) {
		etcd_lost(w->client, &e);
		return;
	}
	buf_init(&message, BUF_NO_LIMIT);
	etcd_put_watch_create(&message, &create);
	grpc_send(&w->grpc, buf_str(&message));
	buf_free(&message);
}

static void got_message(struct grpc_call *g, str message)
{
	struct etcd_watch *w = CONTAINER_OF(g, struct etcd_watch, grpc);
	struct etcd_watch_answer a;
	struct etcd_event event;
	int64_t revision = 0;
	struct err e;

	if (etcd_read_watch(message, &a, &e) < 0) {
		etcd_lost(w->client, &e);
		return;
	}
	if (a.canceled) {
		canceled(w, &a);
		return;
	}
	while (g->exchange && etcd_next_event(&a, &event)) {
		revision = event.kv.mod_revision;
		w->events->event(w, &event);
	}
	w->partial = a.fragment;
	if (!g->exchange || a.fragment || a.created)
		return;
	if (!a.has_events)
		revision = a.revision;
	if (revision >= w->next_revision)
		w->next_revision = revision + 1;
	w->events->complete(w, revision);
}

static void got_done(struct grpc_call *g, enum grpc_code code, const struct err *e)
{
	struct etcd_watch *w = CONTAINER_OF(g, struct etcd_watch, grpc);
	struct etcd *c = w->client;

	broken(w);
	if (c->phase != ETCD_UP || (e && e->kind == ERR_CLOSED))
		return;
	if (code == GRPC_UNAVAILABLE)
		etcd_lost(c, e);
	else
		loop_timer_set(c->loop, &w->retry, c->loop->now_ns + RETRY_MS * NS_PER_MS);
}

static void canceled(struct etcd_watch *w, const struct etcd_watch_answer *a)
{
	struct err e;

	grpc_cancel(&w->grpc);
	if (a->compact_revision > 0) {
		leave(w);
		err_write(&e, ERR_GONE, "revision %lld has been compacted up to %lld",
			(long long)w->next_revision, (long long)a->compact_revision);
		w->events->ended(w, &e);
		return;
	}
	log_warning("etcd has ended a watch: %.*s", STR_ARG(a->cancel_reason));
	broken(w);
	loop_timer_set(w->client->loop, &w->retry, w->client->loop->now_ns + RETRY_MS * NS_PER_MS);
}

static void broken(struct etcd_watch *w)
{
	if (w->partial)
		w->events->again(w);
	w->partial = false;
}

static void retry(struct loop_timer *t)
{
	struct etcd_watch *w = CONTAINER_OF(t, struct etcd_watch, retry);

	if (w->client->phase == ETCD_UP && !w->grpc.exchange)
		begin(w);
}

static void leave(struct etcd_watch *w)
{
	loop_timer_clear(w->client->loop, &w->retry);
	*(w->previous ? &w->previous->next : &w->client->watches) = w->next;
	if (w->next)
		w->next->previous = w->previous;
}
