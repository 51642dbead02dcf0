#include "apiserver/endpoints/metadata_view.h"

#include "api/kinds.h"
#include "lib/codec/pb.h"

static str message_of_metadata(str message);

static void name_kind(struct partial_object_metadata *view, str version)
{
	bool v1 = str_eq(version, STR("v1"));

	view->object.kind = STR("PartialObjectMetadata");
	view->object.api_version = v1 ? STR("meta.k8s.io/v1") : STR("meta.k8s.io/v1beta1");
}

void *metadata_view(struct arena *a, void *object, str version)
{
	const struct object_meta *m = object_metadata(object);

	if (!m)
		return object;
	struct partial_object_metadata *view = object_new(
		a, &api_schema.types[API_PARTIAL_OBJECT_METADATA]);

	view->metadata = *m;
	name_kind(view, version);
	return view;
}

int metadata_view_stored(struct arena *a, const struct stored *o, str version,
	struct partial_object_metadata **to, struct err *e)
{
	const struct type *t = &api_schema.types[API_PARTIAL_OBJECT_METADATA];
	str api_version, kind, message;
	void *view;

	if (o->resource->stored_as == STORED_JSON) {
		TRY(object_decode(a, t, FORMAT_JSON, o->envelope, &view, NULL, e));
		name_kind(view, version);
		*to = view;
		return 0;
	}
	TRY(object_open(o->envelope, &api_version, &kind, &message, e));
	TRY(object_decode(
		a, t, FORMAT_PROTOBUF_BARE, message_of_metadata(message), &view, NULL, e));
	name_kind(view, version);
	*to = view;
	return 0;
}

/* Every kind's field 1 is its metadata and comes first: up to there it is such a message. */
static str message_of_metadata(str message)
{
	struct pb_reader r = pb_read(message);
	struct pb_field f;
	struct err broken;

	if (!pb_more(&r) || pb_next(&r, &f, &broken) < 0 || f.number != 1)
		return STR("");
	return str_span(message.at, (size_t)(r.at - message.at));
}
