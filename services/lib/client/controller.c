#include "lib/client/controller.h"

#include "lib/base/log.h"
#include "lib/client/pass.h"

#include <stdlib.h>

static void changed(struct informer_handler *h, const void *before, const void *now);
static void work(void *line, str key);

int controller_open(const struct controller *c, const struct controller_env *env,
	struct controller_run **to, struct err *e)
{
	struct controller_run *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(e, ERR_SYSTEM, "no memory for %s", c->name);
	r->table = c;
	r->env = *env;
	for (size_t i = 0; i < CONTROLLER_WORKS_MAX && c->works[i].sync; i++) {
		const struct controller_work *w = &c->works[i];
		struct queue_options o = {.name = w->name,
			.workers = i == 0 && env->workers > 0 ? env->workers : w->workers,
			.work = work,
			.owner = &r->lines[i],
			.retry_base_ns = w->retry_base_ns,
			.retry_max_ns = w->retry_max_ns};

		r->lines[i] = (struct controller_line){r, w, crew_queue(env->crew, &o)};
	}
	if (c->open && c->open(r, e) < 0)
		return -1;
	for (size_t i = 0; i < CONTROLLER_WATCHES_MAX && c->watches[i].type; i++) {
		struct informer *informer = informers_of(env->informers, c->watches[i].type);

		r->hooks[i] = (struct controller_hook){
			.handler.changed = changed, .run = r, .changed = c->watches[i].changed};
		if (c->watches[i].changed)
			informer_handle(informer, &r->hooks[i].handler);
	}
	*to = r;
	return 0;
}

static void changed(struct informer_handler *h, const void *before, const void *now)
{
	struct controller_hook *hook = CONTAINER_OF(h, struct controller_hook, handler);

	hook->changed(hook->run, before, now);
}

void run_add(struct controller_run *r, size_t nth, str key)
{
	queue_add(r->lines[nth].queue, key);
}

void run_add_after(struct controller_run *r, size_t nth, str key, int64_t wait_ns)
{
	queue_add_after(r->lines[nth].queue, key, wait_ns);
}

str run_key(char to[static RUN_KEY_BYTES], str ns, str name)
{
	size_t len = 0;

	if (ns.len + name.len + 1 > RUN_KEY_BYTES)
		return (str){NULL, 0};
	if (ns.len > 0) {
		memcpy(to, ns.at, ns.len);
		to[ns.len] = '/';
		len = ns.len + 1;
	}
	memcpy(to + len, name.at, name.len);
	return str_span(to, len + name.len);
}

void run_enqueue_name(struct controller_run *r, str ns, str name)
{
	char text[RUN_KEY_BYTES];

	run_add(r, 0, run_key(text, ns, name));
}

void run_enqueue(struct controller_run *r, const void *object)
{
	const struct object_meta *m = meta_of(object);

	run_enqueue_name(r, m->namespace, m->name);
}

void run_enqueue_after(struct controller_run *r, const void *object, int64_t wait_ns)
{
	const struct object_meta *m = meta_of(object);
	char text[RUN_KEY_BYTES];

	run_add_after(r, 0, run_key(text, m->namespace, m->name), wait_ns);
}

static void work(void *owner, str key)
{
	struct controller_line *line = owner;
	const struct controller_work *w = line->work;
	struct pass p;
	struct err e;

	pass_begin(&p, line->run, key);
	int done = w->sync(&p, &e);

	if (done == 0) {
		queue_forget(line->queue, key);
		if (p.again_ns > 0)
			queue_add_after(line->queue, key, p.again_ns);
	} else if (w->retries_max > 0 && queue_failures(line->queue, key) >= w->retries_max) {
		log_warning("%s: dropping %.*s out of the queue: %s", line->run->table->name,
			STR_ARG(key), e.text);
		queue_forget(line->queue, key);
	} else {
		if (e.kind != ERR_CONFLICT && e.kind != ERR_CLOSED)
			log_warning("%s: error syncing %.*s, requeuing: %s", line->run->table->name,
				STR_ARG(key), e.text);
		queue_add_limited(line->queue, key);
	}
	pass_end(&p);
}
