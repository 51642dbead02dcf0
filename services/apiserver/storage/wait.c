#include "apiserver/storage/state.h"

#include <errno.h>

/*
 * How recent the cache is. Who wants all that was acknowledged before asks etcd for its revision;
 * those that come while the question is under way share the next one. Whoever is then ahead of the
 * cache waits for the watch, which is asked for progress, since the newest revision may be of a key
 * outside of the prefix.
 */

enum { WAIT_S = 3, PROGRESS_MS = 100 };

static void arrive(struct loop_task *t);
static void ask(struct loop_task *t);
static void answered(struct etcd_call *call, str answer, const struct err *e);
static void complete(struct storage_wait *w, const struct err *e);
static void complete_all(struct storage_wait **list, const struct err *e);
static void tell(struct loop_task *t);
static void push(struct storage_wait **list, struct storage_wait *w);
static void want_progress(struct storage *s);
static void ask_progress(struct loop_timer *t);
static void expire(struct loop_timer *t);
static int64_t expire_list(struct storage *s, struct storage_wait **list);
static void describe_expiry(struct storage *s, const struct storage_wait *w, struct err *e);

void wait_init(struct storage *s)
{
	s->wait.ask.run = ask;
	s->wait.call.done = answered;
	s->wait.expiry.due = expire;
	s->wait.progress.due = ask_progress;
}

void storage_wait(struct storage *s, struct storage_wait *w)
{
	w->storage = s;
	w->error.kind = ERR_NONE;
	if (w->revision > 0 &&
		w->revision <= atomic_load_explicit(&s->revision, memory_order_acquire)) {
		w->task = (struct loop_task){.run = tell};
		if (w->loop)
			loop_defer(w->loop, &w->task);
		else
			w->done(w, NULL);
		return;
	}
	w->task = (struct loop_task){.run = arrive};
	loop_post(&s->loop, &w->task);
}

/* A wait without a loop: `done` runs on the store thread. */
struct wait_here {
	struct storage_wait wait;
	sem_t done;
};

static void done_here(struct storage_wait *w, UNUSED const struct err *e)
{
	sem_post(&CONTAINER_OF(w, struct wait_here, wait)->done);
}

int storage_wait_here(struct storage *s, int64_t revision, struct err *e)
{
	struct wait_here here = {.wait = {.done = done_here, .revision = revision}};

	sem_init(&here.done, 0, 0);
	storage_wait(s, &here.wait);
	storage_sleep(&here.done);
	if (here.wait.error.kind == ERR_NONE)
		return 0;
	*e = here.wait.error;
	return -1;
}

void storage_sleep(sem_t *until)
{
	while (sem_wait(until) < 0 && errno == EINTR)
		;
	sem_destroy(until);
}

void wait_check(struct storage *s)
{
	struct storage_wait **at = &s->wait.behind;

	while (*at) {
		struct storage_wait *w = *at;

		if (w->revision > s->revision) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		complete(w, NULL);
	}
	if (!s->wait.behind)
		loop_timer_clear(&s->loop, &s->wait.progress);
}

void wait_close(struct storage *s, const struct err *e)
{
	complete_all(&s->wait.next, e);
	complete_all(&s->wait.asking, e);
	complete_all(&s->wait.behind, e);
	loop_timer_clear(&s->loop, &s->wait.expiry);
	loop_timer_clear(&s->loop, &s->wait.progress);
}

static void arrive(struct loop_task *t)
{
	struct storage_wait *w = CONTAINER_OF(t, struct storage_wait, task);
	struct storage *s = w->storage;
	struct err e;

	if (atomic_load(&s->closing)) {
		err_write(&e, ERR_CLOSED, "the storage is closed");
		complete(w, &e);
		return;
	}
	w->deadline_ns = s->loop.now_ns + WAIT_S * NS_PER_S;
	if (s->wait.expiry.slot == 0)
		loop_timer_set(&s->loop, &s->wait.expiry, w->deadline_ns);
	if (w->revision == 0) {
		push(&s->wait.next, w);
		loop_defer(&s->loop, &s->wait.ask);
		return;
	}
	push(&s->wait.behind, w);
	want_progress(s);
	wait_check(s);
}

