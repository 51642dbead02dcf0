#include "lib/client/throttle.h"

void throttle_init(struct throttle *t, double per_s, int burst, int64_t now_ns)
{
	*t = (struct throttle){.per_s = per_s, .burst = burst, .tokens = burst, .at_ns = now_ns};
}

static void refill(struct throttle *t, int64_t now_ns)
{
	t->tokens += (double)(now_ns - t->at_ns) / (double)NS_PER_S * t->per_s;
	if (t->tokens > t->burst)
		t->tokens = t->burst;
	t->at_ns = now_ns;
}

int64_t throttle_take(struct throttle *t, int64_t now_ns)
{
	if (t->per_s <= 0)
		return 0;
	refill(t, now_ns);
	t->tokens -= 1;
	return t->tokens >= 0 ? 0 : (int64_t)(-t->tokens / t->per_s * (double)NS_PER_S);
}

bool throttle_try(struct throttle *t, int64_t now_ns)
{
	if (t->per_s <= 0)
		return true;
	refill(t, now_ns);
	if (t->tokens < 1)
		return false;
	t->tokens -= 1;
	return true;
}

int64_t throttle_backoff_ns(int64_t base_ns, int64_t max_ns, unsigned failures)
{
	int64_t wait_ns = base_ns;

	for (; failures > 0 && wait_ns < max_ns; failures--)
		wait_ns *= 2;
	return wait_ns < max_ns ? wait_ns : max_ns;
}
