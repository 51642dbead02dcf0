/*
 * Which handler a request belongs to.
 */
#include "apiserver/endpoints/proxy.h"
#include "lib/structural/structural.h"

struct verb_row {
	const char *verb;
	enum verb allowed_by;
	enum accept_endpoint accepts;
	bool on_collection;
	void (*handle)(struct request *r);
};

static const struct verb_row verbs[] = {
	{"get", VERB_GET, ACCEPT_OBJECT, false, handle_get},
	{"list", VERB_LIST, ACCEPT_LIST, true, handle_list},
	{"watch", VERB_WATCH, ACCEPT_WATCH, true, handle_watch},
	{"create", VERB_CREATE, ACCEPT_OBJECT, true, handle_create},
	{"update", VERB_UPDATE, ACCEPT_OBJECT, false, handle_update},
	{"patch", VERB_PATCH, ACCEPT_OBJECT, false, handle_patch},
	{"delete", VERB_DELETE, ACCEPT_OBJECT, false, handle_delete},
	{"deletecollection", VERB_DELETECOLLECTION, ACCEPT_LIST, true, handle_delete_collection},
};

static bool find_resource(struct request *r);
static void dispatch_resource(struct request *r);
static bool in_known_group(const struct request *r);
static void not_here(struct request *r);
static void not_allowed(struct request *r);

void dispatch(struct request *r)
{
	if (proxy_handle(r))
		return;
	if (r->info.is_resource) {
		if (find_resource(r))
			dispatch_resource(r);
		else
			not_here(r);
	} else if (!handle_path(r)) {
		not_here(r);
	}
}

/* A reference. */
static const struct resource *find_row(struct request *r)
{
	const struct request_info *i = &r->info;
	const struct resource *found = resource_find(i->group, i->version, i->resource);

	if (found)
		return registry_serves(found) ? found : NULL;
	return extensions_find(r->endpoints->extensions, i->group, i->version, i->resource);
}

/* False where no path of ours leads. */
static bool find_resource(struct request *r)
{
	const struct request_info *i = &r->info;
	const struct resource *found = find_row(r);
	bool is_namespace = str_eq(i->resource, STR("namespaces")) && i->group.len == 0;

	if (!found)
		return false;
	r->resource = found;
	if (!found->namespaced && i->ns.len && !is_namespace)
		return false;
	/* All namespaces at once can be read only. */
	if (found->namespaced && i->ns.len == 0 && i->name.len && !str_eq(i->verb, STR("list")) &&
		!str_eq(i->verb, STR("watch")))
		return false;
	if (i->subresource.len == 0)
		return true;
	r->sub = resource_sub(found, i->subresource);
	return r->sub && registry_serves_sub(found, r->sub);
}

/* Binding, eviction, token: an object's own subresource that is created. */
static bool fits_place(const struct request *r, const struct verb_row *v)
{
	bool named = r->info.name.len > 0;

	if (r->sub)
		return named;
	if (str_eq(r->info.verb, STR("create")))
		return !named;
	return v->on_collection || named;
}

/* What only passes by, such as a review or a token, has no table and no metadata to show. */
static enum accept_endpoint accepts(const struct request *r, const struct verb_row *v)
{
	bool passes_by = r->resource->stored_as == STORED_NOT ||
		(r->sub && v->allowed_by == VERB_CREATE);

	return passes_by ? ACCEPT_PLAIN : v->accepts;
}

/* Custom resources have no protobuf but that of their metadata. */
static int check_form(struct request *r, const struct verb_row *v, struct err *e)
{
	bool scale = r->sub && str_eq(r->sub->name, STR("scale"));

	if (!r->resource->custom || scale || r->form.format != FORMAT_PROTOBUF ||
		r->form.as != AS_OBJECT)
		return 0;
	return negotiate_text(
		&r->arena, &r->x->request.headers, &r->query, accepts(r, v), &r->form, e);
}

