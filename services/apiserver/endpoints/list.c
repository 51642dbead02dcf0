/*
 * LIST: which moment of the resource (api-concepts, "resource versions"; KEP-2340, KEP-4988), which
 * page of it, and the bytes. Items whose bytes the cache holds are copied, not encoded again.
 */
#include "apiserver/endpoints/list.h"

#include "apiserver/endpoints/continue_token.h"

static int prepare(struct request *r, struct listing **to, struct err *e);
static void begin(struct listing *l);
static void fresh(struct storage_wait *w, const struct err *why);
static void answer(struct request *r);
static int work_at_revision(struct request *r, struct err *e);
static int pick(struct listing *l, struct err *e);

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

	return list_write(&l, e);
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
	TRY(revision_read(&r->arena, l->options->resource_version, true, &l->revision, e));
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
		answer(r);
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
		r->after = answer;
		request_work(r, work_at_revision);
	} else {
		answer(r);
	}
}

/* What the snapshot holds, in one piece or as a stream. */
static void answer(struct request *r)
{
	struct listing *l = r->state;
	struct err e;

	if (!l->snapshot)
		l->snapshot = storage_snapshot(r->endpoints->o.storage, r->resource, &l->revision);
	int result = pick(l, &e);

	if (result == 0 && list_streams(l)) {
		list_stream(l);
		return;
	}
	if (result == 0)
		result = list_write(l, &e);
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
		    r->endpoints->o.storage, r->resource, l->revision, &l->snapshot, &why) == 0)
		return 0;
	return why.kind == ERR_GONE ? expired(l, e) : fail_wait(r, l->revision, &why, e);
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
