/*
 * Entries of an object as its Scale has them, and back. The field is spec.replicas in both.
 * Upstream splits an updater's entry in two when the scale did not change hands, of which the next
 * write forgets one: here it stays whole.
 */
#include "lib/api/managed_owners.h"

#include "lib/api/meta.h"

#define SCALE_VERSION STR("autoscaling/v1")

static struct field_set replicas(struct fields *f)
{
	static const str path[] = {STR_INIT("spec.replicas")};

	return fields_of_paths(f, path, 1);
}

static bool has_replicas(struct fields *f, const struct field_set *s)
{
	struct field_set field = replicas(f);

	return fields_intersection(f, s, &field).len > 0;
}

static struct managed_list write_all(struct fields *f, const struct owners *o)
{
	struct managed_list to = {NULL, 0};
	struct err ignored;

	if (fields_ok(f, &ignored) < 0 || owners_write(f->arena, o, &to, &ignored) < 0)
		return (struct managed_list){NULL, 0};
	return to;
}

static bool read_all(
	struct arena *a, const struct object_meta *m, const struct type *t, struct owners *to)
{
	struct err ignored;

	return owners_read(a, t, m->managed_fields.at, m->managed_fields.len, to, &ignored) == 0;
}

/* The same manager, whichever of the two versions it wrote by. */
static struct owner *find_manager(const struct owners *o, struct managed_fields_entry entry, str as)
{
	entry.api_version = as;
	return owners_find(o, &entry);
}

static void put(struct fields *f, struct owners *to, struct owner o)
{
	if (o.set.len == 0)
		return;
	if (arena_grow(f->arena, (void **)&to->at, to->len, &to->cap, sizeof(o)) < 0) {
		fields_fault(f, ERR_LIMIT, "too many managers");
		return;
	}
	to->at[to->len++] = o;
}

struct managed_list managed_to_scale(
	struct arena *a, const struct type *t, const struct object_meta *m, str api_version)
{
	struct fields f = {.arena = a};
	struct owners all = {.len = 0}, to = {.len = 0};

	if (!read_all(a, m, t, &all))
		return (struct managed_list){NULL, 0};
	for (size_t i = 0; i < all.len; i++) {
		struct owner o = all.at[i];

		if (!str_eq(o.entry.api_version, api_version) || !has_replicas(&f, &o.set))
			continue;
		o.entry.api_version = SCALE_VERSION;
		o.set = replicas(&f);
		o.changed = true;
		put(&f, &to, o);
	}
	return write_all(&f, &to);
}

struct managed_list managed_from_scale(struct arena *a, const struct type *t,
	const struct object_meta *object, const struct object_meta *scale, str api_version)
{
	struct fields f = {.arena = a};
	struct owners all = {.len = 0}, by_scale = {.len = 0}, to = {.len = 0};
	struct field_set field = replicas(&f);

	if (!read_all(a, object, t, &all) ||
		!read_all(a, scale, api_type(API_AUTOSCALING_V1_SCALE), &by_scale))
		return (struct managed_list){NULL, 0};
	for (size_t i = 0; i < all.len; i++) {
		struct owner o = all.at[i];

		if (!str_eq(o.entry.api_version, api_version))
			continue;
		if (has_replicas(&f, &o.set) && !find_manager(&by_scale, o.entry, SCALE_VERSION)) {
			o.set = fields_difference(&f, &o.set, &field);
			o.changed = true;
		}
		put(&f, &to, o);
	}
	for (size_t i = 0; i < by_scale.len; i++) {
		struct owner o = by_scale.at[i];
		struct owner *before = find_manager(&all, o.entry, api_version);

		if (!has_replicas(&f, &o.set) || (before && has_replicas(&f, &before->set)))
			continue;
		o.entry.api_version = api_version;
		o.set = field;
		o.changed = true;
		put(&f, &to, o);
	}
	return write_all(&f, &to);
}
