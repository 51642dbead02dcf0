/*
 * Bodies: decoded, compared with the path, in upstream's words
 * (apiserver/pkg/endpoints/handlers/rest.go).
 */
#include "apiserver/endpoints/convert.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/request.h"
#include "lib/codec/yaml.h"
#include "lib/value/quote.h"

enum { SUMMARY_MAX = 30 };

static int fail_decode(struct request *r, const struct type *t, enum format f,
	const struct err *why, struct err *e);
static int complain(struct request *r, const struct type *t, const struct notes *n,
	enum field_validation validation, struct err *e);
static int check_kind(struct request *r, const struct type *t, struct object *o, struct err *e);
static str version_of(str api_version);

int request_decode(struct request *r, const struct type *t, enum field_validation validation,
	void **to, struct err *e)
{
	struct arena *a = &r->arena;
	str body = buf_str(&r->x->body);
	struct notes notes;
	struct err why;
	enum format f;
	void *o;

	notes_init(&notes, a);
	TRY(negotiate_body(a, &r->x->request.headers, &f, e));
	if (t->schema->sorted && f == FORMAT_PROTOBUF)
		return status_fail(a, e, STATUS_UNSUPPORTED_MEDIA_TYPE,
			"the body of the request was in an unknown format - accepted media types "
			"include: application/json, application/yaml");
	if (object_decode(a, t, f, body, &o, validation == VALIDATE_IGNORE ? NULL : &notes, &why) <
		0)
		return fail_decode(r, t, f, &why, e);
	TRY(check_kind(r, t, o, e));
	TRY(complain(r, t, &notes, validation, e));
	object_default(a, o);
	TRY(convert_from_request(a, r->resource, &o, e));
	*to = o;
	return 0;
}

int request_check_namespace(struct request *r, void *object, struct err *e)
{
	struct object_meta *m = object_metadata(object);
	str ns = r->resource->namespaced ? r->info.ns : STR("");

	if (!m)
		return 0;
	if (m->namespace.len == 0) {
		m->namespace = ns;
		return 0;
	}
	if (!str_eq(m->namespace, ns))
		return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
			"the namespace of the provided object does not match the namespace sent on "
			"the request");
	return 0;
}

int request_check_names(struct request *r, void *object, struct err *e)
{
	struct object_meta *m = object_metadata(object);

	TRY(request_check_namespace(r, object, e));
	if (!m || str_eq(m->name, r->info.name))
		return 0;
	if (m->name.len == 0)
		return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
			"the name of the object (%.*s based on URL) was undeterminable: name must "
			"be provided",
			STR_ARG(r->info.name));
	return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
		"the name of the object (%.*s) does not match the name on the URL (%.*s)",
		STR_ARG(m->name), STR_ARG(r->info.name));
}

/* The package of upstream's internal types: what the group is called up to its first dot. */
static str internal_package(str group)
{
	ptrdiff_t dot = str_find_char(group, '.');

	if (group.len == 0 || str_eq(group, STR("events.k8s.io")))
		return STR("core");
	return dot < 0 ? group : str_slice(group, 0, (size_t)dot);
}

const char *kind_mismatch(struct arena *a, const struct type *t, const struct object *o)
{
	const struct kind *k = type_kind(t);
	str kind = o->kind.len ? o->kind : str_of(t->schema->text + k->name);
	str version = o->api_version.len ? o->api_version
					 : str_of(t->schema->text + k->api_version);
	const struct type *found = type_find_api_version(t->schema, version, kind);

	if (!found)
		return arena_fmt(a,
			"no kind \"%.*s\" is registered for version \"%.*s\" in scheme "
			"\"pkg/api/legacyscheme/scheme.go:30\"",
			STR_ARG(kind), STR_ARG(version))
			.at;
	str ours = str_of(t->schema->text + k->name);

	if (str_eq(kind, ours))
		return NULL;
	return arena_fmt(a, "converting (%.*s.%.*s) to (%.*s.%.*s): unknown conversion",
		STR_ARG(version_of(version)), STR_ARG(kind),
		STR_ARG(internal_package(str_of(t->schema->text + k->group))), STR_ARG(ours))
		.at;
}

const char *strict_complaint(struct arena *a, const struct notes *n)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("strict decoding error: "));
	for (size_t i = 0; i < n->texts.len; i++)
		buf_add_fmt(&b, "%s%.*s", i ? ", " : "", STR_ARG(n->texts.at[i]));
	buf_add_char(&b, 0);
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text.at;
}

struct operation *request_operation(struct request *r, const struct str_list *dry_run)
{
	r->op = (struct operation){
		.registry = r->endpoints->registry,
		.arena = &r->arena,
		.resource = r->resource,
		.subresource = r->sub ? r->sub->name : (str){NULL, 0},
		.ns = request_ns(r),
		.name = r->info.name,
		.user = r->user,
		.dry_run = options_dry_run(dry_run),
		.deadline_ns = r->deadline_ns,
		.warnings = &r->warnings,
	};
	return &r->op;
}

