#include "lib/api/managed_owners.h"

#include "lib/api/meta.h"

#include <stdlib.h>

enum { UPDATERS_MAX = 10 };

#define ANCIENT STR("ancient-changes")

static void cap_updaters(struct managing *m);

/* --- entries */

static bool same_owner(const struct managed_fields_entry *a, const struct managed_fields_entry *b)
{
	return str_eq(a->manager, b->manager) && str_eq(a->operation, b->operation) &&
		str_eq(a->subresource, b->subresource) &&
		(str_eq(a->operation, OPERATION_APPLY) || str_eq(a->api_version, b->api_version));
}

struct owner *owners_find(const struct owners *o, const struct managed_fields_entry *entry)
{
	for (size_t i = 0; i < o->len; i++)
		if (same_owner(&o->at[i].entry, entry))
			return &o->at[i];
	return NULL;
}

static struct owner *add(struct arena *a, struct owners *o, const struct managed_fields_entry *e)
{
	if (arena_grow(a, (void **)&o->at, o->len, &o->cap, sizeof(*o->at)) < 0)
		return NULL;
	o->at[o->len] = (struct owner){.entry = *e};
	return &o->at[o->len++];
}

struct owner *owners_add(struct managing *m, const struct managed_fields_entry *entry)
{
	struct owner *o = add(m->q->arena, &m->all, entry);

	if (!o)
		fields_fault(&m->f, ERR_LIMIT, "too many managers");
	return o;
}

static int check_entry(const struct managed_fields_entry *x, size_t i, struct err *e)
{
	if (!str_eq(x->operation, OPERATION_APPLY) && !str_eq(x->operation, OPERATION_UPDATE))
		return err_set(e, ERR_INVALID, "operation must be `Apply` or `Update`");
	if (x->api_version.len == 0)
		return err_set(e, ERR_INVALID, "apiVersion must not be empty");
	if (x->fields_type.len == 0)
		return err_set(e, ERR_INVALID, "missing fieldsType in managed fields entry %zu", i);
	if (!str_eq(x->fields_type, FIELDS_TYPE))
		return err_set(e, ERR_INVALID,
			"invalid fieldsType \"%.*s\" in managed fields entry %zu",
			STR_ARG(x->fields_type), i);
	return 0;
}

int owners_read(struct arena *a, const struct type *t, const struct managed_fields_entry *entries,
	size_t len, struct owners *to, struct err *e)
{
	for (size_t i = 0; i < len; i++) {
		const struct managed_fields_entry *x = &entries[i];
		struct fields f = {.arena = a};
		struct owner *o = owners_find(to, x);

		TRY(check_entry(x, i, e));
		if (!o)
			o = add(a, to, x);
		if (!o)
			return arena_full(a, e);
		struct field_set set = fields_read(&f, x->fields_v1 ? *x->fields_v1 : STR("{}"));

		*o = (struct owner){.entry = *x, .set = fields_settled(&f, t, &set)};
		o->changed = !fields_equal(&set, &o->set);
		if (fields_ok(&f, e) < 0)
			return err_context(e, "error decoding set");
	}
	return 0;
}

static int order_of(const struct managed_fields_entry *p, const struct managed_fields_entry *q)
{
	int64_t ps = p->time ? p->time->seconds : 0, qs = q->time ? q->time->seconds : 0;
	int order = str_cmp(p->operation, q->operation);

	if (order == 0)
		order = (ps > qs) - (ps < qs);
	if (order == 0)
		order = str_cmp(p->manager, q->manager);
	if (order == 0)
		order = str_cmp(p->api_version, q->api_version);
	return order ? order : str_cmp(p->subresource, q->subresource);
}

static int by_order(const void *a, const void *b)
{
	return order_of(a, b);
}

static int write_set(struct arena *a, const struct field_set *s, str **to, struct err *e)
{
	str *text = arena_try(a, sizeof(*text));
	struct buf b;

	if (!text)
		return arena_full(a, e);
	buf_init(&b, JSON_TEXT_MAX);
	fields_put(&b, s);
	int result = buf_ok(&b, "managed fields", e);

	if (result == 0)
		result = arena_str_try(a, buf_str(&b), text, e);
	buf_free(&b);
	*to = text;
	return result;
}

