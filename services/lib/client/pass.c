#include "lib/client/pass.h"

#include "lib/schema/object_tree.h"

#include <stdarg.h>
#include <stdio.h>

enum { NOTE_BYTES = 1024 };

void pass_begin(struct pass *p, struct controller_run *r, str key)
{
	*p = (struct pass){.run = r, .key = key};
	arena_init(&p->own, ARENA_NO_LIMIT);
	p->arena = &p->own;
	meta_split_key(key, &p->ns, &p->name);
}

void pass_end(struct pass *p)
{
	for (size_t i = 0; i < p->pin_count; i++)
		view_drop(p->pins[i].view);
	arena_free(&p->own);
}

void pass_again(struct pass *p, int64_t wait_ns)
{
	if (wait_ns < 1)
		wait_ns = 1;
	if (p->again_ns == 0 || wait_ns < p->again_ns)
		p->again_ns = wait_ns;
}

static const struct pass_pin *pin(struct pass *p, enum api_type type)
{
	struct informer *i = informers_find(p->run->env.informers, type);

	for (size_t at = 0; at < p->pin_count; at++) {
		if (p->pins[at].informer == i)
			return &p->pins[at];
	}
	assert(i && p->pin_count < PASS_PINS_MAX);
	p->pins[p->pin_count] = (struct pass_pin){i, informer_view(i)};
	return &p->pins[p->pin_count++];
}

const struct view *pass_view(struct pass *p, enum api_type type)
{
	return pin(p, type)->view;
}

const void *pass_get(struct pass *p, enum api_type type, str ns, str name)
{
	return view_get(pin(p, type)->view, ns, name);
}

struct view_walk pass_list(struct pass *p, enum api_type type, str ns)
{
	return view_all(pin(p, type)->view, ns);
}

struct view_walk pass_by(struct pass *p, enum api_type type, view_key *index, str key, str ns)
{
	const struct pass_pin *at = pin(p, type);

	return view_by(at->view, informer_index_of(at->informer, index), key, ns);
}

void *pass_copy(struct pass *p, const void *object)
{
	return object_copy(p->arena, object, false);
}

void *pass_new(struct pass *p, enum api_type type, str ns, str name)
{
	void *o = object_new(p->arena, api_type(type));
	struct object_meta *m = meta_of(o);

	m->namespace = ns;
	m->name = name;
	return o;
}

int pass_create(struct pass *p, const void *object, void **now, struct err *e)
{
	return client_create(p->run->env.client, p->arena, target_of(object), object, now, e);
}

int pass_update(struct pass *p, const void *object, void **now, struct err *e)
{
	return client_update(p->run->env.client, p->arena, target_of(object), object, now, e);
}

int pass_update_status(struct pass *p, const void *object, void **now, struct err *e)
{
	struct target t = target_of(object);

	t.sub = STR("status");
	return client_update(p->run->env.client, p->arena, t, object, now, e);
}

int pass_patch(struct pass *p, const void *object, str sub, enum client_patch kind, str patch,
	void **now, struct err *e)
{
	struct target t = target_of(object);

	t.sub = sub;
	return client_patch(p->run->env.client, p->arena, t, kind, patch, now, e);
}

int pass_apply(struct pass *p, const void *object, str manager, struct err *e)
{
	struct target t = target_of(object);
	str json;

	t.query = arena_fmt(p->arena, "fieldManager=%.*s&force=true", STR_ARG(manager));
	TRY(object_json(p->arena, object, &json, e));
	return client_patch(p->run->env.client, p->arena, t, PATCH_APPLY, json, NULL, e);
}

int pass_delete(struct pass *p, const void *object, struct err *e)
{
	const struct client_delete how = {.uid = meta_of(object)->uid};

	return client_delete(p->run->env.client, p->arena, target_of(object), &how, e);
}

int pass_fetch(struct pass *p, enum api_type type, str ns, str name, void **to, struct err *e)
{
	struct target t = {.resource = meta_resource(type), .ns = ns, .name = name};

	return client_get(p->run->env.client, p->arena, t, to, e);
}

int pass_ignore_missing(int result, const struct err *e)
{
	return result < 0 && e->kind == ERR_NOT_FOUND ? 0 : result;
}

static void note(
	struct pass *p, const char *type, const void *about, const char *reason, const char *text)
{
	const struct controller *c = p->run->table;
	const struct event_note n = {.component = c->component ? c->component : c->account,
		.type = type,
		.reason = reason,
		.about = about};

	events_note(p->run->env.events, &n, "%s", text);
}

void pass_event(struct pass *p, const void *about, const char *reason, const char *fmt, ...)
{
	char text[NOTE_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	note(p, "Normal", about, reason, text);
}

void pass_warn(struct pass *p, const void *about, const char *reason, const char *fmt, ...)
{
	char text[NOTE_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	note(p, "Warning", about, reason, text);
}

struct time_value pass_now(const struct pass *p)
{
	return meta_now(p->run->env.clock);
}

int64_t pass_now_ns(const struct pass *p)
{
	return p->run->env.clock->wall_ns(p->run->env.clock);
}
