#include "apiserver/endpoints/scale.h"

#include "apiserver/endpoints/metadata_view.h"
#include "lib/api/causes.h"
#include "lib/api/meta.h"
#include "lib/api/status.h"
#include "lib/schema/object_tree.h"
#include "lib/schema/patch.h"
#include "lib/schema/path.h"
#include "lib/structural/structural.h"

/* Where in the struct of each kind these are. */
struct scale_row {
	enum api_type type;
	size_t wanted, current, selector; /* int32_t *, int32_t, struct label_selector * */
	bool selector_is_map;             /* struct str_map in its place */
};

#define ROW(kind, name, is_map) \
	{ \
		kind, offsetof(struct name, spec.replicas), \
			offsetof(struct name, status.replicas), \
			offsetof(struct name, spec.selector), is_map \
	}

static const struct scale_row rows[] = {
	ROW(API_DEPLOYMENT, deployment, false),
	ROW(API_REPLICA_SET, replica_set, false),
	ROW(API_STATEFUL_SET, stateful_set, false),
	ROW(API_REPLICATION_CONTROLLER, replication_controller, true),
};

struct scaling {
	struct updater updater;
	const struct resource *resource;
	const struct managed_write *write;
	const void *scale;
};

static const struct scale_row *find(const struct resource *r)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].type == r->type)
			return &rows[i];
	__builtin_unreachable(); /* the table of resources has scale where there is a row */
}

static str map_text(struct arena *a, const struct str_map *m)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < m->len; i++)
		buf_add_fmt(&b, "%s%.*s=%.*s", i ? "," : "", STR_ARG(m->at[i].key),
			STR_ARG(m->at[i].value));
	str to = arena_str(a, buf_str(&b));

	buf_free(&b);
	return to;
}

static str selector_text(struct arena *a, const struct label_selector *s)
{
	struct meta_selector all;
	struct err e;
	struct buf b;
	str to = STR("");

	if (meta_selector(a, s, &all, &e) < 0)
		return to;
	buf_init(&b, BUF_NO_LIMIT);
	selector_put(&b, &all.selector);
	to = arena_str(a, buf_str(&b));
	buf_free(&b);
	return to;
}

static void *at(const void *object, size_t offset)
{
	return (char *)(uintptr_t)object + offset;
}

/* ".spec.replicas" without its dot. */
static str path_of(str json_path)
{
	return str_starts(json_path, STR(".")) ? str_slice(json_path, 1, json_path.len) : json_path;
}

static const struct crd_custom_resource_subresource_scale *custom_scale(const struct resource *r)
{
	return r->custom->version->subresources->scale;
}

static int32_t custom_number(const void *object, str json_path)
{
	struct place p;
	struct err e;

	if (path_find(object_type(object), object, path_of(json_path), &p, &e) < 0 ||
		p.field->kind != KIND_INT64 || p.field->shape != SHAPE_POINTER)
		return 0;
	int64_t *const *number = p.at;

	return *number ? (int32_t) * *number : 0;
}

