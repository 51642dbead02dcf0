#include "apiserver/endpoints/convert_autoscaler.h"

#include "api/kinds.h"
#include "lib/schema/object_tree.h"

#define PREFIX "autoscaling.alpha.kubernetes.io/"

enum { CPU_PERCENT = 80, ANNOTATION_BYTES = 1 << 20 };

#define METRICS    STR(PREFIX "metrics")
#define CURRENT    STR(PREFIX "current-metrics")
#define CONDITIONS STR(PREFIX "conditions")
#define BEHAVIOR   STR(PREFIX "behavior")

/* Where v2 has a member of v1's structs: in the struct itself, its metric or its values. */
enum part { PART_SELF, PART_METRIC, PART_VALUES };

struct move {
	str kind, v1_spec, v1_status;
	enum part part;
	str v2;
	bool zero_spec, zero_status; /* v1 writes "0" where v2 has nothing */
};

static const struct move moves[] = {
	{STR_INIT("object"), STR_INIT("target"), STR_INIT("target"), PART_SELF,
		STR_INIT("describedObject"), false, false},
	{STR_INIT("object"), STR_INIT("metricName"), STR_INIT("metricName"), PART_METRIC,
		STR_INIT("name"), false, false},
	{STR_INIT("object"), STR_INIT("targetValue"), STR_INIT("currentValue"), PART_VALUES,
		STR_INIT("value"), true, true},
	{STR_INIT("object"), STR_INIT("selector"), STR_INIT("selector"), PART_METRIC,
		STR_INIT("selector"), false, false},
	{STR_INIT("object"), STR_INIT("averageValue"), STR_INIT("averageValue"), PART_VALUES,
		STR_INIT("averageValue"), false, false},
	{STR_INIT("pods"), STR_INIT("metricName"), STR_INIT("metricName"), PART_METRIC,
		STR_INIT("name"), false, false},
	{STR_INIT("pods"), STR_INIT("targetAverageValue"), STR_INIT("currentAverageValue"),
		PART_VALUES, STR_INIT("averageValue"), true, true},
	{STR_INIT("pods"), STR_INIT("selector"), STR_INIT("selector"), PART_METRIC,
		STR_INIT("selector"), false, false},
	{STR_INIT("resource"), STR_INIT("name"), STR_INIT("name"), PART_SELF, STR_INIT("name"),
		false, false},
	{STR_INIT("resource"), STR_INIT("targetAverageUtilization"),
		STR_INIT("currentAverageUtilization"), PART_VALUES, STR_INIT("averageUtilization"),
		false, false},
	{STR_INIT("resource"), STR_INIT("targetAverageValue"), STR_INIT("currentAverageValue"),
		PART_VALUES, STR_INIT("averageValue"), false, true},
	{STR_INIT("containerResource"), STR_INIT("name"), STR_INIT("name"), PART_SELF,
		STR_INIT("name"), false, false},
	{STR_INIT("containerResource"), STR_INIT("targetAverageUtilization"),
		STR_INIT("currentAverageUtilization"), PART_VALUES, STR_INIT("averageUtilization"),
		false, false},
	{STR_INIT("containerResource"), STR_INIT("targetAverageValue"),
		STR_INIT("currentAverageValue"), PART_VALUES, STR_INIT("averageValue"), false,
		true},
	{STR_INIT("containerResource"), STR_INIT("container"), STR_INIT("container"), PART_SELF,
		STR_INIT("container"), false, false},
	{STR_INIT("external"), STR_INIT("metricName"), STR_INIT("metricName"), PART_METRIC,
		STR_INIT("name"), false, false},
	{STR_INIT("external"), STR_INIT("metricSelector"), STR_INIT("metricSelector"), PART_METRIC,
		STR_INIT("selector"), false, false},
	{STR_INIT("external"), STR_INIT("targetValue"), STR_INIT("currentValue"), PART_VALUES,
		STR_INIT("value"), false, true},
	{STR_INIT("external"), STR_INIT("targetAverageValue"), STR_INIT("currentAverageValue"),
		PART_VALUES, STR_INIT("averageValue"), false, false},
};

