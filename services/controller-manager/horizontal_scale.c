#include "controller-manager/horizontal_scale.h"

#include "controller-manager/discovery.h"
#include "lib/schema/object_tree.h"

enum { TRIES_MAX = 5 };

static bool is_kind(const struct resource *r, str group, str kind)
{
	return str_eq(r->kind, kind) && str_eq(r->group, group) && r->verbs != 0;
}

int hpa_find_resource(
	struct pass *p, str api_version, str kind, const struct resource **to, struct err *e)
{
	str version = api_version, group = str_cut(&version, '/');
	struct discovered d;

	if (!version.at)
		group = STR("");
	for (size_t i = 0; i < api_resource_count; i++) {
		if (is_kind(&api_resources[i], group, kind)) {
			*to = &api_resources[i];
			return 0;
		}
	}
	TRY(discover(p->run->env.client, p->arena, &d, e));
	for (size_t i = 0; i < d.len; i++) {
		if (is_kind(&d.at[i], group, kind)) {
			*to = &d.at[i];
			return 0;
		}
	}
	return err_set(e, ERR_NOT_FOUND, "no matches for kind \"%.*s\" in group \"%.*s\"",
		STR_ARG(kind), STR_ARG(group));
}

/* JSON both ways: custom resources have nothing else. */
static int call(struct pass *p, struct hpa_scale *s, str method, str body, struct err *e)
{
	const struct client_request r = {.method = method,
		.path = s->path,
		.accept = MEDIA_JSON,
		.body = body,
		.content_type = body.at ? MEDIA_JSON : (str){NULL, 0}};
	void *found;
	str answer;

	TRY(client_raw(p->run->env.client, p->arena, &r, &answer, e));
	TRY(object_decode(p->arena, api_type(API_AUTOSCALING_V1_SCALE), FORMAT_JSON, answer, &found,
		NULL, e));
	s->object = found;
	return 0;
}

static int get(struct pass *p, struct hpa_scale *s, struct err *e)
{
	return call(p, s, STR("GET"), (str){NULL, 0}, e);
}

int hpa_scale_get(struct pass *p, const struct cross_version_object_reference *of,
	struct hpa_scale *to, struct err *e)
{
	const struct resource *r;

	TRY(hpa_find_resource(p, of->api_version, of->kind, &r, e));
	to->path = client_path(p->arena,
		(struct target){.resource = r, .ns = p->ns, .name = of->name, .sub = STR("scale")});
	return get(p, to, e);
}

int hpa_scale_put(struct pass *p, struct hpa_scale *s, int32_t replicas, struct err *e)
{
	for (int tries = 1;; tries++) {
		struct err ignored;
		str body;

		s->object->spec.replicas = replicas;
		TRY(object_json(p->arena, s->object, &body, e));
		if (call(p, s, STR("PUT"), body, e) == 0)
			return 0;
		if (e->kind != ERR_CONFLICT || tries == TRIES_MAX || get(p, s, &ignored) < 0)
			return -1;
	}
}
