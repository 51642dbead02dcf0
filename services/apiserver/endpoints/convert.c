#include "apiserver/endpoints/convert.h"

#include "api/kinds.h"
#include "apiserver/endpoints/convert_autoscaler.h"
#include "apiserver/storage/storage.h"
#include "lib/schema/object_tree.h"

struct label_pair {
	str request, stored;
};

typedef int convert_fn(struct arena *a, const void *from, void *to, struct err *e);

struct conversion {
	enum api_type request, stored;
	convert_fn *to_request, *from_request;
	const struct label_pair *labels; /* ends with an absent text */
};

static convert_fn event_to_request, event_from_request;

static const struct label_pair event_labels[] = {
	{STR_INIT("regarding.kind"), STR_INIT("involvedObject.kind")},
	{STR_INIT("regarding.namespace"), STR_INIT("involvedObject.namespace")},
	{STR_INIT("regarding.name"), STR_INIT("involvedObject.name")},
	{STR_INIT("regarding.uid"), STR_INIT("involvedObject.uid")},
	{STR_INIT("regarding.apiVersion"), STR_INIT("involvedObject.apiVersion")},
	{STR_INIT("regarding.resourceVersion"), STR_INIT("involvedObject.resourceVersion")},
	{STR_INIT("regarding.fieldPath"), STR_INIT("involvedObject.fieldPath")},
	{STR_INIT("reportingController"), STR_INIT("reportingComponent")},
	{{NULL, 0}, {NULL, 0}},
};

static const struct conversion conversions[] = {
	{API_EVENTS_EVENT, API_EVENT, event_to_request, event_from_request, event_labels},
	{API_AUTOSCALING_V1_HORIZONTAL_POD_AUTOSCALER, API_HORIZONTAL_POD_AUTOSCALER,
		autoscaler_to_v1, autoscaler_from_v1, NULL},
};

static const struct conversion *find(const struct resource *r)
{
	for (size_t i = 0; r && i < COUNT_OF(conversions); i++)
		if (conversions[i].request == r->type)
			return &conversions[i];
	return NULL;
}

static int convert(struct arena *a, enum api_type from, enum api_type to, convert_fn *by,
	void **object, struct err *e)
{
	if (object_type(*object) != &api_schema.types[from])
		return 0;
	void *o = object_new(a, &api_schema.types[to]);

	TRY(by(a, *object, o, e));
	*object = o;
	return 0;
}

/* Between versions of a custom resource: the same members, by the other schema. */
static int convert_custom(struct arena *a, const struct type *to, void **object, struct err *e)
{
	const struct kind *k = type_kind(to);
	struct object *converted;
	void *o;
	str json;

	if (object_type(*object)->schema == to->schema)
		return 0;
	TRY(object_json(a, *object, &json, e));
	TRY(object_decode(a, to, FORMAT_JSON, json, &o, NULL, e));
	converted = o;
	converted->api_version = str_of(to->schema->text + k->api_version);
	object_default(a, o);
	*object = o;
	return 0;
}

/* Neither a Scale nor a Status. */
static bool is_custom(const struct resource *r, const void *object)
{
	return r && r->custom && object_type(object)->schema->sorted;
}

int convert_to_request(struct arena *a, const struct resource *r, void **object, struct err *e)
{
	const struct conversion *c = find(r);

	if (is_custom(r, *object))
		return convert_custom(a, r->custom_type, object, e);
	return c ? convert(a, c->stored, c->request, c->to_request, object, e) : 0;
}

int convert_from_request(struct arena *a, const struct resource *r, void **object, struct err *e)
{
	const struct conversion *c = find(r);

	if (is_custom(r, *object))
		return convert_custom(a, stored_type(r), object, e);
	return c ? convert(a, c->request, c->stored, c->from_request, object, e) : 0;
}

bool converts(const struct resource *r)
{
	return find(r) != NULL || (r->custom && stored_type(r) != r->custom_type);
}

const struct type *stored_type(const struct resource *r)
{
	const struct conversion *c = find(r);

	if (r->custom)
		return r->cache ? storage_type(r) : r->custom_type;
	return api_type(c ? c->stored : r->type);
}

str convert_field_label(const struct resource *r, str path)
{
	const struct conversion *c = find(r);

	for (const struct label_pair *l = c ? c->labels : NULL; l && l->request.at; l++)
		if (str_eq(l->request, path))
			return l->stored;
	return path;
}

static struct events_event_series *series_to(struct event_series *from)
{
	_Static_assert(sizeof(struct event_series) == sizeof(struct events_event_series),
		"both groups' series have the same fields");
	return (struct events_event_series *)(void *)from;
}

static struct event_series *series_from(struct events_event_series *from)
{
	return (struct event_series *)(void *)from;
}

static int event_to_request(
	UNUSED struct arena *a, const void *from, void *to, UNUSED struct err *e)
{
	const struct event *in = from;
	struct events_event *out = to;

	out->metadata = in->metadata;
	out->event_time = in->event_time;
	out->series = series_to(in->series);
	out->reporting_controller = in->reporting_component;
	out->reporting_instance = in->reporting_instance;
	out->action = in->action;
	out->reason = in->reason;
	out->regarding = in->involved_object;
	out->related = in->related;
	out->note = in->message;
	out->type = in->type;
	out->deprecated_source = in->source;
	out->deprecated_first_timestamp = in->first_timestamp;
	out->deprecated_last_timestamp = in->last_timestamp;
	out->deprecated_count = in->count;
	return 0;
}

static int event_from_request(
	UNUSED struct arena *a, const void *from, void *to, UNUSED struct err *e)
{
	const struct events_event *in = from;
	struct event *out = to;

	out->metadata = in->metadata;
	out->event_time = in->event_time;
	out->series = series_from(in->series);
	out->reporting_component = in->reporting_controller;
	out->reporting_instance = in->reporting_instance;
	out->action = in->action;
	out->reason = in->reason;
	out->involved_object = in->regarding;
	out->related = in->related;
	out->message = in->note;
	out->type = in->type;
	out->source = in->deprecated_source;
	out->first_timestamp = in->deprecated_first_timestamp;
	out->last_timestamp = in->deprecated_last_timestamp;
	out->count = in->deprecated_count;
	return 0;
}
