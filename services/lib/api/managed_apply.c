/*
 * Server-side apply: structured-merge-diff/merge/update.go, with what the managers around it do.
 */
#include "lib/api/managed_owners.h"
#include "lib/api/meta.h"
#include "lib/api/status.h"
#include "lib/schema/object_tree.h"
#include "lib/value/quote.h"

#define LAST_APPLIED STR("kubectl.kubernetes.io/last-applied-configuration")

enum { ANNOTATIONS_MAX = 256 << 10 };

/* One apply under way. */
struct applying {
	struct managing m;
	struct fielded live, config;
	const struct tree *merged;
	struct field_change change;  /* from live to merged */
	struct field_set *conflicts; /* by owner */
	struct owner *self;
};

static int begin(struct applying *x, const void *live, struct err *e);
static int check_config(struct applying *x, const struct tree *config, struct err *e);
static const struct tree *prune(
	struct applying *x, const struct tree *merged, const struct field_set *last);
static bool find_conflicts(struct applying *x);
static bool allow_last_applied(struct applying *x, const void *live);
static int fail_conflicts(struct applying *x, struct err *e);
static int make_object(struct applying *x, void **to, struct err *e);
static int sync_last_applied(struct applying *x, void *object, struct err *e);

static struct fielded tree_of(const struct applying *x, const struct tree *t)
{
	return (struct fielded){.type = x->m.q->type, .tree = t};
}

static int fail(struct applying *x, const char *what, struct err *e)
{
	struct err why;

	if (fields_ok(&x->m.f, &why) == 0)
		return 0;
	if (why.kind == ERR_LIMIT) {
		*e = why;
		return -1;
	}
	return status_fail(x->m.q->arena, e, STATUS_UNKNOWN, "%s: %s", what, why.text);
}

/* The applied object and what the applier owned before become the new object and its owners. */
static int merge(struct applying *x, const void *live, bool force, struct err *e)
{
	struct managing *m = &x->m;
	const struct managed_fields_entry self = managed_self(m->q, OPERATION_APPLY);
	struct field_set set = fields_of(&m->f, &x->config), last = {NULL, 0, 0};

	x->merged = fields_merge(&m->f, &x->live, &x->config);
	x->self = owners_find(&m->all, &self);
	if (x->self && str_eq(x->self->entry.api_version, self.api_version))
		last = x->self->set;
	if (!x->self)
		x->self = owners_add(m, &self);
	TRY(fail(x, "failed to merge config", e));
	x->self->entry.api_version = self.api_version;
	x->self->set = managed_filter(m, &set);
	x->self->changed = true;
	x->merged = prune(x, x->merged, &last);

	const struct fielded merged = tree_of(x, x->merged);

	x->change = managed_change(m, &x->live, &merged);
	if (find_conflicts(x) && !force && !allow_last_applied(x, live))
		return fail_conflicts(x, e);
	/* The applier's own set is looked at last, so that its place does not move meanwhile. */
	managed_take(m, &x->change, x->self);
	x->self = owners_find(&m->all, &self);
	if (x->self) {
		x->self->set = managed_strip(m, &x->self->set);
		if (x->self->set.len == 0)
			*x->self = m->all.at[--m->all.len];
	}
	return fail(x, "failed to prune fields", e);
}

int managed_apply(const struct managed_write *q, const void *live, const struct tree *config,
	bool force, void **to, struct err *e)
{
	const struct managed_fields_entry self = managed_self(q, OPERATION_APPLY);
	struct applying x = {.m = {.q = q, .f = {.arena = q->arena}}};
	struct managed_list entries;
	void *object;

	TRY(check_config(&x, config, e));
	TRY(begin(&x, live, e));
	TRY(merge(&x, live, force, e));

	const struct fielded merged = tree_of(&x, x.merged);
	struct owner *o = owners_find(&x.m.all, &self);

	/* An apply that changes nothing leaves the time as it was. */
	if (o && !fields_same(&x.m.f, &x.live, &merged)) {
		o->entry.time = arena_get(q->arena, sizeof(struct time_value));
		*o->entry.time = q->now;
	}
	TRY(make_object(&x, &object, e));
	TRY(sync_last_applied(&x, object, e));
	TRY(owners_write(q->arena, &x.m.all, &entries, e));
	meta_of(object)->managed_fields.at = entries.at;
	meta_of(object)->managed_fields.len = entries.len;
	*to = object;
	return 0;
}

