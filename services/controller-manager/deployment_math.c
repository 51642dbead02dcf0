#include "controller-manager/deployment.h"

#include <math.h>

static bool is_rolling(const struct deployment *d)
{
	return str_eq(d->spec.strategy.type, STR("RollingUpdate"));
}

static int64_t scaled(const struct int_or_string *v, int64_t total, bool round_up)
{
	int64_t to;
	struct err e;

	if (!v || int_or_string_scale(v, total, round_up, &to, &e) < 0)
		return 0;
	return to;
}

static void fenceposts(const struct deployment *d, int64_t *surge, int64_t *unavailable)
{
	const struct rolling_update_deployment *u = d->spec.strategy.rolling_update;

	*surge = u ? scaled(u->max_surge, *d->spec.replicas, true) : 0;
	*unavailable = u ? scaled(u->max_unavailable, *d->spec.replicas, false) : 0;
	if (*surge == 0 && *unavailable == 0)
		*unavailable = 1;
}

int32_t deployment_max_surge(const struct deployment *d)
{
	int64_t surge, unavailable;

	if (!is_rolling(d))
		return 0;
	fenceposts(d, &surge, &unavailable);
	return (int32_t)surge;
}

int32_t deployment_max_unavailable(const struct deployment *d)
{
	int64_t surge, unavailable;

	if (!is_rolling(d) || *d->spec.replicas == 0)
		return 0;
	fenceposts(d, &surge, &unavailable);
	return unavailable > *d->spec.replicas ? *d->spec.replicas : (int32_t)unavailable;
}

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

int32_t deployment_new_replicas(
	const struct deployment *d, const struct replica_set *fresh, int32_t total)
{
	int32_t have = replicas_of(fresh), most = *d->spec.replicas + deployment_max_surge(d);

	if (!is_rolling(d))
		return *d->spec.replicas;
	if (total >= most)
		return have;
	return have + smaller(most - total, *d->spec.replicas - have);
}

/* By how much a set grows or shrinks when the deployment does. */
static int32_t fraction(const struct deployment *d, const struct replica_set *rs)
{
	int64_t before, most = *d->spec.replicas + deployment_max_surge(d);

	if (*d->spec.replicas == 0)
		return -replicas_of(rs);
	if (!set_number(rs, STR("deployment.kubernetes.io/max-replicas"), &before) || before == 0)
		before = d->status.replicas;
	if (before == 0)
		return 0;
	return (int32_t)round((double)(replicas_of(rs) * most) / (double)before) - replicas_of(rs);
}

int32_t deployment_proportion(
	const struct deployment *d, const struct replica_set *rs, int32_t to_add, int32_t added)
{
	int32_t left = to_add - added;

	if (replicas_of(rs) == 0 || to_add == 0 || left == 0)
		return 0;
	int32_t share = fraction(d, rs);

	if (to_add > 0)
		return smaller(share, left);
	return share > left ? share : left;
}

int32_t sets_replicas(const struct object_list *sets)
{
	int32_t sum = 0;

	for (size_t i = 0; i < sets->len; i++)
		sum += replicas_of(sets->at[i]);
	return sum;
}

int sets_oldest_first(const void *a, const void *b)
{
	const struct object_meta *x = meta_of(a), *y = meta_of(b);
	int order = time_compare(&x->creation_timestamp, &y->creation_timestamp);

	return order ? order : str_cmp(x->name, y->name);
}

int sets_largest_oldest_first(const void *a, const void *b)
{
	int32_t x = replicas_of(a), y = replicas_of(b);

	return x == y ? sets_oldest_first(a, b) : (x < y) - (x > y);
}

int sets_largest_newest_first(const void *a, const void *b)
{
	int32_t x = replicas_of(a), y = replicas_of(b);

	return x == y ? sets_oldest_first(b, a) : (x < y) - (x > y);
}

bool set_number(const struct replica_set *rs, str key, int64_t *to)
{
	str text = meta_annotation(&rs->metadata, key);

	return text.len > 0 && str_to_i64(text, to);
}
