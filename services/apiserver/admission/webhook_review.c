/*
 * AdmissionReview, both ways. v1beta1 has the same fields as v1, and fewer checks of the answer.
 */
#include "apiserver/admission/webhook.h"
#include "apiserver/authentication/user.h"
#include "lib/schema/object_tree.h"
#include "lib/value/uuid.h"

static const char *const versions[] = {"v1", "v1beta1"};

static const char *known_version(const struct str_list *wanted)
{
	for (size_t i = 0; i < wanted->len; i++)
		for (size_t k = 0; k < COUNT_OF(versions); k++)
			if (str_eq(wanted->at[i], str_of(versions[k])))
				return versions[k];
	return NULL;
}

static int json_of(struct arena *a, const void *object, str *to, struct err *e)
{
	*to = (str){NULL, 0};
	return object ? object_json(a, object, to, e) : 0;
}

/* Of what is sent: for a subresource it may be another kind than the resource's. */
static struct group_version_kind kind_of(const struct resource *r, const void *object)
{
	const struct kind *k = object ? type_kind(object_type(object)) : NULL;

	if (!k || str_eq(str_of(type_go_name(object_type(object))), r->kind))
		return (struct group_version_kind){
			.group = r->group, .version = r->version, .kind = r->kind};
	const char *text = object_type(object)->schema->text;

	return (struct group_version_kind){.group = str_of(text + k->group),
		.version = str_of(text + k->version),
		.kind = str_of(text + k->name)};
}

static struct group_version_resource resource_of(const struct resource *r)
{
	return (struct group_version_resource){
		.group = r->group, .version = r->version, .resource = r->plural};
}

static int fill(const struct admission_attributes *t, const struct webhook_review *r,
	struct admission_request *q, struct err *e)
{
	const void *shown = t->object ? t->object : t->old;
	struct arena *a = t->arena;

	q->uid = r->uid;
	q->kind = kind_of(r->resource, shown);
	q->resource = resource_of(r->resource);
	q->sub_resource = q->request_sub_resource = t->subresource;
	q->request_kind = arena_get(a, sizeof(*q->request_kind));
	*q->request_kind = kind_of(t->resource, shown);
	q->request_resource = arena_get(a, sizeof(*q->request_resource));
	*q->request_resource = resource_of(t->resource);
	q->name = t->name;
	q->namespace = admission_is(t, "", "namespaces") ? t->name : t->ns;
	q->operation = webhook_operation(t->operation);
	user_info(a, t->user, &q->user_info);
	q->dry_run = arena_bool(a, t->dry_run);
	TRY(json_of(a, t->object, &q->object, e));
	TRY(json_of(a, t->old, &q->old_object, e));
	return json_of(a, t->options, &q->options, e);
}

int webhook_review_make(struct admission *n, const struct admission_attributes *t,
	struct webhook_review *r, struct err *e)
{
	struct admission_review *review = object_new(t->arena, api_type(API_ADMISSION_REVIEW));

	r->version = known_version(r->webhook->review_versions);
	if (!r->version)
		return err_set(e, ERR_INVALID,
			"could not create admission objects: webhook does not accept known "
			"AdmissionReview versions (v1, v1beta1)");
	r->uid = uuid_new(n->options.random, t->arena);
	review->object.api_version = arena_fmt(t->arena, "admission.k8s.io/%s", r->version);
	review->request = arena_get(t->arena, sizeof(*review->request));
	TRY(fill(t, r, review->request, e));
	return json_of(t->arena, review, &r->body, e);
}

static int check(const struct webhook_review *r, bool mutating, const struct admission_review *v,
	struct err *e)
{
	const struct admission_response *s = v->response;

	if (!s)
		return err_set(e, ERR_INVALID, "webhook response was absent");
	if (strcmp(r->version, "v1") != 0)
		return 0;
	if (!str_eq(s->uid, r->uid))
		return err_set(e, ERR_INVALID, "expected response.uid=\"%.*s\", got \"%.*s\"",
			STR_ARG(r->uid), STR_ARG(s->uid));
	if (!str_eq(v->object.api_version, STR("admission.k8s.io/v1")) ||
		!str_eq(v->object.kind, STR("AdmissionReview")))
		return err_set(e, ERR_INVALID,
			"expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, "
			"got %.*s, Kind=%.*s",
			STR_ARG(v->object.api_version), STR_ARG(v->object.kind));
	if (!mutating && s->patch.len > 0)
		return err_set(e, ERR_INVALID, "validating webhook may not return response.patch");
	if (!mutating && s->patch_type)
		return err_set(
			e, ERR_INVALID, "validating webhook may not return response.patchType");
	if (s->patch.len > 0 && !s->patch_type)
		return err_set(e, ERR_INVALID,
			"webhook returned response.patch but not response.patchType");
	if (s->patch.len == 0 && s->patch_type)
		return err_set(e, ERR_INVALID,
			"webhook returned response.patchType but not response.patch");
	if (s->patch_type && !str_eq(*s->patch_type, STR("JSONPatch")))
		return err_set(
			e, ERR_INVALID, "unsupported patch type \"%.*s\"", STR_ARG(*s->patch_type));
	return 0;
}

int webhook_review_read(struct arena *a, const struct webhook_review *r, bool mutating, str answer,
	struct admission_response **to, struct err *e)
{
	void *found;

	if (object_decode(a, api_type(API_ADMISSION_REVIEW), FORMAT_JSON, answer, &found, NULL, e) <
		0)
		return err_context(e, "failed to call webhook");
	if (check(r, mutating, found, e) < 0)
		return err_context(e, "received invalid webhook response");
	*to = ((struct admission_review *)found)->response;
	return 0;
}

int webhook_denied(struct arena *a, const struct webhook *w, const struct status *s, struct err *e)
{
	struct status *answer = object_new(a, api_type(API_STATUS));

	if (s)
		*answer = *s;
	answer->object = (struct object){api_type(API_STATUS), STR("v1"), STR("Status")};
	if (answer->code < 400)
		answer->code = 400;
	if (answer->status.len == 0 || str_eq(answer->status, STR("Success")))
		answer->status = STR("Failure");
	str why = answer->message.len > 0 ? answer->message : answer->reason;

	answer->message = arena_fmt(a, "admission webhook \"%.*s\" denied the request%s%.*s",
		STR_ARG(w->name), why.len > 0 ? ": " : " without explanation", STR_ARG(why));
	return status_received(answer, e);
}
