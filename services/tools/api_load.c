/*
 * Load on an API server, for figures of what it costs:
 *
 *	api_load KUBECONFIG WHAT COUNT [AT-ONCE]
 *
 * create, create-json, get, patch, delete, list, list-json: COUNT requests, AT-ONCE under way, over
 * one connection as client-go would. Pods are tests/data/bench/pod.json under other names, in the
 * namespace "bench", without a node.
 *
 * watch, watch-lone, watch-node: AT-ONCE watches, each on a connection of its own, of all pods or
 * of one node's; COUNT patches, 50 at once or one after another, until every watcher whom one
 * concerns has been told.
 *
 * bound: until COUNT pods have a node.
 *
 * It says "ready" when it is connected, begins at a line from stdin, tells what was done in one
 * line, and leaves at another line or the end of stdin: the caller reads clocks in between. Exit
 * status 1: a request failed.
 */
#include "lib/client/client.h"
#include "lib/client/watch_frame.h"
#include "lib/codec/pb.h"
#include "lib/os/file.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	FILE_BYTES_MAX = 1 << 20,
	PATCHES_AT_ONCE = 50,
	NODES = 100,
	PADDING_BYTES = 420, /* to the 2 KB that budgets speak of */
};

#define PODS "/api/v1/namespaces/bench/pods"

struct load {
	const struct kubeconfig *config;
	const struct pod *model;
	const struct action *action;
	struct transport *transport;
	size_t count, at_once;
	size_t next, done; /* of the I/O thread */
	size_t bytes;      /* of answers */
	sem_t finished;
};

/* One of those that are under way. */
struct slot {
	struct call call;
	struct load *load;
	struct arena arena;
};

struct action {
	const char *name;
	str method, accept, content_type;
	void (*fill)(struct slot *s, size_t i);
};

/* A watch counts frames; those that it waits for are ADDED or MODIFIED. */
struct watcher {
	struct call call;
	struct transport *transport;
	struct arena arena;
	struct buf frames;
	struct tally *tally;
	bool added_only;
};

/* What all watches have seen, and what they wait for. */
struct tally {
	_Atomic size_t seen;
	size_t wanted;
	sem_t enough;
};

static void fail(const char *what, const struct err *e)
{
	fprintf(stderr, "api_load: %s: %s\n", what, e->text);
	exit(1);
}

static int64_t now_ns(void)
{
	return clock_system.monotonic_ns(&clock_system);
}

/* The caller's turn: he reads clocks, and says to go on. */
static void pause_for_caller(void)
{
	char line[16];

	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(0);
}

static struct transport *connect_one(const struct load *l)
{
	struct transport_options o = {.config = l->config, .clock = &clock_system};
	struct transport *t;
	struct err e;

	if (transport_open(&o, &t, &e) < 0)
		fail("opening a transport", &e);
	return t;
}

static void put_header(struct call *c, str name, str value)
{
	c->headers[c->header_count++] = (struct call_header){name, value};
}

/* --- what is asked */

static void fill_create(struct slot *s, size_t i)
{
	bool json = str_eq(s->load->action->content_type, MEDIA_JSON);
	struct pod p = *s->load->model;
	struct buf b;
	struct err e;

	p.metadata.name = arena_fmt(&s->arena, "bench-%07zu", i);
	buf_init(&b, BUF_NO_LIMIT);
	if (object_encode(&p, json ? FORMAT_JSON : FORMAT_PROTOBUF, &b, &e) < 0)
		fail("encoding a pod", &e);
	s->call.target = STR(PODS);
	s->call.body = arena_str(&s->arena, buf_str(&b));
	buf_free(&b);
}

static void fill_get(struct slot *s, size_t i)
{
	s->call.target = arena_fmt(&s->arena, PODS "/bench-%07zu", i);
}

static void fill_patch(struct slot *s, size_t i)
{
	fill_get(s, i);
	s->call.body = arena_fmt(&s->arena,
		"{\"metadata\":{\"annotations\":{\"example.com/turn\":\"%lld\"}}}",
		(long long)now_ns());
}

