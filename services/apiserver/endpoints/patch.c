/*
 * PATCH: JSON patch, merge patch, strategic merge patch and server-side apply to the newest object,
 * again after each conflict: apiserver/pkg/endpoints/handlers/patch.go.
 */
#include "lib/schema/patch.h"
#include "apiserver/endpoints/convert.h"
#include "apiserver/endpoints/managing.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/request.h"
#include "apiserver/endpoints/scale.h"
#include "lib/api/causes.h"
#include "lib/codec/yaml.h"
#include "lib/schema/object_tree.h"

enum patch_kind { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY };

static const struct {
	str type;
	enum patch_kind kind;
} kinds[] = {
	{STR_INIT("application/json-patch+json"), PATCH_JSON},
	{STR_INIT("application/merge-patch+json"), PATCH_MERGE},
	{STR_INIT("application/strategic-merge-patch+json"), PATCH_STRATEGIC},
	{STR_INIT("application/apply-patch+yaml"), PATCH_APPLY},
};

#define CUSTOM_PATCH_TYPES \
	"application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
#define PATCH_TYPES \
	"application/json-patch+json, application/merge-patch+json, " \
	"application/strategic-merge-patch+json, application/apply-patch+yaml"

struct patching {
	struct updater updater;
	struct request *r;
	enum patch_kind kind;
	const struct patch_options *options;
	enum field_validation validation;
	bool scales, warned;
};

static int patch_kind(struct request *r, enum patch_kind *to, struct err *e);
static int patch(struct request *r, struct err *e);
static int next(struct updater *u, struct arena *a, const void *before, void **to, struct err *e);

void handle_patch(struct request *r)
{
	enum patch_kind kind;
	struct err e;

	if (patch_kind(r, &kind, &e) < 0)
		request_fail(r, &e);
	else
		request_work_with_body(r, patch);
}

static int patch_kind(struct request *r, enum patch_kind *to, struct err *e)
{
	str header = http_header(&r->x->request.headers, STR("content-type"));
	str type = str_trim(str_cut(&header, ';'));

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (str_eq(kinds[i].type, type) &&
			!(r->resource->custom && kinds[i].kind == PATCH_STRATEGIC)) {
			*to = kinds[i].kind;
			return 0;
		}
	}
	return status_fail(&r->arena, e, STATUS_UNSUPPORTED_MEDIA_TYPE,
		"the body of the request was in an unknown format - accepted media types include: "
		"%s",
		r->resource->custom ? CUSTOM_PATCH_TYPES : PATCH_TYPES);
}

static int patch(struct request *r, struct err *e)
{
	struct patch_options *options;
	struct patching p = {
		.updater = {.next = next},
		.r = r,
		.scales = r->sub && str_eq(r->sub->name, STR("scale")),
	};
	struct update_options *update;
	bool created;
	void *stored;

	TRY(patch_kind(r, &p.kind, e));
	TRY(options_from_query(
		&r->arena, &api_schema.types[API_PATCH_OPTIONS], &r->query, (void **)&options, e));
	TRY(patch_options_check(&r->arena, options, p.kind == PATCH_APPLY, e));
	p.options = options;
	p.updater.may_create = p.kind == PATCH_APPLY && !r->sub;
	p.validation = options_field_validation(options->field_validation);
	update = object_new(&r->arena, &api_schema.types[API_UPDATE_OPTIONS]);
	update->dry_run = options->dry_run;
	update->field_manager = options->field_manager;
	update->field_validation = options->field_validation;
	struct operation *op = request_operation(r, &options->dry_run);

	TRY(registry_update(op, &p.updater, update, &stored, &created, e));
	if (p.scales)
		stored = scale_of(&r->arena, r->resource, stored);
	return answer_object(r, created ? 201 : 200, stored, e);
}