static const str sources[] = {STR_INIT("object"), STR_INIT("pods"), STR_INIT("resource"),
	STR_INIT("containerResource"), STR_INIT("external")};

/* As Go's JSON names the fields of a type without tags. */
static const str behavior_names[][2] = {
	{STR_INIT("scaleUp"), STR_INIT("ScaleUp")},
	{STR_INIT("scaleDown"), STR_INIT("ScaleDown")},
	{STR_INIT("stabilizationWindowSeconds"), STR_INIT("StabilizationWindowSeconds")},
	{STR_INIT("selectPolicy"), STR_INIT("SelectPolicy")},
	{STR_INIT("policies"), STR_INIT("Policies")},
	{STR_INIT("tolerance"), STR_INIT("Tolerance")},
	{STR_INIT("type"), STR_INIT("Type")},
	{STR_INIT("value"), STR_INIT("Value")},
	{STR_INIT("periodSeconds"), STR_INIT("PeriodSeconds")},
};

struct converting {
	struct arena *arena;
	struct err *e;
	bool failed; /* the arena is full: told once, at the end */
};

static struct tree *make(struct converting *c, enum json_kind kind)
{
	struct tree *t = tree_new(c->arena, kind);

	c->failed |= !t;
	return t;
}

static void set(struct converting *c, struct tree *object, str key, struct tree *value)
{
	if (object && value && tree_set(c->arena, object, key, value, c->e) < 0)
		c->failed = true;
}

static void append(struct converting *c, struct tree *array, struct tree *value)
{
	if (array && value && tree_insert(c->arena, array, array->len, value, c->e) < 0)
		c->failed = true;
}

static struct tree *text(struct converting *c, str s)
{
	struct tree *t = make(c, JSON_STRING);

	if (t)
		t->text = s;
	return t;
}

/* NULL where the object is none or lacks the member. */
static struct tree *get(const struct tree *object, str key)
{
	return object && object->kind == JSON_OBJECT ? tree_get(object, key) : NULL;
}

static struct tree *get_or_make(struct converting *c, struct tree *object, str key)
{
	struct tree *found = get(object, key);

	if (!found) {
		found = make(c, JSON_OBJECT);
		set(c, object, key, found);
	}
	return found;
}

static str part_name(enum part part, bool status)
{
	if (part == PART_METRIC)
		return STR("metric");
	return status ? STR("current") : STR("target");
}

static struct tree *source_to_v1(
	struct converting *c, str kind, const struct tree *source, bool status)
{
	struct tree *to = make(c, JSON_OBJECT);

	for (size_t i = 0; i < COUNT_OF(moves); i++) {
		const struct move *m = &moves[i];

		if (!str_eq(m->kind, kind))
			continue;
		const struct tree *from = m->part == PART_SELF
			? source
			: get(source, part_name(m->part, status));
		struct tree *value = get(from, m->v2);

		if (!value && (status ? m->zero_status : m->zero_spec))
			value = text(c, STR("0"));
		set(c, to, status ? m->v1_status : m->v1_spec, value);
	}
	return to;
}

/* What v1 leaves to be guessed: by which of its values a metric goes. */
static str target_type(str kind, const struct tree *values)
{
	bool average = get(values, STR("averageValue")) != NULL;
	bool utilization = get(values, STR("averageUtilization")) != NULL;

	if (utilization)
		return STR("Utilization");
	if (str_eq(kind, STR("object")))
		return average ? STR("AverageValue") : STR("Value");
	return get(values, STR("value")) ? STR("Value") : STR("AverageValue");
}

static struct tree *source_from_v1(
	struct converting *c, str kind, const struct tree *source, bool status)
{
	struct tree *to = make(c, JSON_OBJECT);

