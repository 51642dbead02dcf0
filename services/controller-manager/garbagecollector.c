/*
 * garbage-collector-controller: objects whose owners are gone go too; foreground and orphan
 * deletion are carried out.
 * Source: pkg/controller/garbagecollector.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/discovery.h"
#include "controller-manager/graph.h"
#include "controller-manager/monitors.h"
#include "controller-manager/objects.h"
#include "lib/api/status.h"
#include "lib/base/log.h"
#include "lib/codec/json.h"

#include <pthread.h>
#include <stdlib.h>

enum { TRY_DELETE, ORPHAN, DISCOVER };

#define FOREGROUND_FINALIZER STR("foregroundDeletion")
#define ORPHAN_FINALIZER     STR("orphan")
#define DISCOVER_KEY         STR("discover")

struct collector;

struct collector {
	struct graph_sink sink;
	struct controller_run *run;
	pthread_mutex_t lock; /* of the graph */
	struct graph *graph;
	struct monitor_listener listener;
	struct monitors *monitors;
};

/* A node as it was when the pass began. */
struct item {
	struct graph_identity id;
	bool is_virtual, being_deleted, deleting_dependents;
	struct item *dependents;
	size_t dependent_count;
	bool blocks; /* a dependent: the owner's deletion */
};

static void object_changed(
	struct monitor_listener *l, const struct monitor *m, const void *before, const void *now);
static int follow(struct pass *p, struct err *e);
static int try_delete(struct pass *p, struct err *e);
static int orphan(struct pass *p, struct err *e);

/* --- what the graph says, with its lock held */

static struct collector *of(struct graph_sink *s)
{
	return CONTAINER_OF(s, struct collector, sink);
}

static void sink_try_delete(struct graph_sink *s, str uid)
{
	run_add(of(s)->run, TRY_DELETE, uid);
}

static void sink_try_delete_later(struct graph_sink *s, str uid)
{
	queue_add_limited(of(s)->run->lines[TRY_DELETE].queue, uid);
}

static void sink_orphan(struct graph_sink *s, str uid)
{
	run_add(of(s)->run, ORPHAN, uid);
}

static void sink_wrong_namespace(
	struct graph_sink *s, const struct graph_node *n, const struct graph_reference *owner)
{
	const struct controller_env *env = &of(s)->run->env;
	const struct object_reference about = {
		.kind = n->id.kind,
		.api_version = n->id.api_version,
		.namespace = n->id.ns,
		.name = n->id.name,
		.uid = n->id.uid,
	};
	const struct event_note note = {.component = "garbage-collector-controller",
		.type = "Warning",
		.reason = "OwnerRefInvalidNamespace",
		.reference = &about};

	events_note(env->events, &note,
		"ownerRef [%.*s/%.*s, namespace: %.*s, name: %.*s, uid: %.*s] does not exist in "
		"namespace \"%.*s\"",
		STR_ARG(owner->api_version), STR_ARG(owner->kind), STR_ARG(n->id.ns),
		STR_ARG(owner->name), STR_ARG(owner->uid), STR_ARG(n->id.ns));
}

static int open_collector(struct controller_run *r, struct err *e)
{
	struct collector *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(e, ERR_SYSTEM, "no memory for the garbage collector");
	c->run = r;
	c->sink = (struct graph_sink){
		sink_try_delete, sink_try_delete_later, sink_orphan, sink_wrong_namespace};
	c->graph = graph_new(&c->sink);
	pthread_mutex_init(&c->lock, NULL);
	c->monitors = manager_of(r)->monitors;
	c->listener.changed = object_changed;
	monitors_listen(c->monitors, &c->listener);
	r->state = c;
	return 0;
}

static int start(struct controller_run *r, UNUSED struct err *e)
{
	run_add(r, DISCOVER, DISCOVER_KEY);
	return 0;
}

/* --- which resources there are */

static void object_changed(
	struct monitor_listener *l, const struct monitor *m, const void *before, const void *now)
{
	struct collector *c = CONTAINER_OF(l, struct collector, listener);
	const struct object_meta *old = before ? meta_of(before) : NULL;

	pthread_mutex_lock(&c->lock);
	if (old && now && !str_eq(old->uid, meta_of(now)->uid)) {
		graph_remove(c->graph, m->api_version, m->resource.kind, old);
		old = NULL;
	}
	if (now)
		graph_put(c->graph, m->api_version, m->resource.kind, old, meta_of(now));
	else
		graph_remove(c->graph, m->api_version, m->resource.kind, old);
	pthread_mutex_unlock(&c->lock);
}