/* At the end of the turn, for all that have come in it. */
static void ask(struct loop_task *t)
{
	struct storage *s = CONTAINER_OF(t, struct storage, wait.ask);
	const struct etcd_range r = {.key = s->watch.key, .limit = 1, .keys_only = true};
	struct buf request;

	if (s->wait.under_way || !s->wait.next)
		return;
	s->wait.under_way = true;
	s->wait.asking = s->wait.next;
	s->wait.next = NULL;
	buf_init(&request, BUF_NO_LIMIT);
	etcd_put_range(&request, &r);
	etcd_start(s->etcd, &s->wait.call, ETCD_RANGE, &request);
}

static void answered(struct etcd_call *call, str answer, const struct err *e)
{
	struct storage *s = CONTAINER_OF(call, struct storage, wait.call);
	struct storage_wait *list = s->wait.asking;
	struct etcd_range_answer a;
	struct err why;

	s->wait.under_way = false;
	s->wait.asking = NULL;
	if (!e && etcd_read_range(answer, &a, &why) < 0)
		e = &why;
	if (e) {
		complete_all(&list, e);
	} else {
		while (list) {
			struct storage_wait *w = list;

			list = w->next;
			w->revision = a.revision;
			push(&s->wait.behind, w);
		}
		wait_check(s);
		want_progress(s);
	}
	if (s->wait.next && !atomic_load(&s->closing))
		loop_defer(&s->loop, &s->wait.ask);
}

static void complete(struct storage_wait *w, const struct err *e)
{
	if (e)
		w->error = *e;
	if (!w->loop) {
		w->done(w, e);
		return;
	}
	w->task = (struct loop_task){.run = tell};
	loop_post(w->loop, &w->task);
}

static void complete_all(struct storage_wait **list, const struct err *e)
{
	while (*list) {
		struct storage_wait *w = *list;

		*list = w->next;
		complete(w, e);
	}
}

static void tell(struct loop_task *t)
{
	struct storage_wait *w = CONTAINER_OF(t, struct storage_wait, task);

	w->done(w, w->error.kind == ERR_NONE ? NULL : &w->error);
}

static void push(struct storage_wait **list, struct storage_wait *w)
{
	w->next = *list;
	*list = w;
}

/* etcd does not answer while the watch lags behind: asked again until it does. */
static void want_progress(struct storage *s)
{
	if (s->wait.behind && s->wait.progress.slot == 0)
		ask_progress(&s->wait.progress);
}

static void ask_progress(struct loop_timer *t)
{
	struct storage *s = CONTAINER_OF(t, struct storage, wait.progress);

	etcd_watch_progress(&s->watch);
	loop_timer_set(&s->loop, t, s->loop.now_ns + PROGRESS_MS * NS_PER_MS);
}

static void expire(struct loop_timer *t)
{
	struct storage *s = CONTAINER_OF(t, struct storage, wait.expiry);
	struct storage_wait **lists[] = {&s->wait.next, &s->wait.asking, &s->wait.behind};
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		int64_t first_ns = expire_list(s, lists[i]);

		next_ns = first_ns < next_ns ? first_ns : next_ns;
	}
	if (next_ns < INT64_MAX)
		loop_timer_set(&s->loop, t, next_ns);
	if (!s->wait.behind)
		loop_timer_clear(&s->loop, &s->wait.progress);
}

/* Returns the first deadline of those that go on waiting. */
static int64_t expire_list(struct storage *s, struct storage_wait **list)
{
	int64_t next_ns = INT64_MAX;
	struct err e;

	while (*list) {
		struct storage_wait *w = *list;

		if (w->deadline_ns > s->loop.now_ns) {
			next_ns = w->deadline_ns < next_ns ? w->deadline_ns : next_ns;
			list = &w->next;
			continue;
		}
		*list = w->next;
		describe_expiry(s, w, &e);
		complete(w, &e);
	}
	return next_ns;
}

static void describe_expiry(struct storage *s, const struct storage_wait *w, struct err *e)
{
	if (s->revision == 0)
		err_write(e, ERR_UNAVAILABLE, "storage is (re)initializing");
	else if (w->revision == 0)
		err_write(e, ERR_UNAVAILABLE, "etcd does not answer");
	else
		err_write(e, ERR_TIMEOUT, "Too large resource version: %lld, current: %lld",
			(long long)w->revision, (long long)s->revision);
}