/* --- the applied object */

static str text_member(const struct tree *object, str name)
{
	const struct tree *t = object ? tree_get(object, name) : NULL;

	return t && t->kind == JSON_STRING ? t->text : STR("");
}

/* "apps/v1, Kind=Deployment", as Go prints a GroupVersionKind. */
static str kind_text(struct arena *a, str api_version, str kind)
{
	bool core = str_find_char(api_version, '/') < 0;

	return arena_fmt(
		a, "%s%.*s, Kind=%.*s", core ? "/" : "", STR_ARG(api_version), STR_ARG(kind));
}

/* "default/web; apps/v1, Kind=Deployment" */
static str subject(struct applying *x)
{
	const struct tree *meta = tree_get(x->config.tree, STR("metadata"));
	struct arena *a = x->m.q->arena;

	if (meta && meta->kind != JSON_OBJECT)
		meta = NULL;
	return arena_fmt(a, "%.*s/%.*s; %.*s", STR_ARG(text_member(meta, STR("namespace"))),
		STR_ARG(text_member(meta, STR("name"))),
		STR_ARG(kind_text(a, text_member(x->config.tree, STR("apiVersion")),
			text_member(x->config.tree, STR("kind")))));
}

static int check_config(struct applying *x, const struct tree *config, struct err *e)
{
	const struct managed_write *q = x->m.q;
	const struct schema *s = q->type->schema;
	str version = text_member(config, STR("apiVersion")),
	    kind = text_member(config, STR("kind"));
	const struct tree *meta = tree_get(config, STR("metadata")), *entries;

	x->config = tree_of(x, config);
	if (!str_eq(version, q->api_version) ||
		!str_eq(kind, str_of(s->text + type_kind(q->type)->name)))
		return status_fail(q->arena, e, STATUS_BAD_REQUEST, "invalid object type: %.*s",
			STR_ARG(kind_text(q->arena, version, kind)));
	entries = meta && meta->kind == JSON_OBJECT ? tree_get(meta, STR("managedFields")) : NULL;
	if (entries && entries->kind != JSON_NULL)
		return status_fail(
			q->arena, e, STATUS_BAD_REQUEST, "metadata.managedFields must be nil");
	fields_check(&x->m.f, &x->config);
	str what = arena_fmt(
		q->arena, "failed to create typed patch object (%.*s)", STR_ARG(subject(x)));

	return fail(x, what.at, e);
}

/* --- the live object */

static int read_live(struct applying *x, const void *live, struct err *e)
{
	struct arena *a = x->m.q->arena;
	struct tree *tree = NULL;
	int result = object_tree(a, live, &tree, e);

	x->live = tree_of(x, tree);
	return result;
}

/* What was there before anybody applied belongs to a manager of that name. */
static int begin(struct applying *x, const void *live, struct err *e)
{
	const struct managed_write *q = x->m.q;
	const void *empty = object_new(q->arena, q->type);
	struct err why;

	TRY(read_live(x, live ? managed_bare(q->arena, live) : empty, e));
	if (!live)
		return 0;
	const struct object_meta *m = meta_of(live);

	if (owners_read(q->arena, q->type, m->managed_fields.at, m->managed_fields.len, &x->m.all,
		    &why) < 0)
		return status_fail(q->arena, e, STATUS_UNKNOWN,
			"failed to decode managed fields: %s", why.text);
	if (x->m.all.len)
		return 0;
	const struct fielded nothing = {.type = q->type, .object = empty};
	const struct fielded all = {.type = q->type, .object = managed_bare(q->arena, live)};

	managed_owners_update(&x->m, &nothing, &all, STR("before-first-apply"));
	return fail(x, "failed to create manager for existing fields", e);
}

/* --- what is no longer applied goes, unless somebody else owns it */

static struct field_set named_of(struct applying *x, const struct tree *t)
{
	const struct fielded o = tree_of(x, t);
	struct field_set s = fields_of(&x->m.f, &o);

	return fields_named(&x->m.f, o.type, &s);
}

static const struct tree *without(struct applying *x, const struct tree *t, struct field_set s)
{
	const struct fielded o = tree_of(x, t);

	return fields_remove(&x->m.f, &o, &s);
}

static struct field_set owned_by_anybody(struct applying *x)
{
	struct field_set all = {NULL, 0, 0};

