#include "apiserver/admission/quota_check.h"

#include "lib/api/pod_resources.h"

/* How the request changes one account. */
struct charge {
	struct quantity_map delta;
	bool concerned;
};

static int look(struct arena *a, const struct admission_attributes *t,
	const struct quota_subject *s, const struct quota_account *q, struct charge *to,
	struct err *e);
static int add(struct arena *a, const struct admission_attributes *t, const struct quota_account *q,
	const struct quantity_map *delta, struct quantity_map *used, struct err *e);

static bool is_bound_in_time(const void *object)
{
	const struct pod *p = object;

	return p->spec.active_deadline_seconds && *p->spec.active_deadline_seconds >= 0;
}

bool quota_concerns(const struct admission_attributes *t)
{
	bool update = t->operation == ADMIT_UPDATE;

	if (t->ns.len == 0 || t->resource->stored_as == STORED_NOT ||
		str_eq(t->resource->plural, STR("events")) || admission_is(t, "", "namespaces"))
		return false;
	if (admission_is(t, "", "pods") && t->subresource.len > 0)
		return update && str_eq(t->subresource, STR("resize"));
	if (admission_is(t, "", "persistentvolumeclaims") && t->subresource.len > 0)
		return update && str_eq(t->subresource, STR("status"));
	if (t->subresource.len > 0)
		return false;
	if (!update)
		return true;
	if (admission_is(t, "", "pods"))
		return is_bound_in_time(t->old) != is_bound_in_time(t->object);
	return admission_is(t, "", "services") || admission_is(t, "", "persistentvolumeclaims");
}

int quota_charge(struct arena *a, const struct admission_attributes *t, int64_t now_s,
	struct quota_accounts *to, bool *changed, struct err *e)
{
	const struct quota_subject s = {t->resource->group, t->resource->plural, now_s};
	struct charge *charges = arena_get(a, (to->len + 1) * sizeof(*charges));
	struct quantity_map *used = arena_get(a, (to->len + 1) * sizeof(*used));

	for (size_t i = 0; i < to->len; i++)
		TRY(look(a, t, &s, &to->at[i], &charges[i], e));
	for (size_t i = 0; i < to->len; i++) {
		used[i] = to->at[i].used;
		if (charges[i].concerned && charges[i].delta.len > 0)
			TRY(add(a, t, &to->at[i], &charges[i].delta, &used[i], e));
	}
	*changed = false;
	for (size_t i = 0; i < to->len && !t->dry_run; i++) {
		bool moved = !resource_list_equal(&used[i], &to->at[i].used);

		to->at[i].used = used[i];
		to->at[i].changed |= moved;
		*changed |= moved;
	}
	return 0;
}

/* "cpu,memory"; with their values "cpu=1,memory=2Gi". */
static str names(struct arena *a, const struct quantity_map *m, bool values)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < m->len; i++) {
		if (i > 0)
			buf_add_char(&b, ',');
		buf_add_str(&b, m->at[i].key);
		if (values) {
			buf_add_char(&b, '=');
			quantity_put(&b, &m->at[i].value);
		}
	}
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

/* An update is charged for what it uses more, but in full where the old state was out of scope. */
static int look(struct arena *a, const struct admission_attributes *t,
	const struct quota_subject *s, const struct quota_account *q, struct charge *to,
	struct err *e)
{
	const struct resource_quota_status *status = &q->quota->status;
	struct quantity_map counted = quota_names(a, s, &status->hard);
	str name = q->quota->metadata.name;

	*to = (struct charge){0};
	if (counted.len == 0 || !quota_in_scope(s, q->quota, t->object))
		return 0;
	if (admission_is(t, "", "pods")) {
		str missing = quota_missing(a, &counted, t->object);

		if (missing.len > 0)
			return admission_forbid(t, e, "failed quota: %.*s: must specify %.*s",
				STR_ARG(name), STR_ARG(missing));
	}
	for (size_t i = 0; i < counted.len; i++)
		if (!resource_list_get(&status->used, counted.at[i].key))
			return admission_forbid(t, e,
				"status unknown for quota: %.*s, resources: %.*s", STR_ARG(name),
				STR_ARG(names(a, &counted, false)));
	struct quantity_map nothing = {0}, now = quota_usage(a, s, t->object), before = nothing;

	if (t->operation == ADMIT_UPDATE && quota_in_scope(s, q->quota, t->old))
		before = quota_usage(a, s, t->old);
	to->delta = resource_list_excess(a, &now, &before);
	to->concerned = true;
	return 0;
}

static int add(struct arena *a, const struct admission_attributes *t, const struct quota_account *q,
	const struct quantity_map *delta, struct quantity_map *used, struct err *e)
{
	const struct quantity_map *hard = &q->quota->status.hard;
	struct quantity_map asked = resource_list_mask(a, delta, hard),
			    next = resource_list_add(a, used, &asked), over = {0};

	for (size_t i = 0; i < asked.len; i++) {
		str name = asked.at[i].key;

		if (quantity_compare(
			    resource_list_get(&next, name), resource_list_get(hard, name)) > 0)
			resource_list_set(a, &over, name, asked.at[i].value);
	}
	if (over.len > 0 && !str_eq(t->subresource, STR("status"))) {
		struct quantity_map had = resource_list_mask(a, used, &over),
				    most = resource_list_mask(a, hard, &over);

		return admission_forbid(t, e,
			"exceeded quota: %.*s, requested: %.*s, used: %.*s, limited: %.*s",
			STR_ARG(q->quota->metadata.name), STR_ARG(names(a, &over, true)),
			STR_ARG(names(a, &had, true)), STR_ARG(names(a, &most, true)));
	}
	*used = next;
	return 0;
}

static bool asks_for(const struct container *c, str name)
{
	const struct quantity_map *from = &c->resources.requests;

	if (str_starts(name, STR("limits."))) {
		from = &c->resources.limits;
		name = str_slice(name, strlen("limits."), name.len);
	} else if (str_starts(name, STR("requests."))) {
		name = str_slice(name, strlen("requests."), name.len);
	}
	return resource_list_get(from, name) != NULL;
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

/* "cpu for: a,b", or nothing. */
static void put_missing(struct arena *a, struct buf *b, const struct pod_spec *s, str name)
{
	size_t all = s->containers.len + s->init_containers.len, count = 0;
	str *lacking = arena_get(a, (all + 1) * sizeof(*lacking));

	for (size_t i = 0; i < all; i++) {
		const struct container *c = i < s->containers.len
			? &s->containers.at[i]
			: &s->init_containers.at[i - s->containers.len];

		if (!asks_for(c, name))
			lacking[count++] = c->name;
	}
	qsort(lacking, count, sizeof(*lacking), by_text);
	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			buf_add_fmt(b, "%s%.*s for: ", b->len ? "; " : "", STR_ARG(name));
		else
			buf_add_char(b, ',');
		buf_add_str(b, lacking[i]);
	}
}

str quota_missing(struct arena *a, const struct quantity_map *counted, const struct pod *p)
{
	static const str needed[] = {STR_INIT("cpu"), STR_INIT("limits.cpu"),
		STR_INIT("limits.memory"), STR_INIT("memory"), STR_INIT("requests.cpu"),
		STR_INIT("requests.memory")};
	struct buf b;

	if (pod_resources_at_pod_level(p))
		return STR("");
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < COUNT_OF(needed); i++)
		if (resource_list_get(counted, needed[i]))
			put_missing(a, &b, &p->spec, needed[i]);
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}