	for (size_t i = 0; i < COUNT_OF(moves); i++) {
		const struct move *m = &moves[i];

		if (!str_eq(m->kind, kind))
			continue;
		struct tree *value = get(source, status ? m->v1_status : m->v1_spec);
		struct tree *into = m->part == PART_SELF
			? to
			: get_or_make(c, to, part_name(m->part, status));

		if (value && value->kind != JSON_NULL)
			set(c, into, m->v2, value);
	}
	struct tree *values = get(to, STR("target"));

	if (status || !values)
		return to;
	set(c, values, STR("type"), text(c, target_type(kind, values)));
	struct tree *value = get(values, STR("value"));

	if (value && str_eq(kind, STR("object")) && get(values, STR("averageValue")) &&
		str_eq(value->text, STR("0")))
		tree_remove(values, STR("value"));
	return to;
}

/* Metrics, or with `status` what they are now. */
static struct tree *metrics_between(
	struct converting *c, const struct tree *from, bool status, bool to_v1)
{
	struct tree *to = make(c, JSON_ARRAY);

	for (size_t i = 0; from->kind == JSON_ARRAY && i < from->len; i++) {
		struct tree *one = make(c, JSON_OBJECT);

		set(c, one, STR("type"), get(from->items[i], STR("type")));
		for (size_t s = 0; s < COUNT_OF(sources); s++) {
			const struct tree *source = get(from->items[i], sources[s]);

			if (source && source->kind == JSON_OBJECT)
				set(c, one, sources[s],
					to_v1 ? source_to_v1(c, sources[s], source, status)
					      : source_from_v1(c, sources[s], source, status));
		}
		append(c, to, one);
	}
	return to;
}

static struct tree *behavior_between(struct converting *c, const struct tree *from, bool to_v1)
{
	struct tree *to = make(c, from->kind);
	struct tree_member *m;

	if (!to || (from->kind != JSON_OBJECT && from->kind != JSON_ARRAY)) {
		if (to)
			*to = *from;
		return to;
	}
	for (size_t i = 0; from->kind == JSON_ARRAY && i < from->len; i++)
		append(c, to, behavior_between(c, from->items[i], to_v1));
	for (size_t i = 0; from->kind == JSON_OBJECT && (m = tree_next(from, &i));) {
		for (size_t n = 0; n < COUNT_OF(behavior_names); n++)
			if (str_eq_ignoring_case(m->key, behavior_names[n][0]))
				set(c, to, behavior_names[n][to_v1],
					behavior_between(c, m->value, to_v1));
	}
	return to;
}

static void annotate(struct converting *c, struct tree *metadata, str key, const struct tree *value)
{
	str json;

	if (!value || tree_text(c->arena, value, ANNOTATION_BYTES, &json, c->e) < 0) {
		c->failed = true;
		return;
	}
	set(c, get_or_make(c, metadata, STR("annotations")), key, text(c, json));
}

static void drop_annotations(struct tree *metadata)
{
	static const str keys[] = {STR_INIT(PREFIX "metrics"), STR_INIT(PREFIX "behavior"),
		STR_INIT(PREFIX "scale-down-tolerance"), STR_INIT(PREFIX "scale-up-tolerance"),
		STR_INIT(PREFIX "current-metrics"), STR_INIT(PREFIX "conditions")};
	struct tree *annotations = get(metadata, STR("annotations"));

	for (size_t i = 0; annotations && i < COUNT_OF(keys); i++)
		tree_remove(annotations, keys[i]);
}

static void copy(struct converting *c, struct tree *to, const struct tree *from, const str *names,
	size_t count)
{
	for (size_t i = 0; i < count; i++)
		set(c, to, names[i], get(from, names[i]));
}

static const str spec_names[] = {
	STR_INIT("scaleTargetRef"), STR_INIT("minReplicas"), STR_INIT("maxReplicas")};
static const str status_names[] = {STR_INIT("observedGeneration"), STR_INIT("lastScaleTime"),
	STR_INIT("currentReplicas"), STR_INIT("desiredReplicas")};

