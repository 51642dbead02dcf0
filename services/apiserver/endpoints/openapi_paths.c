/*
 * Paths: an operation for each verb of each resource, with the parameters that its options kinds
 * have.
 */
#include "apiserver/endpoints/openapi_build.h"
#include "apiserver/registry/registry.h"

enum { PARTS_MAX_BYTES = 256 };

struct operation_row {
	enum verb verb;
	const char *method, *action, *word; /* x-kubernetes-action; of the operation's id */
	enum api_type options;              /* in the query */
	bool has_options, has_body;
};

static const struct operation_row on_collection[] = {
	{VERB_LIST, "get", "list", "list", API_LIST_OPTIONS, true, false},
	{VERB_CREATE, "post", "post", "create", API_CREATE_OPTIONS, true, true},
	{VERB_DELETECOLLECTION, "delete", "deletecollection", "deleteCollection",
		API_DELETE_OPTIONS, true, false},
};

static const struct operation_row on_item[] = {
	{VERB_GET, "get", "get", "read", API_GET_OPTIONS, false, false},
	{VERB_UPDATE, "put", "put", "replace", API_UPDATE_OPTIONS, true, true},
	{VERB_PATCH, "patch", "patch", "patch", API_PATCH_OPTIONS, true, true},
	{VERB_DELETE, "delete", "delete", "delete", API_DELETE_OPTIONS, true, false},
};

static const struct operation_row on_sub[] = {
	{VERB_GET, "get", "get", "read", API_GET_OPTIONS, false, false},
	{VERB_CREATE, "post", "post", "create", API_CREATE_OPTIONS, true, true},
	{VERB_UPDATE, "put", "put", "replace", API_UPDATE_OPTIONS, true, true},
	{VERB_PATCH, "patch", "patch", "patch", API_PATCH_OPTIONS, true, true},
};

/* One path under way. */
struct path {
	struct definitions *definitions;
	struct buf *to;
	const struct resource *resource;
	const struct subresource *sub; /* NULL: the resource itself */
	bool item, namespaced;
	size_t *count;
};

static void put_path(
	struct path *p, unsigned verbs, const struct operation_row *rows, size_t count);
static void put_operation(struct path *p, const struct operation_row *row);

void openapi_put_resource(
	struct definitions *d, const struct resource *r, size_t *count, struct buf *to)
{
	struct path p = {.definitions = d, .to = to, .resource = r, .count = count};

	if (r->namespaced)
		put_path(&p, r->verbs & VERB_LIST, on_collection, COUNT_OF(on_collection));
	p.namespaced = r->namespaced;
	put_path(&p, r->verbs, on_collection, COUNT_OF(on_collection));
	p.item = true;
	put_path(&p, r->verbs, on_item, COUNT_OF(on_item));
	for (const struct subresource *s = r->subresources; s->name.at; s++) {
		if (!registry_serves_sub(r, s))
			continue;
		p.sub = s;
		put_path(&p, s->verbs, on_sub, COUNT_OF(on_sub));
	}
}

void openapi_put_paths(struct definitions *d, str group, str version, struct buf *to)
{
	size_t count = 0;

	for (size_t i = 0; i < api_resource_count; i++) {
		const struct resource *r = &api_resources[i];

		if (str_eq(r->group, group) && str_eq(r->version, version) && registry_serves(r))
			openapi_put_resource(d, r, &count, to);
	}
}

static const struct type *subject(const struct path *p)
{
	return p->sub ? resource_sub_type(p->resource, p->sub) : resource_type(p->resource);
}

static void put_parameter(struct buf *to, str name, const char *where, const char *type)
{
	buf_add_fmt(to,
		"{\"name\":\"%.*s\",\"in\":\"%s\",%s\"schema\":{\"type\":\"%s\","
		"\"uniqueItems\":true}}",
		STR_ARG(name), where, strcmp(where, "path") == 0 ? "\"required\":true," : "", type);
}

