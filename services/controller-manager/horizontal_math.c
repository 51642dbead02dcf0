#include "controller-manager/horizontal_math.h"

#include "lib/api/pod.h"

#include <math.h>

enum hpa_group hpa_group(const struct hpa_sample *s, const struct hpa_readiness *r)
{
	if (!s->pod)
		return HPA_FOREIGN;
	const struct pod_status *status = &s->pod->status;
	const struct pod_condition *ready = pod_condition(s->pod, STR("Ready"));

	if (s->pod->metadata.deletion_timestamp || str_eq(status->phase, STR("Failed")))
		return HPA_IGNORED;
	if (str_eq(status->phase, STR("Pending")))
		return HPA_UNREADY;
	if (!s->measured)
		return HPA_MISSING;
	if (!r->cpu)
		return HPA_READY;
	if (!ready || !status->start_time)
		return HPA_UNREADY;
	int64_t began_ns = status->start_time->seconds * NS_PER_S;
	int64_t turned_ns = ready->last_transition_time.seconds * NS_PER_S;
	bool is_false = str_eq(ready->status, STR("False"));

	if (began_ns + r->initialization_ns > r->now_ns)
		return is_false || s->at_ns < turned_ns + s->window_ns ? HPA_UNREADY : HPA_READY;
	return is_false && began_ns + r->delay_ns > turned_ns ? HPA_UNREADY : HPA_READY;
}

bool hpa_tolerates(const struct hpa_tolerance *t, double ratio)
{
	return 1.0 - t->down <= ratio && ratio <= 1.0 + t->up;
}

static int32_t whole(double replicas)
{
	double up = ceil(replicas);

	return up >= (double)INT32_MAX ? INT32_MAX : up <= 0 ? 0 : (int32_t)up;
}

struct sums {
	int64_t value, request;
	size_t count, all; /* of which requests are known; of which values are */
};

static struct sums add_up(const struct hpa_samples *s, bool by_request)
{
	struct sums sums = {0};

	for (size_t i = 0; i < s->len; i++) {
		const struct hpa_sample *one = &s->at[i];

		if (!one->measured)
			continue;
		sums.all++;
		if (by_request && !one->pod)
			continue;
		sums.count++;
		if (__builtin_add_overflow(sums.value, one->value, &sums.value))
			sums.value = INT64_MAX;
		if (__builtin_add_overflow(sums.request, one->request, &sums.request))
			sums.request = INT64_MAX;
	}
	return sums;
}

/* Of usage to target. */
static int usage_ratio(const struct hpa_samples *s, const struct hpa_target *t, double *ratio,
	struct hpa_usage *u, struct err *e)
{
	struct sums sums = add_up(s, t->utilization != 0);

	if (t->utilization == 0) {
		u->average = sums.value / (int64_t)sums.count;
		*ratio = (double)u->average / (double)t->value;
		return 0;
	}
	if (sums.request == 0)
		return err_set(e, ERR_INVALID, "no metrics returned matched known pods");
	u->utilization = (int32_t)((__int128)sums.value * 100 / sums.request);
	u->average = sums.value / (int64_t)sums.count;
	*ratio = (double)u->utilization / (double)t->utilization;
	return 0;
}

static size_t count_group(const struct hpa_samples *s, enum hpa_group group)
{
	size_t count = 0;

	for (size_t i = 0; i < s->len; i++)
		count += s->at[i].group == group;
	return count;
}

static void forget(struct hpa_samples *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->at[i].group == HPA_IGNORED || s->at[i].group == HPA_UNREADY)
			s->at[i].measured = false;
}

/* What a pod without measurement is taken to use before there are fewer pods. */
static int64_t assumed(const struct hpa_sample *s, const struct hpa_target *t)
{
	int32_t percent = t->utilization > 100 ? t->utilization : 100;

	return t->utilization == 0 ? t->value : (int64_t)((__int128)s->request * percent / 100);
}

/* Against the direction that the ratio points to: missing pods use nothing on the way up and as
 * much as they should on the way down; unready ones nothing on the way up. */
static void fill_in(struct hpa_samples *s, const struct hpa_target *t, double ratio)
{
	for (size_t i = 0; i < s->len; i++) {
		struct hpa_sample *one = &s->at[i];

		if (one->group == HPA_MISSING && ratio != 1.0) {
			one->value = ratio < 1.0 ? assumed(one, t) : 0;
			one->measured = true;
		} else if (one->group == HPA_UNREADY && ratio > 1.0) {
			one->value = 0;
			one->measured = true;
		}
	}
}

int hpa_average(struct hpa_samples *s, const struct hpa_target *target, int32_t current,
	const struct hpa_tolerance *t, struct hpa_usage *to, struct err *e)
{
	size_t ready = count_group(s, HPA_READY);
	struct hpa_usage u = {.replicas = current}, filled;
	double ratio, again;

	forget(s);
	if (add_up(s, false).all == 0)
		return err_set(e, ERR_INVALID,
			"did not receive metrics for targeted pods (pods might be unready)");
	TRY(usage_ratio(s, target, &ratio, &u, e));
	bool unready = count_group(s, HPA_UNREADY) > 0 && ratio > 1.0;

	if (!unready && count_group(s, HPA_MISSING) == 0) {
		if (!hpa_tolerates(t, ratio))
			u.replicas = whole(ratio * (double)ready);
		*to = u;
		return 0;
	}
	fill_in(s, target, ratio);
	TRY(usage_ratio(s, target, &again, &filled, e));
	bool turned = (ratio < 1.0 && again > 1.0) || (ratio > 1.0 && again < 1.0);
	int32_t replicas = whole(again * (double)add_up(s, false).all);

	if (!hpa_tolerates(t, again) && !turned && !(again < 1.0 && replicas > current) &&
		!(again > 1.0 && replicas < current))
		u.replicas = replicas;
	*to = u;
	return 0;
}

int32_t hpa_of_value(int64_t usage, int64_t target, int32_t current, int64_t ready,
	const struct hpa_tolerance *t)
{
	double ratio = (double)usage / (double)target;

	if (current == 0)
		return whole(ratio);
	return hpa_tolerates(t, ratio) ? current : whole(ratio * (double)ready);
}

int32_t hpa_of_share(int64_t *usage, int64_t target, int32_t current, const struct hpa_tolerance *t)
{
	double ratio = (double)*usage / ((double)target * (double)current);
	double all = (double)*usage, share = ceil(all / (double)(current > 0 ? current : 1));

	*usage = share >= (double)INT64_MAX ? INT64_MAX : (int64_t)share;
	return hpa_tolerates(t, ratio) ? current : whole(all / (double)target);
}
