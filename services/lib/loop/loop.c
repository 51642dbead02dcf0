#include "lib/loop/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void drain_wake(struct loop_watch *w, uint32_t events);
static int wait_ms(const struct loop *l, bool wait);
static void fetch(struct loop *l, int timeout_ms, uint32_t *events);
static void run_due_timers(struct loop *l);
static void run_posted(struct loop *l);
static void run_deferred(struct loop *l);

int loop_init(struct loop *l, const struct clock *c, struct err *e)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		return err_set_errno(e, errno, "opening an epoll");
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (wake < 0) {
		int why = errno;

		close(epoll);
		return err_set_errno(e, why, "opening an eventfd");
	}
	*l = (struct loop){
		.clock = c,
		.now_ns = c->monotonic_ns(c),
		.epoll = epoll,
		.wake = wake,
		.wake_watch = {.ready = drain_wake, .fd = wake},
	};
	l->deferred_end = &l->deferred;
	if (loop_watch(l, &l->wake_watch, EPOLLIN, e) < 0) {
		loop_free(l);
		return -1;
	}
	return 0;
}

void loop_free(struct loop *l)
{
	close(l->wake);
	close(l->epoll);
	free(l->timers);
}

void loop_run(struct loop *l)
{
	while (!atomic_load_explicit(&l->stopping, memory_order_acquire))
		loop_turn(l, true);
}

void loop_stop(struct loop *l)
{
	atomic_store_explicit(&l->stopping, true, memory_order_release);
	eventfd_write(l->wake, 1);
}

void loop_turn(struct loop *l, bool wait)
{
	uint32_t events[LOOP_EVENTS];

	fetch(l, wait_ms(l, wait), events);
	l->now_ns = l->clock->monotonic_ns(l->clock);
	for (size_t i = 0; i < l->ready_len; i++) {
		struct loop_watch *w = l->ready[i];

		l->ready[i] = NULL;
		if (w)
			w->ready(w, events[i]);
	}
	l->ready_len = 0;
	run_due_timers(l);
	run_posted(l);
	run_deferred(l);
}

int loop_watch(struct loop *l, struct loop_watch *w, uint32_t events, struct err *e)
{
	struct epoll_event wanted = {.events = events, .data.ptr = w};

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &wanted) < 0)
		return err_set_errno(e, errno, "watching a descriptor");
	w->events = events;
	return 0;
}

void loop_watch_change(struct loop *l, struct loop_watch *w, uint32_t events)
{
	struct epoll_event wanted = {.events = events, .data.ptr = w};

	if (events == w->events)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, w->fd, &wanted);
	w->events = events;
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	for (size_t i = 0; i < l->ready_len; i++)
		if (l->ready[i] == w)
			l->ready[i] = NULL;
}

void loop_defer(struct loop *l, struct loop_task *t)
{
	if (t->waiting)
		return;
	t->waiting = true;
	t->next = NULL;
	*l->deferred_end = t;
	l->deferred_end = &t->next;
}

void loop_undefer(struct loop *l, struct loop_task *t)
{
	struct loop_task **at = &l->deferred;

	if (!t->waiting)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (l->deferred_end == &t->next)
		l->deferred_end = at;
	t->waiting = false;
}

/* Only who finds the list empty wakes the loop: the others' tasks are fetched with his. */
void loop_post(struct loop *l, struct loop_task *t)
{
	struct loop_task *head = atomic_load_explicit(&l->posted, memory_order_relaxed);

	do
		t->next = head;
	while (!atomic_compare_exchange_weak_explicit(
		&l->posted, &head, t, memory_order_release, memory_order_relaxed));
	if (!head)
		eventfd_write(l->wake, 1);
}

static void drain_wake(struct loop_watch *w, UNUSED uint32_t events)
{
	eventfd_t count;

	eventfd_read(w->fd, &count);
}

/* Rounded up, or the loop would spin through the last part of a millisecond. */
static int wait_ms(const struct loop *l, bool wait)
{
	if (!wait || l->deferred)
		return 0;
	if (l->timers_len == 0)
		return -1;
	int64_t left_ns = l->timers[1].at_ns - l->clock->monotonic_ns(l->clock);
	int64_t left_ms = left_ns <= 0 ? 0 : (left_ns + NS_PER_MS - 1) / NS_PER_MS;

	return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

static void fetch(struct loop *l, int timeout_ms, uint32_t *events)
{
	struct epoll_event fetched[LOOP_EVENTS];
	int count = epoll_wait(l->epoll, fetched, LOOP_EVENTS, timeout_ms);

	l->ready_len = count > 0 ? (size_t)count : 0;
	for (size_t i = 0; i < l->ready_len; i++) {
		l->ready[i] = fetched[i].data.ptr;
		events[i] = fetched[i].events;
	}
}

static void run_due_timers(struct loop *l)
{
	while (l->timers_len > 0 && l->timers[1].at_ns <= l->now_ns) {
		struct loop_timer *t = l->timers[1].timer;

		loop_timer_clear(l, t);
		t->due(t);
	}
}

static void run_posted(struct loop *l)
{
	struct loop_task *newest = NULL, *ordered = NULL;

	if (atomic_load_explicit(&l->posted, memory_order_relaxed))
		newest = atomic_exchange_explicit(&l->posted, NULL, memory_order_acquire);
	while (newest) {
		struct loop_task *next = newest->next;

		newest->next = ordered;
		ordered = newest;
		newest = next;
	}
	while (ordered) {
		struct loop_task *t = ordered;

		ordered = t->next;
		t->run(t);
	}
}

/* Those that are deferred meanwhile wait for the next turn, so that descriptors get theirs. */
static void run_deferred(struct loop *l)
{
	struct loop_task last = {.waiting = true};

	if (!l->deferred)
		return;
	*l->deferred_end = &last;
	l->deferred_end = &last.next;
	while (l->deferred != &last) {
		struct loop_task *t = l->deferred;

		l->deferred = t->next;
		t->waiting = false;
		t->run(t);
	}
	l->deferred = last.next;
	if (!l->deferred)
		l->deferred_end = &l->deferred;
}