	for (size_t i = 0; i < x->m.all.len; i++)
		if (str_eq(x->m.all.at[i].entry.api_version, x->m.q->api_version))
			all = fields_union(&x->m.f, &all, &x->m.all.at[i].set);
	return fields_named(&x->m.f, x->m.q->type, &all);
}

static const struct tree *prune(
	struct applying *x, const struct tree *merged, const struct field_set *last)
{
	struct fields *f = &x->m.f;

	if (last->len == 0)
		return merged;
	struct field_set before = fields_named(f, x->m.q->type, last);
	struct field_set owned = owned_by_anybody(x), all = named_of(x, merged);
	struct field_set left = named_of(x, without(x, merged, before));
	struct field_set kept = fields_union(f, &left, &owned);

	left = named_of(x, without(x, merged, fields_difference(f, &all, &kept)));

	struct field_set gone = fields_difference(f, &all, &left);

	return without(x, merged, fields_intersection(f, &gone, &before));
}

/* --- conflicts */

static bool find_conflicts(struct applying *x)
{
	struct fields *f = &x->m.f;
	struct field_set written = fields_union(f, &x->change.added, &x->change.modified);
	bool any = false;

	x->conflicts = fields_alloc(f, x->m.all.len, sizeof(*x->conflicts));
	for (size_t i = 0; x->conflicts && i < x->m.all.len; i++) {
		const struct owner *o = &x->m.all.at[i];

		if (o == x->self || !str_eq(o->entry.api_version, x->m.q->api_version))
			continue;
		x->conflicts[i] = fields_intersection(f, &o->set, &written);
		any |= x->conflicts[i].len > 0;
	}
	return any;
}

/* What client-side apply wrote last, and is in the live object as written. */
static struct field_set last_applied_set(struct applying *x, const struct tree *last)
{
	const struct fielded o = tree_of(x, last);
	struct fields *f = &x->m.f;
	struct field_set s = fields_of(f, &o);
	struct field_change c = fields_compare(f, &o, &x->live);

	s = fields_difference(f, &s, &c.modified);
	s = fields_difference(f, &s, &c.added);
	return fields_difference(f, &s, &c.removed);
}

/*
 * kubectl may take what its client-side apply wrote, whatever its manager's name was: conflicts
 * over that are none. Whether none is left.
 */
static bool allow_last_applied(struct applying *x, const void *live)
{
	const struct managed_write *q = x->m.q;
	struct fields apart = {.arena = q->arena};
	bool left = false;
	struct tree *last;
	struct err ignored;

	if (!live || !str_eq(q->manager, STR("kubectl")))
		return false;
	str text = meta_annotation(meta_of(live), LAST_APPLIED);

	if (text.len == 0 || tree_read(q->arena, text, &last, &ignored) < 0 ||
		last->kind != JSON_OBJECT ||
		!str_eq(text_member(last, STR("apiVersion")), q->api_version))
		return false;
	const struct fielded o = tree_of(x, last);

	fields_check(&apart, &o);
	if (fields_ok(&apart, &ignored) < 0)
		return false;
	struct field_set allowed = last_applied_set(x, last);

	for (size_t i = 0; i < x->m.all.len; i++) {
		x->conflicts[i] = fields_difference(&x->m.f, &x->conflicts[i], &allowed);
		left |= x->conflicts[i].len > 0;
	}
	return !left;
}

static void put_owner(struct buf *b, const struct managed_fields_entry *o)
{
	quote_put(b, o->manager);
	if (o->subresource.len) {
		buf_add_str(b, STR(" with subresource "));
		quote_put(b, o->subresource);
	}
	if (str_eq(o->operation, OPERATION_UPDATE))
		buf_add_fmt(b, " using %.*s", STR_ARG(o->api_version));
}