/* The errors of lib/schema/patch.h as answers. */
static int fail_patch(struct request *r, const struct err *why, struct err *e)
{
	switch (why->kind) {
	case ERR_INVALID: return status_fail(&r->arena, e, STATUS_BAD_REQUEST, "%s", why->text);
	case ERR_LIMIT:
		return status_fail(&r->arena, e, STATUS_REQUEST_ENTITY_TOO_LARGE, "%s", why->text);
	case ERR_CONFLICT:
		return status_generic(&r->arena, e, STATUS_INVALID,
			"the server rejected our request due to an error in our request");
	default: return status_fail(&r->arena, e, STATUS_INTERNAL_ERROR, "%s", why->text);
	}
}

static int patch_text(
	struct patching *p, struct arena *a, const struct type *t, str now, str *to, struct err *e)
{
	str body = buf_str(&p->r->x->body);
	struct tree *target, *change, *result = NULL;
	struct err why;

	TRY(tree_read(a, now, &target, e));
	if (tree_read(a, body, &change, &why) < 0)
		return status_fail(a, e, STATUS_BAD_REQUEST, "error decoding patch: %s", why.text);
	if (p->kind == PATCH_MERGE && change->kind != JSON_OBJECT)
		return status_fail(a, e, STATUS_BAD_REQUEST,
			"error decoding patch: json: cannot unmarshal %.*s into Go value of type "
			"map[string]interface {}",
			STR_ARG(json_kind_name(change->kind)));
	int done = p->kind == PATCH_JSON ? patch_json(a, target, change, &result, &why)
		: p->kind == PATCH_MERGE ? patch_merge(a, target, change, &result, &why)
					 : patch_strategic(a, t, target, change, &result, &why);

	if (done < 0)
		return fail_patch(p->r, &why, e);
	return tree_text(a, result, JSON_TEXT_MAX, to, e);
}

static int fail_result(struct arena *a, str json, const char *why, struct err *e)
{
	struct status_subject nobody = {STR(""), STR(""), STR("")};
	struct causes c;

	causes_init(&c, a);
	causes_invalid(&c, FIELD(NULL, "patch"), cause_text(json), "%s", why);
	return status_invalid(a, e, nobody, &c);
}

static int complain(struct patching *p, str json, const struct notes *n, struct err *e)
{
	if (n->texts.len == 0)
		return 0;
	if (p->validation == VALIDATE_STRICT)
		return fail_result(&p->r->arena, json, strict_complaint(&p->r->arena, n), e);
	for (size_t i = 0; i < n->texts.len && !p->warned; i++)
		warnings_add(&p->r->warnings, "%.*s", STR_ARG(n->texts.at[i]));
	p->warned = true;
	return 0;
}

/* From one text of an object to the next. Merging can only put other managedFields in the place of
 * those that are there, so that these need not be written and read again. */
static int patch_object(
	struct patching *p, struct arena *a, const void *before, void **to, struct err *e)
{
	const struct type *t = object_type(before);
	struct notes notes;
	struct err why;
	str now, json;
	void *o;

	notes_init(&notes, a);
	TRY(object_json(a, p->kind == PATCH_JSON ? before : managed_bare(a, before), &now, e));
	TRY(patch_text(p, a, t, now, &json, e));
	struct notes *asked = p->validation == VALIDATE_IGNORE ? NULL : &notes;

	if (object_decode(a, t, FORMAT_JSON, json, &o, asked, &why) < 0)
		return fail_result(a, json, why.text, e);
	const char *mismatch = t->schema->sorted ? NULL : kind_mismatch(a, t, o);

	if (mismatch)
		return fail_result(a, json, mismatch, e);
	TRY(complain(p, json, &notes, e));
	if (!t->schema->sorted)
		*(struct object *)o = *(const struct object *)before;
	object_default(a, o);
	*to = o;
	return 0;
}

/* --- server-side apply */

/* Whether a key stands twice somewhere, of which a tree has one. */
static bool lost_keys(const struct json_item *item, const struct tree *t)
{
	struct json_walk walk = json_enter(item);
	size_t i = 0;

	if (item->kind == JSON_OBJECT && item->count != t->len)
		return true;
	for (struct json_item below; json_next(&walk, &below); i++)
		if (lost_keys(&below,
			    item->kind == JSON_OBJECT ? tree_get(t, below.key) : t->items[i]))
			return true;
	return false;
}