int owners_write(struct arena *a, const struct owners *o, struct managed_list *to, struct err *e)
{
	struct managed_fields_entry *entries = arena_try_array(a, o->len, sizeof(*entries));
	size_t len = 0;

	if (!entries)
		return arena_full(a, e);
	for (size_t i = 0; i < o->len; i++) {
		const struct owner *x = &o->at[i];

		entries[len] = x->entry;
		entries[len].fields_type = FIELDS_TYPE;
		if (x->changed || !x->entry.fields_v1)
			TRY(write_set(a, &x->set, &entries[len].fields_v1, e));
		len++;
	}
	if (len > 1)
		qsort(entries, len, sizeof(*entries), by_order);
	*to = (struct managed_list){len ? entries : NULL, len};
	return 0;
}

/* --- what both updates and applies do */

struct managed_fields_entry managed_self(const struct managed_write *q, str operation)
{
	return (struct managed_fields_entry){
		.manager = q->manager.len ? q->manager : STR("unknown"),
		.operation = operation,
		.api_version = q->api_version,
		.subresource = q->subresource,
	};
}

struct field_set managed_filter(struct managing *m, const struct field_set *s)
{
	const struct managed_write *q = m->q;
	struct field_set to = *s;

	if (q->reset_count && to.len) {
		struct field_set reset = fields_of_paths(&m->f, q->reset, q->reset_count);

		to = fields_without(&m->f, &to, &reset);
	}
	if (q->only_count && to.len) {
		struct field_set only = fields_of_paths(&m->f, q->only, q->only_count);

		to = fields_within(&m->f, &to, &only);
	}
	return to;
}

#define FIELD_NODE(id) \
	{ \
		.step = {.kind = STEP_FIELD, .name = STR_INIT(id)}, .member = true \
	}

/* What nobody ever owns; sorted. */
static const struct field_node never_in_metadata[] = {
	FIELD_NODE("clusterName"),
	FIELD_NODE("creationTimestamp"),
	FIELD_NODE("generation"),
	FIELD_NODE("managedFields"),
	FIELD_NODE("name"),
	FIELD_NODE("namespace"),
	FIELD_NODE("resourceVersion"),
	FIELD_NODE("selfLink"),
	FIELD_NODE("uid"),
};

struct field_set managed_strip(struct managing *m, const struct field_set *s)
{
	struct field_node top[] = {
		FIELD_NODE("apiVersion"), FIELD_NODE("kind"), FIELD_NODE("metadata")};
	const struct field_set never = {top, COUNT_OF(top), COUNT_OF(top)};

	top[2].below = (struct field_set){(struct field_node *)(uintptr_t)never_in_metadata,
		COUNT_OF(never_in_metadata), COUNT_OF(never_in_metadata)};
	return fields_difference(&m->f, s, &never);
}

struct field_change managed_change(
	struct managing *m, const struct fielded *before, const struct fielded *now)
{
	struct field_change c = fields_compare(&m->f, before, now);

	c.added = managed_filter(m, &c.added);
	c.modified = managed_filter(m, &c.modified);
	c.removed = managed_filter(m, &c.removed);
	return c;
}

const struct type *managed_version(const struct managed_write *q, str api_version)
{
	const struct schema *s = q->type->schema;

	return type_find_api_version(s, api_version, str_of(s->text + type_kind(q->type)->name));
}

static void keep_owner(struct owners *o, size_t *kept, size_t i)
{
	if (*kept != i)
		o->at[*kept] = o->at[i];
	++*kept;
}

void managed_take(struct managing *m, const struct field_change *c, const struct owner *self)
{
	struct field_set written = fields_union(&m->f, &c->added, &c->modified);
	struct field_set taken = fields_union(&m->f, &written, &c->removed);
	size_t kept = 0;

	for (size_t i = 0; i < m->all.len; i++) {
		struct owner *o = &m->all.at[i];

		if (o != self && !str_eq(o->entry.api_version, m->q->api_version)) {
			if (managed_version(m->q, o->entry.api_version))
				keep_owner(&m->all, &kept, i);
			continue;
		}
		if (o != self && taken.len) {
			struct field_set left = fields_difference(&m->f, &o->set, &taken);

			o->changed |= !fields_equal(&left, &o->set);
			o->set = left;
		}
		if (o->set.len)
			keep_owner(&m->all, &kept, i);
	}
	m->all.len = kept;
}

