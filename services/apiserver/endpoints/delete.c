/*
 * DELETE of one object and of a collection: apiserver/pkg/endpoints/handlers/delete.go.
 */
#include "apiserver/endpoints/request.h"

static int delete_one(struct request *r, struct err *e);
static int delete_many(struct request *r, struct err *e);
static int read_options(struct request *r, struct delete_options **to, struct err *e);

void handle_delete(struct request *r)
{
	request_work_with_body(r, delete_one);
}

void handle_delete_collection(struct request *r)
{
	request_work_with_body(r, delete_many);
}

/* The query counts only when there is no body. */
static int read_options(struct request *r, struct delete_options **to, struct err *e)
{
	const struct type *t = &api_schema.types[API_DELETE_OPTIONS];
	str body = buf_str(&r->x->body);
	struct delete_options *o;
	enum format f;

	if (body.len) {
		TRY(negotiate_body(&r->arena, &r->x->request.headers, &f, e));
		TRY(options_from_body(&r->arena, t, f, body, (void **)&o, e));
	} else {
		TRY(options_from_query(&r->arena, t, &r->query, (void **)&o, e));
	}
	o->ignore_store_read_error_with_cluster_breaking_potential = NULL;
	TRY(delete_options_check(&r->arena, o, e));
	*to = o;
	return 0;
}

static int delete_one(struct request *r, struct err *e)
{
	struct delete_options *options;
	bool gone = false;
	void *result;

	TRY(read_options(r, &options, e));
	bool cascades = options->orphan_dependents && !*options->orphan_dependents;
	struct operation *op = request_operation(r, &options->dry_run);

	TRY(registry_delete(op, options, &result, &gone, e));
	return answer_object(r, !gone && cascades ? 202 : 200, result, e);
}

static int delete_many(struct request *r, struct err *e)
{
	struct delete_options *options;
	struct list_options *which;
	struct selection s;
	struct object_list deleted = {.len = 0};

	TRY(options_from_query(
		&r->arena, &api_schema.types[API_LIST_OPTIONS], &r->query, (void **)&which, e));
	TRY(list_options_check(&r->arena, which, e));
	TRY(selection_read(&r->arena, r->resource, which, request_ns(r), (str){NULL, 0}, &s, e));
	TRY(read_options(r, &options, e));
	struct operation *op = request_operation(r, &options->dry_run);
	struct registry_selection rs = {&s.labels, &s.fields};

	op->name = (str){NULL, 0};
	TRY(registry_delete_collection(op, options, &rs, &deleted, e));
	return answer_list(r, &deleted, e);
}
