#include "apiserver/admission/limits.h"

#include "lib/api/pod_resources.h"

#define ANNOTATION "kubernetes.io/limit-ranger"

/* The largest value of which thousandths fit into 64 bits. */
#define MILLI_MAX (INT64_MAX / 1000)

/* What is asked for and allowed together, whoever asks. */
struct resources {
	const struct quantity_map *requests, *limits;
};

static void apply(struct arena *a, const struct limit_range *l, struct container *c,
	const char *kind, struct buf *note);
static void check(
	const struct limit_range_item *item, const struct resources *r, struct admission_faults *f);
static void sum_up(struct arena *a, const struct pod *p, struct quantity_map *requests,
	struct quantity_map *limits);

void limits_apply(struct arena *a, const struct limit_range *l, struct pod *p)
{
	struct buf note;

	buf_init(&note, BUF_NO_LIMIT);
	for (size_t i = 0; i < p->spec.containers.len; i++)
		apply(a, l, &p->spec.containers.at[i], "container", &note);
	for (size_t i = 0; i < p->spec.init_containers.len; i++)
		apply(a, l, &p->spec.init_containers.at[i], "init container", &note);
	if (note.len > 0)
		str_map_set(a, &p->metadata.annotations, STR(ANNOTATION),
			arena_fmt(a, "LimitRanger plugin set: %.*s", STR_ARG(buf_str(&note))));
	buf_free(&note);
}

void limits_check_pod(const struct limit_range *l, const struct pod *p, struct admission_faults *f)
{
	struct quantity_map requests = {0}, limits = {0};
	const struct resources whole = {&requests, &limits};

	sum_up(f->arena, p, &requests, &limits);
	for (size_t i = 0; i < l->spec.limits.len; i++) {
		const struct limit_range_item *item = &l->spec.limits.at[i];
		size_t count = p->spec.containers.len + p->spec.init_containers.len;

		if (str_eq(item->type, STR("Pod")))
			check(item, &whole, f);
		for (size_t j = 0; str_eq(item->type, STR("Container")) && j < count; j++) {
			size_t init = j - p->spec.containers.len;
			const struct container *c = j < p->spec.containers.len
				? &p->spec.containers.at[j]
				: &p->spec.init_containers.at[init];
			struct resources own = {&c->resources.requests, &c->resources.limits};

			check(item, &own, f);
		}
	}
}

/* One default, noted as "cpu, memory request for container c". */
static void fill(struct arena *a, struct quantity_map *to, const struct quantity_map *from,
	const char *what, const char *kind, str name, struct buf *note)
{
	bool first = true;

	for (size_t i = 0; i < from->len; i++) {
		if (resource_list_get(to, from->at[i].key))
			continue;
		buf_add_fmt(note, "%s%.*s",
			!first                  ? ", "
				: note->len > 0 ? "; "
						: "",
			STR_ARG(from->at[i].key));
		first = false;
	}
	if (first)
		return;
	buf_add_fmt(note, " %s for %s %.*s", what, kind, STR_ARG(name));
	resource_list_default(a, to, from);
}

/* A later item of the LimitRange counts more than an earlier one. */
static struct quantity_map defaults_of(struct arena *a, const struct limit_range *l, bool requests)
{
	struct quantity_map all = {0};

	for (size_t i = l->spec.limits.len; i-- > 0;) {
		const struct limit_range_item *item = &l->spec.limits.at[i];

		if (str_eq(item->type, STR("Container")))
			resource_list_default(
				a, &all, requests ? &item->default_request : &item->default_);
	}
	return all;
}

static void apply(struct arena *a, const struct limit_range *l, struct container *c,
	const char *kind, struct buf *note)
{
	struct quantity_map requests = defaults_of(a, l, true), limits = defaults_of(a, l, false);

	fill(a, &c->resources.requests, &requests, "request", kind, c->name, note);
	fill(a, &c->resources.limits, &limits, "limit", kind, c->name, note);
}

static const char *text(struct arena *a, const struct quantity *q)
{
	return quantity_text(a, q).at;
}

/* Upstream compares thousandths unless one of the three would not fit into 64 bits then. */
static void values_of(const struct quantity *const q[3], int64_t to[3])
{
	bool milli = true;

	for (size_t i = 0; i < 3; i++)
		milli &= !q[i] || quantity_value(q[i]) <= MILLI_MAX;
	for (size_t i = 0; i < 3; i++)
		to[i] = !q[i] ? 0 : milli ? quantity_milli(q[i]) : quantity_value(q[i]);
}

/* One resource of one rule. */
struct rule {
	str type, resource;
	const struct quantity *bound, *request, *limit; /* the last two may be NULL */
};

enum { REQUEST, LIMIT, BOUND };

static void check_min(const struct rule *r, struct admission_faults *f)
{
	const struct quantity *const q[] = {r->request, r->limit, r->bound};
	const char *bound = text(f->arena, r->bound);
	int64_t v[3];

	values_of(q, v);
	if (!r->request)
		admission_fault(f, "minimum %.*s usage per %.*s is %s.  No request is specified",
			STR_ARG(r->resource), STR_ARG(r->type), bound);
	else if (v[REQUEST] < v[BOUND])
		admission_fault(f, "minimum %.*s usage per %.*s is %s, but request is %s",
			STR_ARG(r->resource), STR_ARG(r->type), bound, text(f->arena, r->request));
	else if (r->limit && v[LIMIT] < v[BOUND])
		admission_fault(f, "minimum %.*s usage per %.*s is %s, but limit is %s",
			STR_ARG(r->resource), STR_ARG(r->type), bound, text(f->arena, r->limit));
}

