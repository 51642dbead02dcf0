/*
 * GET of one object; what all reads share.
 */
#include "apiserver/endpoints/convert.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/request.h"
#include "apiserver/endpoints/scale.h"

static void fresh(struct storage_wait *w, const struct err *why);
static void answer(struct request *r);
static int show(struct request *r, struct stored *o, struct err *e);

void handle_get(struct request *r)
{
	struct err e;
	str version = url_query_get(&r->query, STR("resourceVersion"));
	int64_t revision;

	if (revision_read(&r->arena, version, false, &revision, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	if (version.len && revision == 0) {
		answer(r);
		return;
	}
	r->wait = (struct storage_wait){.done = fresh, .loop = r->io->loop, .revision = revision};
	storage_wait(r->endpoints->o.storage, &r->wait);
}

static void fresh(struct storage_wait *w, const struct err *why)
{
	struct request *r = CONTAINER_OF(w, struct request, wait);
	struct err e;

	if (why) {
		fail_wait(r, w->revision, why, &e);
		request_fail(r, &e);
		return;
	}
	answer(r);
}

static void answer(struct request *r)
{
	struct stored *o = storage_get(
		r->endpoints->o.storage, r->resource, request_ns(r), r->info.name);
	struct err e;

	if (!o) {
		status_not_found(&r->arena, &e, request_subject(r));
		request_fail(r, &e);
		return;
	}
	int result = show(r, o, &e);

	counted_drop(&o->counted);
	if (result < 0)
		request_fail(r, &e);
	else
		request_send(r);
}

/* Bytes that the cache has are sent as they are. */
static int show_bytes(struct request *r, struct stored *o, struct err *e)
{
	struct stored_json *json;

	r->answer.code = 200;
	if (r->form.format == FORMAT_PROTOBUF) {
		counted_take(&o->counted);
		r->answer.owner = &o->counted;
		r->answer.shared = o->envelope;
		return 0;
	}
	TRY(stored_json(r->endpoints->o.storage, o, READER_OF_ONE, &json, e));
	r->answer.owner = &json->counted;
	r->answer.shared = json->with_kind;
	return 0;
}

/* Protobuf of what is held as JSON. */
static bool is_other_form(const struct request *r)
{
	return r->form.format == FORMAT_PROTOBUF && r->resource->stored_as == STORED_JSON;
}

static int show(struct request *r, struct stored *o, struct err *e)
{
	struct partial_object_metadata *view;
	void *object;

	if (!r->sub && r->form.as == AS_OBJECT && !r->form.pretty &&
		r->form.format != FORMAT_YAML && !converts(r->resource) && !is_other_form(r))
		return show_bytes(r, o, e);
	if (!r->sub && r->form.as == AS_METADATA) {
		TRY(metadata_view_stored(&r->arena, o, r->form.as_version, &view, e));
		r->form.as = AS_OBJECT;
		return answer_object(r, 200, view, e);
	}
	TRY(stored_decode(&r->arena, o, &object, e));
	if (r->sub && str_eq(r->sub->name, STR("scale")))
		object = scale_of(&r->arena, r->resource, object);
	return answer_object(r, 200, object, e);
}

/* --- shared by reads */

int fail_wait(struct request *r, int64_t revision, const struct err *why, struct err *e)
{
	struct arena *a = &r->arena;

	if (why->kind == ERR_TIMEOUT && revision > 0) {
		int64_t current = 0;

		snapshot_drop(storage_snapshot(r->endpoints->o.storage, r->resource, &current));
		status_fail(a, e, STATUS_TIMEOUT,
			"Timeout: Too large resource version: %lld, current: %lld",
			(long long)revision, (long long)current);
		status_add_cause(a, e, STR("ResourceVersionTooLarge"),
			STR("Too large resource version"), STR(""));
		status_retry_after(a, e, 1);
		return -1;
	}
	if (why->kind == ERR_GONE)
		return status_fail(a, e, STATUS_EXPIRED, "%s", why->text);
	status_fail(a, e, why->kind == ERR_TIMEOUT ? STATUS_TIMEOUT : STATUS_SERVER_TIMEOUT, "%s",
		why->text);
	status_retry_after(a, e, 1);
	return -1;
}

bool selection_matches(const struct selection *s, const struct stored *o)
{
	struct registry_selection rest = {&s->labels, &s->fields};

	if (s->ns.at && !str_eq(s->ns, o->ns))
		return false;
	if (s->name.at && !str_eq(s->name, o->name))
		return false;
	return registry_selects(&rest, o);
}
