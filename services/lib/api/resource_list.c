#include "lib/api/resource_list.h"

/* What becomes of a name: in x alone, in y alone, in both. */
enum merge { SUM, LARGER, DEFAULTED };

static struct quantity_map merge(struct arena *a, const struct quantity_map *x,
	const struct quantity_map *y, enum merge how);

const struct quantity *resource_list_get(const struct quantity_map *m, str name)
{
	for (size_t i = 0; i < m->len; i++)
		if (str_eq(m->at[i].key, name))
			return &m->at[i].value;
	return NULL;
}

struct quantity_map resource_list_add(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y)
{
	return merge(a, x, y, SUM);
}

struct quantity_map resource_list_max(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y)
{
	return merge(a, x, y, LARGER);
}

struct quantity_map resource_list_excess(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y)
{
	struct quantity_map to = {arena_get(a, (x->len + 1) * sizeof(*to.at)), 0};

	for (size_t i = 0; i < x->len; i++) {
		struct quantity_entry n = x->at[i];
		const struct quantity *less = resource_list_get(y, n.key);

		if (less && !quantity_sub(&n.value, less))
			continue;
		if (quantity_sign(&n.value) > 0)
			to.at[to.len++] = n;
	}
	return to;
}

struct quantity_map resource_list_mask(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y)
{
	struct quantity_map to = {arena_get(a, (x->len + 1) * sizeof(*to.at)), 0};

	for (size_t i = 0; i < x->len; i++)
		if (resource_list_get(y, x->at[i].key))
			to.at[to.len++] = x->at[i];
	return to;
}

bool resource_list_equal(const struct quantity_map *x, const struct quantity_map *y)
{
	if (x->len != y->len)
		return false;
	for (size_t i = 0; i < x->len; i++)
		if (!str_eq(x->at[i].key, y->at[i].key) ||
			!quantity_equal(&x->at[i].value, &y->at[i].value))
			return false;
	return true;
}

void resource_list_set(struct arena *a, struct quantity_map *to, str name, struct quantity q)
{
	struct quantity_entry entry = {.key = name, .value = q};
	const struct quantity_map one = {&entry, 1};

	*to = merge(a, &one, to, DEFAULTED);
}

void resource_list_default(
	struct arena *a, struct quantity_map *to, const struct quantity_map *from)
{
	*to = merge(a, to, from, DEFAULTED);
}

/* Both are sorted, and so is what they become. */
static struct quantity_map merge(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y, enum merge how)
{
	struct quantity_map to = {arena_get(a, (x->len + y->len + 1) * sizeof(*to.at)), 0};
	size_t i = 0, j = 0;

	while (i < x->len || j < y->len) {
		int order = i == x->len ? 1
			: j == y->len   ? -1
					: str_cmp(x->at[i].key, y->at[j].key);
		struct quantity_entry n = order <= 0 ? x->at[i] : y->at[j];

		if (order == 0 && how == SUM)
			(void)!quantity_add(&n.value, &y->at[j].value);
		else if (order == 0 && how == LARGER &&
			quantity_compare(&n.value, &y->at[j].value) < 0)
			n.value = y->at[j].value;
		i += order <= 0;
		j += order >= 0;
		to.at[to.len++] = n;
	}
	return to;
}