static void put_path(struct path *p, unsigned verbs, const struct operation_row *rows, size_t count)
{
	const struct resource *r = p->resource;
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= (verbs & rows[i].verb) != 0;
	if (!any)
		return;
	buf_add_fmt(p->to, "%s\"/%s%.*s/%.*s/%s%.*s%s", (*p->count)++ ? "," : "",
		r->group.len ? "apis/" : "api", STR_ARG(r->group), STR_ARG(r->version),
		p->namespaced ? "namespaces/{namespace}/" : "", STR_ARG(r->plural),
		p->item ? "/{name}" : "");
	if (p->sub)
		buf_add_fmt(p->to, "/%.*s", STR_ARG(p->sub->name));
	buf_add_str(p->to, STR("\":{"));
	for (size_t i = 0; i < count; i++) {
		if (!(verbs & rows[i].verb))
			continue;
		put_operation(p, &rows[i]);
		buf_add_char(p->to, ',');
	}
	buf_add_str(p->to, STR("\"parameters\":["));
	if (p->item) {
		put_parameter(p->to, STR("name"), "path", "string");
		buf_add_char(p->to, ',');
	}
	if (p->namespaced) {
		put_parameter(p->to, STR("namespace"), "path", "string");
		buf_add_char(p->to, ',');
	}
	put_parameter(p->to, STR("pretty"), "query", "string");
	buf_add_str(p->to, STR("]}"));
}

/* "rbac.authorization.k8s.io" -> "RbacAuthorization". */
static void put_group_word(struct buf *to, str group)
{
	ptrdiff_t end = str_find(group, STR(".k8s.io"));

	if (group.len == 0)
		group = STR("core");
	if (end >= 0)
		group.len = (size_t)end;
	for (str rest = group; rest.at;) {
		str part = str_cut(&rest, '.');

		buf_add_char(to, (char)(part.at[0] - 'a' + 'A'));
		buf_add_str(to, str_slice(part, 1, part.len));
	}
}

static void put_capital(struct buf *to, str text)
{
	bool letter = text.len && text.at[0] >= 'a' && text.at[0] <= 'z';

	if (letter)
		buf_add_char(to, (char)(text.at[0] - 'a' + 'A'));
	buf_add_str(to, str_slice(text, letter ? 1 : 0, text.len));
}

static void put_id(const struct path *p, const struct operation_row *row)
{
	struct buf *to = p->to;
	bool many = row->verb == VERB_DELETECOLLECTION;

	buf_add_str(to, many ? STR("delete") : str_of(row->word));
	put_group_word(to, p->resource->group);
	put_capital(to, p->resource->version);
	if (many)
		buf_add_str(to, STR("Collection"));
	if (p->namespaced)
		buf_add_str(to, STR("Namespaced"));
	buf_add_str(to, p->resource->kind);
	if (p->sub)
		put_capital(to, p->sub->name);
	if (p->resource->namespaced && !p->namespaced)
		buf_add_str(to, STR("ForAllNamespaces"));
}

/* Lists of text come as one text, structs do not come in queries. */
static void put_parameters(struct buf *to, enum api_type options)
{
	static const char *const types[KIND_COUNT] = {
		[KIND_BOOL] = "boolean", [KIND_INT64] = "integer", [KIND_STRING] = "string"};
	const struct type *t = &api_schema.types[options];
	size_t count = 0;

	buf_add_str(to, STR(",\"parameters\":["));
	for (const struct field *f = json_fields(t); f < json_fields_end(t); f++) {
		str name = field_name(t, f);

		if (!types[f->kind] || str_eq(name, STR("kind")) || str_eq(name, STR("apiVersion")))
			continue;
		if (count++)
			buf_add_char(to, ',');
		put_parameter(to, name, "query", types[f->kind]);
	}
	buf_add_char(to, ']');
}

