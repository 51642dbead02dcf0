#include "lib/loop/loop.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_TIMERS = 64 };

static void grow(struct loop *l);
static void put(struct loop *l, size_t slot, struct loop_timer_slot s);
static void move_up(struct loop *l, size_t slot, struct loop_timer_slot s);
static void move_down(struct loop *l, size_t slot, struct loop_timer_slot s);

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ns)
{
	struct loop_timer_slot s = {.at_ns = at_ns, .timer = t};

	if (t->slot && at_ns > l->timers[t->slot].at_ns) {
		move_down(l, t->slot, s);
		return;
	}
	if (!t->slot) {
		if (l->timers_len + 1 >= l->timers_cap)
			grow(l);
		t->slot = ++l->timers_len;
	}
	move_up(l, t->slot, s);
}

void loop_timer_clear(struct loop *l, struct loop_timer *t)
{
	size_t hole = t->slot;

	if (!hole)
		return;
	struct loop_timer_slot last = l->timers[l->timers_len--];

	t->slot = 0;
	if (last.timer == t)
		return;
	if (hole > 1 && last.at_ns < l->timers[hole / 2].at_ns)
		move_up(l, hole, last);
	else
		move_down(l, hole, last);
}

static void grow(struct loop *l)
{
	size_t cap = l->timers_cap ? l->timers_cap * 2 : FIRST_TIMERS;
	struct loop_timer_slot *larger = realloc(l->timers, cap * sizeof(*larger));

	if (!larger) {
		fprintf(stderr, "out of memory: %zu timers\n", cap);
		abort();
	}
	l->timers = larger;
	l->timers_cap = cap;
}

static void put(struct loop *l, size_t slot, struct loop_timer_slot s)
{
	l->timers[slot] = s;
	s.timer->slot = slot;
}

static void move_up(struct loop *l, size_t slot, struct loop_timer_slot s)
{
	while (slot > 1 && s.at_ns < l->timers[slot / 2].at_ns) {
		put(l, slot, l->timers[slot / 2]);
		slot /= 2;
	}
	put(l, slot, s);
}

static void move_down(struct loop *l, size_t slot, struct loop_timer_slot s)
{
	for (size_t child; (child = slot * 2) <= l->timers_len; slot = child) {
		if (child < l->timers_len && l->timers[child + 1].at_ns < l->timers[child].at_ns)
			child++;
		if (l->timers[child].at_ns >= s.at_ns)
			break;
		put(l, slot, l->timers[child]);
	}
	put(l, slot, s);
}