static void fill_delete(struct slot *s, size_t i)
{
	s->call.target = arena_fmt(&s->arena, PODS "/bench-%07zu?gracePeriodSeconds=0", i);
}

static void fill_list(struct slot *s, UNUSED size_t i)
{
	s->call.target = STR(PODS);
}

#define PATCH_TYPE STR_INIT("application/strategic-merge-patch+json")
#define PROTOBUF   STR_INIT("application/vnd.kubernetes.protobuf")
#define JSON       STR_INIT("application/json")

static const struct action actions[] = {
	{"create", STR_INIT("POST"), PROTOBUF, PROTOBUF, fill_create},
	{"create-json", STR_INIT("POST"), JSON, JSON, fill_create},
	{"get", STR_INIT("GET"), PROTOBUF, {NULL, 0}, fill_get},
	{"patch", STR_INIT("PATCH"), PROTOBUF, PATCH_TYPE, fill_patch},
	{"delete", STR_INIT("DELETE"), PROTOBUF, {NULL, 0}, fill_delete},
	{"list", STR_INIT("GET"), PROTOBUF, {NULL, 0}, fill_list},
	{"list-json", STR_INIT("GET"), JSON, {NULL, 0}, fill_list},
};

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

/* --- requests: each slot asks for the next as soon as it has its answer */

static void ask(struct slot *s)
{
	struct load *l = s->load;
	const struct action *x = l->action;
	size_t i = l->next++;

	buf_free(&s->call.answer);
	arena_reset(&s->arena);
	s->call.header_count = 0;
	put_header(&s->call, STR("user-agent"), STR("api_load"));
	put_header(&s->call, STR("accept"), x->accept);
	if (x->content_type.len > 0)
		put_header(&s->call, STR("content-type"), x->content_type);
	s->call.method = x->method;
	x->fill(s, i);
	transport_start_here(l->transport, &s->call);
}

static int count_bytes(struct call *c, str bytes, UNUSED struct err *e)
{
	CONTAINER_OF(c, struct slot, call)->load->bytes += bytes.len;
	return 0;
}

static void answered(struct call *c)
{
	struct slot *s = CONTAINER_OF(c, struct slot, call);
	struct load *l = s->load;

	if (c->error.kind != ERR_NONE)
		fail(l->action->name, &c->error);
	if (c->status > 299) {
		fprintf(stderr, "api_load: %.*s %.*s: %d %.*s\n", STR_ARG(c->method),
			STR_ARG(c->target), c->status, STR_ARG(buf_str(&c->answer)));
		exit(1);
	}
	if (++l->done == l->count)
		sem_post(&l->finished);
	else if (l->next < l->count)
		ask(s);
}

struct beginning {
	struct loop_task task;
	struct slot *slots;
	size_t len;
};

static void begin(struct loop_task *t)
{
	struct beginning *b = CONTAINER_OF(t, struct beginning, task);

	for (size_t i = 0; i < b->len; i++)
		ask(&b->slots[i]);
}

static void run_requests(struct load *l)
{
	size_t len = l->at_once < l->count ? l->at_once : l->count;
	struct slot *slots = calloc(len, sizeof(*slots));
	struct beginning b = {.task.run = begin, .slots = slots, .len = len};

	if (!slots)
		abort();
	for (size_t i = 0; i < len; i++) {
		slots[i].load = l;
		slots[i].call = (struct call){.done = answered};
		if (l->action->fill == fill_list)
			slots[i].call.part = count_bytes;
		arena_init(&slots[i].arena, ARENA_NO_LIMIT);
	}
	l->next = l->done = 0;
	sem_init(&l->finished, 0, 0);
	loop_post(transport_loop(l->transport), &b.task);
	while (sem_wait(&l->finished) < 0)
		;
	for (size_t i = 0; i < len; i++) {
		buf_free(&slots[i].call.answer);
		arena_free(&slots[i].arena);
	}
	free(slots);
}

