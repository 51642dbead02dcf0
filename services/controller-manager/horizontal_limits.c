#include "controller-manager/horizontal_math.h"

#include <math.h>
#include <stdlib.h>

/* Without a behavior: twice as many, or so many. */
enum { UP_FACTOR = 2, UP_LEAST = 4 };

void hpa_history_free(struct hpa_history *h)
{
	free(h->recommended.at);
	free(h->ups.at);
	free(h->downs.at);
	*h = (struct hpa_history){0};
}

/* In the place of the last one that is too old, so that the list is as long as its window. */
static void remember(struct hpa_marks *m, int32_t replicas, int64_t cutoff_ns, int64_t now_ns)
{
	struct hpa_mark mark = {replicas, now_ns};

	for (size_t i = m->len; i > 0; i--) {
		if (m->at[i - 1].at_ns < cutoff_ns) {
			m->at[i - 1] = mark;
			return;
		}
	}
	if (m->len == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 8;
		m->at = realloc(m->at, m->cap * sizeof(*m->at));
		if (!m->at)
			abort();
	}
	m->at[m->len++] = mark;
}

void hpa_history_begin(struct hpa_history *h, int32_t current, int64_t now_ns)
{
	if (h->recommended.len == 0)
		remember(&h->recommended, current, INT64_MIN, now_ns);
}

static int32_t least(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

/* --- without a behavior */

static int32_t highest_recent(
	struct hpa_history *h, const struct hpa_bounds *b, int32_t wanted, struct hpa_verdict *v)
{
	int64_t cutoff_ns = b->now_ns - b->down_window_ns;
	int32_t highest = wanted;

	for (size_t i = 0; i < h->recommended.len; i++)
		if (h->recommended.at[i].at_ns >= cutoff_ns)
			highest = most(highest, h->recommended.at[i].replicas);
	remember(&h->recommended, wanted, cutoff_ns, b->now_ns);
	v->able_reason = "ScaleDownStabilized";
	v->able_message = "recent recommendations were higher than current one, "
			  "applying the highest recent recommendation";
	return highest;
}

static void limit(struct hpa_verdict *v, int32_t replicas, const char *reason, const char *message)
{
	v->replicas = replicas;
	v->limit_reason = reason;
	v->limit_message = message;
}

static const char faster[] =
	"the desired replica count is increasing faster than the maximum scale rate";
static const char slower[] =
	"the desired replica count is decreasing faster than the maximum scale rate";
static const char too_many[] = "the desired replica count is more than the maximum replica count";
static const char too_few[] = "the desired replica count is less than the minimum replica count";

static void keep_in_bounds(const struct hpa_bounds *b, int32_t wanted, struct hpa_verdict *v)
{
	int64_t doubled = (int64_t)UP_FACTOR * b->current;
	int32_t up = (int32_t)(doubled > INT32_MAX ? INT32_MAX
			: doubled < UP_LEAST       ? UP_LEAST
						   : doubled);

	if (wanted < b->min)
		limit(v, b->min, "TooFewReplicas", too_few);
	else if (b->max > up && wanted > up)
		limit(v, up, "ScaleUpLimit", faster);
	else if (wanted > b->max)
		limit(v, b->max, "TooManyReplicas", too_many);
}

/* --- with one */

static int64_t window_ns(const struct hpa_scaling_rules *r, int64_t otherwise_ns)
{
	const int32_t *seconds = r->stabilization_window_seconds;

	return seconds ? *seconds * NS_PER_S : otherwise_ns;
}

static int32_t stabilize(
	struct hpa_history *h, const struct hpa_bounds *b, int32_t wanted, struct hpa_verdict *v)
{
	int64_t up_ns = b->now_ns - window_ns(b->behavior->scale_up, 0);
	int64_t down_ns = b->now_ns - window_ns(b->behavior->scale_down, b->down_window_ns);
	int32_t up = wanted, down = wanted, found = b->current;

	for (size_t i = 0; i < h->recommended.len; i++) {
		const struct hpa_mark *m = &h->recommended.at[i];

		if (m->at_ns > up_ns)
			up = least(up, m->replicas);
		if (m->at_ns > down_ns)
			down = most(down, m->replicas);
	}
	found = least(most(found, up), down);
	remember(&h->recommended, wanted, up_ns < down_ns ? up_ns : down_ns, b->now_ns);
	if (wanted >= b->current) {
		v->able_reason = "ScaleUpStabilized";
		v->able_message = "recent recommendations were lower than current one, "
				  "applying the lowest recent recommendation";
	} else {
		v->able_reason = "ScaleDownStabilized";
		v->able_message = "recent recommendations were higher than current one, "
				  "applying the highest recent recommendation";
	}
	return found;
}

static int64_t changed_since(const struct hpa_marks *m, int32_t period_s, int64_t now_ns)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->len; i++)
		if (m->at[i].at_ns > now_ns - period_s * NS_PER_S)
			sum += m->at[i].replicas;
	return sum;
}

