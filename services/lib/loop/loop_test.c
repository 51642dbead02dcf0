#include "lib/base/test.h"
#include "lib/loop/loop.h"

#include <stdlib.h>
#include <unistd.h>

struct fixture {
	struct clock_fake clock;
	struct loop loop;
};

static void begin(struct test *t, struct fixture *f)
{
	struct err e;

	clock_fake_init(&f->clock, 0);
	REQUIRE_OK(loop_init(&f->loop, &f->clock.clock, &e), &e);
}

enum { TIMERS = 500 };

struct alarm {
	struct loop_timer timer;
	int64_t at_ns;
	int64_t *last_ns;
	int *rang;
};

static void ring(struct loop_timer *timer)
{
	struct alarm *a = CONTAINER_OF(timer, struct alarm, timer);

	if (a->at_ns < *a->last_ns)
		abort();
	*a->last_ns = a->at_ns;
	++*a->rang;
}

TEST(loop_timers_ring_in_order_after_moves_and_removals)
{
	struct fixture f;
	struct random r;
	struct alarm alarms[TIMERS];
	int64_t last_ns = 0;
	int rang = 0, cleared = 0;

	begin(t, &f);
	random_repeatable(&r, 7);
	for (int i = 0; i < TIMERS; i++) {
		alarms[i] = (struct alarm){.timer.due = ring, .last_ns = &last_ns, .rang = &rang};
		alarms[i].at_ns = (int64_t)random_below(&r, 1000);
		loop_timer_set(&f.loop, &alarms[i].timer, alarms[i].at_ns);
	}
	for (int i = 0; i < TIMERS; i += 3) {
		alarms[i].at_ns = (int64_t)random_below(&r, 1000);
		loop_timer_set(&f.loop, &alarms[i].timer, alarms[i].at_ns);
	}
	for (int i = 0; i < TIMERS; i += 7, cleared++)
		loop_timer_clear(&f.loop, &alarms[i].timer);
	for (int ms = 0; ms <= 1000; ms += 50) {
		loop_turn(&f.loop, false);
		for (int i = 0; i < TIMERS; i++)
			if (i % 7)
				CHECK((alarms[i].at_ns > f.clock.monotonic_now_ns) ==
					(alarms[i].timer.slot != 0));
		clock_fake_advance(&f.clock, 50);
	}
	CHECK_INT(rang, TIMERS - cleared);
	loop_free(&f.loop);
}

struct pipe_end {
	struct loop_watch watch;
	struct loop *loop;
	struct pipe_end *removes;
	int called;
};

static void note_ready(struct loop_watch *w, UNUSED uint32_t events)
{
	struct pipe_end *p = CONTAINER_OF(w, struct pipe_end, watch);

	p->called++;
	if (p->removes)
		loop_unwatch(p->loop, &p->removes->watch);
}

TEST(loop_does_not_call_a_watch_that_was_removed_in_the_same_turn)
{
	struct fixture f;
	struct pipe_end ends[2];
	int fds[2][2];
	struct err e;

	begin(t, &f);
	for (int i = 0; i < 2; i++) {
		REQUIRE(pipe(fds[i]) == 0);
		REQUIRE(write(fds[i][1], "x", 1) == 1);
		ends[i] = (struct pipe_end){.watch = {.ready = note_ready, .fd = fds[i][0]},
			.loop = &f.loop,
			.removes = &ends[1 - i]};
		REQUIRE_OK(loop_watch(&f.loop, &ends[i].watch, EPOLLIN, &e), &e);
	}
	loop_turn(&f.loop, true);
	CHECK_INT(ends[0].called + ends[1].called, 1);
	loop_turn(&f.loop, true);
	CHECK_INT(ends[0].called + ends[1].called, 2);
	for (int i = 0; i < 2; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
	loop_free(&f.loop);
}

TEST(loop_watch_changes_what_it_waits_for)
{
	struct fixture f;
	struct pipe_end end;
	int fds[2];
	struct err e;

	begin(t, &f);
	REQUIRE(pipe(fds) == 0);
	end = (struct pipe_end){.watch = {.ready = note_ready, .fd = fds[0]}, .loop = &f.loop};
	REQUIRE_OK(loop_watch(&f.loop, &end.watch, 0, &e), &e);
	REQUIRE(write(fds[1], "x", 1) == 1);
	loop_turn(&f.loop, false);
	CHECK_INT(end.called, 0);
	loop_watch_change(&f.loop, &end.watch, EPOLLIN);
	loop_turn(&f.loop, false);
	loop_turn(&f.loop, false);
	CHECK_INT(end.called, 2);
	loop_watch_change(&f.loop, &end.watch, 0);
	loop_turn(&f.loop, false);
	CHECK_INT(end.called, 2);
	close(fds[0]);
	close(fds[1]);
	loop_free(&f.loop);
}

struct step {
	struct loop_task task;
	struct loop *loop;
	struct step *defers;
	char name;
	char *log;
};

static void take_step(struct loop_task *task)
{
	struct step *s = CONTAINER_OF(task, struct step, task);
	size_t len = strlen(s->log);

	s->log[len] = s->name;
	s->log[len + 1] = '\0';
	if (s->defers)
		loop_defer(s->loop, &s->defers->task);
}

TEST(loop_defers_to_the_end_of_the_turn_and_then_to_the_next)
{
	struct fixture f;
	char log[16] = "";
	struct step a = {{.run = take_step}, &f.loop, NULL, 'a', log}, b = a, c = a, posted = a;

	begin(t, &f);
	b.name = 'b';
	c.name = 'c';
	posted.name = 'p';
	a.defers = &c;
	loop_defer(&f.loop, &a.task);
	loop_defer(&f.loop, &b.task);
	loop_defer(&f.loop, &a.task);
	loop_post(&f.loop, &posted.task);
	loop_turn(&f.loop, true);
	CHECK_STR(str_of(log), "pab");
	loop_turn(&f.loop, true);
	CHECK_STR(str_of(log), "pabc");
	a.defers = NULL;
	loop_defer(&f.loop, &a.task);
	loop_defer(&f.loop, &b.task);
	loop_undefer(&f.loop, &b.task);
	loop_defer(&f.loop, &c.task);
	loop_undefer(&f.loop, &a.task);
	loop_turn(&f.loop, true);
	CHECK_STR(str_of(log), "pabcc");
	loop_free(&f.loop);
}