/* A body that is JSON needs no reader of YAML, unless that has something to complain of. */
static bool read_json(struct arena *a, str body, struct tree **to)
{
	struct json_item root;
	struct err ignored;

	return str_starts(body, STR("{")) && json_parse(a, body, &root, &ignored) == 0 &&
		tree_read(a, body, to, &ignored) == 0 && !lost_keys(&root, *to);
}

static int read_yaml(struct arena *a, str body, struct tree **to, str *duplicates, struct err *e)
{
	struct err why;
	str json;

	if (yaml_to_json(a, body, &json, duplicates, &why) < 0)
		return status_fail(a, e, STATUS_BAD_REQUEST,
			"error decoding YAML: error converting YAML to JSON: %s", why.text);
	TRY(tree_read(a, json, to, e));
	if ((*to)->kind == JSON_NULL && (*to = tree_new(a, JSON_OBJECT)) == NULL)
		return arena_full(a, e);
	if ((*to)->kind == JSON_OBJECT)
		return 0;
	return status_fail(a, e, STATUS_BAD_REQUEST,
		"error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
		"unmarshal %.*s into Go value of type map[string]interface {}",
		STR_ARG(json_kind_name((*to)->kind)));
}

static int complain_of_duplicates(struct patching *p, str duplicates, struct err *e)
{
	str text = arena_fmt(
		&p->r->arena, "error converting YAML to JSON: %.*s", STR_ARG(duplicates));

	if (!duplicates.at || p->validation == VALIDATE_IGNORE)
		return 0;
	if (p->validation == VALIDATE_STRICT)
		return status_fail(&p->r->arena, e, STATUS_BAD_REQUEST,
			"error strict decoding YAML: %.*s", STR_ARG(text));
	if (!p->warned)
		warnings_add(&p->r->warnings, "%.*s", STR_ARG(text));
	p->warned = true;
	return 0;
}

/* `now` NULL: there is none yet. */
static int apply(struct patching *p, const struct managed_write *w, const void *now, void **to,
	struct err *e)
{
	const bool *force = p->options->force;
	str body = buf_str(&p->r->x->body), duplicates = {NULL, 0};
	struct tree *config;

	if (!read_json(w->arena, body, &config))
		TRY(read_yaml(w->arena, body, &config, &duplicates, e));
	TRY(managed_apply(w, now, config, force && *force, to, e));
	TRY(complain_of_duplicates(p, duplicates, e));
	object_default(w->arena, *to);
	return 0;
}

/* The patched object, with its managedFields. */
static int patch_managed(
	struct patching *p, struct arena *a, const void *now, void **to, struct err *e)
{
	struct managed_write w = managing_write(p->r, p->options->field_manager);

	if (p->kind == PATCH_APPLY)
		return apply(p, &w, now, to, e);
	TRY(patch_object(p, a, now, to, e));
	managed_update(&w, now, *to);
	return 0;
}

static int next(struct updater *u, struct arena *a, const void *before, void **to, struct err *e)
{
	struct patching *p = CONTAINER_OF(u, struct patching, updater);
	struct request *r = p->r;
	void *now = NULL, *patched;

	if (!before && !p->updater.may_create)
		return status_not_found(a, e, request_subject(r));
	if (before)
		now = object_copy(a, before, false);
	if (p->scales) {
		TRY(patch_managed(p, a, scale_managed(a, r->resource, now), &patched, e));
		TRY(request_check_names(r, patched, e));
		return scale_apply(a, r->resource, now, patched, to, e);
	}
	if (now)
		TRY(convert_to_request(a, r->resource, &now, e));
	TRY(patch_managed(p, a, now, &patched, e));
	TRY(request_check_names(r, patched, e));
	TRY(convert_from_request(a, r->resource, &patched, e));
	*to = patched;
	return 0;
}
