#include "lib/client/events.h"

#include "lib/base/log.h"
#include "lib/client/events_similar.h"
#include "lib/codec/json.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	WAITING_MAX = 1000,
	MESSAGE_BYTES_MAX = 1024, /* of a note, by the API's rules */
};

/* One that waits to be sent, in memory of its own. */
struct waiting {
	struct arena arena;
	struct waiting *next;
	struct occurrence what;
};

struct events {
	struct events_options options;
	struct arena arena;
	struct events_similar *similar;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct waiting *first, **end;
	size_t waiting_count;
	bool closing;
};

static void *serve(void *events);

int events_open(const struct events_options *o, struct events **to, struct err *e)
{
	struct events *v = calloc(1, sizeof(*v));

	if (!v)
		return err_set(e, ERR_SYSTEM, "no memory for an event recorder");
	v->options = *o;
	arena_init(&v->arena, ARENA_NO_LIMIT);
	v->options.host = arena_str(&v->arena, o->host);
	v->similar = events_similar_new(o->clock);
	v->end = &v->first;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->more, NULL);
	int error = pthread_create(&v->thread, NULL, serve, v);

	if (error != 0) {
		events_similar_free(v->similar);
		arena_free(&v->arena);
		free(v);
		return err_set_errno(e, error, "starting a thread for events");
	}
	*to = v;
	return 0;
}

void events_close(struct events *v)
{
	pthread_mutex_lock(&v->lock);
	v->closing = true;
	pthread_cond_signal(&v->more);
	pthread_mutex_unlock(&v->lock);
	pthread_join(v->thread, NULL);
	events_similar_free(v->similar);
	pthread_cond_destroy(&v->more);
	pthread_mutex_destroy(&v->lock);
	arena_free(&v->arena);
	free(v);
}

struct object_reference events_reference(const void *object)
{
	const struct object *o = object;
	const struct object_meta *m = meta_of(object);

	return (struct object_reference){
		.kind = o->kind,
		.namespace = m->namespace,
		.name = m->name,
		.uid = m->uid,
		.api_version = o->api_version,
		.resource_version = m->resource_version,
	};
}

static struct object_reference copy_reference(struct arena *a, struct object_reference r)
{
	struct object_reference to;

	struct_copy(a, api_type(API_OBJECT_REFERENCE), &r, &to, true);
	return to;
}

void events_note(struct events *v, const struct event_note *n, const char *fmt, ...)
{
	struct waiting *w = calloc(1, sizeof(*w));
	char message[MESSAGE_BYTES_MAX];
	va_list args;

	if (!w)
		return;
	va_start(args, fmt);
	int len = vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	arena_init(&w->arena, ARENA_NO_LIMIT);
	struct arena *a = &w->arena;

	w->what = (struct occurrence){
		.component = arena_str(a, str_of(n->component)),
		.type = arena_str(a, str_of(n->type)),
		.reason = arena_str(a, str_of(n->reason)),
		.action = n->action ? arena_str(a, str_of(n->action)) : STR(""),
		.message = arena_str(a,
			str_span(message,
				len < (int)sizeof(message) ? (size_t)len : sizeof(message) - 1)),
		.about = copy_reference(
			a, n->reference ? *n->reference : events_reference(n->about)),
		.wall_ns = v->options.clock->wall_ns(v->options.clock),
	};
	if (n->related) {
		w->what.related = arena_get(a, sizeof(*w->what.related));
		*w->what.related = copy_reference(a, events_reference(n->related));
	}
	pthread_mutex_lock(&v->lock);
	bool taken = v->waiting_count < WAITING_MAX;

	if (taken) {
		*v->end = w;
		v->end = &w->next;
		v->waiting_count++;
		pthread_cond_signal(&v->more);
	}
	pthread_mutex_unlock(&v->lock);
	if (!taken) {
		arena_free(&w->arena);
		free(w);
	}
}

/* --- the sending thread */

static struct time_value micro(int64_t wall_ns)
{
	return (struct time_value){.seconds = wall_ns / NS_PER_S,
		.nanos = (int32_t)(wall_ns % NS_PER_S / 1000 * 1000),
		.set = true};
}

static struct time_value whole(int64_t wall_ns)
{
	return (struct time_value){.seconds = wall_ns / NS_PER_S, .set = true};
}

