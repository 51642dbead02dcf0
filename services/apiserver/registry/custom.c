/*
 * Strategies of CustomResourceDefinitions and of what they define:
 * apiextensions-apiserver/pkg/registry/{customresourcedefinition,customresource}.
 */
#include "apiserver/registry/strategies.h"

#include "apiserver/validation/validation.h"
#include "lib/schema/open.h"
#include "lib/structural/structural.h"
#include "lib/structural/value.h"

static void prepare_create(struct operation *op, void *now);
static void prepare_update(struct operation *op, void *now, const void *before);

const struct strategy custom_strategy = {
	.prepare_create = prepare_create, .prepare_update = prepare_update};
const struct strategy custom_strategy_with_status = {.flags = STRATEGY_STATUS_RESET,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update};

/* --- definitions */

/* The version that objects are written in from now on may never be forgotten. */
static void add_stored_version(struct arena *a, struct crd_custom_resource_definition *crd)
{
	struct str_list *had = &crd->status.stored_versions;

	for (size_t i = 0; i < crd->spec.versions.len; i++) {
		const struct crd_custom_resource_definition_version *v = &crd->spec.versions.at[i];

		if (!v->storage)
			continue;
		for (size_t k = 0; k < had->len; k++)
			if (str_eq(had->at[k], v->name))
				return;
		str *all = arena_get(a, (had->len + 1) * sizeof(str));

		if (had->len)
			memcpy(all, had->at, had->len * sizeof(str));
		all[had->len] = v->name;
		*had = (struct str_list){all, had->len + 1};
		return;
	}
}

void crd_prepare_create(struct operation *op, void *now)
{
	add_stored_version(op->arena, now);
}

void crd_prepare_update(struct operation *op, void *now, UNUSED const void *before)
{
	add_stored_version(op->arena, now);
}

/* --- what they define */

static void prepare_create(UNUSED struct operation *op, void *now)
{
	object_metadata(now)->generation = 1;
}

/* Any change but of the metadata counts; status, where it is a subresource, is as it was. */
static void prepare_update(struct operation *op, void *now, const void *before)
{
	void *x = object_copy(op->arena, now, false), *y = object_copy(op->arena, before, false);

	*object_metadata(x) = *object_metadata(y);
	if (!object_equal(x, y))
		object_metadata(now)->generation = object_metadata_of(before)->generation + 1;
}

/* All as it was but for the status. */
void custom_narrow_status(struct operation *op, void *now, const void *before)
{
	void *next = object_copy(op->arena, before, false);

	store_copy_field(op->arena, next, now, STR("status"));
	memcpy(now, next, object_type(now)->size_bytes);
}

static void check_kind(const struct operation *op, const struct object *now, struct causes *c)
{
	const struct kind *k = type_kind(now->type);
	const char *text = now->type->schema->text;

	if (!str_eq(now->kind, op->resource->kind))
		causes_invalid(c, FIELD(NULL, "kind"), cause_text(now->kind), "must be %.*s",
			STR_ARG(op->resource->kind));
	if (!str_eq(now->api_version, str_of(text + k->api_version)))
		causes_invalid(c, FIELD(NULL, "apiVersion"), cause_text(now->api_version),
			"must be %s", text + k->api_version);
}

void custom_check(struct operation *op, const void *now, const void *before, struct causes *c)
{
	check_kind(op, now, c);
	if (c->len)
		return;
	metadata_validate(object_metadata_of(now), before ? object_metadata_of(before) : NULL, c);
	structural_validate(op->resource->custom, op->subresource, now, before, c);
}