/* The percentage of a metric of cpu by utilization; NULL of any other. */
static struct tree *cpu_percent(const struct tree *metric, str part)
{
	const struct tree *source = get(metric, STR("resource"));
	const struct tree *name = get(source, STR("name"));

	if (!name || !str_eq(name->text, STR("cpu")))
		return NULL;
	return get(get(source, part), STR("averageUtilization"));
}

static struct tree *begin(struct converting *c, const struct tree *from, struct tree **metadata,
	struct tree **spec, struct tree **status)
{
	struct tree *root = make(c, JSON_OBJECT);

	*metadata = get(from, STR("metadata"));
	*spec = get_or_make(c, root, STR("spec"));
	*status = get_or_make(c, root, STR("status"));
	set(c, root, STR("metadata"), *metadata);
	copy(c, *spec, get(from, STR("spec")), spec_names, COUNT_OF(spec_names));
	copy(c, *status, get(from, STR("status")), status_names, COUNT_OF(status_names));
	return root;
}

/* v1's own field is the first metric of cpu; the others go into an annotation. */
static void spec_to_v1(
	struct converting *c, const struct tree *from, struct tree *spec, struct tree *metadata)
{
	const struct tree *metrics = get(from, STR("metrics")), *behavior;
	struct tree *others = make(c, JSON_ARRAY);

	for (size_t i = 0; metrics && metrics->kind == JSON_ARRAY && i < metrics->len; i++) {
		struct tree *percent = cpu_percent(metrics->items[i], STR("target"));

		if (!percent)
			append(c, others, metrics->items[i]);
		else if (!get(spec, STR("targetCPUUtilizationPercentage")))
			set(c, spec, STR("targetCPUUtilizationPercentage"), percent);
	}
	if (others && others->len > 0)
		annotate(c, metadata, METRICS, metrics_between(c, others, false, true));
	behavior = get(from, STR("behavior"));
	if (behavior && behavior->kind == JSON_OBJECT)
		annotate(c, metadata, BEHAVIOR, behavior_between(c, behavior, true));
}

static void status_to_v1(
	struct converting *c, const struct tree *from, struct tree *status, struct tree *metadata)
{
	const struct tree *metrics = get(from, STR("currentMetrics"));
	const struct tree *conditions = get(from, STR("conditions"));

	for (size_t i = 0; metrics && metrics->kind == JSON_ARRAY && i < metrics->len; i++)
		set(c, status, STR("currentCPUUtilizationPercentage"),
			cpu_percent(metrics->items[i], STR("current")));
	if (metrics && metrics->kind == JSON_ARRAY && metrics->len > 0)
		annotate(c, metadata, CURRENT, metrics_between(c, metrics, true, true));
	if (conditions && conditions->kind == JSON_ARRAY && conditions->len > 0)
		annotate(c, metadata, CONDITIONS, conditions);
}

static int finish(struct converting *c, enum api_type type, struct tree *root, void **to)
{
	if (c->failed)
		return arena_full(c->arena, c->e);
	return object_of_tree(c->arena, api_type(type), root, to, c->e);
}

int autoscaler_to_v1(struct arena *a, const void *from, void *to, struct err *e)
{
	struct converting c = {.arena = a, .e = e};
	struct tree *v2, *metadata, *spec, *status;
	void *made;

	TRY(object_tree(a, from, &v2, e));
	struct tree *root = begin(&c, v2, &metadata, &spec, &status);

	drop_annotations(metadata);
	spec_to_v1(&c, get(v2, STR("spec")), spec, metadata);
	status_to_v1(&c, get(v2, STR("status")), status, metadata);
	TRY(finish(&c, API_AUTOSCALING_V1_HORIZONTAL_POD_AUTOSCALER, root, &made));
	struct object head = *(struct object *)to;

	*(struct autoscaling_v1_horizontal_pod_autoscaler *)to = *(
		struct autoscaling_v1_horizontal_pod_autoscaler *)made;
	*(struct object *)to = head;
	return 0;
}