/* kind and apiVersion as the body has them; absent where it has none. */
static bool peek(struct request *r, enum format f, struct object *to)
{
	str body = buf_str(&r->x->body), message;
	struct json_item root, member;
	struct err ignored;

	if (f == FORMAT_PROTOBUF)
		return object_open(body, &to->api_version, &to->kind, &message, &ignored) == 0;
	if (f == FORMAT_YAML && yaml_to_json(&r->arena, body, &body, NULL, &ignored) < 0)
		return false;
	if (json_parse(&r->arena, body, &root, &ignored) < 0)
		return false;
	if (json_member(&root, STR("kind"), &member) && member.kind == JSON_STRING)
		to->kind = member.text;
	if (json_member(&root, STR("apiVersion"), &member) && member.kind == JSON_STRING)
		to->api_version = member.text;
	return true;
}

static str summary(struct arena *a, str body)
{
	bool cut = body.len > SUMMARY_MAX;
	struct buf b;

	if (body.len == 0)
		return STR("<empty>");
	if (body.at[0] == '{')
		return arena_fmt(a, "%.*s%s", (int)(cut ? SUMMARY_MAX : body.len), body.at,
			cut ? " ..." : "");
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < body.len && i < SUMMARY_MAX; i++)
		buf_add_fmt(&b, "%02x", (unsigned char)body.at[i]);
	if (cut)
		buf_add_str(&b, STR(" ..."));
	str to = arena_str(a, buf_str(&b));

	buf_free(&b);
	return to;
}

static str version_of(str api_version)
{
	ptrdiff_t slash = str_find_char(api_version, '/');

	return slash < 0 ? api_version : str_slice(api_version, (size_t)slash + 1, api_version.len);
}

static int fail_as(struct request *r, const struct type *t, const struct object *head,
	const char *why, struct err *e)
{
	const struct kind *k = type_kind(t);
	str kind = head->kind.len ? head->kind : str_of(t->schema->text + k->name);
	str api_version = head->api_version.len ? head->api_version
						: str_of(t->schema->text + k->api_version);

	return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
		"%.*s in version \"%.*s\" cannot be handled as a %s: %s", STR_ARG(kind),
		STR_ARG(version_of(api_version)), type_name(t), why);
}

static int fail_decode(struct request *r, const struct type *t, enum format f,
	const struct err *why, struct err *e)
{
	struct object head = {.type = t};

	if (why->kind == ERR_LIMIT)
		return status_fail(&r->arena, e, STATUS_REQUEST_ENTITY_TOO_LARGE, "%s", why->text);
	if (peek(r, f, &head))
		return fail_as(r, t, &head, why->text, e);
	str body = summary(&r->arena, buf_str(&r->x->body));

	return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
		"the object provided is unrecognized (must be of type %s): %s%s (%.*s)",
		type_name(t),
		f == FORMAT_PROTOBUF ? "" : "couldn't get version/kind; json parse error: ",
		why->text, STR_ARG(body));
}

/* What has no type in Go has to say what it is. */
static int check_custom_kind(struct request *r, const struct object *o, struct err *e)
{
	str body = buf_str(&r->x->body);

	if (o->kind.len && o->api_version.len)
		return 0;
	return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
		o->kind.len ? "Object 'apiVersion' is missing in '%.*s'"
			    : "Object 'Kind' is missing in '%.*s'",
		STR_ARG(body));
}

/* A body may leave out what it is; else it must be what the path says. */
static int check_kind(struct request *r, const struct type *t, struct object *o, struct err *e)
{
	const struct kind *k = type_kind(t);
	str kind = str_of(t->schema->text + k->name);
	str api_version = str_of(t->schema->text + k->api_version);

	const char *why = t->schema->sorted ? NULL : kind_mismatch(&r->arena, t, o);

	if (t->schema->sorted)
		TRY(check_custom_kind(r, o, e));
	if (why)
		return fail_as(r, t, o, why, e);
	if (o->api_version.len && !str_eq(o->api_version, api_version))
		return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
			"the API version in the data (%.*s) does not match the expected API "
			"version (%.*s)",
			STR_ARG(o->api_version), STR_ARG(api_version));
	if (!t->schema->sorted) /* another kind is found wrong by validation */
		o->kind = kind;
	o->api_version = api_version;
	return 0;
}

static int complain(struct request *r, const struct type *t, const struct notes *n,
	enum field_validation validation, struct err *e)
{
	struct object head = {.type = t};

	if (n->texts.len == 0)
		return 0;
	if (validation != VALIDATE_STRICT) {
		for (size_t i = 0; i < n->texts.len; i++)
			warnings_add(&r->warnings, "%.*s", STR_ARG(n->texts.at[i]));
		return 0;
	}
	return fail_as(r, t, &head, strict_complaint(&r->arena, n), e);
}