static void warn_of_version(struct request *r)
{
	const struct structural *s = r->resource->custom;

	if (!s || !s->version->deprecated)
		return;
	if (s->version->deprecation_warning)
		warnings_add(&r->warnings, "%.*s", STR_ARG(*s->version->deprecation_warning));
	else
		warnings_add(&r->warnings, "%.*s/%.*s %.*s is deprecated",
			STR_ARG(r->resource->group), STR_ARG(r->resource->version),
			STR_ARG(r->resource->kind));
}

/* The objects of a definition that goes are being deleted: there must be no end of them. */
static bool is_made_too_late(struct request *r)
{
	const struct structural *s = r->resource->custom;

	return s && !r->sub && str_eq(r->info.verb, STR("create")) && atomic_load(s->terminating);
}

static void refuse_too_late(struct request *r)
{
	struct err e;

	r->form = negotiate_error(&r->arena, &r->x->request.headers, &r->query);
	status_method_not_supported(&r->arena, &e, request_subject(r), r->info.verb);
	status_detail(&e)->message = arena_fmt(&r->arena,
		"%.*s not allowed while custom resource definition is terminating",
		STR_ARG(r->info.verb));
	request_fail(r, &e);
}

static void dispatch_resource(struct request *r)
{
	unsigned allowed = r->sub ? r->sub->verbs : r->resource->verbs;
	const struct http_request *q = &r->x->request;
	struct err e;

	if (is_made_too_late(r)) {
		refuse_too_late(r);
		return;
	}
	warn_of_version(r);
	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		const struct verb_row *v = &verbs[i];

		if (!str_eq(r->info.verb, str_of(v->verb)))
			continue;
		bool everywhere = r->resource->namespaced && r->info.ns.len == 0;
		bool reads = v->allowed_by & (VERB_LIST | VERB_WATCH);

		if (!(allowed & v->allowed_by) || !fits_place(r, v) || (everywhere && !reads))
			break;
		if (negotiate_answer(
			    &r->arena, &q->headers, &r->query, accepts(r, v), &r->form, &e) < 0 ||
			check_form(r, v, &e) < 0)
			request_fail(r, &e);
		else
			v->handle(r);
		return;
	}
	not_allowed(r);
}

/* Below /api/VERSION and /apis/GROUP/VERSION of a group that has resources. */
static bool in_known_group(const struct request *r)
{
	str rest = str_slice(r->info.path, 1, r->info.path.len);
	str root = str_cut(&rest, '/');
	str group = str_eq(root, STR("apis")) ? str_cut(&rest, '/') : STR("");
	bool below = rest.at && (group.len || str_eq(root, STR("api")));

	for (size_t i = 0; below && i < api_resource_count; i++)
		if (str_eq(api_resources[i].group, group) && registry_serves(&api_resources[i]))
			return true;
	struct catalog *c = extensions_catalog(r->endpoints->extensions);
	bool found = false;

	for (size_t i = 0; below && i < c->count; i++)
		found |= str_eq(c->rows[i]->group, group);
	counted_drop(&c->counted);
	return found;
}

/* A group that is known says so as a Status; elsewhere there is nobody to speak. */
static void not_here(struct request *r)
{
	struct err e;

	if (in_known_group(r)) {
		r->form = negotiate_error(&r->arena, &r->x->request.headers, &r->query);
		status_generic(&r->arena, &e, STATUS_NOT_FOUND,
			"the server could not find the requested resource");
		request_fail(r, &e);
		return;
	}
	request_send_text(r, 404, STR("text/plain; charset=utf-8"), STR("404 page not found\n"));
}

static void not_allowed(struct request *r)
{
	struct err e;

	r->form = negotiate_error(&r->arena, &r->x->request.headers, &r->query);
	status_generic(&r->arena, &e, STATUS_METHOD_NOT_ALLOWED,
		"the server does not allow this method on the requested resource");
	request_fail(r, &e);
}