/* --- the other way */

/* NULL: there is none, or none that is JSON. */
static struct tree *annotation(struct converting *c, const struct tree *metadata, str key)
{
	const struct tree *found = get(get(metadata, STR("annotations")), key);
	struct tree *to = NULL;
	struct err ignored;

	if (!found || tree_read(c->arena, found->text, &to, &ignored) < 0)
		return NULL;
	return to;
}

static struct tree *cpu_metric(
	struct converting *c, str part, struct tree *percent, struct tree **values)
{
	struct tree *one = make(c, JSON_OBJECT), *resource;

	set(c, one, STR("type"), text(c, STR("Resource")));
	resource = get_or_make(c, one, STR("resource"));
	set(c, resource, STR("name"), text(c, STR("cpu")));
	*values = get_or_make(c, resource, part);
	set(c, *values, STR("averageUtilization"), percent);
	return one;
}

static void spec_from_v1(struct converting *c, const struct tree *from, struct tree *spec,
	const struct tree *metadata)
{
	struct tree *percent = get(from, STR("targetCPUUtilizationPercentage")), *values;
	struct tree *others = metadata ? annotation(c, metadata, METRICS) : NULL;
	struct tree *behavior = metadata ? annotation(c, metadata, BEHAVIOR) : NULL;
	struct tree *metrics = others ? metrics_between(c, others, false, false)
				      : make(c, JSON_ARRAY);

	if (!percent && metrics && metrics->len == 0) {
		percent = make(c, JSON_NUMBER);
		if (percent)
			percent->text = arena_fmt(c->arena, "%d", CPU_PERCENT);
	}
	if (percent) {
		append(c, metrics, cpu_metric(c, STR("target"), percent, &values));
		set(c, values, STR("type"), text(c, STR("Utilization")));
	}
	set(c, spec, STR("metrics"), metrics);
	if (behavior && behavior->kind == JSON_OBJECT && behavior->len > 0)
		set(c, spec, STR("behavior"), behavior_between(c, behavior, false));
}

static void status_from_v1(struct converting *c, const struct tree *from, struct tree *status,
	const struct tree *metadata)
{
	struct tree *percent = get(from, STR("currentCPUUtilizationPercentage")), *values;
	struct tree *current = metadata ? annotation(c, metadata, CURRENT) : NULL;
	struct tree *conditions = metadata ? annotation(c, metadata, CONDITIONS) : NULL;
	struct tree *metrics = current ? metrics_between(c, current, true, false)
				       : make(c, JSON_ARRAY);

	if (!current && percent)
		append(c, metrics, cpu_metric(c, STR("current"), percent, &values));
	set(c, status, STR("currentMetrics"), metrics);
	if (conditions && conditions->kind == JSON_ARRAY)
		set(c, status, STR("conditions"), conditions);
}

static int from_v1(struct arena *a, const void *from, bool annotated, void **to, struct err *e)
{
	struct converting c = {.arena = a, .e = e};
	struct tree *v1, *metadata, *spec, *status;

	TRY(object_tree(a, from, &v1, e));
	struct tree *root = begin(&c, v1, &metadata, &spec, &status);
	const struct tree *told = annotated ? metadata : NULL;

	spec_from_v1(&c, get(v1, STR("spec")), spec, told);
	status_from_v1(&c, get(v1, STR("status")), status, told);
	drop_annotations(metadata);
	return finish(&c, API_HORIZONTAL_POD_AUTOSCALER, root, to);
}

int autoscaler_from_v1(struct arena *a, const void *from, void *to, struct err *e)
{
	struct err ignored;
	void *made;

	if (from_v1(a, from, true, &made, &ignored) < 0)
		TRY(from_v1(a, from, false, &made, e));
	object_default(a, made);
	struct object head = *(struct object *)to;

	*(struct horizontal_pod_autoscaler *)to = *(struct horizontal_pod_autoscaler *)made;
	*(struct object *)to = head;
	return 0;
}
