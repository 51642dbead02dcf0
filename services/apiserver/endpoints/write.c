/*
 * POST and PUT: apiserver/pkg/endpoints/handlers/{create,update}.go. On threads that may block.
 */
#include "apiserver/endpoints/managing.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/request.h"
#include "apiserver/endpoints/scale.h"

static int create(struct request *r, struct err *e);
static int update(struct request *r, struct err *e);
static int replace(
	struct updater *u, struct arena *a, const void *before, void **next, struct err *e);

struct replacement {
	struct updater updater;
	struct request *r;
	const struct update_options *options;
	const void *object;
};

void handle_create(struct request *r)
{
	request_work_with_body(r, create);
}

void handle_update(struct request *r)
{
	request_work_with_body(r, update);
}

/* What a client cannot say of a new object. */
static void wipe_system_fields(struct object_meta *m)
{
	m->deletion_timestamp = NULL;
	m->deletion_grace_period_seconds = NULL;
	m->self_link = (str){NULL, 0};
}

static int create(struct request *r, struct err *e)
{
	const struct type *t = request_type(r);
	struct create_options *options;
	struct object_meta *m;
	void *object, *stored;

	TRY(options_from_query(
		&r->arena, &api_schema.types[API_CREATE_OPTIONS], &r->query, (void **)&options, e));
	TRY(create_options_check(&r->arena, options, e));
	TRY(request_decode(r, t, options_field_validation(options->field_validation), &object, e));
	struct operation *op = request_operation(r, &options->dry_run);

	m = object_metadata(object);
	if (m) {
		wipe_system_fields(m);
		TRY(request_check_namespace(r, object, e));
	}
	if (m && !r->sub)
		TRY(managing_update(r, options->field_manager, NULL, object, e));
	if (r->sub || r->resource->stored_as == STORED_NOT)
		TRY(registry_connect_create(op, object, options, &stored, e));
	else
		TRY(registry_create(op, object, options, &stored, e));
	if (object_type(stored) == &api_schema.types[API_STATUS] &&
		((struct status *)stored)->code == 0)
		((struct status *)stored)->code = 201;
	return answer_object(r, 201, stored, e);
}

static int update(struct request *r, struct err *e)
{
	bool scales = r->sub && str_eq(r->sub->name, STR("scale"));
	const struct type *t = request_type(r);
	struct update_options *options;
	struct replacement u = {.updater = {.next = replace}};
	void *object, *stored;
	bool created = false;

	TRY(options_from_query(
		&r->arena, &api_schema.types[API_UPDATE_OPTIONS], &r->query, (void **)&options, e));
	TRY(update_options_check(&r->arena, options, e));
	TRY(request_decode(r, t, options_field_validation(options->field_validation), &object, e));
	TRY(request_check_names(r, object, e));
	struct operation *op = request_operation(r, &options->dry_run);

	if (scales) {
		struct managed_write w = managing_write(r, options->field_manager);

		TRY(scale_update(op, &w, object, options, &stored, e));
	} else {
		u.r = r;
		u.options = options;
		u.object = object;
		TRY(registry_update(op, &u.updater, options, &stored, &created, e));
	}
	return answer_object(r, created ? 201 : 200, stored, e);
}

/* Each attempt begins from what the client sent. */
static int replace(
	struct updater *u, struct arena *a, const void *before, void **next, struct err *e)
{
	struct replacement *p = CONTAINER_OF(u, struct replacement, updater);

	*next = object_copy(a, p->object, false);
	return managing_update(p->r, p->options->field_manager, before, *next, e);
}