/* Owners as the message has them. */
static void sort_owners(struct applying *x, uint32_t *order)
{
	for (uint32_t i = 0; i < x->m.all.len; i++) {
		uint32_t k = i;

		for (; k > 0 &&
			str_cmp(x->m.all.at[i].entry.manager,
				x->m.all.at[order[k - 1]].entry.manager) < 0;
			k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

static void put_conflicts(struct applying *x, const uint32_t *order, size_t count, struct buf *b)
{
	buf_add_fmt(b, "Apply failed with %zu conflict%s: ", count, count == 1 ? "" : "s");
	for (size_t i = 0, lines = 0; i < x->m.all.len; i++) {
		struct str_list paths;

		fields_paths(&x->m.f, &x->conflicts[order[i]], &paths);
		if (paths.len == 0)
			continue;
		buf_add_fmt(b, "%sconflict%s with ", lines++ ? "\n" : "", count == 1 ? "" : "s");
		put_owner(b, &x->m.all.at[order[i]].entry);
		buf_add_char(b, ':');
		for (size_t k = 0; k < paths.len; k++)
			buf_add_fmt(b, count == 1 ? " %.*s" : "\n- %.*s", STR_ARG(paths.at[k]));
	}
}

static void add_causes(struct applying *x, const uint32_t *order, struct err *e)
{
	struct arena *a = x->m.q->arena;

	for (size_t i = 0; i < x->m.all.len; i++) {
		struct str_list paths;
		struct buf b;

		buf_init(&b, JSON_TEXT_MAX);
		buf_add_str(&b, STR("conflict with "));
		put_owner(&b, &x->m.all.at[order[i]].entry);
		str message = arena_str(a, buf_str(&b));

		buf_free(&b);
		fields_paths(&x->m.f, &x->conflicts[order[i]], &paths);
		for (size_t k = 0; k < paths.len; k++)
			status_add_cause(a, e, STR("FieldManagerConflict"), message, paths.at[k]);
	}
}

static int fail_conflicts(struct applying *x, struct err *e)
{
	struct arena *a = x->m.q->arena;
	uint32_t *order = fields_alloc(&x->m.f, x->m.all.len, sizeof(*order));
	size_t count = 0;
	struct buf b;

	TRY(fail(x, "failed to compare objects", e));
	sort_owners(x, order);
	for (size_t i = 0; i < x->m.all.len; i++) {
		struct str_list paths;

		fields_paths(&x->m.f, &x->conflicts[i], &paths);
		count += paths.len;
	}
	buf_init(&b, JSON_TEXT_MAX);
	put_conflicts(x, order, count, &b);
	status_generic(a, e, STATUS_CONFLICT, "%.*s", STR_ARG(buf_str(&b)));
	status_detail(e)->message = arena_str(a, buf_str(&b));
	buf_free(&b);
	add_causes(x, order, e);
	return -1;
}

/* --- the new object */

static int make_object(struct applying *x, void **to, struct err *e)
{
	const struct managed_write *q = x->m.q;
	struct err why;

	if (object_of_tree(q->arena, q->type, x->merged, to, &why) == 0)
		return 0;
	return status_fail(q->arena, e, STATUS_UNKNOWN,
		"failed to convert new object (%.*s) to proper version: unable to convert "
		"unstructured object to %.*s: %s",
		STR_ARG(subject(x)),
		STR_ARG(kind_text(
			q->arena, q->api_version, text_member(x->config.tree, STR("kind")))),
		why.text);
}

/* kubectl's annotation of client-side apply follows, where there is one. */
static int sync_last_applied(struct applying *x, void *object, struct err *e)
{
	struct arena *a = x->m.q->arena;
	struct object_meta *m = meta_of(object);
	size_t total = 0;
	struct tree *config, *at;
	struct buf b;
	str text;

	if (!str_eq(x->m.q->manager, STR("kubectl")) || !meta_annotation(m, LAST_APPLIED).len)
		return 0;
	TRY(tree_copy(a, x->config.tree, &config, e));
	at = tree_get(config, STR("metadata"));
	at = at && at->kind == JSON_OBJECT ? tree_get(at, STR("annotations")) : NULL;
	if (at && at->kind == JSON_OBJECT)
		tree_remove(at, LAST_APPLIED);
	tree_sort(config);
	buf_init(&b, JSON_TEXT_MAX);
	tree_put(&b, config);
	buf_add_char(&b, '\n');
	int result = arena_str_try(a, buf_str(&b), &text, e);

	buf_free(&b);
	TRY(result);
	str_map_set(a, &m->annotations, LAST_APPLIED, text);
	for (size_t i = 0; i < m->annotations.len; i++)
		total += m->annotations.at[i].key.len + m->annotations.at[i].value.len;
	if (total > ANNOTATIONS_MAX)
		str_map_remove(&m->annotations, LAST_APPLIED);
	return 0;
}
