/*
 * The bytes of a list. Items whose bytes the cache holds are copied, not encoded again.
 */
#include "apiserver/endpoints/list.h"

#include "apiserver/endpoints/convert.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/table.h"
#include "lib/codec/pb.h"
#include "lib/schema/envelope.h"

enum { STREAM_FROM_ITEMS = 128 };

static int write_json(struct listing *l, struct buf *to, struct err *e);
static int write_protobuf(struct listing *l, struct buf *to, struct err *e);
static int write_table(struct listing *l, struct err *e);
static bool as_cached(const struct listing *l);
static int put_json_item(struct listing *l, size_t i, struct buf *to, struct err *e);
static int put_json_head(struct listing *l, struct buf *to, struct err *e);
static int put_protobuf_head(struct listing *l, struct buf *to, struct err *e);
static int item_message(struct listing *l, size_t i, struct buf *made, str *to, struct err *e);

int list_write(struct listing *l, struct err *e)
{
	struct request *r = l->r;
	struct buf text;

	if (r->form.as == AS_TABLE)
		return write_table(l, e);
	r->answer.code = 200;
	if (r->form.format == FORMAT_PROTOBUF)
		return write_protobuf(l, &r->answer.body, e);
	if (r->form.format == FORMAT_JSON && !r->form.pretty)
		return write_json(l, &r->answer.body, e);
	buf_init(&text, BUF_NO_LIMIT);
	int result = write_json(l, &text, e);

	if (result == 0) {
		text.len--; /* answer_json ends lines itself */
		result = answer_json(r, 200, buf_str(&text), e);
	}
	buf_free(&text);
	return result;
}

/* Protobuf says lengths first, which only stored messages have without being encoded. */
bool list_streams(const struct listing *l)
{
	const struct answer_form *f = &l->r->form;

	if (l->count < STREAM_FROM_ITEMS || f->as == AS_TABLE)
		return false;
	return f->format == FORMAT_JSON ? !f->pretty : f->format == FORMAT_PROTOBUF && as_cached(l);
}

int list_put_head(struct listing *l, struct buf *to, struct err *e)
{
	return l->r->form.format == FORMAT_JSON ? put_json_head(l, to, e)
						: put_protobuf_head(l, to, e);
}

/* The head of a message that follows; streams are written forwards. */
static void put_length(struct buf *to, uint32_t number, uint64_t length)
{
	buf_add_char(to, (char)(number << 3 | PB_BYTES));
	for (; length >= 0x80; length >>= 7)
		buf_add_char(to, (char)(length | 0x80));
	buf_add_char(to, (char)length);
}

static void put_message(struct buf *to, uint32_t number, str message)
{
	put_length(to, number, message.len);
	buf_add_str(to, message);
}

int list_put_item(struct listing *l, size_t i, struct buf *to, struct err *e)
{
	str message;

	if (l->r->form.format == FORMAT_JSON) {
		if (i)
			buf_add_char(to, ',');
		return put_json_item(l, i, to, e);
	}
	TRY(item_message(l, i, NULL, &message, e));
	put_message(to, 2, message);
	return 0;
}

void list_put_tail(const struct listing *l, struct buf *to)
{
	if (l->r->form.format == FORMAT_JSON) {
		buf_add_str(to, STR("]}\n"));
		return;
	}
	put_message(to, ENVELOPE_CONTENT_ENCODING, STR(""));
	put_message(to, ENVELOPE_CONTENT_TYPE, STR(""));
}

static int get_object(struct listing *l, size_t i, void **to, struct err *e)
{
	struct request *r = l->r;
	void *object;

	if (l->objects)
		object = l->objects[i];
	else
		TRY(stored_decode(&r->arena, l->items[i], &object, e));
	TRY(convert_to_request(&r->arena, r->resource, &object, e));
	*to = object;
	return 0;
}

/* Whether an item is more than its bytes in the cache. */
static int get_view(struct listing *l, size_t i, void **to, struct err *e)
{
	struct request *r = l->r;

	if (r->form.as != AS_OBJECT && !l->objects)
		return metadata_view_stored(&r->arena, l->items[i], r->form.as_version,
			(struct partial_object_metadata **)to, e);
	TRY(get_object(l, i, to, e));
	if (r->form.as != AS_OBJECT)
		*to = metadata_view(&r->arena, *to, r->form.as_version);
	return 0;
}

static bool as_cached(const struct listing *l)
{
	const struct request *r = l->r;

	return r->form.as == AS_OBJECT && !l->objects && !converts(r->resource) &&
		(r->form.format != FORMAT_PROTOBUF || r->resource->stored_as == STORED_PROTOBUF);
}

static int put_meta(struct buf *to, const struct list_meta *m, struct err *e)
{
	buf_add_str(to, STR("\"metadata\":"));
	return struct_encode(&api_schema.types[API_LIST_META], m, FORMAT_JSON, to, e);
}

/* Items of built-in kinds do not say what they are; those of metadata do. */
static int put_json_item(struct listing *l, size_t i, struct buf *to, struct err *e)
{
	struct request *r = l->r;
	struct stored_json *json;
	struct object *object;

	if (as_cached(l)) {
		TRY(stored_json(r->endpoints->o.storage, l->items[i], READER_OF_LIST, &json, e));
		buf_add_char(to, '{');
		buf_add_str(to, json->rest);
		counted_drop(&json->counted);
		return 0;
	}
	TRY(get_view(l, i, (void **)&object, e));
	if (r->form.as == AS_OBJECT && !r->resource->custom)
		object->kind = object->api_version = (str){NULL, 0};
	return object_encode(object, FORMAT_JSON, to, e);
}

