/*
 * Defaults of the smaller groups.
 */
#include "lib/api/defaults/defaults.h"

#include <ctype.h>

static const str rbac_group = STR_INIT("rbac.authorization.k8s.io");

void default_role_binding(UNUSED struct arena *a, void *o)
{
	default_text(&((struct rbac_role_binding *)o)->role_ref.api_group, rbac_group);
}

void default_cluster_role_binding(UNUSED struct arena *a, void *o)
{
	default_text(&((struct rbac_cluster_role_binding *)o)->role_ref.api_group, rbac_group);
}

void default_subject(UNUSED struct arena *a, void *o)
{
	struct rbac_subject *s = o;

	if (str_eq(s->kind, STR("User")) || str_eq(s->kind, STR("Group")))
		default_text(&s->api_group, rbac_group);
}

void default_network_policy(struct arena *a, void *o)
{
	struct network_policy_spec *spec = o;

	if (spec->policy_types.len > 0)
		return;
	spec->policy_types.at = arena_get(a, 2 * sizeof(str));
	spec->policy_types.at[spec->policy_types.len++] = STR("Ingress");
	if (spec->egress.len > 0)
		spec->policy_types.at[spec->policy_types.len++] = STR("Egress");
}

void default_exact_device_request(UNUSED struct arena *a, void *o)
{
	struct resource_exact_device_request *r = o;

	default_text(&r->allocation_mode, STR("ExactCount"));
	if (str_eq(r->allocation_mode, STR("ExactCount")) && r->count == 0)
		r->count = 1;
}

void default_device_sub_request(UNUSED struct arena *a, void *o)
{
	struct resource_device_sub_request *r = o;

	default_text(&r->allocation_mode, STR("ExactCount"));
	if (str_eq(r->allocation_mode, STR("ExactCount")) && r->count == 0)
		r->count = 1;
}

static str lower(struct arena *a, str s)
{
	char *to = arena_get(a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		to[i] = (char)tolower((unsigned char)s.at[i]);
	return str_span(to, s.len);
}

void default_crd(struct arena *a, void *o)
{
	struct crd_custom_resource_definition *crd = o;
	struct crd_custom_resource_definition_names *names = &crd->spec.names;

	if (names->singular.len == 0)
		names->singular = lower(a, names->kind);
	if (names->list_kind.len == 0 && names->kind.len > 0)
		names->list_kind = arena_fmt(a, "%.*sList", STR_ARG(names->kind));
	for (size_t i = 0; crd->status.stored_versions.len == 0 && i < crd->spec.versions.len;
		i++) {
		if (!crd->spec.versions.at[i].storage)
			continue;
		crd->status.stored_versions.at = default_str(a, crd->spec.versions.at[i].name);
		crd->status.stored_versions.len = 1;
	}
}
