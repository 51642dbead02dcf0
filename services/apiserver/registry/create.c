/*
 * Creation: apiserver/pkg/registry/generic/registry/store.go, Create.
 */
#include "apiserver/registry/store.h"
#include "apiserver/validation/validation.h"

enum { GENERATED_NAME_TRIES = 8 };

static int attempt(
	struct operation *op, void *object, const void *options, void **to, struct err *e);
static int put_object(struct operation *op, void *object, int64_t *revision, struct err *e);

int registry_create(
	struct operation *op, void *object, const void *options, void **to, struct err *e)
{
	struct admission_attributes t = store_attributes(op, ADMIT_CREATE, object, NULL, options);
	struct object_meta *m = object_metadata(object);

	t.name = m->name;
	TRY(admission_mutate(op->registry->o.admission, &t, e));
	object = t.object;
	return store_create(op, object, options, to, e);
}

int store_create(struct operation *op, void *object, const void *options, void **to, struct err *e)
{
	const struct object_meta *m = object_metadata(object);

	TRY(store_check_grants(op, object, NULL, e));
	bool generates = m->name.len == 0 && m->generate_name.len > 0;

	if (!generates)
		return attempt(op, object, options, to, e);
	for (int i = 1; i < GENERATED_NAME_TRIES; i++) {
		void *copy = object_copy(op->arena, object, false);

		if (attempt(op, copy, options, to, e) == 0)
			return 0;
		if (e->kind != ERR_EXISTS)
			return -1;
	}
	return attempt(op, object, options, to, e);
}

static int check_namespace(const struct operation *op, struct object_meta *m, struct err *e)
{
	str ns = op->resource->namespaced ? op->ns : STR("");

	if (m->namespace.len == 0)
		m->namespace = ns;
	if (!str_eq(m->namespace, ns))
		return status_fail(op->arena, e, STATUS_BAD_REQUEST,
			"the namespace of the provided object does not match the namespace sent on "
			"the request");
	return 0;
}

static void prepare(
	struct operation *op, const struct strategy *s, void *object, struct object_meta *m)
{
	str twice = metadata_dedup_owners(op->arena, m);

	if (twice.at)
		warnings_add(op->warnings,
			".metadata.ownerReferences contains duplicate entries; API server dedups "
			"owner references in 1.20+, and may reject such requests as early as 1.24; "
			"please fix your requests; duplicate UID(s) observed: %.*s",
			STR_ARG(twice));
	m->generation = s && (s->flags & STRATEGY_GENERATION) ? 1 : 0;
	m->resource_version = (str){NULL, 0};
	if (s && (s->flags & STRATEGY_STATUS_RESET))
		store_clear_field(object, STR("status"));
	if (s && s->prepare_create)
		s->prepare_create(op, object);
}

static int check(struct operation *op, const struct strategy *s, void *object, const void *options,
	struct err *e)
{
	struct object_meta *m = object_metadata(object);
	struct admission_attributes t = store_attributes(op, ADMIT_CREATE, object, NULL, options);
	struct causes c;

	causes_init(&c, op->arena);
	if (op->resource->custom)
		custom_check(op, object, NULL, &c);
	else
		object_validate(object, &c);
	TRY(store_check(op, m->name, &c, e));
	if (s && s->warn)
		s->warn(op, object, NULL);
	t.name = m->name;
	return admission_validate(op->registry->o.admission, &t, e);
}

static int attempt(
	struct operation *op, void *object, const void *options, void **to, struct err *e)
{
	const struct registry_options *o = &op->registry->o;
	const struct strategy *s = strategy_find(op->resource);
	struct object_meta *m = object_metadata(object);
	int64_t revision = 0;

	metadata_fill(op->arena, m, o->random, o->clock);
	if (m->name.len == 0 && m->generate_name.len)
		m->name = metadata_generate_name(op->arena, o->random, m->generate_name);
	TRY(check_namespace(op, m, e));
	if (s && s->allocate)
		TRY(s->allocate(op, object, NULL, e));
	prepare(op, s, object, m);
	if (check(op, s, object, options, e) < 0 || put_object(op, object, &revision, e) < 0) {
		if (s && s->release)
			s->release(op, object, NULL);
		return -1;
	}
	if (revision)
		metadata_set_revision(op->arena, m, revision);
	*to = object;
	return 0;
}

/* That the name is taken by what is going away is worth saying. */
static int fail_exists(struct operation *op, str name, const struct err *why, struct err *e)
{
	struct stored *there = storage_get(op->registry->o.storage, op->resource, op->ns, name);
	void *object;
	struct err ignored;

	store_fail(op, name, why, e);
	if (!there)
		return -1;
	if (stored_decode(op->arena, there, &object, &ignored) == 0 &&
		object_metadata(object)->deletion_timestamp) {
		struct status *s = status_detail(e);

		s->message = arena_fmt(
			op->arena, "object is being deleted: %.*s", STR_ARG(s->message));
	}
	counted_drop(&there->counted);
	return -1;
}

static int put_object(struct operation *op, void *object, int64_t *revision, struct err *e)
{
	struct storage *s = op->registry->o.storage;
	str name = object_metadata(object)->name;
	struct stored *there;
	struct err why;

	if (op->dry_run) {
		if (storage_fetch(s, op->resource, op->ns, name, &there, &why) < 0)
			return why.kind == ERR_NOT_FOUND ? 0 : store_fail(op, name, &why, e);
		counted_drop(&there->counted);
		return status_already_exists(op->arena, e, operation_subject(op, name));
	}
	if (storage_create(s, op->resource, object, store_ttl_s(op), revision, &why) == 0)
		return 0;
	return why.kind == ERR_EXISTS ? fail_exists(op, name, &why, e)
				      : store_fail(op, name, &why, e);
}
