/*
 * Time and randomness are passed in, so that tests own them. The program has one of each, real,
 * made in main; nothing below main asks the kernel by itself.
 *
 * Units: nanoseconds in int64_t; *_ns in names. Wall time counts from 1970 in UTC.
 */
#pragma once

#include "lib/base/str.h"

#define NS_PER_MS 1000000ll
#define NS_PER_S  1000000000ll

struct clock {
	int64_t (*monotonic_ns)(const struct clock *c);
	int64_t (*wall_ns)(const struct clock *c);
};

extern const struct clock clock_system;

/* Stands still until a test moves it. */
struct clock_fake {
	struct clock clock;
	int64_t monotonic_now_ns, wall_now_ns;
};

void clock_fake_init(struct clock_fake *c, int64_t wall_ns);
void clock_fake_advance(struct clock_fake *c, int64_t by_ns);

struct random {
	void (*fill)(struct random *r, void *to, size_t len);
	uint64_t state; /* of the repeatable one */
};

/* From the kernel: keys, tokens, names, uids. Any thread. */
void random_system(struct random *r);

/* The same sequence for the same seed: tests. One thread. */
void random_repeatable(struct random *r, uint64_t seed);

/* Uniform in [0, below). */
uint64_t random_below(struct random *r, uint64_t below);
