/*
 * Event loop: one per I/O thread, on epoll. A turn waits for descriptors, timers and
 * posted tasks, calls what is due, then runs what was deferred to its end. There is
 * no polling: an idle loop sleeps.
 *
 * Ownership: watches, timers and tasks are embedded in their owner's struct, which outlives their
 * use; callbacks find the owner with CONTAINER_OF. The loop allocates only its heap of timers.
 * Threading: everything belongs to the loop's thread, save loop_post and loop_stop.
 *
 * Callbacks may add and remove anything, themselves included; a watch that was removed is not
 * called again, even when its event had already been fetched.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/base/err.h"

#include <stdatomic.h>
#include <sys/epoll.h>

struct loop_watch {
	/* `events`: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. */
	void (*ready)(struct loop_watch *w, uint32_t events);
	int fd;
	uint32_t events; /* asked for */
};

struct loop_timer {
	void (*due)(struct loop_timer *t);
	size_t slot; /* in the heap, from 1; 0: not set */
};

struct loop_task {
	void (*run)(struct loop_task *t);
	struct loop_task *next;
	bool waiting; /* deferred, not run yet */
};

enum { LOOP_EVENTS = 64 };

struct loop_timer_slot {
	int64_t at_ns;
	struct loop_timer *timer;
};

struct loop {
	const struct clock *clock;
	int64_t now_ns; /* of this turn, monotonic */
	int epoll, wake;
	struct loop_task *_Atomic posted; /* newest first */
	struct loop_task *deferred, **deferred_end;
	struct loop_timer_slot *timers; /* heap, from index 1 */
	size_t timers_len, timers_cap;
	struct loop_watch *ready[LOOP_EVENTS]; /* of this turn, NULL once called or removed */
	size_t ready_len;
	struct loop_watch wake_watch;
	atomic_bool stopping;
};

NODISCARD int loop_init(struct loop *l, const struct clock *c, struct err *e);

/* Watches, timers and tasks that are still set are forgotten, not called. */
void loop_free(struct loop *l);

/* Until loop_stop, which any thread may call. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* One turn; waits for something to happen only if told so. For tests and for loops of their own. */
void loop_turn(struct loop *l, bool wait);

/* `w->fd` and `w->ready` are set by the caller. Level-triggered. Events 0 still report errors. */
NODISCARD int loop_watch(struct loop *l, struct loop_watch *w, uint32_t events, struct err *e);
void loop_watch_change(struct loop *l, struct loop_watch *w, uint32_t events);

/* Before the descriptor is closed. */
void loop_unwatch(struct loop *l, struct loop_watch *w);

/* Sets or moves it. A time that has passed is due in the next turn. */
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ns);
void loop_timer_clear(struct loop *l, struct loop_timer *t);

/* At the end of this turn, once however often it is deferred before;
 * deferred then: in the next turn. */
void loop_defer(struct loop *l, struct loop_task *t);
void loop_undefer(struct loop *l, struct loop_task *t);

/* From any thread: runs on the loop's thread, in the order of posting.
 * A task is posted once at a time. */
void loop_post(struct loop *l, struct loop_task *t);
