#include "apiserver/registry/metadata.h"

#include "lib/value/uuid.h"

enum {
	NAME_MAX_CHARS = 63,
	NAME_RANDOM_CHARS = 5,
};

struct object_meta *object_metadata(void *object)
{
	const struct type *t = object_type(object);
	const struct field *f = type_field(t, STR("metadata"));

	if (!f || !type_same(field_type(t, f), api_type(API_OBJECT_META)))
		return NULL;
	return field_at(object, f);
}

const struct object_meta *object_metadata_of(const void *object)
{
	return object_metadata((void *)(uintptr_t)object);
}

void metadata_fill(
	struct arena *a, struct object_meta *m, struct random *random, const struct clock *clock)
{
	m->creation_timestamp = meta_now(clock);
	m->uid = uuid_new(random, a);
}

str metadata_generate_name(struct arena *a, struct random *random, str prefix)
{
	str tail = meta_random_suffix(a, random, NAME_RANDOM_CHARS);

	prefix = str_slice(prefix, 0, NAME_MAX_CHARS - NAME_RANDOM_CHARS);
	return arena_fmt(a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(tail));
}

str metadata_dedup_owners(struct arena *a, struct object_meta *m)
{
	const struct type *t = &api_schema.types[API_OWNER_REFERENCE];
	size_t kept = 0;
	struct buf gone;

	buf_init(&gone, BUF_NO_LIMIT);
	for (size_t i = 0; i < m->owner_references.len; i++) {
		struct owner_reference *o = &m->owner_references.at[i];
		bool again = false;

		for (size_t k = 0; k < kept && !again; k++)
			again = str_eq(m->owner_references.at[k].uid, o->uid) &&
				struct_equal(t, &m->owner_references.at[k], o);
		if (again)
			buf_add_fmt(&gone, "%s%.*s", gone.len ? ", " : "", STR_ARG(o->uid));
		else
			m->owner_references.at[kept++] = *o;
	}
	m->owner_references.len = kept;
	str uids = gone.len ? arena_str(a, buf_str(&gone)) : (str){NULL, 0};

	buf_free(&gone);
	return uids;
}

void metadata_set_revision(struct arena *a, struct object_meta *m, int64_t revision)
{
	m->resource_version = arena_fmt(a, "%lld", (long long)revision);
}
