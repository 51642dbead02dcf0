/*
 * Rates: a token bucket for calls, and the delays between tries.
 *
 * Time is passed in. Threading: one thread at a time; owners hold their lock.
 * Source: client-go/util/flowcontrol/throttle.go, golang.org/x/time/rate,
 * client-go/util/workqueue/default_rate_limiters.go.
 */
#pragma once

#include "lib/base/clock.h"

struct throttle {
	double per_s, burst;
	double tokens; /* below 0: promised to those who wait */
	int64_t at_ns;
};

/* Full at first. `per_s` 0: no limit. */
void throttle_init(struct throttle *t, double per_s, int burst, int64_t now_ns);

/* Takes a token; how long to wait before acting. */
int64_t throttle_take(struct throttle *t, int64_t now_ns);

/* Takes one only if that needs no wait. */
bool throttle_try(struct throttle *t, int64_t now_ns);

/* 5 ms, 10 ms, 20 ms ... 1000 s: the wait after the given number of failures, from 0. */
int64_t throttle_backoff_ns(int64_t base_ns, int64_t max_ns, unsigned failures);

enum { THROTTLE_BASE_MS = 5, THROTTLE_MAX_S = 1000 };