static str custom_text(struct arena *a, const void *object, const str *json_path)
{
	struct place p;
	struct buf b;
	struct err e;

	if (!json_path || !json_path->len ||
		path_find(object_type(object), object, path_of(*json_path), &p, &e) < 0)
		return STR("");
	buf_init(&b, BUF_NO_LIMIT);
	path_put_text(&b, &p);
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

static void put_custom(struct arena *a, const struct resource *r, const void *object,
	struct autoscaling_v1_scale *s)
{
	const struct crd_custom_resource_subresource_scale *paths = custom_scale(r);

	s->spec.replicas = custom_number(object, paths->spec_replicas_path);
	s->status.replicas = custom_number(object, paths->status_replicas_path);
	s->status.selector = custom_text(a, object, paths->label_selector_path);
}

/* By way of a merge patch, since the structs in between may not be there. */
static int set_custom(struct arena *a, const struct resource *r, void *now, int32_t replicas,
	void **to, struct err *e)
{
	struct tree *target, *change, *result;
	struct buf b;
	size_t depth = 0;

	buf_init(&b, JSON_TEXT_MAX);
	for (str rest = path_of(custom_scale(r)->spec_replicas_path); rest.at; depth++) {
		buf_add_char(&b, '{');
		json_put_str(&b, str_cut(&rest, '.'));
		buf_add_char(&b, ':');
	}
	buf_add_i64(&b, replicas);
	for (; depth; depth--)
		buf_add_char(&b, '}');
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	TRY(tree_read(a, text, &change, e));
	TRY(object_tree(a, now, &target, e));
	TRY(patch_merge(a, target, change, &result, e));
	return object_of_tree(a, object_type(now), result, to, e);
}

void *scale_of(struct arena *a, const struct resource *r, const void *object)
{
	const struct object_meta *m = object_metadata((void *)(uintptr_t)object);
	struct autoscaling_v1_scale *s = object_new(a, &api_schema.types[API_AUTOSCALING_V1_SCALE]);

	s->metadata.name = m->name;
	s->metadata.namespace = m->namespace;
	s->metadata.uid = m->uid;
	s->metadata.resource_version = m->resource_version;
	s->metadata.creation_timestamp = m->creation_timestamp;
	if (r->custom) {
		put_custom(a, r, object, s);
		return s;
	}
	const struct scale_row *row = find(r);
	int32_t **wanted = at(object, row->wanted);

	s->spec.replicas = *wanted ? **wanted : 0;
	s->status.replicas = *(int32_t *)at(object, row->current);
	s->status.selector = row->selector_is_map
		? map_text(a, at(object, row->selector))
		: selector_text(a, *(struct label_selector **)at(object, row->selector));
	return s;
}

static str version_of(const struct resource *r)
{
	const struct type *t = resource_type(r);

	return str_of(t->schema->text + type_kind(t)->api_version);
}

void *scale_managed(struct arena *a, const struct resource *r, const void *object)
{
	struct managed_list l = managed_to_scale(
		a, object_type(object), object_metadata_of(object), version_of(r));
	struct autoscaling_v1_scale *s = scale_of(a, r, object);

	s->metadata.managed_fields.at = l.at;
	s->metadata.managed_fields.len = l.len;
	return s;
}

int scale_apply(struct arena *a, const struct resource *r, void *now, const void *scale, void **to,
	struct err *e)
{
	const struct autoscaling_v1_scale *s = scale;
	struct object_meta *m = object_metadata(now);
	struct status_subject subject = {STR("autoscaling"), STR("Scale"), s->metadata.name};
	struct causes c;

	TRY(registry_check_uid(a, r, m, s->metadata.uid, e));
	causes_init(&c, a);
	if (s->spec.replicas < 0)
		causes_invalid(&c, FIELD(FIELD(NULL, "spec"), "replicas"),
			cause_i64(a, s->spec.replicas), "must be greater than or equal to 0");
	if (c.len)
		return status_invalid(a, e, subject, &c);
	if (s->metadata.resource_version.len)
		m->resource_version = s->metadata.resource_version;
	struct managed_list l = managed_from_scale(
		a, object_type(now), m, &s->metadata, version_of(r));

	m->managed_fields.at = l.at;
	m->managed_fields.len = l.len;
	if (r->custom)
		return set_custom(a, r, now, s->spec.replicas, to, e);
	*(int32_t **)at(now, find(r)->wanted) = arena_i32(a, s->spec.replicas);
	*to = now;
	return 0;
}

static int next(struct updater *u, struct arena *a, const void *before, void **to, struct err *e)
{
	struct scaling *s = CONTAINER_OF(u, struct scaling, updater);
	const struct autoscaling_v1_scale *scale = s->scale;
	struct status_subject subject = {
		s->resource->group, s->resource->plural, scale->metadata.name};

	if (!before)
		return status_not_found(a, e, subject);
	void *wanted = object_copy(a, s->scale, false);

	managed_update(s->write, scale_managed(a, s->resource, before), wanted);
	return scale_apply(a, s->resource, object_copy(a, before, false), wanted, to, e);
}

int scale_update(struct operation *op, const struct managed_write *w, const void *scale,
	const void *options, void **to, struct err *e)
{
	struct scaling s = {
		.updater = {.next = next}, .resource = op->resource, .write = w, .scale = scale};
	void *stored;
	bool created;

	TRY(registry_update(op, &s.updater, options, &stored, &created, e));
	*to = scale_of(op->arena, op->resource, stored);
	return 0;
}
