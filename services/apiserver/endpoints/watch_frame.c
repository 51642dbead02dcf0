#include "apiserver/endpoints/watch_frame.h"

#include "apiserver/endpoints/convert.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/table.h"
#include "lib/codec/pb.h"

#include <stdlib.h>

static const str words[] = {
	[WATCH_ADDED] = STR_INIT("ADDED"),
	[WATCH_MODIFIED] = STR_INIT("MODIFIED"),
	[WATCH_DELETED] = STR_INIT("DELETED"),
	[WATCH_BOOKMARK] = STR_INIT("BOOKMARK"),
	[WATCH_ERROR] = STR_INIT("ERROR"),
};

enum { FRAME_LENGTH_BYTES = 4 };

static int frame_of_bytes(
	struct request *r, enum watch_word word, str object, struct frame **to, struct err *e);
static int shown(struct request *r, const struct stored *o, bool first, void **to, struct err *e);
static int at_revision(
	struct arena *a, const struct stored *o, int64_t revision, void **to, struct err *e);

int frame_of_object(
	struct request *r, enum watch_word word, void *object, struct frame **to, struct err *e)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	int result = object_encode(object, r->form.format, &b, e);

	if (result == 0)
		result = frame_of_bytes(r, word, buf_str(&b), to, e);
	buf_free(&b);
	return result;
}

int frame_of_stored(struct request *r, enum watch_word word, const struct stored *o, bool first,
	struct frame **to, struct err *e)
{
	struct stored_json *json;
	void *object;

	if (r->form.as == AS_OBJECT && !converts(r->resource)) {
		if (r->form.format == FORMAT_PROTOBUF && r->resource->stored_as == STORED_PROTOBUF)
			return frame_of_bytes(r, word, o->envelope, to, e);
		if (r->form.format == FORMAT_PROTOBUF) {
			TRY(stored_decode(&r->arena, o, &object, e));
			return frame_of_object(r, word, object, to, e);
		}
		TRY(stored_json(r->endpoints->o.storage, o, READER_OF_ONE, &json, e));
		int result = frame_of_bytes(r, word, json->with_kind, to, e);

		counted_drop(&json->counted);
		return result;
	}
	TRY(shown(r, o, first, &object, e));
	return frame_of_object(r, word, object, to, e);
}

/* What a selector no longer matches goes with its last matching state, at the revision at which it
 * left. */
static int frame_of_leaving(struct request *r, const struct storage_event *ev, bool first,
	struct frame **to, struct err *e)
{
	void *object;

	TRY(at_revision(&r->arena, ev->before, ev->revision, &object, e));
	TRY(convert_to_request(&r->arena, r->resource, &object, e));
	if (r->form.as == AS_METADATA)
		object = metadata_view(&r->arena, object, r->form.as_version);
	if (r->form.as == AS_TABLE) {
		struct table *table;

		TRY(table_of_event(r, object, first, &table, e));
		object = table;
	}
	return frame_of_object(r, WATCH_DELETED, object, to, e);
}

/* Tables differ from watcher to watcher by their columns and options. */
static bool shareable(const struct request *r)
{
	return r->form.as != AS_TABLE;
}

int frame_of_event(struct request *r, enum watch_word word, struct storage_event *ev, bool first,
	struct frame **to, struct err *e)
{
	struct frame_slot *slot = &r->io->frames[(size_t)ev->revision % FRAME_SLOTS];
	bool v1 = str_eq(r->form.as_version, STR("v1"));
	unsigned key = (unsigned)word | (unsigned)r->form.format << 4 | (unsigned)r->form.as << 8 |
		(unsigned)v1 << 12;
	bool leaving = word == WATCH_DELETED && ev->kind != STORAGE_DELETED;
	struct frame *made;