/* The list of a custom resource has no type here. */
static void put_answer_ref(const struct path *p, const struct type *answer, struct buf *to)
{
	if (answer) {
		definition_put_ref(answer, to);
		return;
	}
	buf_add_str(to, STR("{\"$ref\":\"#/components/schemas/"));
	openapi_put_custom_name(p->resource->custom_type, p->resource->list_kind, to);
	buf_add_str(to, STR("\"}"));
}

static void put_content(const struct path *p, struct buf *to, const struct type *t)
{
	static const char *const media[] = {
		"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"};

	buf_add_str(to, STR("\"content\":{"));
	size_t count = COUNT_OF(media) - (p->resource->custom != NULL);

	for (size_t i = 0; i < count; i++) {
		buf_add_fmt(to, "%s\"%s\":{\"schema\":", i ? "," : "", media[i]);
		put_answer_ref(p, t, to);
		buf_add_char(to, '}');
	}
	buf_add_char(to, '}');
}

static void put_body(const struct path *p, const struct operation_row *row)
{
	static const char *const patches[] = {"application/apply-patch+yaml",
		"application/json-patch+json", "application/merge-patch+json",
		"application/strategic-merge-patch+json"};
	struct buf *to = p->to;

	buf_add_str(to, STR(",\"requestBody\":{\"content\":{"));
	if (row->verb != VERB_PATCH) {
		buf_add_str(to, STR("\"*/*\":{\"schema\":"));
		definition_put_ref(subject(p), to);
		buf_add_char(to, '}');
	}
	size_t count = COUNT_OF(patches) - (p->resource->custom != NULL);

	for (size_t i = 0; i < count && row->verb == VERB_PATCH; i++)
		buf_add_fmt(to,
			"%s\"%s\":{\"schema\":{\"$ref\":\"#/components/schemas/"
			"io.k8s.apimachinery.pkg.apis.meta.v1.Patch\"}}",
			i ? "," : "", patches[i]);
	buf_add_str(to, STR("},\"required\":true}"));
}

static const struct type *answer_type(const struct path *p, const struct operation_row *row)
{
	const struct resource *r = p->resource;
	char name[PARTS_MAX_BYTES];

	if (row->verb == VERB_DELETE || row->verb == VERB_DELETECOLLECTION)
		return &api_schema.types[API_STATUS];
	if (row->verb != VERB_LIST)
		return subject(p);
	if (r->custom)
		return NULL;
	int len = snprintf(name, sizeof(name), "%.*sList", STR_ARG(r->kind));

	return type_find(&api_schema, r->group, r->version, str_span(name, (size_t)len));
}

static void put_operation(struct path *p, const struct operation_row *row)
{
	const struct type *answer = answer_type(p, row);
	struct buf *to = p->to;

	if (answer && !answer->schema->sorted)
		definitions_add(p->definitions, answer);
	if (!subject(p)->schema->sorted)
		definitions_add(p->definitions, subject(p));
	buf_add_fmt(to, "\"%s\":{\"tags\":[\"", row->method);
	size_t start = to->len;

	put_group_word(to, p->resource->group);
	if (to->len > start)
		to->at[start] = (char)(to->at[start] - 'A' + 'a');
	buf_add_fmt(to, "_%.*s\"],\"operationId\":\"", STR_ARG(p->resource->version));
	put_id(p, row);
	buf_add_char(to, '"');
	if (row->has_options)
		put_parameters(to, row->options);
	if (row->has_body)
		put_body(p, row);
	buf_add_fmt(to, ",\"responses\":{\"%s\":{\"description\":\"%s\",",
		row->verb == VERB_CREATE ? "201" : "200",
		row->verb == VERB_CREATE ? "Created" : "OK");
	put_content(p, to, answer);
	buf_add_fmt(to,
		"},\"401\":{\"description\":\"Unauthorized\"}},\"x-kubernetes-action\":\"%s\","
		"\"x-kubernetes-group-version-kind\":",
		row->action);
	openapi_put_kind(subject(p), to);
	buf_add_char(to, '}');
}
