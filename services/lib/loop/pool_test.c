#include "lib/base/test.h"
#include "lib/loop/loop.h"
#include "lib/loop/pool.h"

enum { JOBS = 2000, THREADS = 4 };

/* Goes to the pool, adds up, comes back to the loop. */
struct round_trip {
	struct pool_job job;
	struct loop_task back;
	struct loop *loop;
	int input, output;
	int *returned;
	int64_t *sum;
};

static void come_back(struct loop_task *task)
{
	struct round_trip *r = CONTAINER_OF(task, struct round_trip, back);

	*r->sum += r->output;
	if (++*r->returned == JOBS)
		loop_stop(r->loop);
}

static void square(struct pool_job *job)
{
	struct round_trip *r = CONTAINER_OF(job, struct round_trip, job);

	r->output = r->input * 2;
	loop_post(r->loop, &r->back);
}

TEST(pool_results_return_to_the_loop_each_once)
{
	struct round_trip *trips = arena_get(&t->arena, JOBS * sizeof(*trips));
	struct loop loop;
	struct pool pool;
	struct err e;
	int64_t sum = 0;
	int returned = 0;

	REQUIRE_OK(loop_init(&loop, &clock_system, &e), &e);
	REQUIRE_OK(pool_init(&pool, THREADS, JOBS, &e), &e);
	for (int i = 0; i < JOBS; i++) {
		trips[i] = (struct round_trip){.job.run = square,
			.back.run = come_back,
			.loop = &loop,
			.input = i,
			.returned = &returned,
			.sum = &sum};
		CHECK_OK(pool_give(&pool, &trips[i].job, &e), &e);
	}
	loop_run(&loop);
	CHECK_INT(returned, JOBS);
	CHECK_INT(sum, (int64_t)JOBS * (JOBS - 1));
	pool_free(&pool);
	loop_free(&loop);
}

struct gate {
	struct pool_job job;
	pthread_mutex_t *lock;
	int *passed;
};

static void pass_gate(struct pool_job *job)
{
	struct gate *g = CONTAINER_OF(job, struct gate, job);

	pthread_mutex_lock(g->lock);
	++*g->passed;
	pthread_mutex_unlock(g->lock);
}

TEST(pool_refuses_what_would_wait_too_long_and_finishes_what_it_took)
{
	enum { MAX_WAITING = 3, OFFERED = 8 };
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct gate gates[OFFERED];
	struct pool pool;
	struct err e;
	int passed = 0, taken = 0;

	REQUIRE_OK(pool_init(&pool, 1, MAX_WAITING, &e), &e);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < OFFERED; i++) {
		gates[i] = (struct gate){.job.run = pass_gate, .lock = &lock, .passed = &passed};
		if (pool_give(&pool, &gates[i].job, &e) == 0)
			taken++;
		else
			CHECK_INT(e.kind, ERR_UNAVAILABLE);
	}
	/* One may have left the queue for the only thread, which stands at the gate. */
	CHECK(taken == MAX_WAITING || taken == MAX_WAITING + 1);
	pthread_mutex_unlock(&lock);
	pool_free(&pool);
	CHECK_INT(passed, taken);
}
