/*
 * Formats: which reader and writer serve one, the envelope around protobuf, YAML by way of JSON.
 */
#include "lib/codec/json.h"
#include "lib/codec/pb.h"
#include "lib/codec/yaml.h"
#include "lib/schema/envelope.h"

static int decode_envelope(struct arena *a, const struct type *t, str in, void *o, struct err *e);

static int decode_yaml(
	struct arena *a, const struct type *t, str in, void *o, struct notes *n, struct err *e);
static int encode_yaml(const struct type *t, const void *o, struct buf *to, struct err *e);

static int decode(struct arena *a, const struct type *t, enum format f, str in, void *o,
	struct notes *n, struct err *e)
{
	switch (f) {
	case FORMAT_JSON: return json_decode_struct(a, t, in, o, n, e);
	case FORMAT_YAML: return decode_yaml(a, t, in, o, n, e);
	case FORMAT_PROTOBUF: return decode_envelope(a, t, in, o, e);
	case FORMAT_PROTOBUF_BARE: return pb_decode_struct(a, t, in, o, e);
	}
	__builtin_unreachable();
}

int object_decode(struct arena *a, const struct type *t, enum format f, str in, void **out,
	struct notes *n, struct err *e)
{
	void *o = arena_try(a, t->size_bytes);

	if (!o)
		return arena_full(a, e);
	begin_struct(t, o); /* "null" decodes to an object with nothing in it, too */
	TRY(decode(a, t, f, in, o, n, e));
	*out = o;
	return 0;
}

int object_encode(const void *o, enum format f, struct buf *to, struct err *e)
{
	const struct object *head = o;

	if (f == FORMAT_PROTOBUF)
		return struct_wrap(head->type, o, head->api_version, head->kind, to, e);
	return struct_encode(head->type, o, f, to, e);
}

int struct_wrap(const struct type *t, const void *o, str api_version, str kind, struct buf *to,
	struct err *e)
{
	pb_encode_wrapped(t, o, api_version, kind, to);
	return buf_ok(to, "the protobuf message", e);
}

int struct_encode(const struct type *t, const void *o, enum format f, struct buf *to, struct err *e)
{
	switch (f) {
	case FORMAT_JSON: json_encode_struct(t, o, to); return buf_ok(to, "the JSON text", e);
	case FORMAT_YAML: return encode_yaml(t, o, to, e);
	case FORMAT_PROTOBUF_BARE:
		pb_encode_struct(t, o, to);
		return buf_ok(to, "the protobuf message", e);
	case FORMAT_PROTOBUF:
		return err_set(e, ERR_UNSUPPORTED, "%s has no kind for a protobuf envelope",
			type_go_name(t));
	}
	__builtin_unreachable();
}

static int read_type_meta(str in, str *api_version, str *kind, struct err *e)
{
	struct pb_reader r = pb_read(in);

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (f.wire != PB_BYTES)
			continue;
		if (f.number == ENVELOPE_API_VERSION)
			*api_version = f.bytes;
		else if (f.number == ENVELOPE_KIND)
			*kind = f.bytes;
	}
	return 0;
}

int object_open(str in, str *api_version, str *kind, str *message, struct err *e)
{
	str version = {NULL, 0}, name = version, raw = str_span(object_empty, 0);

	if (!str_starts(in, ENVELOPE_MAGIC))
		return err_set(e, ERR_INVALID,
			"provided data does not appear to be a protobuf message, "
			"expected prefix [107 56 115 0]");
	struct pb_reader r = pb_read(str_slice(in, ENVELOPE_MAGIC.len, in.len));

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (f.wire != PB_BYTES)
			continue;
		if (f.number == ENVELOPE_TYPE)
			TRY(read_type_meta(f.bytes, &version, &name, e));
		else if (f.number == ENVELOPE_RAW)
			raw = f.bytes;
	}
	*api_version = version;
	*kind = name;
	*message = raw;
	return 0;
}

static int decode_envelope(struct arena *a, const struct type *t, str in, void *o, struct err *e)
{
	str api_version, kind, message;

	TRY(object_open(in, &api_version, &kind, &message, e));
	TRY(pb_decode_struct(a, t, message, o, e));
	if (t->flags & TYPE_OBJECT) {
		struct object *head = o;

		head->api_version = api_version;
		head->kind = kind;
	}
	return 0;
}

static int decode_yaml(
	struct arena *a, const struct type *t, str in, void *o, struct notes *n, struct err *e)
{
	str json, duplicates = {NULL, 0};

	TRY(yaml_to_json(a, in, &json, n ? &duplicates : NULL, e));
	if (duplicates.at)
		TRY(notes_add(n, duplicates, e));
	return json_decode_struct(a, t, json, o, n, e);
}

static int put_yaml(struct arena *a, str json, struct buf *to, struct err *e)
{
	struct json_item root;

	TRY(json_parse(a, json, &root, e));
	TRY(yaml_put_item(a, to, &root, e));
	return buf_ok(to, "the YAML text", e);
}

static int encode_yaml(const struct type *t, const void *o, struct buf *to, struct err *e)
{
	struct buf json;
	struct arena a;

	buf_init(&json, JSON_TEXT_MAX);
	arena_init(&a, ARENA_NO_LIMIT);
	json_encode_struct(t, o, &json);
	int result = buf_ok(&json, "the JSON text", e);

	if (result == 0)
		result = put_yaml(&a, buf_str(&json), to, e);
	arena_free(&a);
	buf_free(&json);
	return result;
}
