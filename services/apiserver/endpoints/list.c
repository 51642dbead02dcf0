/*
 * LIST: which moment of the resource (api-concepts, "resource versions"; KEP-2340, KEP-4988), which
 * page of it, and the bytes. Items whose bytes the cache holds are copied, not encoded again.
 */
#include "apiserver/endpoints/continue_token.h"
#include "apiserver/endpoints/convert.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/request.h"
#include "apiserver/endpoints/table.h"
#include "lib/codec/pb.h"
#include "lib/schema/envelope.h"

struct listing {
	struct request *r;
	struct list_options *options;
	struct selection selection;
	struct snapshot *snapshot;
	int64_t revision;
	int64_t limit; /* 0: none */
	str after;
	bool from_token;
	const struct stored **items; /* borrowed from the snapshot */
	void **objects;              /* in their place: decoded, of the stored version */
	size_t count, cap;
	struct list_meta meta;
};

static int prepare(struct request *r, struct listing **to, struct err *e);
static void begin(struct listing *l);
static void fresh(struct storage_wait *w, const struct err *why);
static void finish(struct listing *l);
static int work_at_revision(struct request *r, struct err *e);
static int pick(struct listing *l, struct err *e);
static int write_list(struct listing *l, struct err *e);
static int write_items(struct listing *l, struct err *e);

void handle_list(struct request *r)
{
	struct listing *l;
	struct err e;

	if (prepare(r, &l, &e) < 0)
		request_fail(r, &e);
	else
		begin(l);
}

int answer_list(struct request *r, const struct object_list *objects, struct err *e)
{
	struct listing l = {.r = r, .objects = objects->at, .count = objects->len};

	return write_items(&l, e);
}

static int read_token(struct listing *l, struct err *e)
{
	struct arena *a = &l->r->arena;
	struct continue_token t;
	struct err why;

	if (continue_token_read(a, l->options->continue_, &t, &why) < 0)
		return status_fail(
			a, e, STATUS_BAD_REQUEST, "invalid continue token: %s", why.text);
	if (l->options->resource_version.len && !str_eq(l->options->resource_version, STR("0")))
		return status_fail(a, e, STATUS_BAD_REQUEST,
			"specifying resource version is not allowed when using continue");
	l->after = t.after;
	if (l->selection.ns.at)
		l->after = arena_fmt(a, "%.*s/%.*s", STR_ARG(l->selection.ns), STR_ARG(t.after));
	l->revision = t.revision;
	l->from_token = true;
	return 0;
}

static int prepare(struct request *r, struct listing **to, struct err *e)
{
	struct listing *l = arena_get(&r->arena, sizeof(*l));
	const struct type *t = &api_schema.types[API_LIST_OPTIONS];

	l->r = r;
	TRY(options_from_query(&r->arena, t, &r->query, (void **)&l->options, e));
	TRY(list_options_check(&r->arena, l->options, e));
	TRY(selection_read(
		&r->arena, r->resource, l->options, request_ns(r), r->info.name, &l->selection, e));
	TRY(revision_read(&r->arena, l->options->resource_version, &l->revision, e));
	if (l->options->continue_.len)
		TRY(read_token(l, e));
	l->limit = l->options->limit > 0 ? l->options->limit : 0;
	/* "Any moment will do" has never been served in pages. */
	if (str_eq(l->options->resource_version, STR("0")) && !l->from_token)
		l->limit = 0;
	r->state = l;
	*to = l;
	return 0;
}

/* One moment and no other: of a token, of resourceVersionMatch=Exact, and of a page that names a
 * revision without saying how it is to be matched. */
static bool wants_exact(const struct listing *l)
{
	str match = l->options->resource_version_match;

	if (l->from_token)
		return l->revision > 0;
	return str_eq(match, STR("Exact")) || (l->revision > 0 && l->limit && match.len == 0);
}

static void begin(struct listing *l)
{
	struct request *r = l->r;
	bool any = str_eq(l->options->resource_version, STR("0")) && !l->from_token;

	if (any) {
		finish(l);
		return;
	}
	r->wait = (struct storage_wait){
		.done = fresh, .loop = r->io->loop, .revision = l->revision > 0 ? l->revision : 0};
	storage_wait(r->endpoints->o.storage, &r->wait);
}

static void fresh(struct storage_wait *w, const struct err *why)
{
	struct request *r = CONTAINER_OF(w, struct request, wait);
	struct listing *l = r->state;
	struct err e;

	if (why) {
		fail_wait(r, w->revision, why, &e);
		request_fail(r, &e);
	} else if (wants_exact(l)) {
		request_work(r, work_at_revision);
	} else {
		finish(l);
	}
}

static void finish(struct listing *l)
{
	struct request *r = l->r;
	struct err e;

	l->snapshot = storage_snapshot(r->endpoints->o.storage, r->resource, &l->revision);
	int result = write_list(l, &e);

	snapshot_drop(l->snapshot);
	if (result < 0)
		request_fail(r, &e);
	else
		request_send(r);
}

