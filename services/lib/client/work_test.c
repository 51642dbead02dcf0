#include "lib/base/test.h"
#include "lib/client/work.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* What a queue has worked on, in order. */
struct record {
	struct test *t;
	struct queue *queue;
	str keys[32];
	size_t len;
	bool add_again;
};

static void note(void *owner, str key)
{
	struct record *r = owner;

	r->keys[r->len++] = arena_str(&r->t->arena, key);
	if (r->add_again) {
		r->add_again = false;
		queue_add(r->queue, key);
	}
}

static struct crew *make(struct test *t, struct clock_fake *c, struct record *r, const char *name)
{
	const struct queue_options o = {.name = name, .workers = 1, .work = note, .owner = r};
	struct crew *w;
	struct err e;

	clock_fake_init(c, 0);
	*r = (struct record){.t = t};
	REQUIRE_OK(crew_new(&c->clock, &w, &e), &e);
	r->queue = crew_queue(w, &o);
	return w;
}

static void run(struct crew *w)
{
	while (crew_step(w))
		;
}

TEST(work_keeps_a_waiting_key_once)
{
	struct clock_fake c;
	struct record r;
	struct crew *w = make(t, &c, &r, "q");

	queue_add(r.queue, STR("a"));
	queue_add(r.queue, STR("b"));
	queue_add(r.queue, STR("a"));
	CHECK_INT(queue_depth(r.queue), 2);
	run(w);
	REQUIRE(r.len == 2);
	CHECK_STR(r.keys[0], "a");
	CHECK_STR(r.keys[1], "b");
	crew_free(w);
}

TEST(work_takes_a_key_again_that_was_added_meanwhile)
{
	struct clock_fake c;
	struct record r;
	struct crew *w = make(t, &c, &r, "q");

	r.add_again = true;
	queue_add(r.queue, STR("a"));
	run(w);
	CHECK_INT(r.len, 2);
	crew_free(w);
}

TEST(work_comes_when_its_time_has_come)
{
	struct clock_fake c;
	struct record r;
	struct crew *w = make(t, &c, &r, "q");

	queue_add_after(r.queue, STR("late"), 2 * NS_PER_S);
	queue_add_after(r.queue, STR("early"), NS_PER_S);
	queue_add_after(r.queue, STR("late"), 3 * NS_PER_S);
	run(w);
	CHECK_INT(r.len, 0);
	clock_fake_advance(&c, NS_PER_S);
	run(w);
	CHECK_INT(r.len, 1);
	clock_fake_advance(&c, NS_PER_S);
	run(w);
	REQUIRE(r.len == 2);
	CHECK_STR(r.keys[0], "early");
	CHECK_STR(r.keys[1], "late");
	clock_fake_advance(&c, 10 * NS_PER_S);
	run(w);
	CHECK_INT(r.len, 2);
	crew_free(w);
}

TEST(work_waits_longer_after_every_failure)
{
	struct clock_fake c;
	struct record r;
	struct crew *w = make(t, &c, &r, "q");

	for (unsigned i = 0; i < 4; i++) {
		queue_add_limited(r.queue, STR("a"));
		CHECK_INT(queue_failures(r.queue, STR("a")), i + 1);
		clock_fake_advance(&c, (5 << i) * NS_PER_MS - 1);
		run(w);
		CHECK_INT(r.len, i);
		clock_fake_advance(&c, 1);
		run(w);
		CHECK_INT(r.len, i + 1);
	}
	queue_forget(r.queue, STR("a"));
	CHECK_INT(queue_failures(r.queue, STR("a")), 0);
	crew_free(w);
}

/* --- threads: a key is never worked on twice at a time, and nothing added is lost */

enum { THREADS = 4, KEYS = 8, ROUNDS = 2000, TURNS_MAX = 100000 };

struct busy {
	atomic_int working[KEYS], done[KEYS], clashes, waiting[KEYS];
};

static void work_busily(void *owner, str key)
{
	struct busy *b = owner;
	int i = key.at[0] - 'a';

	if (atomic_fetch_add(&b->working[i], 1) != 0)
		atomic_fetch_add(&b->clashes, 1);
	atomic_store(&b->waiting[i], 0);
	atomic_fetch_add(&b->done[i], 1);
	atomic_fetch_sub(&b->working[i], 1);
}

struct adder {
	struct queue *queue;
	struct busy *busy;
};

static void *add_all(void *adder)
{
	struct adder *a = adder;

	for (int round = 0; round < ROUNDS; round++) {
		char key = (char)('a' + round % KEYS);

		atomic_store(&a->busy->waiting[round % KEYS], 1);
		queue_add(a->queue, str_span(&key, 1));
	}
	return NULL;
}

static bool any_waits(struct busy *b)
{
	for (int i = 0; i < KEYS; i++)
		if (atomic_load(&b->waiting[i]))
			return true;
	return false;
}

static void signal_end(void *owner, UNUSED str key)
{
	sem_post(owner);
}

TEST(work_never_works_on_a_key_twice_at_a_time)
{
	static struct busy b;
	struct queue_options o = {
		.name = "q", .workers = THREADS, .work = work_busily, .owner = &b};
	struct queue_options last = {.name = "last", .workers = 1, .work = signal_end};
	pthread_t threads[2];
	struct crew *w;
	struct err e;
	sem_t end;

	sem_init(&end, 0, 0);
	last.owner = &end;
	REQUIRE_OK(crew_new(&clock_system, &w, &e), &e);
	struct adder a = {crew_queue(w, &o), &b};
	struct queue *ends = crew_queue(w, &last);

	REQUIRE_OK(crew_start(w, THREADS, &e), &e);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		REQUIRE(pthread_create(&threads[i], NULL, add_all, &a) == 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	/*
	 * A key that is added last is worked on after that, whoever had it before: one that is
	 * worked on now and was added again counts in no depth yet.
	 */
	for (int i = 0; i < TURNS_MAX && any_waits(&b); i++) {
		queue_add(ends, STR("end"));
		sem_wait(&end);
	}
	crew_stop(w);
	CHECK_INT(b.clashes, 0);
	for (int i = 0; i < KEYS; i++) {
		CHECK_INT(b.waiting[i], 0);
		CHECK(b.done[i] > 0);
	}
	crew_free(w);
	sem_destroy(&end);
}