static int32_t clip(double replicas)
{
	return replicas >= (double)INT32_MAX    ? INT32_MAX
		: replicas <= (double)INT32_MIN ? INT32_MIN
						: (int32_t)replicas;
}

/* What one policy lets the replicas become. */
static int32_t policy_limit(const struct hpa_history *h, const struct hpa_bounds *b,
	const struct hpa_scaling_policy *p, bool up)
{
	double start = (double)(b->current - changed_since(&h->ups, p->period_seconds, b->now_ns) +
		changed_since(&h->downs, p->period_seconds, b->now_ns));
	double sign = up ? 1 : -1;

	if (str_eq(p->type, STR("Pods")))
		return clip(start + sign * p->value);
	double part = start * (1 + sign * (double)p->value / 100);

	/* Down, what is left of a pod is cut off; up it counts whole, else one could stay one. */
	return clip(up ? ceil(part) : trunc(part));
}

static int32_t rate_limit(const struct hpa_history *h, const struct hpa_bounds *b, bool up)
{
	const struct hpa_scaling_rules *r = up ? b->behavior->scale_up : b->behavior->scale_down;
	bool smallest = str_eq(*r->select_policy, STR("Min"));
	bool lowest = up == smallest;
	int32_t found = lowest ? INT32_MAX : INT32_MIN;

	if (str_eq(*r->select_policy, STR("Disabled")))
		return b->current;
	for (size_t i = 0; i < r->policies.len; i++) {
		int32_t one = policy_limit(h, b, &r->policies.at[i], up);

		found = lowest ? least(found, one) : most(found, one);
	}
	return up ? most(found, b->current) : least(found, b->current);
}

static void keep_to_rates(const struct hpa_history *h, const struct hpa_bounds *b, int32_t wanted,
	struct hpa_verdict *v)
{
	if (wanted > b->current) {
		int32_t up = rate_limit(h, b, true);

		if (b->max > up && wanted > up)
			limit(v, up, "ScaleUpLimit", faster);
		else if (wanted > b->max)
			limit(v, b->max, "TooManyReplicas", too_many);
	} else if (wanted < b->current) {
		int32_t down = rate_limit(h, b, false);

		if (b->min < down && wanted < down)
			limit(v, down, "ScaleDownLimit", slower);
		else if (wanted < b->min)
			limit(v, b->min, "TooFewReplicas", too_few);
	}
}

/* --- both */

void hpa_decide(
	struct hpa_history *h, const struct hpa_bounds *b, int32_t wanted, struct hpa_verdict *to)
{
	struct hpa_verdict v = {0};
	int32_t stable = b->behavior ? stabilize(h, b, wanted, &v)
				     : highest_recent(h, b, wanted, &v);

	if (stable == wanted) {
		v.able_reason = "ReadyForNewScale";
		v.able_message = "recommended size matches current size";
	}
	limit(&v, stable, "DesiredWithinRange", "the desired count is within the acceptable range");
	if (b->behavior)
		keep_to_rates(h, b, stable, &v);
	else
		keep_in_bounds(b, stable, &v);
	v.limited = v.replicas != stable;
	*to = v;
}

static int64_t longest_period_ns(const struct hpa_scaling_rules *r)
{
	int32_t longest_s = 0;

	for (size_t i = 0; i < r->policies.len; i++)
		longest_s = most(longest_s, r->policies.at[i].period_seconds);
	return longest_s * NS_PER_S;
}

void hpa_scaled(struct hpa_history *h, const struct hpa_bounds *b, int32_t replicas)
{
	bool up = replicas > b->current;
	int32_t by = up ? replicas - b->current : b->current - replicas;

	if (!b->behavior)
		return;
	const struct hpa_scaling_rules *r = up ? b->behavior->scale_up : b->behavior->scale_down;

	remember(up ? &h->ups : &h->downs, by, b->now_ns - longest_period_ns(r), b->now_ns);
}