/* Whatever was asked on that connection before is under way when this is answered. */
static void ask_plainly(struct transport *t, str target, struct buf *answer)
{
	struct call c = {.method = STR("GET"), .target = target};

	put_header(&c, STR("accept"), MEDIA_JSON);
	transport_call(t, &c);
	if (c.error.kind != ERR_NONE)
		fail("GET", &c.error);
	*answer = c.answer;
}

static void meet(struct transport *t)
{
	struct buf answer;

	ask_plainly(t, STR("/version"), &answer);
	buf_free(&answer);
}

static void load_requests(struct load *l)
{
	meet(l->transport);
	printf("ready\n");
	pause_for_caller();
	int64_t began = now_ns();

	run_requests(l);
	printf("%zu %zu %.3f\n", l->done, l->bytes, (double)(now_ns() - began) / NS_PER_S);
	pause_for_caller();
}

/* --- watches */

/* WatchEvent {type = 1, ...}. */
static bool counts(const struct watcher *w, str frame)
{
	struct pb_reader r = pb_read(frame);
	struct pb_field f;
	struct err e;

	if (pb_next(&r, &f, &e) < 0 || f.number != 1 || f.wire != PB_BYTES)
		return false;
	if (str_eq(f.bytes, STR("ERROR"))) {
		fprintf(stderr, "api_load: a watch has ended with an error\n");
		exit(1);
	}
	return w->added_only ? str_eq(f.bytes, STR("ADDED")) : !str_eq(f.bytes, STR("BOOKMARK"));
}

static void saw_one(struct tally *t)
{
	if (atomic_fetch_add(&t->seen, 1) + 1 == t->wanted)
		sem_post(&t->enough);
}

static int take_frames(struct call *c, str bytes, struct err *e)
{
	struct watcher *w = CONTAINER_OF(c, struct watcher, call);
	struct buf *b = &w->frames;

	buf_add_str(b, bytes);
	TRY(buf_ok(b, "a watch", e));
	str rest = buf_str(b), frame;

	TRY(watch_frame_cut(&rest, &frame, e));
	while (frame.at) {
		if (counts(w, frame))
			saw_one(w->tally);
		TRY(watch_frame_cut(&rest, &frame, e));
	}
	buf_drop(b, b->len - rest.len);
	return 0;
}

static void watch_over(struct call *c)
{
	if (c->error.kind != ERR_NONE)
		fail("a watch", &c->error);
	fprintf(stderr, "api_load: a watch has ended: %d %.*s\n", c->status,
		STR_ARG(buf_str(&c->answer)));
	exit(1);
}

static void start_watch(struct watcher *w, const struct load *l, struct tally *t, str query)
{
	w->transport = connect_one(l);
	w->tally = t;
	arena_init(&w->arena, ARENA_NO_LIMIT);
	buf_init(&w->frames, BUF_NO_LIMIT);
	w->call = (struct call){
		.method = STR("GET"),
		.target = arena_fmt(&w->arena, PODS "?watch=true&%.*s", STR_ARG(query)),
		.part = take_frames,
		.done = watch_over,
	};
	put_header(&w->call, STR("user-agent"), STR("api_load"));
	put_header(
		&w->call, STR("accept"), STR("application/vnd.kubernetes.protobuf;stream=watch"));
	transport_start(w->transport, &w->call);
}

static void wait_for(struct tally *t)
{
	while (sem_wait(&t->enough) < 0)
		;
}

/* The revision of a list. One by pages would have the server keep that moment for its next page. */
static str find_revision(struct arena *a, struct transport *t)
{
	const str label = STR("\"resourceVersion\":\"");
	struct buf answer;

	ask_plainly(t, STR(PODS "?fieldSelector=metadata.name%3Dbench-0000000"), &answer);
	str text = buf_str(&answer);
	ptrdiff_t at = str_find(text, label);

	if (at < 0) {
		fprintf(stderr, "api_load: no list of pods: %.*s\n", STR_ARG(text));
		exit(1);
	}
	text = str_span(text.at + at + label.len, text.len - (size_t)at - label.len);
	text = arena_str(a, str_span(text.at, (size_t)str_find_char(text, '"')));
	buf_free(&answer);
	return text;
}