const void *managed_bare(struct arena *a, const void *object)
{
	const struct type *t = object_type(object);
	void *copy = arena_get(a, t->size_bytes);

	memcpy(copy, object, t->size_bytes);
	meta_of(copy)->managed_fields.at = NULL;
	meta_of(copy)->managed_fields.len = 0;
	return copy;
}

/* --- updates */

static struct time_value *time_at(struct arena *a, struct time_value now)
{
	struct time_value *t = arena_get(a, sizeof(*t));

	*t = now;
	return t;
}

/* The writer owns what it changed, beside what it owned before. */
static void own(struct managing *m, const struct field_change *c, str manager)
{
	struct field_set set = fields_union(&m->f, &c->modified, &c->added);
	struct managed_fields_entry self = managed_self(m->q, OPERATION_UPDATE);

	set = managed_strip(m, &set);
	if (set.len == 0)
		return;
	if (manager.len)
		self.manager = manager;
	struct owner *o = owners_find(&m->all, &self);

	if (!o)
		o = owners_add(m, &self);
	if (!o)
		return;
	o->set = fields_union(&m->f, &set, &o->set);
	o->entry.time = time_at(m->q->arena, m->q->now);
	o->changed = true;
}

static void update_by(struct managing *m, const struct field_change *c, str manager)
{
	managed_take(m, c, NULL);
	own(m, c, manager);
	cap_updaters(m);
}

void managed_owners_update(
	struct managing *m, const struct fielded *before, const struct fielded *now, str manager)
{
	struct field_change c = managed_change(m, before, now);

	update_by(m, &c, manager);
}

static int by_age(const void *a, const void *b)
{
	const struct owner *p = *(struct owner *const *)a, *q = *(struct owner *const *)b;

	return order_of(&p->entry, &q->entry);
}

static struct owner *first_of_version(struct owner *const *at, size_t len, str version)
{
	for (size_t i = 0; i < len; i++)
		if (str_eq(at[i]->entry.api_version, version))
			return at[i];
	return NULL;
}

/* Puts an old updater's fields into the bucket of its version, which begins as that of `first`. */
static void bucket(struct managing *m, struct owner *first, struct owner *old)
{
	struct managed_fields_entry name = {
		.manager = ANCIENT,
		.operation = OPERATION_UPDATE,
		.api_version = old->entry.api_version,
	};
	struct owner *to = owners_find(&m->all, &name);

	if (!to) {
		name.fields_v1 = first->entry.fields_v1;
		first->entry = name;
		to = first;
	}
	if (to != old)
		to->set = fields_union(&m->f, &old->set, &to->set);
	to->entry.time = old->entry.time;
	to->changed = true;
	if (to != old)
		old->set.len = 0;
}

/* Of more than ten that update, the oldest are put together, version by version. */
static void cap_updaters(struct managing *m)
{
	struct owner **old = fields_alloc(&m->f, m->all.len, sizeof(struct owner *));
	size_t count = 0, kept = 0;

	for (size_t i = 0; old && i < m->all.len; i++)
		if (str_eq(m->all.at[i].entry.operation, OPERATION_UPDATE))
			old[count++] = &m->all.at[i];
	if (count <= UPDATERS_MAX)
		return;
	qsort(old, count, sizeof(struct owner *), by_age);
	for (size_t i = 0, left = count; i < count && left > UPDATERS_MAX; i++) {
		struct owner *first = first_of_version(old, i, old[i]->entry.api_version);

		if (!first)
			continue;
		bucket(m, first, old[i]);
		left--;
	}
	for (size_t i = 0; i < m->all.len; i++)
		if (m->all.at[i].set.len)
			keep_owner(&m->all, &kept, i);
	m->all.len = kept;
}