static int follow(struct pass *p, UNUSED struct err *e)
{
	struct collector *c = pass_state(p);
	struct err why;

	pass_again(p, MONITORS_AGAIN_S * NS_PER_S);
	if (monitors_follow(c->monitors, p->run->env.client, p->arena, &why) < 0)
		log_warning("garbage-collector-controller: discovery: %s", why.text);
	return 0;
}

/* The resource of a kind: what is followed, else what discovery says. */
static int find_resource(
	struct pass *p, str api_version, str kind, struct resource *to, struct err *e)
{
	struct collector *c = pass_state(p);
	struct discovered d;

	if (monitors_find(c->monitors, p->arena, api_version, kind, to))
		return 0;
	str group = STR(""), version;

	meta_split_key(api_version, &group, &version);
	TRY(discover(p->run->env.client, p->arena, &d, e));
	for (size_t i = 0; i < d.len; i++) {
		if (str_eq(d.at[i].group, group) && str_eq(d.at[i].version, version) &&
			str_eq(d.at[i].kind, kind)) {
			*to = d.at[i];
			return 0;
		}
	}
	return err_set(e, ERR_NOT_FOUND, "unable to get REST mapping for %.*s/%.*s.",
		STR_ARG(api_version), STR_ARG(kind));
}

/* --- one object */

static struct graph_identity copy_identity(struct arena *a, struct graph_identity id)
{
	return (struct graph_identity){arena_str(a, id.uid), arena_str(a, id.api_version),
		arena_str(a, id.kind), arena_str(a, id.ns), arena_str(a, id.name)};
}

static void copy_node(struct arena *a, const struct graph_node *n, struct item *to)
{
	*to = (struct item){.id = copy_identity(a, n->id),
		.is_virtual = n->is_virtual,
		.being_deleted = n->being_deleted,
		.deleting_dependents = n->deleting_dependents};
}

/* With its dependents; false if it is not in the graph any more. */
static bool find_item(struct pass *p, struct item *to)
{
	struct collector *c = pass_state(p);

	pthread_mutex_lock(&c->lock);
	const struct graph_node *n = graph_find(c->graph, p->key);

	if (n) {
		copy_node(p->arena, n, to);
		to->dependents = arena_get(p->arena, n->dependent_count * sizeof(*to) + 1);
		to->dependent_count = n->dependent_count;
		for (size_t i = 0; i < n->dependent_count; i++) {
			const struct graph_node *dep = n->dependents[i];

			copy_node(p->arena, dep, &to->dependents[i]);
			for (size_t o = 0; o < dep->owner_count; o++)
				to->dependents[i].blocks |= dep->owners[o].blocks &&
					str_eq(dep->owners[o].uid, n->id.uid);
		}
	}
	pthread_mutex_unlock(&c->lock);
	return n != NULL;
}

static int target_of_identity(
	struct pass *p, const struct graph_identity *id, struct target *to, struct err *e)
{
	struct resource *r = arena_get(p->arena, sizeof(*r));

	TRY(find_resource(p, id->api_version, id->kind, r, e));
	*to = (struct target){.resource = r,
		.ns = r->namespaced ? (id->ns.len > 0 ? id->ns : STR("default")) : STR(""),
		.name = id->name};
	return 0;
}

static int fetch(struct pass *p, const struct graph_identity *id,
	struct partial_object_metadata **to, struct err *e)
{
	struct target t;

	TRY(target_of_identity(p, id, &t, e));
	return get_metadata(p->run->env.client, p->arena, t, to, e);
}

static void note_gone(struct pass *p, struct graph_identity id)
{
	struct collector *c = pass_state(p);

	pthread_mutex_lock(&c->lock);
	graph_absent(c->graph, id);
	pthread_mutex_unlock(&c->lock);
}