	if (shareable(r) && slot->event == ev && slot->key == key &&
		slot->resource == r->resource) {
		counted_take(&slot->frame->counted);
		*to = slot->frame;
		return 0;
	}
	if (leaving)
		TRY(frame_of_leaving(r, ev, first, &made, e));
	else
		TRY(frame_of_stored(r, word, ev->now, first, &made, e));
	*to = made;
	if (!shareable(r))
		return 0;
	if (slot->event) {
		counted_drop(&((struct storage_event *)slot->event)->counted);
		counted_drop(&slot->frame->counted);
	}
	counted_take(&ev->counted);
	counted_take(&made->counted);
	*slot = (struct frame_slot){
		.event = ev, .key = key, .resource = r->resource, .frame = made};
	return 0;
}

void frames_forget(struct endpoints_io *io)
{
	for (size_t i = 0; i < FRAME_SLOTS; i++) {
		struct frame_slot *slot = &io->frames[i];

		if (!slot->event)
			continue;
		counted_drop(&((struct storage_event *)slot->event)->counted);
		counted_drop(&slot->frame->counted);
		*slot = (struct frame_slot){.event = NULL};
	}
}

static void destroy(struct counted *c)
{
	struct frame *f = CONTAINER_OF(c, struct frame, counted);

	free(f);
}

/* WatchEvent{type, object: RawExtension{raw}} behind its length, big-endian. */
static void put_protobuf(struct buf *b, enum watch_word word, str object)
{
	struct pb_writer w;
	char length[FRAME_LENGTH_BYTES];

	pb_write_start(&w, b);
	size_t inner = pb_mark(&w);

	pb_put_bytes(&w, 1, object);
	pb_put_length(&w, 2, inner);
	pb_put_bytes(&w, 1, words[word]);
	size_t len = pb_mark(&w);

	for (int i = 0; i < FRAME_LENGTH_BYTES; i++)
		length[i] = (char)(len >> (8 * (FRAME_LENGTH_BYTES - 1 - i)));
	pb_put_raw(&w, str_span(length, FRAME_LENGTH_BYTES));
	pb_write_end(&w);
}

static void put_json(struct buf *b, enum watch_word word, str object)
{
	buf_add_str(b, STR("{\"type\":\""));
	buf_add_str(b, words[word]);
	buf_add_str(b, STR("\",\"object\":"));
	buf_add_str(b, object);
	buf_add_str(b, STR("}\n"));
}

static int frame_of_bytes(
	struct request *r, enum watch_word word, str object, struct frame **to, struct err *e)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	if (r->form.format == FORMAT_PROTOBUF)
		put_protobuf(&b, word, object);
	else
		put_json(&b, word, object);
	int result = buf_ok(&b, "the event", e);
	struct frame *f = result == 0 ? malloc(sizeof(*f) + b.len) : NULL;

	if (f) {
		counted_init(&f->counted, destroy);
		memcpy(f + 1, b.at, b.len);
		f->bytes = str_span((const char *)(f + 1), b.len);
		*to = f;
	} else if (result == 0) {
		result = err_set(e, ERR_SYSTEM, "no memory for an event");
	}
	buf_free(&b);
	return result;
}

static int shown(struct request *r, const struct stored *o, bool first, void **to, struct err *e)
{
	struct arena *a = &r->arena;
	struct table *table;
	void *object;

	if (r->form.as == AS_METADATA)
		return metadata_view_stored(
			a, o, r->form.as_version, (struct partial_object_metadata **)to, e);
	TRY(stored_decode(a, o, &object, e));
	TRY(convert_to_request(a, r->resource, &object, e));
	if (r->form.as != AS_TABLE) {
		*to = object;
		return 0;
	}
	TRY(table_of_event(r, object, first, &table, e));
	*to = table;
	return 0;
}

static int at_revision(
	struct arena *a, const struct stored *o, int64_t revision, void **to, struct err *e)
{
	void *object;
	struct buf b;

	TRY(stored_decode(a, o, &object, e));
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_i64(&b, revision);
	object_metadata(object)->resource_version = arena_str(a, buf_str(&b));
	buf_free(&b);
	*to = object;
	return 0;
}