static void load_watches(struct load *l, bool of_nodes, size_t patches_at_once)
{
	struct watcher *watchers = calloc(l->at_once, sizeof(*watchers));
	struct tally t = {.wanted = l->count * l->at_once / (of_nodes ? NODES : 1)};
	size_t watcher_count = l->at_once;
	struct arena a;

	if (!watchers)
		abort();
	arena_init(&a, ARENA_NO_LIMIT);
	sem_init(&t.enough, 0, 0);
	str revision = find_revision(&a, l->transport);

	for (size_t i = 0; i < watcher_count; i++) {
		str node = arena_fmt(&a, "&fieldSelector=spec.nodeName%%3Dnode-%zu", i % NODES);

		start_watch(&watchers[i], l, &t,
			arena_fmt(&a, "resourceVersion=%.*s%.*s", STR_ARG(revision),
				of_nodes ? (int)node.len : 0, node.at));
		meet(watchers[i].transport);
	}
	printf("ready\n");
	pause_for_caller();
	int64_t began = now_ns();

	l->action = find_action("patch");
	l->at_once = patches_at_once;
	run_requests(l);
	wait_for(&t);
	printf("%zu %zu %.3f\n", t.seen, l->bytes, (double)(now_ns() - began) / NS_PER_S);
	pause_for_caller();
	exit(0); /* watches end with the process */
}

static void load_bound(struct load *l)
{
	struct tally t = {.wanted = l->count};
	struct watcher w = {.added_only = true};
	int64_t began = now_ns();

	sem_init(&t.enough, 0, 0);
	printf("ready\n");
	pause_for_caller();
	start_watch(&w, l, &t,
		STR("fieldSelector=spec.nodeName%21%3D&sendInitialEvents=true"
		    "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"));
	wait_for(&t);
	printf("%zu 0 %.3f\n", t.seen, (double)(now_ns() - began) / NS_PER_S);
	pause_for_caller();
	exit(0);
}

/* --- */

static const struct pod *read_model(struct arena *a)
{
	void *object = NULL;
	struct err e;
	str text;

	if (file_read(a, "tests/data/bench/pod.json", FILE_BYTES_MAX, &text, &e) < 0 ||
		object_decode(a, api_type(API_POD), FORMAT_JSON, text, &object, NULL, &e) < 0)
		fail("the model", &e);
	struct pod *p = object;
	struct object_meta *m = &p->metadata;

	m->namespace = STR("bench");
	m->uid = m->resource_version = (str){NULL, 0};
	m->owner_references.len = 0;
	p->spec.node_name = (str){NULL, 0};
	char *padding = arena_get(a, PADDING_BYTES);

	memset(padding, 'x', PADDING_BYTES);
	m->annotations.at[0].value = str_span(padding, PADDING_BYTES);
	return p;
}

int main(int argc, char **argv)
{
	struct kubeconfig config;
	struct load l = {.config = &config, .at_once = 1};
	struct arena a;
	struct err e;

	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: api_load KUBECONFIG WHAT COUNT [AT-ONCE]\n");
		return 2;
	}
	arena_init(&a, ARENA_NO_LIMIT);
	if (kubeconfig_read(&a, argv[1], (str){NULL, 0}, &config, &e) < 0)
		fail("kubeconfig", &e);
	l.model = read_model(&a);
	l.count = strtoul(argv[3], NULL, 10);
	if (argc == 5)
		l.at_once = strtoul(argv[4], NULL, 10);
	l.action = find_action(argv[2]);
	l.transport = connect_one(&l);
	if (l.action)
		load_requests(&l);
	else if (strcmp(argv[2], "watch") == 0)
		load_watches(&l, false, PATCHES_AT_ONCE);
	else if (strcmp(argv[2], "watch-lone") == 0)
		load_watches(&l, false, 1);
	else if (strcmp(argv[2], "watch-node") == 0)
		load_watches(&l, true, PATCHES_AT_ONCE);
	else if (strcmp(argv[2], "bound") == 0)
		load_bound(&l);
	else
		fail(argv[2], &(struct err){.text = "no such load"});
	transport_close(l.transport);
	arena_free(&a);
	return 0;
}