static str list_kind(struct listing *l, str *api_version)
{
	const struct request *r = l->r;

	if (r->form.as != AS_OBJECT) {
		*api_version = str_eq(r->form.as_version, STR("v1")) ? STR("meta.k8s.io/v1")
								     : STR("meta.k8s.io/v1beta1");
		return STR("PartialObjectMetadataList");
	}
	*api_version = r->resource->group.len
		? arena_fmt(&l->r->arena, "%.*s/%.*s", STR_ARG(r->resource->group),
			  STR_ARG(r->resource->version))
		: r->resource->version;
	if (r->resource->list_kind.len)
		return r->resource->list_kind;
	return arena_fmt(&l->r->arena, "%.*sList", STR_ARG(r->resource->kind));
}

static int put_json_head(struct listing *l, struct buf *to, struct err *e)
{
	str api_version, kind = list_kind(l, &api_version);

	buf_add_fmt(to, "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\",", STR_ARG(kind),
		STR_ARG(api_version));
	TRY(put_meta(to, &l->meta, e));
	buf_add_str(to, STR(",\"items\":["));
	return 0;
}

static int write_json(struct listing *l, struct buf *to, struct err *e)
{
	TRY(put_json_head(l, to, e));
	for (size_t i = 0; i < l->count; i++)
		TRY(list_put_item(l, i, to, e));
	list_put_tail(l, to);
	return buf_ok(to, "the list", e);
}

/* The message of an item: a slice of what is stored, unless it is to look otherwise. */
static int item_message(struct listing *l, size_t i, struct buf *made, str *to, struct err *e)
{
	str api_version, kind;
	void *object;

	if (as_cached(l))
		return object_open(l->items[i]->envelope, &api_version, &kind, to, e);
	TRY(get_view(l, i, &object, e));
	buf_reset(made);
	TRY(object_encode(object, FORMAT_PROTOBUF_BARE, made, e));
	*to = buf_str(made);
	return 0;
}

/* Backwards, as the writer goes: the last item first. */
static int put_messages(struct listing *l, struct pb_writer *w, struct err *e)
{
	struct buf made, meta;
	str message;
	int result = 0;

	buf_init(&made, BUF_NO_LIMIT);
	buf_init(&meta, BUF_NO_LIMIT);
	for (size_t i = l->count; i > 0 && result == 0; i--) {
		result = item_message(l, i - 1, &made, &message, e);
		if (result == 0)
			pb_put_bytes(w, 2, message);
	}
	if (result == 0)
		result = struct_encode(
			&api_schema.types[API_LIST_META], &l->meta, FORMAT_PROTOBUF_BARE, &meta, e);
	if (result == 0)
		pb_put_bytes(w, 1, buf_str(&meta));
	buf_free(&made);
	buf_free(&meta);
	return result;
}

static int write_protobuf(struct listing *l, struct buf *to, struct err *e)
{
	str api_version, kind = list_kind(l, &api_version);
	struct pb_writer w;

	pb_write_start(&w, to);
	pb_put_bytes(&w, ENVELOPE_CONTENT_TYPE, STR(""));
	pb_put_bytes(&w, ENVELOPE_CONTENT_ENCODING, STR(""));
	size_t mark = pb_mark(&w);

	TRY(put_messages(l, &w, e));
	pb_put_length(&w, ENVELOPE_RAW, mark);
	mark = pb_mark(&w);
	pb_put_bytes(&w, ENVELOPE_KIND, kind);
	pb_put_bytes(&w, ENVELOPE_API_VERSION, api_version);
	pb_put_length(&w, ENVELOPE_TYPE, mark);
	pb_put_raw(&w, ENVELOPE_MAGIC);
	pb_write_end(&w);
	return buf_ok(to, "the list", e);
}

/* Up to the items: the envelope's head, how long the list is, its metadata. */
static int put_protobuf_head(struct listing *l, struct buf *to, struct err *e)
{
	str api_version, kind = list_kind(l, &api_version), message;
	struct buf meta, type;
	size_t len = 0;

	buf_init(&meta, BUF_NO_LIMIT);
	buf_init(&type, BUF_NO_LIMIT);
	int result = struct_encode(
		&api_schema.types[API_LIST_META], &l->meta, FORMAT_PROTOBUF_BARE, &meta, e);

	for (size_t i = 0; i < l->count && result == 0; i++) {
		result = item_message(l, i, NULL, &message, e);
		if (result == 0)
			len += 1 + pb_varint_bytes(message.len) + message.len;
	}
	if (result == 0) {
		len += 1 + pb_varint_bytes(meta.len) + meta.len;
		put_message(&type, ENVELOPE_API_VERSION, api_version);
		put_message(&type, ENVELOPE_KIND, kind);
		buf_add_str(to, ENVELOPE_MAGIC);
		put_message(to, ENVELOPE_TYPE, buf_str(&type));
		put_length(to, ENVELOPE_RAW, len);
		put_message(to, 1, buf_str(&meta));
	}
	buf_free(&meta);
	buf_free(&type);
	return result;
}

static int write_table(struct listing *l, struct err *e)
{
	struct request *r = l->r;
	struct table *table;
	void *object;

	TRY(table_new(r, &table, e));
	table->metadata = l->meta;
	for (size_t i = 0; i < l->count; i++) {
		TRY(get_object(l, i, &object, e));
		TRY(table_add(r, table, object, e));
	}
	r->form.as = AS_OBJECT;
	return answer_object(r, 200, table, e);
}