/* Strategic merge patch, or a merge patch made of what the server has, where that is not known. */
static int patch(struct pass *p, const struct graph_identity *id, str strategic,
	str (*merge)(struct pass *p, const struct object_meta *m, const void *owner),
	const void *owner, struct err *e)
{
	struct partial_object_metadata *now;
	const struct client_request *r;
	struct target t;
	str answer;

	TRY(target_of_identity(p, id, &t, e));
	struct client_request ask = {.method = STR("PATCH"),
		.path = client_path(p->arena, t),
		.content_type = STR("application/strategic-merge-patch+json"),
		.accept = MEDIA_JSON,
		.body = strategic};

	r = &ask;
	if (client_raw(p->run->env.client, p->arena, r, &answer, e) == 0)
		return 0;
	if (e->kind != ERR_UNSUPPORTED)
		return -1;
	TRY(fetch(p, id, &now, e));
	ask.content_type = STR("application/merge-patch+json");
	ask.body = merge(p, &now->metadata, owner);
	return client_raw(p->run->env.client, p->arena, r, &answer, e);
}

static void put_references(struct pass *p, struct buf *b, const struct object_meta *m,
	bool (*kept)(const struct owner_reference *r, const void *owner), const void *owner,
	bool unblock)
{
	bool first = true;

	for (size_t i = 0; i < m->owner_references.len; i++) {
		struct owner_reference r = m->owner_references.at[i];

		if (!kept(&r, owner))
			continue;
		if (unblock)
			r.block_owner_deletion = arena_bool(p->arena, false);
		if (!first)
			buf_add_char(b, ',');
		first = false;
		struct err ignored;

		(void)!struct_encode(api_type(API_OWNER_REFERENCE), &r, FORMAT_JSON, b, &ignored);
	}
}

static bool is_not_among(const struct owner_reference *r, const void *uids)
{
	const struct str_list *l = uids;

	for (size_t i = 0; i < l->len; i++) {
		if (str_eq(l->at[i], r->uid))
			return false;
	}
	return true;
}

static bool any_reference(UNUSED const struct owner_reference *r, UNUSED const void *owner)
{
	return true;
}

static bool blocking_reference(const struct owner_reference *r, UNUSED const void *owner)
{
	return r->block_owner_deletion && *r->block_owner_deletion;
}

static str finish_text(struct pass *p, struct buf *b)
{
	str text = arena_str(p->arena, buf_str(b));

	buf_free(b);
	return text;
}

static str merge_text(struct pass *p, const struct object_meta *m,
	bool (*kept)(const struct owner_reference *r, const void *owner), const void *owner,
	bool unblock)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_fmt(&b, "{\"metadata\":{\"resourceVersion\":\"%.*s\",\"ownerReferences\":[",
		STR_ARG(m->resource_version));
	put_references(p, &b, m, kept, owner, unblock);
	buf_add_str(&b, STR("]}}"));
	return finish_text(p, &b);
}

static str merge_without(struct pass *p, const struct object_meta *m, const void *uids)
{
	return merge_text(p, m, is_not_among, uids, false);
}

static str merge_unblocked(struct pass *p, const struct object_meta *m, const void *owner)
{
	return merge_text(p, m, any_reference, owner, true);
}

static int drop_references(
	struct pass *p, const struct graph_identity *id, const struct str_list *uids, struct err *e)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("{\"metadata\":{\"ownerReferences\":["));
	for (size_t i = 0; i < uids->len; i++) {
		buf_add_str(&b,
			i > 0 ? STR(",{\"$patch\":\"delete\",\"uid\":")
			      : STR("{\"$patch\":\"delete\",\"uid\":"));
		json_put_str(&b, uids->at[i]);
		buf_add_char(&b, '}');
	}
	buf_add_str(&b, STR("],\"uid\":"));
	json_put_str(&b, id->uid);
	buf_add_str(&b, STR("}}"));
	return patch(p, id, finish_text(p, &b), merge_without, uids, e);
}

static int unblock(
	struct pass *p, const struct graph_identity *id, const struct object_meta *m, struct err *e)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("{\"metadata\":{\"ownerReferences\":["));
	put_references(p, &b, m, blocking_reference, NULL, true);
	buf_add_str(&b, STR("],\"uid\":"));
	json_put_str(&b, id->uid);
	buf_add_str(&b, STR("}}"));
	return patch(p, id, finish_text(p, &b), merge_unblocked, NULL, e);
}

enum { FINALIZER_TRIES = 5 };

