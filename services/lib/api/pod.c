#include "lib/api/pod.h"

#include "lib/api/meta.h"

/* What the containers of a pod say together. */
struct qos {
	bool any, all_limited;
};

static void add_container(struct qos *q, const struct resource_requirements *r);
static const struct quantity *value_of(const struct quantity_map *m, str name);
static bool is_positive(const struct quantity *q);

const struct pod_condition *pod_condition(const struct pod *p, str type)
{
	const struct pod_status *s = &p->status;

	for (size_t i = 0; i < s->conditions.len; i++)
		if (str_eq(s->conditions.at[i].type, type))
			return &s->conditions.at[i];
	return NULL;
}

bool pod_set_condition(
	struct arena *a, struct pod *p, struct pod_condition c, const struct clock *clock)
{
	struct pod_status *s = &p->status;
	const struct pod_condition *old = pod_condition(p, c.type);
	size_t at = old ? (size_t)(old - s->conditions.at) : s->conditions.len;
	size_t len = s->conditions.len + !old;

	c.last_transition_time = meta_now(clock);
	if (old && str_eq(old->status, c.status))
		c.last_transition_time = old->last_transition_time;
	if (old && str_eq(old->status, c.status) && str_eq(old->reason, c.reason) &&
		str_eq(old->message, c.message) &&
		old->observed_generation == c.observed_generation)
		return false;
	struct pod_condition *all = arena_get(a, len * sizeof(*all));
	if (s->conditions.len)
		memcpy(all, s->conditions.at, s->conditions.len * sizeof(*all));
	all[at] = c;
	s->conditions.at = all;
	s->conditions.len = len;
	return true;
}

bool pod_is_finished(const struct pod *p)
{
	return str_eq(p->status.phase, STR("Succeeded")) || str_eq(p->status.phase, STR("Failed"));
}

bool pod_is_ready(const struct pod *p)
{
	const struct pod_condition *c = pod_condition(p, STR("Ready"));

	return c && str_eq(c->status, STR("True"));
}

str pod_qos(const struct pod_spec *s)
{
	struct qos q = {.all_limited = true};

	if (s->resources && (s->resources->limits.len || s->resources->requests.len)) {
		add_container(&q, s->resources);
	} else {
		for (size_t i = 0; i < s->containers.len; i++)
			add_container(&q, &s->containers.at[i].resources);
		for (size_t i = 0; i < s->init_containers.len; i++)
			add_container(&q, &s->init_containers.at[i].resources);
	}
	if (!q.any)
		return STR("BestEffort");
	return q.all_limited ? STR("Guaranteed") : STR("Burstable");
}

/* Limited: cpu and memory have limits, and requests that equal them. */
static void add_container(struct qos *q, const struct resource_requirements *r)
{
	static const str names[] = {STR_INIT("cpu"), STR_INIT("memory")};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct quantity *limit = value_of(&r->limits, names[i]);
		const struct quantity *request = value_of(&r->requests, names[i]);

		q->any |= is_positive(limit) || is_positive(request);
		if (!is_positive(limit) || (request && !quantity_equal(limit, request)))
			q->all_limited = false;
	}
}

static const struct quantity *value_of(const struct quantity_map *m, str name)
{
	for (size_t i = 0; i < m->len; i++)
		if (str_eq(m->at[i].key, name))
			return &m->at[i].value;
	return NULL;
}

static bool is_positive(const struct quantity *q)
{
	return q && quantity_sign(q) > 0;
}
