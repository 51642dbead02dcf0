#include "controller-manager/horizontal_metrics.h"

#include "lib/codec/json.h"
#include "lib/value/duration.h"
#include "lib/value/quantity.h"
#include "lib/value/time.h"

enum { DEFAULT_WINDOW_S = 60 };

static str text_of(const struct json_item *object, str key)
{
	struct json_item found;

	if (!json_member(object, key, &found) || found.kind != JSON_STRING)
		return (str){NULL, 0};
	return found.text;
}

/* A quantity is a text, or a number as written. */
static int read_milli(const struct json_item *i, int64_t *to, struct err *e)
{
	struct quantity q;

	if (i->kind != JSON_STRING && i->kind != JSON_NUMBER)
		return err_set(e, ERR_INVALID, "a metric's value is no quantity");
	TRY(quantity_parse(i->text, &q, e));
	*to = quantity_milli(&q);
	return 0;
}

static int read_time(const struct json_item *object, int64_t *to_ns, struct err *e)
{
	str text = text_of(object, STR("timestamp"));
	struct time_value at;

	*to_ns = 0;
	if (!text.at)
		return 0;
	TRY(time_parse(text, &at, e));

	/* What int64_t nanoseconds cannot hold is no time of a measurement. */
	if (at.seconds > INT32_MAX * 2ll || at.seconds < 0)
		return err_set(e, ERR_INVALID, "a metric's timestamp is out of range");
	*to_ns = at.seconds * NS_PER_S + at.nanos;
	return 0;
}

static int add(struct arena *a, struct hpa_samples *to, const struct hpa_sample *one, struct err *e)
{
	void *at = to->at;

	if (arena_grow(a, &at, to->len, &to->cap, sizeof(*to->at)) < 0)
		return arena_full(a, e);
	to->at = at;
	to->at[to->len++] = *one;
	return 0;
}

/* Adds what one container uses; `*found` becomes false if it does not say. */
static int add_container(
	const struct json_item *c, str resource, int64_t *sum, bool *found, struct err *e)
{
	struct json_item usage, value;
	int64_t milli;

	*found = false;
	if (!json_member(c, STR("usage"), &usage) || !json_member(&usage, resource, &value))
		return 0;
	TRY(read_milli(&value, &milli, e));
	if (__builtin_add_overflow(*sum, milli, sum))
		*sum = INT64_MAX;
	*found = true;
	return 0;
}

static int read_pod(const struct json_item *item, str resource, str container,
	struct hpa_sample *to, struct err *e)
{
	str window = text_of(item, STR("window"));
	struct json_item metadata, containers, c;
	struct duration d = {0};

	*to = (struct hpa_sample){0};
	if (json_member(item, STR("metadata"), &metadata))
		to->name = text_of(&metadata, STR("name"));
	TRY(read_time(item, &to->at_ns, e));
	if (window.at)
		TRY(duration_parse(window, &d, e));
	to->window_ns = d.ns;
	if (!json_member(item, STR("containers"), &containers))
		return 0;
	struct json_walk w = json_enter(&containers);

	while (json_next(&w, &c)) {
		if (container.len > 0 && !str_eq(text_of(&c, STR("name")), container))
			continue;
		TRY(add_container(&c, resource, &to->value, &to->measured, e));
		if (container.len > 0 || !to->measured)
			return 0;
	}
	return 0;
}

static int items_of(struct arena *a, str json, struct json_walk *to, struct err *e)
{
	struct json_item root, items;

	TRY(json_parse(a, json, &root, e));
	*to = (struct json_walk){0};
	if (json_member(&root, STR("items"), &items))
		*to = json_enter(&items);
	return 0;
}

int hpa_read_pod_metrics(struct arena *a, str json, str resource, str container,
	struct hpa_samples *to, size_t *count, struct err *e)
{
	struct json_item item;
	struct json_walk w;
	size_t seen = 0;

	TRY(items_of(a, json, &w, e));
	while (json_next(&w, &item)) {
		struct hpa_sample one;

		TRY(read_pod(&item, resource, container, &one, e));
		if (one.measured)
			TRY(add(a, to, &one, e));
		seen++;
	}
	*count = seen;
	return 0;
}

static int read_value(const struct json_item *item, struct hpa_sample *to, struct err *e)
{
	struct json_item about, value, window;
	int64_t window_s = DEFAULT_WINDOW_S;

	*to = (struct hpa_sample){.measured = true};
	if (json_member(item, STR("describedObject"), &about))
		to->name = text_of(&about, STR("name"));
	if (!json_member(item, STR("value"), &value))
		return err_set(e, ERR_INVALID, "a metric has no value");
	TRY(read_milli(&value, &to->value, e));
	TRY(read_time(item, &to->at_ns, e));
	bool given = json_member(item, STR("windowSeconds"), &window) ||
		json_member(item, STR("window"), &window);

	if (given && window.kind == JSON_NUMBER &&
		(!json_to_i64(&window, &window_s) || window_s < 0 || window_s > INT32_MAX))
		return err_set(e, ERR_INVALID, "a metric's window is out of range");
	to->window_ns = window_s * NS_PER_S;
	return 0;
}

int hpa_read_values(struct arena *a, str json, struct hpa_samples *to, struct err *e)
{
	struct json_item item;
	struct json_walk w;

	TRY(items_of(a, json, &w, e));
	while (json_next(&w, &item)) {
		struct hpa_sample one;

		TRY(read_value(&item, &one, e));
		TRY(add(a, to, &one, e));
	}
	return 0;
}