static int remove_finalizer(
	struct pass *p, const struct graph_identity *id, str finalizer, struct err *e)
{
	for (int tries = 1;; tries++) {
		struct partial_object_metadata *now;
		struct target t;
		struct buf b;
		str answer;

		if (fetch(p, id, &now, e) < 0)
			return pass_ignore_missing(-1, e);
		if (!meta_remove_finalizer(p->arena, &now->metadata, finalizer))
			return 0;
		buf_init(&b, BUF_NO_LIMIT);
		buf_add_fmt(&b, "{\"metadata\":{\"resourceVersion\":\"%.*s\",\"finalizers\":[",
			STR_ARG(now->metadata.resource_version));
		for (size_t i = 0; i < now->metadata.finalizers.len; i++) {
			if (i > 0)
				buf_add_char(&b, ',');
			json_put_str(&b, now->metadata.finalizers.at[i]);
		}
		buf_add_str(&b, STR("]}}"));
		TRY(target_of_identity(p, id, &t, e));
		const struct client_request r = {.method = STR("PATCH"),
			.path = client_path(p->arena, t),
			.content_type = STR("application/merge-patch+json"),
			.accept = MEDIA_JSON,
			.body = finish_text(p, &b)};

		if (client_raw(p->run->env.client, p->arena, &r, &answer, e) == 0)
			return 0;
		if (e->kind != ERR_CONFLICT || tries == FINALIZER_TRIES)
			return pass_ignore_missing(-1, e);
	}
}

/* Only if nobody has changed its owners meanwhile. */
static int delete_object(struct pass *p, const struct graph_identity *id,
	const struct object_meta *latest, str propagation, struct err *e)
{
	struct client_delete how = {.uid = id->uid,
		.resource_version = latest->resource_version,
		.propagation = propagation};
	struct partial_object_metadata *now;
	struct target t;
	struct buf was, is;

	TRY(target_of_identity(p, id, &t, e));
	if (client_delete(p->run->env.client, p->arena, t, &how, e) == 0)
		return 0;
	if (e->kind != ERR_CONFLICT)
		return -1;
	struct err conflict = *e;

	TRY(fetch(p, id, &now, e));
	buf_init(&was, BUF_NO_LIMIT);
	buf_init(&is, BUF_NO_LIMIT);
	put_references(p, &was, latest, any_reference, NULL, false);
	put_references(p, &is, &now->metadata, any_reference, NULL, false);
	bool same = str_eq(now->metadata.uid, id->uid) && str_eq(buf_str(&was), buf_str(&is));

	buf_free(&was);
	buf_free(&is);
	if (!same) {
		*e = conflict;
		return -1;
	}
	how.resource_version = (str){NULL, 0};
	return client_delete(p->run->env.client, p->arena, t, &how, e);
}

/* --- trying to delete */

enum standing { SOLID, DANGLING, WAITING, STANDINGS };

static struct graph_identity owner_identity(const struct owner_reference *r, str ns)
{
	return (struct graph_identity){r->uid, r->api_version, r->kind, ns, r->name};
}

static bool known_absent(struct collector *c, struct graph_identity id)
{
	pthread_mutex_lock(&c->lock);
	bool absent = graph_is_absent(c->graph, id);

	pthread_mutex_unlock(&c->lock);
	return absent;
}

static void note_absent(struct collector *c, struct graph_identity id)
{
	pthread_mutex_lock(&c->lock);
	graph_note_absent(c->graph, id);
	pthread_mutex_unlock(&c->lock);
}

/* ERR_INVALID: an object without a namespace names an owner that has one; nobody looks again. */
static int stand_of(struct pass *p, const struct item *i, const struct owner_reference *r,
	enum standing *to, struct err *e)
{
	struct collector *c = pass_state(p);
	struct graph_identity cluster = owner_identity(r, STR("")),
			      owner = owner_identity(r, i->id.ns);
	struct partial_object_metadata *now;
	struct resource row;