static bool is_reset(const struct object_meta *m)
{
	static const struct managed_fields_entry none;

	if (m->managed_fields.len == 0)
		return m->managed_fields.at != NULL;
	return m->managed_fields.len == 1 &&
		struct_equal(api_type(API_MANAGED_FIELDS_ENTRY), m->managed_fields.at, &none);
}

static bool same_entries(const struct object_meta *a, const struct object_meta *b)
{
	if (a->managed_fields.len != b->managed_fields.len)
		return false;
	for (size_t i = 0; i < a->managed_fields.len; i++)
		if (!struct_equal(api_type(API_MANAGED_FIELDS_ENTRY), &a->managed_fields.at[i],
			    &b->managed_fields.at[i]))
			return false;
	return true;
}

static void read_or_forget(
	struct managing *m, const struct managed_fields_entry *entries, size_t len)
{
	struct err ignored;

	m->all.len = 0;
	if (owners_read(m->q->arena, m->q->type, entries, len, &m->all, &ignored) < 0)
		m->all.len = 0;
}

/* The owners before the write: as the client sent them, else as they are stored. */
static void begin(
	struct managing *m, const struct object_meta *live, const struct object_meta *sent)
{
	bool takes = m->q->subresource.len == 0;

	if (takes && is_reset(sent))
		return;
	if (takes && sent->managed_fields.len) {
		read_or_forget(m, sent->managed_fields.at, sent->managed_fields.len);
		for (size_t i = 0; i < m->all.len; i++)
			m->all.at[i].changed = true;
	}
	if (m->all.len == 0 && live)
		read_or_forget(m, live->managed_fields.at, live->managed_fields.len);
}

static void finish(struct managing *m, struct object_meta *to)
{
	struct managed_list entries;
	struct err e;

	if (fields_ok(&m->f, &e) < 0 || owners_write(m->q->arena, &m->all, &entries, &e) < 0)
		return;
	to->managed_fields.at = entries.at;
	to->managed_fields.len = entries.len;
}

void managed_update(const struct managed_write *q, const void *live, void *now)
{
	struct managing m = {.q = q, .f = {.arena = q->arena}};
	struct object_meta *to = meta_of(now), sent = *to;
	const struct object_meta *old = live ? meta_of(live) : NULL;
	bool takes = q->subresource.len == 0 && (sent.managed_fields.len || is_reset(&sent));
	bool same = old && (!takes || same_entries(old, &sent));

	to->managed_fields.at = NULL;
	to->managed_fields.len = 0;
	if (same && old->managed_fields.len == 0)
		return;
	const struct fielded before = {
		.type = q->type,
		.object = live ? managed_bare(q->arena, live) : object_new(q->arena, q->type),
	};
	const struct fielded after = {.type = q->type, .object = now};
	struct field_change c = managed_change(&m, &before, &after);

	if (same && !m.f.failed && !c.added.len && !c.modified.len && !c.removed.len) {
		to->managed_fields.at = old->managed_fields.at;
		to->managed_fields.len = old->managed_fields.len;
		return;
	}
	begin(&m, old, &sent);
	if (live && m.all.len == 0)
		return;
	update_by(&m, &c, STR(""));
	finish(&m, to);
}

void managed_keep_times(const void *live, void *now)
{
	const struct object_meta *old = meta_of(live);
	struct object_meta *m = meta_of(now);
	const struct type *t = object_type(now);
	struct managed_fields_entry *entries = m->managed_fields.at;
	size_t len = m->managed_fields.len, changed = 0;

	if (len == 0 || len != old->managed_fields.len)
		return;
	for (size_t i = 0; i < len; i++) {
		struct managed_fields_entry was = old->managed_fields.at[i];

		changed += !was.time || !entries[i].time || time_compare(was.time, entries[i].time);
		was.time = entries[i].time;
		if (!struct_equal(api_type(API_MANAGED_FIELDS_ENTRY), &was, &entries[i]))
			return;
	}
	if (!changed)
		return;
	m->managed_fields.at = old->managed_fields.at;
	if (!struct_equal(t, live, now))
		m->managed_fields.at = entries;
}