static void name_event(
	struct events *v, struct arena *a, const struct occurrence *o, struct object_meta *m)
{
	m->name = arena_fmt(a, "%.*s.%llx", STR_ARG(o->about.name), (unsigned long long)o->wall_ns);
	m->namespace = o->about.namespace.len > 0 ? o->about.namespace : STR("default");
	events_similar_name(v->similar, m->name);
}

static int create_core(struct events *v, struct arena *a, const struct occurrence *o,
	const struct similar *s, struct err *e)
{
	struct event *ev = object_new(a, api_type(API_EVENT));

	name_event(v, a, o, &ev->metadata);
	ev->involved_object = o->about;
	ev->reason = o->reason;
	ev->message = s->message;
	ev->source.component = o->component;
	ev->first_timestamp = whole(s->first_ns);
	ev->last_timestamp = whole(o->wall_ns);
	ev->count = s->count;
	ev->type = o->type;
	ev->reporting_component = o->component;
	return client_create(v->options.client, a, target_of(ev), ev, NULL, e);
}

static int create_series(
	struct events *v, struct arena *a, const struct occurrence *o, struct err *e)
{
	struct events_event *ev = object_new(a, api_type(API_EVENTS_EVENT));

	name_event(v, a, o, &ev->metadata);
	ev->event_time = micro(o->wall_ns);
	ev->reporting_controller = o->component;
	ev->reporting_instance = arena_fmt(
		a, "%.*s-%.*s", STR_ARG(o->component), STR_ARG(v->options.host));
	ev->action = o->action;
	ev->reason = o->reason;
	ev->regarding = o->about;
	ev->related = o->related;
	ev->note = o->message;
	ev->type = o->type;
	return client_create(v->options.client, a, target_of(ev), ev, NULL, e);
}

static void put_patch(
	struct buf *b, const struct events *v, const struct occurrence *o, const struct similar *s)
{
	struct time_value at = micro(o->wall_ns), seconds = whole(o->wall_ns);

	if (v->options.kind == EVENTS_SERIES) {
		buf_add_fmt(b, "{\"series\":{\"count\":%d,\"lastObservedTime\":\"", s->count);
		time_put_micro(b, &at);
		buf_add_str(b, STR("\"}}"));
		return;
	}
	buf_add_fmt(b, "{\"count\":%d,\"lastTimestamp\":\"", s->count);
	time_put(b, &seconds);
	buf_add_str(b, STR("\",\"message\":"));
	json_put_str(b, s->message);
	buf_add_char(b, '}');
}

static int count_up(struct events *v, struct arena *a, const struct occurrence *o,
	const struct similar *s, struct err *e)
{
	struct target t = {
		.resource = meta_resource(
			v->options.kind == EVENTS_SERIES ? API_EVENTS_EVENT : API_EVENT),
		.ns = o->about.namespace.len > 0 ? o->about.namespace : STR("default"),
		.name = s->name,
	};
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	put_patch(&b, v, o, s);
	int sent = client_patch(v->options.client, a, t, PATCH_STRATEGIC, buf_str(&b), NULL, e);

	buf_free(&b);
	return sent;
}

static int send_event(struct events *v, struct arena *a, const struct occurrence *o, struct err *e)
{
	struct similar s;

	if (!events_similar_look(v->similar, o, v->options.kind == EVENTS_SERIES, &s))
		return 0;
	if (s.name.len > 0) {
		int counted = count_up(v, a, o, &s, e);

		if (counted == 0 || e->kind != ERR_NOT_FOUND)
			return counted;
	}
	if (v->options.kind == EVENTS_SERIES)
		return create_series(v, a, o, e);
	return create_core(v, a, o, &s, e);
}

static struct waiting *next_waiting(struct events *v)
{
	pthread_mutex_lock(&v->lock);
	while (!v->first && !v->closing)
		pthread_cond_wait(&v->more, &v->lock);
	struct waiting *w = v->first;

	if (w) {
		v->first = w->next;
		if (!v->first)
			v->end = &v->first;
		v->waiting_count--;
	}
	pthread_mutex_unlock(&v->lock);
	return w;
}

static void *serve(void *events)
{
	struct events *v = events;

	for (struct waiting *w; (w = next_waiting(v));) {
		struct err e;

		if (send_event(v, &w->arena, &w->what, &e) < 0 && e.kind != ERR_CLOSED)
			log_error("unable to write event: %s", e.text);
		arena_free(&w->arena);
		free(w);
	}
	return NULL;
}