static void check_max(const struct rule *r, struct admission_faults *f)
{
	const struct quantity *const q[] = {r->request, r->limit, r->bound};
	const char *bound = text(f->arena, r->bound);
	int64_t v[3];

	values_of(q, v);
	if (!r->limit)
		admission_fault(f, "maximum %.*s usage per %.*s is %s.  No limit is specified",
			STR_ARG(r->resource), STR_ARG(r->type), bound);
	else if (v[LIMIT] > v[BOUND])
		admission_fault(f, "maximum %.*s usage per %.*s is %s, but limit is %s",
			STR_ARG(r->resource), STR_ARG(r->type), bound, text(f->arena, r->limit));
	else if (r->request && v[REQUEST] > v[BOUND])
		admission_fault(f, "maximum %.*s usage per %.*s is %s, but request is %s",
			STR_ARG(r->resource), STR_ARG(r->type), bound, text(f->arena, r->request));
}

static void check_max_request(const struct rule *r, struct admission_faults *f)
{
	const struct quantity *const q[] = {r->request, NULL, r->bound};
	const char *bound = text(f->arena, r->bound);
	int64_t v[3];

	values_of(q, v);
	if (!r->request)
		admission_fault(f, "maximum %.*s usage per %.*s is %s.  No request is specified",
			STR_ARG(r->resource), STR_ARG(r->type), bound);
	else if (v[REQUEST] > v[BOUND])
		admission_fault(f, "maximum %.*s usage per %.*s is %s, but request is %s",
			STR_ARG(r->resource), STR_ARG(r->type), bound, text(f->arena, r->request));
}

static void check_ratio(const struct rule *r, struct admission_faults *f)
{
	const struct quantity *const q[] = {r->request, r->limit, r->bound};
	const char *bound = text(f->arena, r->bound);
	int64_t v[3];

	values_of(q, v);
	const char *missing = !r->request || v[REQUEST] == 0 ? "request"
		: !r->limit || v[LIMIT] == 0                 ? "limit"
							     : NULL;

	if (missing) {
		admission_fault(f,
			"%.*s max limit to request ratio per %.*s is %s, but no %s is specified or "
			"%s is 0",
			STR_ARG(r->resource), STR_ARG(r->type), bound, missing, missing);
		return;
	}
	double ratio = (double)v[LIMIT] / (double)v[REQUEST];
	int64_t most = quantity_value(r->bound);
	bool over = most <= MILLI_MAX ? ratio * 1000 > (double)quantity_milli(r->bound)
				      : ratio > (double)most;

	if (over)
		admission_fault(f,
			"%.*s max limit to request ratio per %.*s is %s, but provided ratio is %f",
			STR_ARG(r->resource), STR_ARG(r->type), bound, ratio);
}

static void check_all(const struct limit_range_item *item, const struct quantity_map *bounds,
	const struct resources *r, void (*rule)(const struct rule *r, struct admission_faults *f),
	struct admission_faults *f)
{
	for (size_t i = 0; i < bounds->len; i++) {
		const struct rule one = {
			.type = item->type,
			.resource = bounds->at[i].key,
			.bound = &bounds->at[i].value,
			.request = resource_list_get(r->requests, bounds->at[i].key),
			.limit = resource_list_get(r->limits, bounds->at[i].key),
		};

		rule(&one, f);
	}
}

static void check(
	const struct limit_range_item *item, const struct resources *r, struct admission_faults *f)
{
	check_all(item, &item->min, r, check_min, f);
	check_all(item, &item->max, r, check_max, f);
	check_all(item, &item->max_limit_request_ratio, r, check_ratio, f);
}

void limits_check_claim(const struct limit_range *l, const struct persistent_volume_claim *c,
	struct admission_faults *f)
{
	const struct quantity_map none = {0};
	const struct resources r = {&c->spec.resources.requests, &none};

	for (size_t i = 0; i < l->spec.limits.len; i++) {
		const struct limit_range_item *item = &l->spec.limits.at[i];

		if (!str_eq(item->type, STR("PersistentVolumeClaim")))
			continue;
		check_all(item, &item->min, &r, check_min, f);
		check_all(item, &item->max, &r, check_max_request, f);
	}
}

/* What the pod itself says of cpu and memory counts in the place of the sum. */
static struct quantity_map with_pod_level(
	struct arena *a, const struct quantity_map *sum, const struct quantity_map *pod)
{
	struct quantity_map own = {arena_get(a, pod->len * sizeof(*own.at) + 1), 0};

	for (size_t i = 0; i < pod->len; i++)
		if (str_eq(pod->at[i].key, STR("cpu")) || str_eq(pod->at[i].key, STR("memory")))
			own.at[own.len++] = pod->at[i];
	resource_list_default(a, &own, sum);
	return own;
}

static void sum_up(struct arena *a, const struct pod *p, struct quantity_map *requests,
	struct quantity_map *limits)
{
	*requests = pod_resources_of_containers(a, &p->spec, POD_REQUESTS);
	*limits = pod_resources_of_containers(a, &p->spec, POD_LIMITS);
	if (p->spec.resources) {
		*requests = with_pod_level(a, requests, &p->spec.resources->requests);
		*limits = with_pod_level(a, limits, &p->spec.resources->limits);
	}
}
