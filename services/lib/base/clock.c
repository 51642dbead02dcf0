#include "lib/base/clock.h"

#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t system_monotonic_ns(UNUSED const struct clock *c)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall_ns(UNUSED const struct clock *c)
{
	return read_clock(CLOCK_REALTIME);
}

const struct clock clock_system = {system_monotonic_ns, system_wall_ns};

static int64_t fake_monotonic_ns(const struct clock *c)
{
	return CONTAINER_OF(c, const struct clock_fake, clock)->monotonic_now_ns;
}

static int64_t fake_wall_ns(const struct clock *c)
{
	return CONTAINER_OF(c, const struct clock_fake, clock)->wall_now_ns;
}

void clock_fake_init(struct clock_fake *c, int64_t wall_ns)
{
	*c = (struct clock_fake){
		.clock = {fake_monotonic_ns, fake_wall_ns},
		.wall_now_ns = wall_ns,
	};
}

void clock_fake_advance(struct clock_fake *c, int64_t by_ns)
{
	c->monotonic_now_ns += by_ns;
	c->wall_now_ns += by_ns;
}

static void system_fill(UNUSED struct random *r, void *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t got = getrandom((char *)to + done, len - done, 0);

		if (got > 0)
			done += (size_t)got;
	}
}

void random_system(struct random *r)
{
	*r = (struct random){.fill = system_fill};
}

/* splitmix64: one addition and three mixes a word, no bad seeds. */
static uint64_t next_repeatable(struct random *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void repeatable_fill(struct random *r, void *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		uint64_t word = next_repeatable(r);
		size_t part = len - done < sizeof(word) ? len - done : sizeof(word);

		memcpy((char *)to + done, &word, part);
		done += part;
	}
}

void random_repeatable(struct random *r, uint64_t seed)
{
	*r = (struct random){.fill = repeatable_fill, .state = seed};
}

uint64_t random_below(struct random *r, uint64_t below)
{
	uint64_t reject_under = -below % below, word;

	do
		r->fill(r, &word, sizeof(word));
	while (word < reject_under);
	return word % below;
}