/* A token whose moment is gone: the client may go on with a newer one if he can bear it. */
static int expired(struct listing *l, struct err *e)
{
	struct arena *a = &l->r->arena;
	struct continue_token t = {.revision = -1, .after = l->after};

	if (!l->from_token)
		return status_fail(a, e, STATUS_EXPIRED,
			"The resourceVersion for the provided list is too old.");
	if (l->selection.ns.at)
		t.after = str_slice(l->after, l->selection.ns.len + 1, l->after.len);
	status_fail(a, e, STATUS_EXPIRED,
		"The provided continue parameter is too old to display a consistent list result. "
		"You can start a new list without the continue parameter, or use the continue "
		"token in this response to retrieve the remainder of the results. Continuing with "
		"the provided token results in an inconsistent list - objects that were created, "
		"modified, or deleted between the time the first chunk was returned and now may "
		"show up in the list.");
	status_detail(e)->metadata.continue_ = continue_token_write(a, &t);
	return -1;
}

static int work_at_revision(struct request *r, struct err *e)
{
	struct listing *l = r->state;
	struct err why;

	if (storage_snapshot_at(
		    r->endpoints->o.storage, r->resource, l->revision, &l->snapshot, &why) < 0)
		return why.kind == ERR_GONE ? expired(l, e) : fail_wait(r, l->revision, &why, e);
	int result = write_list(l, e);

	snapshot_drop(l->snapshot);
	return result;
}

/* --- which */

/* Right in front of the name that the selection fixes: nothing sorts between. */
static str start_of_name(struct listing *l)
{
	struct arena *a = &l->r->arena;
	str ns = l->r->resource->namespaced ? l->selection.ns : STR(""), name = l->selection.name;

	if (l->r->resource->namespaced && !ns.at)
		return l->after;
	str before = arena_fmt(a, "%.*s%s%.*s%c", STR_ARG(ns), ns.len ? "/" : "",
		(int)(name.len - 1), name.at, name.at[name.len - 1] - 1);
	char *key = arena_get(a, before.len + 1);

	memcpy(key, before.at, before.len);
	key[before.len] = (char)0xff;
	return str_span(key, before.len + 1);
}

static void end_page(struct listing *l, struct snapshot_walk *w)
{
	struct arena *a = &l->r->arena;
	const struct stored *last = l->items[l->count - 1];
	bool in_ns = l->selection.ns.at != NULL;
	struct continue_token t = {.revision = l->revision, .after = last->name};
	int64_t rest = 1;

	if (l->r->resource->namespaced && !in_ns)
		t.after = arena_fmt(a, "%.*s/%.*s", STR_ARG(last->ns), STR_ARG(last->name));
	l->meta.continue_ = continue_token_write(a, &t);
	snapshot_keep(l->snapshot);
	if (l->selection.labels.len || l->selection.fields.len)
		return;
	while (snapshot_next(w))
		rest++;
	l->meta.remaining_item_count = arena_i64(a, rest);
}

static int pick(struct listing *l, struct err *e)
{
	struct arena *a = &l->r->arena;
	bool named = l->selection.name.len && l->after.len == 0;
	str after = named ? start_of_name(l) : l->after;
	struct snapshot_walk w = snapshot_walk(l->snapshot, l->selection.ns, after);
	bool all = !l->selection.labels.len && !l->selection.fields.len && !l->selection.name.len;

	for (const struct stored *o; (o = snapshot_next(&w));) {
		if (!all && !selection_matches(&l->selection, o)) {
			if (named && after.len && str_cmp(o->name, l->selection.name) > 0)
				break;
			continue;
		}
		if (l->limit && (int64_t)l->count == l->limit) {
			end_page(l, &w);
			break;
		}
		if (arena_grow(a, (void **)&l->items, l->count, &l->cap, sizeof(o)) < 0)
			return arena_full(a, e);
		l->items[l->count++] = o;
	}
	struct buf number;

	buf_init(&number, BUF_NO_LIMIT);
	buf_add_i64(&number, l->revision);
	l->meta.resource_version = arena_str(a, buf_str(&number));
	buf_free(&number);
	return 0;
}

/* --- how */

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
	return l->r->form.as == AS_OBJECT && !l->objects && !converts(l->r->resource);
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
		TRY(stored_json(r->endpoints->o.storage, l->items[i], &json, e));
		buf_add_char(to, '{');
		buf_add_str(to, json->rest);
		counted_drop(&json->counted);
		return 0;
	}
	TRY(get_view(l, i, (void **)&object, e));
	if (r->form.as == AS_OBJECT)
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
	return arena_fmt(&l->r->arena, "%.*sList", STR_ARG(r->resource->kind));
}

static int write_json(struct listing *l, struct buf *to, struct err *e)
{
	str api_version, kind = list_kind(l, &api_version);

	buf_add_fmt(to, "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\",", STR_ARG(kind),
		STR_ARG(api_version));
	TRY(put_meta(to, &l->meta, e));
	buf_add_str(to, STR(",\"items\":["));
	for (size_t i = 0; i < l->count; i++) {
		if (i)
			buf_add_char(to, ',');
		TRY(put_json_item(l, i, to, e));
	}
	buf_add_str(to, STR("]}\n"));
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

static int write_list(struct listing *l, struct err *e)
{
	TRY(pick(l, e));
	return write_items(l, e);
}

static int write_items(struct listing *l, struct err *e)
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