	*to = DANGLING;
	if (known_absent(c, cluster) || known_absent(c, owner))
		return 0;
	TRY(find_resource(p, r->api_version, r->kind, &row, e));
	if (i->id.ns.len == 0 && row.namespaced)
		return err_set(
			e, ERR_INVALID, "cluster-scoped objects cannot refer to namespaced owners");
	if (!row.namespaced)
		owner = cluster;
	if (fetch(p, &owner, &now, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		note_absent(c, owner);
		return 0;
	}
	if (!str_eq(now->metadata.uid, r->uid)) {
		note_absent(c, owner);
		return 0;
	}
	*to = now->metadata.deletion_timestamp &&
			meta_has_finalizer(&now->metadata, FOREGROUND_FINALIZER)
		? WAITING
		: SOLID;
	return 0;
}

static int wait_for_dependents(struct pass *p, const struct item *i, struct err *e)
{
	bool blocked = false;

	for (size_t d = 0; d < i->dependent_count; d++) {
		if (!i->dependents[d].blocks)
			continue;
		blocked = true;
		if (!i->dependents[d].deleting_dependents)
			run_add(p->run, TRY_DELETE, i->dependents[d].id.uid);
	}
	return blocked ? 0 : remove_finalizer(p, &i->id, FOREGROUND_FINALIZER, e);
}

/* Its owner waits for it, and it has dependents of its own: they go first. */
static int delete_in_foreground(
	struct pass *p, const struct item *i, const struct object_meta *latest, struct err *e)
{
	for (size_t d = 0; d < i->dependent_count; d++) {
		if (i->dependents[d].deleting_dependents) {
			TRY(unblock(p, &i->id, latest, e));
			break;
		}
	}
	return delete_object(p, &i->id, latest, STR("Foreground"), e);
}

static int delete_by_finalizers(
	struct pass *p, const struct item *i, const struct object_meta *latest, struct err *e)
{
	str how = STR("Background");

	if (meta_has_finalizer(latest, ORPHAN_FINALIZER))
		how = STR("Orphan");
	else if (meta_has_finalizer(latest, FOREGROUND_FINALIZER))
		how = STR("Foreground");
	return delete_object(p, &i->id, latest, how, e);
}

static int judge(
	struct pass *p, const struct item *i, const struct object_meta *latest, struct err *e)
{
	size_t counts[STANDINGS] = {0};
	struct str_list dropped = {
		arena_get(p->arena, latest->owner_references.len * sizeof(str) + 1), 0};

	if (latest->owner_references.len == 0)
		return 0;
	for (size_t r = 0; r < latest->owner_references.len; r++) {
		enum standing s;

		TRY(stand_of(p, i, &latest->owner_references.at[r], &s, e));
		counts[s]++;
		if (s != SOLID)
			dropped.at[dropped.len++] = latest->owner_references.at[r].uid;
	}
	if (counts[SOLID] > 0)
		return dropped.len > 0 ? drop_references(p, &i->id, &dropped, e) : 0;
	int deleted = counts[WAITING] > 0 && i->dependent_count > 0
		? delete_in_foreground(p, i, latest, e)
		: delete_by_finalizers(p, i, latest, e);

	if (deleted < 0 && e->kind == ERR_NOT_FOUND) {
		note_gone(p, i->id);
		return 0;
	}
	return deleted;
}

static int try_item(struct pass *p, const struct item *i, struct err *e)
{
	struct partial_object_metadata *latest;

	if (i->being_deleted && !i->deleting_dependents)
		return 0;
	if (fetch(p, &i->id, &latest, e) < 0) {
		if (!status_is(e, STATUS_NOT_FOUND))
			return -1;
		note_gone(p, i->id);
		return 0;
	}
	if (!str_eq(latest->metadata.uid, i->id.uid)) {
		note_gone(p, i->id);
		return 0;
	}
	if (i->deleting_dependents)
		return wait_for_dependents(p, i, e);
	TRY(judge(p, i, &latest->metadata, e));
	if (i->is_virtual)
		return err_set(e, ERR_CONFLICT, "not seen yet");
	return 0;
}

static int try_delete(struct pass *p, struct err *e)
{
	struct item i;

	if (!find_item(p, &i))
		return 0;
	int tried = try_item(p, &i, e);

	return tried < 0 && e->kind == ERR_INVALID ? 0 : tried;
}

static int orphan(struct pass *p, struct err *e)
{
	struct item i;

	if (!find_item(p, &i))
		return 0;
	const struct str_list owner = {&i.id.uid, 1};

	for (size_t d = 0; d < i.dependent_count; d++) {
		int dropped = drop_references(p, &i.dependents[d].id, &owner, e);

		TRY(pass_ignore_missing(dropped, e));
	}
	return remove_finalizer(p, &i.id, ORPHAN_FINALIZER, e);
}

const struct controller garbage_collector_controller = {
	.name = "garbage-collector-controller",
	.account = "generic-garbage-collector",
	.works = {[TRY_DELETE] = {"garbage_collector_attempt_to_delete", 20, try_delete},
		[ORPHAN] = {"garbage_collector_attempt_to_orphan", 20, orphan},
		[DISCOVER] = {"garbage_collector_discovery", 1, follow}},
	.open = open_collector,
	.start = start,
};
