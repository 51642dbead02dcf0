#include "churn.h"

enum {
	LINE_BYTES_MAX = 64 << 20,
	WATCH_S = 2, /* and up to two more */
};

static void go(struct watcher *w);

static void check_complete(struct watcher *w)
{
	if (w->is_complete || !atomic_load(&w->world->ending) || atomic_load(&w->seen) < w->final)
		return;
	w->is_complete = true;
	sem_post(&w->world->complete);
}

static void run_check(struct loop_task *t)
{
	check_complete(CONTAINER_OF(t, struct watcher, check));
}

static void run_begin(struct loop_task *t)
{
	go(CONTAINER_OF(t, struct watcher, begin));
}

static void saw(struct watcher *w, int64_t revision)
{
	w->revision = revision;
	atomic_store(&w->seen, revision);
	churn_moved(w->world);
	check_complete(w);
}

static int take_event(struct watcher *w, const struct json_item *event, struct err *e)
{
	str type = churn_member(event, "type");
	struct json_item o, metadata;
	struct known now;
	int64_t revision;
	int key;

	if (!json_member(event, STR("object"), &o))
		return err_set(e, ERR_INVALID, "an event without an object");
	if (str_eq(type, STR("ERROR"))) {
		if (str_eq(churn_member(&o, "code"), STR("410")))
			w->revision = 0;
		return err_set(e, ERR_GONE, "%.*s", STR_ARG(churn_member(&o, "message")));
	}
	if (!json_member(&o, STR("metadata"), &metadata) ||
		!str_to_i64(churn_member(&metadata, "resourceVersion"), &revision))
		return err_set(e, ERR_INVALID, "an event without a revision");
	for (enum word word = ADDED; word <= DELETED; word++)
		if (str_eq(type, str_of(churn_words[word])) && churn_read(w->world, &o, &key, &now))
			churn_note(&w->log, (struct noted){now.revision, now.uid, key, word});
	if (revision < w->revision)
		churn_bad(w->world, "watcher %d: %.*s of %lld behind %lld", w->index, STR_ARG(type),
			(long long)revision, (long long)w->revision);
	saw(w, revision);
	return 0;
}

static int take_lines(struct call *c, str bytes, struct err *e)
{
	struct watcher *w = CONTAINER_OF(c, struct watcher, call);
	struct json_item event;
	ptrdiff_t end;
	size_t at = 0;

	buf_add_str(&w->lines, bytes);
	TRY(buf_ok(&w->lines, "a watch", e));
	for (;;) {
		str rest = str_slice(buf_str(&w->lines), at, SIZE_MAX);
		struct arena a;

		end = str_find_char(rest, '\n');
		if (end < 0)
			break;
		arena_init(&a, ARENA_NO_LIMIT);
		int taken = json_parse(&a, str_span(rest.at, (size_t)end), &event, e);

		if (taken == 0)
			taken = take_event(w, &event, e);
		arena_free(&a);
		TRY(taken);
		at += (size_t)end + 1;
	}
	buf_drop(&w->lines, at);
	return 0;
}

static void take_list(struct watcher *w)
{
	struct json_item list, metadata, items, item;
	struct known o;
	int64_t revision;
	struct err e;
	int key;

	if (json_parse(&w->arena, buf_str(&w->call.answer), &list, &e) < 0 ||
		!json_member(&list, STR("metadata"), &metadata) ||
		!str_to_i64(churn_member(&metadata, "resourceVersion"), &revision) ||
		!json_member(&list, STR("items"), &items)) {
		churn_bad(w->world, "watcher %d: this is no list", w->index);
		return;
	}
	w->lists++;
	churn_note(&w->log, (struct noted){.revision = revision, .word = RELISTED});
	for (struct json_walk all = json_enter(&items); json_next(&all, &item);)
		if (churn_read(w->world, &item, &key, &o))
			churn_note(&w->log, (struct noted){o.revision, o.uid, key, LISTED});
	saw(w, revision);
}

static void go_again(struct loop_timer *t)
{
	go(CONTAINER_OF(t, struct watcher, again));
}

static void call_over(struct call *c)
{
	struct watcher *w = CONTAINER_OF(c, struct watcher, call);
	struct loop *l = transport_loop(w->transport);
	bool listed = !c->part && c->status == 200;

	if (listed)
		take_list(w);
	else if (c->status == 410)
		w->revision = 0;
	bool well = c->error.kind == ERR_NONE && c->status == 200;

	buf_free(&c->answer);
	loop_timer_set(l, &w->again, l->now_ns + (well ? 0 : PAUSE_MS * NS_PER_MS));
}

static void go(struct watcher *w)
{
	struct call *c = &w->call;
	str name = {"", 0};

	arena_reset(&w->arena);
	buf_reset(&w->lines);
	if (w->key >= 0)
		name = arena_fmt(&w->arena, "&fieldSelector=metadata.name%%3Dchurn-%d-%d",
			w->key / KEYS, w->key % KEYS);
	*c = (struct call){.method = STR("GET"), .done = call_over};
	c->target = arena_fmt(&w->arena, "/api/v1/namespaces/%s/%s?limit=0%.*s", w->world->ns,
		churn_plurals[w->kind], STR_ARG(name));
	if (w->revision) {
		c->part = take_lines;
		c->target = arena_fmt(&w->arena,
			"%.*s&watch=true&allowWatchBookmarks=true"
			"&resourceVersion=%lld&timeoutSeconds=%d",
			STR_ARG(c->target), (long long)w->revision, WATCH_S + w->index % 3);
		w->watches++;
	}
	c->headers[c->header_count++] = (struct call_header){STR("accept"), MEDIA_JSON};
	transport_start_here(w->transport, c);
}

void churn_watcher_init(struct watcher *w, struct world *world, int index)
{
	*w = (struct watcher){.world = world, .index = index, .kind = index % KINDS, .key = -1};
	if ((size_t)index >= world->watcher_count / 2)
		w->key = index % (int)world->writer_count * KEYS + index % KEYS;
	w->again.due = go_again;
	w->begin.run = run_begin;
	w->check.run = run_check;
	arena_init(&w->arena, ARENA_NO_LIMIT);
	buf_init(&w->lines, LINE_BYTES_MAX);
}
